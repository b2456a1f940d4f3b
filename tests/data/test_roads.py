"""Road files of every kind become the same rows, and what is wrong with a row is counted by its reason."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import osmium
import pytest
import shapely
from osmium.osm import mutable

from data.roads import read_roads
from gis.errors import FileNotReadable, UnknownFormat
from gis.register import roads
from gis.terms import Datum, RoadReason

LINE = shapely.LineString([(106.27, 38.47), (106.28, 38.47)])


def _written(path: Path, lines: list[Any], crs: str = "EPSG:4490", **columns: Any) -> Path:  # noqa: ANN401
    frame = gpd.GeoDataFrame(columns, geometry=lines, crs=crs)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path)
    return path


def _lines(path: Path, **options: Any) -> list[Any]:  # noqa: ANN401
    kept = roads.sort(read_roads(path, **options)).ways
    return [shapely.from_wkb(way["geometry"]) for way in kept]


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".parquet", ".shp", ".fgb"])
@pytest.mark.parametrize("crs", ["EPSG:4490", "EPSG:4547"])
def test_any_format_in_any_reference_system_gives_the_same_road(tmp_path: Path, suffix: str, crs: str) -> None:
    frame = gpd.GeoSeries([LINE], crs="EPSG:4490").to_crs(crs)
    path = _written(tmp_path / f"roads{suffix}", list(frame), crs, highway=["primary"], maxspeed=[60], oneway=["yes"])
    (way,) = roads.sort(read_roads(path)).ways
    assert (way["road_class"], way["oneway"], way["maxspeed_kmh"]) == ("primary", 1, 60)
    np.testing.assert_allclose(shapely.get_coordinates(shapely.from_wkb(way["geometry"])), LINE.coords, atol=1e-8)


def test_shifted_coordinates_come_back(tmp_path: Path) -> None:
    path = _written(tmp_path / "roads.geojson", [LINE], highway=["primary"])
    (moved,) = _lines(path, datum=Datum.GCJ02)
    assert 0.001 < moved.hausdorff_distance(LINE) < 0.01


def test_each_wrong_row_is_left_out_for_its_reason(tmp_path: Path) -> None:
    somewhere = (106.27, 38.47)
    with np.errstate(invalid="ignore"):
        nowhere = shapely.LineString([somewhere, (np.nan, 38.5)])
    lines = [
        shapely.LineString([(106.27, 38.47, 1100.0), (106.28, 38.47, 1101.0)]),
        shapely.MultiLineString([[(106.3, 38.5), (106.31, 38.5)], [(106.3, 38.6), (106.31, 38.6)]]),
        LINE.reverse(),
        shapely.LineString([somewhere, somewhere]),
        nowhere,
        shapely.LineString([somewhere, (38.47, 106.27)]),
        shapely.Point(somewhere),
        None,
        LINE,
        LINE,
    ]
    classes = ["primary"] * 8 + ["proposed", "motorway"]
    path = _written(tmp_path / "roads.parquet", lines, highway=classes, access=[None] * 9 + ["no"])
    found = roads.sort(read_roads(path))
    assert len(found.ways) == 3
    assert not any(shapely.from_wkb(way["geometry"]).has_z for way in found.ways)
    assert found.left_out == {
        RoadReason.REPEATED: 1,
        RoadReason.NO_LENGTH: 1,
        RoadReason.BAD_COORDINATES: 2,
        RoadReason.NO_LINE: 1,
        RoadReason.MISSING_GEOMETRY: 1,
        RoadReason.NO_ROAD: 1,
        RoadReason.CLOSED: 1,
    }
    assert found.classes_left_out == {"proposed": 1}


def test_edges_of_a_graph_are_two_way_unless_a_column_says_otherwise(tmp_path: Path) -> None:
    edges: dict[str, Any] = {"u": [1], "v": [2], "key": [0], "highway": ["motorway"]}
    (way,) = roads.sort(read_roads(_written(tmp_path / "a.parquet", [LINE], **edges))).ways
    assert (way["way"], way["oneway"]) == ("1-2-0", 0)
    (way,) = roads.sort(read_roads(_written(tmp_path / "b.parquet", [LINE], **edges, oneway=[True]))).ways
    assert way["oneway"] == 1


def test_tags_that_gdal_packs_together_are_read(tmp_path: Path) -> None:
    packed = '"oneway"=>"-1","maxspeed"=>"30 mph","surface"=>"asphalt"'
    path = _written(tmp_path / "lines.gpkg", [LINE], osm_id=["7"], highway=["tertiary"], other_tags=[packed])
    (way,) = roads.sort(read_roads(path)).ways
    assert (way["way"], way["oneway"], way["maxspeed_kmh"]) == ("7", -1, pytest.approx(48.28, abs=0.01))


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    """Write an extract: a street with a bollard, a bridge over it with a node at the same place, a ferry, a cut way."""
    places = {
        1: (8.5, 47.4),
        2: (8.501, 47.4),
        3: (8.502, 47.4),
        4: (8.501, 47.399),
        5: (8.501, 47.4),
        6: (8.501, 47.401),
    }
    path = tmp_path / "a.osm.pbf"
    with osmium.SimpleWriter(str(path)) as writer:
        for number, place in places.items():
            tags = {"barrier": "bollard"} if number == 3 else {"barrier": "gate"} if number == 1 else {}
            writer.add_node(mutable.Node(id=number, location=place, tags=tags))
        writer.add_node(mutable.Node(id=9, location=(8.6, 47.4), tags={"barrier": "bollard"}))
        for number, nodes, tags in (
            (1, [1, 2, 3], {"highway": "residential", "name": "街"}),
            (2, [4, 5, 6], {"highway": "primary", "bridge": "yes", "oneway": "yes"}),
            (3, [1, 6], {"route": "ferry"}),
            (4, [99, 1, 4, 98, 97], {"highway": "service"}),
            (5, [98, 97], {"highway": "service"}),
        ):
            writer.add_way(mutable.Way(id=number, nodes=nodes, tags=tags))
    return path


def test_an_extract_gives_its_roads_and_the_barriers_upon_them(extract: Path) -> None:
    found = roads.sort(read_roads(extract))
    assert [(way["way"], way["road_class"], way["oneway"]) for way in found.ways] == [
        ("way/1", "residential", 0),
        ("way/2", "primary", 1),
        ("way/4", "service", 0),
    ]
    assert [(stop["barrier"], stop["foot"], stop["motor"]) for stop in found.barriers] == [("bollard", True, False)]
    assert found.left_out == {RoadReason.UNREADABLE_ROW: 1, RoadReason.NO_BARRIER: 1}


def test_two_nodes_at_one_place_stay_two(extract: Path) -> None:
    street, bridge, _ = (shapely.from_wkb(way["geometry"]) for way in roads.sort(read_roads(extract)).ways)
    apart = bridge.coords[1][1] - street.coords[1][1]
    assert apart == pytest.approx(1e-7)


def test_what_is_no_road_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.osm.pbf").write_bytes(b"no extract")
    (tmp_path / "a.csv").write_text("highway\n", "utf-8")
    for name, error in (("a.osm.pbf", FileNotReadable), ("a.csv", UnknownFormat), ("b.osm.pbf", FileNotReadable)):
        with pytest.raises(error):
            read_roads(tmp_path / name)
