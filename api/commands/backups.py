"""``menpai backup`` and ``menpai restore``: the register without its keys, and back."""

from pathlib import Path

import click

from api.commands.options import existing_file
from gis import settings
from gis.residents import key_files
from gis.store import backups, cluster, session


@click.command("backup")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
def backup(path: Path) -> None:
    """Write the register into FILE; keys are never in it, and without them it tells nobody's name."""
    size = backups.backup(path)
    click.echo(f"已备份 backed up: {path}, {size:,} bytes")
    click.echo("密钥不在其中，请另用 menpai keys backup。 Keys are not in it: menpai keys backup has its own.")


@click.command("restore")
@click.argument("path", metavar="FILE", type=existing_file)
def restore(path: Path) -> int:
    """Bring the register back from FILE into an empty database; exit 1 where keys of its people are missing."""
    here = settings.read()
    if here.database_url is None:
        cluster.create_database(cluster.start(here.var), session.DATABASE)
    backups.restore(path)
    click.echo(f"已恢复 restored: {path}")
    people, missing = key_files.count_missing()
    if missing:
        click.echo(
            f"{people:,} 人中有 {missing:,} 人的密钥不在此处，身份无法打开：未注销者请用 menpai keys restore。"
            f" The keys of {missing:,} of {people:,} people are not here, so nobody can open them: unless they were"
            ' erased, bring the keys back with "menpai keys restore FILE".',
            err=True,
        )
    return 1 if missing else 0
