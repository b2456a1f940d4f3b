"""The resident's own desk: no account, the receipt's code and the document; what is registered, and who looked.

Every door is a POST, so that neither code nor document stands in an address, which servers and browsers keep.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import Field

from api import answers, errors
from api.accounts import waiting
from api.accounts.waiting import Attempt
from api.acting import Strict, number_of
from api.declaring import DeclarerBody, declarer_of
from gis.residents import own_desk
from gis.residents.own_desk import Key, OwnRecord
from gis.residents.residencies import Dwelling
from gis.terms import DocumentType, Purpose

router = APIRouter(tags=["own record 本人"])
REFUSALS = errors.documented(404, 422, 429, 503)


class KeyBody(Strict):
    """What opens one's own record."""

    code: Annotated[str, Field(max_length=40)]
    doc_type: DocumentType
    id_number: Annotated[str, Field(min_length=1, max_length=30)]


class EndBody(Strict):
    """The residency to end, and the last day on which one lives there."""

    key: KeyBody
    residency: Annotated[int, Field(ge=1, le=2**62)]
    last_day: dt.date


class CorrectionBody(Strict):
    """What is registered, as it should be."""

    key: KeyBody
    residency: Annotated[int, Field(ge=1, le=2**62)]
    declarer: DeclarerBody
    since: dt.date
    building: Annotated[str, Field(max_length=20)] | None = None
    dwelling: Annotated[int, Field(ge=1, le=9999)] = 1


@router.post("/api/record", responses=REFUSALS)
def look(body: KeyBody, request: Request) -> Response:
    """Return everything the register holds of oneself, and every access to it; also the copy to take away."""
    with _counted(request, body.code):
        record = own_desk.look(_key(body))
    return answers.json(_told(record))


@router.post("/api/record/end", responses=REFUSALS)
def end(body: EndBody, request: Request) -> Response:
    """End a residency of one's own."""
    with _counted(request, body.key.code):
        own_desk.end(_key(body.key), body.residency, body.last_day)
    return answers.json({"ended": body.residency, "last_day": body.last_day})


@router.post("/api/record/correction", status_code=201, responses=REFUSALS)
def ask_correction(body: CorrectionBody, request: Request) -> Response:
    """Ask for what is registered to be put right; a registrar decides with the document in hand."""
    where = None if body.building is None else Dwelling(number_of(body.building), body.dwelling)
    with _counted(request, body.key.code):
        declaration = own_desk.ask_correction(
            _key(body.key), declarer_of(body.declarer), body.residency, body.since, where
        )
    return answers.json({"declaration": declaration}, 201)


@contextmanager
def _counted(request: Request, code: str) -> Iterator[None]:
    """Count what opens nothing as a failure at this receipt and from there; raises TooManyAttempts."""
    who = Attempt.of(f"receipt {code[:40]}", request.client.host if request.client else "")
    waiting.begin(who)
    yield
    waiting.succeeded(who)


def _key(body: KeyBody) -> Key:
    return Key(body.code, body.doc_type, body.id_number)


def _told(record: OwnRecord) -> dict[str, Any]:
    """Return one's own record as JSON."""
    return {
        "identity": None if record.identity is None else record.identity._asdict(),
        "hukou_code": record.hukou_code,
        "hukou_as_of": record.hukou_as_of,
        "residencies": [
            dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
            | {
                "building_number": str(row.building_number),
                "shown": str(Dwelling(row.building_number, row.dwelling_sequence)),
                "until": None if row.until is None else row.until - dt.timedelta(days=1),
            }
            for row in record.residencies
        ],
        "declarations": [dict(row._mapping) for row in record.declarations],  # noqa: SLF001
        "accesses": [
            dict(row._mapping) | {"purpose_zh": Purpose(row.purpose).zh, "purpose_en": Purpose(row.purpose).en}  # noqa: SLF001
            for row in record.accesses
        ],
    }
