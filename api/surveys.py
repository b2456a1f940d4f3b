"""The field's door and the registrar's: findings come in, and are accepted or declined."""

import datetime as dt
import uuid
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import orjson
import shapely
from fastapi import APIRouter, Body, Query
from fastapi.responses import Response
from pydantic import Field
from shapely.geometry.base import BaseGeometry

from api import acting, answers, errors
from api.accounts import Caller
from api.acting import Numbers, Shape, Strict, Words
from api.jurisdiction import may_register, works_in
from api.signing_in import Token, signed_in
from gis.errors import MenpaiError, NotAllowed
from gis.register import conflicts, surveys
from gis.register.conflicts import Shown
from gis.register.divisions import parse_code
from gis.register.findings import Finding
from gis.register.surveys import Decision, Receipt
from gis.store import session
from gis.terms import DeclineReason, FindingKind, FindingStatus, Role, Verb

router = APIRouter(tags=["surveys 外勤"])
REFUSALS = errors.documented(401, 403, 404, 409, 422, 503)
MOST_AT_ONCE = 100
READERS = (Role.REGISTRAR, Role.FIELD_OFFICER)


class FindingBody(Strict):
    """What a field officer saw of a structure; there is no field for words of one's own."""

    uuid: uuid.UUID
    kind: FindingKind
    seen_on: dt.date
    building: Words | None = None
    based_on_seq: int | None = None
    geometry: Shape | None = None
    attributes: Annotated[dict[str, Any], Field(max_length=20, default_factory=dict)]


class AcceptanceBody(Strict):
    """How a finding is accepted; seen_seq is the building's last event where that is later than the finding's."""

    verb: Verb | None = None
    seen_seq: Annotated[int, Field(ge=0, le=2**62)] | None = None
    happened_on: dt.date | None = None
    source_document: Words | None = None
    distinct_from: Numbers = ()


class RefusalBody(Strict):
    """Why a finding is declined."""

    reason: DeclineReason


Sent = Annotated[list[FindingBody], Field(min_length=1, max_length=MOST_AT_ONCE)]


@router.post("/api/findings", responses=errors.documented(401, 403, 413, 422, 503))
def propose(body: Sent, token: Token) -> Response:
    """Take findings in, in any order and as often as they are sent; each is answered for itself, as it was sent."""
    who = signed_in(token)
    if not who.has(Role.FIELD_OFFICER):
        raise NotAllowed(who=who.name, what="send findings; they are a field officer's")
    read = [_read(each) for each in body]
    findings = [each for each in read if isinstance(each, Finding)]
    with session.open("registrar", actor=who.name) as connection:
        taken = iter(surveys.propose(connection, findings, str(who.name), _allow(who, Role.FIELD_OFFICER)))
    receipts = [next(taken) if isinstance(each, Finding) else each for each in read]
    return answers.json({"findings": [_receipt(each) for each in receipts]})


