"""ROSTER files: CSV by RFC 4180 with a header, read as text, every row of them."""

import codecs
import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as pacsv

from gis.errors import RosterNotReadable
from gis.residents.rows import ROSTER_ROWS

BLOCK_BYTES: Final = 4 * 2**20
"""How much of the file is parsed at a time; a row must fit into it."""
NEEDED: Final = ("occupant_id", "address")
_COLUMNS: Final = tuple(ROSTER_ROWS.names[1:])


@dataclass(frozen=True)
class Roster:
    """A roster as it was read."""

    rows: pa.Table
    """One row of ROSTER_ROWS for each row of the file; one with a wrong number of fields has none of them."""
    ignored: tuple[str, ...]
    """Columns of the file that no roster has, as the file calls them."""


def read_roster(path: Path) -> Roster:
    """Read a ROSTER file (contract.md): UTF-8, with or without a byte order mark; columns in any order and case.

    Raises RosterNotReadable for a file that is not there, is not UTF-8, has no header with
    ``occupant_id`` and ``address``, or names a column twice.
    """
    try:
        _check_encoding(path)
        header = _header(path)
        columns = [name.strip().lower() for name in header]
        _check_columns(path, columns)
        rows = _read(path, columns)
    except OSError as error:
        raise RosterNotReadable(path=path, why=error.strerror or error) from error
    except (pa.ArrowInvalid, csv.Error) as error:
        raise RosterNotReadable(path=path, why=str(error).splitlines()[0]) from error
    ignored = [name.strip() for name, column in zip(header, columns, strict=True) if column not in _COLUMNS]
    return Roster(rows, tuple(ignored))


def _check_encoding(path: Path) -> None:
    """Refuse a file that is not UTF-8, and say what to do where it is the usual other thing."""
    at = _first_fault(path, "utf-8")
    if at is None:
        return
    if _first_fault(path, "gb18030") is None:
        raise RosterNotReadable(path=path, why="it is written in GB18030 (GBK); save it as CSV UTF-8 and import again")
    raise RosterNotReadable(path=path, why=f"it is not UTF-8 (near byte {at}); save it as CSV UTF-8 and import again")


def _first_fault(path: Path, encoding: str) -> int | None:
    """Return about where a file stops being in an encoding, to a block; None where it is in it throughout."""
    decoder = codecs.getincrementaldecoder(encoding)()
    done = 0
    with path.open("rb") as file:
        while True:
            block = file.read(BLOCK_BYTES)
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return done + error.start
            if not block:
                return None
            done += len(block)


def _header(path: Path) -> list[str]:
    """Return the names of the first line."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader([file.readline()]), [])


def _ends_with_header(path: Path) -> bool:
    with path.open("rb") as file:
        file.readline()
        return not file.read(1)


def _check_columns(path: Path, columns: list[str]) -> None:
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise RosterNotReadable(path=path, why=f"its header has no column {' and no column '.join(missing)}")
    twice = sorted({name for name in columns if name in _COLUMNS and columns.count(name) > 1})
    if twice:
        raise RosterNotReadable(path=path, why=f"its header names {', '.join(twice)} twice")


def _read(path: Path, columns: list[str]) -> pa.Table:
    """Return the rows under the header as ROSTER_ROWS; an unreadable one is there with nothing in it."""
    unreadable: list[int] = []

    def skip(row: Any) -> str:  # noqa: ANN401 - pyarrow ships no types
        unreadable.append(row.number - 1)  # it counts the header
        return "skip"

    names = [name if name in _COLUMNS else f"ignored {place}" for place, name in enumerate(columns)]
    wanted = [name for name in names if name in _COLUMNS]
    if _ends_with_header(path):
        return ROSTER_ROWS.empty_table()
    reader = pacsv.open_csv(
        path,
        read_options=pacsv.ReadOptions(column_names=names, skip_rows=1, use_threads=False, block_size=BLOCK_BYTES),
        parse_options=pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=skip),
        convert_options=pacsv.ConvertOptions(
            include_columns=wanted,
            column_types=dict.fromkeys(wanted, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            check_utf8=False,  # the whole file has been
        ),
    )
    return _numbered(pa.Table.from_batches(list(reader), reader.schema), unreadable)


def _numbered(read: pa.Table, unreadable: list[int]) -> pa.Table:
    """Put rows that were read and rows that could not be in the file's order, numbered from 1."""
    total = read.num_rows + len(unreadable)
    missing = {name: pa.nulls(len(unreadable), pa.string()) for name in read.column_names}
    both = pa.concat_tables([read, pa.table(missing)]) if unreadable else read
    lost = set(unreadable)
    numbers = [number for number in range(1, total + 1) if number not in lost] + unreadable
    columns = {"row": pa.array(numbers, type=pa.int32())}
    for name in _COLUMNS:
        columns[name] = both[name] if name in both.column_names else pa.nulls(total, pa.string())
    rows = pa.table(columns).cast(ROSTER_ROWS)
    return rows.sort_by("row") if unreadable else rows
