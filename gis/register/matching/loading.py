"""The register's own addresses, as the matcher needs them, out of the database."""

from collections.abc import Collection, Iterator
from typing import Final

from sqlalchemy import Connection, text

from gis.addresses.gazetteers import Gazetteer
from gis.register.divisions import ChangeRow, DivisionRow
from gis.register.matching import naming
from gis.register.matching.index import Building
from gis.terms import BuildingStatus, DivisionLevel

_DIVISIONS: Final = text("SELECT code, name, level, parent_code, source FROM reg.divisions ORDER BY code")
_CHANGES: Final = text(
    "SELECT year, change, old_code, old_name, new_code, new_name, source FROM reg.division_changes ORDER BY id"
)
_BUILDINGS: Final = text("""
    SELECT b.number, a.standard_address, b.status = :active AS active, coalesce(b.entrances, 0) AS entrances,
        coalesce(b.floors, 0) AS floors, coalesce(b.rooms_per_floor, 0) AS rooms_per_floor
    FROM reg.addresses a JOIN reg.buildings b ON b.number = a.building_number
    WHERE a.valid_to IS NULL AND b.division_code / 1000000 = ANY(:counties)
""")


def gazetteer(connection: Connection) -> Gazetteer:
    """Return the gazetteer of the divisions that the register knows."""
    divisions, changes = connection.execute(_DIVISIONS), connection.execute(_CHANGES)
    return naming.gazetteer(
        [DivisionRow(code, name, DivisionLevel(level), *rest) for code, name, level, *rest in divisions],
        [ChangeRow(*row) for row in changes],
    )


def find_buildings(connection: Connection, counties: Collection[int]) -> Iterator[Building]:
    """Yield the buildings that stand in counties (six digits), once for each of their addresses in force."""
    wanted = {"active": BuildingStatus.ACTIVE.value, "counties": sorted(counties)}
    for number, address, *rest in connection.execute(_BUILDINGS, wanted):
        yield Building(str(number), address, *rest)
