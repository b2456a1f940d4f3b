"""Sealed rows into the register, a chunk at a time, in set-wise SQL.

Addresses that are equal after normalising place a row, or the matcher does (addressing); a room that is not there, a
building with several dwellings and none named, a residency that overlaps another: all wait for a person.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import pyarrow as pa
from sqlalchemy import Connection, text

from gis.categories import CodeChange, categories
from gis.residents import addressing
from gis.residents.addressing import Addressing
from gis.residents.reading import SEALED, ReadRow
from gis.store import copying
from gis.terms import BuildingStatus, CitizenshipClass, DwellingStatus, Outcome, Reason


@dataclass(frozen=True)
class Batch:
    """The batch that is being imported."""

    id: int
    source_id: int
    day: dt.date
    expires_on: dt.date
    addressing: Addressing
    """Matches the addresses that equal no registered one."""
    new_source: bool
    """No other roster was ever imported from this source: no row can be known but by this batch."""
    done: int
    """Rows that were committed before this run, which goes on with the rest."""


class Known(NamedTuple):
    """What the register holds of an occupant of this source."""

    row_digest: bytes | None
    building_number: int | None
    batch_id: int | None


class Verdict(NamedTuple):
    """What became of a row."""

    outcome: str
    building_no: str | None
    reason: str | None
    detail: str | None


_COLUMN_TYPES: Final = {
    pa.int32(): "integer",
    pa.int16(): "smallint",
    pa.string(): "text",
    pa.binary(): "bytea",
    pa.date32(): "date",
}
_STAGED: Final = (
    "CREATE TEMPORARY TABLE staged ("
    + ", ".join(f"{field.name} {_COLUMN_TYPES[field.type]}" for field in SEALED)
    + ") ON COMMIT DROP"
)
_PREPARE: Final = (
    _STAGED,
    """CREATE TEMPORARY TABLE placed (row integer, building_number bigint, division_code bigint,
        dwelling_sequence integer, person_id bigint, new_person boolean, outcome text, reason text) ON COMMIT DROP""",
    """CREATE TEMPORARY TABLE rulings (hukou_code integer, as_of integer, citizenship_class text, county bigint,
        category text, category_reason text) ON COMMIT DROP""",
    "CREATE TEMPORARY TABLE superseded (key_id uuid) ON COMMIT DROP",
    addressing.PREPARE,
)
# A whole address that is a building's leaves no room; otherwise what stands before the room must be one.
# Dwellings of the chunk's buildings are fetched once each, then joined.
_PLACE: Final = """
    WITH found AS MATERIALIZED (
        SELECT s.row, CASE WHEN m.row IS NULL THEN s.entrance ELSE m.entrance END AS entrance,
            CASE WHEN m.row IS NULL THEN s.floor ELSE m.floor END AS floor,
            coalesce(whole.building_number, part.building_number, m.building_number) AS building_number,
            CASE WHEN m.row IS NOT NULL THEN m.room WHEN whole.building_number IS NULL THEN s.room END AS room,
            whole.building_number IS NULL
                AND CASE WHEN m.row IS NULL THEN s.entrance ELSE m.entrance END IS NOT NULL AS names_entrance,
            m.reason AS unmatched
        FROM staged s
        LEFT JOIN matched m USING (row)
        LEFT JOIN reg.addresses whole ON whole.normalised = s.normalised AND whole.valid_to IS NULL
        LEFT JOIN reg.addresses part
            ON part.normalised = s.building AND part.valid_to IS NULL AND s.building <> s.normalised
        WHERE s.reason IS NULL
    ), near AS MATERIALIZED (
        SELECT d.building_number, d.sequence, d.entrance, d.floor, d.room
        FROM (SELECT DISTINCT building_number FROM found) f
        JOIN reg.dwellings d USING (building_number)
        WHERE d.status = :exists
    ), rooms AS MATERIALIZED (
        SELECT f.row, count(*) AS many, min(n.sequence) AS sequence
        FROM found f
        JOIN near n ON n.building_number = f.building_number AND n.room = f.room
            AND (f.entrance IS NULL OR n.entrance = f.entrance)
            AND (f.floor IS NULL OR n.floor IS NULL OR n.floor = f.floor)
        GROUP BY f.row
    ), single AS MATERIALIZED (
        SELECT building_number, min(sequence) AS sequence FROM near GROUP BY building_number HAVING count(*) = 1
    )
    INSERT INTO placed (row, building_number, division_code, dwelling_sequence, new_person, outcome, reason)
    SELECT f.row, f.building_number, b.division_code,
        CASE WHEN f.room IS NOT NULL THEN CASE WHEN r.many = 1 THEN r.sequence END
             WHEN NOT f.names_entrance THEN one.sequence END,
        true, NULL,
        CASE WHEN f.building_number IS NULL THEN coalesce(f.unmatched, :address_not_found)
             WHEN NOT b.division_code <@ (SELECT calc.jurisdiction()) THEN :outside_jurisdiction
             WHEN b.status <> :active THEN :building_not_active
             WHEN f.room IS NOT NULL AND r.many IS NULL THEN :dwelling_not_found
             WHEN f.room IS NOT NULL AND r.many > 1 THEN :dwelling_missing
             WHEN f.room IS NULL AND (one.sequence IS NULL OR f.names_entrance) THEN :dwelling_missing END
    FROM found f
    LEFT JOIN reg.buildings b ON b.number = f.building_number
    LEFT JOIN rooms r ON r.row = f.row
    LEFT JOIN single one ON one.building_number = f.building_number
