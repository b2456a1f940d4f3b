"""Maximal cover: as much demand as p sites can cover.

What is missed is a p-median in which everybody pays nothing to a site that covers them and their worth otherwise, so
the same search and the same bound serve; HiGHS ends the proof over what the reduced costs leave open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsIndex

import numpy as np
from scipy import sparse

from gis.planning.siting import branching, costs, covering, lagrangian, limited, milp, searching
from gis.planning.siting import covers as covers_of
from gis.planning.siting.clock import Clock
from gis.planning.siting.compiled import Rows
from gis.planning.siting.instances import WHOLE, Instance, is_whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike

    from gis.planning.siting.answers import Siting
    from gis.planning.siting.clock import OnProgress
    from gis.planning.siting.compiled import Floats, Integers

RANDOM_PLANS = 10
ROUNDS = 70
RISING = 0.55
"""The share of the time after which the bound no longer rises, where there is time for no more."""
SMALL_SHAKES, LARGE_SHAKES = 30, 60
"""How often a plan is shaken: of little demand, and of much."""


def max_cover(
    covers: object,
    p: SupportsIndex,
    *,
    weights: ArrayLike | None = None,
    demand: ArrayLike | None = None,
    capacity: ArrayLike | None = None,
    fixed: Iterable[SupportsIndex] = (),
    forbidden: Iterable[SupportsIndex] = (),
    time_limit_s: float = 60,
    seed: int = 0,
    on_progress: OnProgress | None = None,
) -> Siting:
    """Cover as much demand, by weight, as p sites can.

    Args:
        covers: (n_demand, n_candidate), true where a site there covers the demand; an array or a scipy.sparse matrix.
        p: how many sites are open in the end, those fixed among them.
        weights: (n_demand,), what covering each is worth; 1 where not given.
        demand: (n_demand,), what fills capacity; the weights where not given.
        capacity: (n_candidate,), how much demand a site can take.
        fixed: candidates that are open already.
        forbidden: candidates that must not be opened.
        time_limit_s: seconds by the clock on the wall.
        seed: the same seed gives the same plan, unless the time limit ends the search.
        on_progress: called now and then with the bound and the objective so far; True calls the search off.

    Raises:
        ValueError: an argument is not as above, or they contradict each other.
    """
    clock = Clock(costs.read_limit(time_limit_s), on_progress)
    table = covering.read_covers(covers)
    n, m = table.shape
    worth = costs.read_amounts("weights", weights, n)
    need = worth if demand is None else costs.read_amounts("demand", demand, n)
    choice = costs.read_choice(p, fixed, forbidden, m)
    if capacity is not None:
        room = costs.read_amounts("capacity", capacity, m)
        return limited.cover(table, worth, need, room, choice, seed, clock)
    instance, already = left_to_cover(table, worth, choice)
    clock.counts_from(already + float(instance.rows.beyond.sum()))
    chosen, bound = _cover_most(instance, clock, seed)
    sites = covering.filled(instance.outside(chosen), choice, m)
    objective = float(worth @ (table[:, sites].sum(axis=1) > 0))
    bound = max(objective, already + bound)
    proven = bound - objective <= 1e-9 * max(1.0, objective)
    return covering.answer(table, sites, objective, objective if proven else bound, clock)


def left_to_cover(table: sparse.csr_array, worth: Floats, choice: costs.Choice) -> tuple[Instance, float]:
    """Return what is left to decide as a p-median of what is missed, and what the fixed sites cover already."""
    m = table.shape[1]
    free = np.setdiff1d(np.arange(m), np.concatenate([choice.fixed, choice.forbidden]))
    covered = table[:, choice.fixed].sum(axis=1) > 0
    part = table[:, free]
    rows = np.flatnonzero(~covered & (worth > 0) & (np.diff(part.indptr) > 0))
    part, group = covers_of.merged(part[rows])
    beyond = np.bincount(group, weights=worth[rows], minlength=part.shape[0])
    columns = sparse.csr_array(part.T)
    kept = np.flatnonzero(
        covers_of.dominated(covers_of.lists_of(columns), covers_of.lists_of(part), covers_of.WORK) == 0
    )
    part = sparse.csr_array(columns[kept].T)
    part.sort_indices()
    lists = covers_of.lists_of(part)
    p = min(choice.p - len(choice.fixed), len(kept))
    whole = is_whole(worth) and bool(worth.sum() < WHOLE)
    missing = Rows(lists.start, lists.member, np.zeros(len(lists.member)), beyond.astype(np.float64))
    apart = np.zeros((0, 2), np.int64)
    return Instance(missing, p, free[kept], choice.fixed, apart, whole, np.inf), float(worth[covered].sum())


def _cover_most(instance: Instance, clock: Clock, seed: int) -> tuple[Integers, float]:
    """Return a plan, and what no plan covers more than."""
    total = float(instance.rows.beyond.sum())
    if instance.p in {0, instance.many}:
        chosen = np.arange(instance.p)
        return chosen, total - instance.value(chosen)
    search = searching.Search(instance, clock, seed)
    small = len(instance.rows.beyond) <= searching.SMALL
    search.from_random(RANDOM_PLANS if small else 1)
    ascent = searching.bound_and_improve(search, ROUNDS, RISING)
    bound = float(ascent.state[0])
    if bound < instance.target(search.best):
        for times in range(SMALL_SHAKES if small else LARGE_SHAKES):
            search.shaken(1, max(1, instance.p // (5 + 5 * (times % 3))))
        bound = max(bound, finished(search, ascent))
    if bound >= instance.target(search.best):
        bound = search.best
    return search.chosen, total - min(bound, search.best)


def finished(search: searching.Search, ascent: lagrangian.Ascent) -> float:
    """Return the bound after HiGHS has searched what the reduced costs leave open."""
    part = search.instance.restrict(*branching.reduced(search, ascent))
    if part is None:
        return search.best
    start = np.isin(part.ids, search.instance.ids[search.chosen]).astype(np.float64)
    programme, missed = left_open(part, start)
    solved = milp.solve(
        programme,
        search.clock,
        np.concatenate([start, missed]),
        heard=lambda bound, _: search.rise(max(search.bound, bound)),
    )
    if solved.x is not None:
        search.consider_sites(part.outside(np.flatnonzero(solved.x[: part.many] > 0.5)))  # noqa: PLR2004
    return search.best if solved.proven else max(float(ascent.state[0]), min(solved.bound, search.best))


def left_open(part: Instance, start: Floats) -> tuple[milp.Programme, Floats]:
    """Return the programme of what is missed, demand that is the same now counted once, and what a plan misses."""
    there = np.flatnonzero(part.rows.beyond > 0)
    table, group = covers_of.merged(part.table()[there])
    worth = np.bincount(group, weights=part.rows.beyond[there], minlength=table.shape[0]).astype(np.float64)
    n, m = table.shape
    rows, lower, upper = milp.stacked(
        (sparse.hstack([table, sparse.eye_array(n)], format="csr"), 1.0, np.inf),
        (sparse.csr_array(np.concatenate([np.ones(m), np.zeros(n)])[None]), part.p, part.p),
    )
    whole = np.arange(m + n) < m
    objective = np.concatenate([np.zeros(m), worth])
    return milp.Programme(objective, rows, lower, upper, np.ones(m + n), whole), (table @ start == 0).astype(np.float64)
