"""Residencies: who lives in which dwelling, from when until when. Versions, never rewritten.

A residency is made from a declaration or an official roster (rights.md, 5). To correct or to end one closes the
version that was in force and writes another: what the register said, and when, can be read for as long as the
record is kept. Its category is ruled by Article 3 on the day it is written.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from psycopg.errors import ExclusionViolation, UniqueViolation
from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import IntegrityError

from gis import numbering
from gis.categories import Ruling, category
from gis.errors import BuildingNotFound, DwellingGone, ResidencyOverlaps
from gis.register.acts import today
from gis.residents.registering import code_changes
from gis.terms import Basis, BuildingStatus, CitizenshipClass, DwellingStatus


@dataclass(frozen=True)
class Household:
    """What Article 3 asks of a person: class of citizenship, hukou county (six digits) and when that was so."""

    citizenship_class: CitizenshipClass | None
    hukou_code: int | None
    hukou_as_of: dt.date | None


@dataclass(frozen=True)
class Dwelling:
    """A dwelling by building number and its place in it."""

    building_number: int
    sequence: int

    def __str__(self) -> str:
        """Return the number as people read it, ``1000 0000 1213-0001``."""
        return f"{numbering.show(str(self.building_number))}-{self.sequence:04d}"


@dataclass(frozen=True)
class Stay:
    """Where and when somebody lives; ``until`` is the first day on which they no longer do."""

    dwelling: Dwelling
    start: dt.date
    until: dt.date | None
    principal: bool = True


_DWELLING: Final = text("""
    SELECT b.division_code, b.status, d.status AS dwelling_status
    FROM reg.buildings b
    JOIN reg.dwellings d ON d.building_number = b.number AND d.sequence = :sequence
    WHERE b.number = :number FOR SHARE
""")
_INSERT: Final = text("""
    INSERT INTO reg.residencies (person_id, building_number, dwelling_sequence, division_code, during, principal,
        category, category_reason, basis, batch_id, source_id, occupant_id, row_digest, replaces_id)
    SELECT :person, :number, :sequence, :division, daterange(:start, :until, '[)'), :principal, :category, :reason,
        coalesce(r.basis, :basis), r.batch_id, r.source_id, r.occupant_id, r.row_digest, r.id
    FROM (SELECT 1) one LEFT JOIN reg.residencies r ON r.id = CAST(:replaces AS bigint)
    RETURNING id
""")
_CLOSE: Final = text("""
    UPDATE reg.residencies SET recorded_until = now() WHERE id = :id AND recorded_until IS NULL RETURNING id
""")


def hold_dwelling(connection: Connection, dwelling: Dwelling) -> int:
    """Return the division of a dwelling in which somebody can be registered; it stays so until the transaction ends.

    Whoever takes the building down meanwhile waits, and then finds the new residency. Raises DwellingGone.
    """
    row = connection.execute(_DWELLING, {"number": dwelling.building_number, "sequence": dwelling.sequence}).first()
    if row is None:
        raise DwellingGone(dwelling=dwelling, why="there is no such dwelling")
    if row.status != BuildingStatus.ACTIVE:
        raise DwellingGone(dwelling=dwelling, why=f"the building is {row.status}; its page says what stands there now")
    if row.dwelling_status != DwellingStatus.EXISTS:
        raise DwellingGone(dwelling=dwelling, why=f"the dwelling was {row.dwelling_status}")
    return int(row.division_code)


def rule(connection: Connection, household: Household, division: int, on: dt.date) -> Ruling:
    """Return the category of somebody who lives in a division (twelve digits) on a day, and why."""
    as_of = household.hukou_as_of.year if household.hukou_as_of else None
    return category(
        household.hukou_code,
        division,
        on,
        code_changes(connection),
        as_of=as_of,
        citizenship=household.citizenship_class,
    )


def write(connection: Connection, person: int, stay: Stay, household: Household, *, replaces: int | None = None) -> int:
    """Write a residency, or the version that takes the place of another, and return its id; raises DwellingGone.

    A version of the same dwelling may stand in a building that has gone; anything else may not.
    """
    before = find_version(connection, replaces) if replaces is not None else None
    same = before is not None and (before.building_number, before.dwelling_sequence) == (
        stay.dwelling.building_number,
        stay.dwelling.sequence,
    )
    division = int(before.division_code) if before is not None and same else hold_dwelling(connection, stay.dwelling)
    ruling = rule(connection, household, division, today())
    if replaces is not None:
        connection.execute(_CLOSE, {"id": replaces}).scalar_one()
    made: int = connection.execute(
        _INSERT,
        {
            "person": person,
            "number": stay.dwelling.building_number,
            "sequence": stay.dwelling.sequence,
            "division": division,
            "start": stay.start,
            "until": stay.until,
            "principal": stay.principal,
            "category": ruling.category.value,
            "reason": ruling.reason.value,
            "basis": Basis.DECLARATION.value,
            "replaces": replaces,
        },
    ).scalar_one()
    return made


def find_version(connection: Connection, residency: int) -> Row[Any] | None:
    """Return a version in force by its id, locked until the transaction ends; None where the actor may see none."""
    return connection.execute(
        text(
            "SELECT id, person_id, building_number, dwelling_sequence, division_code, lower(during) AS start,"
            " upper(during) AS until, principal FROM reg.residencies"
            " WHERE id = :id AND recorded_until IS NULL FOR UPDATE"
        ),
        {"id": residency},
    ).first()


def find_in_force(connection: Connection, document_digest: bytes, on: dt.date) -> Sequence[Row[Any]]:
    """Return the residencies, in the actor's divisions, of whom a document belongs to that have not ended by a day."""
    return connection.execute(
        text(
            "SELECT r.id, r.person_id, r.building_number, r.dwelling_sequence, r.division_code,"
            " lower(r.during) AS start, upper(r.during) AS until, r.principal"
            " FROM reg.persons p JOIN reg.residencies r ON r.person_id = p.id"
            " WHERE p.document_digest = :digest AND r.recorded_until IS NULL"
            " AND coalesce(upper(r.during), 'infinity') > :day ORDER BY r.principal DESC, r.id"
        ),
        {"digest": document_digest, "day": on},
    ).all()


def find_dwellings(connection: Connection, number: int) -> Sequence[Row[Any]]:
    """Return the dwellings of a building that exist: sequence, entrance, floor, room; raises BuildingNotFound."""
    rows = connection.execute(
        text(
            "SELECT sequence, entrance, floor, room FROM reg.dwellings"
            " WHERE building_number = :number AND status = :exists ORDER BY entrance, floor, room, sequence"
        ),
        {"number": number, "exists": DwellingStatus.EXISTS.value},
    ).all()
    if not rows:
        raise BuildingNotFound(number=numbering.show(str(number)))
    return rows


@contextmanager
def told_plainly() -> Iterator[None]:
    """Say in one sentence that somebody else was quicker: constraints let no two principal residencies overlap."""
    try:
        yield
    except IntegrityError as error:
        if isinstance(error.orig, (ExclusionViolation, UniqueViolation)):
            raise ResidencyOverlaps(on="the declared day") from error
        raise
