"""A structure as a desk describes it, made into a state the register can hold, or refused in one sentence."""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, text

from gis import addresses
from gis.errors import AddressTaken, BadStructure, DoubtfulDuplicate, DuplicateBuilding
from gis.register import cells, divisions, duplicates, dwellings, narrowing
from gis.register.checking import LAT_DEG, LIMITS, LON_DEG, LONGEST
from gis.register.dwellings import Room
from gis.register.versions import State
from gis.terms import SRID, BuildingKind, BuildingStatus

_SHAPES = ("Point", "Polygon", "MultiPolygon")
_MOST_PLACES = 10_000
WIDEST_DEG = 0.05
"""Some four kilometres: no building is so long, and PostGIS knows no area between opposite ends of the earth."""


@dataclass(frozen=True)
class Structure:
    """What a desk says of a structure."""

    shape: BaseGeometry
    """Point, polygon or multipolygon in CGCS2000 degrees, longitude first."""
    kind: BuildingKind = BuildingKind.RESIDENTIAL
    standard_address: str | None = None
    other_addresses: Sequence[str] = ()
    entrances: int | None = None
    floors: int | None = None
    rooms_per_floor: int | None = None
    rooms: Sequence[Room] = ()
    """Its dwellings one by one, where the three counts do not say it."""
    premises_id: int | None = None
    expires_on: dt.date | None = None
    division: int | None = None
    """Twelve digits; needed outside every boundary, and narrows a county down."""
    references: Sequence[tuple[str, str]] = ()
    """Other bodies' codes: (source, code)."""
    distinct_from: Collection[int] = ()
    """Buildings it overlaps or nearly touches, which the registrar has looked at: they are others."""
    invented: bool = False
    """Fiction, wherever it is set: its number begins with 9."""


def describe(connection: Connection, structure: Structure) -> State:
    """Return the state of a new building; raises BadStructure, UnknownDivision.

    Nothing here looks at other buildings, so nobody need wait for it: it is done before the lock is taken.
    """
    check_shape(structure.shape)
    _check_facts(structure)
    facts = address_facts(structure.standard_address, structure.other_addresses)
    division, assumed = locate(connection, structure.shape, structure.division, structure.standard_address)
    return State(
        kind=structure.kind.value,
        kind_assumed=False,
        status=BuildingStatus.ACTIVE.value,
        division_code=division,
        place_assumed=assumed,
        premises_id=structure.premises_id,
        entrances=structure.entrances,
        floors=structure.floors,
        rooms_per_floor=structure.rooms_per_floor,
        expires_on=structure.expires_on,
        geometry=hexed(structure.shape),
        addresses=facts,
        dwellings=dwellings.laid_out(structure.entrances, structure.floors, structure.rooms_per_floor, structure.rooms),
    )


def check_free(connection: Connection, structure: Structure, state: State, giving_way: Collection[int] = ()) -> None:
    """Raise DuplicateBuilding, DoubtfulDuplicate or AddressTaken where a new building meets another.

    ``giving_way`` are buildings that end in the same act: their ground and their addresses are free. The
    registration lock is held.
    """
    check_ground(connection, structure.shape, giving_way, structure.distinct_from)
    check_addresses(connection, state.addresses, giving_way)


def hexed(shape: BaseGeometry) -> str:
    """Return a shape as PostGIS writes it: EWKB in upper-case hexadecimal."""
    flat = shapely.set_srid(shapely.force_2d(shape), SRID)
    return str(shapely.to_wkb(flat, hex=True, include_srid=True, byte_order=1))


def check_shape(shape: BaseGeometry) -> None:
    """Raise BadStructure for a shape that is no building's."""
    if shape.geom_type not in _SHAPES:
        raise BadStructure(why=f"a building is a point or a polygon, not a {shape.geom_type}")
    if shape.is_empty or not np.isfinite(shapely.get_coordinates(shape)).all():
        raise BadStructure(why="the shape is empty or has coordinates that are no numbers")
    if shapely.get_num_coordinates(shape) > _MOST_PLACES:
        raise BadStructure(why=f"the shape has more than {_MOST_PLACES} corners")
    west, south, east, north = shape.bounds
    if max(-west, east) > LON_DEG or max(-south, north) > LAT_DEG:
        raise BadStructure(why="coordinates are longitude and latitude in degrees")
    if max(east - west, north - south) > WIDEST_DEG:
        raise BadStructure(why=f"no building is wider than {WIDEST_DEG} degrees")
    if not shape.is_valid:
        raise BadStructure(why=f"the shape is invalid ({shapely.is_valid_reason(shape)}); draw it again")
    if shape.geom_type != "Point" and shape.area == 0:
        raise BadStructure(why="the shape has no area")


