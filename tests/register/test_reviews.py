"""Rows that wait for a person: what they are shown with, what a decision does, and that it is taken once."""

import datetime as dt
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import psycopg
import pyarrow as pa
import pytest
import shapely
import shapely.affinity
import shapely.geometry

from gis import numbering
from gis.errors import (
    AddressTaken,
    BadArgument,
    BadStructure,
    BuildingNotFound,
    DoubtfulDuplicate,
    MenpaiError,
    RowDecided,
    RowNotQueued,
)
from gis.register import batches, buildings, divisions, history, reviews
from gis.register.acts import Act
from gis.register.batches import BuildingsResult
from gis.register.buildings import Amendment
from gis.register.reviews import Decided, Verdict
from gis.register.sheets import ImportOptions
from gis.store import session
from gis.terms import Outcome, Reason, RowDecision

MakeRows = Callable[..., pa.Table]
ACT = Act("登记员甲", reason="到现场看过", happened_on=dt.date(2026, 3, 1))
NINGXIA = 640_000_000_000
YARD = "银川市兴庆区测试路1号"

pytestmark = pytest.mark.usefixtures("database")


def _house(east: float = 0, wide: float = 2e-4, high: float = 2e-4) -> shapely.Polygon:
    return shapely.box(106.27 + east, 38.47, 106.27 + east + wide, 38.47 + high)


@pytest.fixture
def bring(make_rows: MakeRows) -> Callable[..., BuildingsResult]:
    """Return what imports shapes under codes of a source."""

    def imported(shapes: list[Any], codes: str = "abcdef", source: str = "影像", **columns: Any) -> BuildingsResult:  # noqa: ANN401
        options = ImportOptions(source=source, file_name="f.csv", actor="test", **columns.pop("options", {}))
        return batches.import_buildings(make_rows(shapes, source_id=list(codes[: len(shapes)]), **columns), options)

    return imported


Bring = Callable[..., BuildingsResult]


def _decide(result: BuildingsResult, row: int, decision: RowDecision, act: Act = ACT, **verdict: Any) -> Decided:  # noqa: ANN401 - Verdict's own
    with session.open("registrar", actor=act.actor) as connection:
        return reviews.decide(connection, result.batch_id, row, Verdict(decision, **verdict), act)


def _queued(division: int = NINGXIA, **page: Any) -> list[Any]:  # noqa: ANN401 - find_queued's own
    with session.open("registrar", actor="test") as connection:
        return list(reviews.find_queued(connection, division, **page))


def _state(number: int) -> Any:  # noqa: ANN401 - a State
    with session.open("registrar", actor="test") as connection:
        return history.find_versions(connection, number)[-1].state


def _outcomes(result: BuildingsResult) -> list[tuple[str, str | None]]:
    results = result.results
    return list(zip(results["outcome"].to_pylist(), results["reason"].to_pylist(), strict=True))


def _numbers(result: BuildingsResult) -> list[int]:
    return [int(number) for number in result.results["building_no"].to_pylist()]


def _one(url: str, query: str) -> Any:  # noqa: ANN401 - whatever the query asks for
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


