"""From a point to the road: the nearest edge, the place along it, and how far that is."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from gis.planning.roads.chains import BACKWARD, FORWARD, Chains
from gis.planning.roads.places import Degrees, Metres, Plane
from gis.planning.siting.compiled import FLOATS, INTEGERS, Floats, Integers, kernel

AT_A_NODE_M = 0.01
"""A place this near the end of an edge is the node itself, from where every road that meets there is open."""


@dataclass(frozen=True)
class Snapped:
    """Where points stand on the roads."""

    edge: Integers
    """(n,): -1 where there is no road at all."""
    along_s: Floats
    """(n,): seconds from the edge's tail; exactly 0 or the edge's cost at its ends."""
    distance_m: Metres
    """(n,): from the point to the road; infinite where it cannot be told."""


@dataclass(frozen=True)
class Doors:
    """How the nodes are reached from places on edges, or the places from the nodes: at most two nodes each."""

    node: Integers
    """(n, 2): -1 where there is none."""
    cost_s: Floats
    """(n, 2)."""


class Snapper:
    """Finds the nearest of some edges."""

    def __init__(self, chains: Chains, plane: Plane, edges: Integers) -> None:
        """Take the edges among the chains to be found."""
        self._chains, self._plane, self._edges = chains, plane, edges

    @cached_property
    def _vertices(self) -> Metres:
        return np.ascontiguousarray(self._plane.project(self._chains.vertices))

    @cached_property
    def _tree(self) -> shapely.STRtree:
        many = np.diff(self._chains.start)
        edge = np.repeat(np.arange(len(many)), many)
        wanted = np.zeros(len(many), dtype=bool)
        wanted[self._edges] = True
        kept = wanted[edge]
        place = np.cumsum(wanted) - 1
        lines: Any = shapely.linestrings(self._vertices[kept], indices=place[edge[kept]])
        return shapely.STRtree(lines)

    def find(self, points: Degrees) -> Snapped:
        """Return where points (n, 2) stand."""
        edge = np.full(len(points), -1, dtype=np.int64)
        along_s = np.zeros(len(points))
        distance_m = np.full(len(points), np.inf)
        flat = self._plane.project(points)
        there = np.flatnonzero(np.isfinite(flat).all(axis=1))
        if len(there) and len(self._edges):
            found = self._tree.query_nearest(shapely.points(flat[there]), all_matches=False)
            edge[there[found[0]]] = self._edges[found[1]]
            chains = self._chains
            _locate(
                np.ascontiguousarray(flat[:, 0]),
                np.ascontiguousarray(flat[:, 1]),
                edge,
                chains.start,
                np.ascontiguousarray(self._vertices[:, 0]),
                np.ascontiguousarray(self._vertices[:, 1]),
                chains.seconds,
                along_s,
                distance_m,
            )
        return Snapped(edge, along_s, distance_m)


@kernel((FLOATS, FLOATS, INTEGERS, INTEGERS, FLOATS, FLOATS, FLOATS, FLOATS, FLOATS))
def _locate(
    x: Floats,
    y: Floats,
    edge: Integers,
    start: Integers,
    vertex_x: Floats,
    vertex_y: Floats,
    seconds: Floats,
    along_s: Floats,
    distance_m: Floats,
) -> None:
    """Write where each point's nearest place on its edge is: the foot of the perpendicular, or a vertex."""
    for i in range(len(x)):
        e = edge[i]
        if e < 0:
            continue
        least = np.inf
        for k in range(start[e], start[e + 1] - 1):
            east, north = vertex_x[k + 1] - vertex_x[k], vertex_y[k + 1] - vertex_y[k]
            length2 = east * east + north * north
            share = ((x[i] - vertex_x[k]) * east + (y[i] - vertex_y[k]) * north) / length2 if length2 > 0 else 0.0
            share = min(max(share, 0.0), 1.0)
            # at a vertex its own figure, so that both ends of an edge are met exactly
            if share * share * length2 < AT_A_NODE_M * AT_A_NODE_M:
                share = 0.0
            elif (1 - share) * (1 - share) * length2 < AT_A_NODE_M * AT_A_NODE_M:
                share = 1.0
            off_x, off_y = x[i] - vertex_x[k] - share * east, y[i] - vertex_y[k] - share * north
            distance = np.sqrt(off_x * off_x + off_y * off_y)
            if distance < least:
                least = distance
                along_s[i] = seconds[k + 1] if share == 1.0 else seconds[k] + share * (seconds[k + 1] - seconds[k])
        distance_m[i] = least


def replaced(snapped: Snapped, at: Integers, others: Snapped, which: npt.NDArray[np.bool_]) -> Snapped:
    """Return places, those ``at`` (k,) some points replaced by the ones of ``others`` for which ``which`` is set."""
    edge, along_s, distance_m = snapped.edge.copy(), snapped.along_s.copy(), snapped.distance_m.copy()
    edge[at], along_s[at], distance_m[at] = others.edge[which], others.along_s[which], others.distance_m[which]
    return Snapped(edge, along_s, distance_m)


def leaving(chains: Chains, snapped: Snapped) -> Doors:
    """Return the nodes that a traveller who starts on an edge comes to first."""
    return _doors(chains, snapped, to_head=FORWARD, to_tail=BACKWARD)


def arriving(chains: Chains, snapped: Snapped) -> Doors:
    """Return the nodes from which a traveller turns into the edge last."""
    return _doors(chains, snapped, to_head=BACKWARD, to_tail=FORWARD)


def _doors(chains: Chains, snapped: Snapped, *, to_head: int, to_tail: int) -> Doors:
    """Return tail and head with what the way between costs, where the bits allow it."""
    edge, along = snapped.edge, snapped.along_s
    cost = chains.cost_s[edge]
    at_tail, at_head = along == 0, along == cost
    permission = chains.permission[edge]
    node = np.column_stack([chains.tail[edge], chains.head[edge]])
    open_ = np.column_stack(
        [at_tail | (((permission & to_tail) != 0) & ~at_head), at_head | (((permission & to_head) != 0) & ~at_tail)]
    )
    node = np.where(open_ & (edge >= 0)[:, None], node, -1)
    return Doors(node, np.column_stack([along, cost - along]))
