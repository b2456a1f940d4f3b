"""Structures that stand for a time, work sheds first: they expire, are inspected, and are renewed on evidence.

On the day it expires nothing ends by itself: a structure is due for inspection (``gis.register.due``) until somebody
has seen that it is gone, or has renewed it by a paper. One that was put up elsewhere is moved (``buildings.move``).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection, text

from gis.errors import BadStructure, BuildingNotFound, EvidenceMissing, NotInThatState
from gis.register import acts, buildings, changes, premises, present, versions
from gis.register.acts import Act, Done
from gis.register.versions import Versions
from gis.terms import BuildingStatus, Found, Verb

LONGEST_TERM_YEARS = 5
"""What is to stand for longer is no shed; a later day is a slip of the finger."""
MOST_AT_ONCE = 1000
"""Structures renewed by one act."""


@dataclass(frozen=True)
class Inspected:
    """What an inspection did."""

    inspection_id: int
    number: int
    found: Found
    seq: int
    """The last place in the order of events; where the structure was gone, that of its demolition."""
    repeated: bool = False
    """The client's UUID was known: this is what was done then."""


def inspect(connection: Connection, number: int, found: Found, act: Act) -> Inspected:
    """Record what was found on the act's day (today where it says none); what is gone is demolished in the same act.

    Raises BuildingNotFound, NotInThatState for one that is dead already, BadStructure for one that stands for good,
    OutOfOrder where it was gone before its last change, RegisterBusy, BadArgument.
    """
    acts.begin(connection, replace(act, client_uuid=None))
    repeated = _find_inspection(connection, act)
    if repeated:
        return repeated
    _temporary(connection, number, "be inspected")
    act = replace(act, happened_on=act.happened_on or acts.today())
    if found is Found.GONE:
        seq = buildings.demolish(connection, number, replace(act, client_uuid=None)).seq
    else:
        seq = changes.find_head(connection)
    said = asdict(act) | {"number": number, "found": found.value, "seq": seq}
    return Inspected(connection.execute(RECORD, said).scalar_one(), number, found, seq)


def renew(connection: Connection, numbers: Sequence[int], until: dt.date, act: Act) -> Done:
    """Let structures stand until another day, by the paper the act names, in one act.

    Raises EvidenceMissing, BadStructure for a day that is past, too far or no later than it was, BeyondPermit,
    PremisesClosed, BuildingNotFound, NotInThatState, OutOfOrder, RegisterBusy, BadArgument.
    """
    return acts.begin(connection, act) or _renew(connection, list(dict.fromkeys(numbers)), until, act)


def renew_site(connection: Connection, premises_id: int, until: dt.date, act: Act) -> Done:
    """Let every structure of a site that was to go earlier stand until a day, in one act.

    Raises as ``renew`` does, and PremisesNotFound.
    """
    repeated = acts.begin(connection, act)
    if repeated:
        return repeated
    premises.get(connection, premises_id)
    values = {"premises_id": premises_id, "until": until}
    return _renew(connection, list(connection.execute(OF_SITE, values).scalars()), until, act)


def find_standing(connection: Connection, premises_id: int) -> dict[int, dt.date]:
    """Return the structures that stand on a site for a time, and the day each expires, the first first."""
    rows = connection.execute(STANDING, {"premises_id": premises_id})
    return {row.number: row.expires_on for row in rows}


def find_inspections(connection: Connection, number: int) -> list[dict[str, object]]:
    """Return what inspections found of a structure, in the order in which they became known."""
    return [dict(row) for row in connection.execute(INSPECTIONS, {"number": number}).mappings()]


def _renew(connection: Connection, numbers: Sequence[int], until: dt.date, act: Act) -> Done:
    """Change the day several structures expire; the lock is held."""
    _check_term(until, act)
    if not 1 <= len(numbers) <= MOST_AT_ONCE:
        raise BadStructure(why=f"1 to {MOST_AT_ONCE} structures that expire earlier are renewed at once")
    day = act.happened_on or acts.today()
    known = {number: _temporary(connection, number, "be renewed") for number in numbers}
    patch = {"expires_on": until}
    after = {}
    for number, before in known.items():
        state = before[-1].state
        if state.expires_on is not None and until <= state.expires_on:
            raise BadStructure(why=f"building {number} expires on {state.expires_on}, which is no earlier")
        premises.check_term(connection, state, patch, act)
        after[number] = versions.changed(before, patch, day)
    deed = acts.start(connection, Verb.CHANGE, act)
    for number, before in known.items():
        versions.save(connection, number, before, after[number], deed.seq)
        present.update(deed, number, before[-1].state, after[number][-1].state)
    return deed.record(numbers)


def _check_term(until: dt.date, act: Act) -> None:
    """Raise EvidenceMissing without a paper, BadStructure for a day that renews nothing."""
    if act.source_document is None or not act.source_document.strip():
        raise EvidenceMissing(what="A renewal")
    today = acts.today()
    if until <= today:
        raise BadStructure(why=f"{until} is not to come, so it renews nothing")
    if until > today.replace(year=today.year + LONGEST_TERM_YEARS, day=min(today.day, 28)):
        raise BadStructure(why=f"a renewal is for {LONGEST_TERM_YEARS} years at most")


def _temporary(connection: Connection, number: int, verb: str) -> Versions:
    """Return the versions of an active structure that stands for a time.

    Raises BuildingNotFound, NotInThatState, BadStructure.
    """
    known = versions.load(connection, number)
    if not known:
        raise BuildingNotFound(number=number)
    state = known[-1].state
    if state.status != BuildingStatus.ACTIVE:
        raise NotInThatState(number=number, status=state.status, verb=verb)
    if state.expires_on is None:
        raise BadStructure(why=f"building {number} stands for good; only what expires is inspected and renewed")
    return known


def _find_inspection(connection: Connection, act: Act) -> Inspected | None:
    """Return what was done if this very inspection was recorded before."""
    if act.client_uuid is None:
        return None
    row = connection.execute(REPEATED, {"client_uuid": act.client_uuid}).first()
    return None if row is None else Inspected(row.id, row.building_number, Found(row.found), row.seq, repeated=True)


RECORD = text("""
    INSERT INTO reg.inspections (building_number, found, inspected_on, actor, reason, source_document, seq, client_uuid)
    VALUES (:number, :found, :happened_on, :actor, :reason, :source_document, :seq, :client_uuid) RETURNING id
""")
REPEATED = text("SELECT * FROM reg.inspections WHERE client_uuid = :client_uuid")
INSPECTIONS = text("SELECT * FROM reg.inspections WHERE building_number = :number ORDER BY id")
STANDING = text("""
    SELECT number, expires_on FROM reg.buildings
    WHERE premises_id = :premises_id AND status = 'active' AND expires_on IS NOT NULL ORDER BY expires_on, number
""")
OF_SITE = text("""
    SELECT number FROM reg.buildings
    WHERE premises_id = :premises_id AND status = 'active' AND expires_on < :until ORDER BY number
""")
