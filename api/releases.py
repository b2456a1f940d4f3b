"""Which release of counts is meant, and who may see what of it."""

import datetime as dt
from typing import Annotated, Literal

from fastapi import Query
from sqlalchemy import Connection, text

from api.accounts import Caller
from gis.errors import NoRelease, NotAllowed, NotSignedIn
from gis.terms import Category, Role

ALL = "all"
PUBLIC_SIZE_M = 1000
"""rights.md 8: without an account one sees all residents at 1 km or coarser."""
CategoryName = Literal["all", "permanent", "floating", "other", "undetermined"]
CATEGORIES: tuple[str, ...] = (ALL, *(category.value for category in Category))
On = Annotated[dt.date | None, Query(description="the last release up to this day; without it, the newest")]


def release_on(connection: Connection, on: dt.date | None) -> dt.date:
    """Return the day of the last release up to a day, or of the newest; raises NoRelease."""
    found: dt.date | None = connection.execute(
        text("SELECT max(release) FROM pub.releases WHERE CAST(:on AS date) IS NULL OR release <= :on"), {"on": on}
    ).scalar_one()
    if found is None:
        raise NoRelease(which=f" up to {on}" if on else "")
    return found


def may_see_categories(caller: Caller) -> bool:
    """Tell whether categories and finer cells are for the caller: planners, in any division.

    Released counts have passed the disclosure gate, so a planner's division does not bound them.
    """
    return caller.has(Role.PLANNER)


def allow(caller: Caller, category: str, size_m: int) -> None:
    """Raise NotSignedIn or NotAllowed where a category or a size of cells is not for the caller."""
    if (category == ALL and size_m >= PUBLIC_SIZE_M) or may_see_categories(caller):
        return
    if not caller.signed_in:
        raise NotSignedIn
    raise NotAllowed(who=caller.name, what="see categories or cells below 1 km; they are for planners")
