"""Dijkstra from many places to many others, no farther than a limit, on a graph in compressed rows."""

from typing import NamedTuple

import numpy as np
from numba import types

from gis.planning.siting.compiled import (
    FLAGS,
    FLOATS,
    INTEGERS,
    SITES,
    Flags,
    Floats,
    Integers,
    Sites,
    kernel,
)

SHARE = 0.25
MOST_BUCKETS = 100_000
DENSE = 16


class Graph(NamedTuple):
    """Nodes and what it costs to go on."""

    start: Integers
    """(n_nodes + 1,)."""
    head: Sites
    """(n_arcs,)."""
    cost_s: Floats
    """(n_arcs,)."""


class Sources(NamedTuple):
    """Where searches begin."""

    node: Sites
    """(n, 2): first nodes met, -1 for none; flattened."""
    cost_s: Floats
    """(n, 2), flattened."""
    edge: Integers
    """(n,)."""
    along_s: Floats
    """(n,): seconds along the edge."""
    leg_s: Floats
    """(n,): from the point to the road; infinite where that is too far."""
    point: Integers
    """(n,): the same number for the same point, among sources and targets."""


class Targets(NamedTuple):
    """What searches look for, by the node and by the edge where it is found."""

    node_start: Integers
    """(n_nodes + 1,)."""
    node_target: Sites
    node_cost_s: Floats
    """From the node to the target's own place, its leg included."""
    edge_start: Integers
    """(n_edges + 1,)."""
    edge_target: Sites
    along_s: Floats
    """(m,): seconds along the edge."""
    leg_s: Floats
    """(m,): infinite for targets too far from a road, which stand in none of the lists above."""
    point: Integers
    """(m,)."""
    permission: Flags
    """(n_edges,): bits 1 and 2, along the edge and against it, as the search runs."""


GRAPH = types.NamedTuple((INTEGERS, SITES, FLOATS), Graph)
SOURCES = types.NamedTuple((SITES, FLOATS, INTEGERS, FLOATS, FLOATS, INTEGERS), Sources)
TARGETS = types.NamedTuple((INTEGERS, SITES, FLOATS, INTEGERS, SITES, FLOATS, FLOATS, INTEGERS, FLAGS), Targets)


class Slate(NamedTuple):
    """What one search writes, wiped for the next."""

    reached_s: Floats
    """(n_nodes,): seconds to each node, infinite where it is not reached."""
    reached: Sites
    """(n_nodes,): the nodes reached, in no order."""
    first: Sites
    """(n_buckets,): a node of each bucket, -1 where it is empty."""
    after: Sites
    """(n_nodes,): the next node of the same bucket, -1 for the last."""
    before: Sites
    """(n_nodes,): the one before, -1 for the first."""
    bucket: Sites
    """(n_nodes,): where a node waits, -1 where it does not."""
    best_s: Floats
    """(m,): seconds to each target, infinite where it is not met."""
    met: Sites
    """(m,): the targets met, in no order."""


SLATE = types.NamedTuple((FLOATS, SITES, SITES, SITES, SITES, SITES, FLOATS, SITES), Slate)


@kernel((GRAPH, SOURCES, types.int64, types.float64, types.float64, SLATE))
def reach(  # noqa: C901, PLR0912, PLR0915 - calls cost three times as much
    graph: Graph, sources: Sources, source: int, left_s: float, width_s: float, slate: Slate
) -> int:
    """Write the seconds to all nodes within ``left_s`` of a source's first nodes; return how many these are.

    Dijkstra's search with buckets of ``width_s`` in place of a heap (Dial 1969; Meyer and Sanders 2003): the nodes of
    a bucket are taken in any order, and again where they are bettered, until it is empty. The buckets go round in a
    ring that is longer than any arc, a power of two, so no two lots meet in one.
    """
    # arrays by names of their own, and no calls: both are three times slower on a structure and in small functions
    start, heads, cost_s, reached_s, reached = graph.start, graph.head, graph.cost_s, slate.reached_s, slate.reached
    first, after, before, bucket_of = slate.first, slate.after, slate.before, slate.bucket
    mask, per_s = len(first) - 1, 1 / width_s
    many, waiting = 0, 0
    for door in range(2 * source, 2 * source + 2):
        node, key = sources.node[door], sources.cost_s[door]
        if node >= 0 and key <= left_s and key < reached_s[node]:
            if reached_s[node] < np.inf:  # both ends of a loop, and nothing waits but this node
                first[bucket_of[node]], many, waiting = -1, 0, 0
            bucket = int(key * per_s) & mask
            other = first[bucket]
            after[node], before[node], bucket_of[node], first[bucket] = other, -1, bucket, node
            if other >= 0:
                before[other] = node
            reached[many], reached_s[node] = node, key
            many, waiting = many + 1, waiting + 1
    turn = 0
    while waiting > 0:
        node = first[turn]
        if node < 0:
            turn = (turn + 1) & mask
            continue
        first[turn], bucket_of[node] = after[node], -1
        if after[node] >= 0:
            before[after[node]] = -1
        waiting -= 1
        key = reached_s[node]
        for arc in range(start[node], start[node + 1]):
            head, beyond = heads[arc], key + cost_s[arc]
            known = reached_s[head]
            if beyond > left_s or beyond >= known:
                continue
            reached_s[head] = beyond
            if known == np.inf:
                reached[many] = head
                many += 1
            bucket, old = int(beyond * per_s) & mask, bucket_of[head]
            if bucket == old:
                continue
            if old < 0:
                waiting += 1
            else:  # it leaves the bucket where it waits
                if before[head] >= 0:
                    after[before[head]] = after[head]
                else:
                    first[old] = after[head]
                if after[head] >= 0:
                    before[after[head]] = before[head]
            other = first[bucket]
            after[head], before[head], bucket_of[head], first[bucket] = other, -1, bucket, head
            if other >= 0:
                before[other] = head
    return many


