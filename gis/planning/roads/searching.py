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


@kernel((FLOATS, SITES, types.int64, types.float64, types.int64))
def push(keys: Floats, nodes: Sites, size: int, key: float, node: int) -> int:
    """Add a node to a heap of four children each; return the new size."""
    hole = size
    while hole > 0:
        parent = (hole - 1) >> 2
        if keys[parent] <= key:
            break
        keys[hole], nodes[hole] = keys[parent], nodes[parent]
        hole = parent
    keys[hole], nodes[hole] = key, node
    return size + 1


@kernel((FLOATS, SITES, types.int64))
def drop(keys: Floats, nodes: Sites, size: int) -> int:
    """Take the least node off a heap; return the new size."""
    size -= 1
    key, node = keys[size], nodes[size]
    hole = 0
    while True:
        child = 4 * hole + 1
        if child >= size:
            break
        least = child
        for other in range(child + 1, min(child + 4, size)):
            if keys[other] < keys[least]:
                least = other
        if keys[least] >= key:
            break
        keys[hole], nodes[hole] = keys[least], nodes[least]
        hole = least
    keys[hole], nodes[hole] = key, node
    return size


class Slate(NamedTuple):
    """What one search writes, wiped for the next."""

    reached_s: Floats
    """(n_nodes,): seconds to each node, infinite where it is not reached."""
    reached: Sites
    """(n_nodes,): the nodes reached, in no order."""
    keys: Floats
    """(n_arcs + 2,): the heap."""
    heap: Sites
    best_s: Floats
    """(m,): seconds to each target, infinite where it is not met."""
    met: Sites
    """(m,): the targets met, in no order."""


SLATE = types.NamedTuple((FLOATS, SITES, FLOATS, SITES, FLOATS, SITES), Slate)


@kernel((GRAPH, SOURCES, types.int64, types.float64, SLATE))
def reach(graph: Graph, sources: Sources, source: int, left_s: float, slate: Slate) -> int:
    """Write the seconds to all nodes within ``left_s`` of a source's first nodes; return how many these are."""
    reached_s, keys, heap = slate.reached_s, slate.keys, slate.heap
    size, many = 0, 0
    for door in range(2 * source, 2 * source + 2):
        node, key = sources.node[door], sources.cost_s[door]
        if node >= 0 and key <= left_s and key < reached_s[node]:
            if reached_s[node] == np.inf:
                slate.reached[many] = node
                many += 1
            reached_s[node] = key
            size = push(keys, heap, size, key, node)
    while size > 0:
        key, node = keys[0], heap[0]
        size = drop(keys, heap, size)
        if key > reached_s[node]:  # a quicker way was found since
            continue
        for arc in range(graph.start[node], graph.start[node + 1]):
            beyond, head = key + graph.cost_s[arc], graph.head[arc]
            if beyond <= left_s and beyond < reached_s[head]:
                if reached_s[head] == np.inf:
                    slate.reached[many] = head
                    many += 1
                reached_s[head] = beyond
                size = push(keys, heap, size, beyond, head)
    return many


@kernel((SLATE, types.int64, types.int64, types.float64))
def note(slate: Slate, met: int, target: int, seconds: float) -> int:
    """Keep the seconds to a target if they are the least so far; return how many targets are met."""
    if seconds < slate.best_s[target]:
        if slate.best_s[target] == np.inf:
            slate.met[met] = target
            met += 1
        slate.best_s[target] = seconds
    return met


@kernel((SOURCES, TARGETS, types.int64, types.float64, types.int64, SLATE))
def meet(sources: Sources, targets: Targets, source: int, left_s: float, reached: int, slate: Slate) -> int:
    """Write the seconds to the targets behind the nodes that were reached, and on the source's own edge; how many."""
    met = 0
    for at in range(reached):
        node = slate.reached[at]
        for place in range(targets.node_start[node], targets.node_start[node + 1]):
            seconds = slate.reached_s[node] + targets.node_cost_s[place]
            if seconds <= left_s:
                met = note(slate, met, targets.node_target[place], seconds)
    edge = sources.edge[source]
    for place in range(targets.edge_start[edge], targets.edge_start[edge + 1]):
        target = targets.edge_target[place]
        step_s = targets.along_s[target] - sources.along_s[source]
        bit = 3 if step_s == 0 else 1 if step_s > 0 else 2
        if targets.point[target] == sources.point[source]:
            met = note(slate, met, target, -sources.leg_s[source])  # nobody goes to the road and back to the door
        elif targets.permission[edge] & bit and abs(step_s) + targets.leg_s[target] <= left_s:
            met = note(slate, met, target, abs(step_s) + targets.leg_s[target])
    return met


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
    nodes, arcs, many = len(graph.start) - 1, len(graph.head), len(targets.leg_s)
    slate = Slate(
        np.full(nodes, np.inf),
        np.empty(nodes, np.int32),
        np.empty(arcs + 2),
        np.empty(arcs + 2, np.int32),
        np.full(many, np.inf),
        np.empty(many, np.int32),
    )
    used = 0
    for source in range(first, len(sources.leg_s)):
        if used + many > len(found):
            return source
        leg_s = sources.leg_s[source]
        if leg_s < np.inf:
            reached = reach(graph, sources, source, limit_s - leg_s, slate)
            met = meet(sources, targets, source, limit_s - leg_s, reached, slate)
            for at in range(reached):
                slate.reached_s[slate.reached[at]] = np.inf
            for at in range(met):
                target = slate.met[at]
                found[used], seconds[used] = target, slate.best_s[target] + leg_s
                slate.best_s[target] = np.inf
                used += 1
        ends[source] = used
    return len(sources.leg_s)
