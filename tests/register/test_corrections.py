"""What a correction, a return or a second change leaves behind: only what it is about, and as long as it was so."""

import datetime as dt
from collections.abc import Iterator

import pytest
import shapely
from sqlalchemy import Connection, text

from gis.errors import BadStructure, NotInThatState
from gis.register import buildings, dwellings, history
from gis.register.acts import Act, Done
from gis.register.buildings import Amendment
from gis.register.dwellings import Room
from gis.register.structures import Structure
from gis.store import session

HOUSE = shapely.box(106.2, 38.4, 106.2002, 38.4002)
ELSEWHERE = shapely.box(106.27, 38.47, 106.2702, 38.4702)
"""In 兴庆区 (640104); the house stands in 金凤区 (640106)."""
ACT = Act("wang")
DAY = dt.date.fromisoformat


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """Yield a registrar's session on an empty register."""
    assert database
    with session.open("registrar", actor="wang") as opened:
        yield opened


def on(day: str) -> Act:
    return Act("wang", happened_on=DAY(day))


def registered(connection: Connection, address: str | None = None, rooms: int | None = None) -> int:
    structure = Structure(HOUSE, standard_address=address, floors=1, rooms_per_floor=rooms)
    return buildings.register(connection, structure, on("2020-01-01")).numbers[0]


def readdressed(connection: Connection, number: int, address: str, day: str) -> Done:
    return buildings.change(connection, number, Amendment({}, standard_address=address), on(day))


def lived(connection: Connection, number: int) -> list[tuple[str, str, list[str]]]:
    """Return since when a building was what, and with which addresses."""
    return [
        (str(version.since), version.state.status, [address for address, _ in version.state.addresses])
        for version in history.find_versions(connection, number)
    ]


def grow(connection: Connection, number: int, room: str) -> Done:
    growing = Amendment({}, dwellings=lambda known: dwellings.added(known, [Room(room)]))
    return buildings.change(connection, number, growing, ACT)


def test_a_retired_building_returns_with_its_last_addresses_and_to_its_own_time_only(connection: Connection) -> None:
    number = registered(connection, "甲路1号")
    buildings.demolish(connection, number, on("2022-01-01"))
    buildings.reinstate(connection, number, on("2023-01-01"))
    readdressed(connection, number, "乙路2号", "2024-01-01")
    before = lived(connection, number)
    buildings.retire(connection, number, ACT)
    buildings.reinstate(connection, number, ACT)
    assert lived(connection, number) == before
    assert before[1] == ("2022-01-01", "demolished", [])


def test_a_building_that_was_down_for_a_while_had_no_address_then(connection: Connection) -> None:
    number = registered(connection)
    buildings.demolish(connection, number, on("2022-01-01"))
    buildings.reinstate(connection, number, on("2023-01-01"))
    buildings.correct(connection, number, Amendment({}, standard_address="甲路1号"), ACT)
    assert lived(connection, number)[1:] == [("2022-01-01", "demolished", []), ("2023-01-01", "active", ["甲路1号"])]
    with pytest.raises(NotInThatState):
        buildings.correct(connection, number, Amendment({}, standard_address="乙路2号"), ACT, on=DAY("2022-06-01"))


def test_a_correction_of_the_past_starts_from_what_was_so_then(connection: Connection) -> None:
    number = registered(connection, "甲路1号", rooms=2)
    readdressed(connection, number, "乙路2号", "2024-01-01")
    gone = Amendment({}, dwellings=lambda known: dwellings.removed(known, [1]))
    buildings.change(connection, number, gone, on("2024-01-01"))
    then = Amendment({}, other_addresses=["丙路3号"], dwellings=lambda known: dwellings.added(known, [Room("阁楼")]))
    buildings.correct(connection, number, then, ACT, on=DAY("2021-01-01"))
    assert [addresses for _, _, addresses in lived(connection, number)] == [["甲路1号", "丙路3号"], ["乙路2号"]]
    past, present = (version.state.dwellings for version in history.find_versions(connection, number))
    assert [(one[3], one[4]) for one in past] == [("101", "exists"), ("102", "exists"), ("阁楼", "exists")]
    assert [(one[3], one[4]) for one in present] == [("101", "removed"), ("102", "exists")]


def test_a_dwellings_number_never_means_another_even_after_it_was_taken_back(connection: Connection) -> None:
    number = registered(connection, rooms=2)
    buildings.revert(connection, grow(connection, number, "东屋").seq, ACT)
    grow(connection, number, "西屋")
    grow(connection, number, "南屋")
    stored = connection.execute(text("SELECT sequence, room, status FROM reg.dwellings ORDER BY sequence")).all()
    assert [tuple(row) for row in stored[2:]] == [(3, "东屋", "removed"), (4, "西屋", "exists"), (5, "南屋", "exists")]


def test_what_changed_and_changed_back_on_one_day_did_not_change(connection: Connection) -> None:
    number = registered(connection)
    for floors in (5, 1):
        buildings.change(connection, number, Amendment({"floors": floors}), on("2024-01-01"))
    assert [version.since for version in history.find_versions(connection, number)] == [DAY("2020-01-01")]
    buildings.change(connection, number, Amendment({"floors": 2}), on("2023-01-01"))


def test_a_shape_and_a_division_that_contradict_each_other_are_refused(connection: Connection) -> None:
    number = registered(connection)
    for division in (640106_000000, 640106_003000):
        with pytest.raises(BadStructure, match="兴庆区"):
            buildings.correct(connection, number, Amendment({"division_code": division}, shape=ELSEWHERE), ACT)
    stated = Amendment({"division_code": 640104_001000}, shape=ELSEWHERE)
    buildings.correct(connection, number, stated, ACT)
    assert history.find_versions(connection, number)[-1].state.division_code == 640104_001000


def test_the_addresses_of_one_building_are_found_by_an_index(connection: Connection) -> None:
    number = registered(connection, "甲路1号")
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    plan = "\n".join(
        connection.execute(
            text("EXPLAIN SELECT addresses FROM calc.building_snapshots WHERE number = :number"), {"number": number}
        ).scalars()
    )
    assert "addresses_main_key" in plan
    assert "addresses_others_idx" in plan
