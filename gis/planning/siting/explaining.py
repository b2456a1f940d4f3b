"""What each site of a plan is for: who goes there, whom only it reaches, and what closing it would cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gis.planning.siting import costs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import SupportsIndex

    from numpy.typing import ArrayLike

    from gis.planning.siting.compiled import Floats, Integers


@dataclass(frozen=True)
class Explained:
    """A plan, site by site; each array is (n_site,), in the order of ``sites``. Capacities are not looked at."""

    sites: Integers
    """The candidates, sorted."""
    serves: Floats
    """Sum of the amounts of the demand for which this site is the nearest."""
    only: Floats
    """Sum of the amounts of the demand that no other site of the plan reaches."""
    cost: Floats
    """Weighted cost of those it serves."""
    closing: Floats
    """How much more they would cost if it closed and each went to the next site; those in ``only`` are left out."""
    farthest: Floats
    """The highest unweighted cost among those it serves; 0 where it serves nobody."""
    only_demand: list[Integers]
    """The demand that no other site of the plan reaches."""


def explain(
    cost: object,
    sites: Iterable[SupportsIndex],
    *,
    weights: ArrayLike | None = None,
    amounts: ArrayLike | None = None,
    max_cost: float | None = None,
) -> Explained:
    """Return what each site of a plan is for.

    For a maximal or a set cover, give the ways it was made from, and as ``max_cost`` what counted as covered.

    Args:
        cost: (n_demand, n_candidate), as for p_median.
        sites: the candidates that are open.
        weights: (n_demand,), multiply the cost; 1 where not given.
        amounts: (n_demand,), how many people each demand is; the weights where not given.
        max_cost: what costs more, before weights, is out of reach.

    Raises:
        ValueError: an argument is not as above.
    """
    table = costs.read(cost, weights, max_cost)
    n, m = table.shape
    many = table.weights if amounts is None else costs.read_amounts("amounts", amounts, n)
    chosen = costs.read_sites("sites", sites, m)
    if not len(chosen):
        message = "sites must name at least one candidate"
        raise ValueError(message)
    nearest, least = table.assign(chosen)
    slot = np.where(nearest >= 0, np.searchsorted(chosen, nearest), len(chosen))
    farther = _second(table, chosen, nearest)
    alone = (nearest >= 0) & ~np.isfinite(farther)
    paid = table.weights * np.where(nearest >= 0, least, 0)
    more = table.weights * np.where((nearest >= 0) & ~alone, farther - np.where(nearest >= 0, least, 0), 0)
    farthest = np.zeros(len(chosen) + 1)
    np.maximum.at(farthest, slot, np.where(nearest >= 0, least, 0))

    def summed(what: Floats) -> Floats:
        return np.bincount(slot, weights=what, minlength=len(chosen) + 1)[:-1].astype(np.float64)

    return Explained(
        sites=chosen,
        serves=summed(many),
        only=summed(many * alone),
        cost=summed(paid),
        closing=summed(more),
        farthest=farthest[:-1],
        only_demand=[np.flatnonzero(alone & (slot == k)) for k in range(len(chosen))],
    )


def _second(table: costs.Costs, sites: Integers, nearest: Integers) -> Floats:
    """Return what the nearest site but one costs everybody, unweighted; infinite where there is none."""
    farther = np.full(len(nearest), np.inf)
    for site in sites:
        there = np.flatnonzero(nearest == site)
        others = sites[sites != site]
        if len(there) and len(others):
            farther[there] = table.some(there).assign(others)[1]
    return farther
