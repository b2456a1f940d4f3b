"""A shed expires, is inspected and renewed on evidence; on the day itself nothing ends."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import shapely
from sqlalchemy import Connection

from gis.errors import (
    BadArgument,
    BadStructure,
    BeyondPermit,
    BuildingNotFound,
    EvidenceMissing,
    NotInThatState,
    PremisesClosed,
    PremisesNotFound,
    UnknownDivision,
)
from gis.register import acts, buildings, due, history, premises, sheds
from gis.register.acts import Act
from gis.register.buildings import Amendment
from gis.register.due import Due
from gis.register.premises import Site
from gis.register.structures import Structure
from gis.store import session
from gis.terms import BuildingKind, DueReason, Found, PremisesKind

JINFENG = 640_106_000_000
ACT = Act("wang", reason="desk")
PAPER = Act("wang", source_document="住建〔2026〕8号")
LONG_AGO = dt.date(2020, 1, 1)


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
    """Register a construction site, checked today, whose permit runs for a year; return its number."""
    known = Site("甲工地", JINFENG, responsible_organisation="某建设公司", permit_until=in_days(365))
    made = premises.register(connection, known, ACT).premises_id
    premises.check(connection, made, "金凤区住建局", PAPER)
    return made


def put_up(connection: Connection, site: int, step: int, expires_in: int, **said: Any) -> int:  # noqa: ANN401
    """Register one of a row of sheds that expires in so many days; return its number."""
    west = 106.2 + step * 0.001
    structure = Structure(
        shapely.box(west, 38.4, west + 0.0002, 38.4002),
        kind=BuildingKind.WORK_SHED,
        premises_id=site,
        expires_on=in_days(expires_in),
        **said,
    )
    return buildings.register(connection, structure, Act("wang", happened_on=LONG_AGO)).numbers[0]


def state(connection: Connection, number: int) -> tuple[str, dt.date | None]:
    last = history.find_versions(connection, number)[-1].state
    return last.status, last.expires_on


def reasons(found: list[Due]) -> dict[int | None, set[DueReason]]:
    """Return why each structure is due; None stands for the one site."""
    return {one.number: set(one.reasons) for one in found}


def test_inspecting_what_is_not_there_any_more_is_refused(connection: Connection, site: int) -> None:
    shed = put_up(connection, site, 0, -1)
    with pytest.raises(BuildingNotFound):
        sheds.inspect(connection, 153_273_413_646, Found.STILL_THERE, ACT)
    buildings.demolish(connection, shed, ACT)
    for found in Found:
        with pytest.raises(NotInThatState, match="demolished"):
            sheds.inspect(connection, shed, found, ACT)
    with pytest.raises(NotInThatState):
        sheds.renew(connection, [shed], in_days(30), PAPER)
    assert sheds.find_inspections(connection, shed) == []


def test_an_inspection_to_come_or_of_a_house_that_stands_for_good_is_refused(connection: Connection, site: int) -> None:
    shed = put_up(connection, site, 0, -1)
    with pytest.raises(BadArgument, match="still to come"):
        sheds.inspect(connection, shed, Found.GONE, Act("wang", happened_on=in_days(1)))
    house = buildings.register(connection, Structure(shapely.Point(106.25, 38.4)), ACT).numbers[0]
    with pytest.raises(BadStructure, match="for good"):
        sheds.inspect(connection, house, Found.STILL_THERE, ACT)
    assert state(connection, shed) == ("active", in_days(-1))


def test_a_renewal_without_evidence_into_the_past_or_for_ever_is_refused(connection: Connection, site: int) -> None:
    shed = put_up(connection, site, 0, 10)
    for act in (ACT, Act("wang", source_document=" ")):
        with pytest.raises(EvidenceMissing):
            sheds.renew(connection, [shed], in_days(60), act)
    for days in (-1, 0, 5, 10, 365 * 6):
        with pytest.raises(BadStructure):
            sheds.renew(connection, [shed], in_days(days), PAPER)
    with pytest.raises(BadStructure, match="at once"):
        sheds.renew(connection, [], in_days(60), PAPER)
    assert state(connection, shed) == ("active", in_days(10))


def test_no_renewal_goes_beyond_the_permit_or_outlives_the_site(connection: Connection, site: int) -> None:
    shed = put_up(connection, site, 0, 10)
    with pytest.raises(BeyondPermit, match="甲工地"):
        sheds.renew(connection, [shed], in_days(366), PAPER)
    sheds.renew(connection, [shed], in_days(365), PAPER)
    premises.close(connection, site, ACT)
    with pytest.raises(PremisesClosed):
        sheds.renew(connection, [shed], in_days(400), PAPER)
    assert state(connection, shed) == ("active", in_days(365))


def test_a_change_or_correction_is_no_way_round_evidence_and_permit(connection: Connection, site: int) -> None:
    shed = put_up(connection, site, 0, 10)
    for verb in (buildings.change, buildings.correct):
        with pytest.raises(EvidenceMissing):
            verb(connection, shed, Amendment({"expires_on": in_days(20)}), ACT)
        with pytest.raises(BeyondPermit):
            verb(connection, shed, Amendment({"expires_on": in_days(400)}), PAPER)
    buildings.change(connection, shed, Amendment({"expires_on": in_days(5)}), ACT)
    buildings.change(connection, shed, Amendment({"expires_on": in_days(20)}), PAPER)
    assert state(connection, shed) == ("active", in_days(20))


def test_on_its_day_a_shed_is_due_and_stays_as_it_is(connection: Connection, site: int) -> None:
    ending, standing = put_up(connection, site, 0, 0), put_up(connection, site, 1, 40)
    soon = put_up(connection, site, 2, 30, standard_address="银川市金凤区甲工地3号工棚")
    found = due.find_due(connection)
    assert [one.number for one in found] == [ending, soon]
    assert reasons(found) == {ending: {DueReason.EXPIRED}, soon: {DueReason.EXPIRING}}
    assert (found[1].standard_address, found[1].premises) == ("银川市金凤区甲工地3号工棚", "甲工地")
    assert state(connection, ending) == ("active", in_days(0))
    assert [one.number for one in due.find_due(connection, within_days=0)] == [ending]
    assert [one.number for one in due.find_due(connection, on=in_days(10))] == [ending, soon, standing]


def test_a_shed_that_is_gone_is_demolished_by_the_inspection_itself(connection: Connection, site: int) -> None:
    shed = put_up(connection, site, 0, -5)
    done = sheds.inspect(connection, shed, Found.GONE, Act("li", happened_on=in_days(-1), reason="现场检查"))
    assert state(connection, shed)[0] == "demolished"
    last = history.find_events(connection, shed)[-1]
    assert (last.seq, last.verb, last.actor, last.happened_on) == (done.seq, "demolish", "li", in_days(-1))
    [kept] = sheds.find_inspections(connection, shed)
    assert (kept["found"], kept["inspected_on"], kept["seq"]) == ("gone", in_days(-1), done.seq)
    assert due.find_due(connection) == []


def test_a_shed_that_is_still_there_stays_due_until_it_is_renewed(connection: Connection, site: int) -> None:
    shed = put_up(connection, site, 0, -5)
    sheds.inspect(connection, shed, Found.STILL_THERE, ACT)
    [one] = due.find_due(connection)
    assert (one.number, one.found, one.inspected_on) == (shed, Found.STILL_THERE, in_days(0))
    done = sheds.renew(connection, [shed], in_days(100), PAPER)
    assert due.find_due(connection) == []
    event = history.find_events(connection, shed)[-1]
    assert (event.seq, event.verb, event.source_document) == (done.seq, "change", "住建〔2026〕8号")
    assert [version.state.expires_on for version in history.find_versions(connection, shed)] == [
        in_days(-5),
        in_days(100),
    ]


def test_a_shed_found_changed_is_due_until_the_register_says_so_too(connection: Connection, site: int) -> None:
    shed = put_up(connection, site, 0, 300)
    sheds.inspect(connection, shed, Found.CHANGED, ACT)
    assert reasons(due.find_due(connection)) == {shed: {DueReason.FOUND_CHANGED}}
    buildings.change(connection, shed, Amendment({"floors": 2}), ACT)
    assert due.find_due(connection) == []


def test_all_sheds_of_a_site_are_renewed_by_one_act_or_none_is(connection: Connection, site: int) -> None:
    first, second, later = (put_up(connection, site, step, days) for step, days in enumerate((5, -5, 200)))
    with pytest.raises(PremisesNotFound):
        sheds.renew_site(connection, 999, in_days(100), PAPER)
    with pytest.raises(BeyondPermit):
        sheds.renew_site(connection, site, in_days(366), PAPER)
    assert state(connection, first) == ("active", in_days(5))
    act = Act("wang", source_document="住建〔2026〕9号", client_uuid=uuid.uuid4())
    done = sheds.renew_site(connection, site, in_days(100), act)
    assert set(done.numbers) == {first, second}
    assert [state(connection, shed)[1] for shed in (first, second, later)] == [in_days(100), in_days(100), in_days(200)]
    again = sheds.renew_site(connection, site, in_days(100), act)
    assert (again.seq, again.repeated) == (done.seq, True)
    with pytest.raises(BadStructure, match="earlier"):
        sheds.renew_site(connection, site, in_days(100), PAPER)
    buildings.revert(connection, done.seq, ACT)
    assert state(connection, second) == ("active", in_days(-5))


def test_the_same_inspection_sent_twice_is_recorded_once(connection: Connection, site: int) -> None:
    shed = put_up(connection, site, 0, -5)
    act = Act("wang", client_uuid=uuid.uuid4())
    first, second = (sheds.inspect(connection, shed, Found.GONE, act) for _ in range(2))
    assert (second.inspection_id, second.seq, second.repeated) == (first.inspection_id, first.seq, True)
    assert len(sheds.find_inspections(connection, shed)) == 1


def test_a_moved_shed_has_a_new_number_and_the_old_one_is_not_due(connection: Connection, site: int) -> None:
    shed = put_up(connection, site, 0, -5)
    elsewhere = Structure(
        shapely.Point(106.29, 38.45), kind=BuildingKind.WORK_SHED, premises_id=site, expires_on=in_days(3)
    )
    _, new = buildings.move(connection, shed, elsewhere, ACT).numbers
    assert reasons(due.find_due(connection)) == {new: {DueReason.EXPIRING}}


def test_a_site_is_due_for_its_permit_its_check_and_its_capacity(connection: Connection) -> None:
    known = Site("乙工地", JINFENG, permit_until=in_days(-1), capacity_persons=2)
    site = premises.register(connection, known, ACT).premises_id
    put_up(connection, site, 0, -9, entrances=1, floors=1, rooms_per_floor=3)
    [unchecked] = [one for one in due.find_due(connection) if one.number is None]
    assert (unchecked.premises_id, unchecked.due_on) == (site, None)
    assert set(unchecked.reasons) == {DueReason.PERMIT_ENDED, DueReason.CHECK_MISSING, DueReason.OVER_CAPACITY}
    year_ago = acts.today().replace(year=acts.today().year - 1, day=min(acts.today().day, 28))
    premises.check(connection, site, "住建局", Act("wang", source_document="1", happened_on=year_ago))
    premises.renew(connection, site, in_days(20), PAPER)
    premises.change(connection, site, {"capacity_persons": 3}, ACT)
    assert reasons(due.find_due(connection))[None] == {DueReason.PERMIT_ENDING} | (
        set() if year_ago.day == acts.today().day else {DueReason.CHECK_OLD}
    )
    assert DueReason.CHECK_OLD in reasons(due.find_due(connection, on=in_days(1)))[None]


def test_estates_of_permanent_houses_are_not_due_for_a_yearly_check(connection: Connection) -> None:
    premises.register(connection, Site("丙小区", JINFENG, kind=PremisesKind.ESTATE), ACT)
    assert due.find_due(connection) == []
    premises.register(connection, Site("丁工地", JINFENG), ACT)
    assert reasons(due.find_due(connection)) == {None: {DueReason.CHECK_MISSING}}


def test_what_stands_on_a_closed_site_or_longer_than_its_permit_is_due(connection: Connection, site: int) -> None:
    shed = put_up(connection, site, 0, 400)
    assert reasons(due.find_due(connection)) == {shed: {DueReason.BEYOND_PERMIT}}
    premises.close(connection, site, ACT)
    assert reasons(due.find_due(connection)) == {shed: {DueReason.BEYOND_PERMIT, DueReason.SITE_CLOSED}}
    assert state(connection, shed) == ("active", in_days(400))


def test_a_due_list_is_of_a_division_and_comes_in_pages(connection: Connection, site: int) -> None:
    numbers = [put_up(connection, site, step, step - 9) for step in range(4)]
    assert [one.number for one in due.find_due(connection, JINFENG)] == numbers
    assert due.find_due(connection, 640_104_000_000) == []
    pages = [due.find_due(connection, limit=3, offset=offset) for offset in (0, 3)]
    assert [one.number for page in pages for one in page] == numbers
    with pytest.raises(UnknownDivision):
        due.find_due(connection, 650_000_000_000)
    for days in (-1, 367):
        with pytest.raises(BadArgument):
            due.find_due(connection, within_days=days)
