"""Premises: the site that encloses buildings, who answers for it, until when it may stand, and what it offers.

Article 34 makes whoever provides housing answer for its safety, so a site says how many it may house, whether it
has water, toilets, exits and fire extinguishers, and when somebody last looked. All of it is about the site.
Premises live by verbs as buildings do: each act is one event that keeps what they were before; nothing is deleted.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, text

from gis.errors import (
    BadStructure,
    BeyondPermit,
    EvidenceMissing,
    PremisesClosed,
    PremisesNotFound,
    PremisesTaken,
)
from gis.register import acts, divisions
from gis.register.acts import Act
from gis.register.versions import State
from gis.terms import PremisesKind, PremisesVerb

LONGEST = 200
"""Characters of a name, an organisation or a permit."""
MOST = {"capacity_persons": 100_000, "toilets": 10_000, "exits": 1_000, "fire_extinguishers": 10_000}
"""More than any site has: beyond it somebody's finger slipped."""
LONGEST_PERMIT_YEARS = 70
"""The longest term of land for housing (State Council, order 55 of 1990, Article 12)."""
WORDS = ("name", "responsible_organisation", "permit", "safety_checked_by")
CHANGEABLE = ("name", "kind", "responsible_organisation", "water", *MOST)
_BY_VERB = ("permit", "permit_until", "safety_checked_on", "safety_checked_by", "closed_on")
CORRECTABLE = (*CHANGEABLE, "division_code", *_BY_VERB)


@dataclass(frozen=True)
class Site:
    """What a desk says of new premises."""

    name: str
    division_code: int
    """Twelve digits."""
    kind: PremisesKind = PremisesKind.CONSTRUCTION_SITE
    responsible_organisation: str | None = None
    permit: str | None = None
    """The permit as the body that gave it cites it."""
    permit_until: dt.date | None = None
    """Its last day."""
    capacity_persons: int | None = None
    water: bool | None = None
    toilets: int | None = None
    exits: int | None = None
    fire_extinguishers: int | None = None


@dataclass(frozen=True)
class Recorded:
    """What an act upon premises did."""

    premises_id: int
    event_id: int
    repeated: bool = False
    """The client's UUID was known: this is what was done then."""


def register(connection: Connection, site: Site, act: Act) -> Recorded:
    """Make premises known.

    Raises BadStructure, UnknownDivision, PremisesTaken, RegisterBusy, BadArgument.
    """
    repeated = _begin(connection, act)
    if repeated:
        return repeated
    fields = _checked(connection, asdict(site))
    _check_name(connection, fields)
    premises_id = connection.execute(INSERT, fields).scalar_one()
    return _record(connection, premises_id, PremisesVerb.REGISTER, act)


def correct(connection: Connection, premises_id: int, fields: Mapping[str, Any], act: Act) -> Recorded:
    """Put the record of premises right, closed ones too; any of CORRECTABLE, and what is not named stays.

    Raises as ``register`` does, and PremisesNotFound.
    """
    return _amend(connection, premises_id, PremisesVerb.CORRECT, fields, act, CORRECTABLE)


def change(connection: Connection, premises_id: int, fields: Mapping[str, Any], act: Act) -> Recorded:
    """Record that a site is another now: any of CHANGEABLE. Permit, checks and its end have verbs of their own.

    Raises as ``correct`` does, and PremisesClosed.
    """
    return _amend(connection, premises_id, PremisesVerb.CHANGE, fields, act, CHANGEABLE)


def renew(connection: Connection, premises_id: int, until: dt.date, act: Act, permit: str | None = None) -> Recorded:
    """Record that the permit was extended, by the paper the act names; its new number where it has one.

    Raises as ``change`` does, EvidenceMissing, and BadStructure where the new end is past or no later than the old.
    """
    fields: dict[str, Any] = {"permit_until": until} | ({} if permit is None else {"permit": permit})
    if until < acts.today():
        raise BadStructure(why=f"a permit that ended on {until} extends nothing")
    _check_evidence(act, "A renewal")
    return _amend(connection, premises_id, PremisesVerb.RENEW, fields, act, ("permit", "permit_until"))


def check(connection: Connection, premises_id: int, body: str, act: Act) -> Recorded:
    """Record that a body checked the site's safety on the act's day (today where it says none), and wrote a paper.

    Raises as ``change`` does, EvidenceMissing, and BadStructure where a later check is on record.
    """
    _check_evidence(act, "A safety check")
    fields = {"safety_checked_on": act.happened_on or acts.today(), "safety_checked_by": body}
    return _amend(connection, premises_id, PremisesVerb.CHECK, fields, act, tuple(fields))


def close(connection: Connection, premises_id: int, act: Act) -> Recorded:
    """Record that the site is no more since the act's day (today where it says none).

    What stands on it stays registered, and is due for inspection. Raises PremisesNotFound, PremisesClosed.
    """
    fields = {"closed_on": act.happened_on or acts.today()}
    return _amend(connection, premises_id, PremisesVerb.CLOSE, fields, act, tuple(fields))


