"""A lower bound for the p-median: the demands' multipliers, raised by a deflected subgradient.

That every demand is served exactly once is relaxed with a multiplier ``u`` for each (Cornuéjols, Fisher & Nemhauser,
1977; Beasley 1993). A candidate then saves ``saving[j] = sum_i min(0, cost[i, j] - u[i])``, and the p best of them give

    L(u) = sum_i u[i] + the p smallest savings  ≤  the optimum.

With ``u[i] ≤ beyond[i]`` the candidates that a demand does not list add nothing: the bound holds for short lists too.
"""

from typing import NamedTuple

import numpy as np
from numba import types

from gis.planning.siting.compiled import FLAGS, FLOATS, INTEGERS, ROWS, Flags, Floats, Integers, Rows, kernel

PATIENCE = 12
"""Steps without a better bound before the step is shortened."""
SHORTER = 0.75
SMOOTH = 0.75
"""How much of the last direction is kept; 0 is the plain subgradient, which zigzags."""


class Ascent(NamedTuple):
    """Where the multipliers stand, between two runs of ``ascend``; changed in place."""

    u: Floats
    best_u: Floats
    direction: Floats
    scale: Floats
    """How far a demand's multiplier moves, against the others': of the size of its costs."""
    saving: Floats
    """(n_candidate,): of the best multipliers."""
    often: Floats
    """(n_candidate,): how often a candidate was chosen of late, from 0 to 1."""
    state: Floats
    """Best bound, step, steps since the bound rose, how much of the last direction is kept."""


ASCENT = types.NamedUniTuple(FLOATS, 7, Ascent)


def start(u: Floats, scale: Floats, candidates: int, step: float = 0.5) -> Ascent:
    """Return an ascent that begins at ``u``."""
    zeros = np.zeros(len(u))
    state = np.array([-np.inf, step, 0.0, 0.0])  # the first direction is the plain subgradient
    return Ascent(u.copy(), u.copy(), zeros, scale, np.zeros(candidates), np.zeros(candidates), state)


@kernel(FLOATS(ROWS, FLOATS, INTEGERS, types.int64))
def savings(rows: Rows, u: Floats, reach: Integers, candidates: int) -> Floats:
    """Return what every candidate saves at these multipliers, ≤ 0; note how far each demand's list was read."""
    saving = np.zeros(candidates)
    for i in range(len(u)):
        k = rows.start[i]
        end = rows.start[i + 1]
        while k < end and rows.cost[k] < u[i]:
            saving[rows.site[k]] += rows.cost[k] - u[i]
            k += 1
        reach[i] = k
    return saving


@kernel(types.float64(FLOATS, types.int64, FLAGS))
def choose(saving: Floats, p: int, chosen: Flags) -> float:
    """Mark the p candidates that save most, and return the sum of their savings."""
    chosen[:] = 0
    if p <= 0:
        return 0.0
    limit = np.partition(saving, p - 1)[p - 1]
    total, wanted = 0.0, p
    for j in range(len(saving)):
        if saving[j] < limit:
            chosen[j] = 1
            total += saving[j]
            wanted -= 1
    for j in range(len(saving)):
        if wanted > 0 and saving[j] == limit:
            chosen[j] = 1
            total += limit
            wanted -= 1
    return total


@kernel(types.float64(ROWS, INTEGERS, FLAGS, ASCENT))
def turn(rows: Rows, reach: Integers, chosen: Flags, ascent: Ascent) -> float:
    """Turn the direction towards the demands that too few chosen candidates serve; return its squared length."""
    squares, smooth = 0.0, ascent.state[3]
    ascent.state[3] = SMOOTH
    for i in range(len(ascent.u)):
        served = 0
        for k in range(rows.start[i], reach[i]):
            served += chosen[rows.site[k]]
        slope = (1 - served) * ascent.scale[i]
        ascent.direction[i] = smooth * ascent.direction[i] + (1 - smooth) * slope
        squares += ascent.direction[i] ** 2
    return squares


@kernel(types.void(ASCENT, FLOATS, types.float64))
def note(ascent: Ascent, saving: Floats, value: float) -> None:
    """Keep the best multipliers; shorten the step where the bound has not risen for long."""
    best = ascent.state[0]
    ascent.state[2] = 0 if value > best + 1e-7 * abs(best) else ascent.state[2] + 1
    if value > best:
        ascent.state[0] = value
        ascent.best_u[:] = ascent.u
        ascent.saving[:] = saving
    if ascent.state[2] >= PATIENCE:
        ascent.state[1] *= SHORTER
        ascent.state[2] = 0
        ascent.u[:] = ascent.best_u


@kernel(types.float64(ROWS, types.int64, types.float64, types.int64, ASCENT, FLAGS))
def ascend(rows: Rows, p: int, upper: float, steps: int, ascent: Ascent, chosen: Flags) -> float:
    """Raise the bound by so many steps, or until it reaches ``upper``; return the best, and leave the last choice."""
    reach = np.empty(len(ascent.u), np.int64)
    for _ in range(steps):
        saving = savings(rows, ascent.u, reach, len(chosen))
        value = choose(saving, p, chosen) + ascent.u.sum()
        for j in range(len(chosen)):
            ascent.often[j] += 0.05 * (chosen[j] - ascent.often[j])
        note(ascent, saving, value)
        if ascent.state[0] >= upper:
            break
        squares = turn(rows, reach, chosen, ascent)
        if squares <= 0:
            break
        step = ascent.state[1] * (upper - value) / squares
        for i in range(len(ascent.u)):
            moved = ascent.u[i] + step * ascent.scale[i] * ascent.direction[i]
            ascent.u[i] = min(max(moved, 0.0), rows.beyond[i])
    return float(ascent.state[0])
