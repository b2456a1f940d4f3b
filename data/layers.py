"""Files that leave: extracts of structures as GeoPackage, GeoJSON, FlatGeobuf, GeoParquet, KML and CSV.

Rows go through some at a time. A file is made in a folder beside its place and moved there whole, or not at all.
"""

import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pyogrio
import pyproj
import shapely

from data import datums
from gis.errors import BadArgument, UnknownFormat
from gis.register.extracts import Extract, Layer
from gis.terms import SRID, Datum

DRIVERS: Final = {
    ".gpkg": "GPKG",
    ".geojson": "GeoJSON",
    ".geojsonl": "GeoJSONSeq",
    ".fgb": "FlatGeobuf",
    ".kml": "LIBKML",
}
FORMATS: Final = (*DRIVERS, ".parquet", ".csv")
SEVERAL_LAYERS: Final = ".gpkg"
_WGS84_ONLY = {".geojson", ".geojsonl", ".kml"}
_PRECISION = {".geojson": {"COORDINATE_PRECISION": "9"}, ".geojsonl": {"COORDINATE_PRECISION": "9"}}
_FORMULA = r"^[=+\-@\t\r]"
"""How a text begins that a spreadsheet takes for a formula (OWASP, CSV injection)."""
_NUMBER = r"^[+\-]?\d+(\.\d+)?$"
"""A floor or room below ground is no formula."""
_SAYS_ITS_DATUM = (".gpkg", ".geojson", ".parquet")
"""Formats with a place to say that coordinates are shifted: GCJ-02 has no code, and hiding it would mislead."""
_SHIFTS: dict[Datum, Callable[..., Any]] = {Datum.GCJ02: datums.to_gcj02}


@dataclass(frozen=True)
class Target:
    """How the coordinates of a file are given, and what it says of itself."""

    crs: int | None = None
    """EPSG code; None is the format's own: 4490, or WGS 84 for GeoJSON and KML."""
    datum: Datum | None = None
    about: dict[str, str] | None = None
    """Source, date and the like, written inside where the format has a place for it."""


def check(out: Path, layers: int, target: Target) -> None:
    """Refuse what cannot be written before the work begins; raises UnknownFormat, BadArgument."""
    suffix = out.suffix.lower()
    if suffix not in FORMATS:
        raise UnknownFormat(path=out, known=", ".join(FORMATS))
    if layers > 1 and suffix != SEVERAL_LAYERS:
        raise BadArgument(why=f"a {suffix} file holds one layer; give one, or write a {SEVERAL_LAYERS}")
    if target.datum not in {None, Datum.WGS84, Datum.CGCS2000, *_SHIFTS}:
        raise BadArgument(why=f"files are not written in {target.datum}")
    if target.datum in _SHIFTS and suffix not in _SAYS_ITS_DATUM:
        raise BadArgument(
            why=f"a {suffix} file cannot say that it is in {target.datum}; write {', '.join(_SAYS_ITS_DATUM)}"
        )
    if target.crs is not None and (target.datum in _SHIFTS or suffix in _WGS84_ONLY):
        raise BadArgument(why=f"--crs goes with neither a shifted datum nor {', '.join(sorted(_WGS84_ONLY))}")
    if target.crs is not None:
        _crs(suffix, target)


def write(out: Path, extracts: Iterator[Extract], target: Target, hear: Callable[[int], object]) -> int:
    """Write extracts as the layers of a file; ``hear`` is told of each batch. Return how many rows there are.

    Raises BadArgument where it cannot be written.
    """
    many = 0
    try:
        with tempfile.TemporaryDirectory(dir=out.resolve().parent, prefix=f".{out.name}.") as folder:
            draft = Path(folder) / out.name
            for extract in extracts:
                many += _write_layer(draft, extract, target, hear)
            draft.chmod(0o644)
            draft.replace(out.resolve())
    except OSError as error:
        raise BadArgument(why=f"{out} cannot be written: {error.strerror or error}") from error
    return many


def _write_layer(draft: Path, extract: Extract, target: Target, hear: Callable[[int], object]) -> int:
    """Add one layer to a file; return its rows."""
    suffix = draft.suffix.lower()
    crs = _crs(suffix, target)
    move = _mover(crs, target)
    about = {**(target.about or {}), "rows": str(extract.rows)}

    def placed() -> Iterator[pa.RecordBatch]:
        for batch in extract.batches:
            moved = pa.array(shapely.to_wkb(move(_shapes(batch))), type=pa.binary())
            yield batch.set_column(batch.num_columns - 1, "geometry", moved)
            hear(batch.num_rows)

    match suffix:
        case ".csv":
            _write_csv(draft, extract.layer, placed())
        case ".parquet":
            _write_parquet(draft, extract.layer, placed(), crs, about)
        case _:
            layer_options: dict[str, str] = dict(_PRECISION.get(suffix, {}))
            if suffix == ".fgb" and not extract.layer.always_placed:
                layer_options["SPATIAL_INDEX"] = "NO"  # its index has no place for a row without a shape
            if suffix == ".gpkg":
                layer_options["GEOMETRY_NAME"] = "geometry"
            if suffix == ".geojson":
                layer_options["DESCRIPTION"] = json.dumps(about, ensure_ascii=False)
            pyogrio.write_arrow(
                pa.RecordBatchReader.from_batches(extract.layer.schema, placed()),
                draft,
                layer=extract.layer.name,
                driver=DRIVERS[suffix],
                geometry_name="geometry",
                geometry_type="Unknown",
                crs=crs.to_wkt() if crs.to_epsg() is None else f"EPSG:{crs.to_epsg()}",
                layer_metadata=about if suffix == ".gpkg" else None,
                layer_options=layer_options,
            )
            if suffix == ".gpkg":
                _add_style(draft, extract.layer)
    return extract.rows


