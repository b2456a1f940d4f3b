"""Files of structures, one reader per format, all of them ending in one Arrow table (STRUCTURE_ROWS)."""

import csv
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
import pyproj
import shapely

from data import datums, geojson, osm
from gis.errors import FileNotReadable, UnknownFormat
from gis.register.rows import STRUCTURE_ROWS
from gis.terms import SRID, Datum

Columns = dict[str, pa.Array]
_WKB_HEAD = 5
_LAST_FLAT_TYPE = 7
"""Types 1 to 7 are Point to GeometryCollection without Z or M (OGC 06-103r4)."""
csv.field_size_limit(2**30)  # a polygon as WKT outgrows the module's 128 KiB
Reader = Callable[[Path, str | None], tuple[Columns, Any]]
_ALIASES = {"building": "kind"}
"""A column called so stands in where the contract's own is missing: exports of OSM name it that way."""
_GEODETIC = {"EPSG:4326", f"EPSG:{SRID}", "OGC:CRS84"}
"""WGS 84 and CGCS2000 agree to a few decimetres: degrees in either are taken as they are."""


def read_structures(path: Path, *, layer: str | None = None, datum: Datum | None = None) -> pa.Table:
    """Return the rows of a file of structures, in its order, in CGCS2000 longitude and latitude.

    ``datum`` names the shift of Chinese web-map coordinates (gcj02, bd09). Raises UnknownFormat for a
    suffix that is none of ours, FileNotReadable for a file that is not what its suffix says.
    """
    reader = next((reader for suffix, reader in READERS.items() if path.name.lower().endswith(suffix)), None)
    if reader is None:
        raise UnknownFormat(path=path, known=", ".join(READERS))
    if not path.is_file():
        raise FileNotReadable(path=path, why="there is no such file")
    columns, crs = reader(path, layer)
    columns = _known(columns)
    columns["geometry"] = _to_cgcs2000(columns["geometry"], crs, datum)
    many = len(columns["geometry"])
    columns["row"] = pa.array(np.arange(1, many + 1), type=pa.int32())
    return pa.table([_text(columns.get(field.name), many, field) for field in STRUCTURE_ROWS], schema=STRUCTURE_ROWS)


def _known(columns: Columns) -> Columns:
    """Return the columns the contract names, matched without case."""
    found: Columns = {}
    for name, column in columns.items():
        found.setdefault(name.strip().lower(), column)
    for alias, name in _ALIASES.items():
        if alias in found and name not in found:
            found[name] = found[alias]
    return {name: column for name, column in found.items() if name in STRUCTURE_ROWS.names}


def _text(column: pa.Array | None, many: int, field: pa.Field) -> pa.Array:
    """Return a column in the table's type; numbers and dates become the text a person would write."""
    if column is None:
        return pa.nulls(many, field.type)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if column.type == field.type:
        return column
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(field.type)