@router.get("/api/findings", responses=errors.documented(401, 403, 404, 422, 503))
def find(
    token: Token,
    division: Annotated[str | None, Query(max_length=12, description="code of 2 to 12 digits; one's own else")] = None,
    status: FindingStatus = FindingStatus.OPEN,
    after: Annotated[uuid.UUID | None, Query(description="'next' of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=conflicts.MOST_SHOWN)] = 50,
) -> Response:
    """Return findings, what came first first, each with what was so then, what is so now, and its rivals."""
    within = _divisions(signed_in(token), division)
    with session.open("registrar") as connection:
        shown = conflicts.find_shown(connection, within, status, after, limit + 1)
    following = str(shown[limit - 1].row.uuid) if len(shown) > limit else None
    return answers.json({"findings": [_described(each) for each in shown[:limit]], "next": following})


@router.get("/api/findings/{finding}", responses=errors.documented(401, 403, 404, 422, 503))
def one(finding: uuid.UUID, token: Token) -> Response:
    """Return one finding, decided or not."""
    who = signed_in(token)
    with session.open("registrar") as connection:
        shown = conflicts.get_shown(connection, finding)
    _divisions(who, str(shown.row.division_code))
    return answers.json(_described(shown))


@router.post("/api/findings/{finding}/accept", responses=REFUSALS)
def accept(finding: uuid.UUID, token: Token, body: Annotated[AcceptanceBody | None, Body()] = None) -> Response:
    """Do what a finding says; accepting twice does it once. seq is 0 where the building itself did not change."""
    who = signed_in(token)
    said = body or AcceptanceBody()
    others = acting.numbers_of(said.distinct_from)
    decision = Decision(str(who.name), said.verb, said.seen_seq, said.happened_on, said.source_document, others)
    with session.open("registrar", actor=who.name) as connection:
        done = surveys.accept(connection, finding, decision, _allow(who, Role.REGISTRAR))
        acting.check_jurisdiction(connection, who, done.numbers)
    return acting.told(done)


@router.post("/api/findings/{finding}/decline", responses=REFUSALS)
def decline(finding: uuid.UUID, token: Token, body: RefusalBody) -> Response:
    """Decline a finding for a reason from the list; it stays on record."""
    who = signed_in(token)
    with session.open("registrar", actor=who.name) as connection:
        surveys.decline(connection, finding, body.reason, str(who.name), _allow(who, Role.REGISTRAR))
    return answers.json({"uuid": str(finding), "status": FindingStatus.DECLINED, "reason": body.reason})


def _allow(who: Caller, role: Role) -> Callable[[int], None]:
    """Return what raises NotAllowed for a division in which a caller has no such role."""
    return partial(may_register, who, role=role)


def _divisions(who: Caller, division: str | None) -> list[int]:
    """Return the divisions whose findings a caller may see: the one asked for, or all of theirs; raises NotAllowed."""
    if division is None:
        own = [parse_code(grant.division) for grant in who.grants if grant.role in READERS]
        if not own:
            raise NotAllowed(who=who.name, what="see findings")
        return own
    code = parse_code(division)
    if not any(works_in(who, code, role) for role in READERS):
        raise NotAllowed(who=who.name, what=f"see findings in division {code}")
    return [code]


def _read(body: FindingBody) -> Finding | Receipt:
    """Return a finding as it was sent, or the receipt of one that cannot be read."""
    try:
        return Finding(
            body.uuid,
            body.kind,
            body.seen_on,
            None if body.building is None else acting.number_of(body.building),
            body.based_on_seq,
            None if body.geometry is None else acting.shape_of(body.geometry),
            body.attributes,
        )
    except MenpaiError as error:
        return Receipt(body.uuid, refusal=error)


def _receipt(receipt: Receipt) -> dict[str, Any]:
    """Return what became of a finding that was sent."""
    told: dict[str, Any] = {"uuid": str(receipt.uuid), "status": receipt.status, "repeated": receipt.repeated}
    return told if receipt.refusal is None else told | {"refusal": errors.problem(receipt.refusal)}


def _described(shown: Shown) -> dict[str, Any]:
    """Return a finding as the interface words it."""
    row = shown.row
    return {
        "uuid": str(row.uuid),
        "kind": row.kind,
        "building": None if row.building_number is None else str(row.building_number),
        "division": str(row.division_code),
        "seen_on": row.seen_on,
        "based_on_seq": row.based_on_seq,
        "last_seq": row.last_seq,
        "outdated": shown.outdated,
        "values": [
            {"name": each.name, "conflicts": each.conflicts}
            | {moment: _written(getattr(each, moment)) for moment in ("then", "now", "found")}
            for each in shown.values
        ],
        "rivals": [str(rival) for rival in row.rivals],
        "found_by": row.actor,
        "received_at": row.received_at,
        "status": row.status,
        "decided_by": row.decided_by,
        "decided_at": row.decided_at,
        "decline_reason": row.decline_reason,
        "seq": row.seq,
    }


def _written(value: object) -> object:
    """Return a value as JSON has it: a shape as GeoJSON."""
    return orjson.Fragment(shapely.to_geojson(value)) if isinstance(value, BaseGeometry) else value
