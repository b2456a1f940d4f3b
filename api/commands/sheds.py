"""``menpai sheds``: what stands for a time, and must be looked at."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
import pyarrow as pa

from api.commands import results
from gis.register import divisions, due
from gis.register.due import Due
from gis.store import session

COLUMNS = (
    *("due_on", "reasons", "building_no", "premises_id", "premises", "responsible_organisation"),
    *("division_code", "standard_address", "found", "inspected_on"),
)


@click.command("due")
@click.option("--division", metavar="CODE", help="Only in this division; without it everywhere.")
@click.option(
    "--within",
    type=click.IntRange(0, due.MOST_DAYS),
    default=due.WITHIN_DAYS,
    show_default=True,
    metavar="DAYS",
    help="Also what is due in so many days.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Write them as CSV instead of printing them.")
def due_list(division: str | None, within: int, out: Path | None) -> int:
    """List work sheds and sites that are due for inspection; exit 1 where there are any.

    On the day it expires nothing ends by itself: somebody goes there.
    """
    results.check_writable(out)
    code = None if division is None else divisions.parse_code(division)
    with session.open("planner") as connection:
        found = due.find_due(connection, code, within_days=within)
    if out is None:
        for one in found:
            click.echo(_line(one))
    else:
        results.write(_table(found), out)
    sums = Counter(one.number is None for one in found)
    click.echo(
        f"待检查 due: {sums[False]:,} structures 建筑物 · {sums[True]:,} premises 工地、小区、院落", err=out is None
    )
    return 1 if found else 0


def _line(one: Due) -> str:
    """Return what is due as one line for a person; what a terminal would obey is shown as a dot."""
    what = f"工地、小区、院落 premises {one.premises_id}" if one.number is None else str(one.number)
    parts = (
        str(one.due_on or "----------"),
        what,
        "，".join(f"{reason.zh} {reason.value}" for reason in one.reasons),
        " ".join(filter(None, (one.premises, one.standard_address, one.responsible_organisation))),
    )
    return "\t".join("".join(sign if sign.isprintable() else "·" for sign in part) for part in parts)


def _table(found: Sequence[Due]) -> pa.Table:
    """Return what is due as a table of texts, which are guarded when they are written."""
    rows = [
        (
            one.due_on,
            " ".join(one.reasons),
            one.number,
            one.premises_id,
            one.premises,
            one.responsible_organisation,
            one.division_code,
            one.standard_address,
            one.found,
            one.inspected_on,
        )
        for one in found
    ]
    texts = [["" if value is None else str(value) for value in row] for row in rows]
    columns = zip(*texts, strict=True) if texts else ([] for _ in COLUMNS)
    return pa.table([pa.array(column, pa.string()) for column in columns], names=list(COLUMNS))