def _to_cgcs2000(blobs: pa.Array, crs: Any, datum: Datum | None) -> pa.Array:  # noqa: ANN401
    """Return WKB in any CRS as flat WKB in CGCS2000 degrees; untouched where it is that already."""
    shift = datums.to_cgcs2000(datum) if datum else None
    if isinstance(blobs, pa.ChunkedArray):
        blobs = blobs.combine_chunks()
    same = shift is None and _is_geodetic(crs)
    blobs = blobs.cast(pa.binary())
    if same and _all_flat(blobs):
        return blobs
    shapes = shapely.from_wkb(blobs.to_numpy(zero_copy_only=False), on_invalid="ignore")
    if same:
        return _flat(shapes, blobs)
    transformer = pyproj.Transformer.from_crs(crs, SRID, always_xy=True)

    def moved(points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        lon, lat = transformer.transform(points[:, 0], points[:, 1])
        if shift is not None:
            lon, lat = shift(np.asarray(lon), np.asarray(lat))
        return np.column_stack([lon, lat])

    return _flat(shapely.transform(shapely.force_2d(shapes), moved), blobs)


def _is_geodetic(crs: Any) -> bool:  # noqa: ANN401
    """Tell whether a CRS is WGS 84 or CGCS2000 in degrees; by its name where it has one, which is far quicker."""
    if isinstance(crs, str) and crs.upper() in _GEODETIC:
        return True
    authority = pyproj.CRS.from_user_input(crs).to_authority()
    return authority is not None and ":".join(authority) in _GEODETIC


def _all_flat(blobs: pa.Array) -> bool:
    """Tell whether every blob (n,) begins as little-endian WKB of two dimensions does: 1, type, 0, 0, 0."""
    _, offsets, content = blobs.buffers()
    starts = np.frombuffer(offsets, dtype=np.int32)[blobs.offset : blobs.offset + len(blobs) + 1]
    starts = starts[:-1][np.diff(starts) > _WKB_HEAD]
    if not starts.size:
        return False
    octets = np.frombuffer(content, dtype=np.uint8)
    head = octets[starts[:, None] + np.arange(_WKB_HEAD)]
    return bool((head[:, 0] == 1).all() and (head[:, 1] <= _LAST_FLAT_TYPE).all() and not head[:, 2:].any())


def _flat(shapes: np.ndarray[Any, Any], blobs: pa.Array) -> pa.Array:
    """Return shapes (n,) as WKB of two dimensions; what could not be parsed stays as it was, to be refused."""
    flat = pa.array(np.asarray(shapely.to_wkb(shapely.force_2d(shapes))).tolist(), type=pa.binary())
    return pc.coalesce(flat, blobs)


def _read_osm(path: Path, _: str | None) -> tuple[Columns, Any]:
    """Read an OpenStreetMap extract."""
    return osm.read(path), geojson.CRS84


def _read_geojson(path: Path, _: str | None) -> tuple[Columns, Any]:
    """Read GeoJSON or a sequence of features."""
    return geojson.read(path)


def _read_vector(path: Path, layer: str | None) -> tuple[Columns, Any]:
    """Read a GeoPackage, Shapefile or FlatGeobuf through GDAL, as Arrow."""
    import pyogrio  # noqa: PLC0415 - it brings geopandas along, nearly two seconds that other formats need not wait for

    options = {"encoding": _encoding(path)} if path.suffix.lower() == ".shp" else {}
    try:
        meta, table = pyogrio.read_arrow(path, layer=layer, datetime_as_string=True, **options)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError, RuntimeError) as error:
        raise FileNotReadable(path=path, why=str(error)) from error
    name = meta["geometry_name"] or "wkb_geometry"
    if name not in table.column_names:
        raise FileNotReadable(path=path, why="the layer has no geometry")
    columns = {column: table[column] for column in table.column_names if column not in {name, meta["fid_column"]}}
    return columns | {"geometry": table[name]}, meta["crs"] or geojson.CRS84


def _encoding(path: Path) -> str | None:
    """Return the encoding of a Shapefile's attributes: what its .cpg says, else UTF-8 or GB18030 by trial."""
    if path.with_suffix(".cpg").exists() or path.with_suffix(".CPG").exists():
        return None
    with suppress(OSError):
        raw = path.with_suffix(".dbf").read_bytes()[:1_000_000]
        try:
            raw[raw.find(b"\r") + 1 :].decode("utf-8")
        except UnicodeDecodeError as error:
            cut_short = error.start >= len(raw) - 4
            return "UTF-8" if cut_short else "GB18030"
    return "UTF-8"


