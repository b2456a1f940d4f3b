"""The p-median and the maximal cover of sites that take only so much demand each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from gis.errors import Infeasible
from gis.planning.siting import capacities, covering, limits, listing, programmes
from gis.planning.siting.answers import Siting, status_of
from gis.planning.siting.compiled import Rows
from gis.planning.siting.instances import WHOLE, Instance, is_whole

if TYPE_CHECKING:
    from gis.planning.siting.clock import Clock
    from gis.planning.siting.compiled import Floats, Integers
    from gis.planning.siting.costs import Choice, Costs
    from gis.planning.siting.medians import Medians, Wanted


def median(wanted: Wanted, lists: Medians, need: Floats, room: Floats, clock: Clock, *, divisible: bool) -> Siting:
    """Answer a checked p-median with capacities.

    Args:
        wanted: the whole question.
        lists: makes the table of the demand that somebody reaches.
        need: (n_demand,), what fills capacity.
        room: (n_candidate,), the capacities.
        clock: how long.
        divisible: a demand may be shared between sites.

    Raises:
        Infeasible: no p sites serve everybody whom some candidate reaches within their capacities.
    """
    served = wanted.served()
    n, m = wanted.costs.shape
    if not len(served):
        sites = covering.filled(wanted.choice.fixed, wanted.choice, m)
        return answer(wanted.costs, sites, sparse.csr_array((n, m)), (0.0, 0.0), clock, divisible=divisible)
    while True:
        instance = lists.with_fixed()
        complete = lists.many >= m
        # the hard price of a whole list is more than any plan; a cut list ends with what its next candidate costs
        leaving = np.full(len(served), instance.hard if complete else _hard(instance.rows))
        asked = limits.asked_of(
            instance,
            need[served],
            room,
            wanted.choice.fixed,
            leaving,
            optional=False,
            divisible=divisible,
            complete=complete,
        )
        refuse_what_fits_nowhere(asked, served)
        search = capacities.Search(asked, clock, wanted.seed)
        search.run(prove=wanted.prove)
        if complete or search.serves or clock.over():
            break
        lists.many *= 4
    if search.impossible:
        refuse(search, served, wanted.choice.p)
    best = search.best
    if best is None or not search.serves:
        return unfinished(wanted, search, served, clock)
    shares = sparse.coo_array(best.shares)
    where = (served[shares.coords[0]], instance.ids[shares.coords[1]])
    whole = sparse.csr_array((shares.data, where), shape=(n, m))
    sites = instance.ids[best.sites]
    return answer(wanted.costs, sites, whole, (search.bound, search.cost), clock, divisible=divisible)


def _hard(rows: Rows) -> float:
    """Return more than any plan costs that serves everybody by these lists."""
    return listing.HARD * (float(rows.beyond.sum()) + 1)


def unfinished(wanted: Wanted, search: capacities.Search, served: Integers, clock: Clock) -> Siting:
    """Return what was found when time ended before everybody was served: sites, whom they serve, no objective."""
    n, m = wanted.costs.shape
    assignment = np.full(n, -1, np.int64)
    sites = covering.filled(wanted.choice.fixed, wanted.choice, m)
    if search.best:
        sites = search.asked.instance.ids[search.best.sites]
        part = search.best.shares
        full = np.flatnonzero(np.diff(part.indptr))
        assignment[served[full]] = search.asked.instance.ids[part.indices[part.indptr[full]]]
    unserved = np.flatnonzero(assignment < 0).tolist()
    clock.end(search.bound, np.inf)
    status = status_of(clock, proven=False)
    return Siting(sites.tolist(), assignment, None, unserved, np.inf, search.bound, status, clock.seconds)


def refuse_what_fits_nowhere(asked: limits.Limited, served: Integers) -> None:
    """Look for demand that no site can take, before any search.

    Raises:
        Infeasible: one demand is larger than every site it reaches, or all together are larger than the p largest.
    """
    loads, rows = asked.loads, asked.instance.rows
    if not asked.divisible and asked.complete:
        largest = np.zeros(len(loads.need))
        np.maximum.at(largest, asked.demand, loads.room[rows.site])
        alone = np.flatnonzero(loads.need > largest)
        if len(alone):
            why = f"demand {listing.named(served[alone])} is larger than the capacity of every site in its reach"
            raise Infeasible(why=why, demand=served[alone])
    free = np.sort(loads.room[loads.must == 0])[::-1]
    most = loads.room[loads.must == 1].sum() + free[: asked.instance.p - int(loads.must.sum())].sum()
    if loads.need.sum() > most * (1 + 1e-12):
        left = np.sort(np.argsort(loads.need, kind="stable")[np.cumsum(np.sort(loads.need)) > most])
        why = f"the {asked.instance.p} largest sites take {most:g} of a demand of {loads.need.sum():g}"
        raise Infeasible(why=why, demand=served[left])


def refuse(search: capacities.Search, served: Integers, p: int) -> None:
    """Say whom p sites leave over.

    Raises:
        Infeasible: always.
    """
    left = served
    if search.best:
        left = served[np.flatnonzero(search.best.shares.sum(axis=1) < 1 - 1e-6)]
    why = f"no {p} sites serve everybody within their capacities; the best found leave over {listing.named(left)}"
    raise Infeasible(why=why, demand=left)


def answer(
    table: Costs,
    sites: Integers,
    shares: Any,  # noqa: ANN401 - a sparse array: scipy has no types
    found: tuple[float, float],
    clock: Clock,
    *,
    divisible: bool,
) -> Siting:
    """Count a plan anew from the matrix that was given; ``found`` is the search's bound and cost."""
    paid = sparse.coo_array(shares)
    demand, site = paid.coords
    objective = float((table.weights[demand] * paid.data) @ programmes.picked(table.matrix, demand, site))
    proven = found[0] >= found[1]
    bound = objective if proven else min(found[0], objective)
    clock.end(bound, objective)
    assignment = largest_share(shares)
    return Siting(
        sites=sites.tolist(),
        assignment=assignment,
        shares=shares if divisible else None,
        unserved=np.flatnonzero(assignment < 0).tolist(),
        objective=objective,
        bound=bound,
        status=status_of(clock, proven=proven),
        seconds=clock.seconds,
    )