def _check_facts(structure: Structure) -> None:
    """Raise BadStructure for counts out of bounds or a shed without its site."""
    for name, most in LIMITS.items():
        value = getattr(structure, name)
        if value is not None and not 1 <= value <= most:
            raise BadStructure(why=f"{name} is from 1 to {most}")
    shed = structure.kind is BuildingKind.WORK_SHED
    if shed and (structure.premises_id is None or structure.expires_on is None):
        raise BadStructure(why="a work shed needs its premises and the day it expires (premises_id, expires_on)")


def address_facts(main: str | None, others: Sequence[str] = ()) -> tuple[tuple[str, bool], ...]:
    """Return the addresses of a state, the main one first; raises BadStructure for one that is none."""
    given = ([(main.strip(), True)] if main and main.strip() else []) + [(other.strip(), False) for other in others]
    for address, _ in given:
        if not addresses.normalise(address) or len(address) > LONGEST or "\x00" in address:
            raise BadStructure(why=f"an address has words and at most {LONGEST} characters")
    normal = [addresses.normalise(address) for address, _ in given]
    if len(set(normal)) < len(normal):
        raise BadStructure(why="the same address is given twice")
    return tuple(given)


def check_addresses(
    connection: Connection, facts: Sequence[tuple[str, bool]], giving_way: Collection[int] = ()
) -> None:
    """Raise AddressTaken where another active building has one of the addresses."""
    for address, _ in facts:
        found = connection.execute(
            text(
                "SELECT building_number FROM reg.addresses WHERE valid_to IS NULL AND normalised = :normalised"
                " AND building_number <> ALL (:giving_way)"
            ),
            {"normalised": addresses.normalise(address), "giving_way": list(giving_way)},
        ).scalar()
        if found is not None:
            raise AddressTaken(number=found, address=address)


def locate(
    connection: Connection, shape: BaseGeometry, given: int | None, standard_address: str | None
) -> tuple[int, bool]:
    """Return the division of a shape, as fine as boundary, statement and address make it, and whether it was assumed.

    Raises BadStructure where it lies outside every boundary or in another county than was stated, UnknownDivision.
    """
    lon, lat = shape.representative_point().coords[0]
    county = connection.execute(COUNTY, {"lon": lon, "lat": lat}).scalar()
    if given is not None:
        divisions.find_name(connection, given)
    if county is None:
        if given is None:
            raise BadStructure(why="it lies outside every known division; state one (division)")
        return given, True
    if given is not None and given % 1_000_000:
        if given // 1_000_000 != county // 1_000_000:
            raise BadStructure(why=f"it lies in {divisions.find_name(connection, county)}, not in the division stated")
        return given, True
    codes = np.array([county], dtype=np.int64)
    if standard_address:
        narrowing.narrow(connection, codes, np.array([0]), [addresses.normalise(standard_address)])
    return int(codes[0]), False


COUNTY = text("""
    SELECT code FROM reg.divisions
    WHERE level = 'county' AND ST_Covers(boundary, ST_SetSRID(ST_MakePoint(:lon, :lat), 4490)) ORDER BY code LIMIT 1
""")


def check_ground(
    connection: Connection, shape: BaseGeometry, giving_way: Collection[int] = (), distinct_from: Collection[int] = ()
) -> None:
    """Raise DuplicateBuilding or DoubtfulDuplicate where an active building stands there already."""
    for number, certain in find_standing(connection, shape, giving_way):
        if certain:
            raise DuplicateBuilding(number=number)
        if number not in distinct_from:
            raise DoubtfulDuplicate(number=number)


def find_standing(
    connection: Connection, shape: BaseGeometry, giving_way: Collection[int] = ()
) -> Iterator[tuple[int, bool]]:
    """Yield the active buildings that a shape is (True) or may be (False), the surest first."""
    found = connection.execute(
        duplicates.STANDING, duplicates.LIMITS | {"shape": hexed(shape), "giving_way": list(giving_way)}
    )
    for row in found:
        yield row.number, row.certain


def check_apart(made: Sequence[Structure]) -> None:
    """Raise BadStructure where two structures of one act cannot both stand, or have the same address."""
    array = np.array([structure.shape for structure in made], dtype=object)
    if next(duplicates.find_within(array, np.arange(len(array))), None) is not None:
        raise BadStructure(why="two of the shapes overlap by more than half of the smaller")
    given = [
        addresses.normalise(address)
        for structure in made
        for address in (structure.standard_address, *structure.other_addresses)
        if address
    ]
    if len(set(given)) < len(given):
        raise BadStructure(why="the same address is given twice")


def squares_of(shape: BaseGeometry) -> dict[str, Any]:
    """Return the cells of a shape as columns of ``buildings``."""
    lon, lat = (np.array([value]) for value in shape.representative_point().coords[0])
    east, north = cells.squares(*cells.project(lon, lat))
    return {"east_100m": int(east[0]), "north_100m": int(north[0]), "h3_10": int(cells.h3_cells(lon, lat)[0])}
