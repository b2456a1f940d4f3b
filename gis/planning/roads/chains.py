"""Ways into a graph: cut at every vertex, joined again at those that are no junction.

Nine nodes in ten of a road map only bend a road. An edge here is a chain of segments between two nodes that matter:
junctions, dead ends, barriers, and places where the permitted direction changes. It keeps its vertices, with the
seconds from its tail to each, so that a place in its middle costs what it costs.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gis.planning.roads.places import Degrees, Metres, lengths_m
from gis.planning.roads.ways import Ways
from gis.planning.siting.compiled import FLAGS, INTEGERS, Flags, Floats, Integers, kernel

FORWARD, BACKWARD = 1, 2
"""Bits of a permission: along the line, against it."""
_CELLS = 10**7
"""Places are told apart by ten-millionths of a degree, 1 cm."""


@dataclass(frozen=True)
class Chains:
    """The edges between the nodes that matter, and the vertices along them."""

    places: Degrees
    """(n_nodes, 2): of the nodes."""
    tail: Integers
    """(n_edges,): node where an edge begins."""
    head: Integers
    """(n_edges,): node where it ends."""
    permission: Flags
    """(n_edges,): bits FORWARD and BACKWARD."""
    start: Integers
    """(n_edges + 1,): edge ``e`` has the vertices ``start[e]`` to ``start[e + 1]`` of the arrays below."""
    vertices: Degrees
    """(n_vertices, 2)."""
    seconds: Floats
    """(n_vertices,): from the edge's tail to the vertex."""
    metres: Metres
    """(n_vertices,): the same along the ground."""

    @property
    def cost_s(self) -> Floats:
        """(n_edges,): seconds from tail to head, the same back where both are permitted."""
        return self.seconds[self.start[1:] - 1]

    @property
    def length_m(self) -> Metres:
        """(n_edges,): metres from tail to head."""
        return self.metres[self.start[1:] - 1]


@dataclass(frozen=True)
class _Segments:
    """Straight pieces between two vertices, and the nodes they join."""

    places: Degrees
    """(n, 2): of the nodes."""
    ends: Integers
    """(2 s,): the tails of all segments, then their heads."""
    permission: Flags
    """(s,)."""
    seconds: Floats
    """(s,)."""
    metres: Metres
    """(s,)."""


def join(ways: Ways) -> Chains:
    """Return the chains of some ways; a vertex that two ways share joins them, and nothing else does."""
    segments = _cut(ways)
    entry_start, entries = _incidence(segments)
    keep = _kept(segments, entry_start, entries)
    order, flipped, edge_start = _trace(entry_start, entries, segments.ends, keep)
    return _chains(segments, order, flipped.astype(bool), edge_start)


def _cut(ways: Ways) -> _Segments:
    """Return the segments of the ways: those of no length left out, barriers apart on both sides."""
    keys, first, node = _numbered(ways.places)
    way = np.repeat(np.arange(len(ways.start) - 1), np.diff(ways.start))
    at = np.flatnonzero((way[:-1] == way[1:]) & (node[:-1] != node[1:]))
    ends = np.concatenate([node[at], node[at + 1]])
    places = ways.places[first]
    metres = lengths_m(ways.places[at], ways.places[at + 1])
    # a barrier ends every segment that reaches it in a node of its own
    blocked = np.zeros(len(places), dtype=bool)
    blocked[_found(keys, ways.barriers)] = True
    cut = np.flatnonzero(blocked[ends])
    places = np.concatenate([places, places[ends[cut]]])
    ends[cut] = len(places) - len(cut) + np.arange(len(cut))
    return _Segments(places, ends, ways.permission[way[at]], metres / ways.speed_m_s[way[at]], metres)


def _numbered(places: Degrees) -> tuple[Integers, Integers, Integers]:
    """Return the keys of distinct places, sorted, where each is met first, and which of them each place is."""
    keys, first, node = np.unique(_keys(places), return_index=True, return_inverse=True)
    return keys, first, node


def _keys(places: Degrees) -> Integers:
    """Return one whole number for each place, the same for the same square centimetre."""
    cells = np.rint(places * _CELLS).astype(np.int64)
    return cells[:, 0] * 2**32 + cells[:, 1] + 2**31


def _found(keys: Integers, places: Degrees) -> Integers:
    """Return where some places stand among sorted keys; those that stand nowhere are left out."""
    wanted = _keys(places)
    at = np.searchsorted(keys, wanted)
    at = at[at < len(keys)]
    return at[np.isin(keys[at], wanted)]


