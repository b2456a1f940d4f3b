"""Surveys: what field officers find waits for a registrar, who accepts or declines it.

A finding changes nothing by coming in. It names the last event its tablet knew of; where something has happened to
the building since, the registrar sees what was so then, what is so now, and what was found, and has to say so to
accept it (``seen_seq``): nothing is overwritten unseen. Two findings that touch the same are both kept, each with
the other's UUID beside it; to accept one leaves the other open, by then based on an older state.

To accept is to call the verb (``gis.register.buildings``) in the same transaction, under the finding's own UUID.
A finding that has been decided stays on record with its decision.
"""

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import orjson
import shapely
from sqlalchemy import Connection, Row, text

from gis import numbering
from gis.errors import (
    BadArgument,
    BadFinding,
    BuildingNotFound,
    FindingDecided,
    FindingNotFound,
    FindingOutdated,
    MenpaiError,
    NotInThatState,
    UuidTaken,
)
from gis.register import acts, buildings, divisions, findings, leases, sheds, structures
from gis.register.acts import Act, Done
from gis.register.buildings import Amendment
from gis.register.findings import Finding
from gis.register.structures import Structure
from gis.terms import BuildingKind, BuildingStatus, DeclineReason, FindingKind, FindingStatus, Found, Verb

OPEN, ACCEPTED, DECLINED = (status.value for status in FindingStatus)
VERBS: dict[FindingKind, tuple[Verb, ...]] = {
    FindingKind.NEW_STRUCTURE: (Verb.REGISTER,),
    FindingKind.GONE: (Verb.DEMOLISH, Verb.RETIRE),
    FindingKind.PLATE_MISSING: (),
    FindingKind.STILL_THERE: (),
    FindingKind.SHAPE_WRONG: (Verb.CORRECT, Verb.CHANGE),
    FindingKind.ATTRIBUTE_WRONG: (Verb.CORRECT, Verb.CHANGE),
}
"""By which verb a finding can be accepted; the first where the registrar names none."""
DEFAULT_KIND = BuildingKind.RESIDENTIAL.value
"""Of a new structure that nobody says more about."""


@dataclass(frozen=True)
class Receipt:
    """What became of a finding that was sent."""

    uuid: UUID
    status: str | None = None
    """None where it was refused."""
    repeated: bool = False
    """It was here already."""
    refusal: MenpaiError | None = None


@dataclass(frozen=True)
class Decision:
    """What a registrar says to a finding in accepting it."""

    actor: str
    verb: Verb | None = None
    """One of VERBS."""
    seen_seq: int | None = None
    """The last event of the building that the registrar has seen, where that is later than the finding's."""
    happened_on: dt.date | None = None
    """When it happened in the world; where nobody says, the day it was seen, and for a registration unknown."""
    source_document: str | None = None
    distinct_from: Collection[int] = ()
    """Buildings that a shape overlaps, which the registrar has looked at: they are others."""


def anywhere(_: int) -> None:
    """Let an actor find and decide in every division: whoever calls has seen to it."""


def propose(
    connection: Connection,
    sent: Sequence[Finding],
    actor: str,
    allow: Callable[[int], None] = anywhere,
) -> list[Receipt]:
    """Take findings in, in any order and as often as they are sent; one that is refused keeps no other out.

    ``allow`` raises where the actor may not find in a division (twelve digits).
    """
    receipts: dict[int, Receipt] = {}
    # always in the order of their UUIDs: two that send the same at once then wait for one another, and no more
    for place, finding in sorted(enumerate(sent), key=_by_uuid):
        try:
            receipts[place] = _take(connection, finding, actor, allow)
        except MenpaiError as error:
            receipts[place] = Receipt(finding.uuid, refusal=error)
    return [receipts[place] for place in range(len(sent))]


def _by_uuid(placed: tuple[int, Finding]) -> tuple[UUID, int]:
    """Return a key that sorts findings by UUID, those with the same one as they were sent."""
    return placed[1].uuid, placed[0]


def _take(connection: Connection, finding: Finding, actor: str, allow: Callable[[int], None]) -> Receipt:
    """Take one finding in; raises BadFinding, NumberNotLeased, UuidTaken, UnknownDivision, and what ``allow`` does."""
    row = _row(finding)
    known = _find_known(connection, row)
    if known:
        return known
    division = _place(connection, finding, row["proposed"], actor)
    allow(division)
    if finding.based_on_seq is not None and not 0 <= finding.based_on_seq < connection.execute(NEXT_SEQ).scalar_one():
        raise BadFinding(why=f"there is no event {finding.based_on_seq} to be based on")
    if connection.execute(INSERT, row | {"division": division, "actor": actor}).rowcount:
        return Receipt(finding.uuid, OPEN)
    # another transaction brought it a moment ago, and has ended by now
    return _find_known(connection, row) or Receipt(finding.uuid, OPEN)


