"""The desk for structures: each verb of the register is a door, for registrars of the divisions concerned."""

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import Connection

from api import acting, errors
from api.acting import Count, Numbers, ReferenceBody, RoomBody, Said, Shape, Strict, StructureBody, Words
from api.signing_in import Token, signed_in
from gis.register import buildings, dwellings
from gis.register.acts import Act, Done
from gis.register.buildings import Amendment
from gis.register.divisions import parse_code
from gis.register.dwellings import Dwellings, Room
from gis.store import session
from gis.terms import BuildingKind

router = APIRouter(tags=["registering 登记"])
REFUSALS = errors.documented(401, 403, 404, 409, 422, 503)
Number = Annotated[str, Path(description="twelve digits, or in groups CNNN NNNN NNKK")]
Verb = Callable[[Connection, int, Act], Done]


class Registration(StructureBody, Said):
    """A structure to be registered."""


class MergedRooms(Strict):
    """Dwellings knocked through into one that stays."""

    into: Annotated[int, Field(ge=1)]
    sequences: Annotated[list[int], Field(min_length=1, max_length=100)]


class DwellingsBody(Strict):
    """What becomes of a building's dwellings; they are never renumbered."""

    added: Annotated[tuple[RoomBody, ...], Field(max_length=1000)] = ()
    removed: Annotated[tuple[int, ...], Field(max_length=1000)] = ()
    merged: MergedRooms | None = None


class AmendmentBody(Said):
    """What of a building is different; a field that is not named stays, one that is null becomes unknown."""

    kind: BuildingKind | None = None
    division: Words | None = None
    premises_id: int | None = Field(default=None, ge=1, le=2**31 - 1)
    entrances: Count | None = None
    floors: Count | None = None
    rooms_per_floor: Count | None = None
    expires_on: dt.date | None = None
    geometry: Shape | None = None
    standard_address: Words | None = None
    other_addresses: Numbers | None = None
    dwellings: DwellingsBody | None = None
    references: Annotated[tuple[ReferenceBody, ...], Field(max_length=20)] = ()
    distinct_from: Numbers = ()


class CorrectionBody(AmendmentBody):
    """What was wrong about a building, and on which day; today where none is named."""

    on: dt.date | None = None


class SplitBody(Said):
    """The parts a building is split into."""

    parts: Annotated[list[StructureBody], Field(min_length=2, max_length=100)]


class MergerBody(StructureBody, Said):
    """The buildings that are merged, and what they become."""

    merged: Annotated[list[Words], Field(min_length=2, max_length=100)]


class ReturnBody(Said):
    """What is said of a building that comes back."""

    distinct_from: Numbers = ()


@router.post("/api/buildings", status_code=201, responses=REFUSALS)
def register(body: Registration, token: Token) -> Response:
    """Register a structure: it gets its permanent number. Asked again with the same client_uuid, nothing is done."""
    who = signed_in(token)
    structure, act = acting.structure_of(body), acting.act_of(who, body)
    with session.open("registrar", actor=who.name) as connection:
        done = buildings.register(connection, structure, act)
        acting.check_jurisdiction(connection, who, done.numbers)
    return acting.told(done, 200 if done.repeated else 201)


@router.post("/api/buildings/merge", status_code=201, responses=REFUSALS)
def merge(body: MergerBody, token: Token) -> Response:
    """Put one new building in the place of several; their residencies wait for their registrar."""
    who = signed_in(token)
    merged = acting.numbers_of(body.merged)
    structure, act = acting.structure_of(body), acting.act_of(who, body)
    with session.open("registrar", actor=who.name) as connection:
        acting.check_jurisdiction(connection, who, merged)
        done = buildings.merge(connection, merged, structure, act)
        acting.check_jurisdiction(connection, who, done.numbers)
    return acting.told(done, 201)


@router.post("/api/buildings/{number}/correct", responses=REFUSALS)
def correct(number: Number, body: CorrectionBody, token: Token) -> Response:
    """Put the record right: it had been wrong for as long as it said the same around ``on``."""
    amendment = _amendment(body)
    return _act(token, number, body, lambda c, n, a: buildings.correct(c, n, amendment, a, body.on))


@router.post("/api/buildings/{number}/change", responses=REFUSALS)
def change(number: Number, body: AmendmentBody, token: Token) -> Response:
    """Record that the world changed on ``happened_on``, today where it is not named."""
    amendment = _amendment(body)
    return _act(token, number, body, lambda c, n, a: buildings.change(c, n, amendment, a))


