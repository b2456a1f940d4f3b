"""Roster import: every row registered in its dwelling, unchanged, queued for a person, or refused.

A chunk of rows is read, checked and sealed while the database places the chunk before it. Its keys are on disk before
its rows leave this process, and each chunk is a transaction: a crash costs one chunk and leaves some unused keys. The
batch counts as unfinished until its last chunk is in; the same import again goes on where it stopped, under the same
batch, and says of every row what the whole import did with it.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

import orjson
import pyarrow as pa
import pyarrow.compute as pc
from psycopg.errors import ExclusionViolation, UniqueViolation
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from gis.errors import NotAllowed, PurposeMissing, RosterDisturbed
from gis.residents import keys, registering
from gis.residents.accesses import record_batch
from gis.residents.addressing import Addressing
from gis.residents.identities import Hasher
from gis.residents.reading import COLUMNS, Reader, ReadRow, seal_rows
from gis.store import session
from gis.terms import BatchKind, Outcome, Purpose, Reason

CHUNK_ROWS: Final = 50_000
"""Rows held in the clear at a time; memory is bounded by this, not by the file."""
ROSTER_LOCK: Final = 0x6D70_0002
"""One roster at a time: two must not both register the same person."""
QUEUE_LASTS: Final = dt.timedelta(days=90)
"""How long queued and refused rows wait for a person before they expire with their batch."""
CHINA: Final = ZoneInfo("Asia/Shanghai")
RESULTS: Final = pa.schema(
    [
        pa.field("row", pa.int32(), nullable=False),
        pa.field("source_id", pa.string()),
        pa.field("outcome", pa.string()),
        pa.field("building_no", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("detail", pa.string()),
    ]
)

Progress = Callable[[int], None]


@dataclass(frozen=True)
class RosterResult:
    """What became of a roster; the four counts add up to its rows."""

    batch_id: int
    registered: int
    unchanged: int
    queued: int
    refused: int
    results: pa.Table
    """row, source_id (the occupant_id), outcome, building_no, reason, detail: one for each row, in the file's order."""


@dataclass(frozen=True)
class _Chunk:
    """A part of the file, read: sealed already where the source is new and no row can be known."""

    numbers: list[int]
    rows: list[ReadRow]
    sealed: pa.Table | None
    again: bool
    """An earlier run of this batch committed at least a part of it."""


def import_roster(  # noqa: PLR0913 - a batch is told apart by all of these
    rows: pa.Table,
    *,
    source: str,
    file_name: str,
    actor: str,
    purpose: str = Purpose.ROSTER_REVIEW,
    batch_date: dt.date | None = None,
    on_progress: Progress = lambda _: None,
) -> RosterResult:
    """Register the people of a table (rows.ROSTER_ROWS) and say what became of each row.

    ``actor`` needs a registrar's grant; rows outside its divisions are queued. ``batch_date`` (default:
    today) is from when residencies hold that give no date. ``on_progress`` hears how many rows more are
    done. A batch of the same source, file, actor and number of rows that was broken off is gone on with. Raises
    PurposeMissing, NotAllowed, RosterDisturbed, KeysUnreadable, DatabaseUnreachable; chunks before that are kept.
    """
    if purpose not in set(Purpose):
        raise PurposeMissing(known=", ".join(Purpose))
    work = partial(session.open, "registrar", actor=actor, purpose=purpose)
    with keys.open_store() as store, _told_plainly(), work() as guard:
        _let_in(guard, actor)  # it waits idle beside the transactions of the chunks, and keeps other rosters out
        with work() as connection:
            batch = _open_batch(connection, rows, (source, file_name, actor), batch_date)
        fields = [name for name in COLUMNS if rows[name].null_count < rows.num_rows]
        tables = [RESULTS.empty_table()]
        for chunk in _chunks(rows, Reader(Hasher(store), batch.day, _repeated(rows)), store, batch):
            with work() as connection:
                registering.prepare(connection)
                tables.append(_take(connection, chunk, store, batch))
                if not chunk.again:
                    _count(connection, batch, tables)
                record_batch(connection, "import", batch.id, fields)
                superseded = registering.superseded_keys(connection)
            if superseded:
                store.destroy(superseded)
            on_progress(len(chunk.numbers))
        with work() as connection:
            counts = _count(connection, batch, tables, finished=True)
    return RosterResult(batch.id, *counts, pa.concat_tables(tables))


