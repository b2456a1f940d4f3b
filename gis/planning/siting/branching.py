"""The proof of a p-median: candidates fixed by their reduced cost, then branch and bound, the bound by the ascent."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gis.planning.siting import interchange, lagrangian

if TYPE_CHECKING:
    from gis.planning.siting.compiled import Floats, Integers
    from gis.planning.siting.instances import Instance
    from gis.planning.siting.searching import Search

STEPS = 60
"""Steps of the ascent in a node; its multipliers start from its parent's."""
FIRST_STEP = 0.3


class Node(NamedTuple):
    """A part of all plans: some candidates open, some closed, by their numbers in the root."""

    bound: float
    number: int
    """Decides between equal bounds, so that the order is the same on every run."""
    opened: Integers
    closed: Integers
    u: Floats


def fixed_by(saving: Floats, bound: float, target: float, p: int) -> tuple[Integers, Integers]:
    """Return the candidates that every better plan opens, and those that none does.

    Opening a candidate costs what it saves less than the p-th best; closing one, what the next best saves less.
    """
    order = np.argsort(saving, kind="stable")
    inside, outside = order[:p], order[p:]
    if not len(outside) or not p:
        none = np.zeros(0, np.int64)
        return none, none
    opened = inside[bound + saving[outside[0]] - saving[inside] >= target]
    closed = outside[bound + saving[outside] - saving[inside[-1]] >= target]
    return opened, closed


def reduced(search: Search, ascent: lagrangian.Ascent) -> tuple[Integers, Integers]:
    """Return what the ascent fixes in the search's instance."""
    instance = search.instance
    return fixed_by(ascent.saving, float(ascent.state[0]), instance.target(search.best), instance.p)


@dataclass
class Branching:
    """Branch and bound over one instance, the part with the lowest bound first."""

    search: Search
    root: Instance
    """The search's instance without what is fixed for good."""
    scale: Floats
    numbers: count[int] = field(default_factory=count)
    nodes: int = 0

    @property
    def target(self) -> float:
        """The bound at which a part holds nothing better than the best plan."""
        return self.root.target(self.search.best)

    def run(self, bound: float, u: Floats, nodes: int) -> float:
        """Return the bound after so many nodes, or when time is over; the best plan's cost once that is proven."""
        none = np.zeros(0, np.int64)
        heap = [Node(bound, next(self.numbers), none, none, u)]
        while heap:
            node = heapq.heappop(heap)
            if node.bound >= self.target:
                break
            if self.nodes >= nodes or self.search.clock.over():
                return node.bound
            self.nodes += 1
            self.search.rise(node.bound)
            for child in self.split(node):
                heapq.heappush(heap, child)
        return self.search.best

    def split(self, node: Node) -> list[Node]:
        """Bound a node, and return its two halves unless it holds nothing better."""
        part = self.root.restrict(node.opened, node.closed)
        if part is None:
            return []
        if part.p in {0, part.many}:
            self.consider(part, np.arange(part.p))
            return []
        ascent = lagrangian.start(np.minimum(node.u, part.rows.beyond), self.scale, part.many, FIRST_STEP)
        marked = np.zeros(part.many, np.int8)
        bound = lagrangian.ascend(part.rows, part.p, self.search.best * (1 + 1e-4), STEPS, ascent, marked)
        self.consider(part, np.flatnonzero(marked))
        bound = max(node.bound, bound)
        if bound >= self.target:
            return []
        return self.halves(node, part, ascent, bound)

    def consider(self, part: Instance, chosen: Integers) -> None:
        """Remember a part's plan if it is better than the best and no two sites are too close."""
        clashes = part.clashes
        if not len(clashes.site) or len(interchange.apart(chosen, clashes, part.p)) == part.p:
            self.search.consider_sites(part.outside(chosen))

    def halves(self, node: Node, part: Instance, ascent: lagrangian.Ascent, bound: float) -> list[Node]:
        """Fix what the bound fixes, and open or close the candidate that the ascent was least decided about."""
        opened, closed = fixed_by(ascent.saving, float(ascent.state[0]), self.target, part.p)
        undecided = np.abs(ascent.often - 0.5)
        undecided[opened] = undecided[closed] = np.inf
        at = np.searchsorted(self.root.ids, part.ids)
        pick = np.argmin(undecided)
        opened = np.concatenate([node.opened, at[opened]])
        closed = np.concatenate([node.closed, at[closed]])
        if np.isinf(undecided[pick]):
            return [Node(bound, next(self.numbers), opened, closed, ascent.best_u)]
        branch = at[pick : pick + 1]
        return [
            Node(bound, next(self.numbers), np.concatenate([opened, branch]), closed, ascent.best_u),
            Node(bound, next(self.numbers), opened, np.concatenate([closed, branch]), ascent.best_u),
        ]


def prove(search: Search, ascent: lagrangian.Ascent, nodes: int) -> float:
    """Return the bound of a search's instance after so many nodes; what its best plan costs once that is proven."""
    bound = float(ascent.state[0])
    if bound >= search.instance.target(search.best):
        return search.best
    root = search.instance.restrict(*reduced(search, ascent))
    if root is None:
        return search.best
    return Branching(search, root, ascent.scale).run(bound, ascent.best_u, nodes)