"""
_SET_ASIDE: Final = """
    INSERT INTO placed (row, outcome, reason) SELECT row, outcome, reason FROM staged WHERE reason IS NOT NULL
"""
# Whoever is registered already keeps their record; an overlap with a principal residency waits.
_CLAIM: Final = """
    WITH wanted AS MATERIALIZED (
        SELECT p.row, s.document_digest, daterange(s.from_date, s.until_date, '[]') AS during,
            row_number() OVER (ORDER BY p.row) AS place
        FROM placed p JOIN staged s USING (row)
        WHERE p.reason IS NULL AND s.document_digest IS NOT NULL
    ), claims AS (
        SELECT * FROM calc.find_claims(
            (SELECT array_agg(document_digest ORDER BY place) FROM wanted),
            (SELECT array_agg(during ORDER BY place) FROM wanted))
    )
    UPDATE placed p SET person_id = c.person_id, new_person = false,
        reason = CASE WHEN c.overlaps THEN :overlapping_residency END
    FROM claims c JOIN wanted w USING (place)
    WHERE p.row = w.row
"""
# The same document twice in one chunk: one person, and of two overlapping residencies the later row waits.
_CLAIM_WITHIN: Final = """
    WITH wanted AS MATERIALIZED (
        SELECT p.row, s.document_digest, daterange(s.from_date, s.until_date, '[]') AS during
        FROM placed p JOIN staged s USING (row)
        WHERE p.reason IS NULL AND s.document_digest IN (
            SELECT t.document_digest FROM placed q JOIN staged t USING (row)
            WHERE q.reason IS NULL AND t.document_digest IS NOT NULL
            GROUP BY t.document_digest HAVING count(*) > 1)
    )
    UPDATE placed p SET reason = :overlapping_residency
    FROM wanted w
    WHERE p.row = w.row AND EXISTS (
        SELECT FROM wanted earlier
        WHERE earlier.document_digest = w.document_digest AND earlier.row < w.row AND earlier.during && w.during)
"""
_NUMBER_PERSONS: Final = """
    WITH fresh AS MATERIALIZED (
        SELECT p.row, first_value(p.row) OVER (
            PARTITION BY coalesce(s.document_digest, s.row_digest) ORDER BY p.row) AS first_row
        FROM placed p JOIN staged s USING (row)
        WHERE p.reason IS NULL AND p.person_id IS NULL
    ), numbered AS MATERIALIZED (
        SELECT row, nextval('reg.persons_id_seq') AS id FROM fresh WHERE row = first_row
    )
    UPDATE placed p SET person_id = n.id, new_person = f.row = f.first_row
    FROM fresh f JOIN numbered n ON n.row = f.first_row
    WHERE p.row = f.row
"""
_INSERT_PERSONS: Final = """
    INSERT INTO reg.persons (id, key_id, envelope, document_digest, citizenship_class, hukou_code, hukou_as_of)
    SELECT p.person_id, encode(s.key_id, 'hex')::uuid, s.envelope, s.document_digest, s.citizenship_class,
        s.hukou_code, s.hukou_as_of
    FROM placed p JOIN staged s USING (row)
    WHERE p.reason IS NULL AND p.new_person ORDER BY p.person_id
