"""Buildings of an OpenStreetMap extract: closed ways and multipolygon relations with a building= tag.

Nodes tagged building= mark a place, not a structure's shape, and are not read. An unclosed way and a
relation that makes no area become rows with a problem, so that nothing vanishes.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import osmium
import pyarrow as pa
import shapely

from gis.errors import FileNotReadable

NO_AREA = "the multipolygon makes no area"
_FEWEST_NODES = 4
_LEVELS = re.compile(r"[1-9][0-9]{0,2}")


def read(path: Path) -> dict[str, pa.Array]:
    """Return source_id, kind, floors, geometry (WKB, WGS 84) and problem of each building, (n,) each.

    Raises FileNotReadable for a file that is no OSM extract.
    """
    only = osmium.filter.KeyFilter("building")
    try:
        try:
            return _read(osmium.FileProcessor(str(path)).with_areas(only).with_filter(only))
        except RuntimeError:
            # osmium assembles areas only of a file in order, each id once; ways can be read of any
            return _read(osmium.FileProcessor(str(path)).with_locations().with_filter(only))
    except RuntimeError as error:
        raise FileNotReadable(path=path, why=str(error)) from error


def _read(things: Iterable[Any]) -> dict[str, pa.Array]:
    """Return the columns of ways and areas as they come."""
    buildings = _Buildings()
    for thing in things:
        if thing.is_way():
            buildings.add_way(thing)
        elif thing.is_area() and not thing.from_way():
            buildings.add_area(thing)
        elif thing.is_relation() and thing.tags.get("type") == "multipolygon":
            buildings.relations.append((f"relation/{thing.id}", thing.tags["building"]))
    return buildings.columns()


class _Buildings:
    """What has been read so far, column by column."""

    def __init__(self) -> None:
        self.source_ids: list[str] = []
        self.kinds: list[str] = []
        self.floors: list[str | None] = []
        self.shapes: list[bytes | None] = []
        self.problems: list[str | None] = []
        self.relations: list[tuple[str, str]] = []
        self._wkb = osmium.geom.WKBFactory()

    def add_way(self, way: Any) -> None:  # noqa: ANN401 - osmium hands out transient views
        """Add a way by its own nodes: its ring is judged later, and not repaired by an assembler."""
        shape, problem = None, None
        try:
            ring = [(node.lon, node.lat) for node in way.nodes]
            if len(ring) < _FEWEST_NODES or ring[0] != ring[-1]:
                problem = "the way is not a closed ring"
            else:
                shape = shapely.to_wkb(shapely.Polygon(ring))
        except osmium.InvalidLocationError:
            problem = "a node of the way is not in the file"
        self._add(f"way/{way.id}", way.tags, shape, problem)

    def add_area(self, area: Any) -> None:  # noqa: ANN401
        """Add the assembled shape of a multipolygon relation; one polygon is a polygon."""
        try:
            parts = shapely.get_parts(shapely.from_wkb(self._wkb.create_multipolygon(area)))
        except RuntimeError:  # osmium assembles nothing of rings that cross themselves, and says so here
            self._add(f"relation/{area.orig_id()}", area.tags, None, NO_AREA)
            return
        shape = parts[0] if len(parts) == 1 else shapely.MultiPolygon(list(parts))
        self._add(f"relation/{area.orig_id()}", area.tags, shapely.to_wkb(shape), None)

    def _add(self, source_id: str, tags: Any, shape: bytes | None, problem: str | None) -> None:  # noqa: ANN401
        """Add one building; levels that are no whole number (1;2, 2.5) say nothing certain."""
        levels = tags.get("building:levels", "")
        self.source_ids.append(source_id)
        self.kinds.append(tags["building"])
        self.floors.append(levels if _LEVELS.fullmatch(levels) and int(levels) <= 200 else None)  # noqa: PLR2004
        self.shapes.append(shape)
        self.problems.append(problem)

    def columns(self) -> dict[str, pa.Array]:
        """Return the columns; relations of which no area came stand at the end with a problem."""
        assembled = set(self.source_ids)
        for source_id, kind in self.relations:
            if source_id not in assembled:
                self._add(source_id, {"building": kind}, None, NO_AREA)
        return {
            "source_id": pa.array(self.source_ids, type=pa.string()),
            "kind": pa.array(self.kinds, type=pa.string()),
            "floors": pa.array(self.floors, type=pa.string()),
            "geometry": pa.array(self.shapes, type=pa.binary()),
            "problem": pa.array(self.problems, type=pa.string()),
        }
