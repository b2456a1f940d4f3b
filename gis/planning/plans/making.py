"""A plan is made: demand, travel times, the solver, and what is worth knowing about its answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from gis.errors import BadArgument, CalledOff, Infeasible, NoRoads
from gis.planning import siting
from gis.planning.plans import candidates, demand, facilities
from gis.planning.plans.candidates import Candidates
from gis.planning.plans.demand import Demand
from gis.planning.plans.questions import Question
from gis.planning.roads import Network, TravelTimes, great_circle, network
from gis.planning.siting import Curve, Explained, Siting

Floats = npt.NDArray[np.float64]
OnProgress = Callable[[float, float], bool | None]
FARTHEST_S: Final = 3 * 3600.0
"""A longer way than this is none."""
CURVE_BEYOND: Final = 3
"""How many more sites the curve looks at than were asked for."""
CURVE_SHARE: Final = 0.25
"""Of the time limit, for the curve."""
SLOWER_AND_FASTER: Final = (0.8, 1.2)
SHAKEN: Final = 8
"""How often the demand is drawn anew, to see whether the same sites come out."""
SPREAD: Final = 0.2
"""Standard deviation of each draw, as a share of a demand."""
MINUTE_S: Final = 60.0


@dataclass(frozen=True)
class Made:
    """A plan with exact figures; nothing of it leaves the program but through ``publishing``."""

    question: Question
    demand: Demand
    candidates: Candidates
    times: TravelTimes
    answer: Siting
    explained: Explained
    curve: Curve | None
    shaken: tuple[float, float] | None
    """With other demand: the largest loss against a plan made for it (a share), and how many sites stayed (a share)."""

    @property
    def least_s(self) -> Floats:
        """(n,): how long everybody takes to the nearest site; infinite beyond three hours."""
        return least(self.times.seconds, self.answer.sites)

    @property
    def limit_s(self) -> float | None:
        """What counts as near; None where the model asks for no such thing."""
        covers = self.question.model in {"max-cover", "set-cover"} and self.question.within_min is not None
        return self.question.within_min * MINUTE_S if covers and self.question.within_min else None


def make(question: Question, on_progress: OnProgress | None = None) -> Made:
    """Answer a planner's question.

    ``on_progress`` hears bound and objective as the solver counts them, and calls it off by returning True. Raises
    NoDemand, NoCandidates, Infeasible, UnknownDivision, BadArgument, and CalledOff.
    """
    heard = _Heard(on_progress)
    people = demand.of(question.kind, question.division)
    known = facilities.standing(question.kind.code, question.division)
    roads = _roads(question)
    places = candidates.of(question, people, known, roads)
    times = (
        great_circle(people.points, places.points, mode=question.mode, limit_s=FARTHEST_S)
        if roads is None
        else roads.travel_times(people.points, places.points, limit_s=FARTHEST_S)
    )
    heard.go_on()
    answer = _solved(question, people, places, times, known.capacities, heard)
    heard.go_on()
    limit_s = question.within_min * MINUTE_S if question.within_min and _covers(question) else None
    explained = siting.explain(
        times.seconds, answer.sites, weights=people.residents, amounts=people.residents, max_cost=limit_s
    )
    return Made(
        question, people, places, times, answer, explained, _curve(question, people, places, times, heard),
        _shaken(question, people, places, times, answer, heard),
    )  # fmt: skip


class _Heard:
    """Passes progress on, and remembers when whoever listens has called the plan off."""

    def __init__(self, on_progress: OnProgress | None) -> None:
        self._on_progress = on_progress
        self.known = (0.0, float("inf"))
        self._off = False

    def __call__(self, bound: float, objective: float) -> bool:
        self.known = (bound, objective)
        if self._on_progress is not None and self._on_progress(bound, objective) is True:
            self._off = True
        return self._off

    def go_on(self) -> None:
        """Raise CalledOff where it was; between the stages nothing else looks."""
        if self(*self.known):
            raise CalledOff


def least(seconds: Any, sites: list[int]) -> Floats:  # noqa: ANN401 - scipy has no types
    """Return (n,) the least of the chosen columns of a sparse matrix; infinite where none is stored."""
    chosen = sparse.csc_array(seconds)[:, sites].tocoo()
    nearest = np.full(seconds.shape[0], np.inf)
    np.minimum.at(nearest, chosen.row, chosen.data)
    return nearest


def reach(seconds: Any, within_s: float) -> Any:  # noqa: ANN401 - scipy has no types
    """Return who is within so many seconds of what, as a sparse matrix of ones."""
    table = sparse.coo_array(seconds)
    near = table.data <= within_s
    ones = (np.ones(int(near.sum())), (table.row[near], table.col[near]))
    return sparse.csr_array(ones, shape=table.shape)


def _covers(question: Question) -> bool:
    return question.model in {"max-cover", "set-cover"}


def _roads(question: Question) -> Network | None:
    """Return the imported roads, None where there are none: every output then says so."""
    try:
        return network(question.mode, division=question.division, speeds=question.speeds or None)
    except NoRoads:
        if question.candidates == "junctions":
            raise
        return None


def _solved(  # noqa: PLR0913, PLR0917 - all that a plan is made of
    question: Question,
    people: Demand,
    places: Candidates,
    times: TravelTimes,
    capacities: tuple[float | None, ...],
    heard: _Heard,
) -> Siting:
    """Ask the solver; raises Infeasible, BadArgument."""
    fixed = () if question.closing else tuple(range(places.standing))
    p = (question.sites or 0) + len(fixed)
    more: dict[str, Any] = {
        "fixed": fixed, "time_limit_s": question.time_limit_s, "seed": question.seed, "on_progress": heard
    }  # fmt: skip
    if p > len(places.names):
        raise BadArgument(why=f"{question.sites} sites are more than the {len(places.names) - len(fixed)} candidates")
    if question.capacity is not None:
        room = [question.capacity if one is None else one for one in capacities]
        room += [question.capacity] * (len(places.names) - len(room))
        more |= {"capacity": np.array(room), "demand": people.residents}
    seconds = times.seconds
    match question.model:
        case "p-median":
            divisible = question.capacity is not None  # a square's people may go to two stations
            return siting.p_median(seconds, p, weights=people.residents, divisible=divisible, **more)
        case "p-center":
            return siting.p_center(_reached(seconds), p, **more)
        case "max-cover":
            near = reach(seconds, (question.within_min or 0) * MINUTE_S)
            return siting.max_cover(near, p, weights=people.residents, **more)
        case "set-cover":
            return _set_cover(question, people, seconds, more)


def _reached(seconds: Any) -> Any:  # noqa: ANN401 - scipy has no types
    """Return a matrix in which every demand reaches some candidate; raises Infeasible."""
    lost = np.flatnonzero(np.diff(sparse.csr_array(seconds).indptr) == 0)
    if len(lost):
        why = f"{len(lost)} groups of people are over three hours from every candidate, or far from any road"
        raise Infeasible(why=why, demand=lost.tolist())
    return seconds


def _set_cover(question: Question, people: Demand, seconds: Any, more: dict[str, Any]) -> Siting:  # noqa: ANN401
    """Return the fewest sites; raises Infeasible in a planner's words."""
    try:
        return siting.set_cover(reach(seconds, (question.within_min or 0) * MINUTE_S), **more)
    except Infeasible as error:
        share = people.residents[error.demand].sum() / people.residents.sum()
        why = (
            f"{share:.1%} of the people are beyond {question.within_min:g} minutes of every candidate; take a longer"
            " --within, other --candidates, or max-cover with --sites"
        )
        raise Infeasible(why=why, demand=error.demand) from error


