"""Good plans where sites have capacities: who goes where, moved, swapped, and the sites exchanged at random.

A plan has p slots, each with an open candidate, and one slot more for those who are left out at the price of it.
"""

from typing import NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from gis.planning.siting.compiled import COLUMNS, FLOATS, INTEGERS, ROWS, Columns, Floats, Integers, Rows, kernel
from gis.planning.siting.interchange import CLASHES, MATRIX, Clashes
from gis.planning.siting.knapsacks import LOADS, Loads

Matrix = NDArray[np.float64]
NEAR = 12
"""A site is exchanged for one of so many candidates nearest to some demand."""
PAIRS = 6_000
"""Demand up to which pairs are swapped between sites: it takes the square of it."""


class Allotment(NamedTuple):
    """Open sites and who goes to which; changed in place."""

    sites: Integers
    """(p,): the candidate in every slot."""
    cost: Matrix
    """(p + 1, n_demand): of serving a demand from a slot, infinite out of reach; the last row of leaving it out."""
    at: Integers
    """(n_demand,): the slot."""
    load: Floats
    """(p + 1,)."""


ALLOTMENT = types.NamedTuple((INTEGERS, MATRIX, INTEGERS, FLOATS), Allotment)


@kernel(types.void(ROWS, COLUMNS, ALLOTMENT, types.int64, types.int64))
def put(rows: Rows, columns: Columns, plan: Allotment, slot: int, j: int) -> None:
    """Put a candidate into a slot."""
    plan.sites[slot] = j
    plan.cost[slot, :] = np.inf
    for c in range(columns.start[j], columns.start[j + 1]):
        plan.cost[slot, columns.demand[c]] = rows.cost[columns.place[c]]


@kernel(types.boolean(LOADS, ALLOTMENT, types.int64, types.float64))
def fits(loads: Loads, plan: Allotment, slot: int, more: float) -> bool:
    """Tell whether a slot takes so much more."""
    p = len(plan.sites)
    return slot == p or plan.load[slot] + more <= loads.room[plan.sites[slot]] * (1 + 1e-12)


@kernel(types.float64(ALLOTMENT))
def total(plan: Allotment) -> float:
    """Return what a plan costs."""
    cost = 0.0
    for i in range(len(plan.at)):
        cost += plan.cost[plan.at[i], i]
    return cost


@kernel(types.void(LOADS, ALLOTMENT))
def allot(loads: Loads, plan: Allotment) -> None:
    """Send everybody to the cheapest slot with room, those first who lose most by going to their second."""
    p, n = len(plan.sites), len(plan.at)
    regret = np.empty(n)
    for i in range(n):
        first, second = np.inf, np.inf
        for r in range(p + 1):
            if plan.cost[r, i] < first:
                first, second = plan.cost[r, i], first
            elif plan.cost[r, i] < second:
                second = plan.cost[r, i]
        regret[i] = first - second if second < np.inf else -np.inf
    plan.load[:] = 0
    for i in np.argsort(regret, kind="mergesort"):
        best = p
        for r in range(p):
            if plan.cost[r, i] < plan.cost[best, i] and fits(loads, plan, r, loads.need[i]):
                best = r
        plan.at[i] = best
        plan.load[best] += loads.need[i]


@kernel(types.boolean(LOADS, ALLOTMENT, types.int64))
def shift(loads: Loads, plan: Allotment, i: int) -> bool:
    """Move a demand to the cheapest slot with room; tell whether that changed anything."""
    old = plan.at[i]
    best = old
    for r in range(len(plan.sites) + 1):
        if plan.cost[r, i] < plan.cost[best, i] * (1 - 1e-12) and fits(loads, plan, r, loads.need[i]):
            best = r
    if best == old:
        return False
    plan.at[i] = best
    plan.load[old] -= loads.need[i]
    plan.load[best] += loads.need[i]
    return True


@kernel(types.boolean(LOADS, ALLOTMENT, types.int64))
def swap(loads: Loads, plan: Allotment, i: int) -> bool:
    """Let a demand and one of a nearer site change places where that saves most; tell whether it did."""
    a, mine = plan.at[i], plan.cost[plan.at[i], i]
    if mine <= plan.cost[:, i].min():
        return False
    best, other = -1e-9 * mine - 1e-12, -1
    for k in range(len(plan.at)):
        r = plan.at[k]
        gain = plan.cost[r, i] - mine
        if gain >= 0 or r == a:
            continue
        change = gain + plan.cost[a, k] - plan.cost[r, k]
        more = loads.need[i] - loads.need[k]
        if change < best and fits(loads, plan, r, more) and fits(loads, plan, a, -more):
            best, other = change, k
    if other < 0:
        return False
    r = plan.at[other]
    more = loads.need[i] - loads.need[other]
    plan.at[i], plan.at[other] = r, a
    plan.load[r] += more
    plan.load[a] -= more
    return True


@kernel(types.void(LOADS, ALLOTMENT))
def settle(loads: Loads, plan: Allotment) -> None:
    """Move and swap until nothing helps."""
    n = len(plan.at)
    for _ in range(50):
        moved = False
        for i in range(n):
            moved |= shift(loads, plan, i)
        if not moved and n <= PAIRS:
            for i in range(n):
                moved |= swap(loads, plan, i)
        if not moved:
            return


@kernel(types.boolean(CLASHES, INTEGERS, types.int64, types.int64))
def may_stand(clashes: Clashes, slot_of: Integers, j: int, slot: int) -> bool:
    """Tell whether a candidate may take a slot: it is closed, and no other open site is too close to it."""
    if slot_of[j] >= 0:
        return False
    for k in range(clashes.start[j], clashes.start[j + 1]):
        if slot_of[clashes.site[k]] >= 0 and slot_of[clashes.site[k]] != slot:
            return False
    return True


