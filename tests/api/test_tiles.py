"""Tiles decode, are compressed once, are known again by their ETag, and carry no count that is not for the caller."""

import datetime as dt
import gzip
import math
from typing import Any, Literal

import httpx
import mapbox_vector_tile
import psycopg
import pytest
from sqlalchemy import text

from gis import numbering
from gis.store import session

LON, LAT = 106.2700, 38.4700


def tile_of(z: int, lon: float = LON + 0.0002, lat: float = LAT + 0.0001) -> tuple[int, int]:
    """Return x and y of the tile over a point (web Mercator, the XYZ scheme)."""
    x = (lon + 180) / 360 * 2**z
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z
    return int(x), int(y)


def path(layer: str, z: int) -> str:
    """Return the address of the tile over the fixture's buildings."""
    x, y = tile_of(z)
    return f"/tiles/{layer}/{z}/{x}/{y}.mvt"


def decoded(answer: httpx.Response, layer: str) -> list[dict[str, Any]]:
    """Return the features of a tile's one layer."""
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    tile = mapbox_vector_tile.decode(answer.content)
    assert list(tile) == [layer]
    features: list[dict[str, Any]] = tile[layer]["features"]
    return features


def test_buildings_carry_what_the_contract_names_and_no_count(
    client: httpx.Client, structures: tuple[str, str, str]
) -> None:
    features = decoded(client.get(path("buildings", 15)), "buildings")
    found = {each["properties"]["number"]: each for each in features}
    assert set(found) <= set(structures)
    flats = found[structures[0]]
    assert flats["properties"] == {
        "number": structures[0],
        "kind": "residential",
        "status": "active",
        "standard_address": "银川市兴庆区测试路1号1号楼",
        "division": "640104000000",
    }
    assert flats["id"] == int(structures[0])
    assert numbering.is_valid(flats["properties"]["number"])


def test_a_registered_building_is_on_the_next_tile(
    database: str, client: httpx.Client, structures: tuple[str, str, str]
) -> None:
    before = client.get(path("buildings", 14))
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE reg.buildings SET status = 'retired' WHERE number = %s", (int(structures[0]),))
    after = client.get(path("buildings", 14), headers={"If-None-Match": before.headers["etag"]})
    numbers = {each["properties"]["number"] for each in decoded(after, "buildings")}
    assert structures[0] not in numbers


def test_far_out_there_are_no_buildings(client: httpx.Client, structures: tuple[str, str, str]) -> None:
    assert structures
    assert client.get(path("buildings", 12)).status_code == 204
    assert client.get("/tiles/buildings/14/0/0.mvt").status_code == 204


def test_divisions_have_name_code_and_level(client: httpx.Client) -> None:
    features = decoded(client.get(path("divisions", 9)), "divisions")
    names = {each["properties"]["name"]: each["properties"] for each in features}
    assert names["兴庆区"] == {"name": "兴庆区", "code": "640104000000", "level": "county"}


def counties(answer: httpx.Response) -> dict[str, dict[str, Any]]:
    """Return the properties of a tile's counties by code."""
    found = [each["properties"] for each in decoded(answer, "divisions")]
    return {each["code"]: each for each in found if each["level"] == "county"}


def test_counties_carry_released_counts_and_hide_withheld_ones(
    database: str, client: httpx.Client, counted: dt.date
) -> None:
    found = counties(client.get(path("divisions", 5)))
    shown = found["640104000000"]
    with psycopg.connect(database) as connection:
        area = connection.execute(
            "SELECT ST_Area(boundary::geography) / 1e6 FROM reg.divisions WHERE code = 640104000000"
        ).fetchone()
    assert area
    assert shown.pop("density") == pytest.approx(5000 / area[0])
    assert shown == {
        "code": "640104000000",
        "name": "兴庆区",
        "level": "county",
        "n": 5000,
        "withheld": False,
        "category": "all",
        "release": counted.isoformat(),
    }
    hidden = found["640105000000"]
    assert hidden["withheld"] is True
    assert {"n", "density"}.isdisjoint(hidden)
    assert {"n", "withheld", "density"}.isdisjoint(found["640106000000"]), "nothing was released of this one"


def test_counts_of_a_category_by_county_are_for_planners(
    client: httpx.Client, registrar: httpx.Client, planner: httpx.Client, counted: dt.date
) -> None:
    assert counted
    where = f"{path('divisions', 5)}?category=floating"
    assert planner.get(f"{path('divisions', 5)}?category=all").status_code == 200
    answer = planner.get(where)
    assert counties(answer)["640104000000"]["n"] == 900
    assert answer.headers["cache-control"].startswith("private")
    assert client.get(where, headers={"If-None-Match": answer.headers["etag"]}).status_code == 401
    assert registrar.get(where).status_code == 403
    for everybody in (client, registrar):
        assert counties(everybody.get(path("divisions", 5)))["640104000000"]["n"] == 5000


