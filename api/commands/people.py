"""``menpai import roster``, ``menpai erase`` and ``menpai keys``: what touches a person names who acts and why."""

import sys
from datetime import timedelta
from pathlib import Path

import click
from tqdm import tqdm

from api.commands import results
from api.commands.options import acting, existing_file, log_in_name
from data import rosters as files
from gis import settings
from gis.errors import PurposeMissing
from gis.planning import disclosure
from gis.residents import key_files, keys, retention, rosters, rulings
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


@click.command("rotate")
def rotate_keys() -> None:
    """Put a new master key in the place of the present one; desks go on meanwhile."""
    with tqdm(total=1, desc="换钥 rotating", disable=not sys.stderr.isatty(), leave=False) as bar:
        wrapped = key_files.rotate()
        bar.update()
    click.echo(f"已换主密钥，重新封装 {wrapped} 把 a new master key; {wrapped} data keys wrapped anew")
    click.echo("请离线备份新主密钥。 Keep a copy of it off line: older copies open nothing any more.")


_PASSPHRASE = click.option(
    "--passphrase",
    envvar="MENPAI_KEYS_PASSPHRASE",
    prompt="口令 passphrase",
    hide_input=True,
    help="Asked for on a terminal, or MENPAI_KEYS_PASSPHRASE.",
)


@click.command("backup")
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@_PASSPHRASE
@click.option("--days", type=int, default=key_files.KEPT.days, show_default=True, help="How long it is kept.")
def backup_keys(path: Path, passphrase: str, days: int) -> None:
    """Write master key and data keys into FILE, sealed under a passphrase, to be destroyed by a stated day."""
    made = key_files.backup(path, passphrase, timedelta(days=days))
    click.echo(f"{path}: {made.keys} 把 keys；须于 {made.kept_until} 前销毁 to be destroyed by {made.kept_until}")
    click.echo(
        "已注销人员的密钥在此备份销毁后才彻底消失。 Whoever is erased meanwhile is gone for good when this file is."
    )


@click.command("restore")
@click.argument("path", metavar="FILE", type=existing_file)
@_PASSPHRASE
def restore_keys(path: Path, passphrase: str) -> None:
    """Bring back master key and data keys from FILE where there are none; then run "menpai erase"."""
    made = key_files.restore(path, passphrase)
    click.echo(f"已恢复 restored: {made.keys} 把 keys → {settings.read().key_file.parent}")
    click.echo("请随即运行 menpai erase，销毁其间已注销者的密钥。 Run menpai erase now: it destroys keys nobody needs.")


@click.command("erase")
@click.option("--dry-run", is_flag=True, help="Only say how much is due.")
@click.option("--as", "actor", metavar="ACTOR", help="Who acts; without it your log-in name.")
def erase(*, dry_run: bool, actor: str | None) -> None:
    """Erase residencies that ended long enough ago, with their people's keys; run it every night.

    Two years, or MENPAI_RETENTION_DAYS. Their counts must be in a release of that day or later.
    """
    erased = retention.erase(acting(actor) or log_in_name(), dry_run=dry_run)
    head = "到期 due" if dry_run else "已注销 erased"
    click.echo(
        f"{head} ({erased.ended_by}): {erased.persons} 人 persons, {erased.residencies} 条居住登记 residencies,"
        f" {erased.declarations} 份申报 declarations, {erased.roster_rows} 条待核 waiting rows,"
        f" {erased.accesses} 条访问记录 access records,"
        f" {erased.keys} 把密钥 keys"
    )


@click.command("categories")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option("--as", "actor", metavar="ACTOR", help="Account that acts; MENPAI_TOKEN says it too.")
@click.option("--purpose", metavar="PURPOSE", help=f"Why: {', '.join(Purpose)}.")
def renew_categories(*, dry_run: bool, actor: str | None, purpose: str | None) -> None:
    """Rule anew on every residency in one's divisions, and say what changed and why.

    After an import of divisions or of code changes, after a building was found in another county, and when a year
    begins for which a change of codes is set down.
    """
    who = acting(actor)
    if who is None or purpose not in set(Purpose):
        raise PurposeMissing(known=", ".join(Purpose))
    shifts = rulings.renew(who, purpose=Purpose(purpose), dry_run=dry_run)
    for shift in shifts:
        was, now = shift.before, shift.after
        click.echo(
            f"居住 living in {shift.county}, 户籍 hukou {shift.hukou or '—'}: {was.category.zh} {was.category.value}"
            f" ({was.reason.value}) → {now.category.zh} {now.category.value} ({now.reason.value}, {now.reason.zh}):"
            f" {_told(shift.residencies)}"
        )
    head = "将变更 would change" if dry_run else "已变更 changed"
    total = sum(shift.residencies for shift in shifts)
    click.echo(f"{head}: {_told(total)} 条居住登记 residencies")


def _told(residencies: int) -> str:
    """Return about how many, none under ten: by hukou and county a small count points at somebody (rights.md, 8)."""
    if residencies == 0:
        return "0"
    about = disclosure.shown(residencies)
    return f"<{disclosure.WITHHELD_BELOW}" if about is None else f"≈{about:,.0f}"
