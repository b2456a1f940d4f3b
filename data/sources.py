"""Files of structures, one reader per format, all of them ending in one Arrow table (STRUCTURE_ROWS)."""

import csv
import itertools
import json
import struct
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
from gis.register.rows import NO_WKB, STRUCTURE_ROWS, parse_shapes
from gis.terms import SRID, Datum

Columns = dict[str, pa.Array]
_WKB_HEAD = 5
_LAST_FLAT_TYPE = 7
"""Types 1 to 7 are Point to GeometryCollection without Z or M (OGC 06-103r4)."""
csv.field_size_limit(2**30)  # a polygon as WKT outgrows the module's 128 KiB
_END = "\x04"
"""A last line of our own: it goes missing where a quotation mark is still open."""
Reader = Callable[[Path, str | None], tuple[Columns, Any]]
_ALIASES = {"building": "kind"}
"""A column called so stands in where the contract's own is missing: exports of OSM name it that way."""
_OURS = {"row", "geometry", "problem"}
"""Columns that the reader makes; an attribute called so is none of ours."""
_GEODETIC = {"EPSG:4326", f"EPSG:{SRID}", "OGC:CRS84"}
"""WGS 84 and CGCS2000 agree to a few decimetres: degrees in either are taken as they are."""


def read_structures(path: Path, *, layer: str | None = None, datum: Datum | None = None) -> pa.Table:
    """Return the rows of a file of structures, in its order, in CGCS2000 longitude and latitude.

    ``datum`` names the shift of Chinese web-map coordinates (gcj02, bd09). Raises UnknownFormat for a
    suffix that is none of ours, FileNotReadable for a file that is not what its suffix says.
    """
    columns = _known(read_columns(path, READERS, layer=layer, datum=datum))
    many = len(columns["geometry"])
    columns["row"] = pa.array(np.arange(1, many + 1), type=pa.int32())
    return pa.table([as_text(columns.get(field.name), many, field) for field in STRUCTURE_ROWS], schema=STRUCTURE_ROWS)


def read_columns(path: Path, readers: dict[str, Reader], *, layer: str | None, datum: Datum | None) -> Columns:
    """Return the columns of a file as they are called there, ``geometry`` as flat WKB in CGCS2000 degrees.

    Raises UnknownFormat for a suffix that no reader takes, FileNotReadable.
    """
    reader = next((reader for suffix, reader in readers.items() if path.name.lower().endswith(suffix)), None)
    if reader is None:
        raise UnknownFormat(path=path, known=", ".join(readers))
    if not path.is_file():
        raise FileNotReadable(path=path, why="there is no such file")
    columns, crs = reader(path, layer)
    columns["geometry"] = _to_cgcs2000(columns["geometry"], _reference_system(path, crs), datum)
    return columns


def _known(columns: Columns) -> Columns:
    """Return the columns the contract names, matched without case."""
    found: Columns = {}
    for name, column in columns.items():
        found.setdefault(name.strip().lower(), column)
    for alias, name in _ALIASES.items():
        if alias in found and name not in found:
            found[name] = found[alias]
    return {name: column for name, column in found.items() if name in STRUCTURE_ROWS.names}


def as_text(column: pa.Array | None, many: int, field: pa.Field) -> pa.Array:
    """Return a column in the table's type; numbers and dates become the text a person would write."""
    if column is None:
        return pa.nulls(many, field.type)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        column = column.cast(field.type)
        if field.type == pa.string():
            column.validate(full=True)  # GDAL and Parquet hand on text in other encodings as it stands
    except pa.ArrowInvalid:
        return pa.array([_decoded(value) for value in column.cast(pa.binary()).to_pylist()], type=pa.string())
    except pa.ArrowNotImplementedError:  # a list, a structure, a duration
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], type=pa.string())
    return column