@pytest.mark.parametrize("role", ["public", "registrar"])
def test_the_database_itself_keeps_categories_of_a_county_from_others(
    counted: dt.date, role: Literal["public", "registrar"]
) -> None:
    statement = text("SELECT calc.divisions_tile(:z, :x, :y, 'floating', :day)")
    x, y = tile_of(5)
    with session.open(role) as connection:
        tile = connection.execute(statement, {"z": 5, "x": x, "y": y, "day": counted}).scalar_one()
        limits = connection.execute(text("SELECT calc.county_breaks(:day, 'floating')"), {"day": counted}).scalar_one()
    found = mapbox_vector_tile.decode(bytes(tile))["divisions"]["features"]
    assert found
    assert all({"n", "withheld", "density"}.isdisjoint(each["properties"]) for each in found)
    assert limits is None


def test_a_release_is_a_new_tile_of_divisions(database: str, client: httpx.Client, counted: dt.date) -> None:
    first = client.get(path("divisions", 5))
    later = counted + dt.timedelta(days=30)
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO pub.releases (release, withheld_below) VALUES (%s, 10)", (later,))
        connection.execute(
            "INSERT INTO pub.division_counts (release, division_code, category, n, withheld)"
            " VALUES (%s, 640104000000, 'all', 5100, false)",
            (later,),
        )
    second = client.get(path("divisions", 5), headers={"If-None-Match": first.headers["etag"]})
    assert counties(second)["640104000000"]["n"] == 5100
    before = client.get(f"{path('divisions', 5)}?release={counted}")
    assert before.headers["etag"] == first.headers["etag"]
    assert client.get(f"{path('divisions', 5)}?release=2020-01-01").status_code == 404


def test_the_classes_of_counties_are_rounded_up_and_hold_every_density(client: httpx.Client, counted: dt.date) -> None:
    assert counted
    limits = client.get("/api/map").json()["breaks"]["county"]
    density = counties(client.get(path("divisions", 5)))["640104000000"]["density"]
    assert len(limits) == 1, "one county has a count to draw"
    assert density <= limits[0] < density * 1.1
    assert float(f"{limits[0]:.2g}") == limits[0]


def test_a_division_moved_is_a_new_tile(database: str, client: httpx.Client) -> None:
    first = client.get(path("divisions", 9)).headers["etag"]
    assert client.get(path("divisions", 9)).headers["etag"] == first
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE reg.divisions SET name = '新兴庆区' WHERE code = 640104000000")
    try:
        names = [each["properties"]["name"] for each in decoded(client.get(path("divisions", 9)), "divisions")]
        assert "新兴庆区" in names
    finally:
        with psycopg.connect(database) as connection:
            connection.execute("UPDATE reg.divisions SET name = '兴庆区' WHERE code = 640104000000")


def test_cells_show_released_counts_and_hide_withheld_ones(client: httpx.Client, counted: dt.date) -> None:
    features = [each["properties"] for each in decoded(client.get(path("cells", 12)), "cells")]
    shown = next(each for each in features if not each["withheld"])
    assert shown == {
        "cell": "1000E523N608",
        "n": 1200,
        "withheld": False,
        "category": "all",
        "release": counted.isoformat(),
    }
    hidden = next(each for each in features if each["withheld"])
    assert "n" not in hidden


@pytest.mark.parametrize("query", ["category=floating", "size=500", "size=100", "category=permanent&size=100"])
def test_categories_and_finer_cells_are_for_planners(
    client: httpx.Client, registrar: httpx.Client, planner: httpx.Client, counted: dt.date, query: str
) -> None:
    assert counted
    where = f"{path('cells', 12)}?{query}"
    assert client.get(where).status_code == 401
    assert registrar.get(where).status_code == 403
    assert planner.get(where).status_code in {200, 204}


def test_a_planner_sees_categories_and_squares_of_500_m(planner: httpx.Client, counted: dt.date) -> None:
    assert counted
    floating = decoded(planner.get(f"{path('cells', 12)}?category=floating"), "cells")
    assert {each["properties"]["category"] for each in floating} == {"floating"}
    assert floating[0]["properties"]["n"] == 300
    fine = decoded(planner.get(f"{path('cells', 12)}?size=500"), "cells")
    assert [each["properties"]["cell"] for each in fine] == ["500E1046N1216"]
    far = decoded(planner.get(f"{path('cells', 7)}?size=500"), "cells")
    assert all(each["properties"]["cell"].startswith("1000E") for each in far), "coarser squares stand in far out"


def test_what_a_planner_was_sent_is_not_kept_for_others(
    client: httpx.Client, planner: httpx.Client, counted: dt.date
) -> None:
    assert counted
    where = f"{path('cells', 12)}?category=floating"
    answer = planner.get(where)
    assert answer.headers["cache-control"].startswith("private")
    assert "Authorization" in answer.headers["vary"]
    assert client.get(where, headers={"If-None-Match": answer.headers["etag"]}).status_code == 401


