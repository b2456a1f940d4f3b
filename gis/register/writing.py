"""Accepted structures into the tables: numbers, buildings, dwellings, addresses, references, events."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, text

from gis import numbering
from gis.register import acts, checking, divisions
from gis.register.placing import Places
from gis.register.rows import NO_WKB
from gis.register.sheets import Sheet
from gis.store import copying, session
from gis.terms import BuildingKind, BuildingStatus, DwellingStatus, Outcome, PremisesKind, Verb

Positions = npt.NDArray[np.intp]
BULK = 10_000
"""Rows from which a load counts as bulk."""
_NUL = "\x00"
"""PostgreSQL keeps no text with it."""


@dataclass(frozen=True)
class Origin:
    """Where the rows of a load come from."""

    source_id: int
    batch_id: int
    seq: int
    """The place of the batch's event; its buildings take the places after it, in the order of the rows."""

    def places(self, many: int) -> pa.Array:
        """Return the places of so many buildings in the order of events."""
        return pa.array(np.arange(self.seq + 1, self.seq + 1 + many))


_KEPT = ("kind", "standard_address", "entrances", "floors", "rooms_per_floor", "premises", "valid_to")


def number(connection: Connection, sheet: Sheet, positions: Positions) -> None:
    """Give each accepted row its permanent number; raises BadArgument when the serials are used up."""
    trial = sheet.options.test_numbers or sheet.options.division == divisions.TEST_DIVISION
    kinds = [numbering.TEST if trial else kind for kind in sheet.attributes.kinds[positions]]
    sheet.numbers[positions] = acts.mint(connection, kinds)


def write_buildings(connection: Connection, sheet: Sheet, places: Places, positions: Positions, origin: Origin) -> None:
    """Copy the accepted rows into ``buildings`` and their dwellings into ``dwellings``."""
    attributes = sheet.attributes
    counts = {
        name: _optional(getattr(attributes, name)[positions], pa.int16())
        for name in ("entrances", "floors", "rooms_per_floor")
    }
    columns = {
        "number": pa.array(sheet.numbers[positions]),
        "kind": _terms(attributes.kinds[positions]),
        "kind_assumed": pa.array(attributes.kind_assumed[positions]),
        "status": _repeat(BuildingStatus.ACTIVE.value, len(positions)),
        "division_code": pa.array(places.division_codes[positions]),
        "place_assumed": pa.array(places.assumed[positions]),
        "premises_id": _premises(connection, sheet, places, positions, origin),
        **counts,
        "expires_on": pa.array(attributes.expires_on[positions], type=pa.date32()),
        "east_100m": pa.array(places.east_100m[positions]),
        "north_100m": pa.array(places.north_100m[positions]),
        "h3_10": pa.array(places.h3_10[positions]),
        "batch_id": _repeat(origin.batch_id, len(positions), pa.int32()),
        "registered_seq": origin.places(len(positions)),
        "geometry": sheet.rows["geometry"].take(pa.array(positions)),  # the column's type adds the SRID
    }
    with _index_made_after(connection, len(positions)):
        copying.copy(connection, "reg.buildings", pa.table(columns))
    copying.copy(connection, "reg.dwellings", _dwellings(sheet, _by_number(sheet, positions)))


@contextmanager
def _index_made_after(connection: Connection, many: int) -> Iterator[None]:
    """Make the spatial index anew after a load that at least doubles the register: half the work.

    Dropping it locks readers out until the transaction ends, so a register in use never sees this; and
    only an account that may act as the owner can do it, so a service never does.
    """
    fits = connection.execute(
        text(
            "SELECT :many >= :bulk AND pg_has_role(session_user, current_database() || '_owner', 'member')"
            " AND NOT EXISTS (SELECT FROM reg.buildings OFFSET :many)"
        ),
        {"many": many, "bulk": BULK},
    ).scalar_one()
    if not fits:
        yield
        return
    index = connection.execute(text("SELECT pg_get_indexdef('reg.buildings_geometry_idx'::regclass)")).scalar_one()
    _as_owner(connection, "DROP INDEX reg.buildings_geometry_idx")
    yield
    _as_owner(connection, index)


def _as_owner(connection: Connection, statement: str) -> None:
    """Run one statement about the tables themselves, and be the registrar again."""
    session.take_role(connection, "owner")
    connection.execute(text(statement))
    session.take_role(connection, "registrar")


