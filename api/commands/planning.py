"""``menpai import facilities`` and ``menpai plan``: what stands, and where more should."""

import datetime as dt
import sys
from pathlib import Path
from typing import Any, Literal, Self

import click
from tqdm import tqdm

from api import planning
from api.commands import results
from api.commands.options import TermChoice, acting, existing_file, log_in_name
from data import facilities as files
from data import reference
from data.speeds import read_speeds
from gis.errors import BadArgument
from gis.planning.plans import facilities, records
from gis.planning.plans.making import make
from gis.planning.plans.questions import Candidates, Model, Question, ask
from gis.planning.roads import Mode
from gis.register import divisions
from gis.terms import Datum

ALIASES = {"stations": "service_station", "posts": "police_post"}


@click.command("facilities")
@click.argument("path", metavar="FILE", type=existing_file)
@click.option("--source", help="Name of the source; without it the file's.")
@click.option("--kind", help="Kind of rows that name none.")
@click.option("--layer", help="Layer of a file that has several.")
@click.option("--datum", type=TermChoice(Datum), help="Shift of the coordinates.")
def import_facilities(
    path: Path, *, source: str | None, kind: str | None, layer: str | None, datum: Datum | None
) -> None:
    """Put the facilities of FILE (name, kind, address, capacity, place) in the place of its source's earlier ones."""
    read = files.read_facilities(path, kind=kind, layer=layer, datum=datum)
    before = facilities.replace(source or path.name.partition(".")[0], read, list(reference.facility_kinds()))
    click.echo(f"已载入 {len(read):,} facilities 设施" + (f" (替换 in place of {before:,})" if before else ""))


@click.command("plan")
@click.argument("kind", metavar="stations|posts|KIND")
@click.option("--division", metavar="CODE", help="Only this division; without it the region.")
@click.option("--sites", type=int, metavar="P", help="New sites, beside those that stand.")
@click.option("--within", type=float, metavar="MINUTES", help="What counts as near.")
@click.option("--model", type=click.Choice(["p-median", "p-center", "max-cover", "set-cover"]))
@click.option("--mode", type=click.Choice(["walk", "drive"]))
@click.option("--candidates", default="grid", show_default=True, metavar="FILE|grid|junctions")
@click.option("--capacity", type=float, metavar="N", help="People that one new site can serve.")
@click.option("--closing", is_flag=True, help="Sites that stand may be given up.")
@click.option("--speeds", type=existing_file, metavar="FILE.csv|.json", help="km/h by class of road.")
@click.option("--time-limit", type=float, default=60.0, show_default=True, metavar="S")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), metavar="PLAN.html|.geojson|.gpkg")
@click.option("--as", "actor", metavar="ACTOR", help="Who asks; without it your log-in name.")
def plan(out: Path | None, actor: str | None, **said: Any) -> None:  # noqa: ANN401 - each is an option of the contract
    """Say where facilities of a KIND should stand, with a bound on how much better any plan could be."""
    if out is not None:
        results.check_writable(out)
        planning.check_format(out)
    question = _question(**said)
    who = acting(actor) or log_in_name()
    plan_id = records.ask(question, who)
    try:
        with _progress(question) as hear:
            made = make(question, hear)
    except Exception as error:
        records.refuse(plan_id, str(error))
        raise
    answer = records.keep(plan_id, made)
    click.echo(planning.summary(answer))
    if out is not None:
        planning.write(records.get(plan_id), out)
        click.echo(f"{out}")


def _question(  # noqa: PLR0913 - each is an option of the contract
    kind: str,
    *,
    division: str | None,
    sites: int | None,
    within: float | None,
    model: Model | None,
    mode: Mode | None,
    candidates: str,
    capacity: float | None,
    closing: bool,
    speeds: Path | None,
    time_limit: float,
    seed: int,
) -> Question:
    """Return the question of a command line; raises BadArgument, UnknownDivision."""
    known = reference.facility_kinds()
    code = ALIASES.get(kind, kind)
    if code not in known:
        raise BadArgument(why=f"{kind} is no kind of facility: {', '.join([*ALIASES, *known])}")
    which, points, names = _places(candidates)
    return ask(
        known[code],
        sites=sites,
        within_min=within,
        model=model,
        mode=mode,
        division=None if division is None else divisions.parse_code(division),
        candidates=which,
        points=points,
        names=names,
        capacity=capacity,
        closing=closing,
        speeds={} if speeds is None else read_speeds(speeds),
        time_limit_s=time_limit,
        seed=seed,
    )


def _places(candidates: str) -> tuple[Candidates, tuple[tuple[float, float], ...], tuple[str, ...]]:
    """Return which candidates are meant, and a planner's own."""
    known: dict[str, Literal["grid", "junctions"]] = {"grid": "grid", "junctions": "junctions"}
    if candidates in known:
        return known[candidates], (), ()
    read = files.read_facilities(Path(candidates))
    return "file", tuple((one.lon, one.lat) for one in read), tuple(one.name for one in read)


class _progress:  # noqa: N801 - read as a function
    """Shows bound and plan while the solver runs, on a terminal."""

    def __init__(self, question: Question) -> None:
        self._bar = tqdm(
            total=question.time_limit_s, unit="s", disable=not sys.stderr.isatty(), leave=False, bar_format="{desc}"
        )
        self._start = dt.datetime.now(dt.UTC)

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(self, *raised: object) -> None:
        self._bar.close()

    def __call__(self, bound: float, objective: float) -> None:
        """Hear of both; exact figures stay out of sight: a gap is all that is shown."""
        gap = abs(objective - bound) / max(abs(objective), abs(bound), 1e-9)
        took_s = (dt.datetime.now(dt.UTC) - self._start).total_seconds()
        self._bar.set_description_str(f"求解 solving {took_s:.0f} s, gap {gap:.2%}" if gap <= 1 else "求解 solving")
