"""Whether the process lives, and whether it can do its work."""

from fastapi import APIRouter
from fastapi.responses import Response

from api import answers, errors
from gis.errors import DatabaseUnreachable
from gis.store import schema

router = APIRouter(tags=["service 服务"])


@router.get("/healthz")
def healthz() -> Response:
    """Answer as long as the process lives."""
    return answers.json({"status": "ok"})


@router.get("/readyz", responses=errors.documented(503))
def readyz() -> Response:
    """Answer 200 when the database is reachable and stands at the present schema."""
    if not schema.is_current():
        raise DatabaseUnreachable(why="its schema is not the present one")
    return answers.json({"status": "ready"})
