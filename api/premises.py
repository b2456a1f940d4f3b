"""The desk for sites and what stands on them for a time: each verb is a door, for registrars of that division."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query
from fastapi.responses import Response
from pydantic import AwareDatetime
from sqlalchemy import Connection

from api import acting, answers, errors
from api.accounts import Caller
from api.acting import Said, Words
from api.jurisdiction import may_register
from api.registering import Number
from api.signing_in import Token, signed_in
from gis.errors import NotAllowed, PremisesNotFound
from gis.register import acts, due, premises, sheds
from gis.register.acts import Act
from gis.register.divisions import parse_code
from gis.register.due import Due
from gis.register.premises import Recorded, Site
from gis.store import session
from gis.terms import Found, PremisesKind, Role

router = APIRouter(tags=["premises 院落、小区、工地"])
REFUSALS = errors.documented(401, 403, 404, 409, 422, 503)
READING = errors.documented(401, 403, 404, 422, 503)
MOST_LISTED = 1000
Id = Annotated[int, Path(ge=1, le=2**31 - 1, description="the premises' number in the register")]
Place = Annotated[int, Query(ge=0, le=10**7, description="how many to pass over: 'next' of the page before")]
Verb = Callable[[Connection, Act], Recorded]


class Facts(Said):
    """What a site offers those it houses; how many it does house is asked nowhere here."""

    responsible_organisation: Words | None = None
    capacity_persons: int | None = None
    water: bool | None = None
    toilets: int | None = None
    exits: int | None = None
    fire_extinguishers: int | None = None


class SiteBody(Facts):
    """New premises."""

    name: Words
    division: Words
    kind: PremisesKind = PremisesKind.CONSTRUCTION_SITE
    permit: Words | None = None
    permit_until: dt.date | None = None


class ChangeBody(Facts):
    """What is another now; a field that is not named stays, one that is null becomes unknown."""

    name: Words | None = None
    kind: PremisesKind | None = None


class CorrectionBody(ChangeBody):
    """What the record had wrong."""

    division: Words | None = None
    permit: Words | None = None
    permit_until: dt.date | None = None
    safety_checked_on: dt.date | None = None
    safety_checked_by: Words | None = None
    closed_on: dt.date | None = None


class RenewalBody(Said):
    """A permit that was extended, with its new number where it has one; source_document is the evidence."""

    permit_until: dt.date
    permit: Words | None = None


class CheckBody(Said):
    """A safety check: on happened_on, by a body, which wrote source_document."""

    checked_by: Words


class TermBody(Said):
    """The day until which what stands for a time may stand; source_document is the evidence."""

    expires_on: dt.date


class InspectionBody(Said):
    """What an inspection found on happened_on, today where that is not named."""

    found: Found


@router.get("/api/premises/due", responses=READING)
def due_list(  # noqa: PLR0913, PLR0917 - each is a parameter of the query
    token: Token,
    division: Annotated[str | None, Query(max_length=12, description="code of 2 to 12 digits")] = None,
    on: dt.date | None = None,
    within_days: Annotated[int, Query(ge=0, le=due.MOST_DAYS)] = due.WITHIN_DAYS,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 100,
    offset: Place = 0,
) -> Response:
    """Return structures and sites that are due for inspection, with every reason, what is due first first."""
    who = _reader(token)
    code = None if division is None else parse_code(division)
    with session.open(who.database_role) as connection:
        found = due.find_due(connection, code, on, within_days, limit=limit + 1, offset=offset)
    return answers.json(
        {
            "on": on or acts.today(),
            "due": [_due(one) for one in found[:limit]],
            "next": offset + limit if len(found) > limit else None,
        }
    )


@router.get("/api/premises", responses=READING)
def find(
    token: Token,
    division: Annotated[str, Query(max_length=12, description="code of 2 to 12 digits")],
    name: Annotated[str, Query(max_length=200, description="a part of the name")] = "",
) -> Response:
    """Return the open premises of a division by a part of their name, a hundred at most."""
    who = _reader(token)
    with session.open(who.database_role) as connection:
        rows = premises.find_premises(connection, parse_code(division), name)
    return answers.json({"premises": [_described(row._asdict()) for row in rows]})


@router.get("/api/premises/{premises_id}", responses=READING)
def one(
    premises_id: Id,
    token: Token,
    recorded_at: Annotated[AwareDatetime | None, Query(description="as the register knew it then")] = None,
) -> Response:
    """Return premises with what their site offers, what stands there for a time now, and what happened to them."""
    who = _reader(token)
    with session.open(who.database_role) as connection:
        known: Mapping[str, Any] | None = premises.get(connection, premises_id)._asdict()
        if recorded_at is not None:
            known = premises.find_as_recorded(connection, premises_id, recorded_at)
        standing = sheds.find_standing(connection, premises_id)
        events = premises.find_events(connection, premises_id)
    if known is None:
        raise PremisesNotFound(premises_id=premises_id)
    structures = [{"number": str(number), "expires_on": day} for number, day in standing.items()]
    return answers.json(
        _described(known) | {"structures": structures, "events": [_event(event._asdict()) for event in events]}
    )


@router.post("/api/premises", status_code=201, responses=REFUSALS)
def register(body: SiteBody, token: Token) -> Response:
    """Make premises known. Asked again with the same client_uuid, nothing is done."""
    who = signed_in(token)
    fields = _fields(body)
    with session.open("registrar", actor=who.name) as connection:
        done = premises.register(connection, Site(**fields), acting.act_of(who, body))
        may_register(who, premises.get(connection, done.premises_id).division_code)
    return _told(done, 200 if done.repeated else 201)


@router.post("/api/premises/{premises_id}/correct", responses=REFUSALS)
def correct(premises_id: Id, body: CorrectionBody, token: Token) -> Response:
    """Put the record of premises right, closed ones too."""
    fields = _fields(body)
    return _act(token, premises_id, body, lambda c, act: premises.correct(c, premises_id, fields, act))


@router.post("/api/premises/{premises_id}/change", responses=REFUSALS)
def change(premises_id: Id, body: ChangeBody, token: Token) -> Response:
    """Record that a site is another now; permit, checks and its end have doors of their own."""
    fields = _fields(body)
    return _act(token, premises_id, body, lambda c, act: premises.change(c, premises_id, fields, act))


@router.post("/api/premises/{premises_id}/renew", responses=REFUSALS)
def renew(premises_id: Id, body: RenewalBody, token: Token) -> Response:
    """Record that the permit was extended, on evidence."""
    return _act(
        token, premises_id, body, lambda c, act: premises.renew(c, premises_id, body.permit_until, act, body.permit)
    )


@router.post("/api/premises/{premises_id}/check", responses=REFUSALS)
def check(premises_id: Id, body: CheckBody, token: Token) -> Response:
    """Record that a body checked the site's safety, and the paper it wrote."""
    return _act(token, premises_id, body, lambda c, act: premises.check(c, premises_id, body.checked_by, act))