def write_addresses(connection: Connection, sheet: Sheet, normalised: dict[int, str], positions: Positions) -> None:
    """Copy the standard addresses of the accepted rows; ``normalised`` goes by position."""
    addressed = np.array([position for position in positions if position in normalised], dtype=np.intp)
    if not addressed.size:
        return
    columns = {
        "building_number": pa.array(sheet.numbers[addressed]),
        "standard_address": pa.array(sheet.words("standard_address", addressed)),
        "normalised": pa.array([normalised[int(position)] for position in addressed]),
    }
    copying.copy(connection, "reg.addresses", pa.table(columns))


def write_trace(
    connection: Connection,
    sheet: Sheet,
    positions: Positions,
    origin: Origin,
    identities: tuple[list[str], npt.NDArray[np.int64]],
) -> None:
    """Copy the source's codes, and record the one event that registered them all."""
    codes, fingerprints = identities
    many = len(positions)
    reference = {
        "source_id": _repeat(origin.source_id, many, pa.int32()),
        "code": pa.array([codes[position] for position in positions]),
        "building_number": pa.array(sheet.numbers[positions]),
        "fingerprint": pa.array(fingerprints[positions]),
        "batch_id": _repeat(origin.batch_id, many, pa.int32()),
        "row": sheet.rows["row"].take(pa.array(positions)),
        "seq": origin.places(many),
    }
    copying.copy(connection, "reg.external_references", pa.table(reference))
    connection.execute(
        text("INSERT INTO reg.building_events (seq, verb, actor, batch_id) VALUES (:seq, :verb, :actor, :batch_id)"),
        {"seq": origin.seq, "verb": Verb.REGISTER.value, "actor": sheet.options.actor, "batch_id": origin.batch_id},
    )


def write_unregistered(
    connection: Connection,
    sheet: Sheet,
    batch_id: int,
    outcomes: npt.NDArray[np.object_],
    placed: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
) -> None:
    """Keep every row that was queued or refused, whole, with its reason; one that waits already is kept already.

    ``placed`` are division code and fingerprint of each row, (n,) each.
    """
    positions = np.flatnonzero(((outcomes == Outcome.QUEUED) & ~sheet.waiting) | (outcomes == Outcome.REFUSED))
    if not positions.size:
        return
    drawable = checking.can_be_kept(sheet.shapes[positions])
    blobs = sheet.rows["geometry"].take(pa.array(positions))
    columns = {
        "batch_id": _repeat(batch_id, len(positions), pa.int32()),
        "row": sheet.rows["row"].take(pa.array(positions)),
        "source_code": pc.replace_substring(sheet.rows["source_id"].take(pa.array(positions)), _NUL, ""),
        "outcome": _terms(outcomes[positions]),
        "reason": _terms(sheet.verdicts.reasons[positions]),
        "detail": pa.array(_details(sheet, positions), type=pa.string()),
        "building_number": pa.array([sheet.standing.get(int(p)) for p in positions], type=pa.int64()),
        "content": copying.jsonb(_contents(sheet, positions, drawable)),
        "geometry": pc.if_else(pa.array(drawable), blobs, None),
        "division_code": pa.array(placed[0][positions], mask=placed[0][positions] == 0),
        "fingerprint": pa.array(placed[1][positions]),
    }
    copying.copy(connection, "reg.batch_rows", pa.table(columns))


def _by_number(sheet: Sheet, positions: Positions) -> Positions:
    """Return positions in the order of their numbers: an index that grows at its end grows twice as fast."""
    return positions[np.argsort(sheet.numbers[positions])]


def _details(sheet: Sheet, positions: Positions) -> list[str | None]:
    """Return what is said about each row (n,), None for nothing."""
    return [sheet.verdicts.details.get(int(position), "").replace(_NUL, "") or None for position in positions]


def _contents(sheet: Sheet, positions: Positions, drawable: npt.NDArray[np.bool_]) -> list[bytes]:
    """Return the attributes of rows as JSON, with the shape in hexadecimal WKB where PostGIS cannot hold it.

    Where not even a shape was read, the source's own words stand under ``wkt``. jsonb holds no NUL character.
    """
    columns = {name: sheet.words(name, positions) for name in _KEPT}
    blobs = sheet.rows["geometry"]
    documents = []
    for place, position in enumerate(positions):
        content = {name: words[place].replace(_NUL, "") for name, words in columns.items() if words[place] is not None}
        if not drawable[place] and blobs[int(position)].is_valid:
            blob: bytes = blobs[int(position)].as_py()
            if blob.startswith(NO_WKB):
                content["wkt"] = blob.removeprefix(NO_WKB).decode("utf-8", "replace").replace(_NUL, "")
            else:
                content["wkb"] = blob.hex()
        documents.append(orjson.dumps(content))
    return documents


