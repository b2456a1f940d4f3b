"""Cells: names, nesting, equal area and the way back (contract.md, Cells)."""

import math
from itertools import pairwise

import h3.api.basic_int as h3
import numpy as np
import numpy.typing as npt
import psycopg
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from gis.register import cells

Floats = npt.NDArray[np.float64]
A_M, RF = 6_378_137.0, 298.257222101
"""The ellipsoid of CGCS2000 (GB/T 18522)."""
WEST, SOUTH, EAST, NORTH = 104.2, 35.2, 107.7, 39.4
"""Around Ningxia, in degrees."""
LON, LAT = st.floats(WEST, EAST), st.floats(SOUTH, NORTH)


@pytest.fixture(scope="module")
def points() -> tuple[Floats, Floats]:
    """Return 2,000 places in and around Ningxia, the same ones each time."""
    rng = np.random.default_rng(20_260_101)
    return rng.uniform(WEST, EAST, 2_000), rng.uniform(SOUTH, NORTH, 2_000)


def snyder(lon_deg: float, lat_deg: float) -> tuple[float, float]:
    """Return the Lambert azimuthal equal-area coordinates by Snyder's formulas (1987, 24-17 to 24-20, 3-11, 3-12)."""
    a, f = A_M, 1 / RF
    e2 = f * (2 - f)
    e = math.sqrt(e2)

    def q(lat: float) -> float:
        s = e * math.sin(lat)
        return (1 - e2) * (math.sin(lat) / (1 - s * s) - math.log((1 - s) / (1 + s)) / (2 * e))

    lat_1, lon = math.radians(37.5), math.radians(lon_deg - 106)
    pole = q(math.pi / 2)
    r_q = a * math.sqrt(pole / 2)
    beta, beta_1 = math.asin(q(math.radians(lat_deg)) / pole), math.asin(q(lat_1) / pole)
    d = a * math.cos(lat_1) / math.sqrt(1 - e2 * math.sin(lat_1) ** 2) / (r_q * math.cos(beta_1))
    cosine = math.cos(beta_1) * math.cos(beta) * math.cos(lon)
    b = r_q * math.sqrt(2 / (1 + math.sin(beta_1) * math.sin(beta) + cosine))
    north = math.cos(beta_1) * math.sin(beta) - math.sin(beta_1) * math.cos(beta) * math.cos(lon)
    return b * d * math.cos(beta) * math.sin(lon), b / d * north


def drawn(url: str, east: npt.NDArray[np.int32], north: npt.NDArray[np.int32], size: int) -> list[tuple[str, bytes]]:
    """Return name and shape of the squares of a size, by the register's own SQL."""
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT calc.square(%s, e, n) FROM unnest(%s::int[], %s::int[]) WITH ORDINALITY AS u(e, n, place)"
            " ORDER BY place",
            (size, east.tolist(), north.tolist()),
        ).fetchall()
        shapes = shapes_of(connection, [name for (name,) in names])
    return [(name, shapes[name]) for (name,) in names]


def shapes_of(connection: psycopg.Connection, names: list[str]) -> dict[str, bytes]:
    """Return the shape of each name that has one."""
    statement = "SELECT cell, ST_AsBinary(shape) FROM calc.square_shapes(%s)"
    return dict(connection.execute(statement, (names,)).fetchall())


@given(LON, LAT)
def test_the_projection_is_snyders(lon_deg: float, lat_deg: float) -> None:
    east_m, north_m = cells.project(np.array([lon_deg]), np.array([lat_deg]))
    assert (east_m[0], north_m[0]) == pytest.approx(snyder(lon_deg, lat_deg), abs=0.001)


def test_the_middle_of_the_projection_is_500_km_from_the_origin(migrated: str) -> None:
    east, north = cells.squares(*cells.project(np.array([106.0 + 1e-6]), np.array([37.5 + 1e-6])))
    assert (east.tolist(), north.tolist()) == ([5_000], [5_000])
    names = [drawn(migrated, east, north, size)[0][0] for size in cells.SIZES_M]
    assert names == ["100E5000N5000", "500E1000N1000", "1000E500N500"]


@pytest.mark.parametrize(
    ("east_m", "north_m", "square"),
    [
        (-500_000.0, -500_000.0, (0, 0)),
        (-499_900.1, -499_900.1, (0, 0)),
        (-499_900.0, -499_900.0, (1, 1)),
        (-500_000.1, -500_000.1, (-1, -1)),
        (12_345.6, -98_765.4, (5_123, 4_012)),
    ],
)
def test_a_square_owns_its_lower_left_edges(east_m: float, north_m: float, square: tuple[int, int]) -> None:
    east, north = cells.squares(np.array([east_m]), np.array([north_m]))
    assert (int(east[0]), int(north[0])) == square


