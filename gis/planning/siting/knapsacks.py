"""A lower bound where sites have capacities: the demands' multipliers raised, each site packed as a knapsack.

As in ``lagrangian``, that everybody is served once is relaxed. What a candidate then saves is a knapsack: of those
worth more than they cost, the best that fit into it. Where demand may be divided the knapsack is continuous (Dantzig,
1957) and exact at once; where it may not, Dantzig's value only bounds it, and the few candidates near the choice are
packed exactly by branch and bound (Horowitz & Sahni, 1974). So bounded, the p-median is as tight as by columns.
"""

from typing import NamedTuple

import numpy as np
from numba import types

from gis.planning.siting.compiled import (
    COLUMNS,
    FLAGS,
    FLOATS,
    INTEGERS,
    ROWS,
    Columns,
    Flags,
    Floats,
    Integers,
    Rows,
    kernel,
)
from gis.planning.siting.lagrangian import ASCENT, SMOOTH, Ascent, note

NODES = 4_000
"""Steps of branch and bound in one knapsack; then Dantzig's value stands."""
CLOSE = 1e-10


class Loads(NamedTuple):
    """What fills sites, and how much goes into each."""

    need: Floats
    """(n_demand,)."""
    room: Floats
    """(n_candidate,)."""
    must: Flags
    """(n_candidate,): 1 where a site stands already."""


LOADS = types.NamedTuple((FLOATS, FLOATS, FLAGS), Loads)


class Packing(NamedTuple):
    """Demand that one candidate would gladly serve, the most worth for its need first."""

    demand: Integers
    worth: Floats
    need: Floats


PACKING = types.NamedTuple((INTEGERS, FLOATS, FLOATS), Packing)


@kernel(PACKING(ROWS, COLUMNS, LOADS, FLOATS, types.boolean, types.int64))
def wishes(rows: Rows, columns: Columns, loads: Loads, u: Floats, divisible: bool, j: int) -> Packing:  # noqa: FBT001
    """Return whom a candidate would serve at these multipliers."""
    size = columns.start[j + 1] - columns.start[j]
    demand, worth, need = np.empty(size, np.int64), np.empty(size), np.empty(size)
    many = 0
    for c in range(columns.start[j], columns.start[j + 1]):
        i = columns.demand[c]
        gain = u[i] - rows.cost[columns.place[c]]
        if gain > 0 and (divisible or loads.need[i] <= loads.room[j]):
            demand[many], worth[many], need[many] = i, gain, loads.need[i]
            many += 1
    order = np.argsort(-worth[:many] / (need[:many] + 1e-300), kind="mergesort")
    return Packing(demand[:many][order], worth[:many][order], need[:many][order])


@kernel(types.float64(PACKING, types.float64, types.int64, FLOATS))
def dantzig(packing: Packing, room: float, without: int, taken: Floats) -> float:
    """Return what fits at most, the last one in part; note how much of each. ``without`` is a place left out, or -1."""
    total = 0.0
    taken[:] = 0
    for k in range(len(packing.worth)):
        if k == without:
            continue
        if packing.need[k] <= room:
            room -= packing.need[k]
            total += packing.worth[k]
            taken[k] = 1
        else:
            taken[k] = room / packing.need[k]
            total += packing.worth[k] * taken[k]
            break
    return total


@kernel(types.float64(PACKING, types.float64, types.int64))
def above(packing: Packing, room: float, first: int) -> float:
    """Return what fits at most of the places from ``first`` on."""
    total = 0.0
    for k in range(first, len(packing.worth)):
        if packing.need[k] > room:
            return float(total + packing.worth[k] * room / packing.need[k])
        room -= packing.need[k]
        total += packing.worth[k]
    return total


@kernel(types.float64(PACKING, types.float64, FLOATS))
def pack(packing: Packing, room: float, taken: Floats) -> float:
    """Return the worth of the best whole packing, or no less where that takes too long; note who is in it."""
    n = len(packing.worth)
    if packing.need.sum() <= room:
        taken[:] = 1
        return float(packing.worth.sum())
    most = dantzig(packing, room, -1, taken)
    taken[:] = 0
    best, value, j = 0.0, 0.0, 0
    current = np.zeros(n)
    for _ in range(NODES):
        if value + above(packing, room, j) > best * (1 + CLOSE):
            while j < n:
                if packing.need[j] <= room:
                    room -= packing.need[j]
                    value += packing.worth[j]
                    current[j] = 1
                j += 1
            if value > best:
                best = value
                taken[:] = current
        while j > 0 and current[j - 1] == 0:
            j -= 1
        if j == 0:
            return min(most, best * (1 + CLOSE))
        current[j - 1] = 0
        room += packing.need[j - 1]
        value -= packing.worth[j - 1]
    return most


