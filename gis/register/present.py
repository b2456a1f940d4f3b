"""The register's present: the tables that hold each building as it is today, kept in step with its versions."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import shapely
from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import IntegrityError

from gis import addresses
from gis.errors import AddressTaken, BadStructure, ReferenceTaken
from gis.register import references, structures
from gis.register.acts import Deed
from gis.register.checking import LONGEST
from gis.register.versions import FIELDS, DwellingFact, State

_COLUMNS = tuple(name for name in FIELDS if name not in {"addresses", "dwellings"})


def insert(deed: Deed, number: int, state: State) -> None:
    """Write a new building whole; raises BadStructure for premises nobody knows."""
    columns = {name: getattr(state, name) for name in _COLUMNS} | _squares(state)
    _execute(deed.connection, INSERT, columns | {"number": number, "seq": deed.seq})
    _add_dwellings(deed.connection, number, state.dwellings)
    for address, main in state.addresses:
        _add_address(deed.connection, number, address, main=main, since=deed.act.happened_on)


def update(deed: Deed, number: int, before: State, after: State) -> None:
    """Bring a building from one state to another; raises as ``insert`` does, and AddressTaken."""
    columns = {name: getattr(after, name) for name in _COLUMNS}
    if any(getattr(before, name) != value for name, value in columns.items()):
        _execute(deed.connection, UPDATE, columns | _squares(after) | {"number": number})
    if before.addresses != after.addresses:
        _settle_addresses(deed, number, before, after)
    if before.dwellings != after.dwellings:
        _settle_dwellings(deed.connection, number, before.dwellings, after.dwellings)


def _execute(connection: Connection, statement: TextClause, values: dict[str, Any]) -> None:
    """Write a building; raises BadStructure for what the database holds against it."""
    try:
        connection.execute(statement, values)
    except IntegrityError as error:
        raise BadStructure(why=_refusal(error)) from error


def _squares(state: State) -> dict[str, Any]:
    """Return the cells of a state's shape."""
    return structures.squares_of(shapely.from_wkb(bytes.fromhex(state.geometry)))


def _refusal(error: IntegrityError) -> str:
    """Return what the database held against a row, in a word for outside."""
    if "premises" in str(error.orig):
        return "no premises have that number" if "not known" in str(error.orig) else "a work shed needs its premises"
    if "work_shed" in str(error.orig):
        return "a work shed needs its premises and the day it expires"
    return "the database does not take it"


def _settle_addresses(deed: Deed, number: int, before: State, after: State) -> None:
    """End the addresses that fall away and add those that come."""
    gone = [fact for fact in before.addresses if fact not in after.addresses]
    come = [fact for fact in after.addresses if fact not in before.addresses]
    structures.check_addresses(deed.connection, come, [number])
    for address, main in gone:
        values = {"number": number, "address": address, "main": main, "on": deed.day, "withdrawn": deed.puts_right}
        deed.connection.execute(END_ADDRESS, values)
    for address, main in come:
        values = {"number": number, "address": address, "main": main}
        if not (deed.puts_right and deed.connection.execute(REVIVE_ADDRESS, values).rowcount):
            since = None if deed.puts_right else deed.day
            _add_address(deed.connection, number, address, main=main, since=since)


def _add_address(connection: Connection, number: int, address: str, *, main: bool, since: dt.date | None) -> None:
    """Write one more address; the database itself lets no two active buildings have the same."""
    normalised = addresses.normalise(address)
    try:
        connection.execute(
            ADD_ADDRESS,
            {"number": number, "address": address, "normalised": normalised, "since": since, "main": main},
        )
    except IntegrityError as error:
        raise AddressTaken(number="another", address=address) from error


def _settle_dwellings(
    connection: Connection, number: int, before: Sequence[DwellingFact], after: Sequence[DwellingFact]
) -> None:
    """Write what changed about dwellings; one that is no more said to have been is taken out, and keeps its number."""
    known = {dwelling[0]: dwelling for dwelling in before}
    wanted = {dwelling[0]: dwelling for dwelling in after}
    stored = {row.sequence for row in connection.execute(SEQUENCES, {"number": number})}
    for sequence, dwelling in wanted.items():
        if sequence in stored and dwelling != known.get(sequence):
            connection.execute(UPDATE_DWELLING, _dwelling(number, dwelling))
    _add_dwellings(connection, number, [wanted[sequence] for sequence in wanted if sequence not in stored])
    dropped = [sequence for sequence in stored if sequence not in wanted]
    if dropped:
        connection.execute(DROP_DWELLINGS, {"number": number, "dropped": dropped})