def _dwellings(sheet: Sheet, positions: Positions) -> pa.Table:
    """Return the dwellings of the accepted rows: entrances x floors x rooms_per_floor, else a single one.

    Rooms are called as Chinese plates call them: floor and two digits, 502 is the second room of the fifth floor.
    """
    attributes = sheet.attributes
    rooms = attributes.rooms_per_floor[positions]
    known = ~np.isnan(rooms)
    rooms_per_floor = np.where(known, rooms, 1).astype(np.int64)
    entrances, floors = (
        np.where(known & ~np.isnan(column), column, 1).astype(np.int64)
        for column in (attributes.entrances[positions], attributes.floors[positions])
    )
    per_building = entrances * floors * rooms_per_floor
    owner = np.repeat(np.arange(len(positions)), per_building)
    start = np.repeat(np.cumsum(per_building) - per_building, per_building)
    index = np.arange(len(owner)) - start
    room = index % rooms_per_floor[owner] + 1
    floor = index // rooms_per_floor[owner] % floors[owner] + 1
    entrance = index // (rooms_per_floor[owner] * floors[owner]) + 1
    unnamed = ~known[owner]
    return pa.table(
        {
            "building_number": pa.array(sheet.numbers[positions][owner]),
            "sequence": pa.array((index + 1).astype(np.int32)),
            "entrance": pa.array(entrance.astype(np.int16), mask=unnamed),
            "floor": pa.array(floor.astype(np.int16), mask=unnamed),
            "room": pa.array((floor * 100 + room).astype(str), mask=unnamed)
            if known.any()
            else pa.nulls(len(owner), pa.string()),
            "status": _repeat(DwellingStatus.EXISTS.value, len(owner)),
        }
    )


def _premises(connection: Connection, sheet: Sheet, places: Places, positions: Positions, origin: Origin) -> pa.Array:
    """Return the premises of the rows, (n,), made known where they are new."""
    names = sheet.words("premises", positions)
    if not any(names):
        return pa.nulls(len(positions), pa.int32())
    codes = places.division_codes[positions].tolist()
    sheds = sheet.attributes.kinds[positions] == BuildingKind.WORK_SHED
    wanted: dict[tuple[int, str], PremisesKind] = {}
    by = {"actor": sheet.options.actor, "batch": origin.batch_id}
    for code, name, shed in zip(codes, names, sheds, strict=True):
        if name is not None and (shed or (code, name) not in wanted):
            wanted[code, name] = PremisesKind.CONSTRUCTION_SITE if shed else _kind_of_premises(name)
    connection.execute(
        text(
            "WITH made AS (INSERT INTO reg.premises (kind, name, division_code) VALUES (:kind, :name, :code)"
            " ON CONFLICT (division_code, name) WHERE closed_on IS NULL DO NOTHING RETURNING id)"
            " INSERT INTO reg.premises_events (premises_id, verb, actor, batch_id)"
            " SELECT id, 'register', :actor, :batch FROM made"
        ),
        [{"kind": kind.value, "name": name, "code": code} | by for (code, name), kind in wanted.items()],
    )
    rows = connection.execute(
        text(
            "SELECT id, division_code, name FROM reg.premises WHERE division_code = ANY(:codes) AND closed_on IS NULL"
        ),
        {"codes": sorted({code for code, _ in wanted})},
    )
    known = {(row.division_code, row.name): row.id for row in rows}
    return pa.array([known.get(key) for key in zip(codes, names, strict=True)], type=pa.int32())


def _kind_of_premises(name: str) -> PremisesKind:
    """Return what a name calls itself: 院 is a compound, 工地 and 项目部 a site, the rest an estate."""
    if any(word in name for word in ("工地", "项目部", "项目")):
        return PremisesKind.CONSTRUCTION_SITE
    return PremisesKind.COMPOUND if name.endswith("院") else PremisesKind.ESTATE


def _optional(values: npt.NDArray[np.float64], kind: pa.DataType) -> pa.Array:
    """Return counts as Arrow integers, null where NaN."""
    unknown = np.isnan(values)
    return pa.array(np.where(unknown, 0, values).astype(np.int64), mask=unknown).cast(kind)


def _terms(values: npt.NDArray[np.object_]) -> pa.Array:
    """Return terms as Arrow strings; a handful of words, so they are encoded once each."""
    return pa.array(values.astype(str), type=pa.string())


def _repeat(value: object, many: int, kind: pa.DataType | None = None) -> pa.Array:
    """Return the same value many times."""
    return pa.repeat(pa.scalar(value, type=kind), many)
