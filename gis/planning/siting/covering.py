"""Set cover: as few sites as cover all demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from gis.errors import Infeasible
from gis.planning.siting import costs, listing, milp
from gis.planning.siting.answers import Siting, status_of
from gis.planning.siting.clock import Clock
from gis.planning.siting.covers import reduced

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gis.planning.siting.clock import OnProgress
    from gis.planning.siting.compiled import Integers


def read_covers(covering: object) -> Any:  # noqa: ANN401 - a sparse array: scipy has no types
    """Return who covers whom as a sparse array of ones by rows.

    Raises:
        ValueError: it is no matrix with demand and candidates, or holds NaN or negative numbers.
    """
    matrix = costs.read(covering).matrix
    table = sparse.csr_array(matrix, dtype=np.float64, copy=True)
    table.eliminate_zeros()
    table.sort_indices()
    table.data[:] = 1.0
    return table


def set_cover(
    covers: object,
    *,
    fixed: Iterable[SupportsIndex] = (),
    forbidden: Iterable[SupportsIndex] = (),
    time_limit_s: float = 60,
    seed: int = 0,
    on_progress: OnProgress | None = None,
) -> Siting:
    """Cover all demand with as few sites as can be.

    Args:
        covers: (n_demand, n_candidate), true where a site there covers the demand; an array or a scipy.sparse matrix.
        fixed: candidates that are open already, and count.
        forbidden: candidates that must not be opened.
        time_limit_s: seconds by the clock on the wall.
        seed: the same seed gives the same answer, unless the time limit ends the search.
        on_progress: called now and then with the bound and the objective so far; True calls the search off.

    Raises:
        ValueError: an argument is not as above, or they contradict each other.
        Infeasible: no allowed candidate covers some demand; ``demand`` says which.
    """
    clock = Clock(costs.read_limit(time_limit_s), on_progress)
    table = read_covers(covers)
    choice = costs.read_choice(None, fixed, forbidden, table.shape[1])
    open_to_all = np.setdiff1d(np.arange(table.shape[1]), choice.forbidden)
    left_over = np.flatnonzero(table[:, open_to_all].sum(axis=1) == 0)
    if len(left_over):
        raise Infeasible(why=f"no allowed candidate covers demand {listing.named(left_over)}", demand=left_over)
    free = np.setdiff1d(open_to_all, choice.fixed)
    uncovered = np.flatnonzero(table[:, choice.fixed].sum(axis=1) == 0)
    chosen, bound = fewest(table[uncovered][:, free], clock, seed)
    sites = np.sort(np.concatenate([choice.fixed, free[chosen]]))
    return answer(table, sites, float(len(sites)), len(choice.fixed) + bound, clock)


def answer(table: Any, sites: Integers, objective: float, bound: float, clock: Clock) -> Siting:  # noqa: ANN401
    """Return a cover with everybody at the first site that covers them."""
    part = table[:, sites].tocsr()
    served = np.diff(part.indptr) > 0
    assignment = np.full(table.shape[0], -1, np.int64)
    assignment[served] = sites[np.minimum.reduceat(part.indices, part.indptr[:-1][served])] if served.any() else -1
    clock.end(bound, objective)
    return Siting(
        sites=sites.tolist(),
        assignment=assignment,
        shares=None,
        unserved=np.flatnonzero(~served).tolist(),
        objective=objective,
        bound=bound,
        status=status_of(clock, proven=bound == objective),
        seconds=clock.seconds,
    )


def fewest(table: Any, clock: Clock, seed: int) -> tuple[Integers, float]:  # noqa: ANN401
    """Return columns that cover all rows, as few as were found, and a bound on how few there can be."""
    part = reduced(table)
    pieces = [(part.matrix[rows][:, columns], columns) for rows, columns in _components(part.matrix)]
    covers = [greedy_cover(piece, seed) for piece, _ in pieces]
    bounds = [1.0] * len(pieces)
    for k, (piece, _) in enumerate(pieces):
        taken = len(part.taken) + sum(map(len, covers)) - len(covers[k])
        least = len(part.taken) + sum(bounds) - bounds[k]
        clock.tell(least + bounds[k], taken + len(covers[k]))
        covers[k], bounds[k] = _fewest_of(piece, covers[k], clock, (least, taken))
    chosen = [part.candidates[columns[found]] for (_, columns), found in zip(pieces, covers, strict=True)]
    return np.concatenate([part.taken, *chosen]), len(part.taken) + sum(bounds)


def _components(matrix: Any) -> list[tuple[Integers, Integers]]:  # noqa: ANN401
    """Return rows and columns of the parts of a matrix that have nothing to do with each other."""
    n = matrix.shape[0]
    if not n:
        return []
    graph = sparse.block_array([[None, matrix], [matrix.T, None]])
    many, label = csgraph.connected_components(graph, directed=False)
    parts = [(np.flatnonzero(label[:n] == part), np.flatnonzero(label[n:] == part)) for part in range(many)]
    return [(rows, columns) for rows, columns in parts if len(rows)]


def _fewest_of(matrix: Any, greedy: Integers, clock: Clock, others: tuple[float, int]) -> tuple[Integers, float]:  # noqa: ANN401
    """Cover one part by HiGHS, from a greedy cover on; ``others`` is the bound and the sites of all other parts."""
    n, m = matrix.shape
    start = np.zeros(m)
    start[greedy] = 1

    def heard(bound: float, objective: float) -> None:
        clock.tell(others[0] + max(1.0, np.ceil(bound - 1e-6)), others[1] + min(objective, len(greedy)))

    programme = milp.Programme(np.ones(m), matrix, np.ones(n), np.full(n, np.inf), np.ones(m), np.ones(m, bool))
    solved = milp.solve(programme, clock, start, heard=heard)
    found = greedy if solved.x is None else np.flatnonzero(solved.x > 0.5)  # noqa: PLR2004
    found = found if len(found) < len(greedy) else greedy
    return found, float(len(found)) if solved.proven else max(1.0, np.ceil(solved.bound - 1e-6))


def greedy_cover(matrix: Any, seed: int) -> Integers:  # noqa: ANN401
    """Return columns that cover all rows: the one that covers most of what is left, then without the superfluous."""
    columns = sparse.csc_array(matrix)
    order = np.random.default_rng(seed).permutation(matrix.shape[1])
    gain = np.diff(columns.indptr).astype(np.int64)
    by_row, covered = sparse.csr_array(matrix), np.zeros(matrix.shape[0], np.int64)
    chosen: list[int] = []
    while (covered == 0).any():
        best = int(order[np.argmax(gain[order])])
        rows = columns.indices[columns.indptr[best] : columns.indptr[best + 1]]
        fresh = rows[covered[rows] == 0]
        covered[rows] += 1
        chosen.append(best)
        touched = by_row[fresh].indices
        gain -= np.bincount(touched, minlength=len(gain))
    for j in list(chosen):
        rows = columns.indices[columns.indptr[j] : columns.indptr[j + 1]]
        if (covered[rows] > 1).all():
            covered[rows] -= 1
            chosen.remove(j)
    return np.array(chosen, dtype=np.int64)


def filled(sites: Integers, choice: costs.Choice, candidates: int) -> Integers:
    """Return p sites: where fewer cover all there is to cover, the first others join them."""
    others = np.setdiff1d(np.arange(candidates), np.concatenate([sites, choice.forbidden]))
    return np.sort(np.concatenate([sites, others[: choice.p - len(sites)]]))