def _add_dwellings(connection: Connection, number: int, dwellings: Sequence[DwellingFact]) -> None:
    """Write new dwellings."""
    if dwellings:
        connection.execute(ADD_DWELLING, [_dwelling(number, dwelling) for dwelling in dwellings])


def _dwelling(number: int, dwelling: DwellingFact) -> dict[str, Any]:
    """Return a dwelling as parameters."""
    names = ("sequence", "entrance", "floor", "room", "status")
    return {"number": number, **dict(zip(names, dwelling, strict=True))}


def add_references(deed: Deed, number: int, codes: Sequence[tuple[str, str]]) -> None:
    """Write other bodies' codes for a building; raises ReferenceTaken, and BadStructure for an empty one."""
    for source, code in codes:
        if not source.strip() or not code.strip() or max(len(source), len(code)) > LONGEST:
            raise BadStructure(why="a reference has a source and a code")
        source_id = references.find_source(deed.connection, source.strip())
        values = {"source_id": source_id, "code": code.strip(), "number": number, "seq": deed.seq}
        if deed.connection.execute(ADD_REFERENCE, values).rowcount:
            continue
        holder = deed.connection.execute(REFERENCE_HOLDER, values).scalar_one()
        if holder == number or deed.connection.execute(TAKE_OVER, values).rowcount:
            continue
        raise ReferenceTaken(code=code, source=source, number=holder)


INSERT = text("""
    INSERT INTO reg.buildings (number, registered_seq, kind, kind_assumed, status, division_code, place_assumed,
        premises_id, entrances, floors, rooms_per_floor, expires_on, east_100m, north_100m, h3_10, geometry)
    VALUES (:number, :seq, :kind, :kind_assumed, :status, :division_code, :place_assumed, :premises_id, :entrances,
        :floors, :rooms_per_floor, :expires_on, :east_100m, :north_100m, :h3_10, CAST(:geometry AS geometry))
""")
UPDATE = text("""
    UPDATE reg.buildings SET kind = :kind, kind_assumed = :kind_assumed, status = :status,
        division_code = :division_code, place_assumed = :place_assumed, premises_id = :premises_id,
        entrances = :entrances, floors = :floors, rooms_per_floor = :rooms_per_floor, expires_on = :expires_on,
        east_100m = :east_100m, north_100m = :north_100m, h3_10 = :h3_10, geometry = CAST(:geometry AS geometry)
    WHERE number = :number
""")
ADD_ADDRESS = text("""
    INSERT INTO reg.addresses (building_number, standard_address, normalised, valid_from, main)
    VALUES (:number, :address, :normalised, :since, :main)
""")
END_ADDRESS = text("""
    UPDATE reg.addresses SET valid_to = greatest(:on, valid_from), withdrawn = :withdrawn
    WHERE building_number = :number AND standard_address = :address AND main = :main AND valid_to IS NULL
""")
REVIVE_ADDRESS = text("""
    UPDATE reg.addresses SET valid_to = NULL, withdrawn = false
    WHERE id = (SELECT max(id) FROM reg.addresses
        WHERE building_number = :number AND standard_address = :address AND main = :main AND valid_to IS NOT NULL)
""")
SEQUENCES = text("SELECT sequence FROM reg.dwellings WHERE building_number = :number")
ADD_DWELLING = text("""
    INSERT INTO reg.dwellings (building_number, sequence, entrance, floor, room, status)
    VALUES (:number, :sequence, :entrance, :floor, :room, :status)
""")
UPDATE_DWELLING = text("""
    UPDATE reg.dwellings SET entrance = :entrance, floor = :floor, room = :room, status = :status
    WHERE building_number = :number AND sequence = :sequence
""")
DROP_DWELLINGS = text("""
    UPDATE reg.dwellings SET status = 'removed'
    WHERE building_number = :number AND sequence = ANY (:dropped) AND status <> 'removed'
""")
ADD_REFERENCE = text("""
    INSERT INTO reg.external_references (source_id, code, building_number, seq)
    VALUES (:source_id, :code, :number, :seq) ON CONFLICT DO NOTHING
""")
# a code goes on with what stands on the ground: one that is no more gives it up, as it gives up its address
TAKE_OVER = text("""
    UPDATE reg.external_references r SET building_number = :number, seq = :seq
    FROM reg.buildings b
    WHERE r.source_id = :source_id AND r.code = :code AND b.number = r.building_number AND b.status <> 'active'
""")
REFERENCE_HOLDER = text("""
    SELECT building_number FROM reg.external_references WHERE source_id = :source_id AND code = :code
""")
