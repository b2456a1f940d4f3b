"""Versions of a building: what was so, and when, in the world and in the register.

A building's history in the world is a list of versions that follow one another without gaps; the last is
today's. An event puts another list in its place, and what it took away stays on record with the event that
closed it. The functions on lists are pure; ``load`` and ``save`` know the tables.

The two times are those of SQL:2011 (application time and system time; Snodgrass, Developing Time-Oriented
Database Applications, 2000); system time is counted in events, which are numbered in the order of their commits.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import orjson
from sqlalchemy import Connection, Row, text

from gis.errors import NotSoThen, OutOfOrder
from gis.terms import BuildingStatus

AddressFact = tuple[str, bool]
"""Standard address, and whether it is the main one."""
DwellingFact = tuple[int, int | None, int | None, str | None, str]
"""Sequence, entrance, floor, room, status."""


@dataclass(frozen=True)
class State:
    """What is known of a structure at one moment, whole."""

    kind: str
    kind_assumed: bool
    status: str
    division_code: int
    place_assumed: bool
    premises_id: int | None
    entrances: int | None
    floors: int | None
    rooms_per_floor: int | None
    expires_on: dt.date | None
    geometry: str
    """EWKB in hexadecimal, EPSG:4490: a shape comes back bit for bit."""
    addresses: tuple[AddressFact, ...]
    dwellings: tuple[DwellingFact, ...]


@dataclass(frozen=True)
class Version:
    """A state with the time it lasted, and the event that put it on record."""

    since: dt.date | None
    """First day; None where nobody said."""
    until: dt.date | None
    """The day after the last; None while it lasts."""
    state: State
    opened_seq: int | None = None
    """None while it is not on record yet."""


FIELDS = tuple(field.name for field in fields(State))
Versions = list[Version]
Patch = dict[str, Any]
"""Fields of a state with their new values."""


def changed(versions: Versions, patch: Patch, on: dt.date) -> Versions:
    """Return the versions after the world changed on a day; raises OutOfOrder for a day before the last change."""
    last = versions[-1]
    if last.since is not None and on < last.since:
        raise OutOfOrder(on=on, since=last.since)
    state = replace(last.state, **patch)
    if state == last.state:
        return versions
    before = [] if last.since == on else [Version(last.since, on, last.state)]
    return _merged([*versions[:-1], *before, Version(on, None, state)])


def corrected(versions: Versions, patch: Patch, on: dt.date | None = None) -> Versions:
    """Return the versions after the record was put right: it had been wrong for as long as it said the same.

    ``on`` is a day on which the record is wrong, today where None; raises NotSoThen for one before the building was.
    Each corrected field is set wherever, around that day, its value was the wrong one throughout; addresses only for
    as long as the building stood, for one that had been taken down has none.
    """
    at = _index_at(versions, on)
    states = [version.state for version in versions]
    stood = _run(states, at, "status", states[at].status)
    for name, value in patch.items():
        wrong = getattr(states[at], name)
        for i in _run(states, at, name, wrong):
            if name != "addresses" or i in stood:
                states[i] = replace(states[i], **{name: value})
    kept = [
        version if state == version.state else Version(version.since, version.until, state)
        for version, state in zip(versions, states, strict=True)
    ]
    return _merged(kept)


def _run(states: Sequence[State], at: int, name: str, value: object) -> range:
    """Return the indexes around one over which a field has a value without a break."""
    first, last = at, at
    while first > 0 and getattr(states[first - 1], name) == value:
        first -= 1
    while last + 1 < len(states) and getattr(states[last + 1], name) == value:
        last += 1
    return range(first, last + 1)


def _merged(versions: Versions) -> Versions:
    """Return versions of which no two neighbours say the same."""
    merged = versions[:1]
    for _, version in pairwise(versions):
        last = merged[-1]
        if last.state == version.state:
            merged[-1] = Version(last.since, version.until, last.state)
        else:
            merged.append(version)
    return merged


def at(versions: Sequence[Version], on: dt.date) -> Version | None:
    """Return the version in force on a day, None before the first."""
    return next((v for v in versions if (v.since is None or v.since <= on) and (v.until is None or on < v.until)), None)


def standing(versions: Versions, on: dt.date | None = None) -> State:
    """Return the state of a day, today's where None; raises NotSoThen for a day before the building was."""
    return versions[_index_at(versions, on)].state


def _index_at(versions: Versions, on: dt.date | None) -> int:
    """Return the index of the version of a day, of the last where none is given."""
    if on is None:
        return len(versions) - 1
    found = at(versions, on)
    if found is None:
        raise NotSoThen(on=on)
    return versions.index(found)


def load(connection: Connection, number: int, seq: int | None = None) -> Versions:
    """Return a building's versions, oldest first, as the register has them now or had them after event ``seq``.

    Empty where there is no such building, or was none then.
    """
    return [_version(row) for row in connection.execute(TIMELINE, {"number": number, "seq": seq})]


def load_before(connection: Connection, number: int, seq: int) -> Versions:
    """Return a building's versions as they stood right before an event; empty where it made the building."""
    return load(connection, number, seq - 1)