def _decoded(value: bytes | None) -> str | None:
    """Return bytes as text: UTF-8, or else what Chinese programs write, as far as it can be read."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("gb18030", "replace")


def _reference_system(path: Path, crs: Any) -> pyproj.CRS | None:  # noqa: ANN401
    """Return the CRS a file declares, None for degrees in WGS 84 or CGCS2000.

    By its name where it has one, which is far quicker. Raises FileNotReadable for one that is unknown
    or places nothing on the ground.
    """
    if isinstance(crs, str) and crs.upper() in _GEODETIC:
        return None
    try:
        system = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        raise FileNotReadable(path=path, why="it declares a reference system that is not known") from error
    if not (system.is_geographic or system.is_projected):
        why = f"its reference system ({system.name}) is neither longitude and latitude nor a map projection"
        raise FileNotReadable(path=path, why=why)
    authority = system.to_authority()
    return None if authority is not None and ":".join(authority) in _GEODETIC else system


def _to_cgcs2000(blobs: pa.Array, system: pyproj.CRS | None, datum: Datum | None) -> pa.Array:
    """Return WKB in any CRS as flat WKB in CGCS2000 degrees; untouched where it is that already."""
    shift = datums.to_cgcs2000(datum) if datum else None
    if isinstance(blobs, pa.ChunkedArray):
        blobs = blobs.combine_chunks()
    same = shift is None and system is None
    blobs = blobs.cast(pa.binary())
    if same and _all_flat(blobs):
        return blobs
    shapes = parse_shapes(blobs.to_numpy(zero_copy_only=False))
    if same:
        return _flat(shapes, blobs)
    # PROJ knows the way from most datums to WGS 84 and from few to CGCS2000: 100 m were lost on Swiss files
    transformer = None if system is None else pyproj.Transformer.from_crs(system, "EPSG:4326", always_xy=True)

    def moved(points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        lon, lat = points[:, 0], points[:, 1]
        if transformer is not None:
            lon, lat = transformer.transform(lon, lat)
        if shift is not None:
            lon, lat = shift(np.asarray(lon), np.asarray(lat))
        return np.column_stack([lon, lat])

    return _flat(shapely.transform(shapely.force_2d(shapes), moved), blobs)


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


def _attributes(table: pa.Table, others: set[str]) -> Columns:
    """Return the columns of a table that are attributes; ``others`` are geometry and row numbers."""
    columns = zip(table.column_names, table.columns, strict=True)
    return {name: column for name, column in columns if name not in others and name.strip().lower() not in _OURS}


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

    options: dict[str, Any] = {}
    if path.suffix.lower() == ".shp":
        _check_dbf(path)
        options["encoding"] = _encoding(path)
    try:
        layers = [name for name, kind in pyogrio.list_layers(path) if kind is not None]
        if layer is None and len(layers) > 1:
            raise FileNotReadable(path=path, why=f"name one of its layers with --layer: {', '.join(layers)}")
        options |= {"layer": layer or next(iter(layers), None)}
        meta, table = pyogrio.read_arrow(path, datetime_as_string=True, **options)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError, RuntimeError, OSError) as error:
        raise FileNotReadable(path=path, why=str(error)) from error
    name = meta["geometry_name"] or "wkb_geometry"
    if name not in table.column_names:
        raise FileNotReadable(path=path, why="the layer has no geometry")
    return _attributes(table, {name, meta["fid_column"]}) | {"geometry": table[name]}, meta["crs"] or geojson.CRS84


def _check_dbf(path: Path) -> None:
    """Raise FileNotReadable where a Shapefile's attributes end early: GDAL would leave out the rows behind."""
    table = path.with_suffix(".dbf")
    with suppress(OSError, struct.error):
        with table.open("rb") as stream:
            records, head, length = struct.unpack("<4xIHH", stream.read(12))
        if table.stat().st_size < head + records * length:
            raise FileNotReadable(path=path, why=f"{table.name} ends before the last of its {records:,} records")


