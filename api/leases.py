"""Numbers that a tablet takes along: leased, looked at, given back."""

import datetime as dt
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import Field

from api import answers, errors
from api.accounts import Caller
from api.acting import Strict, Words
from api.jurisdiction import may_register
from api.signing_in import Token, signed_in
from gis.register import leases
from gis.register.divisions import parse_code
from gis.register.leases import Lease, Wanted
from gis.store import session
from gis.terms import BuildingKind, Role

router = APIRouter(tags=["leases 预留编号"])
REFUSALS = errors.documented(401, 403, 404, 409, 422, 503)


class LeaseBody(Strict):
    """How many numbers, for what, where, and until which day."""

    uuid: uuid.UUID
    kind: BuildingKind = BuildingKind.RESIDENTIAL
    division: Words
    many: Annotated[int, Field(ge=1, le=leases.MOST)]
    expires_on: dt.date


@router.post("/api/leases", status_code=201, responses=REFUSALS)
def lease(body: LeaseBody, token: Token) -> Response:
    """Lease building numbers; asked again with the same UUID, the answer is the same numbers."""
    who = signed_in(token)
    wanted = Wanted(body.uuid, body.kind, parse_code(body.division), body.many, body.expires_on)
    may_register(who, wanted.division_code, Role.FIELD_OFFICER)
    with session.open("registrar", actor=who.name) as connection:
        leased = leases.lease(connection, wanted, str(who.name))
    return answers.json(_described(leased), 201)


@router.get("/api/leases", responses=errors.documented(401, 503))
def find(token: Token, *, ended: Annotated[bool, Query(description="those that are over as well")] = False) -> Response:
    """Return one's own leases, the oldest first, with what has become of their numbers."""
    who = signed_in(token)
    with session.open("registrar", actor=who.name) as connection:
        found = leases.find_leases(connection, str(who.name), ended=ended)
    return answers.json({"leases": [_described(each) for each in found]})


@router.delete("/api/leases/{lease_uuid}", responses=REFUSALS)
def give_back(lease_uuid: uuid.UUID, token: Token) -> Response:
    """End a lease, one's own or as a registrar of its division; what was not used is void for good."""
    who = signed_in(token)
    with session.open("registrar", actor=who.name) as connection:
        ended = leases.give_back(connection, lease_uuid, str(who.name), lambda known: _allow(who, known))
    return answers.json(_described(ended))


def _allow(who: Caller, known: Lease) -> None:
    """Raise NotAllowed unless a lease is the caller's, or a registrar may end it: a tablet can be lost."""
    if known.actor != who.name:
        may_register(who, known.division_code)


def _described(known: Lease) -> dict[str, Any]:
    """Return a lease as the interface words it."""
    return {
        "uuid": str(known.uuid),
        "kind": known.kind,
        "division": str(known.division_code),
        "expires_on": known.expires_on,
        "open": known.is_open,
        **{name: [str(number) for number in getattr(known, name)] for name in ("numbers", "used", "held", "void")},
    }
