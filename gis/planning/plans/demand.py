"""Demand: how many people live where, exact, and kept inside the program (rights.md, 8).

Residents are summed over squares of 500 m. A square with fewer than ten is put together with its neighbours, in squares
of twice the size, until ten are together: no demand is a home. What is left of a county joins its nearest demand.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import text

from gis.errors import NoDemand
from gis.planning.disclosure import WITHHELD_BELOW
from gis.planning.plans.questions import Kind
from gis.register import divisions
from gis.store import session
from gis.terms import Category

CELL_100M: Final = 5
"""Squares of 500 m, counted in the register's squares of 100 m."""
COUNTY, RESIDENTS, LON = 2, 3, 4
"""Columns of the table of squares."""
DOUBLINGS: Final = 6
"""From 500 m to 32 km; then the rest of a county is one."""
WHOLE_COUNTY: Final = 1e9

# Whoever sites a police post reads no category: the view asked has none, and no other is read.
_EVERYBODY: Final = text("""
    SELECT b.east_100m / :cell AS east, b.north_100m / :cell AS north, b.division_code / 1000000 AS county,
        sum(o.residents) AS residents, sum(o.residents * ST_X(ST_PointOnSurface(b.geometry))) AS lon,
        sum(o.residents * ST_Y(ST_PointOnSurface(b.geometry))) AS lat
    FROM calc.building_occupancy o
    JOIN reg.buildings b ON b.number = o.building_number
    WHERE o.division_code >= :low AND o.division_code < :high
    GROUP BY 1, 2, 3 ORDER BY 3, 1, 2
""")
_OF_CATEGORY: Final = text("""
    SELECT b.east_100m / :cell AS east, b.north_100m / :cell AS north, b.division_code / 1000000 AS county,
        sum(o.residents) AS residents, sum(o.residents * ST_X(ST_PointOnSurface(b.geometry))) AS lon,
        sum(o.residents * ST_Y(ST_PointOnSurface(b.geometry))) AS lat
    FROM calc.building_residents o
    JOIN reg.buildings b ON b.number = o.building_number
    WHERE o.division_code >= :low AND o.division_code < :high AND o.category = :category
    GROUP BY 1, 2, 3 ORDER BY 3, 1, 2
""")


@dataclass(frozen=True)
class Demand:
    """Groups of ten people and more."""

    points: npt.NDArray[np.float64]
    """(n, 2): lon, lat in EPSG:4490, the mean of their homes."""
    residents: npt.NDArray[np.float64]
    """(n,): how many, exact."""
    counties: npt.NDArray[np.int64]
    """(n,): six digits."""
    left_out: int
    """People of counties in which there are fewer than ten of them in all."""


def of(kind: Kind, division: int | None) -> Demand:
    """Return the people a kind of facility serves, in a division (twelve digits) or everywhere; raises NoDemand."""
    low, high = divisions.extent(division) if division is not None else (0, 10**12)
    asked: dict[str, Any] = {"cell": CELL_100M, "low": low, "high": high}
    statement = _EVERYBODY
    if kind.serves == "floating":
        statement, asked = _OF_CATEGORY, asked | {"category": Category.FLOATING.value}
    with session.open("siting_job") as connection:
        rows = connection.execute(statement, asked).all()
    demand = gathered(np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, LON + 2))
    if not len(demand.residents):
        raise NoDemand(whom=kind.en)
    return demand


def gathered(squares: npt.NDArray[np.float64]) -> Demand:
    """Return squares put together until each holds ten.

    ``squares`` (s, 6): east and north in squares of 500 m, county, residents, sums of their homes' lon and lat.
    """
    ready = []
    for times in (*(2 for _ in range(DOUBLINGS)), WHOLE_COUNTY, 1):
        enough = squares[:, RESIDENTS] >= WITHHELD_BELOW
        ready.append(squares[enough])
        squares = _widened(squares[~enough], times)
    return _with_the_rest(np.concatenate(ready), squares)


def _widened(squares: npt.NDArray[np.float64], times: float) -> npt.NDArray[np.float64]:
    """Return squares summed over squares so many times as wide, county by county."""
    where = np.column_stack([squares[:, :COUNTY] // times, squares[:, COUNTY]])
    where[:, :COUNTY] *= times < WHOLE_COUNTY
    each, group = np.unique(where, axis=0, return_inverse=True)
    sums = np.zeros((len(each), squares.shape[1] - RESIDENTS))
    np.add.at(sums, group.reshape(-1), squares[:, RESIDENTS:])
    return np.hstack([each, sums])


def _with_the_rest(found: npt.NDArray[np.float64], rest: npt.NDArray[np.float64]) -> Demand:
    """Let what is left of each county join its nearest demand there, where there is one."""
    left_out = 0
    for place in rest:
        there = np.flatnonzero(found[:, COUNTY] == place[COUNTY])
        if not len(there):
            left_out += int(place[RESIDENTS])
            continue
        means = found[there, LON:] / found[there, RESIDENTS, None]
        nearest = there[np.hypot(*(means - place[LON:] / place[RESIDENTS]).T).argmin()]
        found[nearest, RESIDENTS:] += place[RESIDENTS:]
    found = found[np.lexsort((found[:, 1], found[:, 0], found[:, COUNTY]))]
    residents = found[:, RESIDENTS]
    return Demand(found[:, LON:] / residents[:, None], residents, found[:, COUNTY].astype(np.int64), left_out)
