"""The best single swap, again and again, for the p-median: what is saved by opening a site and closing another.

Whitaker's fast interchange as Resende and Werneck count it (A fast swap-based local search procedure for location
problems, 2007): with ``near`` and ``next`` the nearest and second nearest open site of every demand,

    saved(open j, close r) = gain[j] - loss[r] + extra[r, j],

and after a swap only the demands whose ``near`` or ``next`` has changed are counted anew. A demand's list is read no
further than its second nearest open site.
"""

from typing import NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from gis.planning.siting.compiled import (
    COLUMNS,
    FLOATS,
    INTEGERS,
    ROWS,
    SITES,
    Columns,
    Floats,
    Integers,
    Rows,
    Sites,
    kernel,
)

Matrix = NDArray[np.float64]
MATRIX = types.float64[:, ::1]


class Clashes(NamedTuple):
    """For every candidate those that stand too close to it."""

    start: Integers
    site: Sites


CLASHES = types.NamedTuple((INTEGERS, SITES), Clashes)


class Plan(NamedTuple):
    """Open sites, each in a slot, and every demand's two nearest of them; changed in place."""

    slot: Sites
    """(n_candidate,): the slot a candidate is open in, or -1."""
    sites: Sites
    """(p,): the candidate in every slot."""
    near: Integers
    """(n_demand,): the place in Rows of the nearest open site, or -1."""
    next: Integers
    """The same of the second nearest."""


PLAN = types.NamedTuple((SITES, SITES, INTEGERS, INTEGERS), Plan)


class Tally(NamedTuple):
    """What swaps would save."""

    gain: Floats
    loss: Floats
    extra: Matrix
    """(p, n_candidate)."""


TALLY = types.NamedTuple((FLOATS, FLOATS, MATRIX), Tally)


@kernel(types.void(ROWS, PLAN, types.int64))
def look(rows: Rows, plan: Plan, i: int) -> None:
    """Find the two nearest open sites of a demand."""
    plan.near[i] = -1
    plan.next[i] = -1
    for k in range(rows.start[i], rows.start[i + 1]):
        if plan.slot[rows.site[k]] >= 0:
            if plan.near[i] >= 0:
                plan.next[i] = k
                return
            plan.near[i] = k


@kernel(types.void(ROWS, PLAN, TALLY, types.int64, types.float64))
def count(rows: Rows, plan: Plan, tally: Tally, i: int, sign: float) -> None:
    """Add what a demand says about every swap, or take it away with ``sign`` -1."""
    near = plan.near[i]
    farther = rows.cost[plan.next[i]] if plan.next[i] >= 0 else rows.beyond[i]
    if near < 0:
        for k in range(rows.start[i], rows.start[i + 1]):
            tally.gain[rows.site[k]] += sign * (farther - rows.cost[k])
        return
    nearest = rows.cost[near]
    slot = plan.slot[rows.site[near]]
    tally.loss[slot] += sign * (farther - nearest)
    for k in range(rows.start[i], rows.start[i + 1]):
        cost = rows.cost[k]
        if cost >= farther:
            break
        j = rows.site[k]
        if cost < nearest:
            tally.gain[j] += sign * (nearest - cost)
            tally.extra[slot, j] += sign * (farther - nearest)
        else:
            tally.extra[slot, j] += sign * (farther - cost)


@kernel(types.Tuple((types.float64, types.int64, types.int64))(PLAN, TALLY, CLASHES))
def best_swap(plan: Plan, tally: Tally, clashes: Clashes) -> tuple[float, int, int]:
    """Return what the best swap saves, the candidate to open and the slot to close."""
    best, opened, closed = 0.0, -1, -1
    for j in range(len(plan.slot)):
        if plan.slot[j] >= 0:
            continue
        only = -1
        clashing = 0
        for k in range(clashes.start[j], clashes.start[j + 1]):
            if plan.slot[clashes.site[k]] >= 0:
                only = plan.slot[clashes.site[k]]
                clashing += 1
        if clashing > 1:
            continue
        for r in range(len(plan.sites)):
            if clashing == 1 and r != only:
                continue
            saved = tally.gain[j] - tally.loss[r] + tally.extra[r, j]
            if saved > best:
                best, opened, closed = saved, j, r
    return best, opened, closed


