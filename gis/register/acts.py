"""Acts upon buildings: who, why, on what paper, and when; one at a time, each recorded by one event.

Whoever acts holds the registration lock, so two desks cannot both register the same house, and events are
numbered in the order in which they become visible: a follower who has read up to one has missed nothing.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import OperationalError

from gis import numbering
from gis.errors import BadArgument, RegisterBusy, UuidTaken
from gis.terms import Verb

REGISTRATION_LOCK = 0x6D70_0001
"""Held by whoever registers or changes buildings."""
PATIENCE_S = 20
"""How long a desk waits for another act; only a large import takes longer."""
LONGEST = 200
"""Characters of a reason or of the name of a paper."""
SHANGHAI = ZoneInfo("Asia/Shanghai")
_LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True)
class Act:
    """What is said of an act beside what it does."""

    actor: str
    reason: str | None = None
    source_document: str | None = None
    """The paper it rests on, as the office cites it."""
    happened_on: dt.date | None = None
    """When it happened in the world (Asia/Shanghai); today where nobody says, and for a registration unknown."""
    client_uuid: uuid.UUID | None = None
    """Made by who asks: a second act with the same one does nothing and returns what the first did."""


@dataclass(frozen=True)
class Done:
    """What an act did."""

    seq: int
    """Its event's place in the order of events."""
    numbers: tuple[int, ...]
    """The buildings it touched; those it made come last."""
    repeated: bool = False
    """The client's UUID was known: this is what was done then."""


def today() -> dt.date:
    """Return the legal date (Asia/Shanghai)."""
    return dt.datetime.now(SHANGHAI).date()


def lock(connection: Connection, patience_s: int = 0) -> None:
    """Wait for one's turn to change the register, as long as it takes where 0; raises RegisterBusy."""
    try:
        connection.execute(text("SELECT set_config('lock_timeout', :wait, true)"), {"wait": f"{patience_s}s"})
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": REGISTRATION_LOCK})
        connection.execute(text("SELECT set_config('lock_timeout', '0', true)"))
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise RegisterBusy(wait_s=30) from error
        raise


def begin(connection: Connection, act: Act, verb: Verb | None = None, concerning: Collection[int] = ()) -> Done | None:
    """Take the lock and check what is said of the act; return what was done if this very act was done before.

    ``verb`` and the buildings it is ``concerning`` tell whether it is. Raises RegisterBusy, BadArgument for a date to
    come or a text too long to keep, and UuidTaken where the client's UUID belongs to another act.
    """
    for words in (act.actor, act.reason, act.source_document):
        if words is not None and (len(words) > LONGEST or "\x00" in words):
            raise BadArgument(why=f"a reason and the name of a paper have at most {LONGEST} characters")
    if act.happened_on is not None and act.happened_on > today():
        raise BadArgument(why=f"{act.happened_on} is still to come; record it when it has happened")
    lock(connection, PATIENCE_S)
    if act.client_uuid is None:
        return None
    found = connection.execute(
        text("SELECT seq, verb, building_numbers FROM reg.building_events WHERE client_uuid = :client_uuid"),
        {"client_uuid": act.client_uuid},
    ).first()
    if found is None:
        return None
    if verb is not None and (found.verb != verb or not set(concerning) <= set(found.building_numbers)):
        raise UuidTaken(uuid=act.client_uuid)
    return Done(found.seq, tuple(found.building_numbers), repeated=True)


def take_places(connection: Connection, many: int = 1) -> int:
    """Return the first of so many places in the order of events; the lock is held."""
    taken = connection.execute(
        text("UPDATE reg.number_serials SET next_seq = next_seq + :many RETURNING next_seq - :many"), {"many": many}
    )
    return int(taken.scalar_one())


def mint(connection: Connection, kinds: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return new building numbers (n,), one for each kind or ``numbering.TEST``.

    Raises BadArgument when every serial has been used.
    """
    next_serial = connection.execute(
        text("UPDATE reg.number_serials SET next_serial = next_serial + :many RETURNING next_serial"),
        {"many": len(kinds)},
    ).scalar_one()
    if next_serial > numbering.SERIALS:
        raise BadArgument(why="every serial of building numbers has been issued")
    return numbering.issue_many(np.arange(next_serial - len(kinds), next_serial, dtype=np.int64), kinds)


@dataclass(frozen=True)
class Deed:
    """An act that is being done: its place in the order of events is taken, and what it does is being written."""

    connection: Connection
    verb: Verb
    act: Act
    seq: int
    puts_right: bool
    """The record was wrong: what falls away never was. Otherwise the world changed, and it was until then."""

    @property
    def day(self) -> dt.date:
        """The day of the act in the world."""
        return self.act.happened_on or today()

    def record(self, numbers: Iterable[int], reverts_seq: int | None = None) -> Done:
        """Write the event, after everything it did: what hangs on it then finds the register as it is now."""
        touched = list(dict.fromkeys(numbers))
        said = asdict(self.act) | {"seq": self.seq, "verb": self.verb.value, "reverts_seq": reverts_seq}
        self.connection.execute(RECORD, said | {"numbers": touched})
        return Done(self.seq, tuple(touched))


def start(connection: Connection, verb: Verb, act: Act, *, puts_right: bool = False) -> Deed:
    """Take a place in the order of events for an act that nothing stands against; the lock is held."""
    return Deed(connection, verb, act, take_places(connection), puts_right)


RECORD = text("""
    INSERT INTO reg.building_events (seq, building_numbers, verb, actor, reason, source_document, happened_on,
        client_uuid, reverts_seq)
    VALUES (:seq, :numbers, :verb, :actor, :reason, :source_document, :happened_on, :client_uuid, :reverts_seq)
""")


def find_event(connection: Connection, seq: int) -> Row[Any] | None:
    """Return an event by its place in the order, None where there is none."""
    return connection.execute(text("SELECT * FROM reg.building_events WHERE seq = :seq"), {"seq": seq}).first()
