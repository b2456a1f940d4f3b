"""A building's life: verbs, each one event; nothing deleted, nothing lost, everything readable as it was."""

import datetime as dt
import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any

import psycopg
import pytest
import shapely
from sqlalchemy import Connection

from gis import numbering
from gis.errors import (
    AddressTaken,
    BadArgument,
    BadStructure,
    BuildingNotFound,
    CannotRevert,
    DoubtfulDuplicate,
    DuplicateBuilding,
    EventNotFound,
    NotInThatState,
    NotSoThen,
    OutOfOrder,
    ReferenceTaken,
    UnknownDivision,
    UuidTaken,
)
from gis.register import buildings, dwellings, history
from gis.register.acts import Act, Done
from gis.register.buildings import Amendment
from gis.register.dwellings import Room
from gis.register.structures import Structure
from gis.store import session
from gis.terms import BuildingKind

YINCHUAN = (106.2, 38.4)
ACT = Act("wang", reason="desk", source_document="2026-1")
DAY = dt.date.fromisoformat


def square(step: int, size: float = 0.0002) -> shapely.Polygon:
    """Return one of a row of squares that do not touch."""
    west, south = YINCHUAN[0] + step * 0.001, YINCHUAN[1]
    return shapely.box(west, south, west + size, south + size)


def left_half(step: int) -> shapely.Polygon:
    west, south = YINCHUAN[0] + step * 0.001, YINCHUAN[1]
    return shapely.box(west, south, west + 0.0001, south + 0.0002)


def right_half(step: int) -> shapely.Polygon:
    return shapely.affinity.translate(left_half(step), 0.0001)


def on(day: str, **said: Any) -> Act:  # noqa: ANN401 - Act's own
    return Act("wang", happened_on=DAY(day), **said)


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """Yield a registrar's session on an empty register."""
    assert database
    with session.open("registrar", actor="wang") as opened:
        yield opened


def one(done: Done) -> int:
    assert len(done.numbers) == 1
    return done.numbers[0]


def status(connection: Connection, number: int) -> str:
    return history.find_versions(connection, number)[-1].state.status


def test_a_registered_structure_has_a_number_a_division_dwellings_and_one_event(connection: Connection) -> None:
    structure = Structure(
        square(0), standard_address="银川市金凤区长城中路街道1号", entrances=2, floors=3, rooms_per_floor=2
    )
    number = one(buildings.register(connection, structure, ACT))
    assert numbering.is_valid(str(number))
    assert str(number).startswith("1")
    state = history.find_versions(connection, number)[-1].state
    assert state.addresses == (("银川市金凤区长城中路街道1号", True),)
    assert len(state.dwellings) == 12
    assert state.dwellings[-1] == (12, 2, 3, "302", "exists")
    events = history.find_events(connection, number)
    assert [(event.verb, event.actor, event.reason, event.source_document) for event in events] == [
        ("register", "wang", "desk", "2026-1")
    ]


def test_an_address_places_a_desks_building_in_its_township(connection: Connection) -> None:
    inside = shapely.Point(106.192, 38.44)
    number = one(
        buildings.register(
            connection, Structure(inside, standard_address="宁夏回族自治区银川市金凤区长城中路街道亲水街1号"), ACT
        )
    )
    assert history.find_versions(connection, number)[-1].state.division_code == 640106003000


