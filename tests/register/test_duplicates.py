"""Shapes that are, or may be, one structure: within a file and against the register."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
import shapely
import shapely.affinity
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from gis.register import batches, duplicates, structures
from gis.register.sheets import ImportOptions
from gis.store import session
from gis.terms import Outcome, Reason

MakeRows = Callable[..., pa.Table]
METRES = 111_320.0
Box = tuple[float, float, float, float]
BOXES = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 6), st.integers(1, 6)), min_size=2, max_size=25
)


def _boxes(sizes: list[tuple[int, int, int, int]]) -> npt.NDArray[np.object_]:
    """Return boxes of a few metres, west, south, wide, high, somewhere in Yinchuan."""
    west, south, wide, high = np.array(sizes, dtype=np.float64).T * 1e-5
    shapes: npt.NDArray[np.object_] = shapely.box(106.2 + west, 38.4 + south, 106.2 + west + wide, 38.4 + south + high)
    return shapes


def _all(shapes: npt.NDArray[np.object_]) -> list[duplicates.Clash]:
    return list(duplicates.find_within(shapes, np.arange(len(shapes))))


def _pair(one: shapely.Geometry, other: shapely.Geometry) -> str:
    clashes = _all(np.array([one, other]))
    return "none" if not clashes else "certain" if clashes[0].certain else "doubtful"


def _square(x_m: float = 0, size_m: float = 10, lat: float = 38.4) -> shapely.Polygon:
    narrow = np.cos(np.radians(lat))
    west, east = (106.2 + metres / METRES / narrow for metres in (x_m, x_m + size_m))
    return shapely.Polygon([(west, lat), (east, lat), (east, lat + size_m / METRES), (west, lat + size_m / METRES)])


@given(BOXES)
def test_what_stands_in_the_end_overlaps_by_no_more_than_half_of_the_smaller(
    sizes: list[tuple[int, int, int, int]],
) -> None:
    shapes = _boxes(sizes)
    left = np.delete(shapes, [clash.later for clash in _all(shapes)])
    for place, one in enumerate(left):
        shared = shapely.area(shapely.intersection(one, left[place + 1 :]))
        assert (shared <= (0.5 + 1e-6) * np.minimum(shapely.area(one), shapely.area(left[place + 1 :]))).all()


@given(BOXES)
def test_a_row_is_lost_once_and_to_an_earlier_row_that_stands(sizes: list[tuple[int, int, int, int]]) -> None:
    shapes = _boxes(sizes)
    clashes = _all(shapes)
    lost = [clash.later for clash in clashes]
    assert len(set(lost)) == len(lost)
    for clash in clashes:
        assert clash.earlier < clash.later
        assert clash.earlier not in lost
        shared = shapely.area(shapely.intersection(shapes[clash.earlier], shapes[clash.later]))
        assert shared > 0.5 * min(shapely.area(shapes[clash.earlier]), shapely.area(shapes[clash.later])) * (1 - 1e-6)


@given(BOXES, st.integers(1, 5))
def test_a_file_of_piles_is_judged_as_any_other(sizes: list[tuple[int, int, int, int]], few: int) -> None:
    shapes = _boxes([*sizes, *sizes[::2]])
    shapes = np.concatenate([shapes, shapely.centroid(shapes[::3])])
    plain = _all(shapes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates, "_PILE", -1)
        patch.setattr(duplicates, "_FEW", few)
        assert sorted(_all(shapes)) == sorted(plain)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("shape", [shapely.Point(106.2, 38.4), shapely.box(106.2, 38.4, 106.2001, 38.4001)])
def test_ten_thousand_houses_on_one_spot_are_one_house(shape: shapely.Geometry) -> None:
    """As a geocoder that gives up leaves them; compared pair by pair they took hours and all the memory."""
    clashes = _all(np.array([shape] * 10_000))
    assert {clash.later for clash in clashes} == set(range(1, 10_000))
    assert all(clash.certain and clash.earlier == 0 for clash in clashes)


@pytest.mark.timeout(60)
def test_thousands_of_houses_across_one_another_leave_those_that_do_not_clash() -> None:
    west, south = np.random.default_rng(1).uniform(0, 0.0004, (2, 3000))
    shapes = shapely.box(106 + west, 38 + south, 106.0003 + west, 38.0003 + south)
    assert 2900 < len(_all(shapes)) < 3000


@pytest.mark.parametrize(
    ("moved_m", "said"), [(0, "certain"), (0.5, "certain"), (1.5, "doubtful"), (4.5, "doubtful"), (5.5, "none")]
)
def test_the_same_polygon_a_little_aside_is_certain_then_doubtful_then_another(moved_m: float, said: str) -> None:
    assert _pair(_square(), _square(moved_m)) == said


def test_neighbours_that_share_a_wall_are_two_buildings() -> None:
    assert _pair(_square(), _square(10)) == "none"


def test_a_part_inside_a_whole_is_doubtful_and_a_house_in_a_courtyard_is_not() -> None:
    whole = _square(size_m=20)
    courtyard = whole.difference(whole.buffer(-5 / METRES))
    assert _pair(whole, _square(2, 5)) == "doubtful"
    assert _pair(courtyard, shapely.affinity.scale(whole, 0.2, 0.2)) == "none"


def test_parts_of_a_multipolygon_count_together() -> None:
    parts = shapely.MultiPolygon([_square(0), _square(100)])
    assert _pair(parts, _square(100)) == "doubtful"
    assert _pair(parts, shapely.MultiPolygon([_square(100), _square(0)])) == "certain"
    assert _pair(parts, _square(50)) == "none"


@pytest.mark.parametrize("lat", [0.0, 38.4, 59.9, 70.0, 78.2, -85.0])
@pytest.mark.parametrize(("apart_m", "said"), [(0.4, "certain"), (2.8, "doubtful"), (3.2, "none")])
def test_points_are_compared_in_metres_wherever_they_lie(lat: float, apart_m: float, said: str) -> None:
    aside = shapely.Point(106.2 + apart_m / METRES / np.cos(np.radians(lat)), lat)
    above = shapely.Point(106.2, lat + apart_m / METRES)
    assert [_pair(shapely.Point(106.2, lat), other) for other in (aside, above)] == [said, said]


def test_a_point_in_a_polygon_is_doubtful_and_one_outside_is_not() -> None:
    assert _pair(_square(), _square().centroid) == "doubtful"
    assert _pair(_square(), shapely.Point(106.2 - 1e-6, 38.4)) == "none"


def test_only_the_positions_asked_for_are_compared() -> None:
    shapes = np.array([_square(), _square(), None, _square()])
    clashes = list(duplicates.find_within(shapes, np.array([1, 3])))
    assert clashes == [duplicates.Clash(1, 3, certain=True)]
    assert list(duplicates.find_within(shapes, np.array([], dtype=np.intp))) == []


@pytest.mark.usefixtures("database")
class TestAgainstTheRegister:
    def _outcomes(self, rows: pa.Table, source: str) -> list[tuple[str, str | None]]:
        options = ImportOptions(source=source, file_name="f", actor="test", division=999_999_000_000)
        results = batches.import_buildings(rows, options).results
        return list(zip(results["outcome"].to_pylist(), results["reason"].to_pylist(), strict=True))

    def test_a_building_is_found_again_as_within_one_file(self, make_rows: MakeRows) -> None:
        """Whatever a pair is called inside one file, it is called when the first of the two is registered already."""
        polygons = [(_square(), _square(moved, size)) for moved in (0, 0.5, 1.5, 4.5, 5.5, 10) for size in (10, 4)]
        points = [
            (shapely.Point(20, lat), shapely.Point(20 + apart_m / METRES / np.cos(np.radians(lat)), lat))
            for lat in (0, 38.4, 59.9, 70, 78.2)
            for apart_m in (0.4, 2.8, 3.2, 5)
        ]
        mixed = [(_square(), _square().centroid), (_square().centroid, _square()), (_square(), _square(30).centroid)]
        pairs = [
            [shapely.affinity.translate(shape, step * 0.01) for shape in pair]
            for step, pair in enumerate([*polygons, *points, *mixed])
        ]
        within = [_pair(one, other) for one, other in pairs]
        first = self._outcomes(make_rows([one for one, _ in pairs]), "first")
        assert first == [(Outcome.REGISTERED, None)] * len(pairs)
        met = self._outcomes(make_rows([other for _, other in pairs]), "second")
        meanings = {
            "none": (Outcome.REGISTERED, None),
            "doubtful": (Outcome.QUEUED, Reason.DOUBTFUL_DUPLICATE),
            "certain": (Outcome.REFUSED, Reason.DUPLICATE_BUILDING),
        }
        assert met == [meanings[said] for said in within]
        assert set(within) == set(meanings)

    @pytest.mark.parametrize("asked", ["REGISTERED_CLASHES", "STANDING"])
    def test_the_index_finds_what_stands_and_nothing_is_measured_twice(self, asked: str) -> None:
        """A function that PostgreSQL does not merge into the statement would compare every row with every building."""
        values: dict[str, object] = {"shape": structures.hexed(_square()), "giving_way": []}
        with session.open("registrar") as connection:
            connection.execute(text(duplicates.CANDIDATE_SHAPES))
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            statement = text("EXPLAIN (VERBOSE, COSTS OFF) " + getattr(duplicates, asked).text)
            lines = connection.execute(statement, values | duplicates.LIMITS).scalars().all()
        assert any("Index Scan using buildings_geometry_idx" in line for line in lines)
        assert not any("Function Scan" in line for line in lines)
        assert sum(line.lower().count("st_intersection(") for line in lines) == 1
