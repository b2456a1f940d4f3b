"""Costs as they come in, checked here, once; and from a plan back to who goes where."""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import index
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from gis.planning.siting.compiled import Floats, Integers

FULL = 5_000_000
"""Matrices with no more pairs than this are listed whole; of larger ones every demand lists its nearest candidates."""
AT_ONCE = 2_000_000
"""Pairs of a dense matrix looked at at a time, so that no second copy of it is ever made."""


@dataclass(frozen=True)
class Costs:
    """Who reaches what at which cost, checked."""

    matrix: Any
    """(n_demand, n_candidate): dense, where infinity is out of reach, or sparse, where what is absent is."""
    weights: Floats
    """(n_demand,): multiply the cost."""
    limit: float = np.inf
    """What costs more than this, unweighted, is out of reach."""

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of demands and candidates."""
        return self.matrix.shape[0], self.matrix.shape[1]

    def some(self, demand: Integers) -> "Costs":
        """Return the table of some of the demand."""
        return Costs(self.matrix[demand], self.weights[demand], self.limit)

    def block(self, first: int, last: int, sites: Integers | None = None) -> NDArray[np.float64]:
        """Return some rows of a dense matrix, of some sites, with infinity for what is out of reach."""
        part = self.matrix[first:last] if sites is None else self.matrix[first:last][:, sites]
        rows = np.array(part, dtype=np.float64)
        rows[rows > self.limit] = np.inf
        return rows

    def spans(self) -> list[tuple[int, int]]:
        """Return first and last of spans of rows, none of them too large to copy."""
        n, m = self.shape
        height = max(1, AT_ONCE // m)
        return [(first, min(n, first + height)) for first in range(0, n, height)]

    def reached(self, allowed: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Tell which demand any allowed candidate reaches, and which within the limit."""
        n = self.shape[0]
        if sparse.issparse(self.matrix):
            row = np.repeat(np.arange(n), np.diff(self.matrix.indptr))
            there = allowed[self.matrix.indices] & np.isfinite(self.matrix.data)
            within = there & (self.matrix.data <= self.limit)
            return np.bincount(row[there], minlength=n) > 0, np.bincount(row[within], minlength=n) > 0
        least = np.concatenate([self.matrix[first:last][:, allowed].min(axis=1) for first, last in self.spans()])
        return np.isfinite(least), np.isfinite(least) & (least <= self.limit)

    def assign(self, sites: Integers) -> tuple[Integers, Floats]:
        """Return everybody's nearest site, -1 where none is in reach, and what it costs, unweighted."""
        if sparse.issparse(self.matrix):
            matrix = self.matrix[:, sites]
            cost = np.where(np.isfinite(matrix.data) & (matrix.data <= self.limit), matrix.data, np.inf)
            least, at = _least(matrix.indptr, cost)
            nearest = np.full(self.shape[0], -1, np.int64)
            there = np.isfinite(least)
            nearest[there] = sites[matrix.indices[at[there]]]
            return nearest, least
        parts = [self.block(first, last, sites) for first, last in self.spans()]
        at = np.concatenate([part.argmin(axis=1) for part in parts])
        least = np.concatenate([part.min(axis=1) for part in parts])
        return np.where(np.isfinite(least), sites[at], -1), least


def _least(start: Integers, cost: Floats) -> tuple[Floats, Integers]:
    """Return the least cost of every row of a sparse matrix, and its place; infinity and 0 of an empty row."""
    full = np.flatnonzero(np.diff(start))
    least = np.full(len(start) - 1, np.inf)
    at = np.zeros(len(start) - 1, np.int64)
    if len(full):
        least[full] = np.minimum.reduceat(cost, start[full])
        row = np.repeat(np.arange(len(start) - 1), np.diff(start))
        hit = np.flatnonzero(cost == least[row])
        at[row[hit][::-1]] = hit[::-1]  # the first of equals
    return least, at


def read(cost: object, weights: ArrayLike | None = None, limit: float | None = None) -> Costs:
    """Check costs and weights.

    Raises:
        ValueError: ``cost`` is not a matrix with demand and candidates, or holds NaN or negative numbers; ``weights``
            have another shape or are negative or not finite; ``limit`` is negative or NaN.
    """
    matrix = _read_matrix(cost)
    if limit is not None and not limit >= 0:
        message = f"max_cost must be 0 or more, not {limit}"
        raise ValueError(message)
    weights = read_amounts("weights", weights, matrix.shape[0])
    return Costs(matrix, weights, np.inf if limit is None else float(limit))