class TestQueue:
    def test_a_doubtful_row_is_shown_beside_the_building_it_met(self, bring: Bring) -> None:
        first = bring([_house()], source="测绘", standard_address=[YARD], floors=["3"])
        second = bring([_house(0.5e-4)], standard_address=["银川市兴庆区测试路2号"], floors=["2"])
        (row,) = _queued()
        assert (row.batch_id, row.row, row.reason) == (second.batch_id, 1, Reason.DOUBTFUL_DUPLICATE)
        assert row.building_number == _numbers(first)[0]
        assert shapely.geometry.shape(orjson.loads(row.row_shape)).equals_exact(_house(0.5e-4), 1e-8)
        assert shapely.geometry.shape(orjson.loads(row.standing_shape)).equals_exact(_house(), 1e-8)
        assert (row.standard_address, row.content["standard_address"]) == (YARD, "银川市兴庆区测试路2号")
        assert (row.floors, row.content["floors"]) == (3, "2")
        assert row.iou == pytest.approx(0.6)
        assert row.shared_share == pytest.approx(0.75)
        assert row.apart_m == 0
        assert (row.source, row.file_name, row.division_name) == ("影像", "f.csv", "兴庆区")

    def test_a_row_that_met_a_row_of_its_own_file_is_shown_beside_what_that_became(self, bring: Bring) -> None:
        result = bring([_house(), _house(0.5e-4), _house().centroid])
        assert {row.building_number for row in _queued()} == {_numbers(result)[0]}
        point = _queued(after=(result.batch_id, 2))[0]
        assert (point.iou, point.shared_share, point.apart_m) == (None, None, 0)

    def test_the_queue_is_read_page_by_page_and_division_by_division(self, bring: Bring) -> None:
        bring([_house(), *[_house(step * 1e-5) for step in (3, 4, 5, 6)]])
        pages = []
        after = (0, 0)
        while page := _queued(after=after, limit=3):
            after = (page[-1].batch_id, page[-1].row)
            pages.append([row.row for row in page])
        assert pages == [[2, 3, 4], [5]]
        assert len(_queued(640_104_000_000)) == len(_queued(640_100_000_000)) == 4
        assert _queued(640_105_000_000) == []
        with pytest.raises(BadArgument, match="limit"):
            _queued(limit=0)


