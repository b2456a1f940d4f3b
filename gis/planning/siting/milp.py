"""Small mixed-integer programmes for HiGHS, in one thread and with one seed, so that they end the same on every run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gis.planning.siting.clock import Clock
    from gis.planning.siting.compiled import Floats

LEAST_S = 0.05
Heard = Callable[[float, float], None]


class Watch:
    """Looks at the clock while HiGHS works, and passes on what it found so far."""

    def __init__(self, clock: Clock, heard: Heard | None) -> None:
        """Begin to watch."""
        self.clock, self.heard = clock, heard
        self.failed: BaseException | None = None

    def look(self, kind: int, _message: str, told: Any, answer: Any, _: object) -> None:  # noqa: ANN401 - no types
        """Interrupt the solver when time is over; what a listener raises waits until the solver has ended."""
        try:
            if self.heard and kind == int(highspy.cb.kCallbackMipInterrupt):
                self.heard(float(told.mip_dual_bound), float(told.mip_primal_bound))
            answer.user_interrupt = self.clock.over()
        except BaseException as error:  # noqa: BLE001 - HiGHS is C++: nothing may fly through it
            self.failed = error
            answer.user_interrupt = True


@dataclass(frozen=True)
class Programme:
    """Minimise ``objective @ x`` with ``lower ≤ rows @ x ≤ upper`` and ``0 ≤ x ≤ limit``."""

    objective: Floats
    rows: sparse.csr_array
    lower: Floats
    upper: Floats
    limit: Floats
    whole: NDArray[np.bool_]
    """Which of x are whole numbers."""


@dataclass(frozen=True)
class Solved:
    """What HiGHS found."""

    x: Floats | None
    """None where nothing was found."""
    bound: float
    """No x costs less; infinite where there is none at all."""
    proven: bool
    """``x`` is the best, or there is none."""


def stacked(*parts: tuple[sparse.sparray, float | Floats, float | Floats]) -> tuple[sparse.csr_array, Floats, Floats]:
    """Return rows, lower and upper limits of several groups of rows, one below the other."""
    lower = [np.broadcast_to(np.asarray(low, dtype=np.float64), rows.shape[0]) for rows, low, _ in parts]
    upper = [np.broadcast_to(np.asarray(up, dtype=np.float64), rows.shape[0]) for rows, _, up in parts]
    rows = sparse.vstack([rows for rows, _, _ in parts], format="csr")
    return rows, np.concatenate(lower), np.concatenate(upper)


def solve(
    programme: Programme,
    clock: Clock,
    start: Floats | None = None,
    gap: float = 0.0,
    stop: float = -np.inf,
    heard: Heard | None = None,
    limit_s: float = np.inf,
) -> Solved:
    """Solve until the clock runs out, the gap, as a share, is no larger, or a plan costs no more than ``stop``.

    ``limit_s`` may cut the time further; ``start`` is a plan to begin from; ``heard`` is called with the bound and the
    best so far before the clock is asked.
    """
    # highspy.Highs adds callbacks, and with them a banner on the standard output of every program that plans
    solver = highspy.highs._Highs()  # noqa: SLF001
    for name, setting in {
        "output_flag": False,
        "threads": 1,
        "random_seed": 0,
        "mip_rel_gap": gap,
        "objective_target": stop,
        "mip_abs_gap": 1e-9 if gap == 0 else 1e-6,
        "time_limit": max(LEAST_S, min(limit_s, clock.left_s)),
    }.items():
        solver.setOptionValue(name, setting)
    solver.passModel(_model(programme))
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = start.tolist()
        solver.setSolution(solution)
    watch = Watch(clock, heard)
    solver.setCallback(watch.look, None)
    for kind in (highspy.cb.kCallbackMipInterrupt, highspy.cb.kCallbackSimplexInterrupt):
        solver.startCallback(kind)
    solver.run()
    if watch.failed:
        raise watch.failed
    return _read(solver, whole=bool(programme.whole.any()))


def _model(programme: Programme) -> highspy.HighsLp:
    """Return the programme as HiGHS wants it."""
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = programme.rows.shape
    model.col_cost_ = programme.objective
    model.col_lower_ = np.zeros(len(programme.objective))
    model.col_upper_ = programme.limit
    model.row_lower_, model.row_upper_ = programme.lower, programme.upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = programme.rows.indptr.astype(np.int32)
    model.a_matrix_.index_ = programme.rows.indices.astype(np.int32)
    model.a_matrix_.value_ = programme.rows.data.astype(np.float64)
    if programme.whole.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        model.integrality_ = [kinds[whole] for whole in programme.whole.astype(int)]
    return model


def _read(solver: highspy.Highs, *, whole: bool) -> Solved:
    """Return what the solver found and proved."""
    status = solver.getModelStatus()
    if status in {highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible}:
        return Solved(None, np.inf, proven=True)
    facts = solver.getInfo()
    proven = status == highspy.HighsModelStatus.kOptimal
    found = facts.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    x = np.array(solver.getSolution().col_value) if found else None
    if whole:
        return Solved(x, float(facts.mip_dual_bound), proven=proven)
    return Solved(x, float(facts.objective_function_value) if proven else -np.inf, proven=proven)
