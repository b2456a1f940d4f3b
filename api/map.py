"""What the page at / needs to know before it draws: the release, its classes, where to look, and what to say."""

import math
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import Connection, text

from api import answers, errors
from api.releases import ALL, PUBLIC_SIZE_M, may_see_categories, release_on
from api.signing_in import Token, caller
from api.trials import is_fictional
from gis import settings
from gis.errors import NoRelease
from gis.store import session

router = APIRouter(tags=["map 地图"])
SIZES_M = (1000, 500, 100)
DIGITS = 2
ATTRIBUTION = "行政区划：民政部、国家统计局；界线：天地图 · divisions: MCA, NBS; boundaries: Tianditu"


@router.get("/api/map", responses=errors.documented(401, 503))
def map_settings(token: Token) -> Response:
    """Return release, classes of cells by size and of counties, review number, bounds, and whether all is invented."""
    who = caller(token)
    sizes_m = SIZES_M if may_see_categories(who) else (PUBLIC_SIZE_M,)
    with session.open(who.database_role) as connection:
        content = {
            "bounds": _bounds(connection),
            "fictional": is_fictional(connection),
            "review_number": settings.read().map_review_number,
            "attribution": ATTRIBUTION,
        } | _released(connection, sizes_m)
    return answers.json(content)


def _bounds(connection: Connection) -> list[float] | None:
    """Return west, south, east, north of all boundaries, None where there are none."""
    row = connection.execute(
        text(
            "SELECT ST_XMin(e) AS west, ST_YMin(e) AS south, ST_XMax(e) AS east, ST_YMax(e) AS north"
            " FROM (SELECT ST_Extent(boundary) AS e FROM reg.divisions) extent"
        )
    ).one()
    return None if row.west is None else [round(float(side), 4) for side in row]


def _released(connection: Connection, sizes_m: tuple[int, ...]) -> dict[str, Any]:
    """Return the newest release, its classes in residents per km² by size and "county", and its noise by size.

    The noise is the median standard deviation, in residents. Before the first release there is nothing.
    """
    try:
        day = release_on(connection, None)
    except NoRelease:
        return {"release": None, "breaks": {}, "noise": {}}
    cells = {
        size: connection.execute(
            text("SELECT calc.cell_breaks(:day, :size, :category)"), {"day": day, "size": size, "category": ALL}
        ).scalar_one()
        for size in sizes_m
    }
    counties = connection.execute(
        text("SELECT calc.county_breaks(:day, :category)"), {"day": day, "category": ALL}
    ).scalar_one()
    breaks = {str(size): per_km2(found or [], size) for size, found in cells.items()}
    noise = {
        str(size): connection.execute(
            text("SELECT calc.cell_noise(:day, :size, :category)"), {"day": day, "size": size, "category": ALL}
        ).scalar_one()
        for size in sizes_m
    }
    return {"release": day, "breaks": breaks | {"county": rounded(counties or [])}, "noise": noise}


def per_km2(limits: list[int], size_m: int) -> list[float]:
    """Return upper limits of classes, counts of a square, as rates per km²."""
    return rounded([limit / (size_m / 1000) ** 2 for limit in limits])


def rounded(rates: list[float]) -> list[float]:
    """Return upper limits of classes rounded up to two digits and strictly ascending."""
    return sorted({_up(rate) for rate in rates})


def _up(rate: float) -> float:
    """Return the smallest number of two significant digits that is not below a positive rate."""
    step = 10.0 ** (math.floor(math.log10(rate)) - DIGITS + 1)
    return round(math.ceil(rate / step - 1e-9) * step, 6)