class TestDeciding:
    def test_same_lets_the_code_stand_for_the_building(self, bring: Bring, database: str) -> None:
        number = _numbers(bring([_house()], source="测绘"))[0]
        before = _state(number)
        doubtful = bring([_house(0.5e-4)])
        done = _decide(doubtful, 1, RowDecision.SAME)
        assert (done.numbers, done.repeated, _state(number)) == ((number,), False, before)
        assert _one(database, f"SELECT verb FROM reg.building_events WHERE seq = {done.seq}") == "correct"  # noqa: S608
        assert _queued() == []
        again = bring([_house(0.5e-4)])
        assert (_outcomes(again), _numbers(again)) == ([(Outcome.UNCHANGED, None)], [number])

    def test_another_registers_a_building_beside_the_one_it_met(self, bring: Bring, database: str) -> None:
        met = _numbers(bring([_house()], source="测绘"))[0]
        words = {"kind": ["dormitory"], "floors": ["4"], "entrances": ["1"], "rooms_per_floor": ["2"]}
        words |= {"premises": ["测试小区"], "standard_address": ["银川市兴庆区测试路2号"], "valid_to": ["2031-01-31"]}
        done = _decide(bring([_house(0.5e-4)], **words), 1, RowDecision.ANOTHER)
        (number,) = done.numbers
        state = _state(number)
        assert number != met
        assert (state.kind, state.floors, len(state.dwellings)) == ("residential", 4, 8)
        assert (state.addresses, state.expires_on) == ((("银川市兴庆区测试路2号", True),), dt.date(2031, 1, 31))
        assert _one(database, "SELECT name FROM reg.premises") == "测试小区"
        again = bring([_house(0.5e-4)], **words)
        assert (_outcomes(again), _numbers(again)) == ([(Outcome.UNCHANGED, None)], [number])

    def test_another_needs_to_be_told_of_every_building_it_overlaps(self, bring: Bring) -> None:
        left, right = _numbers(bring([_house(), _house(2e-4)], source="测绘"))
        both = bring([_house(wide=4e-4)])
        met = _queued()[0].building_number
        with pytest.raises(DoubtfulDuplicate):
            _decide(both, 1, RowDecision.ANOTHER)
        other = right if met == left else left
        assert _decide(both, 1, RowDecision.ANOTHER, distinct_from=[other]).numbers[0] not in {left, right}

    def test_a_taken_address_is_left_out_where_the_registrar_says_so(self, bring: Bring) -> None:
        bring([_house()], source="测绘", standard_address=[YARD])
        claims = bring([_house(6e-4)], standard_address=[YARD])
        assert _outcomes(claims) == [(Outcome.QUEUED, Reason.ADDRESS_TAKEN)]
        with pytest.raises(AddressTaken):
            _decide(claims, 1, RowDecision.ANOTHER)
        (number,) = _decide(claims, 1, RowDecision.ANOTHER, with_address=False).numbers
        assert _state(number).addresses == ()

    @pytest.mark.parametrize("decision", [RowDecision.CORRECT, RowDecision.CHANGE])
    def test_a_row_that_is_right_is_written_into_the_building(self, bring: Bring, decision: RowDecision) -> None:
        words: dict[str, list[str | None]] = {"standard_address": [YARD], "floors": ["3"], "entrances": ["1"]}
        words["kind"] = ["house"]
        number = _numbers(bring([_house()], **words))[0]
        words |= {"standard_address": [YARD + "2号楼"], "floors": ["5"], "kind": ["hut"], "entrances": [None]}
        changed = bring([_house(0.5e-4)], **words)
        assert _outcomes(changed) == [(Outcome.QUEUED, Reason.CHANGED_SINCE_REGISTERED)]
        done = _decide(changed, 1, decision)
        state = _state(number)
        assert done.numbers == (number,)
        assert (state.kind, state.floors, state.entrances) == ("other_habitable", 5, 1), "what is not said stays"
        assert state.addresses == ((YARD + "2号楼", True),)
        assert shapely.from_wkb(bytes.fromhex(state.geometry)).equals_exact(_house(0.5e-4), 1e-12)
        with session.open("registrar", actor="test") as connection:
            known = history.find_versions(connection, number)
        assert len(known) == (2 if decision == RowDecision.CHANGE else 1)
        assert _outcomes(bring([_house(0.5e-4)], **words)) == [(Outcome.UNCHANGED, None)]

    def test_a_row_that_says_nothing_else_can_still_be_confirmed(self, bring: Bring) -> None:
        number = _numbers(bring([_house()], floors=["3"]))[0]
        with session.open("registrar", actor="test") as connection:
            buildings.correct(connection, number, Amendment({"floors": 4}), ACT)
        changed = bring([_house()], floors=["4"])
        before = _state(number)
        assert _decide(changed, 1, RowDecision.CORRECT).numbers == (number,)
        assert _state(number) == before

    def test_a_refused_row_stays_refused_when_it_comes_again(self, bring: Bring, database: str) -> None:
        bring([_house()], source="测绘")
        assert _decide(bring([_house(0.5e-4)]), 1, RowDecision.REFUSE) == Decided(RowDecision.REFUSE, None, ())
        assert _outcomes(bring([_house(0.5e-4)])) == [(Outcome.REFUSED, Reason.DECLINED)]
        assert _queued() == []
        assert _one(database, "SELECT count(*) FROM reg.buildings") == 1
        assert _outcomes(bring([_house(0.6e-4)])) == [(Outcome.QUEUED, Reason.DOUBTFUL_DUPLICATE)], "this one is new"

    def test_the_registrar_may_name_the_building_it_is(self, bring: Bring) -> None:
        left, right = _numbers(bring([_house(), _house(9e-4)], source="测绘"))
        assert _decide(bring([_house(0.5e-4)]), 1, RowDecision.SAME, building_number=right).numbers == (right,)
        with pytest.raises(BuildingNotFound):
            _decide(bring([_house(0.6e-4)], codes="z"), 1, RowDecision.SAME, building_number=left + 97)

    def test_without_a_building_it_met_a_row_is_none(self, bring: Bring) -> None:
        """Two rows of a file claim an address that a registered building has: the second met a row that waits."""
        bring([_house()], source="测绘", standard_address=[YARD])
        waiting = bring([_house(6e-4), _house(9e-4)], standard_address=[YARD, YARD])
        assert _outcomes(waiting) == [(Outcome.QUEUED, Reason.ADDRESS_TAKEN)] * 2
        with pytest.raises(BadStructure, match="met no registered building"):
            _decide(waiting, 2, RowDecision.SAME)

    def test_invented_houses_keep_invented_numbers(self, bring: Bring) -> None:
        bring([_house()], source="测绘", options={"test_numbers": True})
        waiting = bring([_house(0.5e-4)], options={"test_numbers": True})
        (number,) = _decide(waiting, 1, RowDecision.ANOTHER).numbers
        assert str(number).startswith("9")
        assert numbering.is_valid(str(number))

    def test_a_row_outside_every_boundary_goes_where_its_import_said(self, bring: Bring) -> None:
        trial = {"division": divisions.TEST_DIVISION}
        shape = shapely.box(8.5, 47.4, 8.5002, 47.4002)
        bring([shape], source="测绘", options=trial)
        moved = bring([shapely.affinity.translate(shape, 5e-5)], options=trial)
        (number,) = _decide(moved, 1, RowDecision.ANOTHER).numbers
        state = _state(number)
        assert (state.division_code, state.place_assumed) == (divisions.TEST_DIVISION, True)
        assert str(number).startswith("9")


