"""What is left open of a question with capacities, as programmes for HiGHS, and plans read from what it finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from gis.planning.siting import milp
from gis.planning.siting.limits import Allotted

if TYPE_CHECKING:
    from gis.planning.siting.clock import Clock
    from gis.planning.siting.compiled import Floats, Integers
    from gis.planning.siting.instances import Instance
    from gis.planning.siting.limits import Limited

FLOWS = 8
"""How many open sites a demand may be divided between, the nearest."""


def picked(matrix: Any, row: Integers, column: Integers) -> Floats:  # noqa: ANN401 - dense or sparse: scipy has no types
    """Return entries of a matrix; 0 for what a sparse one does not hold."""
    if not sparse.issparse(matrix):
        return np.asarray(matrix[row, column], dtype=np.float64)
    table = sparse.csr_array(matrix)
    table.sort_indices()
    keys = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr)) * table.shape[1] + table.indices
    wanted = row * table.shape[1] + column
    at = np.minimum(np.searchsorted(keys, wanted), max(0, len(keys) - 1))
    if not len(keys):
        return np.zeros(len(wanted))
    return np.where(keys[at] == wanted, table.data[at], 0).astype(np.float64)


def flow(asked: Limited, sites: Integers, clock: Clock) -> Allotted:
    """Divide the demand between open sites as is cheapest."""
    rows = asked.instance.rows
    is_open = np.zeros(asked.instance.many, bool)
    is_open[sites] = True
    kept = np.flatnonzero(is_open[rows.site])
    owner = asked.demand[kept]
    kept = kept[np.arange(len(kept)) - np.searchsorted(owner, owner) < FLOWS]
    owner = asked.demand[kept]
    n, places = len(asked.leaving), len(kept)
    each = np.arange(places)
    slot = np.searchsorted(sites, rows.site[kept])
    filled = sparse.csr_array((asked.loads.need[owner], (slot, each)), shape=(len(sites), places + n))
    served = sparse.csr_array((np.ones(places), (owner, each)), shape=(n, places))
    table, lower, upper = milp.stacked(
        (sparse.hstack([served, sparse.eye_array(n)], format="csr"), 1.0, 1.0),
        (filled, -np.inf, asked.loads.room[sites]),
    )
    objective = np.concatenate([rows.cost[kept], asked.leaving])
    limit = np.ones(places + n)
    solved = milp.solve(milp.Programme(objective, table, lower, upper, limit, limit < 0), clock)
    if solved.x is None:
        return Allotted(sites, sparse.csr_array((n, asked.instance.many)), np.inf, whole=False)
    return read(asked, kept, solved.x[:places], sites)


def read(asked: Limited, kept: Integers, x: Floats, sites: Integers) -> Allotted:
    """Return a plan from a programme's numbers, without what they are off by."""
    rows, owner = asked.instance.rows, asked.demand[kept]
    x = np.where(x > 1e-7, np.minimum(x, 1.0), 0.0) if asked.divisible else np.rint(x)  # noqa: PLR2004 - HiGHS's own
    sums = np.bincount(owner, weights=x, minlength=len(asked.leaving))
    near_one = np.abs(sums - 1) < 1e-5  # noqa: PLR2004
    x = np.where(near_one[owner], x / np.where(sums > 0, sums, 1)[owner], x)
    sums[near_one] = 1
    cost = float(rows.cost[kept] @ x + asked.leaving @ np.maximum(0, 1 - sums))
    there = np.flatnonzero(x)
    shape = (len(asked.leaving), asked.instance.many)
    shares = sparse.csr_array((x[there], (owner[there], rows.site[kept[there]])), shape=shape)
    return Allotted(np.sort(sites), shares, cost, asked.optional or bool((sums >= 1).all()))


def programme_of(asked: Limited, kept: Integers, best: float) -> tuple[milp.Programme, Integers, float]:
    """Return the programme of some places, the candidates in it, and what its objective leaves out.

    First come the shares, place by place, then which candidates are open. Where lists hold no place of a candidate any
    more it may still be opened, if p needs it: what it serves is known to be dearer.
    """
    instance, loads = asked.instance, asked.loads
    rows, owner = instance.rows, asked.demand[kept]
    candidates = np.arange(instance.many)
    if np.isfinite(best) and not len(instance.close) and len(np.unique(rows.site[kept])) >= instance.p:
        candidates = np.union1d(np.unique(rows.site[kept]), np.flatnonzero(loads.must))
    n, m, places = len(asked.leaving), len(candidates), len(kept)
    each, at = np.arange(places), np.searchsorted(candidates, rows.site[kept])
    wide = (n, places + m)
    served = sparse.csr_array((np.ones(places), (owner, each)), shape=wide)
    both = np.concatenate([at, np.arange(m)])
    fill = sparse.csr_array(
        (np.concatenate([loads.need[owner], -loads.room[candidates]]), (both, np.arange(places + m))),
        shape=(m, places + m),
    )
    pairs = (np.tile(each, 2), np.concatenate([each, places + at]))
    linked = sparse.csr_array((np.repeat([1.0, -1.0], places), pairs), shape=(places, places + m))
    how_many = sparse.csr_array(np.concatenate([np.zeros(places), np.ones(m)])[None])
    standing = sparse.csr_array(np.concatenate([np.zeros(places), loads.must[candidates] == 1])[None].astype(float))
    apart = _apart(instance, candidates, places)
    table, lower, upper = milp.stacked(
        (served, 0.0 if asked.optional else 1.0, 1.0),
        (fill, -np.inf, 0.0),
        (linked, -np.inf, 0.0),
        (how_many, instance.p, instance.p),
        (standing, float(loads.must.sum()), np.inf),
        (apart, 0.0, 1.0),
    )
    price = asked.leaving if asked.optional else np.zeros(n)
    objective = np.concatenate([rows.cost[kept] - price[owner], np.zeros(m)])
    whole = np.concatenate([np.full(places, not asked.divisible), np.ones(m, bool)])
    return milp.Programme(objective, table, lower, upper, np.ones(places + m), whole), candidates, float(price.sum())


def _apart(instance: Instance, candidates: Integers, places: int) -> sparse.csr_array:
    """Return a row for every two candidates of the programme that stand too close."""
    clashes = instance.clashes
    one = np.repeat(np.arange(instance.many), np.diff(clashes.start))
    there = np.isin(one, candidates) & np.isin(clashes.site, candidates) & (one < clashes.site)
    pairs = np.searchsorted(candidates, np.stack([one[there], clashes.site[there]], axis=1))
    each = np.repeat(np.arange(len(pairs)), 2)
    shape = (len(pairs), places + len(candidates))
    return sparse.csr_array((np.ones(pairs.size), (each, places + pairs.ravel())), shape=shape)