def _let_in(connection: Connection, actor: str) -> None:
    """Take the roster lock until the import ends; raises NotAllowed where the actor is no registrar."""
    if connection.execute(text("SELECT isempty(calc.jurisdiction())")).scalar_one():
        raise NotAllowed(who=actor, what="import a roster: no grant as registrar is in force")
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ROSTER_LOCK})


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Say in one sentence that a desk was quicker: constraints let no two principal residencies overlap."""
    try:
        yield
    except IntegrityError as error:
        if isinstance(error.orig, (ExclusionViolation, UniqueViolation)):
            raise RosterDisturbed from error
        raise


_FIND_UNFINISHED: Final = text("""
    SELECT id, CAST(options ->> 'batch_date' AS date) AS day, registered + unchanged + queued + refused AS done
    FROM reg.batches
    WHERE kind = :kind AND source_id = :source AND file_name = :file AND actor = :actor AND finished_at IS NULL
        AND CAST(options ->> 'rows' AS bigint) = :rows
        AND CAST(options ->> 'batch_date' AS date) = coalesce(:day, CAST(options ->> 'batch_date' AS date))
    ORDER BY id DESC LIMIT 1
""")
_BEGIN: Final = text("""
    INSERT INTO reg.batches
        (kind, source_id, file_name, actor, options, registered, unchanged, queued, refused, finished_at)
    VALUES (:kind, :source, :file, :actor, CAST(:options AS jsonb), 0, 0, 0, 0, NULL) RETURNING id
""")
_HAS_OTHERS: Final = text("""
    SELECT EXISTS (SELECT FROM reg.batches WHERE kind = :kind AND source_id = :source AND id <> :id)
""")


def _open_batch(
    connection: Connection, rows: pa.Table, origin: tuple[str, str, str], given: dt.date | None
) -> registering.Batch:
    """Make the batch, or return the one of the same file that was broken off."""
    source, file_name, actor = origin
    connection.execute(text("INSERT INTO reg.sources (name) VALUES (:name) ON CONFLICT DO NOTHING"), {"name": source})
    source_id = connection.execute(text("SELECT id FROM reg.sources WHERE name = :name"), {"name": source}).scalar_one()
    known = {"kind": BatchKind.ROSTER.value, "source": source_id, "file": file_name, "actor": actor}
    today = dt.datetime.now(CHINA).date()
    found = connection.execute(_FIND_UNFINISHED, known | {"rows": rows.num_rows, "day": given}).first()
    if found is None:
        options = orjson.dumps({"batch_date": given or today, "rows": rows.num_rows}).decode()
        batch_id, day, done = connection.execute(_BEGIN, known | {"options": options}).scalar_one(), given or today, 0
    else:
        batch_id, day, done = found
    others = connection.execute(_HAS_OTHERS, known | {"id": batch_id}).scalar_one()
    return registering.Batch(batch_id, source_id, day, today + QUEUE_LASTS, Addressing(), not others, done)


def _repeated(rows: pa.Table) -> set[str]:
    """Return the occupant ids that stand in the file more than once: which row is right is for a person to say."""
    ids = pc.utf8_trim_whitespace(rows["occupant_id"].combine_chunks()).drop_null()
    counts = pc.value_counts(ids)
    return set(counts.filter(pc.greater(counts.field("counts"), 1)).field("values").to_pylist())


def _chunks(rows: pa.Table, reader: Reader, store: keys.KeyStore, batch: registering.Batch) -> Iterator[_Chunk]:
    """Yield the file's chunks, each read while the one before is being registered."""

    def read(start: int) -> _Chunk:
        part = rows.slice(start, CHUNK_ROWS)
        numbers, read_rows = part["row"].to_pylist(), reader.read(part)
        again = start < batch.done
        sealed = seal_rows(numbers, read_rows, store) if batch.new_source and not again else None
        return _Chunk(numbers, read_rows, sealed, again)

    starts = range(0, rows.num_rows, CHUNK_ROWS)
    with ThreadPoolExecutor(max_workers=1) as ahead:
        coming = ahead.submit(read, 0) if starts else None
        for start in starts:
            assert coming is not None  # noqa: S101 - one is submitted for every start
            chunk = coming.result()
            if start + CHUNK_ROWS < rows.num_rows:
                coming = ahead.submit(read, start + CHUNK_ROWS)
            yield chunk


