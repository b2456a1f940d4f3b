"""``menpai release`` and ``menpai map density``: released counts, and a map of them."""

import datetime as dt
from itertools import pairwise
from pathlib import Path
from typing import Any

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
from maps.classes import METHODS, Method
from maps.density import DensityMap

ALL = "all"
EVERYBODY = ("居民", "Residents")
WHOLE_REGION = 640_000_000_000
PAGES = {".html": "html", ".htm": "html", ".png": "png", ".pdf": "pdf"}
"""What a file's name says it is."""
day_type = click.DateTime(["%Y-%m-%d"])


@click.command("release")
@click.option("--date", "day", type=day_type, metavar="YYYY-MM-DD", help="Day to count; without it today.")
def release(day: dt.datetime | None) -> None:
    """Write the counts of a day through the disclosure gate; the release of a day is made once and stays."""
    schema.analyse()
    click.echo(f"已发布 released {told(disclosure.release(day.date() if day else None))}")


class Breaks(click.ParamType[tuple[float, ...]]):
    """Upper limits of classes, apart by commas."""

    name = "breaks"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:  # noqa: ANN401
        """Return the limits; fails as click does."""
        try:
            return tuple(float(each) for each in str(value).split(","))
        except ValueError:
            self.fail(f"{value} is no list of numbers such as 10,100,1000", param, ctx)


@click.command("density")
@click.argument("out", metavar="OUT.html|.png|.pdf", type=click.Path(path_type=Path))
@click.option("--format", "kind", type=click.Choice(["html", "png", "pdf"]), help="Without it, what OUT's name says.")
@click.option("--division", metavar="CODE", help="Only this division; without it the region.")
@click.option("--category", type=TermChoice(Category, ALL), default=ALL, show_default=True)
@click.option("--cell", metavar="100|500|1000|h3:7..10", help="Cells; 1000 where neither this nor --by is given.")
@click.option("--by", "level", type=click.Choice(["county", "township", "village"]), help="Divisions of a level.")
@click.option("--on", "day", type=day_type, metavar="YYYY-MM-DD", help="The last release up to this day.")
@click.option(
    "--compare",
    type=day_type,
    metavar="YYYY-MM-DD",
    multiple=True,
    help="Beside it, in the same classes, the last release up to this day; may be repeated. PNG and PDF.",
)
@click.option("--method", type=click.Choice(list(METHODS)), help="How classes are found; without it, quantiles.")
@click.option("--classes", "k", type=click.IntRange(1, 9), default=5, show_default=True)
@click.option("--breaks", type=Breaks(), metavar="N,N,…", help="Upper limits of classes in residents per km².")
def map_density(  # noqa: PLR0913 - each is an option of the contract
    out: Path,
    *,
    kind: str | None,
    division: str | None,
    category: str,
    cell: str | None,
    level: Level | None,
    day: dt.datetime | None,
    compare: tuple[dt.datetime, ...],
    method: Method | None,
    k: int,
    breaks: tuple[float, ...] | None,
) -> None:
    """Draw released counts per km² as one self-contained HTML file, a picture or a PDF."""
    kind = kind or PAGES.get(out.suffix.lower())
    if kind is None:
        raise UnknownFormat(path=out, known=".html, .png, .pdf")
    if cell is not None and level is not None:
        raise BadArgument(why="give --cell or --by, not both")
    if compare and kind == "html":
        raise BadArgument(why="--compare draws on one sheet: name OUT.png or OUT.pdf")
    results.check_writable(out)
    code = None if division is None else divisions.parse_code(division)
    shown = _areas(cell, level, category, code, [day, *compare])
    classes = {"method": method or ("fixed" if breaks else "quantiles"), "k": k, "breaks": breaks}
    try:
        maps = [_map_of(areas, category, code, **classes) for areas in shown]
    except ValueError as error:  # classes that are none
        raise BadArgument(why=str(error)) from error
    _write(maps, out, kind)
    for areas in shown:
        withheld = int(areas.frame["withheld"].sum())
        many = f"{len(areas.frame):,} areas 区域, {withheld:,} withheld 不公布"
        click.echo(f"{out}: {many}, release 发布 {areas.release}")


def _areas(
    cell: str | None, level: Level | None, category: str, division: int | None, days: list[dt.datetime | None]
) -> list[Areas]:
    """Return the areas of the releases of some days, in their order; raises BadArgument where two are one release."""
    shown = []
    for day in days:
        on = day.date() if day else None
        shown.append(
            density.by_division(level, category, on=on, division=division)
            if level is not None
            else density.by_cell(cell or "1000", category, on=on, division=division)
        )
    shown.sort(key=lambda areas: areas.release)
    for before, areas in pairwise(shown):
        if before.release == areas.release:
            raise BadArgument(why=f"two of the days to compare show the same release, {areas.release}")
    return shown


def _write(maps: list[DensityMap], out: Path, kind: str) -> None:
    """Write maps as a file of a kind; each kind's library is loaded where it is asked for."""
    if kind == "html":
        from maps.density_page import write_html  # noqa: PLC0415

        write_html(maps[0], out)
    else:
        from maps import lettering  # noqa: PLC0415
        from maps.density_sheet import write_sheet  # noqa: PLC0415

        unpacked = settings.read().var / "packages" / "usr" / "share" / "fonts"
        write_sheet(maps, out, kind, lettering.find_font([unpacked]))


def told(released: Released) -> str:
    """Return what a release shows and hides, as one line."""
    return (
        f"{released.release}: {released.divisions:,} divisions 区划 ({released.divisions_withheld:,} withheld 不公布),"
        f" {released.cells:,} cells of 1 km 网格 ({released.cells_withheld:,} withheld 不公布)"
    )


def _map_of(areas: Areas, category: str, division: int | None, **classes: Any) -> DensityMap:  # noqa: ANN401
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
        **classes,
    )
