"""Sites that may not stand close to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray


def too_close(separation: object, least: float | None, candidates: int) -> NDArray[np.int64]:
    """Return the pairs of candidates that stand nearer to each other than ``least``; no pair where neither is given.

    Args:
        separation: (n_candidate, n_candidate), dense, or sparse where what is absent is far. A pair whose two entries
            differ is as close as the smaller says.
        least: distance that open sites keep.
        candidates: how many there are.

    Raises:
        ValueError: only one of the two is given, or one is no distance.
    """
    if separation is None and least is None:
        return np.zeros((0, 2), np.int64)
    if separation is None or least is None:
        message = "separation and min_separation are given together or not at all"
        raise ValueError(message)
    if not least >= 0:
        message = f"min_separation must be 0 or more, not {least}"
        raise ValueError(message)
    table: Any = sparse.coo_array(separation) if sparse.issparse(separation) else np.asarray(separation)
    if table.shape != (candidates, candidates) or table.dtype.kind not in "biuf":
        message = f"separation must be {candidates} × {candidates} numbers, not {table.dtype} of shape {table.shape}"
        raise ValueError(message)
    numbers = table.data if sparse.issparse(table) else table
    if np.isnan(numbers).any() or (numbers < 0).any():
        message = "separation holds NaN or negative numbers"
        raise ValueError(message)
    near = np.nonzero(numbers < least)
    pairs = np.stack([part[near[0]] for part in table.coords] if sparse.issparse(table) else near, axis=1)
    pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
    return np.unique(pairs, axis=0).astype(np.int64).reshape(-1, 2)
