"""The fiction as files: GeoJSON and CSV as the contract names their columns, and the small sample that ships.

``python -m data.fiction.files FOLDER`` writes the sample again.
"""

import csv
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import shapely

from data.fiction.plans import plan
from data.fiction.rosters import roster
from data.fiction.structures import structures

SAMPLE_COUNTY: Final = 640106
SAMPLE_TOWNSHIP: Final = "满城北街街道"
SAMPLE_RESIDENTS: Final = 3000
"""Of the county; those of the township are kept."""
SAMPLE_SEED: Final = 1
BUILDINGS_FILE, ROSTER_FILE = "buildings.geojson", "roster.csv"
_READERS_OWN: Final = {"row", "geometry", "problem"}
"""Columns of the tables that are no columns of a file."""
_DECIMALS: Final = 7


def write_sample(folder: Path) -> None:
    """Write the sample: one township of 金凤区, its buildings and those who live in them."""
    (county,) = plan(SAMPLE_COUNTY, SAMPLE_RESIDENTS, SAMPLE_SEED)
    (buildings,) = structures([county])
    write_buildings(folder / BUILDINGS_FILE, buildings.filter(_in_township(buildings["standard_address"])))
    people = (rows.filter(_in_township(rows["address"])) for rows in roster(county, buildings))
    write_roster(folder / ROSTER_FILE, people)


def write_buildings(path: Path, buildings: pa.Table) -> None:
    """Write STRUCTURE_ROWS as GeoJSON in EPSG:4490, a feature to the line; polygons only."""
    names = [name for name in buildings.column_names if name not in _READERS_OWN]
    shapes = shapely.from_wkb(buildings["geometry"].to_numpy(zero_copy_only=False))
    lines = [
        json.dumps(
            {
                "type": "Feature",
                "properties": {name: value for name, value in row.items() if value is not None},
                "geometry": {"type": "Polygon", "coordinates": [_ring(shape)]},
            },
            ensure_ascii=False,
        )
        for row, shape in zip(buildings.select(names).to_pylist(), shapes, strict=True)
    ]
    crs = '"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}'
    body = ",\n".join(lines)
    path.write_text(f'{{"type": "FeatureCollection", {crs}, "features": [\n{body}\n]}}\n', "utf-8", newline="\n")


def write_roster(path: Path, tables: Iterable[pa.Table]) -> None:
    """Write ROSTER_ROWS as CSV, leaving out the columns that no row fills."""
    rows = pa.concat_tables(tables)
    names = [name for name in rows.column_names if name not in _READERS_OWN and rows[name].null_count < len(rows)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(zip(*(rows[name].to_pylist() for name in names), strict=True))


def _in_township(addresses: pa.ChunkedArray) -> pa.ChunkedArray:
    """Tell which addresses lie in the sample's township."""
    return pc.match_substring(addresses, SAMPLE_TOWNSHIP)


def _ring(shape: shapely.Polygon) -> list[list[float]]:
    """Return the outer ring of a polygon."""
    return [[round(lon, _DECIMALS), round(lat, _DECIMALS)] for lon, lat in shapely.get_coordinates(shape).tolist()]


if __name__ == "__main__":
    write_sample(Path(sys.argv[1]))
