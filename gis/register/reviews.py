"""Rows of structures files that a person decides about: what waits beside what it met, and carrying a decision out.

A row is the building it met, a building of its own, right where the record is wrong or out of date, or nothing to
register. Whatever it is, the register changes by the same verbs as at a desk, in the same transaction.
"""

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, Row, text

from gis import addresses
from gis.errors import BadArgument, BadStructure, RowDecided, RowNotQueued
from gis.register import acts, buildings, divisions, premises, references, structures, versions
from gis.register.acts import Act, Done
from gis.register.buildings import Amendment
from gis.register.premises import Site
from gis.register.rows import STRUCTURE_ROWS
from gis.register.sheets import ImportOptions, Sheet
from gis.register.structures import Structure
from gis.terms import BuildingKind, PremisesKind, RowDecision

MOST = 200
"""Rows of one page."""
_COUNTS = ("entrances", "floors", "rooms_per_floor")


@dataclass(frozen=True)
class Verdict:
    """What a registrar decides about a row."""

    decision: RowDecision
    """Any but superseded, which only a source itself brings about."""
    building_number: int | None = None
    """The building the row is, where that is not the one it met."""
    distinct_from: Collection[int] = ()
    """More buildings it overlaps or nearly touches, which the registrar has looked at: they are others."""
    with_address: bool = True
    """False leaves the row's address out, where another building has it by right."""


@dataclass(frozen=True)
class Decided:
    """What came of a decision."""

    decision: RowDecision
    seq: int | None
    """The event by which it was carried out; None where the row was refused."""
    numbers: tuple[int, ...]
    """The building that was touched or made."""
    repeated: bool = False
    """It had been decided so before, and nothing was done."""


def find_queued(
    connection: Connection, division: int, after: tuple[int, int] = (0, 0), limit: int = 50
) -> Sequence[Row[Any]]:
    """Return rows that wait in a division (twelve digits), by batch and row, from the one after a place in that order.

    Each is a row of ``calc.queued_rows`` with both shapes as GeoJSON (``row_shape``, ``standing_shape``), how much of
    each other they cover, and what is registered of the building it met. Raises BadArgument for a page of no size.
    """
    if not 1 <= limit <= MOST:
        raise BadArgument(why=f"limit is from 1 to {MOST}")
    low, high = divisions.extent(division)
    place = {"batch": after[0], "row": after[1]}
    return connection.execute(WAITING, {"low": low, "high": high, "limit": limit} | place).all()


def find_division(connection: Connection, batch_id: int, row: int) -> int:
    """Return where a row would be registered; raises RowNotQueued."""
    return int(_entry(connection, batch_id, row).division_code or 0)


def decide(connection: Connection, batch_id: int, row: int, verdict: Verdict, act: Act) -> Decided:
    """Carry out what was decided about a row that waits, once; the same decision again does nothing.

    Raises RowNotQueued, RowDecided where it was decided otherwise or the source has overtaken it, BadStructure where
    the row met no building it could be, and whatever the verb raises that carries it out.
    """
    known = acts.begin(connection, act)
    entry = _entry(connection, batch_id, row)
    if entry.decision is not None:
        return _decided_before(connection, entry, verdict)
    if known is not None:
        raise BadArgument(why="this client_uuid belongs to another act")
    carry_out = CARRIED_OUT.get(verdict.decision)
    done = None if carry_out is None else carry_out(connection, entry, verdict, act)
    if done is not None and entry.fingerprint is not None:
        connection.execute(KNOW_AGAIN, _reference(entry) | {"batch": batch_id, "row": row})
    seq = None if done is None else done.seq
    said = {"decision": verdict.decision.value, "actor": act.actor, "seq": seq, "batch": batch_id, "row": row}
    connection.execute(DECIDE, said)
    return Decided(verdict.decision, seq, () if done is None else done.numbers)


def _entry(connection: Connection, batch_id: int, row: int) -> Row[Any]:
    """Return a row that waits or was decided; raises RowNotQueued."""
    found = connection.execute(ENTRY, {"batch": batch_id, "row": row}).first()
    if found is None:
        raise RowNotQueued(batch=batch_id, row=row)
    return found


