"""The auditor's door: who opened persons, when and why; never whom."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api import answers, errors
from api.signing_in import Token, signed_in
from gis.errors import NotAllowed
from gis.residents import access_log
from gis.terms import Role

router = APIRouter(prefix="/api/log", tags=["log 访问日志"])
MOST = 500


@router.get("", responses=errors.documented(401, 403, 422, 503))
def shown(
    token: Token,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="the id of the last one you have")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> Response:
    """Return accesses by registrars of the auditor's divisions, the newest first, without whom they were about."""
    who = signed_in(token)
    if not who.has(Role.AUDITOR):
        raise NotAllowed(who=who.name, what="read the access log: it is for auditors")
    rows = access_log.find_records(str(who.name), before, limit)
    return answers.json({"accesses": [dict(row._mapping) for row in rows]})  # noqa: SLF001 - SQLAlchemy's public way
