"""Numbers taken along: a tablet leases a block of building numbers, and gives them out where no network is.

Every number comes from the one count of serials, and no serial is counted twice; a block taken by a transaction
that came to nothing was shown to nobody. A number of a lease is therefore given to one building or to none, ever:
giving back ends the lease, and what was not used by then is void for good. It is on record (``reg.leased_numbers``)
and goes to nobody else, because a plate with it may hang on a wall that nobody has told of yet; of 10⁹ serials, the
few that this costs are cheap. The same holds from the day after the lease expires.

A tablet that got no answer asks again with the same UUID and gets the same numbers.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from gis import numbering
from gis.errors import BadArgument, LeaseNotFound, NumberNotLeased, UuidTaken
from gis.register import acts, divisions
from gis.register.acts import Act
from gis.terms import BuildingKind

MOST = 500
"""Numbers of one lease."""
MOST_A_DAY = 20
"""Leases of one actor in 24 hours: who asks for more is a program gone wrong."""
LONGEST = dt.timedelta(days=92)
"""How far off the last day may be: a quarter in the field."""


@dataclass(frozen=True)
class Wanted:
    """What a tablet asks for."""

    uuid: UUID
    """Made by the tablet: asking twice is leasing once."""
    kind: BuildingKind
    division_code: int
    many: int
    expires_on: dt.date
    """The last day on which the numbers can be used (Asia/Shanghai)."""


@dataclass(frozen=True)
class Lease:
    """A block of numbers and what has become of it."""

    uuid: UUID
    actor: str
    kind: BuildingKind
    division_code: int
    expires_on: dt.date
    ended_at: dt.datetime | None
    numbers: tuple[int, ...]
    """All of them, used or not, ascending."""
    used: tuple[int, ...]
    """Those that a building has."""
    held: tuple[int, ...]
    """Those that an open finding gives to a new structure."""

    @property
    def is_open(self) -> bool:
        """Whether its numbers can still be used."""
        return self.ended_at is None and self.expires_on >= acts.today()

    @property
    def void(self) -> tuple[int, ...]:
        """The numbers that no building will ever have; none while the lease is open."""
        taken = {*self.used, *self.held}
        return () if self.is_open else tuple(number for number in self.numbers if number not in taken)


def lease(connection: Connection, wanted: Wanted, actor: str) -> Lease:
    """Return a lease of new numbers, or the one that the same UUID got before.

    Raises BadArgument, UnknownDivision, UuidTaken, RegisterBusy.
    """
    acts.lock(connection, acts.PATIENCE_S)
    known = connection.execute(BY_UUID, {"uuid": wanted.uuid}).first()
    if known is not None:
        if (known.actor, _wanted(known)) != (actor, wanted):
            raise UuidTaken(uuid=wanted.uuid)
        return _described(connection, known)
    _check(connection, wanted, actor)
    trial = wanted.division_code == divisions.TEST_DIVISION
    numbers = acts.mint(connection, [numbering.TEST if trial else wanted.kind.value] * wanted.many)
    said = {name: getattr(wanted, name) for name in ("uuid", "division_code", "many", "expires_on")}
    connection.execute(INSERT, said | {"kind": wanted.kind.value, "actor": actor})
    connection.execute(INSERT_NUMBERS, {"uuid": wanted.uuid, "numbers": numbers.tolist()})
    return get_lease(connection, wanted.uuid)


def _check(connection: Connection, wanted: Wanted, actor: str) -> None:
    """Raise what stands against a lease: BadArgument, UnknownDivision."""
    if not 1 <= wanted.many <= MOST:
        raise BadArgument(why=f"a lease is for 1 to {MOST} numbers")
    if not acts.today() <= wanted.expires_on <= acts.today() + LONGEST:
        raise BadArgument(why=f"a lease expires today or within {LONGEST.days} days")
    divisions.find_name(connection, wanted.division_code)
    if connection.execute(OF_A_DAY, {"actor": actor}).scalar_one() >= MOST_A_DAY:
        raise BadArgument(why=f"there are at most {MOST_A_DAY} leases a day; use the numbers of those that are open")


def get_lease(connection: Connection, uuid: UUID) -> Lease:
    """Return a lease; raises LeaseNotFound."""
    row = connection.execute(BY_UUID, {"uuid": uuid}).first()
    if row is None:
        raise LeaseNotFound(uuid=uuid)
    return _described(connection, row)


def find_leases(connection: Connection, actor: str, *, ended: bool = False) -> list[Lease]:
    """Return an actor's open leases, oldest first, or with ``ended`` all of them."""
    rows = connection.execute(BY_ACTOR, {"actor": actor, "ended": ended, "today": acts.today()}).all()
    return [_described(connection, row) for row in rows]


