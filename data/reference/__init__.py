"""Reference data that ships with Menpai: divisions, code changes, boundaries, census figures.

Where each file comes from, of what date and under which licence stands in README.md beside this.
"""

import csv
import json
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from gis.planning.plans.questions import Kind
from gis.register.divisions import BoundaryRow, CensusRow, ChangeRow, DivisionRow
from gis.terms import DivisionLevel

FOLDER = files("data.reference")
CURRENT = "民政部行政区划代码 2026-09"
VILLAGES = "国家统计局统计用区划代码 2023-06-30"
TIANDITU = "天地图行政区划 (CGCS2000, 概化)"
TEST_DIVISION = DivisionRow(
    999_999_000_000, "测试区", DivisionLevel.COUNTY, None, "Menpai: trials with other cities' files"
)
SUCCEEDED = {"640324201000": "640324107000"}
"""田老庄乡 of the 2023 list is 田老庄镇 in the 2026 list; its villages keep their codes of 2023."""


def divisions() -> list[DivisionRow]:
    """Return the 271 divisions of 2026, the 2,912 villages of 2023 and the test division, parents first."""
    current = list(read_divisions(FOLDER / "ningxia_mca2026_4level.csv", CURRENT))
    known = {row.code for row in current}
    older = _rows(FOLDER / "ningxia_nbs2023_5level.csv")
    villages = [
        DivisionRow(int(row["code12"]), row["name"], DivisionLevel.VILLAGE, _parent(row, known), VILLAGES)
        for row in older
        if row["level"] == DivisionLevel.VILLAGE
    ]
    return [*current, *villages, TEST_DIVISION]


def read_divisions(file: Traversable, source: str) -> Iterator[DivisionRow]:
    """Yield the rows of a divisions file: code12, name, level, parent_code12."""
    for row in _rows(file):
        parent = int(row["parent_code12"]) if row["parent_code12"] else None
        yield DivisionRow(int(row["code12"]), row["name"], DivisionLevel(row["level"]), parent, source)


def changes() -> list[ChangeRow]:
    """Return the dated changes of county-level codes since 1980."""
    events = json.loads((FOLDER / "ningxia_change_events_1980_2026.json").read_text("utf-8"))
    return [
        ChangeRow(
            event["year"],
            event["type"],
            _code(event["old"]["code"]),
            event["old"]["name"],
            _code(event["new"]["code"]),
            event["new"]["name"],
            event["source"],
        )
        for event in events
    ]


def boundaries() -> list[BoundaryRow]:
    """Return the official boundaries of the counties, prefectures and the region, EPSG:4490."""
    return [
        row
        for level in ("province", "prefecture", "county")
        for row in read_boundaries(FOLDER / f"ningxia_{level}_tianditu_cgcs2000.geojson", TIANDITU)
    ]


def read_boundaries(file: Traversable, source: str) -> Iterator[BoundaryRow]:
    """Yield code and GeoJSON geometry of each feature; longitude, latitude in CGCS2000."""
    for feature in json.loads(file.read_text("utf-8"))["features"]:
        code = str(feature["properties"]["code"])
        yield BoundaryRow(int(code.ljust(12, "0")), json.dumps(feature["geometry"]), source)


def census() -> list[CensusRow]:
    """Return residents by county, prefecture and region in the censuses of 2010 and 2020, and Haiyuan's townships.

    Haiyuan's bulletin counts four statistical units that are no divisions of 2026; they are left out.
    """
    current = {row.code for row in read_divisions(FOLDER / "ningxia_mca2026_4level.csv", CURRENT)}
    figures = []
    for row in _rows(FOLDER / "ningxia_county_population.csv"):
        code = int(row["code"].ljust(12, "0"))
        figures.append(CensusRow(code, 2020, int(row["census2020_resident"]), row["precision2020"], row["source2020"]))
        if row["census2010_resident"]:
            figures.append(CensusRow(code, 2010, int(row["census2010_resident"]), "exact", row["source2010_2000"]))
    figures += [
        CensusRow(int(row["code9"].ljust(12, "0")), 2020, int(row["census2020_resident"]), "exact", row["source"])
        for row in _rows(FOLDER / "haiyuan_township_population_2020.csv")
    ]
    return [figure for figure in figures if figure.division_code in current]


def facility_kinds() -> dict[str, Kind]:
    """Return the kinds of facility by their codes: kinds are data, and an office may edit the table."""
    rows = _rows(FOLDER / "facility_kinds.csv")
    return {row["code"]: Kind(**row | {"minutes": float(row["minutes"])}) for row in rows}  # type: ignore[arg-type]


def _rows(file: Traversable) -> list[dict[str, str]]:
    """Return the rows of a bundled CSV file."""
    return list(csv.DictReader(file.read_text("utf-8").splitlines()))


def _parent(row: dict[str, str], known: set[int]) -> int:
    """Return the township of a village, or its county where the township is only a statistical unit."""
    township = int(SUCCEEDED.get(row["parent_code12"], row["parent_code12"]))
    return township if township in known else township // 1_000_000 * 1_000_000


def _code(code: str | None) -> int | None:
    """Return a code of the events file as a number."""
    return int(code) if code else None
