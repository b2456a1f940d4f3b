"""The p-median: p sites so that everybody's way to the nearest of them, weighted and summed, is as short as can be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, SupportsIndex

import numpy as np
from scipy import sparse

from gis.errors import Infeasible
from gis.planning.siting import branching, costs, distances, feasibility, limited, listing, searching
from gis.planning.siting.answers import Siting, status_of
from gis.planning.siting.clock import Clock
from gis.planning.siting.costs import Costs
from gis.planning.siting.instances import WHOLE, Instance, is_whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    from gis.planning.siting.clock import OnProgress
    from gis.planning.siting.compiled import Integers
    from gis.planning.siting.costs import Choice
    from gis.planning.siting.searching import Search

LIST_SITES = 10
"""A cut list names so many times the candidates that lie, at random, around one site of p."""
LIST_LEAST = 64
RANDOM_PLANS = 10
ROUNDS = 70
SMALL_SHAKES, FIRST_SHAKES, LARGE_SHAKES = 10, 3, 60
"""How often a plan is shaken three times: of little demand, of much before the bound, and after it."""
RISING = 0.55
"""The share of the time after which the bound no longer rises, where there is time for no more."""
NODES = 1_000_000


@dataclass(frozen=True)
class Found:
    """A plan and what no plan is better than."""

    sites: Integers
    bound: float
    proven: bool


def p_median(
    cost: object,
    p: SupportsIndex,
    *,
    weights: ArrayLike | None = None,
    demand: ArrayLike | None = None,
    capacity: ArrayLike | None = None,
    divisible: bool = False,
    fixed: Iterable[SupportsIndex] = (),
    forbidden: Iterable[SupportsIndex] = (),
    separation: object = None,
    min_separation: float | None = None,
    max_cost: float | None = None,
    prove: bool = True,
    time_limit_s: float = 60,
    seed: int = 0,
    on_progress: OnProgress | None = None,
) -> Siting:
    """Open p sites so that the weighted costs of serving everybody are as small as can be.

    Args:
        cost: (n_demand, n_candidate), an array in which infinity is out of reach, or a scipy.sparse matrix in which
            what is absent is; a stored 0 is a cost of 0.
        p: how many sites are open in the end, those fixed among them.
        weights: (n_demand,), multiply the cost; 1 where not given.
        demand: (n_demand,), what fills capacity; the weights where not given.
        capacity: (n_candidate,), how much demand a site can serve.
        divisible: a demand may be shared between sites, and ``shares`` says how.
        fixed: candidates that are open already.
        forbidden: candidates that must not be opened.
        separation: (n_candidate, n_candidate), how far candidates are from each other; sparse: what is absent is far.
        min_separation: no two open sites may be nearer to each other than this.
        max_cost: nobody may be served at a higher cost, before weights.
        prove: search on until the plan is proven the best; else stop after the heuristics, whose bound still holds.
        time_limit_s: seconds by the clock on the wall.
        seed: the same seed gives the same plan, unless the time limit ends the search.
        on_progress: called now and then with the bound and the objective so far; True calls the search off.

    Raises:
        ValueError: an argument is not as above, or they contradict each other.
        Infeasible: no p sites serve everybody whom some candidate reaches; ``demand`` says who is left over.
    """
    clock = Clock(costs.read_limit(time_limit_s), on_progress)
    table = costs.read(cost, weights, max_cost)
    n, m = table.shape
    choice = costs.read_choice(p, fixed, forbidden, m)
    close = distances.too_close(separation, min_separation, m)
    wanted = Wanted(table, choice, close, prove=prove, seed=seed)
    need = table.weights if demand is None else costs.read_amounts("demand", demand, n)
    if capacity is not None:
        room = costs.read_amounts("capacity", capacity, m)
        lists = Medians(wanted.only(wanted.served()), clock)
        return limited.median(wanted, lists, need, room, clock, divisible=divisible)
    served = wanted.served()
    found = Medians(wanted.only(served), clock).solve()
    return answer(wanted, found, served, clock, divisible=divisible)


@dataclass(frozen=True)
class Wanted:
    """A checked question."""

    costs: Costs
    choice: Choice
    close: NDArray[np.int64]
    """(pairs, 2): candidates too near to each other."""
    prove: bool
    seed: int

    def served(self) -> Integers:
        """Return the demand that somebody reaches.

        Raises:
            Infeasible: some of it lies beyond ``max_cost`` of all candidates.
        """
        allowed = np.ones(self.costs.shape[1], bool)
        allowed[self.choice.forbidden] = False
        reached, within = self.costs.reached(allowed)
        far = np.flatnonzero(reached & ~within)
        if len(far):
            why = f"demand {listing.named(far)} has no candidate within {self.costs.limit:g}"
            raise Infeasible(why=why, demand=far)
        return np.flatnonzero(reached)

    def with_p(self, p: int) -> Wanted:
        """Return the question about another number of sites."""
        return replace(self, choice=replace(self.choice, p=p))

    def only(self, served: Integers) -> Wanted:
        """Return the question about some of the demand; about one that costs nothing anywhere where there is none."""
        if not len(served):
            nothing = Costs(np.zeros((1, self.costs.shape[1])), np.zeros(1))
            return replace(self, costs=nothing)
        if len(served) == self.costs.shape[0]:
            return self
        return replace(self, costs=self.costs.some(served))


class Medians:
    """One p-median, from lists to proof."""

    def __init__(self, wanted: Wanted, clock: Clock, least: int = LIST_LEAST) -> None:
        """Take a question in which somebody reaches every demand; ``least`` is the length of the lists, if cut."""
        self.wanted = wanted
        self.clock = clock
        n, m = wanted.costs.shape
        near = max(least, -(-LIST_SITES * m // wanted.choice.p))
        self.many = m if n * m <= costs.FULL else min(m, near)

    def solve(self) -> Found:
        """Search and prove; list more candidates where the plan goes beyond the lists.

        Raises:
            Infeasible: no p sites serve everybody.
        """
        while True:
            search = searching.Search(self.instance(), self.clock, self.wanted.seed)
            bound = self.run(search)
            sites = search.instance.outside(search.chosen)
            inside = self.many >= self.wanted.costs.shape[1] or self.inside(sites, search.best)
            if inside or self.clock.over():
                return Found(sites, bound, proven=inside and bound >= search.best)
            self.many *= 4

    def inside(self, sites: Integers, cost: float) -> bool:
        """Tell whether a plan serves nobody beyond their list: its cost by the lists is its cost."""
        _, least = self.wanted.costs.assign(sites)
        return bool(least @ self.wanted.costs.weights <= cost * (1 + 1e-9))

    def instance(self) -> Instance:
        """Return the table, without the candidates that are open or forbidden from the start.

        Raises:
            Infeasible: fixed sites stand too close to each other, or too few candidates are left apart from them.
        """
        return self.without(self.wanted.choice.fixed, self.wanted.choice.forbidden)

    def with_fixed(self) -> Instance:
        """Return the table with the fixed sites in it, without the forbidden and those too close to a fixed one.

        Raises:
            Infeasible: as above.
        """
        self.instance()
        close, fixed = self.wanted.close, self.wanted.choice.fixed
        beside = close[np.isin(close, fixed).any(axis=1)].ravel()
        out = np.union1d(self.wanted.choice.forbidden, np.setdiff1d(beside, fixed))
        return self.without(np.zeros(0, np.int64), out)

    def without(self, opened: Integers, closed: Integers) -> Instance:
        """Return the table without some candidates.

        Raises:
            Infeasible: those opened stand too close to each other, or leave too few.
        """
        rows = listing.listed(self.wanted.costs, self.many)
        m = self.wanted.costs.shape[1]
        choice = self.wanted.choice
        whole = is_whole(rows.cost) and rows.cost.sum() < WHOLE
        hard = rows.beyond.max() if self.many >= m else np.inf
        none = np.zeros(0, np.int64)
        everything = Instance(rows, choice.p, np.arange(m), none, self.wanted.close, whole, hard)
        left = everything.restrict(opened, closed)
        if left is None:
            raise Infeasible(why="the fixed sites leave no room for p sites that keep their distance", demand=none)
        return left

    def run(self, search: Search) -> float:
        """Search, bound and, where wanted, prove; return the bound."""
        instance = search.instance
        small = len(instance.rows.beyond) <= searching.SMALL
        search.from_random(RANDOM_PLANS if small else 1)
        if search.best >= instance.hard:
            self.serve(search)
        if search.best >= instance.hard or not instance.p:
            return search.best if not instance.p else 0.0
        if not small:
            self.shake(search, FIRST_SHAKES)
        ascent = searching.bound_and_improve(search, ROUNDS, RISING)
        bound = float(ascent.state[0])
        if bound < instance.target(search.best):
            self.shake(search, SMALL_SHAKES if small else LARGE_SHAKES)
        if self.wanted.prove or bound >= instance.target(search.best):
            bound = branching.prove(search, ascent, NODES)
        return bound

    def shake(self, search: Search, times: int) -> None:
        """Improve the best plan with few, some and many of its sites replaced, in turn."""
        for _ in range(times):
            for share in (20, 10, 5):
                search.shaken(1, max(1, search.instance.p // share))

    def serve(self, search: Search) -> None:
        """Find a plan that serves everybody, or say why there is none.

        Raises:
            Infeasible: there is none; ``demand`` is what the best plan leaves over.
        """
        chosen, final = feasibility.serving(search.instance, self.clock)
        if chosen is not None:
            search.improve(chosen)
        elif final:
            left = search.instance.left_over(search.chosen)
            why = f"no {self.wanted.choice.p} sites serve everybody; the best found leave over {listing.named(left)}"
            raise Infeasible(why=why, demand=left)


def answer(wanted: Wanted, found: Found, served: Integers, clock: Clock, *, divisible: bool = False) -> Siting:
    """Count a plan anew from the matrix that was given, and say how good it is."""
    nearest, least = wanted.costs.assign(found.sites)
    objective = float(wanted.costs.weights[served] @ least[served]) if np.isfinite(least[served]).all() else np.inf
    proven = found.proven and np.isfinite(objective)
    shares = None
    if divisible:
        there = np.flatnonzero(nearest >= 0)
        shares = sparse.csr_array((np.ones(len(there)), (there, nearest[there])), shape=wanted.costs.shape)
    bound = objective if proven else min(found.bound, objective)
    clock.end(bound, objective)
    return Siting(
        sites=found.sites.tolist(),
        assignment=nearest,
        shares=shares,
        unserved=np.flatnonzero(nearest < 0).tolist(),
        objective=objective,
        bound=bound,
        status=status_of(clock, proven=proven),
        seconds=clock.seconds,
    )
