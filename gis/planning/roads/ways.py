"""The stored roads as arrays."""

from dataclasses import dataclass

import numpy as np
import shapely
from sqlalchemy import Connection, text

from gis.errors import NoRoads
from gis.planning.roads import speeds
from gis.planning.roads.places import Degrees
from gis.planning.roads.speeds import Mode
from gis.planning.siting.compiled import Flags, Floats, Integers
from gis.register import divisions

MARGIN_DEG = 0.15
"""Roads are read so far beyond a division's own box, 13 to 17 km: the quickest way may lead outside."""
_BOTH = 3
_PERMISSIONS = np.array([_BOTH, 1, 2], dtype=np.int8)
"""By the column oneway: 0, 1, -1."""


@dataclass(frozen=True)
class Ways:
    """Ways that one mode may use."""

    places: Degrees
    """(v, 2): the vertices of all ways, one way after the other."""
    start: Integers
    """(w + 1,): way ``i`` has the vertices ``start[i]`` to ``start[i + 1]``."""
    speed_m_s: Floats
    """(w,)."""
    permission: Flags
    """(w,): 1 along the line, 2 against it, 3 both."""
    barriers: Degrees
    """(b, 2): vertices that the mode cannot pass."""
    sources: tuple[str, ...] = ()


def stored(connection: Connection, mode: Mode, division: int | None, table: dict[str, float]) -> Ways:
    """Return the stored ways of a mode, in and around a division where one is given.

    A division without a boundary (a township: its county's; the test division: none) takes in all there are.
    Raises NoRoads, UnknownDivision.
    """
    name = None if division is None else divisions.find_name(connection, division)
    of = {"walk": mode == "walk", "division": bounded(division), "margin": MARGIN_DEG}
    rows = connection.execute(text(_WAYS), of).all()
    if not rows:
        where = f" near {name}" if name else ""
        raise NoRoads(mode="for walkers" if mode == "walk" else "for cars", where=where)
    lines = shapely.from_wkb([bytes(row.shape) for row in rows])
    places, way = shapely.get_coordinates(lines, return_index=True)
    oneway = np.zeros(len(rows), dtype=np.int64) if mode == "walk" else np.array([row.oneway for row in rows])
    limits = np.array([row.maxspeed_kmh for row in rows], dtype=np.float64)  # None becomes NaN
    return Ways(
        places=places,
        start=np.concatenate([[0], np.cumsum(np.bincount(way, minlength=len(rows)))]),
        speed_m_s=speeds.along(mode, table, [row.road_class for row in rows], limits),
        permission=_PERMISSIONS[oneway],
        barriers=np.array([(row.lon, row.lat) for row in connection.execute(text(_BARRIERS), of)]).reshape(-1, 2),
        sources=tuple(connection.execute(text(_SOURCES), of).scalars()),
    )


def bounded(division: int | None) -> int | None:
    """Return the division itself, or the county around it: below the county there are no boundaries."""
    return division // 10**6 * 10**6 if division and division % 10**6 else division


_WAYS = """
    SELECT w.road_class, w.oneway, w.maxspeed_kmh, ST_AsBinary(w.geometry) AS shape
    FROM reg.road_ways w
    WHERE (CASE WHEN :walk THEN w.foot ELSE w.motor END) AND coalesce(
        w.geometry && (SELECT ST_Expand(boundary, :margin) FROM reg.divisions WHERE code = :division), true)
    ORDER BY w.id
"""
_BARRIERS = """
    SELECT ST_X(b.geometry) AS lon, ST_Y(b.geometry) AS lat
    FROM reg.road_barriers b
    WHERE NOT (CASE WHEN :walk THEN b.foot ELSE b.motor END) AND coalesce(
        b.geometry && (SELECT ST_Expand(boundary, :margin) FROM reg.divisions WHERE code = :division), true)
    ORDER BY b.id
"""
_SOURCES = """
    SELECT s.name FROM reg.sources s WHERE EXISTS (SELECT FROM reg.road_ways w WHERE w.source_id = s.id) ORDER BY s.name
"""
