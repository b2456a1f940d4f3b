"""Whether any plan serves everybody, where searching found none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from gis.planning.siting import milp

if TYPE_CHECKING:
    from gis.planning.siting.clock import Clock
    from gis.planning.siting.compiled import Integers
    from gis.planning.siting.instances import Instance


def serving(instance: Instance, clock: Clock) -> tuple[Integers | None, bool]:
    """Return a plan of p candidates that serves all and keeps them apart, and whether that answer is final.

    None and True: there is no such plan. None and False: the time was not enough to tell.
    """
    m = instance.many
    if not instance.p:
        return (None if (instance.rows.beyond >= instance.hard).any() else np.zeros(0, np.int64)), True
    rows, lower, upper = milp.stacked(
        (covering(instance), 1.0, np.inf),
        (sparse.csr_array(np.ones((1, m))), instance.p, instance.p),
        (clashing(instance), 0.0, 1.0),
    )
    solved = milp.solve(milp.Programme(np.zeros(m), rows, lower, upper, np.ones(m), np.ones(m, bool)), clock)
    if solved.x is None:
        return None, solved.proven
    return np.flatnonzero(solved.x > 0.5), True  # noqa: PLR2004


def covering(instance: Instance) -> sparse.csr_array:
    """Return which candidates serve each demand that must be served and is not yet."""
    return instance.table()[instance.rows.beyond >= instance.hard]


def clashing(instance: Instance) -> sparse.csr_array:
    """Return a row for every two free candidates that stand too close."""
    clashes = instance.clashes
    one = np.repeat(np.arange(instance.many), np.diff(clashes.start))
    pairs = np.stack([one, clashes.site], axis=1)[one < clashes.site]
    each = np.repeat(np.arange(len(pairs)), 2)
    return sparse.csr_array((np.ones(pairs.size), (each, pairs.ravel())), shape=(len(pairs), instance.many))
