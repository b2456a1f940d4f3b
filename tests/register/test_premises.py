"""Premises live by verbs: every act is an event that keeps what was before, and the site answers for its facts."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import shapely
from sqlalchemy import Connection

from gis.errors import (
    BadArgument,
    BadStructure,
    EvidenceMissing,
    PremisesClosed,
    PremisesNotFound,
    PremisesTaken,
    UnknownDivision,
)
from gis.register import acts, batches, premises
from gis.register.acts import Act
from gis.register.premises import Site
from gis.register.sheets import ImportOptions
from gis.store import session
from gis.terms import PremisesKind

JINFENG = 640_106_000_000
ACT = Act("wang", reason="desk", source_document="安监〔2026〕1号")
SITE = Site("甲工地", JINFENG, responsible_organisation="宁夏某建设公司", permit="施许2026-1", capacity_persons=80)
DAY = dt.date.fromisoformat


def in_days(days: int) -> dt.date:
    return acts.today() + dt.timedelta(days=days)


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """Yield a registrar's session on an empty register."""
    assert database
    with session.open("registrar", actor="wang") as opened:
        yield opened


@pytest.fixture
def site(connection: Connection) -> int:
    """Register a construction site; return its number."""
    return premises.register(connection, SITE, ACT).premises_id


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"name": " "}, BadStructure),
        ({"name": "工" * 201}, BadStructure),
        ({"name": "甲\0"}, BadStructure),
        ({"responsible_organisation": "司" * 201}, BadStructure),
        ({"kind": "camp"}, BadStructure),
        ({"division_code": 640_400_000_000 + 99}, UnknownDivision),
        ({"capacity_persons": -1}, BadStructure),
        ({"toilets": 10**6}, BadStructure),
        ({"permit_until": DAY("9999-01-01")}, BadStructure),
    ],
)
def test_a_site_that_cannot_be_is_refused(
    connection: Connection, wrong: dict[str, Any], error: type[Exception]
) -> None:
    known: dict[str, Any] = {"name": "乙工地", "division_code": JINFENG}
    with pytest.raises(error):
        premises.register(connection, Site(**(known | wrong)), ACT)


def test_two_open_sites_of_a_division_have_two_names(connection: Connection, site: int) -> None:
    with pytest.raises(PremisesTaken, match=str(site)):
        premises.register(connection, Site(" 甲工地 ", JINFENG), ACT)
    other = premises.register(connection, Site("乙工地", JINFENG), ACT).premises_id
    with pytest.raises(PremisesTaken):
        premises.change(connection, other, {"name": "甲工地"}, ACT)
    premises.close(connection, site, ACT)
    assert premises.register(connection, SITE, ACT).premises_id != site


ON_NOBODY: list[Callable[[Connection], object]] = [
    lambda opened: premises.get(opened, 7),
    lambda opened: premises.correct(opened, 7, {"water": True}, ACT),
    lambda opened: premises.change(opened, 7, {"water": True}, ACT),
    lambda opened: premises.renew(opened, 7, in_days(9), ACT),
    lambda opened: premises.check(opened, 7, "住建局", ACT),
    lambda opened: premises.close(opened, 7, ACT),
]


@pytest.mark.parametrize("verb", ON_NOBODY)
def test_premises_nobody_knows_are_not_found(connection: Connection, verb: Callable[[Connection], object]) -> None:
    with pytest.raises(PremisesNotFound, match="7"):
        verb(connection)


def test_an_act_to_come_or_too_long_to_keep_is_refused(connection: Connection, site: int) -> None:
    for act in (Act("wang", happened_on=in_days(1)), Act("wang", reason="因" * 201)):
        with pytest.raises(BadArgument):
            premises.change(connection, site, {"water": True}, act)
    assert len(premises.find_events(connection, site)) == 1


