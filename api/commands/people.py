"""``menpai import roster`` and ``menpai keys``: what touches a person names who acts and why."""

import sys
from pathlib import Path

import click
from tqdm import tqdm

from api.commands import results
from api.commands.options import acting, existing_file
from data import rosters as files
from gis import settings
from gis.errors import PurposeMissing
from gis.residents import keys, rosters
from gis.terms import Purpose


@click.command("roster")
@click.argument("path", metavar="FILE", type=existing_file)
@click.option("--as", "actor", metavar="ACTOR", help="Account that acts; MENPAI_TOKEN says it too.")
@click.option("--purpose", metavar="PURPOSE", help=f"Why: {', '.join(Purpose)}.")
@click.option("--source", help="Name of the source; without it the file's.")
@click.option("--out", type=click.Path(path_type=Path), help="Write what became of every row as CSV.")
def import_roster(path: Path, actor: str | None, purpose: str | None, source: str | None, out: Path | None) -> int:
    """Place the residents of FILE where an address equals a registered one; exit 1 where some rows need a person.

    The RESULT names rows by their occupant_id only, never by a person.
    """
    who = acting(actor)
    if who is None or purpose not in set(Purpose):
        raise PurposeMissing(known=", ".join(Purpose))
    results.check_writable(out)
    roster = files.read_roster(path)
    if roster.ignored:
        click.echo(f"忽略的列 columns ignored: {', '.join(map(repr, roster.ignored))}", err=True)
    with tqdm(total=roster.rows.num_rows, unit=" rows", disable=not sys.stderr.isatty(), leave=False) as bar:

        def hear(done: int) -> None:
            bar.update(done)

        result = rosters.import_roster(
            roster.rows,
            source=source or path.name.partition(".")[0],
            file_name=path.name,
            actor=who,
            purpose=Purpose(purpose),
            on_progress=hear,
        )
    if out is not None:
        results.write(result.results, out)
    return results.tell(result)


@click.command("init")
def init_keys() -> None:
    """Make the master key that seals identities, unless it is there already; it is never replaced."""
    made = keys.init()
    click.echo(f"{'已生成 made' if made else '已存在 there already'}: {settings.read().key_file}")
    if made:
        click.echo("请离线备份，丢失后身份信息无法再打开。 Keep a copy off line: without it no identity opens again.")