def get(connection: Connection, premises_id: int) -> Row[Any]:
    """Return premises as they are today, whole; raises PremisesNotFound."""
    row = connection.execute(BY_ID, {"premises_id": premises_id}).first()
    if row is None:
        raise PremisesNotFound(premises_id=premises_id)
    return row


def find_premises(connection: Connection, division: int, name: str = "", limit: int = 100) -> Sequence[Row[Any]]:
    """Return the open premises of a division (twelve digits) whose names contain a text, by name."""
    first, end = divisions.extent(division)
    return connection.execute(BY_NAME, {"first": first, "end": end, "name": name, "limit": limit}).all()


def find_events(connection: Connection, premises_id: int) -> Sequence[Row[Any]]:
    """Return what happened to premises, in the order in which it became known, each with what they were before."""
    return connection.execute(EVENTS, {"premises_id": premises_id}).all()


def find_as_recorded(connection: Connection, premises_id: int, moment: dt.datetime) -> dict[str, Any] | None:
    """Return premises as the register had them at a moment (with its time zone); None where it had none.

    Dates are ISO 8601 text, as JSON keeps them.
    """
    found: dict[str, Any] | None = connection.execute(
        AS_RECORDED, {"premises_id": premises_id, "moment": moment}
    ).scalar_one_or_none()
    return found


def check_term(connection: Connection, before: State, patch: Mapping[str, Any], act: Act) -> None:
    """Raise what stands against a building's standing until another day than it was to.

    Longer needs evidence and a site that is open; no day lies beyond its site's permit, where that is known.
    Raises EvidenceMissing, PremisesClosed, BeyondPermit.
    """
    until = patch.get("expires_on", before.expires_on)
    if until == before.expires_on:
        return
    longer = before.expires_on is not None and (until is None or until > before.expires_on)
    if longer:
        _check_evidence(act, "A renewal")
    premises_id = patch.get("premises_id", before.premises_id)
    site = None if premises_id is None else connection.execute(BY_ID, {"premises_id": premises_id}).first()
    if site is None or until is None:
        return
    if longer and site.closed_on is not None:
        raise PremisesClosed(name=site.name, closed_on=site.closed_on)
    if site.permit_until is not None and until > site.permit_until:
        raise BeyondPermit(name=site.name, permit_until=site.permit_until)


def _begin(connection: Connection, act: Act) -> Recorded | None:
    """Take the register's lock, check what is said of the act, and return what was done if it was done before."""
    acts.begin(connection, replace(act, client_uuid=None))  # a building's event with that UUID is another act
    if act.client_uuid is None:
        return None
    found = connection.execute(REPEATED, {"client_uuid": act.client_uuid}).first()
    return None if found is None else Recorded(found.premises_id, found.id, repeated=True)


def _amend(  # noqa: PLR0913, PLR0917 - the verbs above are its callers
    connection: Connection,
    premises_id: int,
    verb: PremisesVerb,
    fields: Mapping[str, Any],
    act: Act,
    allowed: Collection[str],
) -> Recorded:
    """Set fields of premises that may be set, and record it."""
    repeated = _begin(connection, act)
    if repeated:
        return repeated
    known = get(connection, premises_id)._asdict()
    if known["closed_on"] is not None and verb is not PremisesVerb.CORRECT:
        raise PremisesClosed(name=known["name"], closed_on=known["closed_on"])
    if unknown := [name for name in fields if name not in allowed]:
        raise BadStructure(why=f"{unknown[0]} cannot be set by {verb.value}; one of {', '.join(allowed)} can")
    _check_later(verb, known, fields)
    after = _checked(connection, known | dict(fields))
    if after == known:
        raise BadStructure(why="nothing is different from what is registered")
    _check_name(connection, after)
    recorded = _record(connection, premises_id, verb, act)
    connection.execute(UPDATE, after)
    return recorded