@kernel((SOURCES, TARGETS, types.int64, types.float64, types.int64, SLATE))
def meet(sources: Sources, targets: Targets, source: int, left_s: float, reached: int, slate: Slate) -> int:
    """Write the seconds to the targets behind the nodes that were reached, and on the source's own edge; how many."""
    best_s, met_targets, nodes, reached_s = slate.best_s, slate.met, slate.reached, slate.reached_s
    start, at_node, cost_s = targets.node_start, targets.node_target, targets.node_cost_s
    met = 0
    for at in range(reached):
        key = reached_s[nodes[at]]
        for place in range(start[nodes[at]], start[nodes[at] + 1]):
            target, seconds = at_node[place], key + cost_s[place]
            if seconds <= left_s and seconds < best_s[target]:
                if best_s[target] == np.inf:
                    met_targets[met] = target
                    met += 1
                best_s[target] = seconds
    edge = sources.edge[source]
    for place in range(targets.edge_start[edge], targets.edge_start[edge + 1]):
        target = targets.edge_target[place]
        step_s = targets.along_s[target] - sources.along_s[source]
        bit = 3 if step_s == 0 else 1 if step_s > 0 else 2
        seconds = abs(step_s) + targets.leg_s[target]
        if targets.point[target] == sources.point[source]:
            seconds = -sources.leg_s[source]  # nobody goes to the road and back to the door
        elif not targets.permission[edge] & bit or seconds > left_s:
            continue
        if seconds < best_s[target]:
            if best_s[target] == np.inf:
                met_targets[met] = target
                met += 1
            best_s[target] = seconds
    return met


@kernel((GRAPH, SOURCES, TARGETS))
def slate_for(graph: Graph, sources: Sources, targets: Targets) -> tuple[Slate, float]:
    """Return room for searches, and the width of the buckets: a quarter of a usual arc was the quickest in towns."""
    nodes, many = len(graph.start) - 1, len(targets.leg_s)
    longest_s = 0.0
    for cost_s in (graph.cost_s, sources.cost_s):
        for each in cost_s:
            if each < np.inf:
                longest_s = max(longest_s, each)
    usual_s = np.median(graph.cost_s) if len(graph.cost_s) else 1.0
    width_s = max(usual_s * SHARE, longest_s / MOST_BUCKETS, 1e-6)
    buckets = 1
    while buckets < longest_s / width_s + 2:
        buckets *= 2
    slate = Slate(
        np.full(nodes, np.inf),
        np.empty(nodes, np.int32),
        np.full(buckets, -1, np.int32),
        np.full(nodes, -1, np.int32),
        np.full(nodes, -1, np.int32),
        np.full(nodes, -1, np.int32),
        np.full(many, np.inf),
        np.empty(many, np.int32),
    )
    return slate, width_s


@kernel((SLATE, types.int64, types.int64, types.float64, SITES, FLOATS))
def put_down(slate: Slate, met: int, used: int, leg_s: float, found: Sites, seconds: Floats) -> int:
    """Write the targets met in their order, from place ``used`` on, and wipe them; return the next free place."""
    best_s = slate.best_s
    if met * DENSE > len(best_s):  # looking at all is quicker than sorting
        for target in range(len(best_s)):
            if best_s[target] < np.inf:
                found[used], seconds[used] = target, best_s[target] + leg_s
                best_s[target] = np.inf
                used += 1
        return used
    for target in np.sort(slate.met[:met]):
        found[used], seconds[used] = target, best_s[target] + leg_s
        best_s[target] = np.inf
        used += 1
    return used


@kernel((GRAPH, SOURCES, TARGETS, types.float64, types.int64, SITES, FLOATS, INTEGERS))
def search(
    graph: Graph,
    sources: Sources,
    targets: Targets,
    limit_s: float,
    first: int,
    found: Sites,
    seconds: Floats,
    ends: Integers,
) -> int:
    """Search from source ``first`` on while there is room; return the source to go on with.

    Writes the targets within the limit and the seconds to them, one source after the other, and into ``ends``
    (n,) where each source's end. ``found`` must have room for all targets of one source.
    """
    slate, width_s = slate_for(graph, sources, targets)
    used = 0
    for source in range(first, len(sources.leg_s)):
        if used + len(targets.leg_s) > len(found):
            return source
        leg_s = sources.leg_s[source]
        if leg_s < np.inf:
            reached = reach(graph, sources, source, limit_s - leg_s, width_s, slate)
            met = meet(sources, targets, source, limit_s - leg_s, reached, slate)
            for at in range(reached):
                slate.reached_s[slate.reached[at]] = np.inf
            used = put_down(slate, met, used, leg_s, found, seconds)
        ends[source] = used
    return len(sources.leg_s)