def test_a_release_that_is_not_there_is_404(client: httpx.Client, counted: dt.date) -> None:
    assert counted
    assert client.get(f"{path('cells', 12)}?release=2020-01-01").status_code == 404
    assert client.get(f"{path('cells', 12)}?release={counted}").status_code == 200


def test_a_tile_is_compressed_and_known_again(client: httpx.Client) -> None:
    where = path("divisions", 8)
    zipped = client.get(where, headers={"Accept-Encoding": "gzip"})
    plain = client.get(where, headers={"Accept-Encoding": "identity"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert zipped.content == plain.content
    assert zipped.headers["etag"] != plain.headers["etag"], "a strong ETag names the bytes sent"
    assert int(zipped.headers["content-length"]) == len(gzip.compress(plain.content, 6, mtime=0))
    for known in (zipped.headers["etag"], f'"x", {zipped.headers["etag"]}', f"W/{zipped.headers['etag']}"):
        again = client.get(where, headers={"If-None-Match": known})
        assert again.status_code == 304
        assert again.content == b""
    assert client.get(where, headers={"If-None-Match": '"x"'}).status_code == 200


@pytest.mark.parametrize(
    "where",
    [
        "divisions/3/8/0",
        "divisions/3/0/8",
        "divisions/23/0/0",
        "divisions/-1/0/0",
        "divisions/3/-1/0",
        "divisions/22/4194304/0",
        "divisions/99999999999999999999/0/0",
        "buildings/14/99999999999999999999999/0",
        "buildings/a/b/c",
        "cells/1e2/0/0",
        "divisions/3/0/0' OR 1=1 --",
    ],
)
def test_a_place_that_no_zoom_has_is_422(client: httpx.Client, where: str) -> None:
    assert client.get(f"/tiles/{where}.mvt").status_code == 422


@pytest.mark.parametrize(
    "query",
    [
        "category=han",
        "category=all' OR '1'='1",
        "size=1",
        "size=1000;DROP TABLE pub.cells",
        "release=x",
        "category=%00",
    ],
)
def test_a_query_that_means_nothing_is_422(client: httpx.Client, counted: dt.date, query: str) -> None:
    assert counted
    assert client.get(f"{path('cells', 12)}?{query}").status_code == 422
    if not query.startswith("size"):
        assert client.get(f"{path('divisions', 5)}?{query}").status_code == 422


def test_the_corners_of_the_world_have_tiles(client: httpx.Client, structures: tuple[str, str, str]) -> None:
    assert structures
    last = 2**22 - 1
    for where in ("divisions/0/0/0", f"divisions/22/{last}/{last}", f"buildings/22/{last}/0", f"buildings/22/0/{last}"):
        assert client.get(f"/tiles/{where}.mvt").status_code in {200, 204}


def road(database: str, way: str, road_class: str, source: str = "roads") -> None:
    """Store a street through the fixtures' houses."""
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO reg.sources (name) VALUES (%s) ON CONFLICT DO NOTHING", (source,))
        connection.execute(
            "INSERT INTO reg.road_ways (source_id, way, road_class, name, oneway, foot, motor, geometry)"
            " SELECT id, %s, %s, '测试路', 0, true, true, ST_SetSRID(ST_MakeLine(ST_MakePoint(%s, %s),"
            " ST_MakePoint(%s, %s)), 4490) FROM reg.sources WHERE name = %s",
            (way, road_class, LON, LAT, LON + 0.002, LAT, source),
        )


def test_roads_are_drawn_by_their_rank_and_carry_nothing_but_the_road(client: httpx.Client, database: str) -> None:
    road(database, "1", "trunk")
    road(database, "2", "service")
    far, close = (decoded(client.get(path("roads", z)), "roads") for z in (9, 14))
    assert [each["properties"]["road_class"] for each in far] == ["trunk"]
    assert [each["properties"]["road_class"] for each in close] == ["service", "trunk"]
    assert close[0]["properties"] == {
        "road_class": "service",
        "name": "测试路",
        "oneway": 0,
        "foot": True,
        "motor": True,
    }
    assert client.get(path("roads", 6)).status_code == 204


def test_a_road_file_that_is_imported_again_is_on_the_next_tile(client: httpx.Client, database: str) -> None:
    road(database, "1", "trunk")
    road(database, "1", "primary", source="another")
    before = client.get(path("roads", 14))
    unchanged = client.get(path("roads", 14), headers={"If-None-Match": before.headers["etag"]})
    with psycopg.connect(database) as connection:
        connection.execute("DELETE FROM reg.road_ways WHERE road_class = 'trunk'")
    road(database, "1", "secondary")
    after = client.get(path("roads", 14))
    assert unchanged.status_code == 304
    assert {each["properties"]["road_class"] for each in decoded(after, "roads")} == {"primary", "secondary"}