def largest_share(shares: Any) -> Integers:  # noqa: ANN401 - a sparse array: scipy has no types
    """Return the site that takes most of each demand, the first of equals; -1 where none takes any."""
    table = sparse.csr_array(shares)
    table.sort_indices()
    assignment = np.full(table.shape[0], -1, np.int64)
    owner = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
    order = np.lexsort((table.indices, -table.data, owner))
    first = np.unique(owner[order], return_index=True)
    assignment[first[0]] = table.indices[order[first[1]]]
    return assignment


def cover(table: Any, worth: Floats, need: Floats, room: Floats, choice: Choice, seed: int, clock: Clock) -> Siting:  # noqa: ANN401
    """Answer a checked maximal cover with capacities: a demand that is covered has one site, with room for it."""
    n, m = table.shape
    allowed = np.setdiff1d(np.arange(m), choice.forbidden)
    part = table[:, allowed]
    part.sort_indices()
    worthy = np.flatnonzero((worth > 0) & (np.diff(part.indptr) > 0))
    part = part[worthy]
    zeros = np.zeros(len(part.indices))
    rows = Rows(part.indptr.astype(np.int64), part.indices.astype(np.int32), zeros, worth[worthy].copy())
    apart = np.zeros((0, 2), np.int64)
    whole = is_whole(worth) and worth.sum() < WHOLE
    instance = Instance(rows, choice.p, allowed, np.zeros(0, np.int64), apart, whole, np.inf)
    total = float(rows.beyond.sum())
    clock.counts_from(total)
    asked = limits.asked_of(
        instance,
        need[worthy],
        room,
        choice.fixed,
        rows.beyond,
        optional=True,
        divisible=False,
        complete=True,
    )
    search = capacities.Search(asked, clock, seed)
    if len(worthy):
        search.run(prove=True)
    assignment = np.full(n, -1, np.int64)
    sites, bound = covering.filled(choice.fixed, choice, m), total
    if search.best:
        assignment[worthy] = largest_share(search.best.shares)
        assignment[assignment >= 0] = allowed[assignment[assignment >= 0]]
        sites = allowed[search.best.sites]
        bound = total - search.bound
    objective = float(worth[assignment >= 0].sum())
    proven = bound - objective <= 1e-9 * max(1.0, objective)
    bound = objective if proven else bound
    clock.end(bound, objective)
    unserved = np.flatnonzero(assignment < 0).tolist()
    status = status_of(clock, proven=proven)
    return Siting(sites.tolist(), assignment, None, unserved, objective, bound, status, clock.seconds)