def _curve(question: Question, people: Demand, places: Candidates, times: TravelTimes, heard: _Heard) -> Curve | None:
    """Return what every number of sites buys, where the model has such a curve and no capacities."""
    if question.model not in {"p-median", "max-cover"} or question.capacity is not None:
        return None
    fixed = () if question.closing else tuple(range(places.standing))
    most = min((question.sites or 0) + len(fixed) + CURVE_BEYOND, len(places.names))
    table = times.seconds if question.model == "p-median" else reach(times.seconds, (question.within_min or 0) * 60)
    curve = siting.curve(
        table,
        most,
        model="p-median" if question.model == "p-median" else "max-cover",
        weights=people.residents,
        fixed=fixed,
        time_limit_s=max(1.0, question.time_limit_s * CURVE_SHARE),
        seed=question.seed,
        on_progress=lambda _bound, _objective: heard(*heard.known),
    )
    heard.go_on()
    return curve


def _shaken(  # noqa: PLR0913, PLR0917 - all that a plan is made of
    question: Question, people: Demand, places: Candidates, times: TravelTimes, answer: Siting, heard: _Heard
) -> tuple[float, float] | None:
    """Return how much the plan loses, at the worst of several draws of the demand, and how many of its sites stay."""
    if question.model not in {"p-median", "max-cover"} or question.capacity is not None:
        return None
    fixed = () if question.closing else tuple(range(places.standing))
    dice = np.random.default_rng(question.seed)
    near = None if question.model == "p-median" else reach(times.seconds, (question.within_min or 0) * MINUTE_S)
    losses, stayed = [0.0], []
    for _ in range(SHAKEN):
        heard.go_on()
        drawn = people.residents * np.maximum(0.05, 1 + SPREAD * dice.standard_normal(len(people.residents)))
        more: dict[str, Any] = {"weights": drawn, "fixed": fixed, "time_limit_s": 2.0, "seed": question.seed}
        if near is None:
            other = siting.p_median(times.seconds, len(answer.sites), prove=False, **more)
            way_s = least(times.seconds, answer.sites)
            there = np.isfinite(way_s)
            ours = float(drawn[there] @ way_s[there])
            losses.append(ours / other.objective - 1 if other.objective else 0.0)
        else:
            other = siting.max_cover(near, len(answer.sites), **more)
            ours = float(drawn[near[:, answer.sites].sum(axis=1) > 0].sum())
            losses.append(1 - ours / other.objective if other.objective else 0.0)
        stayed.append(len(set(other.sites) & set(answer.sites)) / max(1, len(answer.sites)))
    return max(losses), float(np.mean(stayed))
