"""``menpai log``: the access log sealed, checked against heads kept outside, and shown to auditors."""

import os
from pathlib import Path

import click

from api.commands.options import acting, existing_file
from gis.errors import AccessLogBroken, BadArgument, BadHead, FileNotReadable
from gis.residents import access_log
from gis.residents.access_log import Findings, Head
from gis.residents.signing import head_signer


@click.command("head")
@click.option("--out", type=click.Path(path_type=Path), help="Write the head there; without it, on the terminal.")
def head(out: Path | None) -> None:
    """Seal the access log and export its signed head, to be kept by a body outside; run it on a schedule."""
    sealed = access_log.seal(head_signer())  # committed when it returns: no head outside is ahead of the log
    if out is None:
        click.echo(sealed.written().decode(), nl=False)
    else:
        _write(out, sealed.written())
    click.echo(f"已封存 sealed: {sealed.position} 条 records；等待 waiting: {sealed.waiting}", err=True)


@click.command("verify")
@click.option("--head", "path", metavar="FILE", type=existing_file, help="A head that was kept outside.")
def verify(path: Path | None) -> None:
    """Check the access log; with --head, against a head kept outside: exit 0 intact, 2 broken."""
    outside = _read(path) if path else None
    found = access_log.verify(outside)
    if found.count:
        raise AccessLogBroken(count=found.count, why="; ".join(found.faults))
    _tell(found, outside)


@click.command("show")
@click.option("--as", "actor", metavar="ACTOR", help="The auditor; MENPAI_TOKEN says it too.")
@click.option("--before", type=int, help="Only records older than this one.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="How many.")
def show(actor: str | None, before: int | None, limit: int) -> None:
    """List accesses, the newest first: who, when, why, which fields; never whom."""
    who = acting(actor)
    if who is None:
        raise BadArgument(why="name the auditor with --as ACTOR, or set MENPAI_TOKEN")
    for row in access_log.find_records(who, before, limit):
        batch = f"batch {row.batch_id}" if row.batch_id else ""
        said = (
            f"{row.id}",
            f"{row.at:%Y-%m-%d %H:%M:%S}",
            row.actor,
            row.purpose,
            row.act,
            batch,
            " ".join(row.fields),
        )
        click.echo("\t".join(part for part in said if part))


def _tell(found: Findings, outside: Head | None) -> None:
    """Say what is held, and what nothing holds."""
    click.echo(f"完好 intact: {found.positions} 条已封存 sealed, {found.unsealed} 条未封存 unsealed")
    click.echo(f"已注销人员引用 persons erased from records: {found.erased}")
    if outside is None:
        click.echo(
            "未提供外部链头：库主仍可改写全部记录而不被发现。 No head from outside was given: whoever owns the database"
            " could have written all of it anew. Only accidents, and changes by others, would show."
        )
        return
    click.echo(f"外部链头 outside head: position {outside.position}, {outside.at}, key {outside.key[:16]}")
    if found.erased != outside.erased:
        click.echo(f"此后注销 erased since: {found.erased - outside.erased} (see the office's erasures)")
    click.echo(
        f"链头之后的 {found.after + found.unsealed} 条不受保护。 {found.after + found.unsealed} records came after that"
        " head: they are unprotected until a newer one is kept outside."
    )


def _read(path: Path) -> Head:
    """Read a head; raises FileNotReadable, BadHead."""
    try:
        return Head.read(path.read_bytes())
    except OSError as error:
        raise FileNotReadable(path=path, why=error.strerror) from error
    except ValueError as error:
        raise BadHead(path=path, why=str(error)) from error


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; raises FileNotReadable."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        raise FileNotReadable(path=path, why=error.strerror) from error
