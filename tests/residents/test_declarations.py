"""A desk takes a declaration and gives a receipt; a registrar registers it, asks for more, or declines it."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from sqlalchemy import text

from gis import numbering
from gis.errors import (
    BadDeclaration,
    DeclarationDecided,
    DeclarationNotFound,
    DwellingGone,
    NotAllowed,
    ResidencyNotFound,
    ResidencyOverlaps,
    UuidTaken,
)
from gis.register import buildings
from gis.register.acts import Act, today
from gis.residents import deciding, declarations, receipts
from gis.residents.declarations import Declarer, Receipt, Statement
from gis.residents.keys import KeyStore
from gis.residents.residencies import Dwelling
from gis.residents.rosters import import_roster
from gis.store import session
from gis.terms import DeclarationDeclineReason, DeclarationKind, DocumentType, MoreNeeded

Person = Callable[[int], dict[str, str]]
DAY = dt.timedelta(days=1)


def rows(statement: str, actor: str = "office", **given: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401
    with session.open("registrar", actor=actor, purpose="declaration") as connection:
        return [tuple(row) for row in connection.execute(text(statement), given)]


def building(name: str) -> int:
    [(number,)] = rows("SELECT building_number FROM reg.external_references WHERE code = :name", name=name)
    return int(number)


def declarer(number: int = 1, **more: Any) -> Declarer:  # noqa: ANN401
    said: dict[str, Any] = {
        "name": f"测试员{number}",
        "doc_type": DocumentType.PASSPORT,
        "id_number": f"X00{number:05d}",
        "birth_date": dt.date(1890, 1, 1),
        "nationality": "CHN",
        "hukou_code": "640402",
    }
    return Declarer(**said | more)


def arrival(who: Declarer, where: Dwelling, since: dt.date, **more: Any) -> Statement:  # noqa: ANN401
    return Statement(DeclarationKind.ARRIVAL, who, uuid.uuid4(), where, since, **more)


def lives(who: Declarer, where: Dwelling, since: dt.date, actor: str = "office") -> deciding.Registered:
    return deciding.register(declarations.take(arrival(who, where, since), actor).declaration, actor)


def in_force() -> list[tuple[Any, ...]]:
    return rows(
        "SELECT building_number, dwelling_sequence, lower(during), upper(during), category FROM reg.residencies"
        " WHERE recorded_until IS NULL ORDER BY person_id, lower(during)"
    )


@pytest.fixture
def yard(office: str) -> Dwelling:
    """Return the one dwelling of a house in 金凤区."""
    assert office
    return Dwelling(building("yard"), 1)


@pytest.fixture
def far(office: str) -> Dwelling:
    """Return the one dwelling of a house in 原州区."""
    assert office
    return Dwelling(building("far yard"), 1)


def test_an_arrival_is_taken_with_a_receipt_and_registered_with_its_category(yard: Dwelling) -> None:
    receipt = declarations.take(arrival(declarer(), yard, today() - DAY), "jinfeng")
    assert receipts.read(receipt.code)
    assert receipt.decide_by == today() + dt.timedelta(days=15)
    assert in_force() == []
    done = deciding.register(receipt.declaration, "jinfeng")
    assert in_force() == [(yard.building_number, 1, today() - DAY, None, "floating")]
    assert rows("SELECT basis, id FROM reg.residencies") == [("declaration", done.residency)]
    assert rows("SELECT status, decided_by, key_id, envelope FROM reg.declarations") == [
        ("registered", "jinfeng", None, None)
    ]


def test_a_declaration_sent_again_is_taken_once_and_the_newer_receipt_is_good(
    yard: Dwelling, keys_made: KeyStore
) -> None:
    statement = arrival(declarer(), yard, today())
    first, second = (declarations.take(statement, "office") for _ in range(2))
    assert first.declaration == second.declaration
    assert first.code != second.code
    assert keys_made.count() == 1
    with pytest.raises(UuidTaken):
        declarations.take(Statement(DeclarationKind.ARRIVAL, declarer(2), statement.uuid, yard, today()), "office")


def test_who_moves_within_the_divisions_of_one_registrar_leaves_where_they_were(yard: Dwelling, far: Dwelling) -> None:
    lives(declarer(), far, today() - 9 * DAY)
    done = lives(declarer(), yard, today() - 2 * DAY)
    assert not done.ended_elsewhere
    assert in_force() == [
        (far.building_number, 1, today() - 9 * DAY, today() - 2 * DAY, "permanent"),
        (yard.building_number, 1, today() - 2 * DAY, None, "floating"),
    ]
    assert rows("SELECT count(*) FROM reg.persons") == [(1,)]


def test_who_comes_from_another_county_leaves_there_and_the_registrar_learns_not_where(
    yard: Dwelling, far: Dwelling
) -> None:
    lives(declarer(), far, today() - 9 * DAY)
    done = lives(declarer(), yard, today() - 2 * DAY, "jinfeng")
    assert done.ended_elsewhere
    assert rows("SELECT building_number FROM reg.residencies", "jinfeng") == [(yard.building_number,)]
    assert in_force()[0] == (far.building_number, 1, today() - 9 * DAY, today() - 2 * DAY, "permanent")


def test_a_declaration_out_of_order_is_refused_and_nothing_is_ended(yard: Dwelling, far: Dwelling) -> None:
    lives(declarer(), far, today() - 2 * DAY)
    before = in_force()
    late = declarations.take(arrival(declarer(), yard, today() - 5 * DAY), "office")
    with pytest.raises(ResidencyOverlaps):
        deciding.register(late.declaration, "office")
    assert in_force() == before
    assert rows("SELECT status FROM reg.declarations ORDER BY id DESC LIMIT 1") == [("waiting",)]


def test_somebody_may_have_a_second_home_beside_the_principal_one(yard: Dwelling, far: Dwelling) -> None:
    lives(declarer(), far, today() - 9 * DAY)
    second = declarations.take(arrival(declarer(), yard, today(), principal=False), "office")
    deciding.register(second.declaration, "office")
    assert len([until for *_, until, _ in in_force() if until is None]) == 2


def test_a_departure_ends_the_residency_and_the_version_before_stays_on_record(yard: Dwelling) -> None:
    lives(declarer(), yard, today() - 9 * DAY)
    leaving = Statement(DeclarationKind.DEPARTURE, declarer(), uuid.uuid4(), until=today() - DAY)
    deciding.register(declarations.take(leaving, "office").declaration, "office")
    assert in_force() == [(yard.building_number, 1, today() - 9 * DAY, today(), "floating")]
    versions = rows("SELECT id, replaces_id, recorded_until IS NULL FROM reg.residencies ORDER BY id")
    assert versions == [(versions[0][0], None, False), (versions[1][0], versions[0][0], True)]


def test_a_correction_puts_right_the_hukou_and_with_it_the_category(yard: Dwelling) -> None:
    lives(declarer(), yard, today() - 9 * DAY)
    right = declarer(hukou_code="640104", name="测试员甲")
    told = Statement(DeclarationKind.CORRECTION, right, uuid.uuid4())
    deciding.register(declarations.take(told, "office").declaration, "office")
    assert in_force() == [(yard.building_number, 1, today() - 9 * DAY, None, "permanent")]
    assert rows("SELECT hukou_code FROM reg.persons") == [(640104,)]


def test_more_is_asked_for_and_then_it_is_registered(yard: Dwelling) -> None:
    receipt = declarations.take(arrival(declarer(), yard, today()), "office")
    declarations.ask_more(receipt.declaration, [MoreNeeded.HUKOU, MoreNeeded.DOCUMENT], "office")
    [waiting] = declarations.find_open("office")
    assert (waiting.status, waiting.more_needed) == ("more_asked", ["document", "hukou"])
    deciding.register(receipt.declaration, "office")
    assert declarations.find_open("office") == []


@pytest.mark.parametrize("ending", ["declined", "withdrawn"])
def test_what_is_declined_or_withdrawn_forgets_who_declared_it(
    yard: Dwelling, keys_made: KeyStore, ending: str
) -> None:
    receipt = declarations.take(arrival(declarer(), yard, today()), "office")
    if ending == "declined":
        declarations.decline(receipt.declaration, DeclarationDeclineReason.NOT_THE_PERSON, "office")
    else:
        declarations.withdraw(receipt.declaration, "office")
    assert keys_made.count() == 0
    assert rows("SELECT status, envelope, person_id FROM reg.declarations") == [(ending, None, None)]
    with pytest.raises(DeclarationDecided):
        deciding.register(receipt.declaration, "office")
    assert in_force() == []


def test_a_declaration_belongs_to_the_registrars_of_its_division(yard: Dwelling, far: Dwelling) -> None:
    with pytest.raises(NotAllowed):
        declarations.take(arrival(declarer(), far, today()), "jinfeng")
    elsewhere = declarations.take(arrival(declarer(), far, today()), "office")
    for act in (
        lambda: deciding.register(elsewhere.declaration, "jinfeng"),
        lambda: declarations.open_declarer(elsewhere.declaration, "jinfeng"),
        lambda: declarations.decline(elsewhere.declaration, DeclarationDeclineReason.NOT_THE_PERSON, "jinfeng"),
    ):
        with pytest.raises(DeclarationNotFound):
            act()
    assert declarations.find_open("jinfeng") == []
    with pytest.raises((NotAllowed, DwellingGone)):
        declarations.take(arrival(declarer(), yard, today()), "nobody")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"doc_type": DocumentType.ID, "id_number": "640106188001010011", "birth_date": None}, "fails its check"),
        ({"doc_type": DocumentType.ID, "id_number": "640106800101001", "birth_date": None}, "15-digit"),
        ({"name": " "}, "name"),
        ({"name": "测\x00试"}, "name"),
        ({"birth_date": None}, "birth date"),
        ({"birth_date": dt.date(2999, 1, 1)}, "birth date"),
    ],
)
def test_a_bad_document_or_name_is_told_in_one_sentence(yard: Dwelling, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadDeclaration, match=sentence):
        declarations.take(arrival(declarer(**change), yard, today()), "office")
    assert rows("SELECT count(*) FROM reg.declarations") == [(0,)]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"since": None}, BadDeclaration),
        ({"since": dt.date(2999, 1, 1)}, BadDeclaration),
        ({"since": dt.date(2026, 11, 1), "until": dt.date(2026, 10, 1)}, BadDeclaration),
        ({"dwelling": None}, BadDeclaration),
        ({"dwelling": Dwelling(int(numbering.issue(5, "residential")), 1)}, DwellingGone),
        ({"kind": DeclarationKind.DEPARTURE}, ResidencyNotFound),
    ],
)
def test_what_makes_no_sense_is_not_taken(yard: Dwelling, change: dict[str, Any], error: type[Exception]) -> None:
    said: dict[str, Any] = {"kind": DeclarationKind.ARRIVAL, "dwelling": yard, "since": today(), "until": None} | change
    with pytest.raises(error):
        declarations.take(Statement(declarer=declarer(), uuid=uuid.uuid4(), **said), "office")


def test_nobody_is_registered_in_a_building_that_has_gone(yard: Dwelling) -> None:
    receipt = declarations.take(arrival(declarer(), yard, today()), "office")
    with session.open("registrar", actor="office") as connection:
        buildings.demolish(connection, yard.building_number, Act("office"))
    with pytest.raises(DwellingGone, match="demolished"):
        deciding.register(receipt.declaration, "office")


def test_who_left_a_building_that_went_no_longer_waits_for_its_registrar(yard: Dwelling, far: Dwelling) -> None:
    lives(declarer(1), yard, today() - 9 * DAY)
    lives(declarer(2), yard, today() - 9 * DAY)
    with session.open("registrar", actor="office") as connection:
        buildings.demolish(connection, yard.building_number, Act("office"))
    lives(declarer(1), far, today())
    reviews = rows("SELECT decision FROM reg.residency_reviews ORDER BY decided_at NULLS LAST")
    assert reviews == [("ended",), (None,)]


def test_somebody_a_roster_brought_is_known_by_their_document(
    yard: Dwelling, made_roster: Callable[..., pa.Table], a_person: Person
) -> None:
    known = a_person(1)
    import_roster(made_roster(known), source="名册", file_name="r.csv", actor="office", purpose="roster_review")
    who = Declarer(known["name"], DocumentType.ID, known["id_number"], hukou_code="640106")
    lives(who, Dwelling(building("flats"), 3), today())
    assert rows("SELECT count(*) FROM reg.persons") == [(1,)]
    assert [row[0] for row in in_force()] == [yard.building_number, building("flats")]
    receipt = declarations.take(Statement(DeclarationKind.ACCESS, who, uuid.uuid4()), "office")
    assert isinstance(receipt, Receipt)
    deciding.register(receipt.declaration, "office")


def test_every_act_on_a_declaration_leaves_its_record(yard: Dwelling) -> None:
    receipt = declarations.take(arrival(declarer(), yard, today()), "office")
    assert declarations.open_declarer(receipt.declaration, "office").name == "测试员1"
    deciding.register(receipt.declaration, "office")
    acts = rows(
        "SELECT act, purpose, actor, 'name' = ANY (fields), person_id IS NULL FROM reg.access_records ORDER BY id"
    )
    assert acts == [
        ("declare", "declaration", "office", True, True),
        ("open declaration", "declaration", "office", True, True),
        ("register arrival", "declaration", "office", True, False),
    ]


def test_a_version_of_a_residency_is_not_rewritten_by_anybody(yard: Dwelling, database: str) -> None:
    lives(declarer(), yard, today())
    with psycopg.connect(database) as connection:
        for statement in (
            b"UPDATE reg.residencies SET during = '[2020-01-01,)'",
            b"UPDATE reg.residencies SET category = 'other'",
            b"UPDATE reg.residencies SET person_id = person_id + 1",
        ):
            with pytest.raises(psycopg.errors.RestrictViolation), connection.transaction():
                connection.execute(statement)