class TestOnce:
    def test_deciding_twice_acts_once_and_deciding_otherwise_is_refused(self, bring: Bring, database: str) -> None:
        bring([_house()], source="测绘")
        doubtful = bring([_house(0.5e-4)])
        done = _decide(doubtful, 1, RowDecision.ANOTHER)
        again = _decide(doubtful, 1, RowDecision.ANOTHER, act=Act("登记员乙"))
        assert again == Decided(RowDecision.ANOTHER, done.seq, done.numbers, repeated=True)
        with pytest.raises(RowDecided, match="登记员甲"):
            _decide(doubtful, 1, RowDecision.REFUSE)
        assert _one(database, "SELECT count(*) FROM reg.buildings") == 2
        row = "SELECT decision || decided_by FROM reg.batch_rows WHERE decided_at > now() - interval '1 hour'"
        assert _one(database, row) == "another登记员甲"

    def test_of_registrars_who_decide_at_once_one_is_heard(self, bring: Bring, database: str) -> None:
        bring([_house()], source="测绘")
        doubtful = bring([_house(0.5e-4)])
        together = threading.Barrier(4)

        def decide(decision: RowDecision) -> str:
            together.wait()
            try:
                return f"{decision} {_decide(doubtful, 1, decision).repeated}"
            except RowDecided as refusal:
                return type(refusal).__name__

        choices = [RowDecision.ANOTHER, RowDecision.ANOTHER, RowDecision.REFUSE, RowDecision.SAME]
        with ThreadPoolExecutor(4) as pool:
            told = list(pool.map(decide, choices))
        assert sum(each.endswith("False") for each in told) == 1
        events = _one(database, "SELECT count(*) FROM reg.building_events WHERE batch_id IS NULL")
        assert events == (0 if "refuse False" in told else 1)

    def test_a_failed_decision_leaves_the_row_waiting(self, bring: Bring) -> None:
        bring([_house()], source="测绘", standard_address=[YARD])
        claims = bring([_house(6e-4)], standard_address=[YARD], premises=["新小区"])
        with pytest.raises(MenpaiError):
            _decide(claims, 1, RowDecision.ANOTHER)
        assert [row.row for row in _queued()] == [1]

    def test_a_client_uuid_of_another_act_decides_nothing(self, bring: Bring) -> None:
        number = _numbers(bring([_house()], source="测绘"))[0]
        doubtful = bring([_house(0.5e-4)])
        act = Act("test", client_uuid=uuid.uuid4())
        with session.open("registrar", actor="test") as connection:
            buildings.correct(connection, number, Amendment({"floors": 3}), act)
        with pytest.raises(BadArgument, match="another act"):
            _decide(doubtful, 1, RowDecision.SAME, act=act)
        assert len(_queued()) == 1

    @pytest.mark.parametrize(("row", "shape"), [(1, _house(9e-4)), (7, _house(9e-4)), (1, None)])
    def test_what_does_not_wait_is_not_decided(self, bring: Bring, row: int, shape: Any) -> None:  # noqa: ANN401
        result = bring([shape])
        with pytest.raises(RowNotQueued):
            _decide(result, row, RowDecision.REFUSE)