def test_a_permit_is_renewed_by_a_paper_and_forwards_only(connection: Connection, site: int) -> None:
    with pytest.raises(EvidenceMissing):
        premises.renew(connection, site, in_days(90), Act("wang"))
    with pytest.raises(EvidenceMissing):
        premises.renew(connection, site, in_days(90), Act("wang", source_document="  "))
    with pytest.raises(BadStructure):
        premises.renew(connection, site, in_days(-1), ACT)
    premises.renew(connection, site, in_days(90), ACT, permit="施许2026-9")
    for days in (90, 30):
        with pytest.raises(BadStructure, match="on record"):
            premises.renew(connection, site, in_days(days), ACT)
    row = premises.get(connection, site)
    assert (row.permit, row.permit_until) == ("施许2026-9", in_days(90))


def test_a_safety_check_has_a_day_a_body_and_a_paper(connection: Connection, site: int) -> None:
    with pytest.raises(EvidenceMissing):
        premises.check(connection, site, "金凤区住建局", Act("wang"))
    with pytest.raises(BadStructure):
        premises.check(connection, site, " ", ACT)
    with pytest.raises(BadArgument, match="still to come"):
        premises.check(connection, site, "金凤区住建局", Act("wang", source_document="1", happened_on=in_days(1)))
    premises.check(connection, site, "金凤区住建局", Act("wang", source_document="1", happened_on=in_days(-3)))
    with pytest.raises(BadStructure, match="on record"):
        premises.check(connection, site, "消防队", Act("wang", source_document="2", happened_on=in_days(-4)))
    row = premises.get(connection, site)
    assert (row.safety_checked_on, row.safety_checked_by) == (in_days(-3), "金凤区住建局")


def test_a_change_touches_facts_only_and_says_something(connection: Connection, site: int) -> None:
    for fields in ({"permit_until": in_days(9)}, {"closed_on": None}, {"safety_checked_on": in_days(0)}, {"id": 9}):
        with pytest.raises(BadStructure, match="cannot be set"):
            premises.change(connection, site, fields, ACT)
    with pytest.raises(BadStructure, match="nothing is different"):
        premises.change(connection, site, {"capacity_persons": 80}, ACT)
    with pytest.raises(BadStructure, match="name"):
        premises.change(connection, site, {"name": None}, ACT)
    with pytest.raises(BadStructure, match="body"):
        premises.correct(connection, site, {"safety_checked_on": in_days(-1)}, ACT)
    premises.change(connection, site, {"capacity_persons": 60, "water": True, "kind": PremisesKind.COMPOUND}, ACT)
    row = premises.get(connection, site)
    assert (row.capacity_persons, row.water, row.kind, row.permit) == (60, True, "compound", "施许2026-1")


def test_a_closed_site_lives_on_only_where_its_closing_was_wrong(connection: Connection, site: int) -> None:
    premises.close(connection, site, ACT)
    with pytest.raises(PremisesClosed, match="甲工地"):
        premises.close(connection, site, ACT)
    with pytest.raises(PremisesClosed):
        premises.change(connection, site, {"water": True}, ACT)
    with pytest.raises(PremisesClosed):
        premises.renew(connection, site, in_days(90), ACT)
    with pytest.raises(PremisesClosed):
        premises.check(connection, site, "住建局", ACT)
    premises.correct(connection, site, {"closed_on": None}, ACT)
    premises.change(connection, site, {"water": True}, ACT)
    assert premises.get(connection, site).closed_on is None


def test_every_act_is_one_event_that_keeps_what_was_before(connection: Connection, site: int) -> None:
    premises.change(connection, site, {"toilets": 4}, Act("li", reason="扩建", happened_on=in_days(-2)))
    premises.correct(connection, site, {"toilets": 6}, ACT)
    premises.close(connection, site, ACT)
    events = premises.find_events(connection, site)
    assert [event.verb for event in events] == ["register", "change", "correct", "close"]
    assert [(event.before or {}).get("toilets") for event in events] == [None, None, 4, 6]
    assert (events[1].actor, events[1].reason, events[1].happened_on) == ("li", "扩建", in_days(-2))
    assert events[0].before is None
    assert events[1].before["responsible_organisation"] == "宁夏某建设公司"