def _take(connection: Connection, chunk: _Chunk, store: keys.KeyStore, batch: registering.Batch) -> pa.Table:
    """Register one chunk and return its part of the results."""
    known: dict[str, registering.Known] = {}
    before: dict[int, registering.Verdict] = {}
    fresh = chunk.sealed
    if fresh is None:
        known = registering.find_known(connection, batch, chunk.rows)
        before = _find_declined(connection, chunk, batch)
        if chunk.again:
            before |= registering.find_waiting(connection, batch, chunk.numbers)
        fresh = _seal_fresh(chunk, store, known, before)
    registering.register(connection, batch, fresh)
    return _results(chunk, batch, known, before | registering.verdicts(connection))


def _find_declined(connection: Connection, chunk: _Chunk, batch: registering.Batch) -> dict[int, registering.Verdict]:
    """Return the rows of a chunk against which a registrar has decided already, word for word the same."""
    declined = registering.find_declined(connection, batch)
    verdict = registering.Verdict(Outcome.REFUSED, None, Reason.DECLINED, None)
    rows = zip(chunk.numbers, chunk.rows, strict=True)
    return {number: verdict for number, row in rows if row.row_digest in declined}


def _seal_fresh(
    chunk: _Chunk,
    store: keys.KeyStore,
    known: dict[str, registering.Known],
    before: dict[int, registering.Verdict],
) -> pa.Table:
    """Seal the rows that are not registered as they stand; one that says something new is queued."""
    numbers, fresh = [], []
    for number, row in zip(chunk.numbers, chunk.rows, strict=True):
        if number in before:
            continue
        registered = known.get(row.occupant_id or "")
        if registered is None or row.reason is not None:
            numbers.append(number)
            fresh.append(row)
        elif registered.row_digest != row.row_digest:
            numbers.append(number)
            fresh.append(row._replace(outcome=Outcome.QUEUED, reason=Reason.CHANGED_SINCE_REGISTERED))
    return seal_rows(numbers, fresh, store)


def _results(
    chunk: _Chunk,
    batch: registering.Batch,
    known: dict[str, registering.Known],
    verdicts: dict[int, registering.Verdict],
) -> pa.Table:
    """Return a row of results for each row of a chunk, in its order."""
    lines = []
    for number, row in zip(chunk.numbers, chunk.rows, strict=True):
        verdict = verdicts.get(number)
        if verdict is None:
            registered = known[row.occupant_id or ""]
            outcome = Outcome.REGISTERED if registered.batch_id == batch.id else Outcome.UNCHANGED
            building = registered.building_number
            verdict = registering.Verdict(outcome, str(building) if building else None, None, None)
        lines.append((number, row.occupant_id, *verdict))
    columns = list(zip(*lines, strict=True)) or [()] * len(RESULTS)
    return pa.table(
        [pa.array(column, type=field.type) for column, field in zip(columns, RESULTS, strict=True)], RESULTS
    )


def _count(
    connection: Connection, batch: registering.Batch, tables: list[pa.Table], *, finished: bool = False
) -> tuple[int, int, int, int]:
    """Write how far the batch is, or that it is finished; return its counts: registered, unchanged, queued, refused."""
    entries = pc.value_counts(pa.concat_tables(tables)["outcome"].combine_chunks())
    tally = {entry["values"].as_py(): entry["counts"].as_py() for entry in entries}
    counts = {outcome.value: tally.get(outcome.value, 0) for outcome in Outcome}
    connection.execute(
        text(
            "UPDATE reg.batches SET registered = :registered, unchanged = :unchanged, queued = :queued,"
            " refused = :refused, finished_at = CASE WHEN :finished THEN now() END WHERE id = :id"
        ),
        counts | {"id": batch.id, "finished": finished},
    )
    return counts["registered"], counts["unchanged"], counts["queued"], counts["refused"]