class TestComingAgain:
    def test_a_waiting_row_waits_once_however_often_its_file_comes(self, bring: Bring, database: str) -> None:
        shapes = [_house(), _house(0.5e-4), _house(6e-4)]
        first = bring(shapes)
        for _ in range(2):
            again = bring(shapes)
            assert [outcome for outcome, _ in _outcomes(again)] == ["unchanged", "queued", "unchanged"]
            assert again.queued == 1
        assert [(row.batch_id, row.row) for row in _queued()] == [(first.batch_id, 2)]
        assert _one(database, "SELECT count(*) FROM reg.batch_rows") == 1

    def test_a_row_without_a_code_is_known_again_by_what_it_says(self, bring: Bring) -> None:
        first = bring([_house(), _house(0.5e-4)], codes="  ")
        assert [row.row for row in _queued()] == [2]
        bring([_house(), _house(0.5e-4)], codes="  ")
        assert len(_queued()) == 1
        _decide(first, 2, RowDecision.SAME)
        assert _outcomes(bring([_house(), _house(0.5e-4)], codes="  ")) == [(Outcome.UNCHANGED, None)] * 2

    def test_the_later_word_of_a_source_takes_the_place_of_the_earlier(self, bring: Bring, database: str) -> None:
        bring([_house()], source="测绘")
        earlier = bring([_house(0.5e-4)])
        later = bring([_house(0.6e-4)])
        assert [(row.batch_id, row.row) for row in _queued()] == [(later.batch_id, 1)]
        assert _one(database, "SELECT decision FROM reg.batch_rows WHERE decided_at IS NOT NULL") == "superseded"
        with pytest.raises(RowDecided, match="superseded"):
            _decide(earlier, 1, RowDecision.SAME)

    def test_a_row_that_can_be_registered_by_now_leaves_the_queue(self, bring: Bring) -> None:
        number = _numbers(bring([_house()], source="测绘"))[0]
        bring([_house(0.5e-4)])
        with session.open("registrar", actor="test") as connection:
            buildings.demolish(connection, number, ACT)
        assert _outcomes(bring([_house(0.5e-4)])) == [(Outcome.REGISTERED, None)]
        assert _queued() == []

    def test_another_source_with_the_same_codes_waits_for_itself(self, bring: Bring) -> None:
        bring([_house()], source="测绘")
        bring([_house(0.5e-4)], source="影像")
        bring([_house(0.5e-4)], source="普查")
        assert sorted(row.source for row in _queued()) == ["影像", "普查"]

    def test_a_trial_leaves_the_queue_alone(self, bring: Bring) -> None:
        bring([_house()], source="测绘")
        waiting = bring([_house(0.5e-4)])
        bring([_house(0.6e-4)], options={"dry_run": True})
        assert [row.batch_id for row in _queued()] == [waiting.batch_id]

    def test_every_part_of_a_house_cut_at_a_tiles_edge_waits_for_the_whole(self, bring: Bring) -> None:
        halves = [_house(wide=1e-4), _house(1e-4, wide=1e-4)]
        number = _numbers(bring([_house()], source="测绘"))[0]
        cut = bring(halves)
        assert {row.building_number for row in _queued()} == {number}
        assert [row.shared_share for row in _queued()] == pytest.approx([1, 1])
        for row in (1, 2):
            _decide(cut, row, RowDecision.SAME)
        assert _outcomes(bring(halves)) == [(Outcome.UNCHANGED, None)] * 2


def test_the_database_keeps_what_was_decided(bring: Bring, database: str) -> None:
    bring([_house()], source="测绘")
    _decide(bring([_house(0.5e-4)]), 1, RowDecision.REFUSE)
    for statement in ("UPDATE reg.batch_rows SET decision = 'same'", "DELETE FROM reg.batch_rows"):
        with psycopg.connect(database) as connection, pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute(statement.encode())
