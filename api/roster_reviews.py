"""Rows of rosters that wait for a person: a registrar sees them with candidates, and places or refuses each.

The queue tells nobody's name; opening a row does, and leaves an access record.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import Field

from api import answers, errors
from api.acting import Strict, number_of
from api.declaring import registrar
from api.signing_in import Token
from gis import numbering
from gis.residents import reviews
from gis.residents.residencies import Dwelling
from gis.residents.reviews import Candidate, Waiting
from gis.terms import Outcome

router = APIRouter(tags=["reviews 待核"])
REFUSALS = errors.documented(401, 403, 404, 409, 422, 503)
Place = Annotated[int, Path(ge=1, le=2**31 - 1)]


class PlaceBody(Strict):
    """The dwelling in which the person of a row is registered."""

    building: Annotated[str, Field(max_length=20)]
    dwelling: Annotated[int, Field(ge=1, le=9999)] = 1


@router.get("/api/roster-reviews", responses=errors.documented(401, 403, 422, 503))
def queue(
    token: Token,
    after: Annotated[str, Query(pattern=r"^[0-9]{1,9}-[0-9]{1,9}$", description="the ``next`` of a page")] = "0-0",
    limit: Annotated[int, Query(ge=1, le=reviews.MOST)] = 20,
) -> Response:
    """Return rows that wait in one's divisions, each with the buildings it may mean, the likeliest first."""
    who = registrar(token)
    batch, row = map(int, after.split("-"))
    rows = reviews.find_waiting(str(who.name), after=(batch, row), limit=limit)
    last = f"{rows[-1].batch}-{rows[-1].row}" if len(rows) == limit else None
    return answers.json({"rows": [_described(each) for each in rows], "next": last})


@router.post("/api/roster-reviews/{roster}/{line}/open", responses=REFUSALS)
def open_row(roster: Place, line: Place, token: Token) -> Response:
    """Return who a row is about; a POST, because it leaves an access record."""
    return answers.json(reviews.open_row(roster, line, str(registrar(token).name))._asdict())


@router.post("/api/roster-reviews/{roster}/{line}/place", responses=REFUSALS)
def place(roster: Place, line: Place, body: PlaceBody, token: Token) -> Response:
    """Register the person of a row in a dwelling."""
    dwelling = Dwelling(number_of(body.building), body.dwelling)
    residency = reviews.place(roster, line, dwelling, str(registrar(token).name))
    return answers.json({"residency": residency})


@router.post("/api/roster-reviews/{roster}/{line}/refuse", responses=REFUSALS)
def refuse(roster: Place, line: Place, token: Token) -> Response:
    """Decide against a row; who it is about is forgotten."""
    reviews.refuse(roster, line, str(registrar(token).name))
    return answers.json({"roster": roster, "line": line, "outcome": Outcome.REFUSED})


def _described(row: Waiting) -> dict[str, Any]:
    """Return a row that waits as the interface words it."""
    return {
        "roster": row.batch,
        "line": row.row,
        "source": row.source,
        "file_name": row.file_name,
        "occupant_id": row.occupant_id,
        "address": row.address,
        "reason": row.reason,
        "detail": row.detail,
        "expires_on": row.expires_on,
        "candidates": [_candidate(each) for each in row.candidates],
    }


def _candidate(one: Candidate) -> dict[str, Any]:
    """Return a building that a row may mean."""
    number = str(one.building)
    return one._asdict() | {"building": number, "shown": numbering.show(number)}