def _decided_before(connection: Connection, entry: Row[Any], verdict: Verdict) -> Decided:
    """Return what came of a decision; raises RowDecided where it was another."""
    if entry.decision != verdict.decision:
        raise RowDecided(who=entry.decided_by, decision=entry.decision)
    event = None if entry.event_seq is None else acts.find_event(connection, entry.event_seq)
    numbers = () if event is None else tuple(event.building_numbers)
    return Decided(verdict.decision, entry.event_seq, numbers, repeated=True)


def _same(connection: Connection, entry: Row[Any], verdict: Verdict, act: Act) -> Done:
    """Let the row's code stand for the building it is."""
    reference = _reference(entry)
    amendment = Amendment({}, references=[(reference["source"], reference["code"])])
    return buildings.correct(connection, _standing(entry, verdict), amendment, act)


def _another(connection: Connection, entry: Row[Any], verdict: Verdict, act: Act) -> Done:
    """Register the row as a building of its own, beside the one it met."""
    sheet = _sheet(entry, act)
    facts, reference = sheet.attributes, _reference(entry)
    met = () if entry.building_number is None else (entry.building_number,)
    structure = Structure(
        sheet.shapes[0],
        facts.kinds[0],
        _address(sheet, verdict),
        entrances=_whole(facts.entrances[0]),
        floors=_whole(facts.floors[0]),
        rooms_per_floor=_whole(facts.rooms_per_floor[0]),
        premises_id=_premises(connection, entry, sheet, act),
        expires_on=_day(sheet),
        division=entry.division_code,
        references=[(reference["source"], reference["code"])],
        distinct_from=(*met, *verdict.distinct_from),
        invented=bool(entry.options.get("test_numbers")),
    )
    return buildings.register(connection, structure, act)


def _correct(connection: Connection, entry: Row[Any], verdict: Verdict, act: Act) -> Done:
    """Put the building's record right by what the row says."""
    number = _standing(entry, verdict)
    return buildings.correct(connection, number, _amendment(connection, entry, verdict, act), act)


def _change(connection: Connection, entry: Row[Any], verdict: Verdict, act: Act) -> Done:
    """Record that the building is now as the row says."""
    number = _standing(entry, verdict)
    return buildings.change(connection, number, _amendment(connection, entry, verdict, act), act)


CARRIED_OUT: dict[RowDecision, Callable[[Connection, Row[Any], Verdict, Act], Done]] = {
    RowDecision.SAME: _same,
    RowDecision.ANOTHER: _another,
    RowDecision.CORRECT: _correct,
    RowDecision.CHANGE: _change,
}


def _standing(entry: Row[Any], verdict: Verdict) -> int:
    """Return the building that a row is; raises BadStructure where nobody says which."""
    number = verdict.building_number or entry.building_number
    if number is None:
        raise BadStructure(why="the row met no registered building; name the one it is, or decide another or refuse")
    return int(number)


def _amendment(connection: Connection, entry: Row[Any], verdict: Verdict, act: Act) -> Amendment:
    """Return what the row says otherwise than the register; what it does not say stays."""
    known = versions.load(connection, _standing(entry, verdict))
    sheet, reference = _sheet(entry, act), _reference(entry)
    last = known[-1].state if known else None
    said: dict[str, Any] = {name: _whole(getattr(sheet.attributes, name)[0]) for name in _COUNTS}
    said |= {"expires_on": _day(sheet), "premises_id": _premises(connection, entry, sheet, act)}
    if not sheet.attributes.kind_assumed[0]:
        said["kind"] = sheet.attributes.kinds[0].value
    fields = {name: value for name, value in said.items() if value is not None and getattr(last, name, None) != value}
    address = _address(sheet, verdict)
    main = next((each for each, is_main in last.addresses if is_main), "") if last else ""
    if address is not None and addresses.normalise(address) == addresses.normalise(main):
        address = None
    drawn_so = last is not None and structures.hexed(sheet.shapes[0]) == last.geometry
    return Amendment(
        fields,
        None if drawn_so else sheet.shapes[0],
        address,
        references=[(reference["source"], reference["code"])],
        distinct_from=verdict.distinct_from,
    )


