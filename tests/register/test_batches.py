"""Every row of a file is registered, unchanged, queued or refused; nothing vanishes and nothing is numbered twice."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis import numbering
from gis.errors import UnknownDivision
from gis.register import batches
from gis.register.batches import BuildingsResult
from gis.register.sheets import ImportOptions
from gis.terms import Outcome, Reason

MakeRows = Callable[..., pa.Table]
TEST_AREA = 999_999_000_000
YINCHUAN = (106.2, 38.4)
YINCHUAN_POINT = shapely.Point(YINCHUAN)


def _square(step: int, *, size: float = 0.0001, origin: tuple[float, float] = YINCHUAN) -> shapely.Polygon:
    """Return one of a row of small squares that do not touch."""
    west, south = origin[0] + step % 100 * 0.001, origin[1] + step // 100 * 0.001
    return shapely.Polygon([(west, south), (west + size, south), (west + size, south + size), (west, south + size)])


def _import(rows: pa.Table, source: str = "a", **options: Any) -> BuildingsResult:  # noqa: ANN401 - ImportOptions' own
    return batches.import_buildings(rows, ImportOptions(source=source, file_name="f.csv", actor="test", **options))


def _reasons(result: BuildingsResult) -> list[Any]:
    return list(result.results["reason"].to_pylist())


def _sums(result: BuildingsResult) -> tuple[int, int, int, int]:
    return result.registered, result.unchanged, result.queued, result.refused


def _all(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


BOWTIE = shapely.Polygon([(106.2, 38.4), (106.3, 38.5), (106.3, 38.4), (106.2, 38.5)])
ZOO: list[Any] = [
    *[_square(step) for step in range(6)],
    _square(0, size=0.00009),
    _square(1, size=0.00004),
    _square(2).centroid,
    shapely.MultiPolygon([_square(7), _square(8)]),
    BOWTIE,
    shapely.Point(106.25, 38.6),
    shapely.Point(38.4, 106.2),
    shapely.Point(-106.2, 38.4),
    shapely.Point(106.2, 500),
    shapely.Point(np.nan, 38.4),
    shapely.Point(8.5, 47.4),
    shapely.Point(-74, -37.5),  # opposite to Ningxia, where its equal-area grid has no place
    shapely.LineString([(106, 38), (107, 39)]),
    shapely.GeometryCollection([_square(3)]),
    shapely.Polygon(),
    None,
    b"?no geometry",
    b"",
]
WORDS = st.sampled_from([None, "", "a", "b", "=1+1", "x\x00y", "字" * 300, "银川市兴庆区解放西街1号", "\\u0000", "\\"])
ROWS = st.lists(
    st.tuples(
        st.sampled_from(ZOO), st.sampled_from(["house", "yes", "school", "work_shed", None]), WORDS, WORDS, WORDS
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS, st.sampled_from([None, TEST_AREA]))
def test_however_messy_a_file_its_rows_are_all_accounted_for(
    database: str, make_rows: MakeRows, rows: list[tuple[Any, ...]], division: int | None
) -> None:
    names = ("shape", "kind", "source_id", "standard_address", "premises")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)) if rows else {"shape": []}
    table = make_rows(columns.pop("shape"), **columns)
    before = _all(database, "SELECT count(*) FROM reg.buildings")[0][0]
    result = _import(table, division=division)
    outcomes = result.results["outcome"].to_pylist()
    assert result.results["row"].to_pylist() == list(range(1, len(rows) + 1))
    assert result.results["source_id"].to_pylist() == table["source_id"].to_pylist()
    assert _sums(result) == tuple(Counter(outcomes)[outcome] for outcome in Outcome)
    held = {Outcome.QUEUED, Outcome.REFUSED}
    assert [reason is not None for reason in _reasons(result)] == [outcome in held for outcome in outcomes]
    kept = _all(database, f"SELECT row FROM reg.batch_rows WHERE batch_id = {result.batch_id} ORDER BY row")  # noqa: S608
    missing = {row for row, outcome in enumerate(outcomes, 1) if outcome in held} - {row for (row,) in kept}
    assert all(outcomes[row - 1] == Outcome.QUEUED for row in missing), "only what waits already is not kept again"
    waiting = "SELECT count(*), count(DISTINCT (source_code, fingerprint)) FROM calc.queued_rows"
    assert len(set(_all(database, waiting)[0])) == 1, "and nothing waits twice"
    numbers = _all(database, "SELECT number FROM reg.buildings")
    assert len(numbers) == before + result.registered
    assert all(numbering.is_valid(str(number)) for (number,) in numbers)
    again = _import(table, division=division)
    assert (again.registered, again.unchanged) == (0, result.registered + result.unchanged)


def test_the_sums_of_a_batch_are_those_of_its_rows(database: str, make_rows: MakeRows) -> None:
    shapes = [_square(0), _square(1), _square(1), _square(2).centroid, BOWTIE, None]
    result = _import(make_rows(shapes, source_id=list("abcdef")))
    assert _sums(result) == (3, 0, 0, 3)
    assert _reasons(result)[2:] == [
        Reason.DUPLICATE_BUILDING, None, Reason.INVALID_GEOMETRY, Reason.MISSING_GEOMETRY
    ]  # fmt: skip
    kept = _all(database, "SELECT registered, unchanged, queued, refused, actor, file_name FROM reg.batches")
    assert kept == [(3, 0, 0, 3, "test", "f.csv")]
    tables = ("buildings", "dwellings", "external_references", "batch_rows")
    assert [_all(database, f"SELECT count(*) FROM reg.{table}")[0][0] for table in tables] == [3] * 4  # noqa: S608


def test_one_event_registers_a_batch_and_stands_in_the_history_of_each_of_its_buildings(
    database: str, make_rows: MakeRows
) -> None:
    _import(make_rows([_square(0), _square(1)]))
    _import(make_rows([_square(5), BOWTIE]), source="another")
    assert _all(database, "SELECT building_numbers, verb, actor, batch_id FROM reg.building_events ORDER BY seq") == [
        (None, "register", "test", 1),
        (None, "register", "test", 2),
    ]
    history = _all(
        database,
        "SELECT h.batch_id, count(*), count(DISTINCT building_number), min(h.verb), min(h.actor)"
        " FROM calc.building_history h JOIN reg.buildings b ON b.number = h.building_number GROUP BY 1 ORDER BY 1",
    )
    assert history == [(1, 2, 2, "register", "test"), (2, 1, 1, "register", "test")]


def test_a_row_that_says_something_else_than_it_did_waits_for_a_person(database: str, make_rows: MakeRows) -> None:
    first = _import(make_rows([_square(0), _square(1)], source_id=["a", "b"]))
    second = _import(make_rows([_square(0), _square(5)], source_id=["a", "b"], floors=["3", None]))
    assert _sums(second) == (0, 0, 2, 0)
    assert _reasons(second) == [Reason.CHANGED_SINCE_REGISTERED] * 2
    assert second.results["building_no"].to_pylist() == first.results["building_no"].to_pylist()
    assert len(_all(database, "SELECT FROM reg.buildings")) == 2


@pytest.mark.usefixtures("database")
def test_a_code_names_one_structure_within_a_source_only(make_rows: MakeRows) -> None:
    rows = make_rows([_square(0), _square(0), _square(1)], source_id=["a", "a", "a"])
    assert _reasons(_import(rows)) == [None, Reason.DUPLICATE_BUILDING, Reason.REPEATED_SOURCE_ID]
    assert _sums(_import(make_rows([_square(9)], source_id=["a"]), source="another")) == (1, 0, 0, 0)


@pytest.mark.usefixtures("database")
def test_rows_without_codes_are_known_again_by_what_they_say(make_rows: MakeRows) -> None:
    rows = make_rows([_square(step) for step in range(5)])
    assert _sums(_import(rows)) == (5, 0, 0, 0)
    assert _sums(_import(rows.slice(3))) == (0, 2, 0, 0)


def test_an_address_belongs_to_one_building_however_it_is_written(database: str, make_rows: MakeRows) -> None:
    words = ["银川市兴庆区解放西街1号", " 银川市兴庆区 解放西街１号", "银川市兴庆区解放西街2号"]
    result = _import(make_rows([_square(step) for step in range(3)], standard_address=words))
    assert _reasons(result) == [None, Reason.ADDRESS_TAKEN, None]
    later = _import(make_rows([_square(9)], standard_address=words[1:2]), source="another")
    assert _reasons(later) == [Reason.ADDRESS_TAKEN]
    assert later.results["building_no"].to_pylist() == result.results["building_no"].to_pylist()[:1]
    assert len(_all(database, "SELECT FROM reg.addresses")) == 2


def test_a_dry_run_keeps_nothing_and_gives_no_numbers_away(database: str, make_rows: MakeRows) -> None:
    rows = make_rows([_square(0), BOWTIE], premises=["甲小区", None])
    trial = _import(rows, dry_run=True)
    assert _sums(trial) == (1, 0, 0, 1)
    assert trial.results["building_no"].to_pylist() == [None, None]
    for table in ("buildings", "batches", "batch_rows", "sources", "premises", "external_references"):
        assert _all(database, f"SELECT count(*) FROM reg.{table}") == [(0,)]  # noqa: S608
    assert _all(database, "SELECT next_serial FROM reg.number_serials") == [(1,)]


def test_a_failure_before_the_commit_takes_everything_back(database: str, make_rows: MakeRows) -> None:
    def full(_: pa.Table) -> None:
        raise OSError

    options = ImportOptions(source="a", file_name="f", actor="test")
    with pytest.raises(OSError):  # noqa: PT011 - a full disk has no words of its own
        batches.import_buildings(make_rows([_square(0)]), options, before_commit=full)
    assert _all(database, "SELECT count(*) FROM reg.buildings UNION ALL SELECT count(*) FROM reg.sources") == [(0,)] * 2
    assert _all(database, "SELECT next_serial FROM reg.number_serials") == [(1,)]


def test_numbers_begin_with_the_kind_and_trials_with_nine(database: str, make_rows: MakeRows) -> None:
    kinds = ["house", "work_shed", "hut"]
    sheds = {"premises": [None, "甲工地", None], "valid_to": [None, "2030-01-01", None]}
    _import(make_rows([_square(step) for step in range(3)], kind=kinds, **sheds))
    _import(make_rows([shapely.Point(8.5, 47.4)]), source="b", division=TEST_AREA)
    _import(make_rows([_square(9)]), source="c", test_numbers=True)
    found = _all(database, "SELECT kind, number / 100000000000 FROM reg.buildings ORDER BY 2, 1")
    assert found == [
        ("residential", 1),
        ("work_shed", 2),
        ("other_habitable", 3),
        ("residential", 9),
        ("residential", 9),
    ]


def test_rows_outside_every_boundary_go_where_the_import_says(database: str, make_rows: MakeRows) -> None:
    rows = make_rows([_square(0), shapely.Point(8.5, 47.4)])
    assert _reasons(_import(rows)) == [None, Reason.OUTSIDE_DIVISIONS]
    assert _sums(_import(rows, division=640_104_000_000)) == (1, 1, 0, 0)
    found = _all(
        database, "SELECT division_code, place_assumed FROM reg.buildings WHERE ST_X(ST_Centroid(geometry)) < 9"
    )
    assert found == [(640_104_000_000, True)]
    with pytest.raises(UnknownDivision):
        _import(rows, division=640_999_000_000)


def test_every_refused_shape_is_kept_on_the_map_or_as_it_came(database: str, make_rows: MakeRows) -> None:
    shapes = [
        BOWTIE,
        shapely.from_wkt("POLYGON ((106 38, 107 38, 106 38))"),
        shapely.LineString([(106, 38), (107, 39)]),
        shapely.GeometryCollection([YINCHUAN_POINT]),
        shapely.MultiPolygon(),
        shapely.Polygon([(106, 38), (np.inf, 38), (106, 39)]),
    ]
    blobs = [shapely.to_wkb(shape) for shape in shapes]
    result = _import(make_rows([*blobs, b"\x01", b"?POLYGON((1 2\x00"]))
    assert (result.refused, result.registered) == (len(blobs) + 2, 0)
    kept = _all(
        database, "SELECT geometry IS NULL, content ->> 'wkb', content ->> 'wkt' FROM reg.batch_rows ORDER BY row"
    )
    assert kept[0] == (False, None, None)
    assert kept[1:-1] == [(True, blob.hex(), None) for blob in [*blobs[1:], b"\x01"]]
    assert kept[-1] == (True, None, "POLYGON((1 2")
