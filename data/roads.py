"""Files of roads, one reader per format, all of them ending in ROAD_ROWS.

Columns are known by the names that the usual exports give them: OpenStreetMap's own keys (QuickOSM, GDAL, osmnx),
Geofabrik's ``fclass``, and the ``u, v, key`` of a graph's edges, two-way where no column says otherwise.
"""

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data import geojson, osm_roads, sources
from gis.register.road_rows import ROAD_ROWS
from gis.terms import Datum

Columns = dict[str, pa.Array]
_NAMES = {
    "way": ("osm_id", "osmid", "source_id", "way", "id"),
    "road_class": ("highway", "fclass", "road_class", "class"),
}
"""What a column may be called, the likelier first; all others are called as ROAD_ROWS calls them."""
_OTHER_TAG = re.compile(r'"([^"]+)"=>"([^"]*)"')


def read_roads(path: Path, *, layer: str | None = None, datum: Datum | None = None) -> pa.Table:
    """Return the rows of a file of roads, in its order, in CGCS2000 longitude and latitude.

    Raises UnknownFormat for a suffix that is none of ours, FileNotReadable for a file that is not what its suffix says.
    """
    found: Columns = {}
    for name, column in sources.read_columns(path, READERS, layer=layer, datum=datum).items():
        found.setdefault(name.strip().lower(), column)
    many = len(found["geometry"])
    columns = _other_tags(found) | found
    for name, others in _NAMES.items():
        known = next((other for other in others if other in columns), None)
        columns[name] = columns[known] if known else None
    if {"u", "v", "key"} <= found.keys():
        ends = [sources.as_text(found[name], many, ROAD_ROWS.field("way")) for name in ("u", "v", "key")]
        columns["way"] = pc.binary_join_element_wise(*ends, "-")
        # such edges run either way along their line, so that not even a motorway's direction can be told from it
        columns.setdefault("oneway", pa.array(["no"] * many, type=pa.string()))
    return pa.table([sources.as_text(columns.get(field.name), many, field) for field in ROAD_ROWS], schema=ROAD_ROWS)


def _other_tags(columns: Columns) -> Columns:
    """Return as columns what GDAL's OSM driver packs into ``other_tags``: "oneway"=>"yes","maxspeed"=>"50"."""
    if "other_tags" not in columns:
        return {}
    tags = [dict(_OTHER_TAG.findall(packed or "")) for packed in columns["other_tags"].to_pylist()]
    return {name: pa.array([row.get(name) for row in tags], type=pa.string()) for name in ROAD_ROWS.names}


def _read_osm(path: Path, _: str | None) -> tuple[Columns, Any]:
    """Read an OpenStreetMap extract."""
    return osm_roads.read(path), geojson.CRS84


READERS: dict[str, sources.Reader] = sources.READERS | {".osm.pbf": _read_osm}
del READERS[".csv"]
