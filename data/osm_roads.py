"""Roads of an OpenStreetMap extract: ways with a highway= tag, and the nodes upon them with a barrier= tag.

Ferries and railways carry no highway=, and do not come along. A vertex is known by its place from here on; so where
two nodes stand at one place (a bridge drawn over a crossing: no junction), the second is set 1 cm aside.
"""

from pathlib import Path
from typing import Any

import osmium
import pyarrow as pa
import shapely

from gis.errors import FileNotReadable
from gis.register.road_rows import ROAD_ROWS

DIGITS = 7
"""The resolution of OpenStreetMap's own coordinates, about 1 cm."""
_OTHERS = {"way", "road_class", "geometry", "problem"}
_TAGS = tuple(name for name in ROAD_ROWS.names if name not in _OTHERS)
Place = tuple[float, float]


def read(path: Path) -> dict[str, pa.Array]:
    """Return the columns of ROAD_ROWS, in WGS 84, barriers behind the ways; raises FileNotReadable."""
    reading = _Reading()
    try:
        wanted = osmium.filter.KeyFilter("highway", "barrier")
        things: Any = osmium.FileProcessor(str(path)).with_locations().with_filter(wanted)
        for thing in things:
            if thing.is_way() and "highway" in thing.tags:
                reading.add_way(thing)
            elif thing.is_node() and "barrier" in thing.tags:
                reading.add_barrier(thing)
    except RuntimeError as error:
        raise FileNotReadable(path=path, why=str(error)) from error
    table = pa.Table.from_pylist(reading.rows(), ROAD_ROWS)
    return dict(zip(table.column_names, table.columns, strict=True))


class _Reading:
    """What has been read so far."""

    def __init__(self) -> None:
        self._ways: list[dict[str, Any]] = []
        self._barriers: dict[int, dict[str, Any]] = {}
        self._place_of: dict[int, Place] = {}
        self._node_at: dict[Place, int] = {}

    def add_way(self, way: Any) -> None:  # noqa: ANN401 - osmium hands out transient views
        """Add a way, in as many pieces as the nodes that the file lacks leave of it."""
        common = {key: way.tags.get(key) for key in _TAGS if key != "barrier"}
        common |= {"way": f"way/{way.id}", "road_class": way.tags["highway"]}
        pieces = self._pieces(way)
        if not pieces:
            self._ways.append(common | {"problem": "fewer than two of its nodes are in the file"})
        self._ways += [common | {"geometry": shapely.to_wkb(shapely.LineString(piece))} for piece in pieces]

    def _pieces(self, way: Any) -> list[list[Place]]:  # noqa: ANN401
        """Return the runs of two and more nodes whose places are known: an extract cuts its ways off."""
        pieces: list[list[Place]] = [[]]
        for node in way.nodes:
            if node.location.valid():
                pieces[-1].append(self._place(node.ref, round(node.lon, DIGITS), round(node.lat, DIGITS)))
            elif pieces[-1]:
                pieces.append([])
        return [piece for piece in pieces if len(piece) > 1]

    def _place(self, node: int, lon: float, lat: float) -> Place:
        """Return the place of a node, set aside where another node holds it."""
        if node not in self._place_of:
            while (lon, lat) in self._node_at:
                lat = round(lat + 10**-DIGITS, DIGITS)
            self._node_at[lon, lat] = node
            self._place_of[node] = (lon, lat)
        return self._place_of[node]

    def add_barrier(self, node: Any) -> None:  # noqa: ANN401
        """Add a barrier; whether it stands on a road is known when all ways are read."""
        self._barriers[node.id] = {key: node.tags.get(key) for key in _TAGS} | {"way": f"node/{node.id}"}

    def rows(self) -> list[dict[str, Any]]:
        """Return the ways, and the barriers that stand on one of them."""
        standing = [
            tags | {"geometry": shapely.to_wkb(shapely.Point(self._place_of[node]))}
            for node, tags in self._barriers.items()
            if node in self._place_of
        ]
        return self._ways + standing
