"""What a planner asks: which facility, for whom, how many, how near, and by which model."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from gis.errors import BadArgument

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gis.planning.roads import Mode  # which brings a compiler along that a question has no use for

Model = Literal["p-median", "p-center", "max-cover", "set-cover"]
Candidates = Literal["grid", "junctions", "file"]
SERVICE_STATION = "service_station"
"""流动人口综合服务站 (Article 5): the one kind that may be sited on floating residents."""
COVERS = ("max-cover", "set-cover")
"""Models that ask what is near."""
MOST_SITES, LONGEST_MINUTES, LONGEST_LIMIT_S, MOST_PEOPLE = 500, 180.0, 3600.0, 1e7


@dataclass(frozen=True)
class Kind:
    """A kind of facility, as data/reference/facility_kinds.csv or a planner's table has it."""

    code: str
    zh: str
    en: str
    serves: Literal["all", "floating"]
    minutes: float
    """What counts as near where the planner says nothing."""
    mode: Mode
    source: str

    def __post_init__(self) -> None:
        """Keep the rule that no table can change: only service stations are sited on migrants (rights.md, 9)."""
        if self.serves != "all" and self.code != SERVICE_STATION:
            raise BadArgument(
                why=f"{self.code} serves everyone; only a {SERVICE_STATION} is sited on floating residents"
            )


@dataclass(frozen=True, kw_only=True)
class Question:
    """Everything a plan depends on but the register itself; the same question on the same register gives one plan."""

    kind: Kind
    division: int | None = None
    """A code of twelve digits; None is the whole region."""
    sites: int | None = None
    """New sites, beside those that stand already."""
    within_min: float | None = None
    """What counts as near, for the covers."""
    model: Model
    mode: Mode
    candidates: Candidates = "grid"
    points: tuple[tuple[float, float], ...] = ()
    """A planner's candidates, lon and lat in EPSG:4490, where ``candidates`` is ``file``."""
    names: tuple[str, ...] = ()
    capacity: float | None = None
    """People that one new site can serve."""
    closing: bool = False
    """Whether sites that stand may be given up."""
    speeds: Mapping[str, float] = field(default_factory=dict)
    time_limit_s: float = 60.0
    seed: int = 0

    def parameters(self) -> dict[str, Any]:
        """Return everything asked, as JSON keeps it."""
        return asdict(self) | {"kind": self.kind.code, "speeds": dict(self.speeds)}


def asked_before(parameters: Mapping[str, Any], kinds: Mapping[str, Kind]) -> Question:
    """Return a question as ``parameters`` kept it."""
    kept = dict(parameters) | {"kind": kinds[parameters["kind"]]}
    kept |= {"points": tuple(map(tuple, parameters["points"])), "names": tuple(parameters["names"])}
    return Question(**kept)


def ask(
    kind: Kind,
    *,
    sites: int | None = None,
    within_min: float | None = None,
    model: Model | None = None,
    mode: Mode | None = None,
    **more: Any,  # noqa: ANN401 - the rest of Question's fields
) -> Question:
    """Return a checked question, with what the planner left open filled in.

    A number of sites asks for a p-median, a distance alone for the fewest sites (set cover), both for the most
    people covered. Raises BadArgument.
    """
    model = model or _model_for(sites, within_min)
    _check_sites(model, sites)
    if model in COVERS and within_min is None:
        within_min = kind.minutes
    question = Question(kind=kind, sites=sites, within_min=within_min, model=model, mode=mode or kind.mode, **more)
    if question.capacity is not None and model not in {"p-median", "max-cover"}:
        raise BadArgument(why=f"{model} knows no capacities; p-median and max-cover do")
    for option, value, most in (
        ("--within", within_min, LONGEST_MINUTES),
        ("--capacity", question.capacity, MOST_PEOPLE),
        ("--time-limit", question.time_limit_s, LONGEST_LIMIT_S),
    ):
        if value is not None and not 0 < value <= most:
            raise BadArgument(why=f"{option} is above 0 and at most {most:g}")
    return question


def _model_for(sites: int | None, within_min: float | None) -> Model:
    """Return the model that a number of sites and a distance ask for."""
    if within_min is None:
        return "p-median"
    return "set-cover" if sites is None else "max-cover"


def _check_sites(model: Model, sites: int | None) -> None:
    """Raise BadArgument for a model that is none, and where the number of sites does not go with it."""
    if model not in get_args(Model):
        raise BadArgument(why=f"{model} is no model: {', '.join(get_args(Model))}")
    if model == "set-cover" and sites is not None:
        raise BadArgument(why="set-cover finds the fewest sites by itself: give --within, not --sites")
    if model != "set-cover" and sites is None:
        raise BadArgument(why=f"{model} needs a number of sites: --sites P")
    if sites is not None and not 1 <= sites <= MOST_SITES:
        raise BadArgument(why=f"a plan opens 1 to {MOST_SITES} sites")
