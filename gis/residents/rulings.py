"""Categories brought up to date: when a household registration, a division or the table of code changes has changed.

Article 3 is asked once for each kind of case, however many residencies it has. A residency whose category or reason
is another now gets a new version; the one before keeps what was said until then.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
from sqlalchemy import Connection, text

from gis.categories import Ruling, categories
from gis.errors import NotAllowed
from gis.register.acts import today
from gis.residents.accesses import record
from gis.residents.registering import code_changes
from gis.store import copying, session
from gis.terms import Category, CategoryReason, CitizenshipClass, Purpose


@dataclass(frozen=True)
class Shift:
    """A kind of case that is ruled otherwise now, and why."""

    county: int
    """Where they live, six digits."""
    hukou: int | None
    as_of: int | None
    """The year in which the hukou code was written."""
    citizenship: CitizenshipClass | None
    before: Ruling
    after: Ruling
    residencies: int


def renew(
    actor: str, *, purpose: str = Purpose.CORRECTION, on: dt.date | None = None, dry_run: bool = False
) -> list[Shift]:
    """Rule anew on the residencies of the actor's divisions that have not ended; return what changed, largest first.

    ``on`` is the day whose law holds (today). Residencies with a declaration that waits are left to its decision.
    One access record. Raises NotAllowed, DatabaseUnreachable.
    """
    day = on or today()
    with session.open("registrar", actor=actor, purpose=purpose) as connection:
        if connection.execute(text("SELECT isempty(calc.jurisdiction())")).scalar_one():
            raise NotAllowed(who=actor, what="bring categories up to date: no grant as registrar is in force")
        shifts = _find_shifts(connection, day)
        if shifts and not dry_run:
            _stage(connection, shifts)
            for statement in (_CLOSE, _WRITE):
                connection.execute(text(statement), {"day": day})
        record(connection, "find categories" if dry_run else "renew categories", None, ("category",))
    return shifts


def _find_shifts(connection: Connection, day: dt.date) -> list[Shift]:
    """Return the kinds of cases whose ruling is not the one that is written."""
    rows = connection.execute(text(_CASES), {"day": day}).all()
    cases = [
        (hukou, as_of, CitizenshipClass(klass) if klass else None, county) for hukou, as_of, klass, county, *_ in rows
    ]
    ruled = categories(cases, day, code_changes(connection))
    shifts = []
    for row, (hukou, as_of, klass, county), after in zip(rows, cases, ruled, strict=True):
        before = Ruling(Category(row.category), CategoryReason(row.category_reason))
        if before != after:
            shifts.append(Shift(county, hukou, as_of, klass, before, after, row.many))
    return sorted(shifts, key=lambda shift: -shift.residencies)


def _stage(connection: Connection, shifts: list[Shift]) -> None:
    """Put what changes where SQL can join it."""
    for statement in _PREPARE:
        connection.execute(text(statement))
    columns = {
        "hukou_code": pa.array([shift.hukou for shift in shifts], type=pa.int32()),
        "as_of": pa.array([shift.as_of for shift in shifts], type=pa.int32()),
        "citizenship_class": pa.array([shift.citizenship for shift in shifts], type=pa.string()),
        "county": pa.array([shift.county for shift in shifts], type=pa.int64()),
        "old_category": pa.array([shift.before.category for shift in shifts], type=pa.string()),
        "old_reason": pa.array([shift.before.reason for shift in shifts], type=pa.string()),
        "category": pa.array([shift.after.category for shift in shifts], type=pa.string()),
        "reason": pa.array([shift.after.reason for shift in shifts], type=pa.string()),
    }
    copying.copy(connection, "shifts", pa.table(columns))
    connection.execute(text("ANALYZE shifts"))


_PREPARE: Final = (
    """CREATE TEMPORARY TABLE shifts (hukou_code integer, as_of integer, citizenship_class text, county bigint,
        old_category text, old_reason text, category text, reason text) ON COMMIT DROP""",
    "CREATE TEMPORARY TABLE closed (id bigint, category text, reason text) ON COMMIT DROP",
)
_CASES: Final = """
    SELECT p.hukou_code, extract(year FROM p.hukou_as_of)::integer AS as_of, p.citizenship_class,
        r.division_code / 1000000 AS county, r.category, r.category_reason, count(*) AS many
    FROM reg.residencies r JOIN reg.persons p ON p.id = r.person_id
    WHERE r.recorded_until IS NULL AND coalesce(upper(r.during), 'infinity') > :day
        AND NOT EXISTS (SELECT FROM reg.declarations d WHERE d.residency_id = r.id AND d.decided_at IS NULL)
    GROUP BY 1, 2, 3, 4, 5, 6
"""
_CLOSE: Final = """
    WITH old AS (
        UPDATE reg.residencies r SET recorded_until = now()
        FROM reg.persons p, shifts s
        WHERE p.id = r.person_id AND r.recorded_until IS NULL AND coalesce(upper(r.during), 'infinity') > :day
            AND NOT EXISTS (SELECT FROM reg.declarations d WHERE d.residency_id = r.id AND d.decided_at IS NULL)
            AND s.county = r.division_code / 1000000 AND s.old_category = r.category
            AND s.old_reason = r.category_reason AND coalesce(s.hukou_code, 0) = coalesce(p.hukou_code, 0)
            AND coalesce(s.as_of, 0) = coalesce(extract(year FROM p.hukou_as_of)::integer, 0)
            AND coalesce(s.citizenship_class, '') = coalesce(p.citizenship_class, '')
        RETURNING r.id, s.category, s.reason
    )
    INSERT INTO closed SELECT id, category, reason FROM old
"""
_WRITE: Final = """
    INSERT INTO reg.residencies (person_id, building_number, dwelling_sequence, division_code, during, principal,
        category, category_reason, basis, batch_id, source_id, occupant_id, row_digest, replaces_id)
    SELECT r.person_id, r.building_number, r.dwelling_sequence, r.division_code, r.during, r.principal, c.category,
        c.reason, r.basis, r.batch_id, r.source_id, r.occupant_id, r.row_digest, r.id
    FROM closed c JOIN reg.residencies r USING (id) ORDER BY r.id
"""
