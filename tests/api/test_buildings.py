"""Buildings are found by number and by place, released counts by division; nobody who lives anywhere is."""

import datetime as dt

import httpx
import psycopg
import pytest

from gis import numbering

LON, LAT = 106.2700, 38.4700
"""The south-west corner of the flats that the fixture registers."""
PERSONAL = {"name", "persons", "residents", "residencies", "occupants", "occupancy", "n", "category", "hukou"}


def test_a_number_finds_its_building_plain_or_in_groups(
    planner: httpx.Client, structures: tuple[str, str, str]
) -> None:
    flats, _, _ = structures
    for written in (flats, numbering.show(flats), numbering.show(flats).replace(" ", "%20")):
        found = planner.get(f"/api/buildings/{written}").json()
        assert found["number"] == flats
        assert found["shown"] == numbering.show(flats)
        assert found["standard_address"] == "银川市兴庆区测试路1号1号楼"
        assert found["division"] == {"code": "640104000000", "name": "兴庆区"}
        assert (found["kind"], found["status"], found["floors"]) == ("residential", "active", 6)
        assert found["dwellings"] >= 1
        assert found["geometry"]["type"] == "Polygon"
        assert found["geometry"]["coordinates"][0][0] == pytest.approx([LON, LAT], abs=1e-3)


def test_a_building_says_nothing_of_people(planner: httpx.Client, structures: tuple[str, str, str]) -> None:
    found = planner.get(f"/api/buildings/{structures[0]}").json()
    assert PERSONAL.isdisjoint(found)


@pytest.mark.parametrize(
    "wrong", ["123", "100000000000", "9999 9999 9999", "1'; DROP TABLE reg.buildings;--", "%00", "１" * 12]
)
def test_what_is_no_number_is_422(planner: httpx.Client, wrong: str) -> None:
    answer = planner.get(f"/api/buildings/{wrong}")
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:menpai:problem:invalid_number"


def test_a_number_never_issued_is_404(planner: httpx.Client) -> None:
    answer = planner.get(f"/api/buildings/{numbering.issue(999_999_999, 'residential')}")
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/api/buildings/{}", "/api/buildings?lon=106.27&lat=38.47"])
def test_buildings_need_a_session(client: httpx.Client, structures: tuple[str, str, str], path: str) -> None:
    assert client.get(path.format(structures[0])).status_code == 401


def test_the_building_at_a_point_comes_first(planner: httpx.Client, structures: tuple[str, str, str]) -> None:
    flats, neighbour, hut = structures
    inside = planner.get("/api/buildings", params={"lon": LON + 0.0001, "lat": LAT + 0.0001}).json()["buildings"]
    assert [each["number"] for each in inside] == [flats]
    assert inside[0]["distance_m"] == 0
    wide = planner.get("/api/buildings", params={"lon": LON, "lat": LAT, "within_m": 500}).json()["buildings"]
    assert [each["number"] for each in wide] == [flats, neighbour, hut]
    # 0.0023 degrees of longitude at 38.47 N: 6378137 * cos(38.47 deg) * 0.0023 * pi / 180, by hand 200.4 m
    assert wide[2]["distance_m"] == pytest.approx(200.6, abs=1)


def test_where_nothing_stands_the_list_is_empty(planner: httpx.Client, structures: tuple[str, str, str]) -> None:
    assert structures
    assert planner.get("/api/buildings", params={"lon": 105, "lat": 37}).json() == {"buildings": []}


@pytest.mark.parametrize(
    "point",
    [
        {"lon": "106"},
        {"lat": "38"},
        {"lon": "nan", "lat": "38"},
        {"lon": "inf", "lat": "38"},
        {"lon": "38", "lat": "106"},
        {"lon": "106 OR 1=1", "lat": "38"},
        {"lon": "106", "lat": "38", "within_m": "1e9"},
        {"lon": "1e400", "lat": "38"},
    ],
)
def test_a_point_that_is_none_is_422(planner: httpx.Client, point: dict[str, str]) -> None:
    assert planner.get("/api/buildings", params=point).status_code == 422


