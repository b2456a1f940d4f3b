"""The disclosure gate's door: a dated release of counts. The gate itself is SQL.

What a release is made of, and why nobody works a count out of it, stands at the head of sql/65_perturbation.sql (noise
by cell keys, after the Office for National Statistics' ``cell-key-perturbation``) and of sql/70_release.sql (what is
exact, what is withheld). In short:

=====================  ==========================================  ==================================================
of                     a count is                                  withheld
=====================  ==========================================  ==================================================
squares, villages      a sum of perturbed pieces: the residents    under 10, or of fewer than 3 buildings; what a
                       of one category in one 100 m square of a    total, a parent or another category would give back
                       division, noise from -4 to 4, mean 0,
                       variance at most 2.03 each
townships and above    exact where at least 30 pieces of a         the same
                       category share the noise that this gives
                       away, else a sum of perturbed pieces
sums in a plan         exact in the program, ``shown`` to the      under 10
                       nearest ten
=====================  ==========================================  ==================================================

Each count carries the standard deviation of its noise. A zero is shown of a category at 1 km and in divisions, never of
all residents; perturbed, it stands for 0 to 4 in each piece. No number stands for fewer than ten people.

Of the fictional region with 500,000 residents, all residents are withheld in 89 of 924 squares of 1 km (74 of them hold
fewer than three buildings), 300 of 2,049 of 500 m, 6,069 of 12,314 of 100 m, 2 of 207 villages and no township;
floating residents in 262, 1,396, 11,572, 8 and none. The median standard deviation of the noise is 6.2, 4.2 and 2.0
residents in squares of 1 km, 500 m and 100 m, 12.3 in villages.
"""

import datetime as dt
import math
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from gis.errors import BadArgument, ReleaseExists, ReleaseTooNear
from gis.store import session

WITHHELD_BELOW = 10
"""Counts from 1 to 9 are withheld (rights.md, 8)."""
ROUNDED_TO = 10
"""What a plan says of sums of people is a multiple of this (its exact sums never leave the program)."""
LEAST_BUILDINGS = 3
"""What one or two buildings hold is withheld, however many live there (rights.md, 8)."""
LEAST_PIECES = 30
"""An exact total gives away the sum of the noise under it: at least so many pieces share it, or it is perturbed too."""
APART = dt.timedelta(days=28)
"""Without noise, the fewer people move between two releases, the more their difference tells of one home."""
RELEASE_LOCK = 0x6D70_0003
"""Held by whoever makes a release: two at once must not both find the month free."""
LEGAL_TIME = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Released:
    """What a release shows and hides, in counts of areas; all residents only."""

    release: dt.date
    divisions: int
    divisions_withheld: int
    cells: int
    """Squares of 1 km with a registered building."""
    cells_withheld: int


def today() -> dt.date:
    """Return the legal date."""
    return dt.datetime.now(LEGAL_TIME).date()


def shown(n: float) -> int | None:
    """Return a sum of people as a plan may publish it: to the nearest ten, halves upwards; None under ten.

    For sums over areas that somebody chose: demand, coverage and load of a site, objective and bound. Two plans
    that differ by one home differ by nothing or by ten; who may ask how often is the query budget's business.
    Raises BadArgument for a number that is none.
    """
    if not math.isfinite(n):
        raise BadArgument(why=f"{n} is no number of residents")
    return None if n < WITHHELD_BELOW else math.floor(n / ROUNDED_TO + 0.5) * ROUNDED_TO


def release(on: dt.date | None = None) -> Released:
    """Write the release of a day, today by default; the one of a day is made once and stays.

    Made anew after a correction, it would tell whoever kept the first what was corrected; so it is not.
    Raises ReleaseExists, ReleaseTooNear, and BadArgument for a day to come.
    """
    day = on or today()
    if day > today():
        raise BadArgument(why=f"{day} is still to come; a release counts a day that has been")
    with session.open("siting_job") as connection:
        _keep_apart(connection, day)
        connection.execute(
            text("SELECT calc.release_counts(:day, :below, :buildings, :pieces)"),
            {"day": day, "below": WITHHELD_BELOW, "buildings": LEAST_BUILDINGS, "pieces": LEAST_PIECES},
        )
        divisions, divisions_withheld = _sums(connection, "division_counts", day)
        cells, cells_withheld = _sums(connection, "cell_counts", day)
    return Released(day, divisions, divisions_withheld, cells, cells_withheld)


def _keep_apart(connection: Connection, day: dt.date) -> None:
    """Refuse a release less than a month from another; two made at once wait for each other.

    Raises ReleaseExists, ReleaseTooNear.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": RELEASE_LOCK})
    known = connection.execute(text("SELECT release FROM pub.releases ORDER BY release")).scalars().all()
    free = day
    for release in known:
        if abs(free - release) < APART:
            free = release + APART
    if day in known:
        raise ReleaseExists(day=day, free=free)
    if free != day:
        near = min(known, key=lambda release: abs(release - day))
        raise ReleaseTooNear(day=day, near=near, apart=APART.days, free=free)


def _sums(connection: Connection, table: Literal["division_counts", "cell_counts"], day: dt.date) -> tuple[int, int]:
    """Return how many counts of all residents a release has, by division or at 1 km, and how many are withheld."""
    of_everybody = {
        "division_counts": "SELECT count(*), count(*) FILTER (WHERE withheld) FROM pub.division_counts"
        " WHERE release = :day AND category = 'all'",
        "cell_counts": "SELECT count(*), count(*) FILTER (WHERE withheld) FROM pub.cell_counts"
        " WHERE release = :day AND category = 'all' AND size = 1000",
    }
    row = connection.execute(text(of_everybody[table]), {"day": day}).one()
    return int(row[0]), int(row[1])


def newest(on: dt.date | None = None) -> dt.date | None:
    """Return the last release up to a day, or of all; None where there is none."""
    with session.open("public") as connection:
        found: dt.date | None = connection.execute(
            text("SELECT max(release) FROM pub.releases WHERE release <= coalesce(CAST(:on AS date), 'infinity')"),
            {"on": on},
        ).scalar()
    return found