def _row(finding: Finding) -> dict[str, Any]:
    """Return a finding as columns, checked; raises BadFinding."""
    proposed = findings.settle(finding)
    return {
        "uuid": finding.uuid,
        "kind": finding.kind.value,
        "building_number": finding.building_number,
        "based_on_seq": finding.based_on_seq,
        "seen_on": finding.seen_on,
        "proposed": orjson.dumps(proposed).decode(),
        "touches": findings.touched(finding.kind, proposed),
        "geometry": None if finding.shape is None else structures.hexed(finding.shape),
    }


def _find_known(connection: Connection, row: dict[str, Any]) -> Receipt | None:
    """Return the receipt of a finding that is here already; raises UuidTaken where it said something else."""
    known = connection.execute(KNOWN, row).first()
    if known is None:
        return None
    if not known.same:
        raise UuidTaken(uuid=row["uuid"])
    return Receipt(row["uuid"], known.status, repeated=True)


def _place(connection: Connection, finding: Finding, proposed: str, actor: str) -> int:
    """Return the division of what was found; raises BadFinding, NumberNotLeased, UnknownDivision.

    A building that is not registered yet may bear a leased number: its own finding is still on the way.
    """
    if finding.kind is not FindingKind.NEW_STRUCTURE:
        division = connection.execute(DIVISION, {"number": finding.building_number}).scalar()
        division = division or leases.find_division(connection, finding.building_number or 0)
        if division is None:
            raise BadFinding(why=f"no building has the number {finding.building_number}")
        return int(division)
    assert finding.shape is not None  # noqa: S101 - a new structure has one, or it was refused before
    said = orjson.loads(proposed)
    division, _ = structures.locate(connection, finding.shape, None, said.get("standard_address"))
    if finding.building_number is not None:
        leases.check_holder(connection, finding.building_number, actor)
        trial = division == divisions.TEST_DIVISION
        leases.check_digit(finding.building_number, numbering.TEST if trial else said.get("kind", DEFAULT_KIND))
    return division


def accept(connection: Connection, uuid: UUID, decision: Decision, allow: Callable[[int], None] = anywhere) -> Done:
    """Do what a finding says, by its verb and under its UUID; accepting twice does it once.

    That a shed is still there becomes an inspection (``gis.register.sheds``), and of a missing plate the decision
    itself is the record: then there is no event, and the one returned is 0. ``allow`` raises where the actor may not
    decide in a division. Raises FindingNotFound, FindingDecided, FindingOutdated, BadArgument, and whatever stands
    against the verb.
    """
    acts.lock(connection, acts.PATIENCE_S)
    row = _locked(connection, uuid)
    allow(row.division_code)
    numbers = () if row.building_number is None else (row.building_number,)
    if row.status == ACCEPTED:
        return Done(row.seq or 0, numbers, repeated=True)
    _check_open(row)
    _check_seen(connection, row, decision)
    done = _do(connection, row, decision)
    if done is not None and done.repeated:
        raise BadArgument(why=f"the UUID of this finding was used for event {done.seq}, which is another act")
    outcome = {"status": ACCEPTED, "actor": decision.actor, "reason": None, "seq": done.seq if done else None}
    connection.execute(DECIDE, outcome | {"uuid": uuid})
    return done or Done(0, numbers)


def decline(
    connection: Connection,
    uuid: UUID,
    reason: DeclineReason,
    actor: str,
    allow: Callable[[int], None] = anywhere,
) -> None:
    """Decline a finding for a reason; it stays on record. Declining twice for the same reason is declining once.

    Raises FindingNotFound, FindingDecided, and what ``allow`` does.
    """
    row = _locked(connection, uuid)
    allow(row.division_code)
    if row.status == DECLINED and row.decline_reason == reason.value:
        return
    _check_open(row)
    connection.execute(DECIDE, {"uuid": uuid, "status": DECLINED, "actor": actor, "reason": reason.value, "seq": None})


def _locked(connection: Connection, uuid: UUID) -> Row[Any]:
    """Return a finding that nobody else decides meanwhile; raises FindingNotFound."""
    row = connection.execute(LOCKED, {"uuid": uuid}).first()
    if row is None:
        raise FindingNotFound(uuid=uuid)
    return row


def _check_open(row: Row[Any]) -> None:
    """Raise FindingDecided where a finding has its decision."""
    if row.status != OPEN:
        raise FindingDecided(uuid=row.uuid, status=row.status, actor=row.decided_by)


def _check_seen(connection: Connection, row: Row[Any], decision: Decision) -> None:
    """Raise FindingOutdated where something happened to the building that neither officer nor registrar saw."""
    if row.kind == FindingKind.NEW_STRUCTURE:
        return
    last = connection.execute(LAST_SEQ, {"number": row.building_number}).scalar()
    seen = max(row.based_on_seq, decision.seen_seq or 0)
    if last is not None and last > seen:
        raise FindingOutdated(number=row.building_number, seq=last)