@router.post("/api/premises/{premises_id}/close", responses=REFUSALS)
def close(premises_id: Id, token: Token, body: Annotated[Said | None, Body()] = None) -> Response:
    """Record that the site is no more; what stands on it is due for inspection."""
    return _act(token, premises_id, body or Said(), lambda c, act: premises.close(c, premises_id, act))


@router.post("/api/premises/{premises_id}/sheds/renew", responses=REFUSALS)
def renew_sheds(premises_id: Id, body: TermBody, token: Token) -> Response:
    """Let all of a site's structures that were to go earlier stand until a day, on evidence: one act."""
    who = signed_in(token)
    with session.open("registrar", actor=who.name) as connection:
        may_register(who, premises.get(connection, premises_id).division_code)
        done = sheds.renew_site(connection, premises_id, body.expires_on, acting.act_of(who, body))
        acting.check_jurisdiction(connection, who, done.numbers)
    return acting.told(done)


@router.post("/api/premises/sheds/{number}/renew", responses=REFUSALS)
def renew_shed(number: Number, body: TermBody, token: Token) -> Response:
    """Let a work shed stand until another day, on evidence, as long as its site's permit allows."""
    who = signed_in(token)
    wanted = acting.number_of(number)
    with session.open("registrar", actor=who.name) as connection:
        acting.check_jurisdiction(connection, who, [wanted])
        done = sheds.renew(connection, [wanted], body.expires_on, acting.act_of(who, body))
        acting.check_jurisdiction(connection, who, done.numbers)
    return acting.told(done)