def give_back(connection: Connection, uuid: UUID, actor: str, allow: Callable[[Lease], None] | None = None) -> Lease:
    """End a lease: what no building has and no open finding holds is void for good. Ending twice is ending once.

    ``allow`` raises where the actor may not. Raises LeaseNotFound, RegisterBusy.
    """
    acts.lock(connection, acts.PATIENCE_S)
    known = get_lease(connection, uuid)
    if allow is not None:
        allow(known)
    connection.execute(END, {"uuid": uuid, "actor": actor})
    return get_lease(connection, uuid)


def check_number(connection: Connection, number: int, kind: str, act: Act) -> None:
    """Raise NumberNotLeased where an act may not give a leased number to a building; the registration lock is held.

    It may where the number belongs to an open lease of whoever acts, or was brought by the finding that the act
    accepts, whose UUID it bears: that one came in while the officer's lease was open. ``kind`` is a building kind or
    ``numbering.TEST``.
    """
    row = connection.execute(NUMBER, {"number": number, "client_uuid": act.client_uuid}).first()
    if row is None or not (row.brought or row.actor == act.actor):
        raise NumberNotLeased(number=number, why=f"it belongs to no lease of {act.actor}")
    if row.used:
        raise NumberNotLeased(number=number, why="a building has it already")
    if not row.brought:
        _check_open(row)
    check_digit(number, kind)


def find_division(connection: Connection, number: int) -> int | None:
    """Return the division a number was leased for, by whom ever; None where it is no leased number."""
    row = connection.execute(NUMBER, {"number": number, "client_uuid": None}).first()
    return None if row is None else int(row.division_code)


def check_holder(connection: Connection, number: int, actor: str) -> None:
    """Raise NumberNotLeased where somebody has no open lease of a number."""
    row = connection.execute(NUMBER, {"number": number, "client_uuid": None}).first()
    if row is None or row.actor != actor:
        raise NumberNotLeased(number=number, why=f"it belongs to no lease of {actor}")
    _check_open(row)


def check_digit(number: int, kind: str) -> None:
    """Raise NumberNotLeased where a number was issued for another kind of building."""
    if number // 10**11 != numbering.KIND_DIGITS[kind]:
        raise NumberNotLeased(number=number, why=f"it is no number of the kind {kind}")


def _check_open(row: Row[Any]) -> None:
    """Raise NumberNotLeased where a lease is over."""
    if row.ended_at is not None:
        raise NumberNotLeased(number=row.number, why="its lease was given back")
    if row.expires_on < acts.today():
        raise NumberNotLeased(number=row.number, why=f"its lease expired on {row.expires_on}")


def _wanted(row: Row[Any]) -> Wanted:
    """Return what was asked for with a lease."""
    return Wanted(row.uuid, BuildingKind(row.kind), row.division_code, row.many, row.expires_on)


def _described(connection: Connection, row: Row[Any]) -> Lease:
    """Return a lease with its numbers."""
    numbers: Sequence[Row[Any]] = connection.execute(NUMBERS, {"uuid": row.uuid}).all()
    return Lease(
        uuid=row.uuid,
        actor=row.actor,
        kind=BuildingKind(row.kind),
        division_code=row.division_code,
        expires_on=row.expires_on,
        ended_at=row.ended_at,
        numbers=tuple(each.number for each in numbers),
        used=tuple(each.number for each in numbers if each.used),
        held=tuple(each.number for each in numbers if each.held and not each.used),
    )


BY_UUID = text("SELECT * FROM reg.number_leases WHERE uuid = :uuid")
BY_ACTOR = text("""
    SELECT * FROM reg.number_leases
    WHERE actor = :actor AND (:ended OR (ended_at IS NULL AND expires_on >= :today)) ORDER BY leased_at, uuid
""")
OF_A_DAY = text("SELECT count(*) FROM reg.number_leases WHERE actor = :actor AND leased_at > now() - interval '1 day'")
INSERT = text("""
    INSERT INTO reg.number_leases (uuid, actor, kind, division_code, many, expires_on)
    VALUES (:uuid, :actor, :kind, :division_code, :many, :expires_on)
""")
INSERT_NUMBERS = text(
    "INSERT INTO reg.leased_numbers (number, lease_uuid) SELECT unnest(CAST(:numbers AS bigint[])), :uuid"
)
NUMBERS = text("SELECT number, used, held FROM calc.lease_numbers WHERE lease_uuid = :uuid ORDER BY number")
NUMBER = text("""
    SELECT n.number, n.used, l.actor, l.division_code, l.expires_on, l.ended_at, EXISTS (
        SELECT FROM reg.findings f
        WHERE f.uuid = CAST(:client_uuid AS uuid) AND f.kind = 'new_structure' AND f.building_number = n.number
    ) AS brought
    FROM calc.lease_numbers n JOIN reg.number_leases l ON l.uuid = n.lease_uuid
    WHERE n.number = :number
""")
END = text("""
    UPDATE reg.number_leases SET ended_at = now(), ended_by = :actor WHERE uuid = :uuid AND ended_at IS NULL
""")
