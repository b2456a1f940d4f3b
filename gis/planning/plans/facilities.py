"""Facilities: what stands already. Kinds are data; a source's facilities are replaced whole when it comes again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Row, text

from gis.errors import BadArgument
from gis.register import divisions
from gis.store import session

LONGEST_NAME = 200


@dataclass(frozen=True)
class Facility:
    """One facility: lon, lat in EPSG:4490."""

    kind: str
    name: str
    lon: float
    lat: float
    address: str | None = None
    capacity: float | None = None


@dataclass(frozen=True)
class Standing:
    """The facilities of a kind that stand."""

    names: tuple[str, ...]
    points: npt.NDArray[np.float64]
    """(k, 2): lon, lat."""
    capacities: tuple[float | None, ...]


def replace(source: str, facilities: Sequence[Facility], kinds: Sequence[str]) -> int:
    """Put facilities in the place of all that a source brought before; return how many it had. Raises BadArgument."""
    for number, one in enumerate(facilities, 1):
        if one.kind not in kinds:
            raise BadArgument(why=f"row {number}: {one.kind} is no kind of facility; one of {', '.join(kinds)} is")
        if not 0 < len(one.name) <= LONGEST_NAME or not one.name.isprintable():
            raise BadArgument(why=f"row {number}: a facility has a name of 1 to {LONGEST_NAME} characters")
    with session.open("owner") as connection:
        before = connection.execute(
            text("DELETE FROM reg.facilities WHERE source = :source"), {"source": source}
        ).rowcount
        if facilities:
            connection.execute(
                text(
                    "INSERT INTO reg.facilities (source, kind, name, address, capacity, geometry) VALUES"
                    " (:source, :kind, :name, :address, :capacity, ST_SetSRID(ST_MakePoint(:lon, :lat), 4490))"
                ),
                [vars(one) | {"source": source} for one in facilities],
            )
    return before


def standing(kind: str, division: int | None) -> Standing:
    """Return the facilities of a kind, in the county of a division (twelve digits) or everywhere, by name."""
    county = None if division is None else _county(division)
    with session.open("planner") as connection:
        rows = connection.execute(
            text(
                "SELECT f.name, ST_X(f.geometry) AS lon, ST_Y(f.geometry) AS lat, f.capacity FROM reg.facilities f"
                " WHERE f.kind = :kind AND (CAST(:county AS bigint) IS NULL OR EXISTS (SELECT FROM reg.divisions d"
                " WHERE d.code = :county AND ST_Covers(d.boundary, f.geometry))) ORDER BY f.name, f.id"
            ),
            {"kind": kind, "county": county},
        ).all()
    points = np.array([(row.lon, row.lat) for row in rows], dtype=np.float64).reshape(-1, 2)
    return Standing(tuple(row.name for row in rows), points, tuple(row.capacity for row in rows))


def find_nearest(kind: str, building_number: int) -> Row[Any] | None:
    """Return the facility of a kind nearest to a building: name, address, distance_m; None where there is none."""
    with session.open("public") as connection:
        return connection.execute(
            text(
                "SELECT f.name, f.address, ST_Distance(f.geometry::geography, b.geometry::geography) AS distance_m"
                " FROM reg.buildings b JOIN LATERAL (SELECT * FROM reg.facilities f WHERE f.kind = :kind"
                " ORDER BY f.geometry <-> b.geometry LIMIT 1) f ON true WHERE b.number = :number"
            ),
            {"kind": kind, "number": building_number},
        ).first()


def _county(division: int) -> int:
    """Return the county around a division below it, which has no boundary of its own; a larger one is itself."""
    low, high = divisions.extent(division)
    return division if high - low > 10**6 else division // 10**6 * 10**6
