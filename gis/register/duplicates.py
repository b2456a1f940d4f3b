"""Duplicates: shapes that are, or may be, one structure, within a file and against the register.

Two polygons of which one covers more than half of the smaller are not two buildings: where they also
agree in extent (intersection over union of at least 0.8) the later one is refused as a duplicate,
otherwise a person decides. Points are compared by distance; a point inside a polygon is doubtful.
All ratios are taken in degrees: an affine stretch changes both areas alike.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely
from sqlalchemy import Connection, text

from gis.store import copying

COVERED = 0.5
"""Share of the smaller shape above which two shapes cannot both stand (issue: no overlap by more than half)."""
SAME_IOU = 0.8
"""Intersection over union from which two polygons are one structure drawn twice."""
SAME_POINT_M = 0.5
NEAR_POINT_M = 3.0
"""Distances below which two points are the same structure, or may be."""
_DEGREE_M = 111_320.0
_SAMPLE, _PILE, _FEW = 500, 64, 128
"""A file is piled up where its shapes meet more than so many others; then so few are compared at a time."""
_POLAR = 0.0001
"""Least cosine of a latitude: nearer to a pole nobody lives."""

Shapes = npt.NDArray[np.object_]
Positions = npt.NDArray[np.intp]


class Clash(NamedTuple):
    """Two rows of a file that cannot both be registered; positions, and whether they are surely one."""

    earlier: int
    later: int
    certain: bool


class RegisteredClash(NamedTuple):
    """A row that meets a registered building: its position, the building's number, whether surely one."""

    position: int
    building_number: int
    certain: bool


def find_within(shapes: Shapes, positions: Positions) -> Iterator[Clash]:
    """Yield the clashes inside a file; of three that clash, one that lost to an earlier row takes nobody down.

    ``shapes`` (n,) are valid geometries in degrees, ``positions`` those that are candidates, ascending.
    """
    candidates = shapes[positions]
    tree = shapely.STRtree(candidates)
    clashes = _piled_clashes(candidates) if _is_piled_up(tree, candidates) else _clashes(candidates, tree)
    for earlier, later, certain in clashes:
        yield Clash(int(positions[earlier]), int(positions[later]), certain)


def _clashes(candidates: Shapes, tree: shapely.STRtree) -> Iterator[Clash]:
    """Yield the clashes among candidates (n,) by their index, comparing all that meet."""
    first, second = _meetings(tree, candidates)
    forward = first < second
    yield from _losses(candidates, first[forward], second[forward])


def _losses(candidates: Shapes, first: Positions, second: Positions) -> Iterator[Clash]:
    """Yield the clashes among pairs (m,) of candidates in which neither has lost before."""
    certain, doubtful = _judge(candidates[first], candidates[second])
    lost: set[int] = set()
    keep = np.flatnonzero(certain | doubtful)
    for pair in keep[np.lexsort((first[keep], second[keep]))]:
        earlier, later = int(first[pair]), int(second[pair])
        if earlier in lost or later in lost:
            continue
        lost.add(later)
        yield Clash(earlier, later, bool(certain[pair]))


