"""RESULT files and sums: what became of every row of a file."""

import csv
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import click
import pyarrow as pa

from gis.errors import BadArgument
from gis.terms import Outcome

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the start of a formula (OWASP, CSV injection)."""
_LEAST_ROOM = 4096
"""Octets that must find room before the work begins."""


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


def check_writable(out: Path | None, source: Path | None = None) -> None:
    """Refuse a file that could not be written, or is the source itself, before the work begins; raises BadArgument."""
    if out is None:
        return
    if out.exists() and not out.is_file():
        raise BadArgument(why=f"{out} cannot be written: it is a folder or a device")
    if source is not None and out.exists() and source.exists() and out.samefile(source):
        raise BadArgument(why=f"{out} is the file to be read; give --out another name")
    try:
        with tempfile.TemporaryFile(dir=out.resolve().parent) as trial:
            trial.write(bytes(_LEAST_ROOM))
    except OSError as error:
        raise BadArgument(why=f"{out} cannot be written: {error.strerror}") from error


def write(results: pa.Table, out: Path) -> None:
    """Write one line for every row, whole or not at all; raises BadArgument where there is no room."""
    with drafted(out) as draft:
        draft(results)


@contextmanager
def drafted(out: Path | None) -> Iterator[Callable[[pa.Table], None]]:
    """Yield a function that writes results beside ``out``; they become ``out`` at the end, or go where anything fails.

    So a register can wait with its commit until the results are on the disk.
    """
    if out is None:
        yield lambda _: None
        return
    place = out.resolve()  # the file that a link leads to
    drafts: list[Path] = []

    def write_draft(results: pa.Table) -> None:
        try:
            drafts.append(_new_draft(place))
            _fill(drafts[-1], results)
        except OSError as error:
            raise BadArgument(why=f"{out} cannot be written: {error.strerror}") from error

    try:
        yield write_draft
        for draft in drafts:
            draft.replace(place)
    except BaseException:
        for draft in drafts:
            draft.unlink(missing_ok=True)
        raise


@contextmanager
def streamed(out: Path, columns: Sequence[str]) -> Iterator[Callable[[Iterable[Sequence[object]]], None]]:
    """Yield a function that writes rows under these columns: they become ``out`` at the end, or go if anything fails.

    Raises BadArgument where there is no room.
    """
    place = out.resolve()
    draft = _new_draft(place)
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file, lineterminator="\r\n")
            lines.writerow(columns)
            yield lines.writerows
        draft.chmod(0o644)
        draft.replace(place)
    except OSError as error:
        raise BadArgument(why=f"{out} cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)


def _new_draft(out: Path) -> Path:
    """Return an empty file beside ``out``."""
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    os.close(handle)
    return Path(name)


def _fill(draft: Path, results: pa.Table) -> None:
    """Write one line for every row; text that a spreadsheet would run as a formula gets an apostrophe in front."""
    columns = [guarded(results[name]) for name in results.column_names]
    with draft.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\r\n")
        lines.writerow(results.column_names)
        lines.writerows(zip(*columns, strict=True))
    draft.chmod(0o644)


def guarded(column: pa.ChunkedArray) -> list[object]:
    """Return a column's values, none of which a spreadsheet takes for a formula; negative numbers stay."""
    values: list[object] = column.to_pylist()
    if not pa.types.is_string(column.type):
        return values
    return [f"'{value}" if _is_formula(value) else value for value in values]


def guarded_text(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) and _is_formula(text) else text


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
