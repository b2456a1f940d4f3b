"""Retention (rights.md, 7): a residency is erased when it has been over for long enough; its counts stay.

A person goes with their last residency. Their data key is destroyed first: from then on nothing opens them, here or
in any older backup of the register; then their rows go. Broken off in between, the next run finds them again. A key
that no row needs any more, because an import or a desk was cut off, is destroyed too.
"""

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from gis import settings
from gis.errors import CountsNotReleased
from gis.register.acts import today
from gis.residents import access_log, keys
from gis.residents.keys import KeyStore
from gis.store import session

ERASURE_LOCK: Final = 0x6D70_0007
YOUNGEST_ORPHAN: Final = dt.timedelta(days=2)
"""A key is made before its row: one that is younger may still be waited for."""


@dataclass(frozen=True)
class Erased:
    """How much was erased, or is due."""

    ended_by: dt.date
    persons: int
    residencies: int
    """Versions of them."""
    declarations: int
    roster_rows: int
    accesses: int
    """Access records that no longer say whom they were about."""
    keys: int
    """Data keys destroyed, those that no row needed any more among them."""


def erase(actor: str, *, on: dt.date | None = None, dry_run: bool = False) -> Erased:
    """Erase what is due on a day (today), or only say how much that is, and write down that it was done.

    Raises CountsNotReleased where no release of counts is as young as what would go, KeysUnreadable.
    """
    day = on or today()
    ended_by = day - settings.read().retention
    with keys.open_store() as store, session.open("eraser", actor=actor) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ERASURE_LOCK})
        access_log.lock(connection)
        for statement in _DUE:
            connection.execute(text(statement), {"ended_by": ended_by, "day": day})
        counts = connection.execute(text(_COUNTS)).one()
        if counts.residencies:
            _check_counts(connection, ended_by)
        due = [key.bytes for key in connection.execute(text(_KEYS)).scalars()]
        spare = list(_orphans(connection, store, day))
        if dry_run:
            return Erased(ended_by, *_numbers(counts), len(due) + len(spare))
        destroyed = store.destroy(due + spare)
        for statement in _ERASE:
            connection.execute(text(statement))
        erased = Erased(ended_by, *_numbers(counts), destroyed)
        connection.execute(
            text(
                "INSERT INTO reg.erasures (actor, ended_by, persons, residencies, declarations, roster_rows, accesses)"
                " VALUES (:actor, :ended_by, :persons, :residencies, :declarations, :rows, :accesses)"
            ),
            dict(
                zip(
                    ("ended_by", "persons", "residencies", "declarations", "rows", "accesses"),
                    astuple(erased),
                    strict=False,
                )
            )
            | {"actor": actor},
        )
    return erased


def _numbers(counts: Row[Any]) -> tuple[int, int, int, int, int]:
    """Return persons, residencies, declarations, roster rows and access records that are due."""
    return counts.persons, counts.residencies, counts.declarations, counts.rows, counts.accesses


def _check_counts(connection: Connection, ended_by: dt.date) -> None:
    """Raise CountsNotReleased unless a release has been made since: what goes was counted while it was there."""
    newest = connection.execute(text("SELECT max(release) FROM pub.releases")).scalar_one()
    if newest is None or newest < ended_by:
        raise CountsNotReleased(day=ended_by)


def _orphans(connection: Connection, store: KeyStore, day: dt.date) -> Iterator[bytes]:
    """Yield the ids of keys that no row needs and that are old enough not to be waited for."""
    oldest = dt.datetime.combine(day - YOUNGEST_ORPHAN, dt.time(), dt.UTC)
    for ids in store.ids_before(oldest):
        yield from (
            key.bytes
            for key in connection.execute(
                text(_UNNEEDED), {"ids": [uuid.UUID(bytes=key_id) for key_id in ids]}
            ).scalars()
        )


_DUE: Final = (
    # a residency is over when its last version is; the versions before go with it
    """CREATE TEMPORARY TABLE due_residencies ON COMMIT DROP AS
        WITH RECURSIVE due AS (
            SELECT r.id, r.person_id, r.replaces_id FROM reg.residencies r
            WHERE (CASE WHEN r.recorded_until IS NULL THEN upper(r.during)
                    ELSE (r.recorded_until AT TIME ZONE 'Asia/Shanghai')::date END) <= :ended_by
                AND NOT EXISTS (SELECT FROM reg.residencies n WHERE n.replaces_id = r.id)
            UNION ALL
            SELECT r.id, r.person_id, r.replaces_id FROM reg.residencies r JOIN due ON due.replaces_id = r.id
        )
        SELECT id, person_id FROM due""",
    """CREATE TEMPORARY TABLE due_persons ON COMMIT DROP AS
        SELECT p.id, p.key_id FROM reg.persons p
        WHERE p.id IN (SELECT person_id FROM due_residencies)
            AND NOT EXISTS (SELECT FROM reg.residencies r WHERE r.person_id = p.id
                AND r.id NOT IN (SELECT id FROM due_residencies))
            AND NOT EXISTS (SELECT FROM reg.declarations d WHERE d.person_id = p.id AND d.decided_at IS NULL)""",
    """CREATE TEMPORARY TABLE due_declarations ON COMMIT DROP AS
        SELECT id, key_id FROM reg.declarations
        WHERE expires_on < :day OR person_id IN (SELECT id FROM due_persons)""",
    """CREATE TEMPORARY TABLE due_rows ON COMMIT DROP AS
        SELECT batch_id, row, key_id FROM reg.roster_rows WHERE expires_on < :day""",
    """CREATE TEMPORARY TABLE due_accesses ON COMMIT DROP AS
        SELECT a.id FROM reg.access_records a JOIN due_persons d ON d.id = a.person_id""",
)
_COUNTS: Final = """
    SELECT (SELECT count(*) FROM due_persons) AS persons, (SELECT count(*) FROM due_residencies) AS residencies,
        (SELECT count(*) FROM due_declarations) AS declarations, (SELECT count(*) FROM due_rows) AS rows,
        (SELECT count(*) FROM due_accesses a JOIN reg.access_salts s ON s.record_id = a.id) AS accesses
"""
_KEYS: Final = """
    SELECT key_id FROM due_persons
    UNION SELECT key_id FROM due_declarations WHERE key_id IS NOT NULL
    UNION SELECT key_id FROM due_rows WHERE key_id IS NOT NULL
"""
_UNNEEDED: Final = """
    SELECT id FROM unnest(CAST(:ids AS uuid[])) AS known (id)
    WHERE NOT EXISTS (SELECT FROM reg.persons p WHERE p.key_id = known.id)
        AND NOT EXISTS (SELECT FROM reg.declarations d WHERE d.key_id = known.id)
        AND NOT EXISTS (SELECT FROM reg.roster_rows w WHERE w.key_id = known.id)
"""
_ERASE: Final = (
    "DELETE FROM reg.residency_reviews v USING due_residencies d WHERE v.residency_id = d.id",
    "DELETE FROM reg.residencies r USING due_residencies d WHERE r.id = d.id",
    "DELETE FROM reg.declarations o USING due_declarations d WHERE o.id = d.id",
    "DELETE FROM reg.roster_rows w USING due_rows d WHERE w.batch_id = d.batch_id AND w.row = d.row",
    "UPDATE reg.access_records a SET person_id = NULL FROM due_accesses d WHERE a.id = d.id",
    "DELETE FROM reg.access_salts s USING due_accesses d WHERE s.record_id = d.id",
    "DELETE FROM reg.persons p USING due_persons d WHERE p.id = d.id",
)
