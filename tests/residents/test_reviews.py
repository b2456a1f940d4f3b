"""A building that is split, merged or taken down loses nobody: its residencies wait for their own registrar."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pyarrow as pa
import pytest
import shapely
from sqlalchemy import Connection, text

from gis.register import buildings, dwellings
from gis.register.acts import Act, Done
from gis.register.buildings import Amendment
from gis.register.structures import Structure
from gis.residents.rosters import import_roster
from gis.store import session

Person = Callable[[int], dict[str, str]]
Rows = Callable[..., pa.Table]
ACT = Act("office")
SPOT = shapely.Point(106.237, 38.475)
FLATS = "银川市金凤区长城中路街道鲁银社区羊市巷146号紫云公馆4幢"


@pytest.fixture
def people(office: str, made_roster: Rows, a_person: Person) -> int:
    """Put two people into the yard and one into each of two flats; return how many that is."""
    rows = made_roster(
        *(a_person(number) for number in (1, 2)),
        a_person(3) | {"address": FLATS + "2单元501室"},
        a_person(4) | {"address": FLATS + "2单元502室"},
    )
    result = import_roster(rows, source="名册", file_name="r.csv", actor=office, purpose="roster_review")
    assert result.registered == 4
    return 4


def act(verb: Callable[[Connection], Done]) -> Done:
    with session.open("registrar", actor="office") as connection:
        return verb(connection)


def asked(statement: str, actor: str = "office") -> list[tuple[Any, ...]]:
    with session.open("registrar", actor=actor, purpose="roster_review") as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def number_of(name: str) -> int:
    [(number,)] = asked(f"SELECT building_number FROM reg.external_references WHERE code = '{name}'")  # noqa: S608
    return int(number)


def rehoused(yard: int, number: int) -> None:
    """Close every residency of the yard, and let one of its people live in another building."""
    with session.open("registrar", actor="office", purpose="move") as connection:
        connection.execute(
            text("UPDATE reg.residencies SET recorded_until = now() WHERE building_number = :yard"),
            {"yard": yard},
        )
        connection.execute(
            text(
                "INSERT INTO reg.residencies (person_id, building_number, dwelling_sequence, division_code, during,"
                " category, category_reason, basis) SELECT person_id, :part, 1, b.division_code, '[2026-11-01,)',"
                " category, category_reason, r.basis FROM reg.residencies r JOIN reg.buildings b ON b.number = :part"
                " WHERE building_number = :yard LIMIT 1"
            ),
            {"yard": yard, "part": number},
        )


def beside(shift: float) -> Structure:
    return Structure(shapely.affinity.translate(SPOT, shift))


@pytest.mark.parametrize(
    "verb",
    [
        lambda connection, yard: buildings.demolish(connection, yard, ACT),
        lambda connection, yard: buildings.retire(connection, yard, ACT),
        lambda connection, yard: buildings.split(connection, yard, [beside(0), beside(0.001)], ACT),
        lambda connection, yard: buildings.rebuild(connection, yard, beside(0), ACT),
        lambda connection, yard: buildings.merge(connection, [yard, number_of("far yard")], beside(0), ACT),
    ],
    ids=["demolish", "retire", "split", "rebuild", "merge"],
)
def test_residencies_of_a_building_that_goes_wait_for_their_registrar(
    people: int, verb: Callable[[Connection, int], Done]
) -> None:
    yard = number_of("yard")
    before = asked("SELECT id, building_number, dwelling_sequence, during FROM reg.residencies ORDER BY id")
    done = act(lambda connection: verb(connection, yard))
    assert asked("SELECT id, building_number, dwelling_sequence, during FROM reg.residencies ORDER BY id") == before
    assert len(before) == people
    waiting = asked("SELECT building_number, seq, decision FROM reg.residency_reviews ORDER BY id")
    assert waiting == [(yard, done.seq, None)] * 2
    assert asked("SELECT count(*) FROM reg.residency_reviews", "jinfeng") == [(2,)]
    assert asked("SELECT count(*) FROM reg.residency_reviews", "nobody") == [(0,)]


def test_a_change_that_leaves_the_homes_alone_asks_nobody(people: int) -> None:
    flats = number_of("flats")
    act(lambda connection: buildings.change(connection, flats, Amendment({"floors": 7}), ACT))
    act(lambda connection: buildings.correct(connection, flats, Amendment({}, standard_address="另一路1号"), ACT))
    assert people
    assert asked("SELECT count(*) FROM reg.residency_reviews") == [(0,)]


def test_a_flat_that_is_merged_into_another_asks_for_those_who_lived_in_it(people: int) -> None:
    flats = number_of("flats")
    assert people
    [(gone,)] = asked("SELECT sequence FROM reg.dwellings WHERE entrance = 2 AND room = '502'")
    merging = Amendment({}, dwellings=partial(dwellings.merged, into=1, sequences=[gone]))
    act(lambda connection: buildings.change(connection, flats, merging, ACT))
    assert asked(
        "SELECT v.building_number, r.dwelling_sequence FROM reg.residency_reviews v"
        " JOIN reg.residencies r ON r.id = v.residency_id"
    ) == [(flats, gone)]


def test_a_building_found_in_another_county_takes_its_residencies_along_and_asks(people: int) -> None:
    yard = number_of("yard")
    assert people
    elsewhere = Amendment({"division_code": 640104_000000})
    act(lambda connection: buildings.correct(connection, yard, elsewhere, ACT))
    assert asked("SELECT DISTINCT division_code FROM reg.residencies WHERE occupant_id IN ('P00001', 'P00002')") == [
        (640104_000000,)
    ]
    assert asked("SELECT count(*) FROM reg.residency_reviews WHERE division_code = 640104000000") == [(2,)]
    assert asked("SELECT count(*) FROM reg.residency_reviews", "jinfeng") == [(0,)]


def test_taking_a_split_back_asks_for_those_registered_in_its_parts(people: int) -> None:
    yard = number_of("yard")
    assert people
    done = act(lambda connection: buildings.split(connection, yard, [beside(0), beside(0.001)], ACT))
    rehoused(yard, done.numbers[1])
    undone = act(lambda connection: buildings.revert(connection, done.seq, ACT))
    assert asked(f"SELECT building_number FROM reg.residency_reviews WHERE seq = {undone.seq}") == [  # noqa: S608
        (done.numbers[1],)
    ]


def test_taking_a_registration_back_asks_for_those_registered_there(people: int) -> None:
    done = act(lambda connection: buildings.register(connection, beside(0.01), ACT))
    assert people
    rehoused(number_of("yard"), done.numbers[0])
    undone = act(lambda connection: buildings.revert(connection, done.seq, ACT))
    assert asked("SELECT building_number, seq FROM reg.residency_reviews") == [(done.numbers[0], undone.seq)]


def test_a_review_waits_for_whoever_may_open_its_residency_after_the_building_was_placed_anew(people: int) -> None:
    yard = number_of("yard")
    assert people
    act(lambda connection: buildings.demolish(connection, yard, ACT))
    assert asked("SELECT count(*) FROM reg.residency_reviews", "jinfeng") == [(2,)]
    act(lambda connection: buildings.correct(connection, yard, Amendment({"division_code": 640104_000000}), ACT))
    assert asked("SELECT count(*) FROM reg.residency_reviews", "jinfeng") == [(0,)]
    assert asked("SELECT DISTINCT division_code FROM reg.residency_reviews") == [(640104_000000,)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO reg.residency_reviews (residency_id, building_number, division_code, seq) VALUES (1, 1, 1, 1)",
        "DELETE FROM reg.residency_reviews",
        "UPDATE reg.residency_reviews SET residency_id = 2",
    ],
)
def test_nobody_makes_or_removes_a_review_by_hand(office: str, statement: str) -> None:
    with pytest.raises(Exception, match="permission denied"), session.open("registrar", actor=office) as connection:
        connection.execute(text(statement))
