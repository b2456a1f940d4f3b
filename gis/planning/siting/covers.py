"""Who covers whom, made as small as it can be without losing the best answer.

Demand with the same candidates is one; a candidate that covers no more than another, and, where all demand must be
covered, a demand whose candidates include all of another's, say nothing that is not said already.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import types
from scipy import sparse

from gis.planning.siting.compiled import FLAGS, INTEGERS, SITES, Flags, Integers, Sites, kernel

WORK = 2_000_000_000
"""Comparisons after which looking for dominance is given up: what is left is only larger, not wrong."""


class Lists(NamedTuple):
    """A matrix of zeros and ones, row by row, each row's columns rising."""

    start: Integers
    member: Sites


LISTS = types.NamedTuple((INTEGERS, SITES), Lists)


def lists_of(matrix: Any) -> Lists:  # noqa: ANN401 - a sparse matrix: scipy has no types
    """Return the rows of a sparse matrix in canonical form."""
    return Lists(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32))


@kernel(types.int64(LISTS, LISTS, types.int64))
def rarest(rows: Lists, columns: Lists, a: int) -> int:
    """Return the member of a row that the fewest rows have."""
    found = np.int64(rows.member[rows.start[a]])
    for k in range(rows.start[a], rows.start[a + 1]):
        c = rows.member[k]
        if columns.start[c + 1] - columns.start[c] < columns.start[found + 1] - columns.start[found]:
            found = np.int64(c)
    return int(found)


@kernel(types.Tuple((types.boolean, types.int64))(LISTS, LISTS, FLAGS, types.int64, FLAGS))
def within_another(rows: Lists, columns: Lists, marked: Flags, a: int, member: Flags) -> tuple[bool, int]:
    """Tell whether a row, whose members are marked in ``member``, is part of another; and how much was compared."""
    size = rows.start[a + 1] - rows.start[a]
    c = rarest(rows, columns, a)
    work = 0
    for k in range(columns.start[c], columns.start[c + 1]):
        b = columns.member[k]
        other = rows.start[b + 1] - rows.start[b]
        if b == a or marked[b] == 1 or other < size or (other == size and b > a):
            continue
        work += other
        shared = 0
        for q in range(rows.start[b], rows.start[b + 1]):
            shared += member[rows.member[q]]
        if shared == size:
            return True, work
    return False, work


@kernel(FLAGS(LISTS, LISTS, types.int64))
def dominated(rows: Lists, columns: Lists, work: int) -> Flags:
    """Mark the rows whose members all belong to another row, and of equal rows all but the first.

    Args:
        rows: the matrix by rows.
        columns: the same by columns.
        work: comparisons to spend.
    """
    n = len(rows.start) - 1
    marked = np.zeros(n, np.int8)
    member = np.zeros(len(columns.start) - 1, np.int8)
    for a in range(n):
        if rows.start[a + 1] == rows.start[a]:
            marked[a] = 1
            continue
        member[rows.member[rows.start[a] : rows.start[a + 1]]] = 1
        inside, done = within_another(rows, columns, marked, a, member)
        member[rows.member[rows.start[a] : rows.start[a + 1]]] = 0
        marked[a] = inside
        work -= done
        if work < 0:
            break
    return marked


@kernel(FLAGS(LISTS, LISTS, types.int64))
def implied(rows: Lists, columns: Lists, work: int) -> Flags:
    """Mark the rows that have all members of another row among theirs; of equal rows, all but the first."""
    n = len(rows.start) - 1
    marked = np.zeros(n, np.int8)
    shared = np.zeros(n, np.int64)
    for a in range(n):
        size = rows.start[a + 1] - rows.start[a]
        if marked[a] == 1 or size == 0:
            continue
        for k in range(rows.start[a], rows.start[a + 1]):
            c = rows.member[k]
            for q in range(columns.start[c], columns.start[c + 1]):
                shared[columns.member[q]] += 1
            work -= columns.start[c + 1] - columns.start[c]
        for k in range(rows.start[a], rows.start[a + 1]):
            c = rows.member[k]
            for q in range(columns.start[c], columns.start[c + 1]):
                b = columns.member[q]
                if shared[b] == size and b != a:
                    marked[b] = 1
                shared[b] = 0
        if work < 0:
            break
    return marked


def merged(matrix: Any) -> tuple[Any, Integers]:  # noqa: ANN401
    """Return the different rows of a sparse matrix, and for each row of it which of them it is."""
    random = np.random.default_rng(0)
    keys = np.stack([matrix @ random.random(matrix.shape[1]) for _ in range(2)] + [np.diff(matrix.indptr)], axis=1)
    # two random sums of the same members, added in the same order, are the same to the last bit; others' are not
    _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    return matrix[first], group.ravel().astype(np.int64)


class Reduced(NamedTuple):
    """What is left of a set cover to decide."""

    matrix: Any
    candidates: Integers
    """The numbers of its columns before."""
    taken: Integers
    """Candidates that stand alone for some demand: every answer may have them."""


def reduced(matrix: Any) -> Reduced:  # noqa: ANN401
    """Reduce a set cover in which all demand must be covered, until nothing more goes."""
    matrix = merged(sparse.csr_array(matrix))[0]
    candidates = np.arange(matrix.shape[1])
    taken: list[int] = []
    while matrix.shape[0]:
        before = matrix.shape
        columns = sparse.csr_array(matrix.T)
        rows = np.flatnonzero(implied(lists_of(matrix), lists_of(columns), WORK) == 0)
        matrix = matrix[rows]
        columns = sparse.csr_array(matrix.T)
        kept = np.flatnonzero(dominated(lists_of(columns), lists_of(matrix), WORK) == 0)
        matrix, candidates = sparse.csr_array(columns[kept].T), candidates[kept]
        alone = np.unique(matrix.indices[matrix.indptr[:-1][np.diff(matrix.indptr) == 1]])
        taken += candidates[alone].tolist()
        matrix = matrix[matrix[:, alone].sum(axis=1) == 0] if len(alone) else matrix
        if matrix.shape == before:
            break
    return Reduced(matrix, candidates, np.array(sorted(taken), dtype=np.int64))