@pytest.mark.parametrize(
    ("structure", "error"),
    [
        (Structure(shapely.LineString([(106, 38), (107, 38)])), BadStructure),
        (Structure(shapely.Polygon()), BadStructure),
        (Structure(shapely.Polygon([(106, 38), (106.1, 38.1), (106.1, 38), (106, 38.1)])), BadStructure),
        (Structure(shapely.Point(200, 38)), BadStructure),
        (Structure(shapely.box(-180, -90, 180, 90), division=999_999_000_000), BadStructure),
        (Structure(shapely.Point(38.4, 80)), BadStructure),
        (Structure(square(0), floors=0), BadStructure),
        (Structure(square(0), floors=201), BadStructure),
        (Structure(square(0), kind=BuildingKind.WORK_SHED), BadStructure),
        (Structure(square(0), kind=BuildingKind.WORK_SHED, premises_id=7, expires_on=DAY("2027-01-01")), BadStructure),
        (Structure(square(0), standard_address="路" * 300), BadStructure),
        (Structure(square(0), standard_address="甲1号", other_addresses=["甲１号"]), BadStructure),
        (Structure(square(0), rooms=[Room("101"), Room("101")]), BadStructure),
        (Structure(square(0), division=640_400_000_000), UnknownDivision),
        (Structure(square(0), division=640_402_001_000), BadStructure),
        (Structure(square(0), references=[("房产", "")]), BadStructure),
    ],
)
def test_a_structure_that_cannot_be_registered_is_refused_in_one_sentence(
    connection: Connection, structure: Structure, error: type[Exception]
) -> None:
    if error is UnknownDivision:
        structure = Structure(structure.shape, division=111_111_111_111)
    with pytest.raises(error) as refusal:
        buildings.register(connection, structure, ACT)
    assert "\n" not in str(refusal.value)


def test_the_same_house_is_not_registered_twice_and_a_doubtful_one_only_by_a_person(connection: Connection) -> None:
    first = one(buildings.register(connection, Structure(square(0)), ACT))
    with pytest.raises(DuplicateBuilding, match=str(first)):
        buildings.register(connection, Structure(square(0)), ACT)
    with pytest.raises(DoubtfulDuplicate, match=str(first)):
        buildings.register(connection, Structure(left_half(0)), ACT)
    looked_at = Structure(left_half(0), distinct_from=[first])
    assert one(buildings.register(connection, looked_at, ACT)) != first


def test_an_address_and_a_foreign_code_belong_to_one_building(connection: Connection) -> None:
    first = one(
        buildings.register(
            connection, Structure(square(0), standard_address="测试路1号", references=[("房产", "A1")]), ACT
        )
    )
    with pytest.raises(AddressTaken, match=str(first)):
        buildings.register(connection, Structure(square(1), standard_address="测试路１号"), ACT)
    with pytest.raises(ReferenceTaken, match=str(first)):
        buildings.register(connection, Structure(square(2), references=[("房产", "A1")]), ACT)


def test_a_foreign_code_goes_on_with_what_stands_there_now(connection: Connection) -> None:
    coded = Structure(square(0), references=[("不动产单元", "A1")])
    done = buildings.register(connection, coded, ACT)
    buildings.revert(connection, done.seq, ACT)
    again = one(buildings.register(connection, coded, ACT))
    assert history.find_by_reference(connection, "不动产单元", "A1") == again
    rebuilt = buildings.rebuild(connection, again, coded, ACT).numbers[-1]
    assert history.find_by_reference(connection, "不动产单元", "A1") == rebuilt
    assert [row.code for row in history.find_references(connection, rebuilt)] == ["A1"]


def test_asking_twice_with_the_same_uuid_acts_once(connection: Connection) -> None:
    act = Act("wang", client_uuid=uuid.UUID(int=7))
    first = buildings.register(connection, Structure(square(0)), act)
    again = buildings.register(connection, Structure(square(0)), act)
    assert (again.seq, again.numbers, again.repeated) == (first.seq, first.numbers, True)


def test_a_uuid_that_stood_for_another_act_is_refused_and_not_taken_for_done(connection: Connection) -> None:
    act = Act("wang", client_uuid=uuid.UUID(int=8))
    number = one(buildings.register(connection, Structure(square(0), floors=2), ACT))
    other = one(buildings.register(connection, Structure(square(1), floors=2), ACT))
    buildings.change(connection, number, Amendment({"floors": 3}), act)
    with pytest.raises(UuidTaken):
        buildings.demolish(connection, number, act)
    with pytest.raises(UuidTaken):
        buildings.change(connection, other, Amendment({"floors": 3}), act)
    assert buildings.change(connection, number, Amendment({"floors": 3}), act).repeated