def _encoding(path: Path) -> str | None:
    """Return the encoding of a Shapefile's attributes: what its .cpg says, else UTF-8 or GB18030 by trial."""
    if path.with_suffix(".cpg").exists() or path.with_suffix(".CPG").exists():
        return None
    with suppress(OSError), path.with_suffix(".dbf").open("rb") as stream:
        raw = stream.read(1_000_000)
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
        described = dict(meta["columns"][name])
        blobs, encoding = table[name], described["encoding"]
    except (pa.ArrowInvalid, OSError, KeyError, TypeError, ValueError) as error:
        raise FileNotReadable(path=path, why=f"it is no GeoParquet ({error})") from error
    if encoding != "WKB" or not (pa.types.is_binary(blobs.type) or pa.types.is_large_binary(blobs.type)):
        raise FileNotReadable(path=path, why=f"its geometry is {encoding} in {blobs.type}; write it as WKB")
    # GeoParquet 1.1: no crs means OGC:CRS84, a null one means unknown
    return _attributes(table, {name}) | {"geometry": blobs}, described.get("crs") or geojson.CRS84


def _read_csv(path: Path, _: str | None) -> tuple[Columns, Any]:
    """Read CSV with wkt, or lon and lat; a line of the wrong length becomes a row with a problem."""
    try:
        with path.open("r", encoding="utf-8-sig", newline="") as stream:
            lines = csv.reader(itertools.chain(stream, ["\n", _END]))
            header = [name.strip().lower() for name in next(lines, [])]
            records = [record for record in lines if record]
    except UnicodeDecodeError as error:
        raise FileNotReadable(path=path, why="it is not UTF-8; save it as UTF-8 and import it again") from error
    except (OSError, csv.Error) as error:
        raise FileNotReadable(path=path, why=str(error)) from error
    if "wkt" not in header and not {"lon", "lat"} <= set(header):
        raise FileNotReadable(path=path, why="it has neither a column wkt nor lon and lat")
    width = len(header)
    open_quote = records[-1:] != [[_END]]
    if not open_quote:
        records.pop()
    elif not records:
        raise FileNotReadable(path=path, why="a quotation mark is opened in its header and never closed")
    problems = [
        None if len(record) == width else f"{len(record)} fields where {width} are expected" for record in records
    ]
    if open_quote:  # whatever follows the quotation mark stands in the last record
        problems[-1] = "a quotation mark is opened in this row and never closed"
    whole = [record if problem is None else [""] * width for record, problem in zip(records, problems, strict=True)]
    values = list(zip(*whole, strict=True)) if whole else [()] * width
    columns = {
        name: pa.array([word or None for word in column], type=pa.string())
        for name, column in zip(header, values, strict=True)
    }
    shapes = _from_wkt(columns["wkt"]) if "wkt" in columns else pa.nulls(len(records), pa.binary())
    if {"lon", "lat"} <= columns.keys():
        shapes = pc.coalesce(shapes, _from_lonlat(columns["lon"], columns["lat"]))
    return columns | {"geometry": shapes, "problem": pa.array(problems, type=pa.string())}, geojson.CRS84


def _from_wkt(column: pa.Array) -> pa.Array:
    """Return WKT as WKB; text that is no WKT becomes bytes that are no WKB, and is refused as invalid."""
    words = column.to_pylist()
    shapes = parse_shapes(np.array(words, dtype=object), shapely.from_wkt)
    blobs = np.asarray(shapely.to_wkb(shapes)).tolist()
    return pa.array(
        [NO_WKB + word.encode() if word and blob is None else blob for word, blob in zip(words, blobs, strict=True)],
        type=pa.binary(),
    )


def _from_lonlat(lon: pa.Array, lat: pa.Array) -> pa.Array:
    """Return a point for each pair; none where either is empty, and NaN where either is no number."""
    pairs = np.array([[_number(x), _number(y)] for x, y in zip(lon.to_pylist(), lat.to_pylist(), strict=True)])
    empty = pc.or_(lon.is_null(), lat.is_null()).to_pylist()
    blobs = np.asarray(shapely.to_wkb(shapely.points(pairs.reshape(-1, 2), handle_nan="allow"))).tolist()
    return pa.array([None if none else blob for none, blob in zip(empty, blobs, strict=True)], type=pa.binary())


def _number(word: str | None) -> float:
    """Return a text as a number, infinite where it is none: refused as bad coordinates further on."""
    try:
        return float((word or "").replace("_", "?"))  # Python alone reads 1_0 as ten
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