def _do(connection: Connection, row: Row[Any], decision: Decision) -> Done | None:
    """Call the verb of a finding; return None where the register has nothing to change. Raises as the verb does."""
    verb = _verb(row, decision)
    act = Act(
        decision.actor,
        reason=f"外勤发现：{FindingKind(row.kind).zh} (finding: {row.kind})",
        source_document=decision.source_document,
        happened_on=decision.happened_on,
        client_uuid=row.uuid,
    )
    dated = replace(act, happened_on=decision.happened_on or row.seen_on)
    match verb:
        case Verb.REGISTER:
            return buildings.register(connection, _structure(row, decision), act, leased=row.building_number)
        case Verb.DEMOLISH:
            return buildings.demolish(connection, row.building_number, dated)
        case Verb.RETIRE:
            return buildings.retire(connection, row.building_number, act)
        case Verb.CORRECT:
            return buildings.correct(connection, row.building_number, _amendment(row, decision), act)
        case Verb.CHANGE:
            return buildings.change(connection, row.building_number, _amendment(row, decision), dated)
    if row.kind == FindingKind.STILL_THERE:
        if sheds.inspect(connection, row.building_number, Found.STILL_THERE, dated).repeated:
            raise BadArgument(why="the UUID of this finding was used for another inspection")
    else:
        _check_stands(connection, row.building_number)
    return None


def _verb(row: Row[Any], decision: Decision) -> Verb | None:
    """Return the verb by which a finding is accepted, None where it sets nothing; raises BadArgument."""
    verbs = VERBS[FindingKind(row.kind)]
    if decision.verb is not None and decision.verb not in verbs:
        raise BadArgument(why=f"this finding is accepted by {', '.join(verbs) or 'no verb: it changes nothing'}")
    return decision.verb or (verbs[0] if verbs else None)


def _check_stands(connection: Connection, number: int) -> None:
    """Raise BuildingNotFound, or NotInThatState for a building that no longer stands."""
    status = connection.execute(STATUS, {"number": number}).scalar()
    if status is None:
        raise BuildingNotFound(number=number)
    if status != BuildingStatus.ACTIVE:
        raise NotInThatState(number=number, status=status, verb="be found standing")


def _structure(row: Row[Any], decision: Decision) -> Structure:
    """Return the new structure that a finding describes."""
    said = _fields(row)
    return Structure(
        shape=shapely.from_wkb(bytes.fromhex(row.geometry_hex)),
        kind=BuildingKind(said.pop("kind", DEFAULT_KIND)),
        other_addresses=said.pop("other_addresses", ()),
        distinct_from=decision.distinct_from,
        **said,
    )


def _amendment(row: Row[Any], decision: Decision) -> Amendment:
    """Return what a finding sets on its building."""
    said = _fields(row)
    words = {name: said.pop(name) for name in ("standard_address", "other_addresses") if name in said}
    if "standard_address" in words:
        words["standard_address"] = words["standard_address"] or ""  # None is for an address that stays
    shape = None if row.geometry_hex is None else shapely.from_wkb(bytes.fromhex(row.geometry_hex))
    return Amendment(said, shape=shape, distinct_from=decision.distinct_from, **words)


def _fields(row: Row[Any]) -> dict[str, Any]:
    """Return the attributes of a finding as the register's verbs take them."""
    said = dict(row.proposed)
    if said.get("expires_on") is not None:
        said["expires_on"] = dt.date.fromisoformat(said["expires_on"])
    return said


NEXT_SEQ = text("SELECT next_seq FROM reg.number_serials")
DIVISION = text("SELECT division_code FROM reg.buildings WHERE number = :number")
STATUS = text("SELECT status FROM reg.buildings WHERE number = :number")
LAST_SEQ = text("SELECT calc.last_seq_of(:number)")
LOCKED = text("SELECT *, geometry::text AS geometry_hex FROM reg.findings WHERE uuid = :uuid FOR UPDATE")
KNOWN = text("""
    SELECT status, (kind, building_number, based_on_seq, seen_on, proposed, geometry::text) IS NOT DISTINCT FROM
        (CAST(:kind AS text), CAST(:building_number AS bigint), CAST(:based_on_seq AS bigint), CAST(:seen_on AS date),
        CAST(:proposed AS jsonb), CAST(CAST(:geometry AS geometry) AS text)) AS same
    FROM reg.findings WHERE uuid = :uuid
""")
INSERT = text("""
    INSERT INTO reg.findings (uuid, kind, building_number, division_code, based_on_seq, seen_on, proposed, touches,
        geometry, actor)
    VALUES (:uuid, :kind, :building_number, :division, :based_on_seq, :seen_on, CAST(:proposed AS jsonb), :touches,
        CAST(:geometry AS geometry), :actor)
    ON CONFLICT (uuid) DO NOTHING
""")
DECIDE = text("""
    UPDATE reg.findings SET status = :status, decided_by = :actor, decided_at = now(), decline_reason = :reason,
        seq = :seq
    WHERE uuid = :uuid
""")