"""
_CASES: Final = """
    SELECT DISTINCT s.hukou_code, extract(year FROM s.hukou_as_of)::integer AS as_of, s.citizenship_class,
        p.division_code / 1000000 AS county
    FROM placed p JOIN staged s USING (row) WHERE p.reason IS NULL
"""
_INSERT_RESIDENCIES: Final = """
    INSERT INTO reg.residencies (person_id, building_number, dwelling_sequence, division_code, during, category,
        category_reason, basis, batch_id, source_id, occupant_id, row_digest)
    SELECT p.person_id, p.building_number, p.dwelling_sequence, p.division_code,
        daterange(s.from_date, s.until_date, '[]'), r.category, r.category_reason, s.basis, :batch, :source,
        s.occupant_id, s.row_digest
    FROM placed p
    JOIN staged s USING (row)
    JOIN rulings r ON coalesce(r.hukou_code, 0) = coalesce(s.hukou_code, 0)
        AND coalesce(r.as_of, 0) = coalesce(extract(year FROM s.hukou_as_of)::integer, 0)
        AND coalesce(r.citizenship_class, '') = coalesce(s.citizenship_class, '')
        AND r.county = p.division_code / 1000000
    WHERE p.reason IS NULL ORDER BY p.row
"""
_SUPERSEDE: Final = """
    WITH gone AS (
        DELETE FROM reg.roster_rows w USING reg.batches b, staged s
        WHERE b.id = w.batch_id AND b.source_id = :source AND b.id <> :batch AND w.occupant_id = s.occupant_id
        RETURNING w.key_id
    )
    INSERT INTO superseded SELECT key_id FROM gone WHERE key_id IS NOT NULL
"""
_INSERT_WAITING: Final = """
    INSERT INTO reg.roster_rows (batch_id, row, occupant_id, address, outcome, reason, detail, candidates,
        division_code, key_id, envelope, document_digest, citizenship_class, hukou_code, hukou_as_of, during, basis,
        expires_on, row_digest)
    SELECT :batch, s.row, s.occupant_id, s.address, coalesce(p.outcome, :queued), p.reason, s.detail,
        CASE WHEN p.building_number IS NOT NULL THEN jsonb_build_array(p.building_number)
            ELSE m.candidates::jsonb END,
        CASE WHEN p.reason <> :outside_jurisdiction THEN p.division_code END,
        encode(s.key_id, 'hex')::uuid, s.envelope, s.document_digest, s.citizenship_class, s.hukou_code,
        s.hukou_as_of, daterange(s.from_date, s.until_date, '[]'), s.basis, :expires_on, s.row_digest
    FROM placed p JOIN staged s USING (row) LEFT JOIN matched m USING (row) WHERE p.reason IS NOT NULL
"""
_VERDICTS: Final = """
    SELECT p.row, CASE WHEN p.reason IS NULL THEN :registered ELSE coalesce(p.outcome, :queued) END,
        CASE WHEN p.reason IS NULL THEN p.building_number::text END, p.reason, s.detail
    FROM placed p JOIN staged s USING (row)
"""
_WORDS: Final[dict[str, str]] = {
    "exists": DwellingStatus.EXISTS.value,
    "active": BuildingStatus.ACTIVE.value,
    "queued": Outcome.QUEUED.value,
    "registered": Outcome.REGISTERED.value,
} | {
    reason.value: reason.value
    for reason in (
        Reason.ADDRESS_NOT_FOUND,
        Reason.OUTSIDE_JURISDICTION,
        Reason.BUILDING_NOT_ACTIVE,
        Reason.DWELLING_NOT_FOUND,
        Reason.DWELLING_MISSING,
        Reason.OVERLAPPING_RESIDENCY,
    )
}


def prepare(connection: Connection) -> None:
    """Make the temporary tables of a transaction; only sealed fields and the address ever stand in them."""
    for statement in _PREPARE:
        connection.execute(text(statement))


def code_changes(connection: Connection) -> tuple[CodeChange, ...]:
    """Return the dated code changes by which hukou codes are read."""
    rows = connection.execute(text("SELECT year, change, old_code, new_code FROM reg.division_changes ORDER BY id"))
    return tuple(CodeChange(*row) for row in rows)


def find_known(connection: Connection, batch: Batch, rows: Sequence[ReadRow]) -> dict[str, Known]:
    """Return what is registered already of a chunk's occupants, by occupant id."""
    codes = [row.occupant_id for row in rows if row.occupant_id is not None]
    found = connection.execute(
        text(
            "SELECT occupant_id, row_digest, building_number, batch_id"
            " FROM calc.find_occupants(CAST(:source AS integer), CAST(:codes AS text[]))"
        ),
        {"source": batch.source_id, "codes": codes},
    )
    return {occupant_id: Known(*rest) for occupant_id, *rest in found}


