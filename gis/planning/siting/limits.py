"""A question about sites that take only so much, and a plan that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gis.planning.siting import allotting, knapsacks

if TYPE_CHECKING:
    from scipy import sparse

    from gis.planning.siting.compiled import Floats, Integers
    from gis.planning.siting.instances import Instance


@dataclass(frozen=True)
class Limited:
    """A question with capacities; fixed sites are in the table, forbidden ones are not."""

    instance: Instance
    """The table, p with the fixed ones, and which candidates are too close to each other."""
    loads: knapsacks.Loads
    leaving: Floats
    """(n_demand,): the price of leaving a demand out; more than any plan costs where all must be served."""
    optional: bool
    """Whether demand may be left out for its price."""
    divisible: bool
    complete: bool
    """Whether the lists hold every pair."""

    @cached_property
    def demand(self) -> Integers:
        """(n_places,): whose list a place stands in."""
        rows = self.instance.rows
        return np.repeat(np.arange(len(rows.beyond)), np.diff(rows.start))

    def target(self, best: float) -> float:
        """Return the bound at which nothing better can be left."""
        if np.isinf(best):
            return best
        return best - 1e-9 * abs(best) if self.divisible else self.instance.target(best)

    def empty(self) -> allotting.Allotment:
        """Return room for a plan."""
        n, p = len(self.leaving), self.instance.p
        return allotting.Allotment(np.zeros(p, np.int64), np.zeros((p + 1, n)), np.zeros(n, np.int64), np.zeros(p + 1))


@dataclass(frozen=True)
class Allotted:
    """A plan: open sites by their numbers in the table, and how much of whom goes where."""

    sites: Integers
    shares: sparse.csr_array
    """(n_demand, n_candidate of the table)."""
    cost: float
    whole: bool
    """Everybody who must be is served."""


def asked_of(
    instance: Instance,
    need: Floats,
    room: Floats,
    fixed: Integers,
    leaving: Floats,
    *,
    optional: bool,
    divisible: bool,
    complete: bool,
) -> Limited:
    """Return a question; ``instance`` lists everything allowed, the fixed among it."""
    must = np.isin(instance.ids, fixed).astype(np.int8)
    loads = knapsacks.Loads(np.ascontiguousarray(need), np.ascontiguousarray(room[instance.ids]), must)
    return Limited(instance, loads, np.ascontiguousarray(leaving), optional, divisible, complete)
