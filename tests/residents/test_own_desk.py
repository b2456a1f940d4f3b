"""A resident sees their own record and who opened it, has it put right, and ends it; nobody else's opens."""

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gis.errors import BadDeclaration, NothingOfYours
from gis.register.acts import today
from gis.residents import deciding, declarations, own_desk
from gis.residents.declarations import Declarer, Statement
from gis.residents.own_desk import Key
from gis.residents.residencies import Dwelling
from gis.store import session
from gis.terms import DeclarationDeclineReason, DeclarationKind, DocumentType

DAY = dt.timedelta(days=1)


def declarer(number: int = 1, hukou: str = "640402") -> Declarer:
    return Declarer(
        f"测试员{number}",
        DocumentType.PASSPORT,
        f"X00{number:05d}",
        birth_date=dt.date(1890, 1, 1),
        nationality="CHN",
        hukou_code=hukou,
    )


def key(code: str, number: int = 1) -> Key:
    return Key(code, DocumentType.PASSPORT, f"X00{number:05d}")


@pytest.fixture
def yard(office: str) -> Dwelling:
    """Return the one dwelling of a house."""
    with session.open("registrar", actor=office) as connection:
        number = connection.execute(
            text("SELECT building_number FROM reg.external_references WHERE code = 'yard'")
        ).scalar_one()
    return Dwelling(number, 1)


def declared(where: Dwelling, number: int = 1) -> tuple[int, str]:
    """Take an arrival; return the declaration and the receipt's code."""
    told = Statement(DeclarationKind.ARRIVAL, declarer(number), uuid.uuid4(), where, today() - 9 * DAY)
    receipt = declarations.take(told, "office")
    return receipt.declaration, receipt.code


def test_the_receipt_and_the_document_open_the_whole_of_ones_own_record(yard: Dwelling) -> None:
    declaration, code = declared(yard)
    before = own_desk.look(key(code))
    assert before.identity is None
    assert [row.status for row in before.declarations] == ["waiting"]
    deciding.register(declaration, "office")
    declared(yard, 2)
    mine = own_desk.look(key(code.lower().replace("-", " ")))
    assert mine.identity is not None
    assert mine.identity.name == "测试员1"
    assert (mine.hukou_code, len(mine.residencies)) == (640402, 1)
    assert mine.residencies[0].standard_address.endswith("三组30号")
    assert mine.residencies[0].category == "floating"
    assert [(row.actor, row.act) for row in mine.accesses] == [
        ("(resident)", "own record"),
        ("office", "register arrival"),
    ]


@pytest.mark.parametrize(
    ("code", "number"),
    [("0000-0000-0000", 1), ("", 1), ("七二一", 1), (None, 2), (None, 9)],
    ids=["a wrong code", "no code", "no such letters", "another's document", "nobody's document"],
)
def test_nothing_opens_without_both(yard: Dwelling, code: str | None, number: int) -> None:
    declaration, mine = declared(yard)
    deciding.register(declaration, "office")
    declared(yard, 2)
    with pytest.raises(NothingOfYours):
        own_desk.look(key(mine if code is None else code, number))


def test_a_declined_declaration_says_why(yard: Dwelling) -> None:
    declaration, code = declared(yard)
    declarations.decline(declaration, DeclarationDeclineReason.NO_SUCH_DWELLING, "office")
    [row] = own_desk.look(key(code)).declarations
    assert (row.status, row.decline_reason) == ("declined", "no_such_dwelling")


def test_a_residency_ends_at_ones_own_word(yard: Dwelling) -> None:
    declaration, code = declared(yard)
    residency = deciding.register(declaration, "office").residency
    assert residency is not None
    for day in (today() + DAY, today() - 99 * DAY):
        with pytest.raises(BadDeclaration):
            own_desk.end(key(code), residency, day)
    with pytest.raises(BadDeclaration):
        own_desk.end(key(code), residency + 1, today())
    own_desk.end(key(code), residency, today() - DAY)
    current, before = own_desk.look(key(code)).residencies
    assert (current.until, before.until) == (today(), None)
    assert before.recorded_until is not None


def test_a_correction_asked_for_waits_for_the_registrar_and_is_seen_by_the_resident(yard: Dwelling) -> None:
    declaration, code = declared(yard)
    residency = deciding.register(declaration, "office").residency
    assert residency is not None
    asked = own_desk.ask_correction(key(code), declarer(hukou="640106"), residency, today() - 5 * DAY, None)
    assert [row.id for row in declarations.find_open("office")] == [asked]
    assert [row.status for row in own_desk.look(key(code)).declarations] == ["waiting", "registered"]
    deciding.register(asked, "office")
    current = own_desk.look(key(code)).residencies[0]
    assert (current.category, current.start) == ("permanent", today() - 5 * DAY)


def test_every_visit_leaves_one_record_and_without_it_nothing_is_seen(
    yard: Dwelling, monkeypatch: pytest.MonkeyPatch
) -> None:
    declaration, code = declared(yard)
    deciding.register(declaration, "office")
    own_desk.look(key(code))
    visits = [row for row in own_desk.look(key(code)).accesses if row.act == "own record"]
    assert len(visits) == 2
    assert visits[0].fields == [
        *("name", "doc_type", "id_number", "birth_date", "sex", "hukou_code", "dwelling", "during", "accesses")
    ]

    def refuse(*_: Any) -> None:  # noqa: ANN401
        message = "the log cannot be written"
        raise OSError(message)

    monkeypatch.setattr(own_desk, "record", refuse)
    with pytest.raises(OSError, match="log"):
        own_desk.look(key(code))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM reg.persons",
        "SELECT count(*) FROM reg.residencies",
        "SELECT count(*) FROM reg.declarations",
        "SELECT count(*) FROM reg.access_records",
    ],
)
def test_the_desks_role_sees_nothing_without_a_receipt(yard: Dwelling, statement: str) -> None:
    declaration, _ = declared(yard)
    deciding.register(declaration, "office")
    for settings in ({}, {"receipt": "", "document": ""}, {"receipt": "00", "document": "00"}):
        with session.open("resident_desk", actor="(resident)", purpose="resident_request") as connection:
            for setting, value in settings.items():
                connection.execute(
                    text("SELECT set_config('menpai.' || :setting, :value, true)"),
                    {"setting": setting, "value": value},
                )
            assert connection.execute(text(statement)).scalar_one() == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reg.residencies SET recorded_until = now()",
        "UPDATE reg.persons SET hukou_code = 1",
        "DELETE FROM reg.access_records",
        "SELECT calc.end_earlier(1)",
        "SELECT * FROM reg.roster_rows",
        "SELECT * FROM reg.accounts",
    ],
)
def test_the_desks_role_writes_nothing_by_hand(yard: Dwelling, statement: str) -> None:
    assert yard
    with pytest.raises(DBAPIError, match="permission denied"), session.open("resident_desk") as connection:
        connection.execute(text(statement))