def test_a_change_holds_from_its_day_and_a_correction_from_the_beginning(connection: Connection) -> None:
    number = one(buildings.register(connection, Structure(square(0), floors=3), on("2020-01-01")))
    buildings.change(connection, number, Amendment({"floors": 5}), on("2024-06-01"))
    at = partial(history.find_as_of, connection, number)
    assert [at(DAY(day)).state.floors for day in ("2020-01-01", "2024-05-31", "2024-06-01")] == [3, 3, 5]  # type: ignore[union-attr]
    assert at(DAY("2019-12-31")) is None
    buildings.correct(connection, number, Amendment({"entrances": 2}), ACT)
    assert [at(DAY(day)).state.entrances for day in ("2020-01-01", "2026-01-01")] == [2, 2]  # type: ignore[union-attr]
    buildings.correct(connection, number, Amendment({"floors": 4}), ACT, on=DAY("2021-01-01"))
    assert [at(DAY(day)).state.floors for day in ("2020-01-01", "2024-06-01")] == [4, 5]  # type: ignore[union-attr]


def test_what_was_recorded_then_can_be_read_today(connection: Connection, database: str) -> None:
    number = one(buildings.register(connection, Structure(square(0), floors=3), ACT))
    recorded = history.find_events(connection, number)[0].recorded_at
    connection.commit()
    with session.open("registrar", actor="wang") as later:
        buildings.correct(later, number, Amendment({"floors": 4}), ACT)
    with psycopg.connect(database) as looking:
        assert looking.execute("SELECT floors FROM reg.buildings").fetchall() == [(4,)]
    with session.open("registrar", actor="wang") as reading:
        then = history.find_versions(reading, number, recorded)
        assert [version.state.floors for version in then] == [3]
        assert history.find_versions(reading, number, recorded - dt.timedelta(seconds=1)) == []


def test_a_split_building_lives_on_in_its_parts_and_frees_its_address(connection: Connection) -> None:
    whole = one(buildings.register(connection, Structure(square(0), standard_address="测试路1号"), ACT))
    done = buildings.split(
        connection,
        whole,
        [Structure(left_half(0), standard_address="测试路1号"), Structure(right_half(0), standard_address="测试路3号")],
        on("2026-05-01"),
    )
    old, left, right = done.numbers
    assert old == whole
    assert status(connection, whole) == "replaced"
    assert history.find_successors(connection, whole) == sorted([left, right])
    assert history.find_kin(connection, left) == ([whole], [])
    with pytest.raises(NotInThatState, match="replaced"):
        buildings.change(connection, whole, Amendment({"floors": 2}), ACT)
    merged = buildings.merge(connection, [left, right], Structure(square(0)), ACT).numbers[-1]
    assert history.find_successors(connection, whole) == [merged]


def test_parts_that_overlap_are_no_split(connection: Connection) -> None:
    whole = one(buildings.register(connection, Structure(square(0)), ACT))
    with pytest.raises(BadStructure, match="overlap"):
        buildings.split(connection, whole, [Structure(square(0)), Structure(left_half(0))], ACT)
    line = shapely.LineString([(106, 38), (107, 38)])
    with pytest.raises(BadStructure, match="LineString"):
        buildings.split(connection, whole, [Structure(left_half(0)), Structure(line)], ACT)
    named = [Structure(half(0), standard_address="测试路1号") for half in (left_half, right_half)]
    with pytest.raises(BadStructure, match="twice"):
        buildings.split(connection, whole, named, ACT)
    with pytest.raises(BadStructure, match="split into"):
        buildings.split(connection, whole, [Structure(left_half(0))], ACT)
    with pytest.raises(BadStructure, match="merged"):
        buildings.merge(connection, [whole, whole], Structure(square(0)), ACT)
    assert status(connection, whole) == "active"


def test_rebuilding_gives_another_number_on_the_same_ground(connection: Connection) -> None:
    old = one(buildings.register(connection, Structure(square(0), standard_address="测试路1号"), ACT))
    buildings.demolish(connection, old, on("2026-01-01"))
    done = buildings.rebuild(connection, old, Structure(square(0), standard_address="测试路1号"), on("2026-06-01"))
    assert history.find_successors(connection, old) == [done.numbers[-1]]