def test_premises_can_be_read_as_they_were_recorded_at_any_moment(connection: Connection, site: int) -> None:
    moments = [connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()]
    for toilets in (1, 2):
        premises.change(connection, site, {"toilets": toilets}, ACT)
        moments.append(connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one())
    found = [premises.find_as_recorded(connection, site, moment) for moment in moments]
    assert [known and known["toilets"] for known in found] == [None, 1, 2]
    assert premises.find_as_recorded(connection, site, moments[0] - dt.timedelta(days=1)) is None


def test_the_same_act_sent_twice_is_done_once(connection: Connection) -> None:
    act = Act("wang", source_document="1", client_uuid=uuid.uuid4())
    first, second = (premises.register(connection, SITE, act) for _ in range(2))
    assert (second.premises_id, second.event_id, second.repeated) == (first.premises_id, first.event_id, True)
    check = Act("wang", source_document="1", client_uuid=uuid.uuid4())
    for _ in range(2):
        premises.check(connection, first.premises_id, "住建局", check)
    assert len(premises.find_events(connection, first.premises_id)) == 2


@pytest.mark.usefixtures("database")
def test_premises_that_an_import_made_known_have_its_event(make_rows: Callable[..., Any]) -> None:
    shapes = [shapely.Point(106.2 + step / 1000, 38.4) for step in range(2)]
    rows = make_rows(
        shapes, kind=["work_shed"] * 2, premises=["丙工地"] * 2, valid_to=["2030-01-01"] * 2, source_id=["1", "2"]
    )
    batches.import_buildings(rows, ImportOptions(source="test", file_name="test", actor="importer"))
    with session.open("registrar") as connection:
        sheds = connection.exec_driver_sql("SELECT DISTINCT premises_id FROM reg.buildings").scalars().all()
        assert len(sheds) == 1
        events = premises.find_events(connection, sheds[0])
        assert [(event.verb, event.actor, event.batch_id) for event in events] == [("register", "importer", 1)]
        premises.close(connection, sheds[0], ACT)
    more = make_rows([shapely.Point(106.203, 38.4)], kind=["work_shed"], premises=["丙工地"], valid_to=["2030-01-01"])
    assert batches.import_buildings(more, ImportOptions(source="b", file_name="b", actor="importer")).registered == 1
    with session.open("registrar") as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM reg.premises").scalar_one() == 2


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM reg.premises",
        "TRUNCATE reg.premises CASCADE",
        "DELETE FROM reg.premises_events",
        "UPDATE reg.premises_events SET actor = 'another'",
        "DELETE FROM reg.inspections",
        "UPDATE reg.inspections SET found = 'gone'",
        "UPDATE reg.premises SET toilets = -1",
        "UPDATE reg.premises SET safety_checked_on = '2026-01-01'",
        (
            "INSERT INTO reg.premises_events (premises_id, verb, actor, before)"
            " SELECT id, 'renew', 'x', '{}' FROM reg.premises"
        ),
        "INSERT INTO reg.premises_events (premises_id, verb, actor) SELECT id, 'change', 'x' FROM reg.premises",
        (
            "INSERT INTO reg.inspections (building_number, found, inspected_on, actor, seq)"
            " VALUES (153273413646, 'gone', '2026-01-01', 'x', 1)"
        ),
    ],
)
def test_the_database_itself_refuses_to_forget_a_site_or_to_take_nonsense(database: str, statement: str) -> None:
    with session.open("registrar", actor="wang") as connection:
        premises.register(connection, SITE, ACT)
    with psycopg.connect(database) as owner, pytest.raises(psycopg.errors.IntegrityError):
        owner.execute(statement.encode())


@pytest.mark.usefixtures("database")
def test_what_a_site_offers_is_for_the_desk_and_planners() -> None:
    with session.open("registrar", actor="wang") as connection:
        premises.register(connection, SITE, ACT)
    with session.open("planner") as connection:
        assert connection.exec_driver_sql("SELECT capacity_persons FROM reg.premises").scalar_one() == 80
    with session.open("public") as connection:
        assert connection.exec_driver_sql("SELECT name FROM reg.premises").scalar_one() == "甲工地"
        with pytest.raises(Exception, match="permission denied"):
            connection.exec_driver_sql("SELECT capacity_persons FROM reg.premises")
