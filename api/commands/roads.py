"""``menpai import roads``: the roads on which travel times are computed."""

from collections.abc import Mapping
from pathlib import Path

import click

from api.commands.options import TermChoice, existing_file, stages
from data import roads as files
from gis.register import roads
from gis.terms import Datum, RoadReason

STAGES = 2
_CLASSES_NAMED = 5


@click.command("roads")
@click.argument("path", metavar="FILE", type=existing_file)
@click.option("--source", help="Name of the source; without it the file's.")
@click.option("--layer", help="Layer of a file that has several.")
@click.option("--datum", type=TermChoice(Datum), help="Shift of the coordinates.")
@click.option("--dry-run", is_flag=True, help="Do everything, keep nothing.")
def import_roads(path: Path, *, source: str | None, layer: str | None, datum: Datum | None, dry_run: bool) -> None:
    """Put the roads of FILE in the place of all that its source brought before."""
    with stages(path.name, STAGES) as hear:
        hear("read")
        rows = files.read_roads(path, layer=layer, datum=datum)
        hear("store")
        result = roads.import_roads(
            rows, source=source or path.name.partition(".")[0], file_name=path.name, dry_run=dry_run
        )
    done = "试运行，未保存 dry run, nothing kept:" if dry_run else "已载入"
    click.echo(f"{done} {result.ways:,} roads 道路, {result.barriers:,} barriers 路障", nl=False)
    click.echo(f" (替换 in place of {result.replaced:,})" if result.replaced else "")
    if result.left_out:
        click.echo(f"未采用 left out: {_told(result.left_out, result.classes_left_out)}")


def _told(left_out: Mapping[RoadReason, int], classes: Mapping[str, int]) -> str:
    """Return how many rows were left out for which reason, the most frequent first, classes by their names."""
    words = []
    for reason, many in sorted(left_out.items(), key=lambda item: -item[1]):
        named = (
            sorted(classes, key=lambda name: -classes[name])[:_CLASSES_NAMED] if reason is RoadReason.NO_ROAD else []
        )
        words.append(f"{many:,} {reason.zh} {reason.en}" + (f" ({', '.join(named)})" if named else ""))
    return "; ".join(words)