def _version(row: Row[Any]) -> Version:
    """Return a row of any of the queries as a version."""
    addresses = tuple((str(address), bool(main)) for address, main in row.addresses)
    dwellings = tuple(tuple(dwelling) for dwelling in row.dwellings)
    known = {name: getattr(row, name) for name in FIELDS} | {"addresses": addresses, "dwellings": dwellings}
    return Version(row.since, row.until, State(**known), row.opened_seq)


def save(connection: Connection, number: int, before: Versions, after: Versions, seq: int) -> None:
    """Close what an event took away and put what it says on record; ``before`` is what ``load`` returned."""
    if not connection.execute(HAS_ROWS, {"number": number}).scalar():
        _insert(connection, number, before, None)
    kept = [version for version in after if version.opened_seq is not None]
    gone = [version for version in before if version not in kept]
    for version in gone:
        connection.execute(CLOSE, {"seq": seq, "number": number, "since": version.since})
    _insert(connection, number, [version for version in after if version not in kept], seq)


def _insert(connection: Connection, number: int, versions: Versions, seq: int | None) -> None:
    """Put versions on record, by an event or, where None, by those that opened them."""
    if not versions:
        return
    connection.execute(INSERT, [_row(number, version, seq) for version in versions])


def _row(number: int, version: Version, seq: int | None) -> dict[str, Any]:
    """Return a version as the parameters of INSERT."""
    state = {name: getattr(version.state, name) for name in FIELDS}
    state["addresses"] = orjson.dumps(version.state.addresses).decode()
    state["dwellings"] = orjson.dumps(version.state.dwellings).decode()
    opened = version.opened_seq if seq is None else seq
    return {"number": number, "since": version.since, "until": version.until, "opened_seq": opened, **state}


def reverse(connection: Connection, number: int, seq: int) -> tuple[Versions, Versions]:
    """Return a building's versions now and as they must be once an event is taken back; the latter empty if it made it.

    What stays as it is keeps the event that put it on record.
    """
    now = load(connection, number)
    then = load_before(connection, number, seq)
    same = {(version.since, version.until): version for version in now}
    restored = []
    for version in then:
        standing = same.get((version.since, version.until))
        stays = standing is not None and standing.state == version.state
        restored.append(standing if stays and standing else replace(version, opened_seq=None))
    return now, restored


def find_last_addresses(connection: Connection, number: int, versions: Versions) -> tuple[AddressFact, ...]:
    """Return the addresses a building had when it was last active; by its versions, a retired one never was."""
    stood = [version.state for version in versions if version.state.status == BuildingStatus.ACTIVE]
    if stood and versions[-1].state.status == BuildingStatus.DEMOLISHED:
        return stood[-1].addresses
    row = connection.execute(LAST_ADDRESSES, {"number": number}).first()
    return () if row is None else tuple((str(address), bool(main)) for address, main in row.addresses)


def find_last_dwelling(connection: Connection, number: int) -> int:
    """Return the highest number a dwelling of a building was ever given, one that was taken back among them."""
    return int(connection.execute(LAST_DWELLING, {"number": number}).scalar_one())


TIMELINE = text("""
    SELECT * FROM calc.building_timeline
    WHERE building_number = :number AND opened_seq <= coalesce(:seq, opened_seq)
        AND (closed_seq IS NULL OR closed_seq > CAST(:seq AS bigint))
    ORDER BY since NULLS FIRST
""")
HAS_ROWS = text("SELECT EXISTS (SELECT FROM reg.building_versions WHERE building_number = :number)")
CLOSE = text("""
    UPDATE reg.building_versions SET closed_seq = :seq
    WHERE building_number = :number AND closed_seq IS NULL
        AND lower(during) IS NOT DISTINCT FROM CAST(:since AS date)
""")
INSERT = text("""
    INSERT INTO reg.building_versions (building_number, during, opened_seq, kind, kind_assumed, status, division_code,
        place_assumed, premises_id, entrances, floors, rooms_per_floor, expires_on, geometry, addresses, dwellings)
    VALUES (:number, daterange(:since, :until), :opened_seq, :kind, :kind_assumed, :status, :division_code,
        :place_assumed, :premises_id, :entrances, :floors, :rooms_per_floor, :expires_on, CAST(:geometry AS geometry),
        CAST(:addresses AS jsonb), CAST(:dwellings AS jsonb))
""")
LAST_ADDRESSES = text("""
    SELECT addresses FROM reg.building_versions
    WHERE building_number = :number AND status = 'active' AND upper_inf(during) ORDER BY closed_seq DESC LIMIT 1
""")
LAST_DWELLING = text("""
    SELECT max(sequence) FROM (
        SELECT sequence FROM reg.dwellings WHERE building_number = :number
        UNION ALL
        SELECT CAST(dwelling -> 0 AS integer) FROM reg.building_versions
        CROSS JOIN jsonb_array_elements(dwellings) AS dwelling WHERE building_number = :number
    ) ever
""")
