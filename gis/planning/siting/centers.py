"""The p-center: p sites so that the longest way anybody has to the nearest of them is as short as can be.

Whether p sites can keep everybody within a cost is a set cover (Minieka, 1970), so the answer is found by halving the
list of costs that occur.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex

import numpy as np
from scipy import sparse

from gis.errors import Infeasible
from gis.planning.siting import costs, covering, covers, listing, milp
from gis.planning.siting.answers import Siting, status_of
from gis.planning.siting.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike

    from gis.planning.siting.clock import OnProgress
    from gis.planning.siting.compiled import Floats, Integers


def p_center(
    cost: object,
    p: SupportsIndex,
    *,
    weights: ArrayLike | None = None,
    fixed: Iterable[SupportsIndex] = (),
    forbidden: Iterable[SupportsIndex] = (),
    time_limit_s: float = 60,
    seed: int = 0,
    on_progress: OnProgress | None = None,
) -> Siting:
    """Open p sites so that the largest weighted cost of serving anybody is as small as can be.

    Args:
        cost: (n_demand, n_candidate), an array in which infinity is out of reach, or a scipy.sparse matrix in which
            what is absent is; a stored 0 is a cost of 0.
        p: how many sites are open in the end, those fixed among them.
        weights: (n_demand,), multiply the cost; 1 where not given.
        fixed: candidates that are open already.
        forbidden: candidates that must not be opened.
        time_limit_s: seconds by the clock on the wall.
        seed: the same seed gives the same plan, unless the time limit ends the search.
        on_progress: called now and then with the bound and the objective so far; True calls the search off.

    Raises:
        ValueError: an argument is not as above, or they contradict each other.
        Infeasible: no p sites reach everybody; ``demand`` says who is left over.
    """
    clock = Clock(costs.read_limit(time_limit_s), on_progress)
    table = costs.read(cost, weights)
    choice = costs.read_choice(p, fixed, forbidden, table.shape[1])
    center = Center(table, choice, clock, seed)
    sites, bound = center.solve()
    return answer(table, sites, bound, clock)


def answer(table: costs.Costs, sites: Integers, bound: float, clock: Clock) -> Siting:
    """Count a plan anew from the matrix that was given."""
    nearest, least = table.assign(sites)
    objective = float((np.where(np.isfinite(least), table.weights, 1.0) * least).max())
    proven = bool(bound >= objective)
    clock.end(min(bound, objective), objective)
    return Siting(
        sites=sites.tolist(),
        assignment=nearest,
        shares=None,
        unserved=np.flatnonzero(nearest < 0).tolist(),
        objective=objective,
        bound=min(bound, objective),
        status=status_of(clock, proven=proven and np.isfinite(objective)),
        seconds=clock.seconds,
    )


class Pairs(NamedTuple):
    """Who can be served where at which weighted cost; free candidates only."""

    demand: Integers
    candidate: Integers
    cost: Floats


class Center:
    """One p-center, by halving."""

    def __init__(self, table: costs.Costs, choice: costs.Choice, clock: Clock, seed: int) -> None:
        """Take a checked question."""
        self.table, self.choice, self.clock, self.seed = table, choice, clock, seed
        outside = np.concatenate([choice.fixed, choice.forbidden])
        self.free = np.setdiff1d(np.arange(table.shape[1]), outside)
        self.p = choice.p - len(choice.fixed)
        self.already = self._already()
        self.pairs = self._pairs()

    def _already(self) -> Floats:
        """Return everybody's weighted cost of going to a site that is open from the start."""
        if not len(self.choice.fixed):
            return np.full(self.table.shape[0], np.inf)
        _, least = self.table.assign(self.choice.fixed)
        return np.where(np.isfinite(least), self.table.weights * np.where(np.isfinite(least), least, 0), np.inf)

    def _pairs(self) -> Pairs:
        """List all pairs within reach."""
        if sparse.issparse(self.table.matrix):
            part = self.table.matrix[:, self.free].tocoo()
            demand, candidate, cost = part.coords[0], part.coords[1], part.data.astype(np.float64)
        else:
            part = np.asarray(self.table.matrix[:, self.free], dtype=np.float64)
            demand, candidate = np.divmod(np.arange(part.size), max(1, part.shape[1]))
            cost = part.ravel()
        there = np.isfinite(cost)
        demand, candidate, cost = demand[there], candidate[there], cost[there]
        return Pairs(demand, candidate, cost * self.table.weights[demand])

    def solve(self) -> tuple[Integers, float]:
        """Return a plan and the bound.

        Raises:
            Infeasible: no p sites reach everybody.
        """
        sites, low, high = self.span()
        while len(low_high := self.levels[low:high]) and not self.clock.over():
            self.clock.tell(float(self.levels[low]), float(self.levels[high]))
            middle = low + (len(low_high) - 1) // 2
            found, final = self.within(float(self.levels[middle]))
            if found is not None:
                sites, high = found, min(middle, self.level_of(found))
            elif final:
                low = middle + 1
            else:
                break
        return sites, float(self.levels[low]) if len(self.levels) else 0.0

    def level_of(self, sites: Integers) -> int:
        """Return which of the levels a plan keeps everybody within."""
        _, least = self.table.assign(sites)
        return int(np.searchsorted(self.levels, (self.table.weights * least).max()))

    def span(self) -> tuple[Integers, int, int]:
        """Return a first plan, and between which of the costs that occur the answer lies.

        Raises:
            Infeasible: no p sites reach everybody.
        """
        least = self.already.copy()
        np.minimum.at(least, self.pairs.demand, self.pairs.cost)
        alone = np.flatnonzero(~np.isfinite(least))
        if len(alone):
            raise Infeasible(why=f"no allowed candidate reaches demand {listing.named(alone)}", demand=alone)
        occurring = np.concatenate([self.pairs.cost, self.already[np.isfinite(self.already)]])
        self.levels = np.unique(occurring[occurring >= least.max()])
        sites, final = self.within(np.inf)
        if sites is None and final:
            self.refuse()
        if sites is None:
            return self.filled(self.most(np.inf)), 0, 0
        return sites, 0, self.level_of(sites)

    def refuse(self) -> None:
        """Say whom p sites leave over.

        Raises:
            Infeasible: always.
        """
        nearest, _ = self.table.assign(self.filled(self.most(np.inf)))
        left = np.flatnonzero(nearest < 0)
        why = f"no {self.choice.p} sites reach everybody; the best found leave over {listing.named(left)}"
        raise Infeasible(why=why, demand=left)

    def covered_at(self, level: float) -> Any:  # noqa: ANN401 - a sparse array: scipy has no types
        """Return who is served where at no more than this cost, without those whom open sites serve so already."""
        shape = (self.table.shape[0], len(self.free))
        near = self.pairs.cost <= level
        ones = np.ones(int(near.sum()))
        table = sparse.csr_array((ones, (self.pairs.demand[near], self.pairs.candidate[near])), shape=shape)
        return table[~(self.already <= level) | ~np.isfinite(self.already)]

    def most(self, level: float) -> Integers:
        """Return p candidates chosen greedily."""
        return self.free[covering.greedy_cover(self.covered_at(level), self.seed)[: self.p]]

    def within(self, level: float) -> tuple[Integers | None, bool]:
        """Return p sites that keep everybody within a cost, and whether None is final: there are no such sites."""
        part = covers.reduced(self.covered_at(level))
        wanted = self.p - len(part.taken)
        n, m = part.matrix.shape
        if not n:
            return (self.filled(self.free[part.taken]), True) if wanted >= 0 else (None, True)
        if wanted <= 0:
            return None, True
        chosen = covering.greedy_cover(part.matrix, self.seed)
        if len(chosen) > wanted:
            ones = np.ones(m)
            rows, lower, upper = milp.stacked((part.matrix, 1.0, np.inf), (sparse.csr_array(ones[None]), 0.0, wanted))
            solved = milp.solve(milp.Programme(ones, rows, lower, upper, ones, ones > 0), self.clock, stop=wanted)
            if solved.x is None:
                return None, solved.proven
            chosen = np.flatnonzero(solved.x > 0.5)  # noqa: PLR2004
        sites = np.concatenate([part.taken, part.candidates[chosen]])
        return self.filled(self.free[sites]), True

    def filled(self, sites: Integers) -> Integers:
        """Return p sites: the fixed, these, and the first others that may be opened."""
        return covering.filled(np.unique(np.concatenate([self.choice.fixed, sites])), self.choice, self.table.shape[1])