def _check_later(verb: PremisesVerb, known: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    """Raise BadStructure where a permit's new end, or a check, is no later than the one on record."""
    names = {PremisesVerb.RENEW: "permit_until", PremisesVerb.CHECK: "safety_checked_on"}
    name = names.get(verb)
    if name is None or known[name] is None:
        return
    if fields[name] < known[name] or (verb is PremisesVerb.RENEW and fields[name] == known[name]):
        raise BadStructure(why=f"{fields[name]} is not after {known[name]}, which is on record")


def _check_evidence(act: Act, what: str) -> None:
    """Raise EvidenceMissing for an act that names no paper."""
    if act.source_document is None or not act.source_document.strip():
        raise EvidenceMissing(what=what)


def _check_name(connection: Connection, fields: Mapping[str, Any]) -> None:
    """Raise PremisesTaken where other open premises of the division have the name already."""
    if fields.get("closed_on") is not None:
        return
    name = fields["name"]
    values = {"division_code": fields["division_code"], "name": name, "premises_id": fields.get("id")}
    found = connection.execute(NAMESAKE, values).scalar()
    if found is not None:
        raise PremisesTaken(name=name, premises_id=found)


def _checked(connection: Connection, fields: dict[str, Any]) -> dict[str, Any]:
    """Return a site's fields, its words without spaces around them; raises BadStructure, UnknownDivision."""
    fields = fields | {name: _word(name, fields[name]) for name in WORDS if fields.get(name) is not None}
    if fields["name"] is None or fields["kind"] is None or fields["division_code"] is None:
        raise BadStructure(why="premises have a name, a kind and a division")
    if fields["kind"] not in set(PremisesKind):
        raise BadStructure(why=f"kind is one of {', '.join(PremisesKind)}")
    for name, most in MOST.items():
        if fields[name] is not None and not 0 <= fields[name] <= most:
            raise BadStructure(why=f"{name} is from 0 to {most}")
    divisions.find_name(connection, fields["division_code"])
    _check_days(fields)
    return fields


def _check_days(fields: Mapping[str, Any]) -> None:
    """Raise BadStructure for days that cannot be."""
    today = acts.today()
    for name in ("safety_checked_on", "closed_on"):
        if fields.get(name) is not None and fields[name] > today:
            raise BadStructure(why=f"{name} is still to come")
    if (fields.get("safety_checked_on") is None) != (fields.get("safety_checked_by") is None):
        raise BadStructure(why="a safety check has a day and the body that made it")
    until = fields["permit_until"]
    if until is not None and until.year > today.year + LONGEST_PERMIT_YEARS:
        raise BadStructure(why=f"no permit runs for more than {LONGEST_PERMIT_YEARS} years")


def _word(name: str, word: str) -> str:
    """Return a word as it is kept; raises BadStructure for one that is empty or too long."""
    kept = word.strip()
    if not kept or len(kept) > LONGEST or "\x00" in kept:
        raise BadStructure(why=f"{name} has 1 to {LONGEST} characters")
    return kept


def _record(connection: Connection, premises_id: int, verb: PremisesVerb, act: Act) -> Recorded:
    """Write the event, before what it does where there is something to keep."""
    said = asdict(act) | {"premises_id": premises_id, "verb": verb.value}
    return Recorded(premises_id, connection.execute(RECORD, said).scalar_one())


INSERT = text("""
    INSERT INTO reg.premises (kind, name, division_code, responsible_organisation, permit, permit_until,
        capacity_persons, water, toilets, exits, fire_extinguishers)
    VALUES (:kind, :name, :division_code, :responsible_organisation, :permit, :permit_until, :capacity_persons, :water,
        :toilets, :exits, :fire_extinguishers) RETURNING id
""")
UPDATE = text("""
    UPDATE reg.premises SET kind = :kind, name = :name, division_code = :division_code,
        responsible_organisation = :responsible_organisation, permit = :permit, permit_until = :permit_until,
        capacity_persons = :capacity_persons, water = :water, toilets = :toilets, exits = :exits,
        fire_extinguishers = :fire_extinguishers, safety_checked_on = :safety_checked_on,
        safety_checked_by = :safety_checked_by, closed_on = :closed_on
    WHERE id = :id
""")
BY_ID = text("SELECT * FROM reg.premises WHERE id = :premises_id")
BY_NAME = text("""
    SELECT * FROM reg.premises
    WHERE division_code >= :first AND division_code < :end AND closed_on IS NULL AND strpos(name, :name) > 0
    ORDER BY name, id LIMIT :limit
""")
NAMESAKE = text("""
    SELECT id FROM reg.premises
    WHERE division_code = :division_code AND name = :name AND closed_on IS NULL
        AND id IS DISTINCT FROM CAST(:premises_id AS int)
""")
REPEATED = text("SELECT id, premises_id FROM reg.premises_events WHERE client_uuid = :client_uuid")
RECORD = text("""
    INSERT INTO reg.premises_events (premises_id, verb, actor, reason, source_document, happened_on, client_uuid,
        before)
    SELECT p.id, :verb, :actor, :reason, :source_document, :happened_on, CAST(:client_uuid AS uuid),
        CASE WHEN :verb <> 'register' THEN to_jsonb(p) END
    FROM reg.premises p WHERE p.id = :premises_id RETURNING id
""")
EVENTS = text("SELECT * FROM reg.premises_events WHERE premises_id = :premises_id ORDER BY id")
# what an event left is what the next one found, or what there is now
AS_RECORDED = text("""
    SELECT coalesce((SELECT e.before FROM reg.premises_events e
        WHERE e.premises_id = p.id AND e.verb <> 'register' AND e.recorded_at > :moment ORDER BY e.id LIMIT 1),
        to_jsonb(p))
    FROM reg.premises p
    WHERE p.id = :premises_id AND NOT EXISTS (SELECT FROM reg.premises_events e
        WHERE e.premises_id = p.id AND e.verb = 'register' AND e.recorded_at > :moment)
""")