@pytest.mark.parametrize("size", cells.SIZES_M)
def test_the_shape_of_a_squares_name_holds_the_point_that_gave_it(
    size: int, migrated: str, points: tuple[Floats, Floats]
) -> None:
    squares = drawn(migrated, *cells.squares(*cells.project(*points)), size)
    shapes = shapely.from_wkb([shape for _, shape in squares])
    inside = shapely.contains_xy(shapes, *points)
    # an edge drawn straight in degrees leaves that of the projection by up to 2 cm
    near = shapely.distance(shapes, shapely.points(*points)) < 3e-7
    assert np.all(inside | near)
    assert np.count_nonzero(~inside) <= 1
    assert len({name for name, _ in squares}) > len(squares) * 0.9


@pytest.mark.parametrize("size", cells.SIZES_M)
def test_squares_have_equal_areas_on_the_ellipsoid(size: int, migrated: str, points: tuple[Floats, Floats]) -> None:
    squares = drawn(migrated, *cells.squares(*cells.project(*points)), size)
    geod = Geod(a=A_M, rf=RF)
    areas = [abs(geod.geometry_area_perimeter(shapely.from_wkb(shape))[0]) for _, shape in squares[:300]]
    assert areas == pytest.approx([size**2] * len(areas), rel=0.001)


@pytest.mark.parametrize(("fine", "coarse"), list(pairwise(cells.SIZES_M)))
def test_a_fine_square_lies_in_the_coarse_one_of_the_same_point(
    fine: int, coarse: int, migrated: str, points: tuple[Floats, Floats]
) -> None:
    at = cells.squares(*cells.project(*points))
    inner = shapely.from_wkb([shape for _, shape in drawn(migrated, *at, fine)])
    outer = shapely.from_wkb([shape for _, shape in drawn(migrated, *at, coarse)])
    shared = shapely.area(shapely.intersection(inner, outer)) / shapely.area(inner)
    assert shared.min() > 0.999


@given(st.integers(-10_000, 20_000), st.integers(-10_000, 20_000))
def test_names_count_whole_squares_from_the_origin(east: int, north: int) -> None:
    middle_m = [np.array([cells.ORIGIN_M + 100 * (count + 0.5)]) for count in (east, north)]
    found = cells.squares(middle_m[0], middle_m[1])
    assert (int(found[0][0]), int(found[1][0])) == (east, north)


@pytest.mark.parametrize(("east", "north"), [(0, 0), (9, 9), (10, 10), (-1, -1), (-10, -11), (7_999, 4)])
def test_coarse_names_are_floors_on_either_side_of_the_origin(east: int, north: int, migrated: str) -> None:
    named = drawn(migrated, np.array([east], np.int32), np.array([north], np.int32), 1000)
    assert named[0][0] == f"1000E{math.floor(east / 10)}N{math.floor(north / 10)}"


@pytest.mark.parametrize("name", ["", "1000", "1000E5", "E5N5", "1000E5N5x", "1000E5.5N5", "h3:8a2d1072b59ffff"])
def test_a_name_that_is_no_squares_has_no_shape_and_moves_no_others(name: str, migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        alone = shapes_of(connection, ["100E5000N5000", "500E7N8"])
        assert shapes_of(connection, ["100E5000N5000", name, "500E7N8"]) == alone
        assert len(alone) == 2
        assert shapes_of(connection, [name]) == {}


def test_h3_cells_are_of_resolution_10_and_their_parents_stand_above_the_point(points: tuple[Floats, Floats]) -> None:
    found = cells.h3_cells(*points)
    assert found.dtype == np.int64
    assert found.min() > 0
    geod = Geod(a=A_M, rf=RF)
    for lon, lat, cell in zip(*(column.tolist() for column in points), found.tolist(), strict=True):
        assert h3.get_resolution(cell) == 10
        assert cell == h3.latlng_to_cell(lat, lon, 10)
        for resolution in range(7, 10):
            parent = h3.cell_to_parent(cell, resolution)
            assert h3.get_resolution(parent) == resolution
            # children stick out of a parent a little: the point is in it or in its neighbour
            assert h3.grid_distance(parent, h3.latlng_to_cell(lat, lon, resolution)) <= 1
        middle_lat, middle_lon = h3.cell_to_latlng(cell)
        assert geod.inv(lon, lat, middle_lon, middle_lat)[2] < 2 * h3.average_hexagon_edge_length(10, unit="m")


def test_nothing_has_no_cells() -> None:
    nothing = np.array([], dtype=np.float64)
    assert [len(column) for column in (*cells.squares(*cells.project(nothing, nothing)),)] == [0, 0]
    assert len(cells.h3_cells(nothing, nothing)) == 0
