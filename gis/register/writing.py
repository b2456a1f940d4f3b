"""Accepted structures into the tables: numbers, buildings, dwellings, addresses, references, events."""

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import shapely
from sqlalchemy import Connection, text

from gis import numbering
from gis.errors import BadArgument
from gis.register import divisions, duplicates
from gis.register.placing import Places
from gis.register.sheets import Sheet
from gis.store import copying
from gis.terms import BuildingKind, BuildingStatus, DwellingStatus, Outcome, PremisesKind, Verb

Positions = npt.NDArray[np.intp]
_KEPT = ("kind", "standard_address", "entrances", "floors", "rooms_per_floor", "premises", "valid_to")


def number(connection: Connection, sheet: Sheet, positions: Positions) -> None:
    """Give each accepted row its permanent number; raises BadArgument when the serials are used up."""
    next_serial = connection.execute(
        text("UPDATE reg.number_serials SET next_serial = next_serial + :many RETURNING next_serial"),
        {"many": len(positions)},
    ).scalar_one()
    if next_serial > numbering.SERIALS:
        raise BadArgument(why="every serial of building numbers has been issued")
    trial = sheet.options.test_numbers or sheet.options.division == divisions.TEST_DIVISION
    kinds = [numbering.TEST if trial else kind for kind in sheet.attributes.kinds[positions]]
    serials = np.arange(next_serial - len(positions), next_serial, dtype=np.int64)
    sheet.numbers[positions] = numbering.issue_many(serials, kinds)


def write_buildings(connection: Connection, sheet: Sheet, places: Places, positions: Positions) -> None:
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
        "premises_id": _premises(connection, sheet, places, positions),
        **counts,
        "expires_on": pa.array(attributes.expires_on[positions], type=pa.date32()),
        "east_100m": pa.array(places.east_100m[positions]),
        "north_100m": pa.array(places.north_100m[positions]),
        "h3_10": pa.array(places.h3_10[positions]),
        "geometry": pa.array(duplicates.ewkb(shapely.force_2d(sheet.shapes[positions])), type=pa.binary()),
    }
    copying.copy(connection, "reg.buildings", pa.table(columns))
    copying.copy(connection, "reg.dwellings", _dwellings(sheet, positions))


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
    origin: tuple[int, int],
    identities: tuple[list[str], npt.NDArray[np.int64]],
) -> None:
    """Copy the source's codes and one event for each building; ``origin`` is source and batch."""
    source_id, batch_id = origin
    codes, fingerprints = identities
    many = len(positions)
    numbers = pa.array(sheet.numbers[positions])
    reference = {
        "source_id": _repeat(source_id, many, pa.int32()),
        "code": pa.array([codes[position] for position in positions]),
        "building_number": numbers,
        "fingerprint": pa.array(fingerprints[positions]),
        "batch_id": _repeat(batch_id, many, pa.int32()),
        "row": sheet.rows["row"].take(pa.array(positions)),
    }
    copying.copy(connection, "reg.external_references", pa.table(reference))
    event = {
        "building_number": numbers,
        "verb": _repeat(Verb.REGISTER.value, many),
        "actor": _repeat(sheet.options.actor, many),
        "batch_id": _repeat(batch_id, many, pa.int32()),
    }
    copying.copy(connection, "reg.building_events", pa.table(event))


def write_unregistered(connection: Connection, sheet: Sheet, batch_id: int, outcomes: npt.NDArray[np.object_]) -> None:
    """Keep every row that was queued or refused, whole, with its reason."""
    positions = np.flatnonzero((outcomes == Outcome.QUEUED) | (outcomes == Outcome.REFUSED))
    if not positions.size:
        return
    drawable = shapely.is_valid_input(sheet.shapes[positions]) & np.isfinite(sheet.bounds[positions]).all(axis=1)
    shapes = [
        blob if keep else None
        for blob, keep in zip(duplicates.ewkb(shapely.force_2d(sheet.shapes[positions])), drawable, strict=True)
    ]
    columns = {
        "batch_id": _repeat(batch_id, len(positions), pa.int32()),
        "row": sheet.rows["row"].take(pa.array(positions)),
        "source_code": sheet.rows["source_id"].take(pa.array(positions)),
        "outcome": _terms(outcomes[positions]),
        "reason": _terms(sheet.verdicts.reasons[positions]),
        "detail": pa.array([sheet.verdicts.details.get(int(p)) for p in positions], type=pa.string()),
        "building_number": pa.array([sheet.standing.get(int(p)) for p in positions], type=pa.int64()),
        "content": copying.jsonb(_contents(sheet, positions, drawable)),
        "geometry": pa.array(shapes, type=pa.binary()),
    }
    copying.copy(connection, "reg.batch_rows", pa.table(columns))


def _contents(sheet: Sheet, positions: Positions, drawable: npt.NDArray[np.bool_]) -> list[bytes]:
    """Return the attributes of rows as JSON, with the shape in hexadecimal WKB where PostGIS cannot hold it."""
    columns = {name: sheet.words(name, positions) for name in _KEPT}
    blobs = sheet.rows["geometry"]
    documents = []
    for place, position in enumerate(positions):
        content = {name: words[place] for name, words in columns.items() if words[place] is not None}
        if not drawable[place] and blobs[int(position)].is_valid:
            content["wkb"] = blobs[int(position)].as_py().hex()
        # PostgreSQL's jsonb holds no NUL character
        documents.append(orjson.dumps(content).replace(b"\\u0000", b""))
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


def _premises(connection: Connection, sheet: Sheet, places: Places, positions: Positions) -> pa.Array:
    """Return the premises of the rows, (n,), made known where they are new."""
    names = sheet.words("premises", positions)
    if not any(names):
        return pa.nulls(len(positions), pa.int32())
    codes = places.division_codes[positions].tolist()
    sheds = sheet.attributes.kinds[positions] == BuildingKind.WORK_SHED
    wanted: dict[tuple[int, str], PremisesKind] = {}
    for code, name, shed in zip(codes, names, sheds, strict=True):
        if name is not None and (shed or (code, name) not in wanted):
            wanted[code, name] = PremisesKind.CONSTRUCTION_SITE if shed else _kind_of_premises(name)
    connection.execute(
        text(
            "INSERT INTO reg.premises (kind, name, division_code) VALUES (:kind, :name, :code)"
            " ON CONFLICT (division_code, name) DO NOTHING"
        ),
        [{"kind": kind.value, "name": name, "code": code} for (code, name), kind in wanted.items()],
    )
    rows = connection.execute(
        text("SELECT id, division_code, name FROM reg.premises WHERE division_code = ANY(:codes)"),
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
    words = sorted({str(value) for value in values})
    places = {word: place for place, word in enumerate(words)}
    indices = pa.array([places[str(value)] for value in values], type=pa.int32())
    return pa.DictionaryArray.from_arrays(indices, pa.array(words, type=pa.string())).cast(pa.string())


def _repeat(value: object, many: int, kind: pa.DataType | None = None) -> pa.Array:
    """Return the same value many times."""
    return pa.repeat(pa.scalar(value, type=kind), many)
