"""What a question about sites is answered with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from scipy import sparse

    from gis.planning.siting.clock import Clock
    from gis.planning.siting.compiled import Integers

Status = Literal["optimal", "feasible", "time_limit"]


@dataclass(frozen=True)
class Siting:
    """Sites, who goes to which, and how far this is from the best possible."""

    sites: list[int]
    """Candidates to open, sorted, those that stand already among them."""
    assignment: Integers
    """(n_demand,): the candidate that serves each demand, -1 where none does."""
    shares: sparse.csr_array | None
    """(n_demand, n_candidate): the share of each demand that each site takes, where demand may be divided."""
    unserved: list[int]
    """Demand that no site serves, sorted."""
    objective: float
    """What the plan costs or covers, counted anew from the matrix that was given; infinite where a time limit ended the
    search before everybody was served."""
    bound: float
    """No plan costs less (p-median, p-center, set cover), or covers more (maximal cover)."""
    status: Status
    """``optimal``: proven. ``feasible``: the search ended without a proof. ``time_limit``: the time ended it."""
    seconds: float
    """By the clock on the wall."""

    @property
    def gap(self) -> float:
        """How far the objective may be from the best, as a share of the larger of objective and bound; 0 is proven."""
        return gap_of(self.objective, self.bound)


def status_of(clock: Clock, *, proven: bool) -> Status:
    """Return how a search ended: a proof counts, whenever it came."""
    if proven:
        return "optimal"
    return "time_limit" if clock.expired else "feasible"


def gap_of(objective: float, bound: float) -> float:
    """Return the distance of objective and bound as a share of the larger."""
    larger = max(abs(objective), abs(bound))
    if objective == bound or larger == 0:
        return 0.0
    return abs(objective - bound) / larger if np.isfinite(larger) else np.inf