def _sheet(entry: Row[Any], act: Act) -> Sheet:
    """Return a row that waits as a sheet of one, read as its import read it."""
    given = {"row": entry.row, "source_id": entry.source_code, "geometry": bytes(entry.wkb), **entry.content}
    rows = pa.table(
        [pa.array([given.get(field.name)], type=field.type) for field in STRUCTURE_ROWS], schema=STRUCTURE_ROWS
    )
    kind = entry.options.get("kind")
    kind = None if kind is None else BuildingKind(kind)
    return Sheet(rows, ImportOptions(entry.source, entry.file_name, act.actor, entry.options.get("division"), kind))


def _reference(entry: Row[Any]) -> dict[str, Any]:
    """Return the source's code for a row; one without any, from before rows were known again, goes by its place."""
    if entry.fingerprint is None:
        code = (entry.source_code or "").strip() or f"batch:{entry.batch_id}:{entry.row}"
    else:
        code = references.code_of(entry.source_code, entry.fingerprint)
    return {"source": entry.source, "source_id": entry.source_id, "code": code, "fingerprint": entry.fingerprint}


def _address(sheet: Sheet, verdict: Verdict) -> str | None:
    """Return the row's address, None where it has none or it is left out."""
    address: str | None = sheet.words("standard_address", np.array([0]))[0]
    return address if verdict.with_address else None


def _whole(value: float) -> int | None:
    """Return a count, None where it is not known."""
    return None if np.isnan(value) else int(value)


def _day(sheet: Sheet) -> dt.date | None:
    """Return the day on which the row expires, None where it says none."""
    day = sheet.attributes.expires_on[0]
    if np.isnat(day):
        return None
    expires: dt.date = day.astype(object)
    return expires


def _premises(connection: Connection, entry: Row[Any], sheet: Sheet, act: Act) -> int | None:
    """Return the premises a row names, made known where they are new."""
    name = sheet.words("premises", np.array([0]))[0]
    if name is None or entry.division_code is None:
        return None
    low, high = divisions.extent(entry.division_code // 1_000_000 * 1_000_000)
    place = {"name": name, "low": low, "high": high, "code": entry.division_code}
    found: int | None = connection.execute(PREMISES, place).scalar()
    if found is not None:
        return found
    shed = sheet.attributes.kinds[0] == BuildingKind.WORK_SHED
    site = Site(name, entry.division_code, PremisesKind.CONSTRUCTION_SITE if shed else PremisesKind.ESTATE)
    return premises.register(connection, site, Act(act.actor, act.reason, act.source_document)).premises_id


WAITING = text("""
    SELECT q.*, ST_AsGeoJSON(q.geometry, 8) AS row_shape, st.kind, st.status, st.standard_address, st.entrances,
        st.floors, st.rooms_per_floor, st.expires_on, st.premises, ST_AsGeoJSON(st.geometry, 8) AS standing_shape
    FROM calc.queued_rows q LEFT JOIN calc.structures st ON st.number = q.building_number
    WHERE q.division_code >= :low AND q.division_code < :high AND (q.batch_id, q.row) > (:batch, :row)
    ORDER BY q.batch_id, q.row LIMIT :limit
""")
ENTRY = text("""
    SELECT r.batch_id, r.row, r.source_code, r.content, r.building_number, r.fingerprint, r.division_code, r.decision,
        r.decided_by, r.event_seq, ST_AsBinary(r.geometry) AS wkb, b.source_id, b.file_name, b.options, s.name AS source
    FROM reg.batch_rows r JOIN reg.batches b ON b.id = r.batch_id JOIN reg.sources s ON s.id = b.source_id
    WHERE r.batch_id = :batch AND r.row = :row AND r.outcome = 'queued'
""")
DECIDE = text("""
    UPDATE reg.batch_rows SET decision = :decision, decided_at = clock_timestamp(), decided_by = :actor,
        event_seq = :seq
    WHERE batch_id = :batch AND row = :row
""")
KNOW_AGAIN = text("""
    UPDATE reg.external_references SET fingerprint = :fingerprint, batch_id = :batch, row = :row
    WHERE source_id = :source_id AND code = :code
""")
PREMISES = text("""
    SELECT id FROM reg.premises
    WHERE name = :name AND division_code >= :low AND division_code < :high AND closed_on IS NULL
    ORDER BY division_code = :code DESC, id LIMIT 1
""")
