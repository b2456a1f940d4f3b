"""Tens of thousands of messy footprints, file after file: what stands in the end, and why the rest does not.

The judgement is checked by another way than the program's: shapely, pair by pair, and pyproj for distances.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
import pyarrow as pa
import pytest
import shapely
from pyproj import Geod

from gis.register import batches
from gis.register.sheets import ImportOptions
from gis.terms import Outcome, Reason

MakeRows = Callable[..., pa.Table]
MakeFootprints = Callable[[int, int], list[Any]]
HOUSES = 20_000
ELLIPSOID = Geod(ellps="GRS80")
HALF, NEAR_M, SLACK = 0.5, 3.0, 1e-6
Shapes = npt.NDArray[np.object_]


def _files(shapes: list[Any]) -> Iterator[list[Any]]:
    """Yield the shapes as two large files and twenty small ones."""
    large = len(shapes) * 9 // 20
    yield shapes[:large]
    yield shapes[large : 2 * large]
    rest = shapes[2 * large :]
    step = len(rest) // 20 + 1
    yield from (rest[start : start + step] for start in range(0, len(rest), step))


def _clash(one: Any, other: Any) -> bool:  # noqa: ANN401 - shapes
    """Tell whether two shapes cannot both be a building of their own."""
    if one.geom_type == other.geom_type == "Point":
        return bool(ELLIPSOID.inv(one.x, one.y, other.x, other.y)[2] <= NEAR_M + SLACK)
    if "Point" in {one.geom_type, other.geom_type}:
        return bool(one.intersects(other))
    return bool(one.intersection(other).area > (HALF - SLACK) * min(one.area, other.area))


def _standing(url: str) -> tuple[dict[int, Any], Shapes]:
    """Return the active buildings by number, and their shapes."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT number, ST_AsBinary(geometry) FROM reg.buildings WHERE status = 'active'")
        found = {number: shapely.from_wkb(bytes(blob)) for number, blob in rows}
    return found, np.array(list(found.values()), dtype=object)


def _overlapping(shapes: Shapes) -> int:
    """Count the pairs of areas of which one covers more than half of the smaller, and points too near or within."""
    tree = shapely.STRtree(shapes)
    one, other = tree.query(shapes, predicate="intersects")
    one, other = one[one < other], other[one < other]
    areas = shapely.area(shapes)
    smaller = np.minimum(areas[one], areas[other])
    shared = shapely.area(shapely.intersection(shapes[one], shapes[other]))
    points = np.flatnonzero(areas == 0)
    near, beside = shapely.STRtree(shapes[points]).query(shapes[points], predicate="dwithin", distance=0.0001)
    apart = [ELLIPSOID.inv(*shapes[points[a]].coords[0], *shapes[points[b]].coords[0])[2] for a, b in
             zip(near, beside, strict=True) if a < b]  # fmt: skip
    too_near: int = sum(metres < NEAR_M - SLACK for metres in apart)
    return int((shared > (HALF + SLACK) * smaller).sum()) + too_near


@pytest.mark.long
def test_no_two_buildings_stand_on_one_another_and_every_row_left_out_is_explained(
    database: str, make_rows: MakeRows, make_footprints: MakeFootprints
) -> None:
    shapes = make_footprints(20261124, HOUSES)
    results = []
    for place, file in enumerate(_files(shapes)):
        options = ImportOptions(source=f"file {place}", file_name="messy", actor="test")
        rows = make_rows(file, source_id=[str(row) for row in range(len(file))])
        results += batches.import_buildings(rows, options).results.to_pylist()
    buildings, standing = _standing(database)
    assert len(results) == len(shapes) > 1.5 * HOUSES
    assert sum(row["outcome"] == Outcome.REGISTERED for row in results) == len(buildings) > 0.9 * HOUSES
    assert _overlapping(standing) == 0
    assert _overlapping(np.array(shapes)) > HOUSES // 3, "they were messy"
    left_out = [(row, shape) for row, shape in zip(results, shapes, strict=True) if row["outcome"] != "registered"]
    assert {row["reason"] for row, _ in left_out} == {Reason.DUPLICATE_BUILDING, Reason.DOUBTFUL_DUPLICATE}
    for row, shape in left_out:
        other = buildings[int(row["building_no"])]
        assert _clash(shape, other), row
        surely = shape.area > 0 and shape.intersection(other).area >= (0.8 + SLACK) * shape.union(other).area
        assert not surely or row["reason"] == Reason.DUPLICATE_BUILDING, row
