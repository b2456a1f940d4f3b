"""RESULT files and sums: what became of every row of a file."""

import csv
import os
import tempfile
from pathlib import Path
from typing import Protocol

import click
import pyarrow as pa

from gis.errors import BadArgument
from gis.terms import Outcome

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the start of a formula (OWASP, CSV injection)."""


class Sums(Protocol):
    """The four counts of a batch."""

    @property
    def registered(self) -> int: ...  # noqa: D102 - a count by its outcome
    @property
    def unchanged(self) -> int: ...  # noqa: D102
    @property
    def queued(self) -> int: ...  # noqa: D102
    @property
    def refused(self) -> int: ...  # noqa: D102


def check_writable(out: Path | None) -> None:
    """Refuse a file that could not be written, before the work begins; raises BadArgument."""
    if out is not None and (out.is_dir() or not os.access(out.parent, os.W_OK)):
        raise BadArgument(why=f"{out} cannot be written: its folder is missing or closed, or it is a folder itself")


def write(results: pa.Table, out: Path) -> None:
    """Write one line for every row, whole or not at all; raises OSError.

    Text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    columns = [guarded(results[name]) for name in results.column_names]
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", newline="", dir=out.parent, prefix=f".{out.name}.", delete=False
    ) as file:
        draft = Path(file.name)
        try:
            lines = csv.writer(file, lineterminator="\r\n")
            lines.writerow(results.column_names)
            lines.writerows(zip(*columns, strict=True))
            file.flush()
            draft.chmod(0o644)
            draft.replace(out)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise


def guarded(column: pa.ChunkedArray) -> list[object]:
    """Return a column's values, none of which a spreadsheet takes for a formula; negative numbers stay."""
    values: list[object] = column.to_pylist()
    if not pa.types.is_string(column.type):
        return values
    return [f"'{value}" if _is_formula(value) else value for value in values]


def _is_formula(value: object) -> bool:
    """Tell whether a spreadsheet would run a text."""
    if not isinstance(value, str) or not value.startswith(FORMULA_STARTS):
        return False
    try:
        float(value)
    except ValueError:
        return True
    return value[0] in "\t\r"


def told(sums: Sums) -> str:
    """Return the sums of a batch as one line."""
    counts = [(outcome, getattr(sums, outcome.value)) for outcome in Outcome]
    total = sum(count for _, count in counts)
    return " · ".join(f"{outcome.zh} {count:,} {outcome.value}" for outcome, count in counts) + f" · 共 {total:,} rows"


def tell(sums: Sums, *, dry_run: bool = False) -> int:
    """Print one line of sums and return the exit code: 1 where some rows need a person."""
    trial = "试运行，未保存 dry run, nothing kept · " if dry_run else ""
    click.echo(trial + told(sums))
    return 1 if sums.queued or sums.refused else 0
