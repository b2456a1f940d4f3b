"""Rows of structures as a reader would hand them over."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely
import shapely.affinity

from gis.register.rows import STRUCTURE_ROWS

MakeRows = Callable[..., pa.Table]


@pytest.fixture(scope="session")
def make_rows() -> MakeRows:
    """Return what makes a table of rows from shapes (or their WKB) and any of its other columns."""

    def make(shapes: Sequence[Any], **columns: Sequence[str | None]) -> pa.Table:
        blobs = [shape if shape is None or isinstance(shape, bytes) else shapely.to_wkb(shape) for shape in shapes]
        given = {"row": np.arange(1, len(blobs) + 1, dtype=np.int32), "geometry": blobs, **columns}
        arrays = [
            pa.array(given[field.name], type=field.type) if field.name in given else pa.nulls(len(blobs), field.type)
            for field in STRUCTURE_ROWS
        ]
        return pa.table(arrays, schema=STRUCTURE_ROWS)

    return make


@pytest.fixture(scope="session")
def make_footprints() -> Callable[[int, int], list[Any]]:
    """Return what makes messy footprints as satellite images and merged surveys leave them, seeded, in no order.

    To so many houses on plots of 40 m, some of them with courtyards or wings, come repeats, shifted and redrawn copies,
    copies cut in two at the edge of a tile, sheds within, slivers, blocks around several houses, two houses drawn as
    one, points on houses, and points beside one another.
    """
    return _footprints


PLOT_M, DEGREE_M = 40.0, 111_320.0
MESSES = 10


def _footprints(seed: int, houses: int) -> list[Any]:
    """Return about one and a half times as many shapes as houses, near 106.2 E 38.4 N."""
    random = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(houses)))
    plain = [_house(random, place % side * PLOT_M, place // side * PLOT_M) for place in range(houses)]
    shapes = list(plain)
    for one, other in random.integers(0, houses, (houses // 2, 2)):
        beside = plain[min(one + 1, houses - 1)] if random.random() < 0.5 else plain[other]
        shapes += _mess(random, plain[one], beside)
    east_m = np.cos(np.radians(38.4)) * DEGREE_M
    random.shuffle(shapes)
    return [shapely.transform(shape, lambda m: m / [east_m, DEGREE_M] + [106.2, 38.4]) for shape in shapes]


def _house(random: np.random.Generator, east: float, north: float) -> Any:  # noqa: ANN401 - a shape
    """Return a house on its plot, in metres: a box, at times with a courtyard or an angle, turned a little."""
    wide, high = random.uniform(8, 24), random.uniform(8, 16)
    shape: Any = shapely.box(east, north, east + wide, north + high)
    kind = random.random()
    if kind < 0.1:
        shape = shape.difference(shape.buffer(-2.5, join_style="mitre"))
    elif kind < 0.3:
        shape = shape.difference(shapely.box(east + wide / 2, north + high / 2, east + wide, north + high))
    return shapely.affinity.rotate(shape, random.uniform(-20, 20))


def _mess(random: np.random.Generator, house: Any, beside: Any) -> list[Any]:  # noqa: ANN401 - shapes
    """Return shapes that repeat a house, or trouble it, in one of ten ways."""
    west, south, east, north = house.bounds
    middle = random.uniform(west + 1, east - 1)
    cut = shapely.box(west - 1, south - 1, middle, north + 1)
    point = house.point_on_surface()
    ways: list[Callable[[], list[Any]]] = [
        lambda: [house],
        lambda: [shapely.affinity.translate(house, *random.uniform(-0.4, 0.4, 2))],
        lambda: [shapely.affinity.translate(house, *random.uniform(-9, 9, 2))],
        lambda: [shapely.affinity.scale(house, *random.uniform(0.85, 1.2, 2))],
        lambda: [house.intersection(cut), house.difference(cut)],
        lambda: [shapely.affinity.scale(house, 0.3, 0.3)],
        lambda: [shapely.box(west, south, east, south + 0.1), house.envelope.buffer(random.uniform(1, 45))],
        lambda: [shapely.union_all([house, beside])],
        lambda: [point],
        lambda: [shapely.affinity.translate(point, 15 + step, 20) for step in (0.0, random.uniform(0.1, 5))],
    ]
    made = ways[random.integers(MESSES)]()
    return [shape for shape in made if shape.geom_type in {"Point", "Polygon", "MultiPolygon"}]
