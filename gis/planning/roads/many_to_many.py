"""Travel times between many places on the edges of a network, as a sparse matrix."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from gis.planning.roads.chains import BACKWARD, FORWARD, Chains, turned
from gis.planning.roads.places import Degrees
from gis.planning.roads.searching import Graph, Sources, Targets, search
from gis.planning.roads.snapping import Doors, Snapped, arriving, leaving
from gis.planning.siting.compiled import Floats, Integers

AT_ONCE = 2_000_000
"""Pairs found before they are put away: 24 MB."""


@dataclass(frozen=True)
class Places:
    """Points, where they stand on the roads, and their way there."""

    points: Degrees
    """(n, 2)."""
    snapped: Snapped
    leg_s: Floats
    """(n,): infinite where the road is too far."""


def seconds(chains: Chains, origins: Places, destinations: Places, limit_s: float) -> Any:  # noqa: ANN401 - scipy
    """Return the seconds (n, m) as csr_array of what is within the limit.

    The search runs from the smaller side: from destinations along roads that are turned round, where they are fewer.
    """
    points = np.concatenate([origins.points, destinations.points])
    same = np.unique(points, axis=0, return_inverse=True)[1].reshape(-1) if len(points) else np.empty(0, np.int64)
    of_origins, of_destinations = same[: len(origins.points)], same[len(origins.points) :]
    if len(origins.points) <= len(destinations.points):
        sources = _sources(origins, leaving(chains, origins.snapped), of_origins)
        targets = _targets(chains, destinations, arriving(chains, destinations.snapped), of_destinations, along=True)
        return _search(graph(chains), sources, targets, limit_s)
    sources = _sources(destinations, arriving(chains, destinations.snapped), of_destinations)
    targets = _targets(chains, origins, leaving(chains, origins.snapped), of_origins, along=False)
    return _search(graph(chains, along=False), sources, targets, limit_s).T.tocsr()


def graph(chains: Chains, *, along: bool = True) -> Graph:
    """Return the edges as arcs in permitted directions, all of them turned round where not ``along``."""
    # nobody gets anywhere by a loop; and scipy 1.17 looks for strong components without end where there is one
    onward = chains.tail != chains.head
    ahead, back = (np.flatnonzero(onward & ((chains.permission & bit) != 0)) for bit in (FORWARD, BACKWARD))
    tail = np.concatenate([chains.tail[ahead], chains.head[back]])
    head = np.concatenate([chains.head[ahead], chains.tail[back]])
    if not along:
        tail, head = head, tail
    cost_s = chains.cost_s[np.concatenate([ahead, back])]
    order = np.lexsort((head, tail))
    many = np.bincount(tail, minlength=len(chains.places))
    return Graph(_starts(many), head[order].astype(np.int32), cost_s[order])


def _starts(many: Integers) -> Integers:
    """Return where each of the rows with so many places begins, and the end."""
    return np.concatenate([[0], np.cumsum(many)]).astype(np.int64)


def _sources(places: Places, doors: Doors, same: Integers) -> Sources:
    """Return where searches begin."""
    return Sources(
        doors.node.astype(np.int32).ravel(),
        np.ascontiguousarray(doors.cost_s).ravel(),
        places.snapped.edge,
        places.snapped.along_s,
        places.leg_s,
        same,
    )


def _targets(chains: Chains, places: Places, doors: Doors, same: Integers, *, along: bool) -> Targets:
    """Return what searches look for, by node and by edge."""
    within = np.isfinite(places.leg_s)
    target, door = np.nonzero((doors.node >= 0) & within[:, None])
    node = doors.node[target, door]
    by_node = np.argsort(node, kind="stable")
    cost_s = doors.cost_s[target, door] + places.leg_s[target]
    standing = np.flatnonzero(within)
    edge = places.snapped.edge[standing]
    by_edge = np.argsort(edge, kind="stable")
    return Targets(
        _starts(np.bincount(node, minlength=len(chains.places))),
        target[by_node].astype(np.int32),
        cost_s[by_node],
        _starts(np.bincount(edge, minlength=len(chains.tail))),
        standing[by_edge].astype(np.int32),
        places.snapped.along_s,
        places.leg_s,
        same,
        turned(chains.permission, np.full(len(chains.tail), along)),
    )


def _search(roads: Graph, sources: Sources, targets: Targets, limit_s: float) -> Any:  # noqa: ANN401
    """Return the seconds from sources to targets, row by row in the order of the targets."""
    n, m = len(sources.leg_s), len(targets.leg_s)
    room = max(m, AT_ONCE)
    found, times = np.empty(room, np.int32), np.empty(room)
    columns, values = np.empty(0, np.int32), np.empty(0)
    ends = np.zeros(n, np.int64)
    first, put_away = 0, 0
    while first < n:
        last = search(roads, sources, targets, float(limit_s), first, found, times, ends)
        used = int(ends[last - 1])
        ends[first:last] += put_away
        for kept, new in ((columns, found), (values, times)):
            kept.resize(put_away + used, refcheck=False)  # grows in its place where the system can remap it
            kept[put_away:] = new[:used]
        first, put_away = last, put_away + used
    starts = _starts(np.diff(ends, prepend=0))
    if put_away <= np.iinfo(np.int32).max:  # else scipy widens the columns to the type of the starts
        starts = starts.astype(np.int32)
    matrix = csr_array((values, columns, starts), shape=(n, m))
    matrix.has_sorted_indices = True
    return matrix