def test_a_demolished_building_comes_back_with_its_address_unless_that_is_taken(connection: Connection) -> None:
    number = one(buildings.register(connection, Structure(square(0), standard_address="测试路1号"), ACT))
    buildings.demolish(connection, number, on("2026-01-01"))
    assert history.find_versions(connection, number)[-1].state.addresses == ()
    taker = one(buildings.register(connection, Structure(square(1), standard_address="测试路1号"), ACT))
    with pytest.raises(AddressTaken):
        buildings.reinstate(connection, number, ACT)
    buildings.retire(connection, taker, ACT)
    buildings.reinstate(connection, number, ACT)
    assert history.find_versions(connection, number)[-1].state.addresses == (("测试路1号", True),)
    assert status(connection, taker) == "retired"


def test_former_names_of_a_building_are_kept_and_wrong_ones_are_not_taken_for_former(
    connection: Connection, database: str
) -> None:
    number = one(buildings.register(connection, Structure(square(0), standard_address="旧街1号"), ACT))
    renamed = Amendment({}, standard_address="新街1号", other_addresses=["园区1号"])
    buildings.change(connection, number, renamed, on("2026-03-01"))
    buildings.correct(connection, number, Amendment({}, standard_address="新街11号"), ACT)
    connection.commit()
    with psycopg.connect(database) as looking:
        rows = looking.execute(
            "SELECT standard_address, main, valid_from::text, valid_to IS NULL, withdrawn"
            " FROM reg.addresses ORDER BY id"
        ).fetchall()
    assert rows == [
        ("旧街1号", True, None, False, False),
        ("新街1号", True, "2026-03-01", False, True),
        ("园区1号", False, "2026-03-01", True, False),
        ("新街11号", True, None, True, False),
    ]


def test_dwellings_are_added_merged_and_taken_out_and_keep_their_numbers(connection: Connection) -> None:
    number = one(buildings.register(connection, Structure(square(0), floors=1, rooms_per_floor=3), ACT))
    amend = partial(buildings.change, connection, number)
    amend(Amendment({}, dwellings=lambda known: dwellings.added(known, [Room("地下室", 1, -1)])), ACT)
    amend(Amendment({}, dwellings=lambda known: dwellings.merged(known, 1, [2])), ACT)
    amend(Amendment({}, dwellings=lambda known: dwellings.removed(known, [3])), ACT)
    state = history.find_versions(connection, number)[-1].state
    assert [(one[0], one[4]) for one in state.dwellings] == [
        (1, "exists"),
        (2, "merged"),
        (3, "removed"),
        (4, "exists"),
    ]
    with pytest.raises(BadStructure, match="at least one dwelling"):
        amend(Amendment({}, dwellings=lambda known: dwellings.removed(known, [1, 4])), ACT)
    with pytest.raises(BadStructure, match="0002"):
        amend(Amendment({}, dwellings=lambda known: dwellings.removed(known, [2])), ACT)


def test_a_reverted_split_is_as_if_it_had_not_been_and_its_numbers_stay_used(connection: Connection) -> None:
    whole = one(buildings.register(connection, Structure(square(0), standard_address="测试路1号", floors=2), ACT))
    before = history.find_versions(connection, whole)
    done = buildings.split(
        connection, whole, [Structure(left_half(0), standard_address="测试路1号"), Structure(right_half(0))], ACT
    )
    undone = buildings.revert(connection, done.seq, ACT)
    after = history.find_versions(connection, whole)
    assert [(v.since, v.until, v.state) for v in after] == [(v.since, v.until, v.state) for v in before]
    assert history.find_successors(connection, whole) == []
    assert {status(connection, number) for number in done.numbers[1:]} == {"retired"}
    buildings.revert(connection, undone.seq, ACT)
    assert history.find_successors(connection, whole) == sorted(done.numbers[1:])
    assert status(connection, whole) == "replaced"


