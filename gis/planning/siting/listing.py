"""The candidates of every demand, nearest first: the table that all searching and bounding reads."""

import numpy as np
from numba import types
from scipy import sparse

from gis.planning.siting.compiled import (
    COLUMNS,
    FLAGS,
    FLOATS,
    INTEGERS,
    ROWS,
    SITES,
    Columns,
    Flags,
    Floats,
    Integers,
    Rows,
    Sites,
    kernel,
)
from gis.planning.siting.costs import Costs

HARD = 2.0
"""What a demand costs that is not served, in multiples of serving all at their dearest."""


def named(demand: Integers) -> str:
    """Return the numbers of the first few, for a sentence."""
    few = ", ".join(str(i) for i in demand[:5])
    return few if len(demand) <= 5 else f"{few} and {len(demand) - 5} more"  # noqa: PLR2004


def listed(costs: Costs, many: int) -> Rows:
    """Return every demand's ``many`` nearest candidates, with weighted costs.

    A list that was cut ends with the cost of the next candidate as ``beyond``: a bound drawn from it stays a bound. A
    whole list ends with more than any plan costs that serves everybody.
    """
    start, site, cost, beyond = _listed_sparse(costs, many) if sparse.issparse(costs.matrix) else _listed(costs, many)
    cost *= np.repeat(costs.weights, np.diff(start))
    beyond[beyond < np.inf] *= costs.weights[beyond < np.inf]
    whole = np.isinf(beyond)
    ends = cost[start[1:][start[1:] > start[:-1]] - 1]
    beyond[whole] = HARD * (ends.sum() + beyond[~whole].sum()) + 1
    return Rows(start, site, cost, beyond)


def _listed(costs: Costs, many: int) -> tuple[Integers, Sites, Floats, Floats]:
    """List the nearest candidates of a dense matrix, block by block, unweighted."""
    n, m = costs.shape
    lengths, sites, values = np.zeros(n + 1, np.int64), [], []
    beyond = np.full(n, np.inf)
    for first, last in costs.spans():
        block = costs.block(first, last)
        if many < m:
            nearest = np.argpartition(block, many, axis=1)
            beyond[first:last] = np.take_along_axis(block, nearest[:, many : many + 1], axis=1)[:, 0]
            nearest = np.sort(nearest[:, :many], axis=1)  # so that equal costs stand in the candidates' order
            block = np.take_along_axis(block, nearest, axis=1)
        order = np.argsort(block, axis=1, kind="stable")
        ranked = np.take_along_axis(block, order, axis=1)
        site = order if many >= m else np.take_along_axis(nearest, order, axis=1)
        within = np.isfinite(ranked)
        lengths[first + 1 : last + 1] = within.sum(axis=1)
        sites.append(site[within].astype(np.int32))
        values.append(ranked[within])
    return np.cumsum(lengths), np.concatenate(sites), np.concatenate(values), beyond


def _listed_sparse(costs: Costs, many: int) -> tuple[Integers, Sites, Floats, Floats]:
    """List the nearest candidates of a sparse matrix, unweighted."""
    matrix = costs.matrix
    start = matrix.indptr.astype(np.int64)
    site = matrix.indices.astype(np.int32)
    cost = matrix.data.astype(np.float64)
    beyond = np.full(costs.shape[0], np.inf)
    kept = sort_and_cut(start, site, cost, beyond, min(costs.limit, np.finfo(np.float64).max), many)
    return start, site[:kept], cost[:kept], beyond


@kernel(types.int64(INTEGERS, SITES, FLOATS, FLOATS, types.float64, types.int64))
def sort_and_cut(start: Integers, site: Sites, cost: Floats, beyond: Floats, limit: float, many: int) -> int:
    """Sort every row in place, keep ``many`` within the limit, close up; return how many places are left."""
    kept = 0
    first = start[0]
    for i in range(len(beyond)):
        last = start[i + 1]
        order = np.argsort(cost[first:last], kind="mergesort")
        costs, sites = cost[first:last][order], site[first:last][order]
        start[i] = kept
        for k in range(len(order)):
            if costs[k] > limit:
                break
            if k == many:
                beyond[i] = costs[k]
                break
            site[kept], cost[kept] = sites[k], costs[k]
            kept += 1
        first = last
    start[len(beyond)] = kept
    return kept


@kernel(COLUMNS(ROWS, types.int64))
def columns_of(rows: Rows, candidates: int) -> Columns:
    """Return the same table by candidate."""
    start = np.zeros(candidates + 1, np.int64)
    for k in range(len(rows.site)):
        start[rows.site[k] + 1] += 1
    for j in range(candidates):
        start[j + 1] += start[j]
    free = start[:-1].copy()
    demand = np.empty(len(rows.site), np.int32)
    place = np.empty(len(rows.site), np.int32)
    for i in range(len(rows.beyond)):
        for k in range(rows.start[i], rows.start[i + 1]):
            at = free[rows.site[k]]
            demand[at], place[at] = i, k
            free[rows.site[k]] += 1
    return Columns(start, demand, place)


@kernel(ROWS(ROWS, FLAGS, SITES))
def restricted(rows: Rows, fate: Flags, renamed: Sites) -> Rows:
    """Return the table without the candidates that are closed (-1) or open (1), the others renamed.

    An open candidate ends the lists it stands in: nobody goes farther, so it is what lies ``beyond``.
    """
    start = np.zeros(len(rows.start), np.int64)
    for i in range(len(rows.beyond)):
        kept = 0
        for k in range(rows.start[i], rows.start[i + 1]):
            if fate[rows.site[k]] == 1:
                break
            kept += fate[rows.site[k]] == 0
        start[i + 1] = start[i] + kept
    site = np.empty(start[-1], np.int32)
    cost = np.empty(start[-1])
    beyond = rows.beyond.copy()
    for i in range(len(beyond)):
        at = start[i]
        for k in range(rows.start[i], rows.start[i + 1]):
            j = rows.site[k]
            if fate[j] == 1:
                beyond[i] = rows.cost[k]
                break
            if fate[j] == 0:
                site[at], cost[at] = renamed[j], rows.cost[k]
                at += 1
    return Rows(start, site, cost, beyond)
