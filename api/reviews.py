"""Rows of structures files that wait for a person: the queue of a division, and the decision about one of them."""

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from sqlalchemy import Row

from api import acting, answers, errors
from api.acting import Numbers, Said, Words
from api.jurisdiction import may_register
from api.signing_in import Token, signed_in
from gis import numbering
from gis.register import reviews
from gis.register.divisions import parse_code
from gis.register.reviews import Verdict
from gis.store import session
from gis.terms import RowDecision

router = APIRouter(tags=["reviews 待核"])
REFUSALS = errors.documented(401, 403, 404, 409, 422, 503)
_LARGEST = 2**31 - 1
Place = Annotated[int, Path(ge=1, le=_LARGEST)]
STANDING = ("kind", "status", "standard_address", "entrances", "floors", "rooms_per_floor", "premises", "expires_on")


class DecisionBody(Said):
    """What is decided: ``same`` building, ``another``, ``correct`` or ``change`` it by the row, or ``refuse``."""

    decision: Literal["same", "another", "correct", "change", "refuse"]
    building: Words | None = None
    """The building the row is, where that is not the one it met."""
    distinct_from: Numbers = ()
    with_address: bool = True
    """False leaves the row's address out."""


@router.get("/api/reviews", responses=errors.documented(401, 403, 404, 422, 503))
def queue(
    token: Token,
    division: Annotated[str, Query(description="2 to 12 digits", max_length=12)],
    after: Annotated[str, Query(pattern=r"^[0-9]{1,9}-[0-9]{1,9}$", description="the ``next`` of a page")] = "0-0",
    limit: Annotated[int, Query(ge=1, le=reviews.MOST)] = 20,
) -> Response:
    """Return rows that wait in a division, each beside the building it met, with the figures of their likeness."""
    who = signed_in(token)
    code = parse_code(division)
    may_register(who, code)
    batch, row = map(int, after.split("-"))
    with session.open("registrar", actor=who.name) as connection:
        rows = reviews.find_queued(connection, code, (batch, row), limit)
    last = f"{rows[-1].batch_id}-{rows[-1].row}" if len(rows) == limit else None
    return answers.json({"reviews": [_described(each) for each in rows], "next": last})


@router.post("/api/reviews/{batch}/{row}/decision", responses=REFUSALS)
def decide(batch: Place, row: Place, body: DecisionBody, token: Token) -> Response:
    """Carry out a decision, once: the same one again does nothing and returns what the first did."""
    who = signed_in(token)
    building = None if body.building is None else acting.number_of(body.building)
    others = acting.numbers_of(body.distinct_from)
    verdict = Verdict(RowDecision(body.decision), building, others, body.with_address)
    with session.open("registrar", actor=who.name) as connection:
        may_register(who, reviews.find_division(connection, batch, row))
        decided = reviews.decide(connection, batch, row, verdict, acting.act_of(who, body))
        acting.check_jurisdiction(connection, who, decided.numbers)
    numbers = [str(number) for number in decided.numbers]
    told = {"decision": decided.decision, "seq": decided.seq, "buildings": numbers, "repeated": decided.repeated}
    return answers.json(told)


def _described(row: Row[Any]) -> dict[str, Any]:
    """Return a row that waits as the interface words it."""
    said = {name: value for name, value in row.content.items() if name not in {"wkb", "wkt"}}
    return {
        "batch": row.batch_id,
        "row": row.row,
        "source": row.source,
        "file_name": row.file_name,
        "recorded_at": row.recorded_at,
        "source_id": row.source_code,
        "reason": row.reason,
        "detail": row.detail,
        "division": {"code": str(row.division_code), "name": row.division_name},
        "iou": row.iou,
        "shared_share": row.shared_share,
        "apart_m": row.apart_m,
        "said": said,
        "geometry": _fragment(row.row_shape),
        "building": None if row.building_number is None else _standing(row),
    }


def _standing(row: Row[Any]) -> dict[str, Any]:
    """Return the registered building that a row met."""
    number = str(row.building_number)
    known = {name: getattr(row, name) for name in STANDING}
    return {"number": number, "shown": numbering.show(number), **known, "geometry": _fragment(row.standing_shape)}


def _fragment(geojson: str | None) -> orjson.Fragment | None:
    """Return GeoJSON as it came from the database."""
    return None if geojson is None else orjson.Fragment(geojson)
