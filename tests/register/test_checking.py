"""What a row must be before it can be numbered."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from gis.register import checking
from gis.register.checking import Verdicts
from gis.terms import BuildingKind, Reason

MakeRows = Callable[..., pa.Table]
NINGXIA = (104.28, 35.23, 107.66, 39.39)
HERE = shapely.Point(106.2, 38.4)


def _read(make_rows: MakeRows, **columns: Sequence[str | None]) -> tuple[checking.Attributes, Verdicts]:
    many = len(next(iter(columns.values())))
    verdicts = Verdicts.none(many)
    return checking.read_attributes(make_rows([HERE] * many, **columns), None, verdicts), verdicts


def _places(points: list[tuple[float, float]], home: tuple[float, float, float, float] | None) -> list[Reason | None]:
    verdicts = Verdicts.none(len(points))
    checking.check_places(np.hstack([points, points]).astype(np.float64), home, verdicts)
    return list(verdicts.reasons)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("house", BuildingKind.RESIDENTIAL),
        (" Apartments ", BuildingKind.RESIDENTIAL),
        ("residential", BuildingKind.RESIDENTIAL),
        ("semidetached_house", BuildingKind.RESIDENTIAL),
        ("住宅建筑", BuildingKind.RESIDENTIAL),
        ("住宅", BuildingKind.RESIDENTIAL),
        ("工地工棚", BuildingKind.WORK_SHED),
        ("工棚", BuildingKind.WORK_SHED),
        ("可以居住的其他建筑", BuildingKind.OTHER_HABITABLE),
        ("static_caravan", BuildingKind.OTHER_HABITABLE),
        ("hut", BuildingKind.OTHER_HABITABLE),
    ],
)
def test_a_kind_is_ours_in_both_languages_or_osms(word: str, kind: BuildingKind) -> None:
    verdicts = Verdicts.none(1)
    kinds, assumed = checking.check_kinds(pa.chunked_array([[word]]), None, verdicts)
    assert (kinds[0], assumed[0], verdicts.reasons[0]) == (kind, False, None)


@pytest.mark.parametrize("word", ["school", "no", "garage", "住", "house;school", "x" * 10_000])
def test_any_other_kind_is_refused_and_told_in_few_words(word: str) -> None:
    verdicts = Verdicts.none(1)
    checking.check_kinds(pa.chunked_array([[word]]), None, verdicts)
    assert verdicts.reasons[0] == Reason.NOT_RESIDENTIAL
    assert verdicts.details[0].startswith("kind=" + word[:10])
    assert len(verdicts.details[0]) < 60


@pytest.mark.parametrize("word", [None, "", "yes", "YES"])
def test_a_kind_that_says_nothing_is_assumed_unless_it_was_given(word: str | None) -> None:
    column = pa.chunked_array([pa.array([word], type=pa.string())])
    kinds, assumed = checking.check_kinds(column, None, Verdicts.none(1))
    assert (kinds[0], assumed[0]) == (BuildingKind.RESIDENTIAL, True)
    kinds, assumed = checking.check_kinds(column, BuildingKind.OTHER_HABITABLE, Verdicts.none(1))
    assert (kinds[0], assumed[0]) == (BuildingKind.OTHER_HABITABLE, False)


def test_a_work_shed_needs_a_premises_and_a_date(make_rows: MakeRows) -> None:
    _, verdicts = _read(
        make_rows,
        kind=["work_shed"] * 5 + ["house"],
        premises=["甲工地", "甲工地", None, "  ", "甲工地", None],
        valid_to=["2030-01-01", None, "2030-01-01", "2030-01-01", "soon", None],
    )
    assert list(verdicts.reasons) == [
        None,
        Reason.SHED_WITHOUT_EXPIRY,
        Reason.SHED_WITHOUT_PREMISES,
        Reason.SHED_WITHOUT_PREMISES,
        Reason.UNREADABLE_ATTRIBUTE,
        None,
    ]


@pytest.mark.parametrize(("word", "value"), [("3", 3), (" 3.0 ", 3), ("３", 3), ("200", 200)])
def test_a_count_may_be_written_as_people_write_it(make_rows: MakeRows, word: str, value: int) -> None:
    attributes, verdicts = _read(make_rows, floors=[word])
    assert (attributes.floors[0], verdicts.reasons[0]) == (value, None)


@pytest.mark.parametrize("word", ["0", "-1", "2.5", "201", "1e400", "nan", "inf", "1_0", "五", "3层", "0x3", "1\x00"])
def test_what_is_no_count_is_unreadable(make_rows: MakeRows, word: str) -> None:
    _, verdicts = _read(make_rows, floors=[word])
    assert verdicts.reasons[0] == Reason.UNREADABLE_ATTRIBUTE
    assert verdicts.details[0].startswith("floors=")


@pytest.mark.parametrize("word", ["2030-01-05", "2030/1/5", "2030-01-05 00:00:00", "2030-01-05T12:00:00Z"])
def test_a_date_may_be_written_as_people_and_programs_write_it(make_rows: MakeRows, word: str) -> None:
    attributes, verdicts = _read(make_rows, valid_to=[word])
    assert (str(attributes.expires_on[0]), verdicts.reasons[0]) == ("2030-01-05", None)


@pytest.mark.parametrize("word", ["2030-02-30", "2030-01-05x", "20300105", "2030-W01-1", "05.01.2030", "0000-01-01"])
def test_what_is_no_date_is_unreadable(make_rows: MakeRows, word: str) -> None:
    _, verdicts = _read(make_rows, valid_to=[word])
    assert verdicts.reasons[0] == Reason.UNREADABLE_ATTRIBUTE


@pytest.mark.parametrize("name", checking.NAMES)
def test_a_name_too_long_for_an_index_or_with_a_nul_is_unreadable(make_rows: MakeRows, name: str) -> None:
    _, verdicts = _read(make_rows, **{name: ["字" * 200, "字" * 201, "a\x00b", None, ""]})
    assert list(verdicts.reasons) == [None, Reason.UNREADABLE_ATTRIBUTE, Reason.UNREADABLE_ATTRIBUTE, None, None]
    assert verdicts.details == {1: f"{name} has more than 200 characters", 2: f"{name} contains a NUL character"}


def test_a_building_with_more_dwellings_than_any_has_is_unreadable(make_rows: MakeRows) -> None:
    _, verdicts = _read(make_rows, entrances=["10"], floors=["100"], rooms_per_floor=["900"])
    assert verdicts.details == {0: "900000 dwellings in one building"}


def test_swapped_mirrored_and_impossible_places_are_told_apart_in_ningxia() -> None:
    places = [(106.2, 38.4), (38.4, 106.2), (-106.2, 38.4), (106.2, -38.4), (-106.2, -38.4), (206.2, 38.4), (8.5, 47.4)]
    assert _places(places, NINGXIA) == [
        None,
        Reason.SWAPPED_COORDINATES,
        *[Reason.WRONG_HEMISPHERE] * 3,
        Reason.BAD_COORDINATES,
        None,
    ]


@given(st.floats(-180, 180), st.floats(-85, 85), st.floats(0.001, 0.2), st.integers(1, 200))
def test_no_town_anywhere_is_called_swapped_or_mirrored(lon: float, lat: float, size: float, many: int) -> None:
    """Nor one that lies on both sides of Greenwich, of the equator or of the date line."""
    spread = np.random.default_rng(many).uniform(-size, size, (many, 2))
    places = [((lon + east + 180) % 360 - 180, lat + north) for east, north in spread.tolist()]
    assert _places(places, None) == [None] * many


@given(
    st.floats(-178, 178),
    st.floats(-80, 80),
    st.sampled_from([(1, 0, 1, 1), (0, 1, -1, 1), (0, 1, 1, -1), (0, 1, -1, -1)]),
    st.integers(1, 40),
)
def test_the_rows_of_a_town_that_lie_the_wrong_way_round_are_found(
    lon: float, lat: float, how: tuple[int, int, int, int], wrong: int
) -> None:
    swap, _, east, north = how
    there = (lat, lon) if swap else (lon * east, lat * north)
    assume(abs(there[0] - lon) > 2 or abs(there[1] - lat) > 2)
    assume(abs((there[0] - lon + 180) % 360 - 180) > 2 or abs(there[1] - lat) > 2)
    places = [(lon + place * 0.0005, lat) for place in range(100 - wrong)] + [there] * wrong
    reasons = _places(places, None)
    assert not any(reasons[: 100 - wrong])
    possible = {Reason.SWAPPED_COORDINATES, Reason.BAD_COORDINATES} if swap else {Reason.WRONG_HEMISPHERE}
    # at 45 degrees and the like a place may be a swapped and a mirrored one at once
    assert set(reasons[100 - wrong :]) <= possible | {Reason.SWAPPED_COORDINATES}


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=4, max_size=4))
def test_no_coordinates_however_large_disturb_the_check(numbers: list[float]) -> None:
    verdicts = Verdicts.none(2)
    box = [min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])]
    checking.check_places(np.array([box, [106.2, 38.4, 106.2, 38.4]]), NINGXIA, verdicts)
    assert verdicts.reasons[1] is None
    if max(map(abs, box[::2])) > 180 or max(map(abs, box[1::2])) > 90:
        assert verdicts.reasons[0] is not None
