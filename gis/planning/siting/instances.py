"""What is left to decide of a p-median: the table of the candidates still free, and how many of them to open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from gis.planning.siting import interchange, listing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from gis.planning.siting.compiled import Columns, Floats, Integers, Rows


WHOLE = 1e9
"""Sums of whole costs above this are bounded like broken ones: rounding would blur the last one."""


def is_whole(amounts: Floats) -> bool:
    """Tell whether all are whole numbers."""
    return bool(np.all(amounts == np.rint(amounts)))


@dataclass(frozen=True)
class Instance:
    """A p-median over free candidates. Those open already have left the table: they are what lies ``beyond``."""

    rows: Rows
    p: int
    """How many of the free candidates to open."""
    ids: Integers
    """The number that a free candidate has outside."""
    opened: Integers
    """The outside numbers of those open already, sorted."""
    close: NDArray[np.int64]
    """(pairs, 2): outside numbers of candidates too near to each other to be open both."""
    whole: bool
    """All costs are whole numbers, and so are the plans'."""
    hard: float
    """A plan that costs so much leaves somebody unserved; infinite where the lists were cut."""

    @property
    def many(self) -> int:
        """How many candidates are free."""
        return len(self.ids)

    @cached_property
    def columns(self) -> Columns:
        """The table by candidate."""
        return listing.columns_of(self.rows, self.many)

    @cached_property
    def clashes(self) -> interchange.Clashes:
        """The free candidates too near to each other, by their numbers in the table."""
        place = np.full(max(self.ids.max(initial=-1), self.close.max(initial=-1)) + 1, -1, np.int64)
        place[self.ids] = np.arange(self.many)
        pairs = place[self.close].reshape(-1, 2)
        pairs = pairs[(pairs >= 0).all(axis=1)]
        both = np.concatenate([pairs, pairs[:, ::-1]])
        table = sparse.csr_array((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(self.many, self.many))
        return interchange.Clashes(table.indptr.astype(np.int64), table.indices.astype(np.int32))

    def with_p(self, p: int) -> Instance:
        """Return the same question about another number of sites."""
        other = replace(self, p=p)
        vars(other).update(columns=self.columns, clashes=self.clashes)  # they say nothing of p: not counted anew
        return other

    def outside(self, chosen: Iterable[int]) -> Integers:
        """Return the outside numbers of all sites of a plan, sorted."""
        places = np.fromiter(chosen, np.int64)
        return np.sort(np.concatenate([self.opened, self.ids[places]]))

    def restrict(self, opened: Integers, closed: Integers) -> Instance | None:
        """Return what is left after opening and closing candidates of the table; None where that leaves no plan."""
        fate = np.zeros(self.many, np.int8)
        fate[closed] = -1
        for j in opened:
            fate[self.clashes.site[self.clashes.start[j] : self.clashes.start[j + 1]]] = -1
        if (fate[opened] == -1).any():
            return None
        fate[opened] = 1
        free = np.flatnonzero(fate == 0)
        p = self.p - len(opened)
        if p < 0 or p > len(free):
            return None
        renamed = np.full(self.many, -1, np.int32)
        renamed[free] = np.arange(len(free), dtype=np.int32)
        rows = listing.restricted(self.rows, fate, renamed)
        return Instance(rows, p, self.ids[free], self.outside(opened), self.close, self.whole, self.hard)

    def value(self, chosen: Integers) -> float:
        """Return what a plan costs, by the table; demand beyond its list counts as ``beyond``."""
        return float(interchange.value(self.rows, chosen, self.many))

    def table(self) -> sparse.csr_array:
        """Return which candidates each demand lists."""
        rows = self.rows
        ones = np.ones(len(rows.site))
        return sparse.csr_array((ones, rows.site, rows.start), shape=(len(rows.beyond), self.many))

    def left_over(self, chosen: Integers) -> Integers:
        """Return the demand that a plan does not serve."""
        near, _ = interchange.two_costs(self.rows, chosen, self.many)
        return np.flatnonzero(near >= self.hard)

    def target(self, best: float) -> float:
        """Return the bound at which nothing better than ``best`` can be left."""
        return best - 1 + 1e-6 if self.whole else best - 1e-9 * abs(best)
