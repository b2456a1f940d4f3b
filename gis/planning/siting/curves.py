"""What one more site buys: the objective for every number of sites, in one run.

The multipliers that bound one number of sites bound every other too (only the sum of the savings chosen is another),
and the best plan with one site more or less is a good plan to start from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, SupportsIndex, get_args

import numpy as np

from gis.planning.siting import branching, costs, coverage, covering, distances, interchange, lagrangian, searching
from gis.planning.siting.answers import gap_of
from gis.planning.siting.clock import Clock
from gis.planning.siting.medians import Medians, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike

    from gis.planning.siting.clock import OnProgress
    from gis.planning.siting.compiled import Floats, Integers
    from gis.planning.siting.instances import Instance

Model = Literal["p-median", "max-cover"]

SHAKES = 3
"""How often the plan of every number of sites is shaken."""
ROUNDS = 20
"""How often the ascent is carried on for every number of sites."""
PLACES = 20_000_000
"""Pairs listed of a table too large to be listed whole."""
ROUNDING = 1e-9
"""A bound this close, as a share, is the objective summed in another order."""
NODES = 20
"""Nodes of branch and bound for every number of sites."""


@dataclass(frozen=True)
class Curve:
    """The best plans found for one number of sites after the other."""

    p: Integers
    """(k,): numbers of sites, rising by one."""
    objective: Floats
    """(k,): what the plan costs, or covers; infinite where no plan that serves everybody was found."""
    bound: Floats
    """(k,): no plan of so many sites costs less, or covers more."""
    sites: list[list[int]]
    """The candidates that each plan opens, sorted."""
    seconds: float
    """By the clock on the wall."""

    @property
    def gap(self) -> Floats:
        """(k,): as in Siting; 0 is proven."""
        return np.array(
            [gap_of(float(one), float(other)) for one, other in zip(self.objective, self.bound, strict=True)]
        )


def curve(
    table: object,
    most: SupportsIndex,
    *,
    model: Model = "p-median",
    weights: ArrayLike | None = None,
    fixed: Iterable[SupportsIndex] = (),
    forbidden: Iterable[SupportsIndex] = (),
    max_cost: float | None = None,
    time_limit_s: float = 60,
    seed: int = 0,
    on_progress: OnProgress | None = None,
) -> Curve:
    """Return objective and bound for every number of sites up to ``most``, cheaper than so many runs.

    It begins with one site, or with those fixed. Where there are fewer candidates than ``most``, it ends with them all.

    Args:
        table: (n_demand, n_candidate): ``cost`` of p_median, or ``covers`` of max_cover.
        most: the largest number of sites, those fixed among them.
        model: which of the two.
        weights: (n_demand,), multiply cost or reward; 1 where not given.
        fixed: candidates that are open already.
        forbidden: candidates that must not be opened.
        max_cost: p-median only: nobody may be served at a higher cost, before weights.
        time_limit_s: seconds by the clock on the wall; where they end, the numbers not yet looked at get a plan without
            search, and a bound that holds.
        seed: the same seed gives the same curve, unless the time limit ends the search.
        on_progress: called now and then with bound and objective of the number of sites just looked at; True calls the
            search off.

    Raises:
        ValueError: an argument is not as above, or they contradict each other.
        Infeasible: p-median: some demand lies beyond ``max_cost`` of all candidates.
    """
    clock = Clock(costs.read_limit(time_limit_s), on_progress)
    if model not in get_args(Model):
        message = f"model must be p-median or max-cover, not {model!r}"
        raise ValueError(message)
    if model == "max-cover":
        return _of_covers(table, most, weights, fixed, forbidden, clock, seed)
    return _of_medians(table, most, weights, fixed, forbidden, max_cost, clock, seed)


def _first_and_last(
    most: SupportsIndex, fixed: Iterable[SupportsIndex], forbidden: Iterable[SupportsIndex], candidates: int
) -> tuple[costs.Choice, int]:
    """Check a question; return it for the least number of sites, and the largest number."""
    fixed, forbidden = list(fixed), list(forbidden)
    there = candidates - len(set(map(int, forbidden)))
    last = costs.read_choice(most if there <= 0 else min(costs.read_p(most), there), fixed, forbidden, candidates)
    return costs.read_choice(max(1, len(fixed)), fixed, forbidden, candidates), last.p


def _of_medians(
    cost: object,
    most: SupportsIndex,
    weights: ArrayLike | None,
    fixed: Iterable[SupportsIndex],
    forbidden: Iterable[SupportsIndex],
    max_cost: float | None,
    clock: Clock,
    seed: int,
) -> Curve:
    """Return the curve of a p-median."""
    table = costs.read(cost, weights, max_cost)
    choice, last = _first_and_last(most, fixed, forbidden, table.shape[1])
    wanted = Wanted(table, choice, distances.too_close(None, None, table.shape[1]), prove=False, seed=seed)
    wanted = wanted.only(wanted.served())
    instance = Medians(wanted.with_p(last), clock, PLACES // len(wanted.costs.weights)).instance()
    points = Points(instance, clock, seed)
    numbers = np.arange(choice.p, last + 1)
    points.run(numbers - len(choice.fixed))
    plans = [instance.outside(plan) for plan in points.plans]
    objective = np.array([_paid(wanted.costs, sites) for sites in plans])
    proven = points.bounds >= objective * (1 - ROUNDING)
    bound = np.where(proven, objective, points.bounds)
    return Curve(numbers, objective, bound, [sites.tolist() for sites in plans], clock.seconds)


def _paid(table: costs.Costs, sites: Integers) -> float:
    """Count what a plan costs anew, infinite where it leaves anybody out."""
    _, least = table.assign(sites)
    return float(table.weights @ least) if np.isfinite(least).all() else np.inf


def _of_covers(
    covers: object,
    most: SupportsIndex,
    weights: ArrayLike | None,
    fixed: Iterable[SupportsIndex],
    forbidden: Iterable[SupportsIndex],
    clock: Clock,
    seed: int,
) -> Curve:
    """Return the curve of a maximal cover."""
    table = covering.read_covers(covers)
    n, m = table.shape
    worth = costs.read_amounts("weights", weights, n)
    choice, last = _first_and_last(most, fixed, forbidden, m)
    instance, already = coverage.left_to_cover(table, worth, choice)
    whole = already + float(instance.rows.beyond.sum())
    clock.counts_from(whole)
    points = Points(instance, clock, seed)
    numbers = np.arange(choice.p, last + 1)
    points.run(np.minimum(numbers - len(choice.fixed), instance.many))
    asked = [replace(choice, p=int(p)) for p in numbers]
    plans = [covering.filled(instance.outside(plan), one, m) for plan, one in zip(points.plans, asked, strict=True)]
    objective = np.array([float(worth @ (table[:, sites].sum(axis=1) > 0)) for sites in plans])
    bound = whole - points.bounds
    proven = bound - objective <= ROUNDING * np.maximum(1.0, objective)
    bound = np.where(proven, objective, bound)
    return Curve(numbers, objective, bound, [sites.tolist() for sites in plans], clock.seconds)


class Points:
    """Plans and bounds of one instance for several numbers of sites."""

    def __init__(self, instance: Instance, clock: Clock, seed: int) -> None:
        """Begin without any."""
        self.instance, self.clock, self.seed = instance, clock, seed
        self.plans: list[Integers] = []
        self.bounds: Floats = np.zeros(0)

    def run(self, numbers: Integers) -> None:
        """Go up, then down again, so that a good plan helps its neighbours on both sides."""
        self.bounds = np.zeros(len(numbers))
        for at in range(len(numbers)):
            self.plans.append(self._first(int(numbers[at])))
            self._point(numbers, at)
        for at in range(len(numbers) - 2, -1, -1):
            self._from_above(numbers, at)
        self.bounds = np.maximum.accumulate(self.bounds[::-1])[::-1]  # more sites never cost more

    def _first(self, p: int) -> Integers:
        """Return the last plan with the sites added that save most, one by one."""
        plan = self.plans[-1] if self.plans else np.zeros(0, np.int64)
        while len(plan) < p:
            near, _ = interchange.two_costs(self.instance.rows, plan, self.instance.many)
            saving = lagrangian.savings(self.instance.rows, near, np.empty(len(near), np.int64), self.instance.many)
            saving[plan] = np.inf
            plan = np.sort(np.append(plan, np.argmin(saving)))
        return plan

    def _search(self, p: int) -> searching.Search:
        """Return a search for plans of p sites."""
        return searching.Search(self.instance.with_p(p), self.clock, self.seed)

    def _point(self, numbers: Integers, at: int) -> None:
        """Improve the plan of one number of sites and raise its bound, and the others' with it."""
        p = int(numbers[at])
        search = self._search(p)
        if p in {0, self.instance.many}:
            search.consider(self.plans[at])
            self.bounds[at] = search.best
            return
        if self.clock.over():
            return
        search.improve(self.plans[at])
        for share in (20, 10, 5) * SHAKES:
            search.shaken(1, max(1, p // share))
        ascent = searching.bound_and_improve(search, ROUNDS)
        every = ascent.best_u.sum() + np.concatenate([[0.0], np.cumsum(np.sort(ascent.saving))])
        self.bounds = np.maximum(self.bounds, every[numbers])
        self.bounds[at] = max(self.bounds[at], branching.prove(search, ascent, NODES))
        self.plans[at] = search.chosen

    def _from_above(self, numbers: Integers, at: int) -> None:
        """Try the next larger plan without its least useful site."""
        plan = self.plans[at + 1]
        if len(plan) != numbers[at] + 1 or self.clock.over():
            return
        search = self._search(int(numbers[at]))
        if not search.instance.p or search.consider(self.plans[at]) <= self.bounds[at]:
            return
        loss = interchange.losses(self.instance.rows, plan, self.instance.many)
        search.improve(np.delete(plan, np.argmin(loss)))
        self.plans[at] = search.chosen
