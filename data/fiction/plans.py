"""How many people each county of the fiction gets: the census of 2020, scaled."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from data.fiction.places import county_codes, county_of
from gis.errors import UnknownDivision

FLOATING_SHARE: Final = 0.266
"""Floating residents among all, census 2020: the national share. No total for Ningxia was published."""
HOUSEHOLD: Final = 2.65
"""Mean size of a family household in Ningxia, census 2020."""
_URBAN_PULL: Final = 2.0
"""How much likelier a resident of an urban district is to be floating than one of a county: an assumption."""


@dataclass(frozen=True)
class CountyPlan:
    """What is to be invented for one county."""

    code: int
    """Six digits."""
    residents: int
    census: int
    """Residents of 2020: the size at which its towns and villages are laid out, however few are built."""
    floating_share: float
    urban_share: float
    seed: int

    @property
    def households(self) -> int:
        """About how many households the residents make."""
        return round(self.residents / HOUSEHOLD)


def plan(
    county: int | None, residents: int | None, seed: int, *, floating_share: float = FLOATING_SHARE
) -> list[CountyPlan]:
    """Return the plan of one county (six digits) or, without, of all 22, in order of their codes.

    ``residents`` is the sum over the counties, shared out by the census; None keeps the real sizes. With at least
    as many residents as counties every county gets one or more. ``floating_share`` is that of the whole region:
    urban districts lie above it, the other counties below. Raises UnknownDivision for a code that is no county of
    Ningxia, ValueError for a negative number of residents.
    """
    codes = county_codes()
    if county is not None and county not in codes:
        raise UnknownDivision(code=county)
    places = [county_of(code) for code in codes]
    census = np.array([place.census for place in places])
    pull = np.where([place.urban_district for place in places], _URBAN_PULL, 1.0)
    shares = np.minimum(pull * floating_share * census.sum() / (pull * census).sum(), 1.0)
    chosen = [index for index, code in enumerate(codes) if county in (None, code)]
    sizes = _shared_out(residents, census[chosen])
    return [
        CountyPlan(codes[i], size, int(census[i]), float(shares[i]), places[i].urban_share, seed)
        for i, size in zip(chosen, sizes, strict=True)
    ]


def _shared_out(residents: int | None, census: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[int]:
    """Share residents out by the census, largest remainders first, at least one for each where there are enough."""
    if residents is None:
        return [int(size) for size in census]
    if residents < 0:
        message = "a sample cannot have fewer than 0 residents"
        raise ValueError(message)
    least = 1 if residents >= len(census) else 0
    exact = (residents - least * len(census)) * census / census.sum()
    sizes = np.floor(exact).astype(int)
    left = residents - least * len(census) - int(sizes.sum())
    sizes[np.argsort(sizes - exact, kind="stable")[:left]] += 1
    return [int(size) + least for size in sizes]
