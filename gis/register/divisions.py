"""Divisions: their codes as ranges, their rows in the register, and which county a point lies in."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely
from sqlalchemy import Connection, text

from gis.errors import UnknownDivision
from gis.terms import DivisionLevel

TEST_DIVISION = 999_999_000_000
"""测试区: for trials with other cities' files; numbers given there begin with 9."""
_SPANS = (10**10, 10**8, 10**6, 10**3, 1)
_LENGTHS = {2, 4, 6, 9, 12}


@dataclass(frozen=True)
class DivisionRow:
    """One division of a list: code of twelve digits, name, level, code of its parent, source of the row."""

    code: int
    name: str
    level: DivisionLevel
    parent_code: int | None
    source: str


@dataclass(frozen=True)
class ChangeRow:
    """One dated change of a code; an empty side means the code was new, or was given up."""

    year: int
    change: str
    old_code: int | None
    old_name: str | None
    new_code: int | None
    new_name: str | None
    source: str


@dataclass(frozen=True)
class BoundaryRow:
    """One boundary: code of twelve digits, GeoJSON (multi)polygon in EPSG:4490 longitude, latitude."""

    code: int
    geojson: str
    source: str


@dataclass(frozen=True)
class CensusRow:
    """Residents of a division in a census, how exact, and who published it."""

    division_code: int
    year: int
    residents: int
    precision: str
    source: str


@dataclass(frozen=True)
class Counties:
    """The county boundaries, ready to place many points at once."""

    codes: npt.NDArray[np.int64]
    """Shape (k,)."""
    boundaries: npt.NDArray[np.object_]
    """Shape (k,), shapely (multi)polygons in EPSG:4490."""

    def locate(self, lon_deg: npt.NDArray[np.float64], lat_deg: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Return the county code of each point, shape (n,), 0 where it lies in none.

        A point on a shared border belongs to the county with the smaller code, so that the answer
        does not depend on the order of the boundaries.
        """
        found = np.zeros(len(lon_deg), dtype=np.int64)
        boxes = shapely.bounds(self.boundaries)
        for code, boundary, (west, south, east, north) in zip(self.codes, self.boundaries, boxes, strict=True):
            near = np.flatnonzero(
                (found == 0) & (lon_deg >= west) & (lon_deg <= east) & (lat_deg >= south) & (lat_deg <= north)
            )
            if near.size:
                shapely.prepare(boundary)
                inside = shapely.intersects_xy(boundary, lon_deg[near], lat_deg[near])
                found[near[inside]] = code
        return found

    @cached_property
    def extent(self) -> tuple[float, float, float, float]:
        """West, south, east, north of them all, in degrees; an empty box where there are none."""
        if not len(self.boundaries):
            return (0.0, 0.0, 0.0, 0.0)
        west, south, east, north = shapely.total_bounds(self.boundaries)
        return (float(west), float(south), float(east), float(north))


def parse_code(code: str) -> int:
    """Return a code of 2, 4, 6, 9 or 12 digits as twelve; raises UnknownDivision for anything else."""
    if len(code) not in _LENGTHS or not (code.isascii() and code.isdigit()) or code.startswith("0"):
        raise UnknownDivision(code=code)
    return int(code.ljust(12, "0"))


def extent(code: int) -> tuple[int, int]:
    """Return the range of codes inside a division: ``low <= code < high``."""
    span = next(span for span in _SPANS if code % span == 0)
    return code, code + span


def level_of(code: int) -> DivisionLevel:
    """Return the level a twelve-digit code is written at."""
    span = next(span for span in _SPANS if code % span == 0)
    return list(DivisionLevel)[_SPANS.index(span)]


def find_name(connection: Connection, code: int) -> str:
    """Return the name of a division; raises UnknownDivision."""
    name: str | None = connection.execute(
        text("SELECT name FROM reg.divisions WHERE code = :code"), {"code": code}
    ).scalar_one_or_none()
    if name is None:
        raise UnknownDivision(code=code)
    return name


def counties(connection: Connection) -> Counties:
    """Return the boundaries of every county that has one."""
    rows = connection.execute(
        text(
            "SELECT code, ST_AsBinary(boundary) AS boundary FROM reg.divisions"
            " WHERE level = 'county' AND boundary IS NOT NULL ORDER BY code"
        )
    ).all()
    shapes = np.array([shapely.from_wkb(bytes(row.boundary)) for row in rows], dtype=object)
    return Counties(np.array([row.code for row in rows], dtype=np.int64), shapes)


def load_divisions(connection: Connection, rows: Iterable[DivisionRow]) -> int:
    """Add divisions, or bring name, level, parent and source of known ones up to date; return how many rows."""
    return _load(
        connection,
        "INSERT INTO reg.divisions (code, name, level, parent_code, source)"
        " VALUES (:code, :name, :level, :parent_code, :source) ON CONFLICT (code) DO UPDATE SET name = excluded.name,"
        " level = excluded.level, parent_code = excluded.parent_code, source = excluded.source",
        [asdict(row) | {"level": row.level.value} for row in rows],
    )


def load_changes(connection: Connection, rows: Iterable[ChangeRow]) -> int:
    """Put the dated code changes in place of those that were known; return how many rows."""
    connection.execute(text("DELETE FROM reg.division_changes"))
    return _load(
        connection,
        "INSERT INTO reg.division_changes (year, change, old_code, old_name, new_code, new_name, source)"
        " VALUES (:year, :change, :old_code, :old_name, :new_code, :new_name, :source)",
        [asdict(row) for row in rows],
    )


def load_boundaries(connection: Connection, rows: Iterable[BoundaryRow]) -> int:
    """Set the boundaries of known divisions; raises UnknownDivision for any other code."""
    known = set(connection.execute(text("SELECT code FROM reg.divisions")).scalars())
    wanted = list(rows)
    for row in wanted:
        if row.code not in known:
            raise UnknownDivision(code=row.code)
    return _load(
        connection,
        "UPDATE reg.divisions SET boundary_source = :source,"
        " boundary = ST_Multi(ST_SetSRID(ST_GeomFromGeoJSON(:geojson), 4490)) WHERE code = :code",
        [asdict(row) for row in wanted],
    )


def load_census(connection: Connection, rows: Iterable[CensusRow]) -> int:
    """Add census figures, or replace those of the same division and year."""
    return _load(
        connection,
        "INSERT INTO reg.census_figures (division_code, year, residents, precision, source)"
        " VALUES (:division_code, :year, :residents, :precision, :source) ON CONFLICT (division_code, year)"
        " DO UPDATE SET residents = excluded.residents, precision = excluded.precision, source = excluded.source",
        [asdict(row) for row in rows],
    )


def _load(connection: Connection, statement: str, rows: list[dict[str, object]]) -> int:
    """Run a statement once for each row and return how many there were."""
    if rows:
        connection.execute(text(statement), rows)
    return len(rows)