@router.post("/api/buildings/{number}/split", status_code=201, responses=REFUSALS)
def split(number: Number, body: SplitBody, token: Token) -> Response:
    """Put several new buildings in one's place; its residencies wait for their registrar."""
    parts = [acting.structure_of(part) for part in body.parts]
    return _act(token, number, body, lambda c, n, a: buildings.split(c, n, parts, a), 201)


@router.post("/api/buildings/{number}/rebuild", status_code=201, responses=REFUSALS)
def rebuild(number: Number, body: Registration, token: Token) -> Response:
    """Put a new building in the place of one that stands or was demolished."""
    structure = acting.structure_of(body)
    return _act(token, number, body, lambda c, n, a: buildings.rebuild(c, n, structure, a), 201)


@router.post("/api/buildings/{number}/move", status_code=201, responses=REFUSALS)
def move(number: Number, body: Registration, token: Token) -> Response:
    """Put up a work shed elsewhere: there it has another number, and this one as its parent."""
    structure = acting.structure_of(body)
    return _act(token, number, body, lambda c, n, a: buildings.move(c, n, structure, a), 201)


@router.post("/api/buildings/{number}/demolish", responses=REFUSALS)
def demolish(number: Number, token: Token, body: Annotated[Said | None, Body()] = None) -> Response:
    """Record that a building was taken down; its residencies wait for their registrar."""
    return _act(token, number, body or Said(), buildings.demolish)


@router.post("/api/buildings/{number}/retire", responses=REFUSALS)
def retire(number: Number, token: Token, body: Annotated[Said | None, Body()] = None) -> Response:
    """Record that a building never was a residential one."""
    return _act(token, number, body or Said(), buildings.retire)


@router.post("/api/buildings/{number}/reinstate", responses=REFUSALS)
def reinstate(number: Number, token: Token, body: Annotated[ReturnBody | None, Body()] = None) -> Response:
    """Take a demolished or retired building back into use."""
    said = body or ReturnBody()
    others = acting.numbers_of(said.distinct_from)
    return _act(token, number, said, partial(buildings.reinstate, distinct_from=others))


@router.post("/api/changes/{seq}/revert", responses=REFUSALS)
def revert(
    seq: Annotated[int, Path(ge=1, le=2**62)], token: Token, body: Annotated[ReturnBody | None, Body()] = None
) -> Response:
    """Take an event back: its buildings are what they were, and those it made are retired."""
    who = signed_in(token)
    said = body or ReturnBody()
    act, others = acting.act_of(who, said), acting.numbers_of(said.distinct_from)
    with session.open("registrar", actor=who.name) as connection:
        # before as well as after: an event taken back may take a building out of somebody's division
        acting.check_jurisdiction(connection, who, buildings.find_touched(connection, seq))
        done = buildings.revert(connection, seq, act, others)
        acting.check_jurisdiction(connection, who, done.numbers)
    return acting.told(done)


def _act(token: str | None, written: str, said: Said, verb: Verb, status: int = 200) -> Response:
    """Let a registrar of its division do something to a building; what comes of it must be theirs as well."""
    who = signed_in(token)
    number = acting.number_of(written)
    with session.open("registrar", actor=who.name) as connection:
        acting.check_jurisdiction(connection, who, [number])
        done = verb(connection, number, acting.act_of(who, said))
        acting.check_jurisdiction(connection, who, done.numbers)
    return acting.told(done, status)


def _amendment(body: AmendmentBody) -> Amendment:
    """Return what is different; raises BadStructure, InvalidNumber, UnknownDivision."""
    plain = ("kind", "premises_id", "entrances", "floors", "rooms_per_floor", "expires_on")
    fields: dict[str, Any] = {name: getattr(body, name) for name in plain if name in body.model_fields_set}
    if body.division is not None:
        fields["division_code"] = parse_code(body.division)
    return Amendment(
        fields,
        None if body.geometry is None else acting.shape_of(body.geometry),
        body.standard_address,
        body.other_addresses,
        None if body.dwellings is None else partial(_dwellings, body.dwellings),
        acting.references_of(body.references),
        acting.numbers_of(body.distinct_from),
    )


def _dwellings(body: DwellingsBody, known: Dwellings) -> Dwellings:
    """Return what becomes of a building's dwellings."""
    if body.merged is not None:
        known = dwellings.merged(known, body.merged.into, body.merged.sequences)
    if body.added:
        known = dwellings.added(known, [Room(each.room, each.entrance, each.floor) for each in body.added])
    return dwellings.removed(known, body.removed) if body.removed else known
