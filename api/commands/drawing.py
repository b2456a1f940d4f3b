"""``menpai release`` and ``menpai map density``: released counts, and a map of them."""

import datetime as dt
from pathlib import Path

import click

from api.commands import results
from api.commands.options import TermChoice
from api.trials import is_fictional
from gis import settings
from gis.errors import BadArgument, UnknownFormat
from gis.planning import density, disclosure
from gis.planning.density import Areas, Level
from gis.planning.disclosure import Released
from gis.register import divisions
from gis.store import schema, session
from gis.terms import Category
from maps.density import DensityMap, write_html

ALL = "all"
EVERYBODY = ("居民", "Residents")
WHOLE_REGION = 640_000_000_000
day_type = click.DateTime(["%Y-%m-%d"])


@click.command("release")
@click.option("--date", "day", type=day_type, metavar="YYYY-MM-DD", help="Day to count; without it today.")
def release(day: dt.datetime | None) -> None:
    """Write the counts of a day through the disclosure gate; the release of a day is made once and stays."""
    schema.analyse()
    click.echo(f"已发布 released {told(disclosure.release(day.date() if day else None))}")


@click.command("density")
@click.argument("out", metavar="OUT.html", type=click.Path(path_type=Path))
@click.option("--division", metavar="CODE", help="Only this division; without it the region.")
@click.option("--category", type=TermChoice(Category, ALL), default=ALL, show_default=True)
@click.option("--cell", metavar="100|500|1000|h3:7..10", help="Cells; 1000 where neither this nor --by is given.")
@click.option("--by", "level", type=click.Choice(["county", "township", "village"]), help="Divisions of a level.")
@click.option("--on", "day", type=day_type, metavar="YYYY-MM-DD", help="The last release up to this day.")
def map_density(  # noqa: PLR0913 - each is an option of the contract
    out: Path, *, division: str | None, category: str, cell: str | None, level: Level | None, day: dt.datetime | None
) -> None:
    """Draw released counts per km² as one self-contained HTML file."""
    if out.suffix.lower() not in {".html", ".htm"}:
        raise UnknownFormat(path=out, known=".html")
    if cell is not None and level is not None:
        raise BadArgument(why="give --cell or --by, not both")
    results.check_writable(out)
    code = None if division is None else divisions.parse_code(division)
    on = day.date() if day else None
    areas = (
        density.by_division(level, category, on=on, division=code)
        if level is not None
        else density.by_cell(cell or "1000", category, on=on, division=code)
    )
    write_html(_map_of(areas, category, code), out)
    withheld = int(areas.frame["withheld"].sum())
    click.echo(f"{out}: {len(areas.frame):,} areas 区域, {withheld:,} withheld 不公布, release 发布 {areas.release}")


def told(released: Released) -> str:
    """Return what a release shows and hides, as one line."""
    return (
        f"{released.release}: {released.divisions:,} divisions 区划 ({released.divisions_withheld:,} withheld 不公布),"
        f" {released.cells:,} cells of 1 km 网格 ({released.cells_withheld:,} withheld 不公布)"
    )


def _map_of(areas: Areas, category: str, division: int | None) -> DensityMap:
    """Return areas with the words around them."""
    with session.open("public") as connection:
        place = divisions.find_name(connection, division or WHOLE_REGION)
        invented = is_fictional(connection)
    zh, en = EVERYBODY if category == ALL else (f"{Category(category).zh}人口", f"{Category(category).en} residents")
    note = ("（虚构样本）", " (fictional sample)") if invented else ("", "")
    return DensityMap(
        title_zh=f"{place}{zh}密度",
        title_en=f"{en.capitalize()} per km²",
        category=None if category == ALL else Category(category),
        on=areas.release,
        source_zh=f"门牌登记{note[0]}；界线：天地图",
        source_en=f"Menpai register{note[1]}; boundaries: Tianditu",
        areas=areas.frame,
        outlines=density.outlines(division),
        review_number=settings.read().map_review_number,
        withheld_below=disclosure.WITHHELD_BELOW,
        noise_sd=areas.noise_sd,
    )
