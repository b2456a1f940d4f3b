"""Problem details (RFC 9457): one table from what went wrong to what the caller is told."""

import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from sqlalchemy.exc import DataError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from api.refusals import sentence
from gis.errors import MenpaiError
from gis.store.cluster import ClusterError

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger("menpai")

STATUSES: dict[type[Exception], int | Callable[[Any], int]] = {
    MenpaiError: lambda error: error.status,
    # what cannot even be taken apart is no better than a value that cannot be read
    HTTPException: lambda error: 422 if error.status_code == HTTPStatus.BAD_REQUEST else error.status_code,
    RequestValidationError: 422,
    DataError: 422,  # a value no column can hold, such as a NUL in a text
    UnicodeEncodeError: 422,  # half a character, which JSON lets through
    ProgrammingError: 500,
    OperationalError: 503,
    PoolTimeout: 503,  # every connection is busy
    ClusterError: 503,
}
"""Anything else is a fault of ours: 500."""

SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    413: "The request is too large.",
    422: "A value cannot be read.",
    500: "The fault is ours; it stands in the log of the service.",
    503: "The database does not answer; try again shortly.",
}
"""What is said where the error itself has no sentence fit for outside."""

TURNED_AWAY = {401, 403, 429}
EXTRA_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "5"}}


def install(app: FastAPI) -> None:
    """Let every error in the table leave the application as problem details."""
    for kind in STATUSES:
        app.add_exception_handler(kind, answer)


def answer(request: Request | None, error: Exception) -> Response:
    """Return the problem details of an error; whoever was not let in, or not to something, stands in the log."""
    status = status_of(error)
    if status in TURNED_AWAY and request is not None:
        _note(request, status, error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%s", sentence(error))
    headers = dict(EXTRA_HEADERS.get(status, {}))
    if isinstance(error, HTTPException):
        headers |= dict(error.headers or {})
    if isinstance(error, MenpaiError) and "wait_s" in error.facts:
        headers["Retry-After"] = str(error.facts["wait_s"])
    return Response(orjson.dumps(problem(error)), status, headers, MEDIA_TYPE)


def _note(request: Request, status: int, error: Exception) -> None:
    """Write one line about a refusal: when and where, and who where that is known; never what was typed.

    A name that does not exist could be a password in the wrong field, so an unknown name is not written.
    """
    who = error.facts.get("who", "nobody") if isinstance(error, MenpaiError) else "nobody"
    route = request.scope.get("route")
    door = getattr(route, "path", "no door")
    source = request.client.host if request.client else "nowhere"
    log.warning("refused %s %s %s from %s: %s", status, request.method, door, source, ascii(str(who)))


def problem(error: Exception) -> dict[str, Any]:
    """Return the problem details of an error as JSON has them."""
    status = status_of(error)
    described: dict[str, Any] = {
        "type": f"urn:menpai:problem:{_name_of(error, status)}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _detail_of(error, status),
    }
    if isinstance(error, RequestValidationError):
        wrong = [{"where": ".".join(map(str, each["loc"])), "why": each["msg"]} for each in error.errors()]
        described["errors"] = wrong
    return described


def status_of(error: Exception) -> int:
    """Return the status the table gives for an error."""
    for kind in type(error).__mro__:
        status = STATUSES.get(kind)
        if status is not None:
            return status(error) if callable(status) else status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what the interface's description says of an endpoint's refusals."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


PROBLEM_SCHEMA = {
    "title": "Problem",
    "description": "Problem details, RFC 9457.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {"type": "object", "properties": {"where": {"type": "string"}, "why": {"type": "string"}}},
        },
    },
}


def _name_of(error: Exception, status: int) -> str:
    """Return the problem's name: our own errors have one, others go by their status."""
    name = type(error).__name__ if isinstance(error, MenpaiError) else HTTPStatus(status).name
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _detail_of(error: Exception, status: int) -> str:
    """Return the sentence for outside; what a driver or a path says stays inside."""
    if isinstance(error, MenpaiError) and status != HTTPStatus.SERVICE_UNAVAILABLE:
        return str(error)
    if isinstance(error, RequestValidationError):
        wrong = ", ".join(str(each["loc"][-1]) for each in error.errors())
        return f"A value cannot be read: {wrong}."
    return SENTENCES.get(status, HTTPStatus(status).description or HTTPStatus(status).phrase)