def find_waiting(connection: Connection, batch: Batch, numbers: Sequence[int]) -> dict[int, Verdict]:
    """Return what an earlier run of this batch said of rows that it did not register, by row."""
    found = connection.execute(
        text(
            "SELECT row, outcome, CAST(NULL AS text), reason, detail FROM reg.roster_rows"
            " WHERE batch_id = :batch AND row = ANY(CAST(:rows AS integer[]))"
        ),
        {"batch": batch.id, "rows": list(numbers)},
    )
    return {line[0]: Verdict(*line[1:]) for line in found}


def find_declined(connection: Connection, batch: Batch) -> set[bytes]:
    """Return the hashes of rows of this source against which a registrar has decided; they wait for nobody again."""
    found = connection.execute(
        text(
            "SELECT w.row_digest FROM reg.roster_rows w JOIN reg.batches b ON b.id = w.batch_id"
            " WHERE b.source_id = :source AND w.outcome = :refused AND w.reason = :declined"
        ),
        {"source": batch.source_id, "refused": Outcome.REFUSED.value, "declined": Reason.DECLINED.value},
    ).scalars()
    return {bytes(digest) for digest in found if digest is not None}


def register(connection: Connection, batch: Batch, sealed: pa.Table) -> None:
    """Place a chunk of sealed rows (reading.SEALED), register what can be, and keep the rest waiting."""
    if not sealed.num_rows:
        return
    copying.copy(connection, "staged", sealed)
    connection.execute(text("ANALYZE staged"))
    batch.addressing.match(connection)
    connection.execute(text("ANALYZE matched"))
    _run(connection, batch, _PLACE, _SET_ASIDE)
    connection.execute(text("ANALYZE placed"))
    _run(connection, batch, _CLAIM, _CLAIM_WITHIN, _NUMBER_PERSONS)
    _rule(connection, batch)
    _run(connection, batch, _INSERT_PERSONS, _INSERT_RESIDENCIES)
    if not batch.new_source:
        _run(connection, batch, _SUPERSEDE)
    _run(connection, batch, _INSERT_WAITING)


def verdicts(connection: Connection) -> dict[int, Verdict]:
    """Return what became of the chunk just registered, by row."""
    lines = connection.execute(text(_VERDICTS), _WORDS)
    return {line[0]: Verdict(*line[1:]) for line in lines}


def superseded_keys(connection: Connection) -> list[bytes]:
    """Return the keys of waiting rows that rows of this transaction have replaced."""
    return [key.bytes for key in connection.execute(text("SELECT key_id FROM superseded")).scalars()]


def _rule(connection: Connection, batch: Batch) -> None:
    """Decide the category of each kind of case in the chunk: few of them, whatever its size."""
    cases = [
        (hukou, as_of, CitizenshipClass(klass) if klass else None, county)
        for hukou, as_of, klass, county in connection.execute(text(_CASES))
    ]
    if not cases:
        return
    decided = categories(cases, batch.day, code_changes(connection))
    hukou, as_of, klass, county = (list(column) for column in zip(*cases, strict=True))
    columns = {
        "hukou_code": pa.array(hukou, type=pa.int32()),
        "as_of": pa.array(as_of, type=pa.int32()),
        "citizenship_class": pa.array(klass, type=pa.string()),
        "county": pa.array(county, type=pa.int64()),
        "category": pa.array([ruling.category for ruling in decided], type=pa.string()),
        "category_reason": pa.array([ruling.reason for ruling in decided], type=pa.string()),
    }
    copying.copy(connection, "rulings", pa.table(columns))
    connection.execute(text("ANALYZE rulings"))


def _run(connection: Connection, batch: Batch, *statements: str) -> None:
    """Run statements with the words and the batch they name."""
    known = _WORDS | {"batch": batch.id, "source": batch.source_id, "expires_on": batch.expires_on}
    for statement in statements:
        clause = text(statement)
        connection.execute(clause, {name: known[name] for name in clause.compile().params})
