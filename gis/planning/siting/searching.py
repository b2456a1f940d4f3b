"""Good plans for a p-median: swaps from random plans and from those that the bound suggests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gis.planning.siting import interchange, lagrangian

if TYPE_CHECKING:
    from gis.planning.siting.clock import Clock
    from gis.planning.siting.compiled import Flags, Floats, Integers
    from gis.planning.siting.instances import Instance

SWAPS_AT_ONCE = 25
"""Swaps between two looks at the clock."""
STEPS = 20
"""Steps of the ascent between two plans."""
STILL = 1e-3
"""A step this short no longer moves the bound."""
ABOVE = 1e-3
"""The ascent aims this much above the best plan, as a share: what it reaches exactly it stops short of."""
SMALL = 3_000
"""Demand up to which plans are improved faster than the bound rises."""
CLOSE = 0.01
"""A bound within this share of the best plan suggests good plans."""
OUTLIER = 20
"""A second nearest cost of more than so many medians says nothing of a demand's size: it is out of reach."""


class Search:
    """Improves plans of one instance, and remembers the best."""

    def __init__(self, instance: Instance, clock: Clock, seed: int) -> None:
        """Begin without a plan."""
        n, m, p = len(instance.rows.beyond), instance.many, instance.p
        self.instance = instance
        self.clock = clock
        self.random = np.random.default_rng(seed)
        self.best = np.inf
        self.bound = 0.0
        """No plan costs less: costs are 0 or more."""
        self.chosen: Integers = np.zeros(0, np.int64)
        """The best plan, sorted."""
        places = np.zeros(n, np.int64)
        self._plan = interchange.Plan(np.zeros(m, np.int32), np.zeros(p, np.int32), places, places.copy())
        self._tally = interchange.Tally(np.zeros(m), np.zeros(p), np.zeros((p, m)))
        self._seen: set[bytes] = set()

    def improve(self, chosen: Integers) -> float:
        """Swap sites of a plan until no swap helps, and return what it costs; no plan is improved twice."""
        key = np.sort(chosen).tobytes()
        if key in self._seen:
            return np.inf
        self._seen.add(key)
        rows, plan, tally = self.instance.rows, self._plan, self._tally
        plan.sites[:] = chosen
        cost = interchange.begin(rows, plan, tally)
        least = 1e-9 * abs(cost) + 1e-12
        swap = (rows, self.instance.columns, plan, tally, self.instance.clashes, least, SWAPS_AT_ONCE)
        while interchange.improve(*swap) == SWAPS_AT_ONCE and not self.clock.over():
            pass
        return self.consider(plan.sites.astype(np.int64))

    def consider(self, chosen: Integers) -> float:
        """Remember a plan if it is the best so far, and return what it costs."""
        cost = self.instance.value(chosen)
        if cost < self.best - 1e-12 * abs(cost):
            self.best = cost
            self.chosen = np.sort(chosen)
            self.clock.tell(self.bound, self.best)
        return cost

    def rise(self, bound: float) -> None:
        """Remember a bound if it is the best so far."""
        self.bound = max(self.bound, min(bound, self.best))
        self.clock.tell(self.bound, self.best)

    def consider_sites(self, sites: Integers) -> float:
        """Remember a plan given by its sites' outside numbers if it is the best so far."""
        free = np.setdiff1d(sites, self.instance.opened)
        return self.consider(np.searchsorted(self.instance.ids, free))

    def apart(self, order: Integers) -> Integers | None:
        """Return the first p candidates in this order that do not stand too close; None where there are not so many."""
        if not len(self.instance.clashes.site):
            return order[: self.instance.p]
        chosen = interchange.apart(order, self.instance.clashes, self.instance.p)
        return chosen if len(chosen) == self.instance.p else None

    def from_random(self, times: int) -> None:
        """Improve so many random plans."""
        for _ in range(times):
            if self.clock.over() and np.isfinite(self.best):
                return
            chosen = self.apart(self.random.permutation(self.instance.many))
            if chosen is not None:
                self.improve(chosen)

    def shaken(self, times: int, sites: int) -> None:
        """Improve the best plan with some of its sites replaced at random, so many times."""
        for _ in range(times):
            if self.clock.over() or not len(self.chosen):
                return
            mixed = self.random.permutation(self.chosen)
            others = self.random.permutation(np.setdiff1d(np.arange(self.instance.many), self.chosen))
            chosen = self.apart(np.concatenate([mixed[sites:], others, mixed[:sites]]))
            if chosen is not None:
                self.improve(chosen)


def first_multipliers(search: Search) -> tuple[Floats, Floats]:
    """Return where to begin the ascent and how far each multiplier moves.

    They begin between the costs of the two nearest sites of a plan. The root of the farther one is the measure that
    lets large and small demand converge together; without one, a hundred thousand points stay 2 % from the optimum.
    """
    near, farther = interchange.two_costs(search.instance.rows, search.chosen, search.instance.many)
    served = np.minimum(farther, np.median(farther) * OUTLIER + near)
    return (near + served) / 2, np.sqrt(served + 1e-6 * served.mean() + 1e-12)


def bound_and_improve(search: Search, rounds: int, share: float = 1.0) -> lagrangian.Ascent:
    """Raise the bound, and from time to time improve the plan it suggests; stop where nothing moves any more."""
    instance = search.instance
    u, scale = first_multipliers(search)
    ascent = lagrangian.start(np.minimum(u, instance.rows.beyond), scale, instance.many)
    marked = np.zeros(instance.many, np.int8)
    bound = -np.inf
    every = 1 if len(u) <= SMALL else 4
    for number in range(rounds):
        before, best = bound, search.best
        bound = lagrangian.ascend(instance.rows, instance.p, best * (1 + ABOVE), STEPS, ascent, marked)
        search.rise(bound)
        # a bound still rising fast suggests poor plans, which take long to improve
        near = best - bound < CLOSE * best or bound - before < 0.1 * CLOSE * best
        if near and number % every == every - 1:
            suggested(search, ascent, marked)
        if bound >= instance.target(search.best) or ascent.state[1] < STILL or search.clock.over(share):
            break
    return ascent


def suggested(search: Search, ascent: lagrangian.Ascent, marked: Flags) -> None:
    """Improve the plan that the bound's last step chose."""
    chosen = search.apart(np.lexsort((ascent.saving, 1 - marked)))
    if chosen is not None:
        search.improve(chosen)