def test_only_the_last_event_of_its_buildings_can_be_reverted(connection: Connection) -> None:
    number = one(buildings.register(connection, Structure(square(0), floors=2), ACT))
    first = buildings.change(connection, number, Amendment({"floors": 3}), ACT)
    second = buildings.change(connection, number, Amendment({"floors": 4}), ACT)
    with pytest.raises(CannotRevert, match=str(second.seq)):
        buildings.revert(connection, first.seq, ACT)
    with pytest.raises(EventNotFound):
        buildings.revert(connection, 999, ACT)
    buildings.revert(connection, second.seq, ACT)
    assert history.find_versions(connection, number)[-1].state.floors == 3


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (on("2020-01-01"), OutOfOrder),
        (Act("wang", happened_on=dt.date(9999, 1, 1)), BadArgument),
        (Act("wang", reason="因" * 300), BadArgument),
    ],
)
def test_an_act_out_of_time_or_too_long_to_keep_is_refused(
    connection: Connection, act: Act, error: type[Exception]
) -> None:
    number = one(buildings.register(connection, Structure(square(0)), on("2021-01-01")))
    with pytest.raises(error):
        buildings.change(connection, number, Amendment({"floors": 3}), act)


def test_a_correction_of_nothing_of_nobody_or_of_no_time_is_refused(connection: Connection) -> None:
    number = one(buildings.register(connection, Structure(square(0), floors=3), on("2021-01-01")))
    with pytest.raises(BadStructure, match="nothing"):
        buildings.correct(connection, number, Amendment({"floors": 3}), ACT)
    with pytest.raises(BadStructure, match="nothing"):
        buildings.correct(connection, number, Amendment({}), ACT)
    with pytest.raises(BadStructure, match="cannot be set"):
        buildings.correct(connection, number, Amendment({"status": "active"}), ACT)
    with pytest.raises(NotSoThen):
        buildings.correct(connection, number, Amendment({"floors": 5}), ACT, on=DAY("2020-01-01"))
    with pytest.raises(BuildingNotFound):
        buildings.demolish(connection, 153273413646, ACT)


def test_a_shape_drawn_anew_moves_the_building_to_its_new_cell_and_may_meet_nobody(connection: Connection) -> None:
    first = one(buildings.register(connection, Structure(square(0)), ACT))
    second = one(buildings.register(connection, Structure(square(50)), ACT))
    with pytest.raises(DuplicateBuilding, match=str(first)):
        buildings.correct(connection, second, Amendment({}, shape=square(0)), ACT)
    buildings.correct(connection, second, Amendment({}, shape=square(3)), ACT)
    row = connection.exec_driver_sql(
        "SELECT count(DISTINCT (east_100m, north_100m)), count(DISTINCT h3_10) FROM reg.buildings"
    ).one()
    assert tuple(row) == (2, 2)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM reg.buildings",
        "TRUNCATE reg.buildings CASCADE",
        "DELETE FROM reg.addresses",
        "DELETE FROM reg.building_versions",
        "DELETE FROM reg.building_lineage",
        "DELETE FROM reg.building_events",
        "UPDATE reg.building_events SET actor = 'another'",
        "UPDATE reg.building_versions SET floors = 9",
        "UPDATE reg.buildings SET number = 153273413646",
        "UPDATE reg.dwellings SET sequence = 9",
        "UPDATE reg.number_serials SET next_serial = 1",
        "UPDATE reg.number_serials SET next_seq = 1",
        "INSERT INTO reg.building_lineage SELECT parent_number, child_number, 1 FROM reg.building_lineage",
    ],
)
def test_the_database_itself_refuses_to_forget_or_to_count_back(database: str, statement: str) -> None:
    with session.open("registrar", actor="wang") as connection:
        old = one(buildings.register(connection, Structure(square(0)), ACT))
        buildings.rebuild(connection, old, Structure(square(0)), ACT)
    with psycopg.connect(database) as owner, pytest.raises(psycopg.errors.IntegrityError):
        owner.execute(statement.encode())
