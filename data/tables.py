"""CSV files by RFC 4180, read as text a block at a time: no row is lost, and none is guessed at."""

import codecs
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.csv as pacsv

from gis.errors import TableNotReadable

BLOCK_BYTES: Final = 4 * 2**20
"""How much of a file is parsed at a time; a row must fit into it."""


class Block(NamedTuple):
    """Some rows of a file."""

    rows: pa.RecordBatch
    """The wanted columns as text; one that the file lacks is null throughout."""
    numbers: list[int]
    """Each row's place in the file, from 1."""
    unreadable: list[int]
    """Places of rows before the last of these that have a wrong number of fields."""


class Header(NamedTuple):
    """The first line of a file."""

    columns: tuple[str, ...]
    """Without case and blanks."""
    ignored: tuple[str, ...]
    """Columns nobody asked for, as the file calls them."""


def read_header(path: Path, wanted: Sequence[str], needed: Sequence[str]) -> Header:
    """Check a file's encoding and first line; raises TableNotReadable with what to do about it."""
    try:
        _check_encoding(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            names = next(csv.reader([file.readline()]), [])
    except (OSError, csv.Error) as error:
        raise TableNotReadable(path=path, why=getattr(error, "strerror", None) or error) from error
    columns = [name.strip().lower() for name in names]
    if not any(columns):
        raise TableNotReadable(path=path, why="it is empty")
    missing = [name for name in needed if name not in columns]
    if missing:
        raise TableNotReadable(path=path, why=f"its header has no column {' and no column '.join(missing)}")
    twice = sorted({name for name in columns if name in wanted and columns.count(name) > 1})
    if twice:
        raise TableNotReadable(path=path, why=f"its header names {', '.join(twice)} twice")
    ignored = [name.strip() for name, column in zip(names, columns, strict=True) if column not in wanted]
    return Header(tuple(columns), tuple(ignored))


def blocks(path: Path, header: Header, wanted: Sequence[str]) -> Iterator[Block]:
    """Yield the rows under a header, in the file's order; raises TableNotReadable."""
    if _ends_with_header(path):
        return
    unreadable: list[int] = []

    def skip(row: Any) -> str:  # noqa: ANN401 - pyarrow ships no types
        unreadable.append(row.number - 1)  # it counts the header
        return "skip"

    names = [name if name in wanted else f"ignored {place}" for place, name in enumerate(header.columns)]
    present = [name for name in wanted if name in names]
    try:
        reader = pacsv.open_csv(
            path,
            read_options=pacsv.ReadOptions(column_names=names, skip_rows=1, use_threads=False, block_size=BLOCK_BYTES),
            parse_options=pacsv.ParseOptions(newlines_in_values=True, invalid_row_handler=skip),
            convert_options=pacsv.ConvertOptions(
                include_columns=present,
                column_types=dict.fromkeys(present, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                check_utf8=False,  # the whole file has been
            ),
        )
        yield from _numbered(reader, unreadable, wanted)
    except pa.ArrowInvalid as error:
        raise TableNotReadable(path=path, why=str(error).splitlines()[0]) from error


def _numbered(reader: pacsv.CSVStreamingReader, unreadable: list[int], wanted: Sequence[str]) -> Iterator[Block]:
    """Give each row its place in the file; what cannot be read keeps its own."""
    last = 0
    for batch in reader:
        numbers, lost = [], []
        skipped = set(unreadable)
        for _ in range(batch.num_rows):
            last += 1
            while last in skipped:
                lost.append(last)
                last += 1
            numbers.append(last)
        columns = [
            batch.column(name) if name in batch.schema.names else pa.nulls(batch.num_rows, pa.string())
            for name in wanted
        ]
        yield Block(pa.RecordBatch.from_arrays(columns, names=list(wanted)), numbers, lost)
    rest = sorted(number for number in unreadable if number > last)
    if rest:
        empty = pa.RecordBatch.from_arrays([pa.array([], pa.string()) for _ in wanted], names=list(wanted))
        yield Block(empty, [], rest)


def _check_encoding(path: Path) -> None:
    """Refuse a file that is not UTF-8, and say what to do where it is the usual other thing."""
    at = _first_fault(path, "utf-8")
    if at is None:
        return
    if _first_fault(path, "gb18030") is None:
        raise TableNotReadable(path=path, why="it is written in GB18030 (GBK); save it as CSV UTF-8 and try again")
    raise TableNotReadable(path=path, why=f"it is not UTF-8 (near byte {at}); save it as CSV UTF-8 and try again")


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


def _ends_with_header(path: Path) -> bool:
    with path.open("rb") as file:
        file.readline()
        return not file.read(1)