def _is_piled_up(tree: shapely.STRtree, candidates: Shapes) -> bool:
    """Tell, by a sample, whether so many shapes lie on one another that comparing all that meet takes too long."""
    sample = candidates[:: max(len(candidates) // _SAMPLE, 1)]
    return bool(tree.query(sample).shape[1] > _PILE * max(len(sample), 1))


def _piled_clashes(candidates: Shapes) -> Iterator[Clash]:
    """Yield the same clashes as ``_clashes`` does, of files in which thousands lie on one another.

    A geocoder that gives up puts ten thousand houses on one point. Copies are judged by the first of them, and the
    second half of the others is compared only with what stands of the first.
    """
    _, firsts, group = np.unique(shapely.to_wkb(candidates), return_index=True, return_inverse=True)
    first_of = firsts[group]
    losses = {clash.later: clash for clash in _in_halves(candidates, np.sort(firsts))}
    yield from losses.values()
    for copy in np.flatnonzero(first_of != np.arange(len(candidates))):
        original = int(first_of[copy])
        clash = losses.get(original, Clash(original, original, certain=True))
        yield clash._replace(later=int(copy))


def _in_halves(candidates: Shapes, places: Positions) -> Iterator[Clash]:
    """Yield the clashes among the candidates at some places (m,), ascending."""
    if len(places) <= _FEW:
        few = candidates[places]
        for clash in _clashes(few, shapely.STRtree(few)):
            yield Clash(int(places[clash.earlier]), int(places[clash.later]), clash.certain)
        return
    earlier, later = np.array_split(places, 2)
    lost = []
    for clash in _in_halves(candidates, earlier):
        lost.append(clash.later)
        yield clash
    standing = np.setdiff1d(earlier, lost)
    first, second = _meetings(shapely.STRtree(candidates[standing]), candidates[later])
    lost = []
    for clash in _losses(candidates, standing[first], later[second]):
        lost.append(clash.later)
        yield clash
    yield from _in_halves(candidates, np.setdiff1d(later, lost))


def find_registered(connection: Connection, shapes: Shapes, positions: Positions) -> Iterator[RegisteredClash]:
    """Yield, for each candidate that meets an active building, the one it overlaps most.

    The caller holds the registration lock, so that no other writer can register the same house meanwhile.
    """
    if not positions.size or not _anything_near(connection, shapes[positions]):
        return
    connection.execute(text(CANDIDATE_SHAPES))
    rows = pa.table(
        {
            "position": pa.array(positions, type=pa.int32()),
            "geometry": pa.array(shapely.to_wkb(shapes[positions]).tolist(), type=pa.binary()),
        }
    )
    copying.copy(connection, "candidate_shapes", rows)
    found = connection.execute(REGISTERED_CLASHES, LIMITS).all()
    connection.execute(text("DROP TABLE candidate_shapes"))
    for row in found:
        yield RegisteredClash(row.position, row.number, row.certain)


CANDIDATE_SHAPES = (
    "CREATE TEMPORARY TABLE candidate_shapes (position integer, geometry geometry(geometry, 4490)) ON COMMIT DROP"
)
LIMITS = {"covered": COVERED, "same_iou": SAME_IOU, "same_point_m": SAME_POINT_M, "near_point_m": NEAR_POINT_M}
REGISTERED_CLASHES = text(
    """
    SELECT DISTINCT ON (c.position) c.position, met.number, met.certain
    FROM candidate_shapes c
    CROSS JOIN LATERAL calc.find_standing(
        c.geometry, :covered, :same_iou, :same_point_m, :near_point_m
    ) met
    ORDER BY c.position, met.certain DESC, met.shared DESC NULLS LAST, met.apart_m, met.number
    """
)
STANDING = text(
    """
    SELECT number, certain
    FROM calc.find_standing(CAST(:shape AS geometry), :covered, :same_iou, :same_point_m, :near_point_m)
    WHERE number <> ALL (:giving_way)
    ORDER BY certain DESC, shared DESC NULLS LAST, apart_m, number
    """
)


def _anything_near(connection: Connection, candidates: Shapes) -> bool:
    """Tell whether any active building lies in the extent of the candidates."""
    west, south, east, north = shapely.total_bounds(candidates)
    found = connection.execute(
        text(
            "SELECT EXISTS (SELECT FROM reg.buildings WHERE status = 'active'"
            " AND geometry && ST_Expand(ST_MakeEnvelope(:west, :south, :east, :north, 4490), 0.01))"
        ),
        {"west": float(west), "south": float(south), "east": float(east), "north": float(north)},
    ).scalar_one()
    return bool(found)


def _meetings(tree: shapely.STRtree, others: Shapes) -> tuple[Positions, Positions]:
    """Return index pairs (m,), some of them twice, of a tree's shapes and others that touch, or of points nearby."""
    second, first = tree.query(others, predicate="intersects")
    points = np.flatnonzero(shapely.get_type_id(others) == shapely.GeometryType.POINT)
    if not points.size:
        return first, second
    near, beside = tree.query(_around(others[points]))
    return np.concatenate([first, beside]), np.concatenate([second, points[near]])


def _around(points: Shapes) -> Shapes:
    """Return a box around each point (n,), twice as wide to every side as points may be near each other."""
    lon, lat = shapely.get_x(points), shapely.get_y(points)
    high = 2 * NEAR_POINT_M / _DEGREE_M
    wide = high / np.maximum(np.cos(np.radians(lat)), _POLAR)  # degrees of longitude narrow towards the poles
    return np.asarray(shapely.box(lon - wide, lat - high, lon + wide, lat + high))


def _judge(one: Shapes, other: Shapes) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return, for each pair (m,), whether it is surely one structure and whether it may be."""
    certain = np.zeros(len(one), dtype=bool)
    doubtful = np.zeros(len(one), dtype=bool)
    one_area, other_area = shapely.area(one), shapely.area(other)
    areas = np.flatnonzero((one_area > 0) & (other_area > 0))
    shared = _shared_area(one[areas], other[areas])
    union = one_area[areas] + other_area[areas] - shared
    certain[areas] = shared >= SAME_IOU * union
    doubtful[areas] = shared > COVERED * np.minimum(one_area[areas], other_area[areas])
    mixed = (one_area > 0) != (other_area > 0)
    doubtful |= mixed & shapely.intersects(one, other)
    points = np.flatnonzero((one_area == 0) & (other_area == 0))
    apart_m = _distance_m(one[points], other[points])
    certain[points] = apart_m <= SAME_POINT_M
    doubtful[points] = apart_m <= NEAR_POINT_M
    return certain, doubtful


def _shared_area(one: Shapes, other: Shapes) -> npt.NDArray[np.float64]:
    """Return the area that each pair of polygons (m,) shares; 0 where their boxes alone say that it is too little."""
    one_box, other_box = shapely.bounds(one), shapely.bounds(other)
    sides = np.minimum(one_box[:, 2:], other_box[:, 2:]) - np.maximum(one_box[:, :2], other_box[:, :2])
    one_area = shapely.area(one)
    shared = np.zeros(len(one))
    enough = sides.clip(min=0).prod(axis=1) > COVERED * np.minimum(one_area, shapely.area(other))
    repeated = enough & shapely.equals_exact(one, other)
    shared[repeated] = one_area[repeated]
    asked = np.flatnonzero(enough & ~repeated)
    shared[asked] = shapely.area(shapely.intersection(one[asked], other[asked]))
    return shared


def _distance_m(one: Shapes, other: Shapes) -> npt.NDArray[np.float64]:
    """Return the distance of each pair of points (m,) in metres; exact enough for a few metres."""
    lat = np.radians(shapely.get_y(one))
    east = (shapely.get_x(one) - shapely.get_x(other)) * np.cos(lat)
    north = shapely.get_y(one) - shapely.get_y(other)
    return np.asarray(np.hypot(east, north) * _DEGREE_M)
