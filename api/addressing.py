"""The address box: what somebody who types an address may mean, by the matcher that links rosters.

A county's addresses are held in memory, a few counties at a time, and read again when the register has gone on.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api import answers, errors
from api.accounts import Caller
from api.signing_in import Token, signed_in
from gis import numbering
from gis.addresses.cleaning import clean
from gis.categories import county_code
from gis.errors import NotAllowed
from gis.register import changes
from gis.register.divisions import extent, parse_code
from gis.register.matching import index, loading
from gis.register.matching.completing import MOST, Completer
from gis.register.matching.deciding import Explanation, Matcher
from gis.store import session
from gis.terms import MatchOutcome, MatchReason, Role

if TYPE_CHECKING:
    from gis.addresses.gazetteers import Gazetteer

router = APIRouter(tags=["addresses 地址"])
MOST_COUNTIES = 4
"""Counties held at a time; the largest of Ningxia takes some 30 MB."""
AT_LEAST_S = 30.0
"""A county is not read again more often, however fast the register goes on."""
_COUNTY_DIGITS = 6


class _Held(NamedTuple):
    head: int
    read_at: float
    completer: Completer


class Counties:
    """The addresses of counties, by what they were read from."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with none."""
        self._clock = clock
        self._lock = threading.Lock()
        self._held: OrderedDict[int, _Held] = OrderedDict()
        self._gazetteer: Gazetteer | None = None

    def meant(self, who: Caller, text: str) -> frozenset[int]:
        """Return the counties (six digits) that an address can be in by what it says, all of them where nothing."""
        with self._lock:
            if self._gazetteer is None:
                with session.open(who.database_role) as connection:
                    self._gazetteer = loading.gazetteer(connection)
            names = self._gazetteer
        meant = names.meant(names.read(clean(text)))
        return frozenset(names.county_names) if meant is None else meant

    def completer(self, who: Caller, county: int) -> Completer:
        """Return what completes addresses of a county, read again where the register has gone on since."""
        with self._lock, session.open(who.database_role) as connection:
            head = changes.find_head(connection)
            held = self._held.pop(county, None)
            if held is None or (held.head != head and self._clock() - held.read_at >= AT_LEAST_S):
                built = index.build(loading.find_buildings(connection, [county]), loading.gazetteer(connection))
                held = _Held(head, self._clock(), Completer(Matcher(built)))
            self._held[county] = held
            while len(self._held) > MOST_COUNTIES:
                self._held.popitem(last=False)
            return held.completer


COUNTIES = Counties()


@router.get("/api/addresses", responses=errors.documented(401, 403, 422, 503))
def addresses(
    text: Annotated[str, Query(min_length=1, max_length=200, description="an address, or the beginning of one")],
    token: Token,
    division: Annotated[
        str | None, Query(max_length=12, description="the county meant where the text names none, 6 to 12 digits")
    ] = None,
) -> Response:
    """Return what an address means so far, and buildings to choose from: what agrees with each, what contradicts.

    ``linked`` is said only where exactly one building agrees with everything; ``reason`` says why it is not said.
    """
    who = signed_in(token)
    if who.database_role == "public":
        raise NotAllowed(who=who.name, what="look addresses up")
    county = _county(who, text, division)
    if county is None:
        return answers.json(
            {"outcome": MatchOutcome.REVIEW, "reason": MatchReason.COUNTY_NOT_STATED, "room": "", "candidates": []}
        )
    verdict, offered = COUNTIES.completer(who, county).offer(text)
    return answers.json(
        {
            "outcome": verdict.outcome,
            "grade": verdict.grade,
            "reason": verdict.reason,
            "room": verdict.room,
            "candidates": [_described(one) for one in offered[:MOST]],
        }
    )


def _county(who: Caller, text: str, division: str | None) -> int | None:
    """Return the one county that is meant: by the text, by what the caller says, or as the only one they work in."""
    meant = COUNTIES.meant(who, text)
    said = county_code(division)
    if said is not None:
        meant &= {said}
    if len(meant) > 1:
        ranges = [extent(parse_code(grant.division)) for grant in who.grants if grant.role == Role.REGISTRAR]
        meant = frozenset(
            code for code in meant
            if any(low <= code * 10**6 + 999_999 and code * 10**6 < high for low, high in ranges)
        )  # fmt: skip
    return next(iter(meant)) if len(meant) == 1 else None


def _described(one: Explanation) -> dict[str, Any]:
    return {
        "number": one.number,
        "shown": numbering.show(one.number),
        "standard_address": one.address,
        "agrees": one.agrees.split(),
        "contradicts": one.contradicts.split(),
    }