@kernel(types.void(ROWS, COLUMNS, LOADS, CLASHES, ALLOTMENT))
def recentre(rows: Rows, columns: Columns, loads: Loads, clashes: Clashes, plan: Allotment) -> None:
    """Put into every slot the candidate from which all who go there are served cheapest."""
    m, p = len(loads.room), len(plan.sites)
    slot_of = np.full(m, -1, np.int64)
    slot_of[plan.sites] = np.arange(p)
    for r in range(p):
        if loads.must[plan.sites[r]] == 1:
            continue
        cost, many, members = np.zeros(m), np.zeros(m, np.int64), 0
        for i in range(len(plan.at)):
            if plan.at[i] == r:
                members += 1
                for k in range(rows.start[i], rows.start[i + 1]):
                    cost[rows.site[k]] += rows.cost[k]
                    many[rows.site[k]] += 1
        best = plan.sites[r]
        for j in range(m):
            able = many[j] == members and cost[j] < cost[best] and loads.room[j] >= plan.load[r]
            if able and may_stand(clashes, slot_of, j, r):
                best = np.int64(j)
        if members and best != plan.sites[r]:
            slot_of[plan.sites[r]] = -1
            slot_of[best] = r
            put(rows, columns, plan, r, best)


@kernel(types.float64(ROWS, COLUMNS, LOADS, CLASHES, ALLOTMENT))
def improve(rows: Rows, columns: Columns, loads: Loads, clashes: Clashes, plan: Allotment) -> float:
    """Settle and recentre until nothing helps; return what the plan costs."""
    settle(loads, plan)
    cost = total(plan)
    for _ in range(20):
        recentre(rows, columns, loads, clashes, plan)
        settle(loads, plan)
        now = total(plan)
        if now >= cost * (1 - 1e-9):
            return now
        cost = now
    return cost


@kernel(types.float64(ROWS, COLUMNS, LOADS, FLOATS, INTEGERS, ALLOTMENT))
def begin(rows: Rows, columns: Columns, loads: Loads, leaving: Floats, sites: Integers, plan: Allotment) -> float:
    """Open sites, send everybody somewhere, and return what that costs."""
    for r in range(len(sites)):
        put(rows, columns, plan, r, sites[r])
    plan.cost[len(sites), :] = leaving
    allot(loads, plan)
    return total(plan)


@kernel(types.void(ALLOTMENT, ALLOTMENT))
def copy(source: Allotment, target: Allotment) -> None:
    """Make one plan the other."""
    target.sites[:] = source.sites
    target.cost[:] = source.cost
    target.at[:] = source.at
    target.load[:] = source.load


@kernel(types.void(ROWS, COLUMNS, LOADS, ALLOTMENT, types.int64, types.int64))
def replace(rows: Rows, columns: Columns, loads: Loads, plan: Allotment, slot: int, j: int) -> None:
    """Open a candidate in a slot; who went there looks for another place."""
    p = len(plan.sites)
    put(rows, columns, plan, slot, j)
    for i in range(len(plan.at)):
        if plan.at[i] == slot:
            plan.at[i] = p
            plan.load[p] += loads.need[i]
    plan.load[slot] = 0
    for i in range(len(plan.at)):
        if plan.at[i] == p:
            shift(loads, plan, i)


@kernel(types.boolean(ROWS, COLUMNS, LOADS, CLASHES, ALLOTMENT))
def exchange(rows: Rows, columns: Columns, loads: Loads, clashes: Clashes, plan: Allotment) -> bool:
    """Exchange one site for a candidate near some demand, chosen at random; tell whether there was one."""
    n, p = len(plan.at), len(plan.sites)
    slot_of = np.full(len(loads.room), -1, np.int64)
    slot_of[plan.sites] = np.arange(p)
    for _ in range(10):
        i = np.random.randint(n)  # noqa: NPY002 - the generator that numba compiles
        size = min(NEAR, rows.start[i + 1] - rows.start[i])
        slot = int(plan.at[i]) if np.random.random() < 0.5 else np.random.randint(p)  # noqa: NPY002, PLR2004
        if size == 0 or slot == p or loads.must[plan.sites[slot]] == 1:
            continue
        j = int(rows.site[rows.start[i] + np.random.randint(size)])  # noqa: NPY002
        if may_stand(clashes, slot_of, j, slot):
            replace(rows, columns, loads, plan, slot, j)
            return True
    return False


@kernel(
    types.float64(
        ROWS, COLUMNS, LOADS, CLASHES, ALLOTMENT, ALLOTMENT, ALLOTMENT, types.int64, types.float64, types.int64
    )
)
def wander(
    rows: Rows,
    columns: Columns,
    loads: Loads,
    clashes: Clashes,
    plan: Allotment,
    trial: Allotment,
    best: Allotment,
    times: int,
    worse: float,
    seed: int,
) -> float:
    """Exchange sites so many times, keeping what is no more than ``worse`` (a share) dearer; return the best cost."""
    np.random.seed(seed)  # noqa: NPY002 - numba's own, not the caller's
    now, least = total(plan), total(best)
    for _ in range(times):
        copy(plan, trial)
        if not exchange(rows, columns, loads, clashes, trial):
            continue
        settle(loads, trial)
        cost = total(trial)
        if cost < now * (1 + worse):
            copy(trial, plan)
            now = cost
            if cost < least * (1 + worse):
                now = improve(rows, columns, loads, clashes, plan)
            if now < least * (1 - 1e-12):
                least = now
                copy(plan, best)
    return least
