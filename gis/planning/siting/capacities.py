"""Sites that take only so much: plans and bounds of a p-median, or of a maximal cover, with capacities.

Exchanges find plans, the ascent over knapsacks bounds them, and what its reduced costs leave open is a programme for
HiGHS, which is small where the two are close.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from gis.planning.siting import allotting, interchange, knapsacks, lagrangian, milp, programmes, searching
from gis.planning.siting.limits import Allotted

if TYPE_CHECKING:
    from gis.planning.siting.clock import Clock
    from gis.planning.siting.compiled import Flags, Floats, Integers
    from gis.planning.siting.limits import Limited

STARTS = 5
"""How many plans exchanges start from: one of a search that knows no capacities, and random ones."""
WANDERS = 5
"""Runs of exchanges from each, each less willing to accept what is worse than the one before."""
WORK = 2e7
"""Demand times sites times exchanges of one run."""
AT_ONCE = 1e6
"""The same, of exchanges between two looks at the clock."""
WORSE = 0.004
ROUNDS, STEPS = 40, 20
"""Rounds of the ascent, and its steps between two plans."""
FIRST, RISING, LAST = 0.15, 0.55, 0.65
"""The shares of the time after which the first exchanges, the ascent and the last exchanges end at the latest."""
STILL = 2e-4
"""A step this short no longer moves the bound."""
ABOVE = 1e-3
PLACES = 400_000
"""Pairs left open of which HiGHS still makes something."""
NEARBY = 6
"""In a narrowed programme a demand chooses between so many of its nearest sites."""
NARROW = 0.25
"""The share of the time that is left in which a narrowed programme looks for a better plan."""
EMPTY = np.zeros(0, np.int64)


class Search:
    """Improves plans of one question with capacities, and bounds them."""

    def __init__(self, asked: Limited, clock: Clock, seed: int) -> None:
        """Begin without a plan."""
        self.asked, self.clock, self.seed = asked, clock, seed
        self.best: Allotted | None = None
        self.bound = 0.0
        self.impossible = False
        """No plan serves everybody: that is proven."""
        self._plan, self._trial, self._top = asked.empty(), asked.empty(), asked.empty()
        instance = asked.instance
        self._table = (instance.rows, instance.columns, asked.loads)

    @property
    def cost(self) -> float:
        """What the best plan costs."""
        return self.best.cost if self.best else np.inf

    @property
    def serves(self) -> bool:
        """Whether the best plan serves everybody who must be."""
        return self.best is not None and self.best.whole

    @property
    def upper(self) -> float:
        """What no bound is above; a part left out costs less than the whole of it, so such a plan says nothing."""
        return self.cost if self.serves or not self.asked.divisible else np.inf

    def consider(self, plan: Allotted) -> None:
        """Remember a plan if it is the best so far."""
        cheaper = plan.cost < self.cost - 1e-12 * abs(plan.cost)
        if (cheaper and plan.whole >= self.serves) or plan.whole > self.serves:
            self.best = plan
            self.clock.tell(self.bound, self.cost)

    def rise(self, bound: float) -> None:
        """Remember a bound if it is the best so far."""
        self.bound = max(self.bound, min(bound, self.upper))
        self.clock.tell(self.bound, self.cost)

    def run(self, *, prove: bool) -> None:
        """Search, bound and, where wanted, prove."""
        sites = self.first_sites()
        if sites is not None:
            self.begin(sites)
            self.wander(WANDERS, FIRST)
            self.restart(FIRST)
            self.divide()
        chosen = self.ascend() if sites is not None else None
        if chosen is not None and self.bound < self.asked.target(self.upper):
            allotting.copy(self._top, self._plan)
            self.wander(WANDERS, LAST)
        if sites is not None:
            self.divide()
        if self.bound < self.asked.target(self.upper) and (prove or not self.serves):
            self.finish(chosen)
        if self.bound >= self.asked.target(self.upper):
            self.bound = self.upper
            # whoever is left out costs more than any plan that serves everybody
            self.impossible |= not self.serves and self.asked.complete

    def first_sites(self) -> Integers | None:
        """Return the plan of a short search that knows no capacities; None where no p sites keep apart so easily."""
        asked = self.asked
        free = asked.instance.restrict(np.flatnonzero(asked.loads.must), EMPTY)
        if free is None:
            return None
        if free.p in {0, free.many}:
            if len(interchange.apart(np.arange(free.p), free.clashes, free.p)) < free.p:
                return None
            return np.searchsorted(asked.instance.ids, free.outside(np.arange(free.p)))
        search = searching.Search(free, self.clock, self.seed)
        for _ in range(3):
            search.from_random(1)
        chosen = np.searchsorted(asked.instance.ids, free.outside(search.chosen))
        return chosen if len(chosen) == asked.instance.p else None

    def begin(self, sites: Integers) -> None:
        """Allot a set of sites and improve the plan."""
        allotting.begin(*self._table, self.asked.leaving, sites, self._plan)
        allotting.improve(*self._table, self.asked.instance.clashes, self._plan)
        if self.best is None or allotting.total(self._plan) < allotting.total(self._top):
            allotting.copy(self._plan, self._top)
        self.take(self._plan)

    def divide(self) -> None:
        """Where demand may be divided, divide it between the sites of the best plan as is cheapest."""
        if self.asked.divisible and not self.clock.over():
            self.consider(programmes.flow(self.asked, np.sort(self._top.sites), self.clock))

    def take(self, plan: allotting.Allotment) -> None:
        """Consider a plan in which nobody is divided."""
        served = np.flatnonzero(plan.at < len(plan.sites))
        where = (served, plan.sites[plan.at[served]])
        shape = (len(plan.at), self.asked.instance.many)
        shares = sparse.csr_array((np.ones(len(served)), where), shape=shape)
        whole = self.asked.optional or len(served) == len(plan.at)
        self.consider(Allotted(np.sort(plan.sites), shares, float(allotting.total(plan)), whole))

    def restart(self, share: float) -> None:
        """Exchange sites of random plans too, until this share of the time has passed."""
        random = np.random.default_rng(self.seed)
        instance, must = self.asked.instance, self.asked.loads.must
        for _ in range(STARTS - 1):
            order = np.lexsort((random.random(instance.many), 1 - must))
            sites = interchange.apart(order, instance.clashes, instance.p)
            if self.clock.over(share) or len(sites) < instance.p:
                break
            self.begin(sites)
            self.wander(WANDERS, share)

    def wander(self, runs: int, share: float) -> None:
        """Exchange sites at random, so many runs or until this share of the time has passed, from the last plan on."""
        n, p = len(self.asked.leaving), self.asked.instance.p
        times = int(np.clip(WORK / (n * (p + 1)), 2, min(1000, 10 * self.asked.instance.many)))
        at_once = int(np.clip(AT_ONCE / (n * (p + 1)), 1, times))
        clashes = self.asked.instance.clashes
        for run in range(runs):
            worse = WORSE * (1 - run / runs) ** 2
            for _ in range(0, times, at_once):
                self.seed += 1
                allotting.wander(*self._table, clashes, self._plan, self._trial, self._top, at_once, worse, self.seed)
                if self.clock.over(share):
                    break
            self.take(self._top)
            if self.clock.over(share):
                break

    def ascend(self) -> lagrangian.Ascent:
        """Raise the bound, and now and then improve the plan it suggests."""
        asked, rows = self.asked, self.asked.instance.rows
        near, farther = interchange.two_costs(rows, self.best.sites if self.best else EMPTY, asked.instance.many)
        served = np.minimum(farther, np.median(farther) * searching.OUTLIER + near)
        scale = np.sqrt(served + 1e-6 * served.mean() + 1e-12)
        ascent = lagrangian.start(np.minimum((near + served) / 2, rows.beyond), scale, asked.instance.many)
        marked = np.zeros(asked.instance.many, np.int8)
        fixed = (*self._table, asked.instance.p, asked.divisible)
        for number in range(ROUNDS):
            self.rise(knapsacks.ascend(*fixed, self.cost * (1 + ABOVE), STEPS, ascent, marked))
            if number % 4 == 3 and self.cost - self.bound < 0.1 * self.cost:  # noqa: PLR2004 - not far from the best
                self.suggested(ascent, marked)
            over = self.clock.over(RISING)
            if self.bound >= asked.target(self.upper) or ascent.state[1] < STILL or over:
                break
        return ascent

    def suggested(self, ascent: lagrangian.Ascent, marked: Flags) -> None:
        """Try the sites that the bound's last step chose."""
        order = np.lexsort((ascent.saving, 1 - marked, 1 - self.asked.loads.must))
        sites = interchange.apart(order, self.asked.instance.clashes, self.asked.instance.p)
        if len(sites) == self.asked.instance.p:
            self.begin(sites)

    def finish(self, ascent: lagrangian.Ascent | None) -> None:
        """Let HiGHS search what the reduced costs leave open: first near the best plan, then all of it."""
        kept = self.left_open(ascent)
        if ascent is not None and self.serves and len(kept) > PLACES // 100:
            near = self.narrowed(kept, ascent)
            self.solve(near, self.clock.left_s * NARROW)
            kept = self.left_open(ascent)
        if len(kept) > PLACES or not self.asked.complete:
            return
        solved = self.solve(kept, self.clock.left_s)
        if solved.x is None and solved.proven and not self.serves:
            self.impossible = True
        self.rise(self.upper if solved.proven else solved.bound)

    def left_open(self, ascent: lagrangian.Ascent | None) -> Integers:
        """Return the places that a better plan may use."""
        asked = self.asked
        many, p = asked.instance.many, asked.instance.p
        if ascent is None or not self.serves:
            return np.arange(len(asked.demand))
        saving, marked, served = np.empty(many), np.zeros(many, np.int8), np.empty(len(asked.leaving))
        fixed = (*self._table, p, asked.divisible)
        value = ascent.best_u.sum() + knapsacks.choose(*fixed, ascent.best_u, saving, marked, served)
        free = (marked == 1) & (asked.loads.must == 0)
        worst = saving[free].max() if free.any() else -np.inf
        spare = np.where(marked == 1, 0.0, saving - worst)
        limits = (value, asked.target(self.cost), spare)
        out = knapsacks.out_of_question(*self._table, asked.divisible, ascent.best_u, saving, *limits)
        return np.flatnonzero(out == 0)

    def narrowed(self, kept: Integers, ascent: lagrangian.Ascent) -> Integers:
        """Return the places of a programme near the best plan: its sites, those that save most, the nearest of both."""
        asked = self.asked
        inside = np.zeros(asked.instance.many, bool)
        inside[np.argsort(ascent.saving, kind="stable")[: 2 * asked.instance.p]] = True
        inside |= asked.loads.must == 1
        if self.best:
            inside[self.best.sites] = True
        part = kept[inside[asked.instance.rows.site[kept]]]
        owner = asked.demand[part]
        first = np.searchsorted(owner, owner)
        return part[np.arange(len(part)) - first < NEARBY]

    def solve(self, kept: Integers, limit_s: float) -> milp.Solved:
        """Solve the programme of some places and consider what it finds."""
        programme, candidates, constant = programmes.programme_of(self.asked, kept, self.cost)
        start = self.start_of(kept, candidates)
        solved = milp.solve(
            programme,
            self.clock,
            start,
            limit_s=limit_s,
            heard=lambda _, __: self.clock.tell(self.bound, self.cost),
        )
        if solved.x is not None:
            sites = candidates[solved.x[len(kept) :] > 0.5]  # noqa: PLR2004
            self.consider(programmes.read(self.asked, kept, solved.x[: len(kept)], sites))
        return milp.Solved(solved.x, solved.bound + constant, solved.proven)

    def start_of(self, kept: Integers, candidates: Integers) -> Floats | None:
        """Return the best plan as the programme writes it, where it is in it."""
        if self.best is None or not self.serves:
            return None
        rows = self.asked.instance.rows
        shares = programmes.picked(self.best.shares, self.asked.demand[kept], rows.site[kept].astype(np.int64))
        is_open = np.isin(candidates, self.best.sites).astype(np.float64)
        inside = is_open.sum() == len(self.best.sites) and np.isclose(shares.sum(), self.best.shares.sum())
        return np.concatenate([shares, is_open]) if inside else None