def _crs(suffix: str, target: Target) -> pyproj.CRS:
    """Return the reference system a file declares; raises BadArgument for a code that is none."""
    shifted = target.datum in _SHIFTS  # GCJ-02 has no code; readers draw it as if it were WGS 84
    code = 4326 if suffix in _WGS84_ONLY or shifted or target.datum is Datum.WGS84 else SRID
    try:
        return pyproj.CRS.from_epsg(target.crs or code)
    except pyproj.exceptions.CRSError as error:
        raise BadArgument(why=f"EPSG:{target.crs} is no known reference system") from error


def _mover(crs: pyproj.CRS, target: Target) -> Callable[[Any], Any]:
    """Return what takes shapes from the register's degrees to the file's; WGS 84 and CGCS2000 are taken as one."""
    shift = _SHIFTS.get(target.datum) if target.datum else None
    if shift is None and target.crs in {None, 4326, SRID}:
        return lambda shapes: shapes
    if shift is None:
        shift = pyproj.Transformer.from_crs(SRID, crs, always_xy=True).transform
    return lambda shapes: shapely.transform(shapes, lambda at: np.column_stack(shift(at[:, 0], at[:, 1])))


def _write_csv(draft: Path, layer: Layer, batches: Iterator[pa.RecordBatch]) -> None:
    """Write rows as text with their shape as WKT; what a spreadsheet would run gets an apostrophe in front."""
    schema = pa.schema([*list(layer.schema)[:-1], pa.field("wkt", pa.string())])
    with pacsv.CSVWriter(draft, schema) as lines:
        for batch in batches:
            columns = [_guarded(column) for column in batch.columns[:-1]]
            shapes = _shapes(batch)
            wkt = pa.array(shapely.to_wkt(shapes, rounding_precision=9), type=pa.string())
            lines.write_batch(pa.record_batch([*columns, wkt], schema=schema))


def _shapes(batch: pa.RecordBatch) -> Any:  # noqa: ANN401 - an array of shapes
    """Return the shapes of rows (n,), None where there is none."""
    return shapely.from_wkb(batch.column(batch.num_columns - 1).to_numpy(zero_copy_only=False))


def _guarded(column: pa.Array) -> pa.Array:
    """Return a column none of whose texts a spreadsheet takes for a formula."""
    if not pa.types.is_string(column.type):
        return column
    guarded = pc.binary_join_element_wise("'", column, "")
    runs = pc.and_not(pc.match_substring_regex(column, _FORMULA), pc.match_substring_regex(column, _NUMBER))
    return pc.if_else(runs, guarded, column)


def _write_parquet(
    draft: Path, layer: Layer, batches: Iterator[pa.RecordBatch], crs: pyproj.CRS, about: dict[str, str]
) -> None:
    """Write GeoParquet 1.1 with a covering: the box of each row, by which readers skip what they need not."""
    corners = ("xmin", "ymin", "xmax", "ymax")
    box = pa.struct([(corner, pa.float64()) for corner in corners])
    covering = {"bbox": {corner: ["bbox", corner] for corner in corners}}
    geometry = {"encoding": "WKB", "geometry_types": [], "crs": crs.to_json_dict(), "covering": covering}
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": geometry}}
    told = {"geo": json.dumps(geo), "menpai": json.dumps(about, ensure_ascii=False)}
    schema = pa.schema([*layer.schema, pa.field("bbox", box)], told)
    with pq.ParquetWriter(draft, schema, compression="zstd") as file:
        for batch in batches:
            bounds = shapely.bounds(_shapes(batch))
            sides = [pa.array(side, from_pandas=True) for side in bounds.reshape(-1, 4).T]
            boxes = pa.StructArray.from_arrays(sides, fields=list(box))
            file.write_batch(pa.record_batch([*batch.columns, boxes], schema=schema))


def _add_style(draft: Path, layer: Layer) -> None:
    """Put the layer's style where QGIS looks for it."""
    with sqlite3.connect(draft) as file:
        file.execute(
            "CREATE TABLE IF NOT EXISTS layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,"
            " f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256),"
            " f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN,"
            " description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME DEFAULT CURRENT_TIMESTAMP)"
        )
        file.execute(
            "INSERT OR IGNORE INTO gpkg_contents (table_name, data_type, identifier)"
            " VALUES ('layer_styles', 'attributes', 'layer_styles')"
        )
        file.execute(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName,"
            " styleQML, useAsDefault) VALUES ('', '', ?, 'geometry', ?, ?, 1)",
            (layer.name, layer.zh, style(layer)),
        )
    file.close()


def style(layer: Layer) -> str:
    """Return a layer's QGIS style (QML): its label, and the Chinese names of its columns."""
    root = ET.Element("qgis", version="3.28", styleCategories="Labeling|Fields", labelsEnabled="1")
    labeling = ET.SubElement(root, "labeling", type="simple")
    settings = ET.SubElement(labeling, "settings", calloutType="simple")
    ET.SubElement(settings, "text-style", fieldName=layer.label, isExpression="0", fontSize="8")
    aliases = ET.SubElement(root, "aliases")
    for place, (name, (_, zh)) in enumerate(layer.columns.items()):
        ET.SubElement(aliases, "alias", field=name, index=str(place), name=zh)
    return "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + ET.tostring(root, encoding="unicode")
