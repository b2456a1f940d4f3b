"""Roads go in by a file, replace what their source brought before, and come out as a network."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import psycopg
import pytest
import shapely
from click.testing import CliRunner

from api import cli
from api.commands.roads import import_roads
from data.roads import read_roads
from gis.errors import BadArgument, NoRoads, NoRoadsInFile, UnknownDivision
from gis.planning.roads import network
from gis.register import roads

YINCHUAN = (106.27, 38.47)
STEP_DEG = 0.001
TWELVE_MINUTES_S = 720.0


def crossing(path: Path, **columns: list[str]) -> Path:
    """Write two streets that cross at a shared vertex in 兴庆区, each 2 steps long to both sides."""
    lon, lat = YINCHUAN
    ticks = np.arange(-2, 3) * STEP_DEG
    lines = [
        shapely.LineString(np.column_stack([lon + ticks, np.full(5, lat)])),
        shapely.LineString(np.column_stack([np.full(5, lon), lat + ticks])),
    ]
    given = {"highway": ["residential", "tertiary"], "name": ["测试路", "试验街"]} | columns
    gpd.GeoDataFrame(given, geometry=lines, crs="EPSG:4490").to_file(path)
    return path


def test_a_file_replaces_what_its_source_brought_before_and_leaves_other_sources_alone(
    database: str, tmp_path: Path
) -> None:
    path = crossing(tmp_path / "street.gpkg")
    rows = read_roads(path)
    first = roads.import_roads(rows, source="a", file_name="a")
    roads.import_roads(rows, source="b", file_name="b")
    again = roads.import_roads(rows.slice(0, 1), source="a", file_name="a")
    assert (first.ways, first.replaced) == (2, 0)
    assert (again.ways, again.replaced) == (1, 2)
    with psycopg.connect(database) as connection:
        stored = connection.execute(
            "SELECT s.name, w.name, w.road_class, ST_SRID(w.geometry) FROM reg.road_ways w"
            " JOIN reg.sources s ON s.id = w.source_id ORDER BY 1, 2"
        ).fetchall()
    assert stored == [
        ("a", "测试路", "residential", 4490),
        ("b", "测试路", "residential", 4490),
        ("b", "试验街", "tertiary", 4490),
    ]


def test_the_command_tells_what_it_did_and_a_dry_run_keeps_nothing(database: str, tmp_path: Path) -> None:
    assert database
    path = crossing(tmp_path / "street.geojson", highway=["residential", "proposed"])
    tried = CliRunner().invoke(import_roads, [str(path), "--dry-run"])
    assert "1 roads" in tried.output
    assert "1 不是可通行的道路 no road that stands (proposed)" in tried.output
    with pytest.raises(NoRoads, match="menpai import roads"):
        network("drive")
    done = CliRunner().invoke(import_roads, [str(path)])
    assert done.exit_code == 0, done.output
    assert len(network("drive").chains.tail) == 1


def test_a_file_without_roads_is_refused_in_one_sentence_and_changes_nothing(
    database: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert database
    roads.import_roads(read_roads(crossing(tmp_path / "street.gpkg")), source="street", file_name="street.gpkg")
    wrong = crossing(tmp_path / "street.geojson", highway=["platform", "proposed"])
    with pytest.raises(NoRoadsInFile, match=r"street\.geojson holds no roads: 2 rows no road that stands"):
        roads.import_roads(read_roads(wrong), source="street", file_name=wrong.name)
    assert cli.answer(["import", "roads", str(wrong)]) == cli.REFUSED
    assert capfd.readouterr().err.count("\n") == 1
    assert len(network("walk").chains.tail) == 4


def test_a_network_is_made_of_the_stored_roads_and_times_run_over_the_crossing(database: str, tmp_path: Path) -> None:
    assert database
    roads.import_roads(read_roads(crossing(tmp_path / "street.gpkg")), source="street", file_name="street.gpkg")
    lon, lat = YINCHUAN
    west, north = (lon - 2 * STEP_DEG, lat), (lon, lat + 2 * STEP_DEG)
    found = network("drive", speeds={"residential": 18, "tertiary": 36})
    times = found.travel_times([west], [north], limit_s=TWELVE_MINUTES_S)
    geodesic_m = {"east": 174.5, "north": 222.0}
    assert times.seconds[0, 0] == pytest.approx(geodesic_m["east"] / 5 + geodesic_m["north"] / 10, rel=1e-3)
    assert times.method == "roads"
    assert "street" in times.note.en
    assert found.junctions().tolist() == [[pytest.approx(lon), pytest.approx(lat)]]
    assert len(found.junctions(640104000000)) == 1
    assert len(found.junctions(640105000000)) == 0


def test_a_division_far_from_any_road_and_one_that_is_not_known_are_said_so(database: str, tmp_path: Path) -> None:
    assert database
    roads.import_roads(read_roads(crossing(tmp_path / "street.gpkg")), source="street", file_name="street.gpkg")
    assert network("drive", division=640104000000)
    with pytest.raises(NoRoads, match="near 海原县"):
        network("drive", division=640522000000)
    with pytest.raises(UnknownDivision):
        network("drive", division=110101000000)
    with pytest.raises(BadArgument, match="highstreet is no class of road"):
        network("drive", speeds={"highstreet": 30})
