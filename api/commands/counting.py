"""``menpai stats``: released counts by division and category, and their growth, as a file."""

import datetime as dt
from pathlib import Path

import click

from api.commands import results
from api.commands.options import TermChoice
from api.releases import ALL, release_on
from api.statistics import EACH, categories_of, check_order
from data import exports
from gis.errors import UnknownFormat
from gis.planning import statistics
from gis.planning.statistics import Level
from gis.register import divisions
from gis.store import session
from gis.terms import Category

day_type = click.DateTime(["%Y-%m-%d"])
levels = click.Choice(["province", "prefecture", "county", "township", "village"])


@click.command("stats")
@click.argument("out", metavar="OUT.json|.csv|.parquet", type=click.Path(path_type=Path))
@click.option("--division", metavar="CODE", help="Only this division and those in it; without it the region.")
@click.option("--level", type=levels, help="Only divisions of a level.")
@click.option("--category", type=TermChoice(Category, ALL, EACH), default=EACH, show_default=True)
@click.option("--on", "day", type=day_type, metavar="YYYY-MM-DD", help="The last release up to this day.")
@click.option("--since", type=day_type, metavar="YYYY-MM-DD", help="Growth since the last release up to this day.")
def stats(  # noqa: PLR0913 - each is a part of the question
    out: Path,
    *,
    division: str | None,
    level: Level | None,
    category: str,
    day: dt.datetime | None,
    since: dt.datetime | None,
) -> None:
    """Write released counts of divisions by category, and what changed since an earlier release."""
    kind = out.suffix.lower().removeprefix(".")
    if kind not in exports.MEDIA_TYPES:
        raise UnknownFormat(path=out, known=".json, .csv, .parquet")
    results.check_writable(out)
    code = None if division is None else divisions.parse_code(division)
    with session.open("planner") as connection:
        if code:
            divisions.find_name(connection, code)
        release = release_on(connection, day.date() if day else None)
        past = release_on(connection, since.date()) if since else None
        check_order(release, past)
        table = statistics.counts(connection, release, past, categories_of(category), level=level, division=code)
    out.write_bytes(exports.written(table, kind))
    hidden = table["withheld"].to_pylist().count(True)
    click.echo(f"{out}: {table.num_rows:,} counts 人数, {hidden:,} withheld 不公布, release 发布 {release}")
