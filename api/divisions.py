"""Released counts of a division: nothing else about residents leaves by this door."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import text

from api import answers, errors
from api.releases import ALL, CATEGORIES, On, may_see_categories, release_on
from api.signing_in import Token, caller
from gis.register import divisions
from gis.store import session

router = APIRouter(tags=["counts 统计"])


@router.get("/api/divisions/{code}/counts", responses=errors.documented(401, 404, 422, 503))
def counts(code: str, token: Token, on: On = None) -> Response:
    """Return the residents of a division (6, 9 or 12 digits) at the last release up to a day.

    Without a planner's account only all residents together; a withheld count has no number. ``noise_sd`` is the
    standard deviation of the noise in a count, 0 where it is exact.
    """
    who = caller(token)
    number = divisions.parse_code(code)
    wanted = list(CATEGORIES) if may_see_categories(who) else [ALL]
    with session.open(who.database_role) as connection:
        name = divisions.find_name(connection, number)
        release = release_on(connection, on)
        rows = connection.execute(
            text(
                "SELECT category, n, withheld, noise_sd FROM pub.division_counts"
                " WHERE release = :release AND division_code = :code AND category = ANY(:wanted)"
            ),
            {"release": release, "code": number, "wanted": wanted},
        ).all()
    return answers.json(
        {
            "division": {"code": str(number), "name": name, "level": divisions.level_of(number)},
            "release": release,
            "counts": {row.category: _told(row) for row in rows},
        }
    )


def _told(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row of SQLAlchemy
    """Return a count as it is sent."""
    noise = {} if row.noise_sd is None else {"noise_sd": row.noise_sd}
    return {"n": row.n, "withheld": row.withheld} | noise