@kernel(types.void(ROWS, COLUMNS, LOADS, types.int64, FLOATS, FLOATS))
def pack_best(rows: Rows, columns: Columns, loads: Loads, wanted: int, u: Floats, saving: Floats) -> None:
    """Pack exactly the sites that stand, and the others by Dantzig's value until none can be among the best."""
    work = np.empty(len(u))
    exact = np.full(len(saving), np.inf)
    found = 0
    for j in np.argsort(saving, kind="mergesort"):
        if loads.must[j] == 0:
            if wanted == 0 or (found >= wanted and saving[j] > np.partition(exact, wanted - 1)[wanted - 1]):
                continue
            found += 1
        packing = wishes(rows, columns, loads, u, False, j)  # noqa: FBT003
        saving[j] = -pack(packing, loads.room[j], work[: len(packing.worth)])
        if loads.must[j] == 0:
            exact[j] = saving[j]


@kernel(types.float64(ROWS, COLUMNS, LOADS, types.int64, types.boolean, FLOATS, FLOATS, FLAGS, FLOATS))
def choose(
    rows: Rows,
    columns: Columns,
    loads: Loads,
    p: int,
    divisible: bool,  # noqa: FBT001 - a kernel takes no keywords
    u: Floats,
    saving: Floats,
    chosen: Flags,
    served: Floats,
) -> float:
    """Mark the sites that stand and those that save most, p in all; return their savings, and how often each is served.

    Candidates are packed exactly in the order of Dantzig's value, until the next one cannot be among the p best.
    """
    m = len(chosen)
    work = np.empty(len(u))
    for j in range(m):
        packing = wishes(rows, columns, loads, u, divisible, j)
        saving[j] = -dantzig(packing, loads.room[j], -1, work[: len(packing.worth)])
    standing = loads.must.sum()
    if not divisible:
        pack_best(rows, columns, loads, p - standing, u, saving)
    chosen[:] = loads.must
    wanted = p - standing
    for j in np.argsort(saving, kind="mergesort"):
        if wanted > 0 and chosen[j] == 0:
            chosen[j] = 1
            wanted -= 1
    served[:] = 0
    total = 0.0
    for j in range(len(chosen)):
        if chosen[j] == 0:
            continue
        total += saving[j]
        packing = wishes(rows, columns, loads, u, divisible, j)
        part = work[: len(packing.worth)]
        if divisible:
            dantzig(packing, loads.room[j], -1, part)
        else:
            pack(packing, loads.room[j], part)
        for k in range(len(part)):
            served[packing.demand[k]] += part[k]
    return total


@kernel(types.float64(ROWS, COLUMNS, LOADS, types.int64, types.boolean, types.float64, types.int64, ASCENT, FLAGS))
def ascend(
    rows: Rows,
    columns: Columns,
    loads: Loads,
    p: int,
    divisible: bool,  # noqa: FBT001
    upper: float,
    steps: int,
    ascent: Ascent,
    chosen: Flags,
) -> float:
    """Raise the bound by so many steps, or until it reaches ``upper``; return the best, and leave the last choice."""
    n = len(ascent.u)
    saving, served = np.empty(len(chosen)), np.empty(n)
    for _ in range(steps):
        value = choose(rows, columns, loads, p, divisible, ascent.u, saving, chosen, served) + ascent.u.sum()
        note(ascent, saving, value)
        if ascent.state[0] >= upper:
            break
        smooth, squares = ascent.state[3], 0.0
        ascent.state[3] = SMOOTH
        for i in range(n):
            slope = (1 - served[i]) * ascent.scale[i]
            ascent.direction[i] = smooth * ascent.direction[i] + (1 - smooth) * slope
            squares += ascent.direction[i] ** 2
        if squares <= 0:
            break
        step = ascent.state[1] * (upper - value) / squares
        for i in range(n):
            moved = ascent.u[i] + step * ascent.scale[i] * ascent.direction[i]
            ascent.u[i] = min(max(moved, 0.0), rows.beyond[i])
    return float(ascent.state[0])


@kernel(FLAGS(ROWS, COLUMNS, LOADS, types.boolean, FLOATS, FLOATS, types.float64, types.float64, FLOATS))
def out_of_question(
    rows: Rows,
    columns: Columns,
    loads: Loads,
    divisible: bool,  # noqa: FBT001
    u: Floats,
    saving: Floats,
    bound: float,
    target: float,
    spare: Floats,
) -> Flags:
    """Mark the places of Rows that no better plan uses: serving that demand there costs too much by the bound alone.

    ``spare`` is what a candidate's choice costs more than the savings counted in the bound: 0 if it was chosen.
    A divisible demand may use a place for a part of it: only the places of closed candidates are out then.
    """
    out = np.zeros(len(rows.site), np.int8)
    work = np.empty(len(u))
    for j in range(len(saving)):
        first, last = columns.start[j], columns.start[j + 1]
        if bound + spare[j] >= target:
            for c in range(first, last):
                out[columns.place[c]] = 1
            continue
        if divisible:
            continue
        packing = wishes(rows, columns, loads, u, divisible, j)
        place = np.full(len(u), -1, np.int64)
        for k in range(len(packing.demand)):
            place[packing.demand[k]] = k
        for c in range(first, last):
            i = columns.demand[c]
            room = loads.room[j] - loads.need[i]
            if room < 0:
                out[columns.place[c]] = 1
                continue
            rest = dantzig(packing, room, place[i], work[: len(packing.worth)])
            forced = rows.cost[columns.place[c]] - u[i] - rest
            if bound + spare[j] + forced - saving[j] >= target:
                out[columns.place[c]] = 1
    return out
