"""``menpai import buildings|divisions|boundaries``: files of structures into the register."""

import os
from pathlib import Path

import click

from api import loading
from api.commands import results
from api.commands.options import TermChoice, acting, existing_file, file_options, log_in_name, stages
from data import sources
from gis.errors import FileNotReadable
from gis.register import batches, divisions
from gis.register.sheets import ImportOptions
from gis.terms import BuildingKind, Datum

STAGES = 4


@click.command("buildings")
@click.argument("path", metavar="FILE", type=existing_file)
@click.option("--kind", type=TermChoice(BuildingKind), help="Kind of rows that say none.")
@click.option("--division", metavar="CODE", help="Division of rows outside every known boundary.")
@file_options
def import_buildings(  # noqa: PLR0913 - each is an option of the contract
    path: Path,
    *,
    kind: BuildingKind | None,
    division: str | None,
    actor: str | None,
    source: str | None,
    layer: str | None,
    datum: Datum | None,
    out: Path | None,
    dry_run: bool,
) -> int:
    """Register the residential structures of FILE; exit 1 where some rows need a person."""
    results.check_writable(out, path)
    file_name = _readable(path.name)
    options = ImportOptions(
        source=_readable(source or path.name.partition(".")[0]),
        file_name=file_name,
        actor=_readable(acting(actor) or log_in_name()),
        division=None if division is None else divisions.parse_code(division),
        kind=kind,
        dry_run=dry_run,
    )
    with stages(file_name, STAGES) as hear, results.drafted(out) as write_draft:
        hear("read")
        rows = sources.read_structures(path, layer=layer, datum=datum)
        result = batches.import_buildings(rows, options, hear, write_draft)
    return results.tell(result, dry_run=dry_run)


def _readable(word: str) -> str:
    """Return a word of the command line; one in another encoding (GBK, of old archives) as the octets it has."""
    return os.fsencode(word).decode("utf-8", "backslashreplace")


@click.command("divisions")
@click.argument("path", metavar="FILE", type=existing_file)
@click.option("--source", help="Name of the source; without it the file's.")
def import_divisions(path: Path, source: str | None) -> None:
    """Add the divisions of FILE (code12,name,level,parent_code12), or bring known ones up to date."""
    count = loading.load_divisions(path, source or path.name)
    click.echo(f"已载入 {count:,} divisions 行政区划")


@click.command("boundaries")
@click.argument("path", metavar="FILE", type=existing_file)
@click.option("--source", help="Name of the source; without it the file's.")
def import_boundaries(path: Path, source: str | None) -> None:
    """Set boundaries of known divisions from GeoJSON features with a code each."""
    if not path.is_file():
        raise FileNotReadable(path=path, why="there is no such file")
    count = loading.load_boundaries(path, source or path.name)
    click.echo(f"已载入 {count:,} boundaries 界线")
