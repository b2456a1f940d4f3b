"""``menpai review``: rows of rosters that wait for a person. Who acts and why is named; opening one is logged."""

from collections.abc import Callable
from typing import Any

import click

from api.acting import number_of
from api.commands.options import acting
from gis import numbering
from gis.errors import BadArgument, PurposeMissing
from gis.residents import reviews
from gis.residents.residencies import Dwelling
from gis.residents.reviews import Waiting
from gis.terms import Purpose

_SHOWN = 3
"""Candidates on a line of the queue."""


def _who(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add who acts, and why."""
    for option in (
        click.option("--purpose", metavar="PURPOSE", help=f"Why: {', '.join(Purpose)}."),
        click.option("--as", "actor", metavar="ACTOR", help="Account that acts; MENPAI_TOKEN says it too."),
    ):
        command = option(command)
    return command


@click.command("list")
@click.option("--after", default="0-0", metavar="BATCH-ROW", help="Only rows behind this one.")
@click.option("--limit", type=click.IntRange(1, reviews.MOST), default=100, show_default=True)
@_who
def list_rows(after: str, limit: int, actor: str | None, purpose: str | None) -> int:
    """List rows that wait, with the buildings each may mean, the likeliest first; exit 1 where there are any."""
    who, why = _checked(actor, purpose)
    rows = reviews.find_waiting(who, after=_place(after), limit=limit, purpose=why)
    for row in rows:
        click.echo(_line(row))
    return 1 if rows else 0


@click.command("open")
@click.argument("row", metavar="BATCH-ROW")
@_who
def open_row(row: str, actor: str | None, purpose: str | None) -> None:
    """Show who a row is about; this leaves an access record."""
    who, why = _checked(actor, purpose)
    identity = reviews.open_row(*_place(row), who, purpose=why)
    for name, value in identity._asdict().items():
        click.echo(_plain(f"{name}: {value or '-'}"))


@click.command("place")
@click.argument("row", metavar="BATCH-ROW")
@click.argument("dwelling", metavar="NUMBER[-DWELLING]")
@_who
def place(row: str, dwelling: str, actor: str | None, purpose: str | None) -> None:
    """Register the person of a row in a dwelling, such as 1000 0000 1213-0001."""
    who, why = _checked(actor, purpose)
    number, _, sequence = dwelling.partition("-")
    if sequence and not (sequence.isascii() and sequence.isdigit()):
        raise BadArgument(why=f"{dwelling} is no dwelling: give a building number and its dwelling, NUMBER-0001")
    where = Dwelling(number_of(number), int(sequence or 1))
    reviews.place(*_place(row), where, who, purpose=why)
    click.echo(f"已登记 registered: {row} → {where}")


@click.command("refuse")
@click.argument("row", metavar="BATCH-ROW")
@_who
def refuse(row: str, actor: str | None, purpose: str | None) -> None:
    """Decide against a row; who it is about is forgotten."""
    who, why = _checked(actor, purpose)
    reviews.refuse(*_place(row), who, purpose=why)
    click.echo(f"不予登记 refused: {row}")


def _checked(actor: str | None, purpose: str | None) -> tuple[str, Purpose]:
    """Return who acts and why; raises PurposeMissing."""
    who = acting(actor)
    if who is None or purpose not in set(Purpose):
        raise PurposeMissing(known=", ".join(Purpose))
    return who, Purpose(purpose)


def _place(written: str) -> tuple[int, int]:
    """Return batch and row of ``12-345``; raises BadArgument."""
    batch, _, row = written.partition("-")
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in (batch, row)):  # noqa: PLR2004 - int4
        raise BadArgument(why=f"{written} is no row: “menpai review list” names them as BATCH-ROW, such as 12-345")
    return int(batch), int(row)


def _line(row: Waiting) -> str:
    """Return a row that waits as one line for a person."""
    candidates = "；".join(
        f"{numbering.show(str(one.building))} {one.standard_address or ''}" for one in row.candidates[:_SHOWN]
    )
    parts = (f"{row.batch}-{row.row}", row.occupant_id or "", f"{row.reason.zh} {row.reason.value}")
    return "\t".join(map(_plain, (*parts, row.address or "", candidates)))


def _plain(text: str) -> str:
    """Return a text in which what a terminal would obey is shown as a dot."""
    return "".join(sign if sign.isprintable() else "·" for sign in text)
