"""The desk for declarations (Article 7): taken with a receipt, then registered, asked more of, or declined.

For registrars, in their divisions; the database holds them to it. What a body says of a person is sealed before it
reaches a table, and no answer but ``open`` tells who anybody is.
"""

import datetime as dt
import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import Row

from api import answers, errors
from api.accounts import Caller
from api.acting import Strict, number_of
from api.signing_in import Token, signed_in
from gis import numbering
from gis.errors import NotAllowed
from gis.residents import deciding, declarations, residencies
from gis.residents.declarations import Declarer, Statement
from gis.residents.residencies import Dwelling
from gis.store import session
from gis.terms import DeclarationDeclineReason, DeclarationKind, DeclarationStatus, DocumentType, MoreNeeded, Role, Sex

router = APIRouter(tags=["declarations 申报"])
REFUSALS = errors.documented(401, 403, 404, 409, 422, 503)
Id = Annotated[int, Path(ge=1, le=2**62)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Code = Annotated[str, Field(max_length=12)]


class DeclarerBody(Strict):
    """Who declares, from the document in hand."""

    name: Name
    doc_type: DocumentType
    id_number: Annotated[str, Field(min_length=1, max_length=30)]
    sex: Sex = Sex.UNKNOWN
    birth_date: dt.date | None = None
    nationality: Annotated[str, Field(max_length=3)] | None = None
    hukou_code: Code | None = None
    hukou_as_of: dt.date | None = None


class DeclarationBody(Strict):
    """What is declared; since and until are the first and the last day."""

    kind: DeclarationKind = DeclarationKind.ARRIVAL
    uuid: uuid.UUID
    declarer: DeclarerBody
    building: Annotated[str, Field(max_length=20)] | None = None
    dwelling: Annotated[int, Field(ge=1, le=9999)] = 1
    since: dt.date | None = None
    until: dt.date | None = None
    principal: bool = True


class MoreBody(Strict):
    """What is still needed."""

    needed: Annotated[list[MoreNeeded], Field(min_length=1, max_length=len(MoreNeeded))]


class DeclineBody(Strict):
    """Why it is declined."""

    reason: DeclarationDeclineReason


@router.post("/api/declarations", status_code=201, responses=REFUSALS)
def take(body: DeclarationBody, token: Token) -> Response:
    """Take a declaration; the receipt's code is told this once, to be handed to the declarer."""
    who = registrar(token)
    where = None if body.building is None else Dwelling(number_of(body.building), body.dwelling)
    told = Statement(body.kind, declarer_of(body.declarer), body.uuid, where, body.since, body.until, body.principal)
    receipt = declarations.take(told, str(who.name))
    return answers.json(
        {
            "declaration": receipt.declaration,
            "receipt": receipt.code,
            "taken_on": receipt.taken_on,
            "decide_by": receipt.decide_by,
        },
        201,
    )


@router.get("/api/declarations", responses=errors.documented(401, 403, 422, 503))
def find(token: Token, limit: Annotated[int, Query(ge=1, le=500)] = 100) -> Response:
    """Return what waits in one's divisions, the most urgent first; nobody is opened by it."""
    who = registrar(token)
    return answers.json(
        {"declarations": [_described(row) for row in declarations.find_open(str(who.name), limit=limit)]}
    )


@router.post("/api/declarations/{declaration}/open", responses=REFUSALS)
def open_declarer(declaration: Id, token: Token) -> Response:
    """Return who made a declaration that waits; a POST, because it leaves an access record the resident sees."""
    return answers.json(declarations.open_declarer(declaration, str(registrar(token).name))._asdict())


@router.post("/api/declarations/{declaration}/register", responses=REFUSALS)
def register(declaration: Id, token: Token) -> Response:
    """Register what was declared; an earlier principal residency ends by it, and where it was is not told."""
    done = deciding.register(declaration, str(registrar(token).name))
    return answers.json({"residency": done.residency, "ended_elsewhere": done.ended_elsewhere})


@router.post("/api/declarations/{declaration}/more", responses=REFUSALS)
def ask_more(declaration: Id, body: MoreBody, token: Token) -> Response:
    """Say what is still needed."""
    declarations.ask_more(declaration, body.needed, str(registrar(token).name))
    return answers.json({"declaration": declaration, "status": DeclarationStatus.MORE_ASKED})


@router.post("/api/declarations/{declaration}/decline", responses=REFUSALS)
def decline(declaration: Id, body: DeclineBody, token: Token) -> Response:
    """Decline it with a reason of the list; who declared is forgotten."""
    declarations.decline(declaration, body.reason, str(registrar(token).name))
    return answers.json({"declaration": declaration, "status": DeclarationStatus.DECLINED})


@router.post("/api/declarations/{declaration}/withdraw", responses=REFUSALS)
def withdraw(declaration: Id, token: Token) -> Response:
    """Take it back at the declarer's word; who declared is forgotten."""
    declarations.withdraw(declaration, str(registrar(token).name))
    return answers.json({"declaration": declaration, "status": DeclarationStatus.WITHDRAWN})


@router.get("/api/buildings/{number}/dwellings", responses=errors.documented(401, 403, 404, 422, 503))
def dwellings(number: Annotated[str, Path(max_length=20)], token: Token) -> Response:
    """Return the dwellings of a building as they stand, for the desk to choose from; nothing of who lives there."""
    registrar(token)
    with session.open("registrar") as connection:
        rows = residencies.find_dwellings(connection, number_of(number))
    return answers.json({"dwellings": [dict(row._mapping) for row in rows]})  # noqa: SLF001 - SQLAlchemy's public name


def declarer_of(body: DeclarerBody) -> Declarer:
    """Return who declares."""
    return Declarer(
        body.name,
        body.doc_type,
        body.id_number,
        body.sex,
        body.birth_date,
        body.nationality,
        body.hukou_code,
        body.hukou_as_of,
    )


def registrar(token: str | None) -> Caller:
    """Return the registrar who asks; in which divisions they act is the database's to hold. Raises NotAllowed."""
    who = signed_in(token)
    if not who.has(Role.REGISTRAR):
        raise NotAllowed(who=who.name, what="take or decide declarations; they are a registrar's")
    return who


def _described(row: Row[Any]) -> dict[str, Any]:
    """Return a declaration that waits, without who made it."""
    number = None if row.building_number is None else str(row.building_number)
    return {
        "declaration": row.id,
        "kind": row.kind,
        "status": row.status,
        "more_needed": row.more_needed,
        "building": number,
        "shown": None if number is None else numbering.show(number),
        "standard_address": row.standard_address,
        "dwelling": row.dwelling_sequence,
        "entrance": row.entrance,
        "room": row.room,
        "since": row.start,
        "until": None if row.until is None else row.until - dt.timedelta(days=1),
        "taken_at": row.taken_at,
        "decide_by": row.decide_by,
    }