@router.post("/api/premises/sheds/{number}/inspect", responses=REFUSALS)
def inspect(number: Number, body: InspectionBody, token: Token) -> Response:
    """Record what an inspection found; a shed that is gone is demolished by it, and its residencies wait."""
    who = signed_in(token)
    wanted = acting.number_of(number)
    with session.open("registrar", actor=who.name) as connection:
        acting.check_jurisdiction(connection, who, [wanted])
        done = sheds.inspect(connection, wanted, body.found, acting.act_of(who, body))
        acting.check_jurisdiction(connection, who, [done.number])
    return answers.json(
        {
            "inspection": done.inspection_id,
            "number": str(done.number),
            "found": done.found,
            "seq": done.seq,
            "repeated": done.repeated,
        }
    )


@router.get("/api/premises/sheds/{number}/inspections", responses=READING)
def inspections(number: Number, token: Token) -> Response:
    """Return what inspections found of a structure, in the order in which it became known."""
    who = _reader(token)
    wanted = acting.number_of(number)
    names = ("id", "found", "inspected_on", "actor", "reason", "source_document", "seq", "recorded_at")
    with session.open(who.database_role) as connection:
        found = sheds.find_inspections(connection, wanted)
    return answers.json({"inspections": [{name: row[name] for name in names} for row in found]})


def _act(token: str | None, premises_id: int, said: Said, verb: Verb) -> Response:
    """Let a registrar of their division do something to premises; where they are then must be theirs as well."""
    who = signed_in(token)
    with session.open("registrar", actor=who.name) as connection:
        may_register(who, premises.get(connection, premises_id).division_code)
        done = verb(connection, acting.act_of(who, said))
        may_register(who, premises.get(connection, done.premises_id).division_code)
    return _told(done)


def _fields(body: Facts) -> dict[str, Any]:
    """Return the fields a body names, as the register calls them; raises UnknownDivision."""
    fields = {name: getattr(body, name) for name in body.model_fields_set if name not in Said.model_fields}
    if "division" in fields:
        code = fields.pop("division")
        fields["division_code"] = None if code is None else parse_code(code)
    return fields


def _reader(token: str | None) -> Caller:
    """Return who asks; raises NotAllowed for an account that is neither registrar nor planner."""
    who = signed_in(token)
    if not (who.has(Role.REGISTRAR) or who.has(Role.PLANNER)):
        raise NotAllowed(who=who.name, what="read what a site offers and what is due there")
    return who


def _told(done: Recorded, status: int = 200) -> Response:
    """Return what an act upon premises did."""
    return answers.json({"premises": done.premises_id, "event": done.event_id, "repeated": done.repeated}, status)


def _described(known: Mapping[str, Any]) -> dict[str, Any]:
    """Return premises as the interface words them."""
    described = dict(known)
    return described | {"division_code": str(described["division_code"])}


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what happened to premises as the interface words it."""
    names = ("id", "verb", "actor", "reason", "source_document", "happened_on", "recorded_at")
    before = event["before"]
    told = {name: event[name] for name in names} | {"batch": event["batch_id"]}
    return told | {"before": None if before is None else _described(before)}


def _due(one_due: Due) -> dict[str, Any]:
    """Return what is due as the interface words it."""
    return {
        "number": None if one_due.number is None else str(one_due.number),
        "premises": {"id": one_due.premises_id, "name": one_due.premises},
        "responsible_organisation": one_due.responsible_organisation,
        "division": str(one_due.division_code),
        "standard_address": one_due.standard_address,
        "due_on": one_due.due_on,
        "reasons": one_due.reasons,
        "last_inspection": None if one_due.found is None else {"found": one_due.found, "on": one_due.inspected_on},
    }