@kernel(types.void(ROWS, COLUMNS, PLAN, TALLY, types.int64, types.int64))
def swap(rows: Rows, columns: Columns, plan: Plan, tally: Tally, opened: int, closed: int) -> None:
    """Open a candidate in the slot of another, and count anew whomever that touches."""
    touched = np.zeros(len(plan.near), np.int8)
    out = np.int64(plan.sites[closed])
    for j in (out, opened):
        for c in range(columns.start[j], columns.start[j + 1]):
            i = columns.demand[c]
            if touched[i] == 0 and (plan.next[i] < 0 or columns.place[c] <= plan.next[i]):
                count(rows, plan, tally, i, -1.0)
                touched[i] = 1
    plan.slot[out] = -1
    plan.slot[opened] = closed
    plan.sites[closed] = opened
    for j in (out, opened):
        for c in range(columns.start[j], columns.start[j + 1]):
            i = columns.demand[c]
            if touched[i] == 1:
                look(rows, plan, i)
                count(rows, plan, tally, i, 1.0)
                touched[i] = 0


@kernel(types.float64(ROWS, PLAN, TALLY))
def begin(rows: Rows, plan: Plan, tally: Tally) -> float:
    """Set the slots and the tally from ``plan.sites``, and return what the plan costs."""
    plan.slot[:] = -1
    for r in range(len(plan.sites)):
        plan.slot[plan.sites[r]] = r
    tally.gain[:] = 0
    tally.loss[:] = 0
    tally.extra[:] = 0
    total = 0.0
    for i in range(len(plan.near)):
        look(rows, plan, i)
        count(rows, plan, tally, i, 1.0)
        total += rows.cost[plan.near[i]] if plan.near[i] >= 0 else rows.beyond[i]
    return total


@kernel(types.int64(ROWS, COLUMNS, PLAN, TALLY, CLASHES, types.float64, types.int64))
def improve(
    rows: Rows,
    columns: Columns,
    plan: Plan,
    tally: Tally,
    clashes: Clashes,
    least: float,
    swaps: int,
) -> int:
    """Make the best swap while it saves more than ``least``, so many times at most; return how many were made."""
    for made in range(swaps):
        saved, opened, closed = best_swap(plan, tally, clashes)
        if opened < 0 or saved <= least:
            return made
        swap(rows, columns, plan, tally, opened, closed)
    return swaps


@kernel(types.float64(ROWS, INTEGERS, types.int64))
def value(rows: Rows, chosen: Integers, candidates: int) -> float:
    """Return what a plan costs: everybody to the nearest of its sites."""
    is_open = np.zeros(candidates, np.int8)
    is_open[chosen] = 1
    total = 0.0
    for i in range(len(rows.beyond)):
        cost = rows.beyond[i]
        for k in range(rows.start[i], rows.start[i + 1]):
            if is_open[rows.site[k]] == 1:
                cost = rows.cost[k]
                break
        total += cost
    return total


@kernel(types.Tuple((FLOATS, FLOATS))(ROWS, INTEGERS, types.int64))
def two_costs(rows: Rows, chosen: Integers, candidates: int) -> tuple[Floats, Floats]:
    """Return what everybody's nearest and second nearest site of a plan cost."""
    is_open = np.zeros(candidates, np.int8)
    is_open[chosen] = 1
    near, farther = rows.beyond.copy(), rows.beyond.copy()
    for i in range(len(rows.beyond)):
        found = 0
        for k in range(rows.start[i], rows.start[i + 1]):
            if is_open[rows.site[k]] == 1:
                found += 1
                if found == 1:
                    near[i] = rows.cost[k]
                else:
                    farther[i] = rows.cost[k]
                    break
    return near, farther


@kernel(FLOATS(ROWS, INTEGERS, types.int64))
def losses(rows: Rows, chosen: Integers, candidates: int) -> Floats:
    """Return what closing each site of a plan costs."""
    slot = np.full(candidates, -1, np.int64)
    for r in range(len(chosen)):
        slot[chosen[r]] = r
    loss = np.zeros(len(chosen))
    for i in range(len(rows.beyond)):
        nearest, cost = -1, 0.0
        for k in range(rows.start[i], rows.start[i + 1]):
            r = slot[rows.site[k]]
            if r >= 0 and nearest < 0:
                nearest, cost = r, rows.cost[k]
            elif r >= 0:
                loss[nearest] += rows.cost[k] - cost
                nearest = -1
                break
        if nearest >= 0:
            loss[nearest] += rows.beyond[i] - cost
    return loss


@kernel(INTEGERS(INTEGERS, CLASHES, types.int64))
def apart(order: Integers, clashes: Clashes, p: int) -> Integers:
    """Return the first p candidates in this order of which no two stand too close, or as many as there are."""
    blocked = np.zeros(len(clashes.start) - 1, np.int8)
    chosen = np.empty(p, np.int64)
    many = 0
    for j in order:
        if many == p:
            break
        if blocked[j] == 0:
            chosen[many] = j
            many += 1
            for k in range(clashes.start[j], clashes.start[j + 1]):
                blocked[clashes.site[k]] = 1
    return chosen[:many]
