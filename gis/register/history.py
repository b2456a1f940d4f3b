"""What the register knew: a building on any day, as recorded at any moment, what happened to it, and its kin."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from gis.register import versions
from gis.register.versions import Version, Versions


def seq_at(connection: Connection, moment: dt.datetime) -> int:
    """Return the last place in the order of events that was on record at a moment (with its time zone)."""
    found = connection.execute(SEQ_AT, {"moment": moment}).scalar_one()
    return int(found)


def find_versions(connection: Connection, number: int, recorded_at: dt.datetime | None = None) -> Versions:
    """Return a building's life in the world, oldest first, as known now or as recorded at a moment."""
    seq = None if recorded_at is None else seq_at(connection, recorded_at)
    return versions.load(connection, number, seq)


def find_as_of(
    connection: Connection, number: int, on: dt.date, recorded_at: dt.datetime | None = None
) -> Version | None:
    """Return what a building was on a day, as known now or as recorded at a moment; None where it was not."""
    return versions.at(find_versions(connection, number, recorded_at), on)


def find_events(connection: Connection, number: int) -> Sequence[Row[Any]]:
    """Return what happened to a building, in the order in which it became known, with what was taken back since."""
    return connection.execute(EVENTS, {"number": number}).all()


def find_kin(connection: Connection, number: int) -> tuple[list[int], list[int]]:
    """Return the buildings it came of and those that came of it, by events that were not taken back."""
    rows = connection.execute(KIN, {"number": number}).all()
    parents = [row.parent_number for row in rows if row.child_number == number]
    return parents, [row.child_number for row in rows if row.parent_number == number]


def find_successors(connection: Connection, number: int) -> list[int]:
    """Return the last of those that came of a building: where to look for what stood there."""
    return list(connection.execute(SUCCESSORS, {"number": number}).scalars())


def find_references(connection: Connection, number: int) -> Sequence[Row[Any]]:
    """Return the codes other bodies have for a building: source, code, and the event that brought each."""
    return connection.execute(REFERENCES, {"number": number}).all()


def find_by_reference(connection: Connection, source: str, code: str) -> int | None:
    """Return the building another body knows by a code of its own; None where nobody said so."""
    found: int | None = connection.execute(BY_REFERENCE, {"source": source, "code": code}).scalar()
    return found


REFERENCES = text("""
    SELECT s.name AS source, r.code, r.seq FROM reg.external_references r JOIN reg.sources s ON s.id = r.source_id
    WHERE r.building_number = :number
        AND r.seq IN (SELECT h.seq FROM calc.building_history h WHERE h.building_number = :number)
    ORDER BY r.seq, s.name, r.code
""")
BY_REFERENCE = text("""
    SELECT r.building_number FROM reg.external_references r JOIN reg.sources s ON s.id = r.source_id
    WHERE s.name = :source AND r.code = :code
""")
SEQ_AT = text("""
    SELECT coalesce(max(last_seq), 0) FROM (
        SELECT coalesce((SELECT max(b.registered_seq) FROM reg.buildings b WHERE b.batch_id = e.batch_id), e.seq)
            AS last_seq
        FROM reg.building_events e WHERE e.recorded_at <= :moment ORDER BY e.seq DESC LIMIT 1
    ) found
""")
EVENTS = text("""
    SELECT h.*, calc.is_undone(h.seq) AS undone FROM calc.building_history h
    WHERE building_number = :number ORDER BY seq
""")
KIN = text("""
    SELECT parent_number, child_number FROM calc.kinship WHERE parent_number = :number OR child_number = :number
    ORDER BY parent_number, child_number
""")
SUCCESSORS = text("""
    WITH RECURSIVE line AS (
        SELECT child_number AS number FROM calc.kinship WHERE parent_number = :number
        UNION
        SELECT k.child_number FROM line JOIN calc.kinship k ON k.parent_number = line.number
    )
    SELECT number FROM line
    WHERE NOT EXISTS (SELECT FROM calc.kinship k WHERE k.parent_number = line.number) ORDER BY number
""")
