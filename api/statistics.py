"""Statistics: released counts of divisions by category, and their growth between two releases, to read or to take."""

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api import errors
from api.releases import ALL, CATEGORIES, PUBLIC_SIZE_M, On, allow, release_on
from api.signing_in import Token, caller
from data import exports
from gis.errors import BadArgument
from gis.planning import statistics
from gis.planning.statistics import Level
from gis.register import divisions
from gis.store import session

router = APIRouter(tags=["counts 统计"])
EACH = "each"
CategoryOrEach = Literal["all", "permanent", "floating", "other", "undetermined", "each"]
Since = Annotated[dt.date | None, Query(description="compare with the last release up to this day")]
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {media_type: {} for media_type in exports.MEDIA_TYPES.values()}}
}


@router.get("/api/statistics", responses=errors.documented(401, 403, 404, 422, 503) | ANSWERS)
def counts(  # noqa: PLR0913, PLR0917 - each is a part of the question
    token: Token,
    division: str | None = None,
    level: Level | None = None,
    category: CategoryOrEach = "all",
    on: On = None,
    since: Since = None,
    kind: Annotated[Literal["json", "csv", "parquet"], Query(alias="format")] = "json",
) -> Response:
    """Return a row for each division (of a level, within a division) and category: n, noise_sd, and since then change.

    Without a planner's account all residents together only; ``each`` is all categories and their sum. A withheld count
    has no number, and no change.
    """
    who = caller(token)
    allow(who, category, PUBLIC_SIZE_M)
    code = None if division is None else divisions.parse_code(division)
    with session.open(who.database_role) as connection:
        if code:
            divisions.find_name(connection, code)
        release = release_on(connection, on)
        past = None if since is None else release_on(connection, since)
        check_order(release, past)
        table = statistics.counts(connection, release, past, categories_of(category), level=level, division=code)
    return Response(exports.written(table, kind), media_type=exports.MEDIA_TYPES[kind])


def categories_of(category: str) -> tuple[str, ...]:
    """Return the categories that are asked for."""
    return (ALL, *(each for each in CATEGORIES if each != ALL)) if category == EACH else (category,)


def check_order(release: dt.date, past: dt.date | None) -> None:
    """Raise BadArgument where the release to compare with is not an earlier one."""
    if past is not None and past >= release:
        raise BadArgument(why=f"the release to compare with, {past}, is not before that of {release}")
