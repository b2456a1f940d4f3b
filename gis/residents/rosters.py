"""Roster import: every row registered in its dwelling, unchanged, queued for a person, or refused.

A chunk of rows is read, checked and sealed while the database places the chunk before it. Its keys are
on disk before its rows leave this process; the rows themselves become visible all at once when the one
transaction ends, so that a crash leaves some unused keys and nothing else.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
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
    done. Raises PurposeMissing, NotAllowed, RosterDisturbed, KeysUnreadable,
    DatabaseUnreachable; then nothing is kept.
    """
    if purpose not in set(Purpose):
        raise PurposeMissing(known=", ".join(Purpose))
    day = batch_date or dt.datetime.now(CHINA).date()
    with keys.open_store() as store, _told_plainly():
        with session.open("registrar", actor=actor, purpose=purpose) as connection:
            batch = _open_batch(connection, rows, (source, file_name, actor), day)
            registering.prepare(connection)
            parts = []
            for chunk in _chunks(rows, Reader(Hasher(store), day, _repeated(rows)), store, batch):
                parts.append(_take(connection, chunk, store, batch))
                on_progress(len(chunk.numbers))
            results = pa.concat_tables(parts) if parts else RESULTS.empty_table()
            counts = _close_batch(connection, batch, results)
            _record_access(connection, rows, batch, (actor, purpose))
            superseded = registering.superseded_keys(connection)
        store.destroy(superseded)
    return RosterResult(batch.id, *counts, results)


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Say in one sentence that a desk was quicker: constraints let no two principal residencies overlap."""
    try:
        yield
    except IntegrityError as error:
        if isinstance(error.orig, (ExclusionViolation, UniqueViolation)):
            raise RosterDisturbed from error
        raise


def _open_batch(
    connection: Connection, rows: pa.Table, origin: tuple[str, str, str], day: dt.date
) -> registering.Batch:
    """Take the roster lock and make the batch; raises NotAllowed where the actor is no registrar."""
    source, file_name, actor = origin
    if connection.execute(text("SELECT isempty(calc.jurisdiction())")).scalar_one():
        raise NotAllowed(who=actor, what="import a roster: no grant as registrar is in force")
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ROSTER_LOCK})
    made = connection.execute(
        text("INSERT INTO reg.sources (name) VALUES (:name) ON CONFLICT DO NOTHING"), {"name": source}
    ).rowcount
    source_id = connection.execute(text("SELECT id FROM reg.sources WHERE name = :name"), {"name": source}).scalar_one()
    batch_id = connection.execute(
        text(
            "INSERT INTO reg.batches"
            " (kind, source_id, file_name, actor, options, registered, unchanged, queued, refused)"
            " VALUES (:kind, :source, :file, :actor, CAST(:options AS jsonb), 0, 0, 0, 0) RETURNING id"
        ),
        {
            "kind": BatchKind.ROSTER.value,
            "source": source_id,
            "file": file_name,
            "actor": actor,
            "options": orjson.dumps({"batch_date": day, "rows": rows.num_rows}).decode(),
        },
    ).scalar_one()
    expires_on = dt.datetime.now(CHINA).date() + QUEUE_LASTS
    return registering.Batch(batch_id, source_id, day, expires_on, Addressing(connection), new_source=bool(made))


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
        return _Chunk(numbers, read_rows, seal_rows(numbers, read_rows, store) if batch.new_source else None)

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
    if chunk.sealed is not None:
        fresh, known = chunk.sealed, {}
    else:
        known = registering.find_known(connection, batch, chunk.rows)
        fresh = _seal_fresh(chunk, store, known)
    registering.register(connection, batch, fresh)
    verdicts = registering.verdicts(connection)
    return _results(chunk, known, verdicts)


def _seal_fresh(chunk: _Chunk, store: keys.KeyStore, known: dict[str, registering.Known]) -> pa.Table:
    """Seal the rows that are not registered as they stand; one that says something new is queued."""
    numbers, fresh = [], []
    for number, row in zip(chunk.numbers, chunk.rows, strict=True):
        before = known.get(row.occupant_id or "")
        if before is None or row.reason is not None:
            numbers.append(number)
            fresh.append(row)
        elif before.row_digest != row.row_digest:
            numbers.append(number)
            fresh.append(row._replace(outcome=Outcome.QUEUED, reason=Reason.CHANGED_SINCE_REGISTERED))
    return seal_rows(numbers, fresh, store)


def _results(chunk: _Chunk, known: dict[str, registering.Known], verdicts: dict[int, registering.Verdict]) -> pa.Table:
    """Return a row of results for each row of a chunk, in its order."""
    lines = []
    for number, row in zip(chunk.numbers, chunk.rows, strict=True):
        verdict = verdicts.get(number)
        if verdict is None:
            building = known[row.occupant_id or ""].building_number
            verdict = registering.Verdict(Outcome.UNCHANGED, str(building) if building else None, None, None)
        lines.append((number, row.occupant_id, *verdict))
    columns = list(zip(*lines, strict=True)) or [()] * len(RESULTS)
    return pa.table(
        [pa.array(column, type=field.type) for column, field in zip(columns, RESULTS, strict=True)], RESULTS
    )


def _close_batch(connection: Connection, batch: registering.Batch, results: pa.Table) -> tuple[int, int, int, int]:
    """Write the batch's counts and return them: registered, unchanged, queued, refused."""
    tally = {
        entry["values"].as_py(): entry["counts"].as_py()
        for entry in pc.value_counts(results["outcome"].combine_chunks())
    }
    counts = {outcome.value: tally.get(outcome.value, 0) for outcome in Outcome}
    connection.execute(
        text(
            "UPDATE reg.batches SET registered = :registered, unchanged = :unchanged, queued = :queued,"
            " refused = :refused WHERE id = :id"
        ),
        counts | {"id": batch.id},
    )
    return counts["registered"], counts["unchanged"], counts["queued"], counts["refused"]


def _record_access(connection: Connection, rows: pa.Table, batch: registering.Batch, who: tuple[str, str]) -> None:
    """Leave the record of this import: which fields the batch brought in, for whom the batch itself stands."""
    fields = [name for name in COLUMNS if rows[name].null_count < rows.num_rows]
    connection.execute(
        text(
            "INSERT INTO reg.access_records (actor, purpose, act, batch_id, fields)"
            " VALUES (:actor, :purpose, 'import', :batch, :fields)"
        ),
        {"actor": who[0], "purpose": str(who[1]), "batch": batch.id, "fields": fields},
    )