def test_the_public_page_shows_the_structure_only(client: httpx.Client, structures: tuple[str, str, str]) -> None:
    flats, _, _ = structures
    page = client.get(f"/b/{flats}")
    assert page.status_code == 200
    for words in (numbering.show(flats), "银川市兴庆区测试路1号1号楼", "住宅建筑", "在用", "第三十七条"):
        assert words in page.text
    assert client.get("/b/123").status_code == 422
    assert client.get(f"/b/{numbering.issue(999_999_998, 'residential')}").status_code == 404


def test_an_address_with_markup_stays_text(
    database: str, client: httpx.Client, structures: tuple[str, str, str]
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE reg.addresses SET standard_address = '<script>alert(1)</script>'")
    page = client.get(f"/b/{structures[0]}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_released_counts_are_for_everybody_but_categories_for_planners(
    client: httpx.Client, planner: httpx.Client, registrar: httpx.Client, counted: dt.date
) -> None:
    told = client.get("/api/divisions/640104/counts").json()
    assert told["release"] == counted.isoformat()
    assert told["division"] == {"code": "640104000000", "name": "兴庆区", "level": "county"}
    assert told["counts"] == {"all": {"n": 5000, "withheld": False}}
    assert registrar.get("/api/divisions/640104/counts").json()["counts"].keys() == {"all"}
    full = planner.get("/api/divisions/640104000000/counts").json()["counts"]
    assert full["floating"] == {"n": 900, "withheld": False}


def test_a_withheld_count_has_no_number(planner: httpx.Client, counted: dt.date) -> None:
    assert counted
    assert planner.get("/api/divisions/640105/counts").json()["counts"] == {"all": {"n": None, "withheld": True}}


def test_counts_are_of_the_last_release_up_to_a_day(client: httpx.Client, counted: dt.date) -> None:
    later = (counted + dt.timedelta(days=30)).isoformat()
    assert client.get("/api/divisions/640104/counts", params={"on": later}).json()["release"] == counted.isoformat()
    before = client.get("/api/divisions/640104/counts", params={"on": "2020-01-01"})
    assert before.status_code == 404
    assert before.json()["type"] == "urn:menpai:problem:no_release"


@pytest.mark.parametrize(
    ("code", "status"),
    [("999998", 404), ("64010", 404), ("x", 404), ("640104' OR '1'='1", 404), ("%00", 404), ("64" * 50, 404)],
)
def test_an_unknown_division_is_404(client: httpx.Client, counted: dt.date, code: str, status: int) -> None:
    assert counted
    assert client.get(f"/api/divisions/{code}/counts").status_code == status


@pytest.mark.parametrize("on", ["yesterday", "2026-13-01", "1e5", "'; --"])
def test_a_day_that_is_none_is_422(client: httpx.Client, on: str) -> None:
    assert client.get("/api/divisions/640104/counts", params={"on": on}).status_code == 422


def test_the_map_knows_the_release_and_its_classes(
    client: httpx.Client, planner: httpx.Client, counted: dt.date
) -> None:
    told = client.get("/api/map").json()
    assert told["release"] == counted.isoformat()
    sizes = {size: limits for size, limits in told["breaks"].items() if size.isdigit()}
    assert sizes == {"1000": [1200]}, "finer cells are for planners"
    full = planner.get("/api/map").json()["breaks"]
    assert (full["1000"], full["500"], full["100"]) == ([1200], [4800], [])
    west, south, east, north = told["bounds"]
    assert [104 < west < 105, 35 < south < 36, 107 < east < 108, 39 < north < 40] == [True] * 4
    assert told["fictional"] is False


def test_before_the_first_release_the_map_still_opens(client: httpx.Client) -> None:
    told = client.get("/api/map").json()
    assert told["release"] is None
    assert told["breaks"] == {}