def _incidence(segments: _Segments) -> tuple[Integers, Integers]:
    """Return for every node the ends of segments there, as places in ``ends``."""
    entries = np.argsort(segments.ends, kind="stable")
    many = np.bincount(segments.ends, minlength=len(segments.places))
    return np.concatenate([[0], np.cumsum(many)]), entries


def _kept(segments: _Segments, entry_start: Integers, entries: Integers) -> Flags:
    """Return 1 for the nodes that matter: any but those where two segments meet and all passes through."""
    many = len(segments.permission)
    keep = np.ones(len(segments.places), dtype=np.int8)
    pairs = np.flatnonzero(np.diff(entry_start) == 2)  # noqa: PLR2004 - two ends meet
    one, other = entries[entry_start[pairs]], entries[entry_start[pairs] + 1]
    leaving = turned(segments.permission[one % many], one < many)
    arriving = turned(segments.permission[other % many], other >= many)
    keep[pairs[leaving == arriving]] = 0
    return keep


def turned(permission: Flags, along: npt.NDArray[np.bool_]) -> Flags:
    """Return permissions (n,) as they are seen by who goes along the line, or against it."""
    return np.where(along, permission, (permission >> 1) | ((permission & 1) << 1)).astype(np.int8)


@kernel((INTEGERS, INTEGERS, INTEGERS, FLAGS))
def _trace(entry_start: Integers, entries: Integers, ends: Integers, keep: Flags) -> tuple[Integers, Flags, Integers]:
    """Return the segments chain by chain, which of them are run against their line, and where each chain starts.

    A ring without a node that matters is cut where it is met first.
    """
    many = len(ends) // 2
    order = np.empty(many, np.int64)
    flipped = np.zeros(many, np.int8)
    start = np.empty(many + 1, np.int64)
    used = np.zeros(many, np.int8)
    placed = 0
    chains = 0
    nodes = len(entry_start) - 1
    for turn in range(nodes + many):
        if turn < nodes:
            if keep[turn] == 0:
                continue
            low, high = entry_start[turn], entry_start[turn + 1]
        else:
            low, high = turn - nodes, turn - nodes + 1
        for position in range(low, high):
            entry = entries[position] if turn < nodes else position
            if used[entry % many]:
                continue
            if turn >= nodes:
                keep[ends[entry]] = 1
            start[chains] = placed
            chains += 1
            while True:
                segment = entry % many
                used[segment] = 1
                order[placed] = segment
                flipped[placed] = 1 if entry >= many else 0
                placed += 1
                arrival = (entry + many) % (2 * many)
                node = ends[arrival]
                if keep[node]:
                    break
                first = entries[entry_start[node]]
                entry = entries[entry_start[node] + 1] if first == arrival else first
    start[chains] = placed
    return order, flipped, start[: chains + 1].copy()


def _chains(segments: _Segments, order: Integers, flipped: npt.NDArray[np.bool_], edge_start: Integers) -> Chains:
    """Return the chains with their vertices, nodes numbered anew."""
    many = len(segments.permission)
    leaves = segments.ends[np.where(flipped, order + many, order)]
    arrives = segments.ends[np.where(flipped, order, order + many)]
    first, last = edge_start[:-1], edge_start[1:] - 1
    nodes, numbered = np.unique(np.concatenate([leaves[first], arrives[last]]), return_inverse=True)
    edges = len(first)
    # every chain has a vertex more than it has segments: its tail, then where each segment arrives
    start = edge_start + np.arange(edges + 1)
    arrival = np.arange(len(order)) + np.repeat(np.arange(1, edges + 1), np.diff(edge_start))
    path = np.empty(len(order) + edges, dtype=np.int64)
    path[arrival], path[start[:-1]] = arrives, leaves[first]
    return Chains(
        places=segments.places[nodes],
        tail=numbered[:edges],
        head=numbered[edges:],
        permission=turned(segments.permission[order[first]], ~flipped[first]),
        start=start,
        vertices=segments.places[path],
        seconds=_summed(segments.seconds[order], arrival, start),
        metres=_summed(segments.metres[order], arrival, start),
    )


def _summed(steps: Floats, arrival: Integers, start: Integers) -> Floats:
    """Return the sum of the steps (s,) from each chain's first vertex on, one for each vertex."""
    along = np.zeros(start[-1])
    along[arrival] = steps
    total: Floats = np.cumsum(along)
    summed: Floats = total - np.repeat(total[start[:-1]], np.diff(start))
    return summed