def _read_matrix(cost: object) -> Any:  # noqa: ANN401 - an array, or a sparse one: scipy has no types
    """Return a dense array or a sparse matrix by rows, whose numbers were looked through."""
    if sparse.issparse(cost):
        matrix = sparse.csr_array(cost)
        if not matrix.has_canonical_format:
            matrix = matrix.copy()  # the caller's own is left as it is
            matrix.sum_duplicates()
        numbers = matrix.data[:, None]
    else:
        matrix = numbers = np.asarray(cost)
    if matrix.ndim != 2 or not matrix.shape[0] or not matrix.shape[1]:  # noqa: PLR2004 - a matrix has two sides
        message = f"a matrix of demand by candidates is needed, not an array of shape {matrix.shape}"
        raise ValueError(message)
    if numbers.dtype.kind not in "biuf":
        message = f"the matrix must hold real numbers, not {numbers.dtype}"
        raise ValueError(message)
    height = max(1, AT_ONCE // max(1, numbers.shape[1]))
    for first in range(0, len(numbers), height):
        part = numbers[first : first + height]
        if np.isnan(part).any() or (part < 0).any():
            message = "the matrix holds NaN or negative numbers; write infinity for what is out of reach"
            raise ValueError(message)
    return matrix


def read_amounts(name: str, amounts: ArrayLike | None, many: int) -> Floats:
    """Return weights, demand or capacities: one for each, 1 where none are given.

    Raises:
        ValueError: not so many, or one is negative or not finite.
    """
    if amounts is None:
        return np.ones(many)
    read = np.array(amounts, dtype=np.float64)
    if read.shape != (many,):
        message = f"{name} must be {many} numbers, not an array of shape {read.shape}"
        raise ValueError(message)
    if not np.isfinite(read).all() or (read < 0).any():
        message = f"{name} must be finite and 0 or more"
        raise ValueError(message)
    return read


def read_sites(name: str, sites: Iterable[SupportsIndex], candidates: int) -> Integers:
    """Return the numbers of candidates, sorted.

    Raises:
        ValueError: one is no whole number or no candidate, or comes twice.
    """
    try:
        read = np.array(sorted(index(site) for site in sites), dtype=np.int64)
    except TypeError as error:
        message = f"{name} must be whole numbers of candidates"
        raise ValueError(message) from error
    if len(read) and (read[0] < 0 or read[-1] >= candidates):
        message = f"{name} names candidates that do not exist: there are 0 to {candidates - 1}"
        raise ValueError(message)
    if len(np.unique(read)) < len(read):
        message = f"{name} names a candidate twice"
        raise ValueError(message)
    return read


@dataclass(frozen=True)
class Choice:
    """How many sites, which of them stand already, and which candidates are out of the question."""

    p: int
    fixed: Integers
    forbidden: Integers


def read_choice(
    p: SupportsIndex | None, fixed: Iterable[SupportsIndex], forbidden: Iterable[SupportsIndex], candidates: int
) -> Choice:
    """Check how many sites are wanted, and which; ``p`` None leaves the number open.

    Raises:
        ValueError: they contradict each other or the number of candidates.
    """
    open_already = read_sites("fixed", fixed, candidates)
    out = read_sites("forbidden", forbidden, candidates)
    both = np.intersect1d(open_already, out)
    if len(both):
        message = f"candidate {both[0]} is both fixed and forbidden"
        raise ValueError(message)
    wanted = len(open_already) if p is None else read_p(p)
    if wanted < len(open_already):
        message = f"{len(open_already)} sites are fixed, more than p = {wanted}"
        raise ValueError(message)
    if wanted > candidates - len(out):
        message = f"p = {wanted} is more than the {candidates - len(out)} candidates that are not forbidden"
        raise ValueError(message)
    return Choice(wanted, open_already, out)


def read_p(p: SupportsIndex) -> int:
    """Return the number of sites.

    Raises:
        ValueError: it is no whole number, or none.
    """
    try:
        wanted = index(p)
    except TypeError as error:
        message = f"p must be a whole number, not {p!r}"
        raise ValueError(message) from error
    if isinstance(p, bool) or wanted < 1:
        message = f"p must be 1 or more, not {p}"
        raise ValueError(message)
    return wanted


def read_limit(time_limit_s: float) -> float:
    """Return the time limit.

    Raises:
        ValueError: it is not above 0.
    """
    if not time_limit_s > 0:
        message = f"time_limit_s must be above 0, not {time_limit_s}"
        raise ValueError(message)
    return float(time_limit_s)