def _read_parquet(path: Path, _: str | None) -> tuple[Columns, Any]:
    """Read GeoParquet 1.x with geometry in WKB."""
    try:
        table = pyarrow.parquet.read_table(path)
        meta = json.loads(table.schema.metadata[b"geo"])
        name = meta["primary_column"]
        described = meta["columns"][name]
    except (pa.ArrowInvalid, OSError, KeyError, TypeError, ValueError) as error:
        raise FileNotReadable(path=path, why=f"it is no GeoParquet ({error})") from error
    if described["encoding"] != "WKB":
        raise FileNotReadable(path=path, why=f"its geometry is in {described['encoding']}; write it as WKB")
    columns = {column: table[column] for column in table.column_names if column != name}
    flat = {column: values for column, values in columns.items() if not pa.types.is_nested(values.type)}
    # GeoParquet 1.1: no crs means OGC:CRS84, a null one means unknown
    return flat | {"geometry": table[name]}, described.get("crs") or geojson.CRS84


def _read_csv(path: Path, _: str | None) -> tuple[Columns, Any]:
    """Read CSV with wkt, or lon and lat; a line of the wrong length becomes a row with a problem."""
    try:
        with path.open("r", encoding="utf-8-sig", newline="") as stream:
            lines = csv.reader(stream)
            header = [name.strip().lower() for name in next(lines, [])]
            records = [record for record in lines if record]
    except UnicodeDecodeError as error:
        raise FileNotReadable(path=path, why="it is not UTF-8; save it as UTF-8 and import it again") from error
    except (OSError, csv.Error) as error:
        raise FileNotReadable(path=path, why=str(error)) from error
    if "wkt" not in header and not {"lon", "lat"} <= set(header):
        raise FileNotReadable(path=path, why="it has neither a column wkt nor lon and lat")
    width = len(header)
    problems = [
        None if len(record) == width else f"{len(record)} fields where {width} are expected" for record in records
    ]
    whole = [record if len(record) == width else [""] * width for record in records]
    values = list(zip(*whole, strict=True)) if whole else [()] * width
    columns = {
        name: pa.array([word or None for word in column], type=pa.string())
        for name, column in zip(header, values, strict=True)
    }
    shapes = _from_wkt(columns["wkt"]) if "wkt" in columns else _from_lonlat(columns["lon"], columns["lat"])
    return columns | {"geometry": shapes, "problem": pa.array(problems, type=pa.string())}, geojson.CRS84


def _from_wkt(column: pa.Array) -> pa.Array:
    """Return WKT as WKB; text that is no WKT becomes bytes that are no WKB, and is refused as invalid."""
    words = column.to_pylist()
    shapes = shapely.from_wkt(words, on_invalid="ignore")
    blobs = np.asarray(shapely.to_wkb(shapes)).tolist()
    unread = [word is not None and blob is None for word, blob in zip(words, blobs, strict=True)]
    return pa.array([b"?" if bad else blob for bad, blob in zip(unread, blobs, strict=True)], type=pa.binary())


def _from_lonlat(lon: pa.Array, lat: pa.Array) -> pa.Array:
    """Return a point for each pair; none where either is empty, and NaN where either is no number."""
    pairs = np.array([[_number(x), _number(y)] for x, y in zip(lon.to_pylist(), lat.to_pylist(), strict=True)])
    empty = pc.or_(lon.is_null(), lat.is_null()).to_pylist()
    blobs = np.asarray(shapely.to_wkb(shapely.points(pairs.reshape(-1, 2), handle_nan="allow"))).tolist()
    return pa.array([None if none else blob for none, blob in zip(empty, blobs, strict=True)], type=pa.binary())


def _number(word: str | None) -> float:
    """Return a text as a number, infinite where it is none: refused as bad coordinates further on."""
    try:
        return float(word or "")
    except ValueError:
        return float("inf")


READERS: dict[str, Reader] = {
    ".osm.pbf": _read_osm,
    ".gpkg": _read_vector,
    ".geojson": _read_geojson,
    ".json": _read_geojson,
    ".geojsonl": _read_geojson,
    ".shp": _read_vector,
    ".fgb": _read_vector,
    ".parquet": _read_parquet,
    ".csv": _read_csv,
}
"""By suffix; the first that fits."""
