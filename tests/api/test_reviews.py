"""The queue of rows that wait for a person, over HTTP: for registrars of that division, decided once."""

from collections.abc import Iterator
from typing import Any

import httpx
import pyarrow as pa
import pytest
import shapely

from api import accounts
from gis.register import batches
from gis.register.rows import STRUCTURE_ROWS
from gis.register.sheets import ImportOptions
from gis.terms import Role

LON, LAT = 106.27, 38.47


def _box(east: float) -> shapely.Polygon:
    return shapely.box(LON + east, LAT, LON + east + 2e-4, LAT + 2e-4)


def _bring(source: str, shape: shapely.Polygon, address: str) -> batches.BuildingsResult:
    given: dict[str, Any] = {"row": 1, "source_id": "a", "standard_address": address, "geometry": shapely.to_wkb(shape)}
    columns = [pa.array([given.get(field.name)], type=field.type) for field in STRUCTURE_ROWS]
    rows = pa.table(columns, schema=STRUCTURE_ROWS)
    return batches.import_buildings(rows, ImportOptions(source=source, file_name="f.csv", actor="test"))


@pytest.fixture
def waiting(registrar: httpx.Client) -> tuple[str, str]:
    """Bring a house, and a copy of it 4 m aside that waits; return the house's number and the address of the row."""
    assert registrar
    number = _bring("测绘", _box(0), "银川市兴庆区测试路1号").results["building_no"][0].as_py()
    batch = _bring("影像", _box(5e-5), "银川市兴庆区测试路2号").batch_id
    return number, f"/api/reviews/{batch}/1/decision"


@pytest.fixture
def neighbour(address: str, database: str) -> Iterator[httpx.Client]:
    """Yield a registrar of 西夏区, next to where the row waits."""
    assert database
    accounts.add("neighbour")
    accounts.grant("neighbour", Role.REGISTRAR, "640105")
    token = accounts.mint("neighbour").token
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}) as client:
        yield client


def test_the_queue_shows_row_and_building_side_by_side(registrar: httpx.Client, waiting: tuple[str, str]) -> None:
    answer = registrar.get("/api/reviews", params={"division": "640104"})
    (row,) = answer.json()["reviews"]
    assert (answer.status_code, answer.json()["next"]) == (200, None)
    assert (row["source"], row["reason"], row["said"]["standard_address"]) == (
        "影像", "doubtful_duplicate", "银川市兴庆区测试路2号"
    )  # fmt: skip
    assert row["building"]["number"] == waiting[0]
    assert row["building"]["standard_address"] == "银川市兴庆区测试路1号"
    assert {row["geometry"]["type"], row["building"]["geometry"]["type"]} == {"Polygon"}
    assert (row["iou"], row["shared_share"], row["apart_m"]) == (pytest.approx(0.6), pytest.approx(0.75), 0)


def test_a_page_says_where_the_next_begins(registrar: httpx.Client, waiting: tuple[str, str]) -> None:
    assert waiting
    _bring("普查", _box(6e-5), "")
    first = registrar.get("/api/reviews", params={"division": "64", "limit": 1}).json()
    second = registrar.get("/api/reviews", params={"division": "64", "limit": 1, "after": first["next"]}).json()
    assert [page["reviews"][0]["source"] for page in (first, second)] == ["影像", "普查"]
    third = registrar.get("/api/reviews", params={"division": "64", "limit": 1, "after": second["next"]}).json()
    assert third == {"reviews": [], "next": None}


@pytest.mark.parametrize("decision", ["same", "another", "correct", "change", "refuse"])
def test_a_decision_is_carried_out_once(registrar: httpx.Client, waiting: tuple[str, str], decision: str) -> None:
    number, path = waiting
    first = registrar.post(path, json={"decision": decision, "reason": "看过"})
    again = registrar.post(path, json={"decision": decision})
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json() | {"repeated": True}
    assert (first.json()["seq"] is None) == (decision == "refuse")
    touched = first.json()["buildings"]
    assert (touched == [number]) == (decision in {"same", "correct", "change"})
    assert registrar.get("/api/reviews", params={"division": "640104"}).json()["reviews"] == []
    otherwise = registrar.post(path, json={"decision": "refuse" if decision != "refuse" else "same"})
    assert (otherwise.status_code, otherwise.json()["type"]) == (409, "urn:menpai:problem:row_decided")


def test_only_registrars_of_the_division_see_and_decide(
    client: httpx.Client, planner: httpx.Client, neighbour: httpx.Client, waiting: tuple[str, str]
) -> None:
    query = {"division": "640104"}
    for asker, status in ((client, 401), (planner, 403), (neighbour, 403)):
        assert asker.get("/api/reviews", params=query).status_code == status
        assert asker.post(waiting[1], json={"decision": "refuse"}).status_code == status
    assert neighbour.get("/api/reviews", params={"division": "640105"}).json()["reviews"] == []
    assert neighbour.get("/api/reviews", params={"division": "64"}).status_code == 403


def test_a_row_is_not_written_into_a_building_of_a_division_that_is_not_ones_own(
    registrar: httpx.Client, neighbour: httpx.Client, waiting: tuple[str, str]
) -> None:
    _bring("测绘西", _box(-0.15), "银川市西夏区测试路1号")
    row = _bring("影像西", _box(-0.15 + 5e-5), "银川市西夏区测试路2号")
    path = f"/api/reviews/{row.batch_id}/1/decision"
    refused = neighbour.post(path, json={"decision": "same", "building": waiting[0]})
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:menpai:problem:not_allowed")
    assert len(neighbour.get("/api/reviews", params={"division": "640105"}).json()["reviews"]) == 1, "nothing was done"
    assert neighbour.post(path, json={"decision": "same"}).status_code == 200
    assert registrar.post(waiting[1], json={"decision": "same", "building": "100000000000"}).status_code == 422


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/reviews/1/1/decision", {"decision": "refuse"}, 404),
        ("/api/reviews/0/1/decision", {"decision": "refuse"}, 422),
        ("/api/reviews/99999999999/1/decision", {"decision": "refuse"}, 422),
        (None, {"decision": "superseded"}, 422),
        (None, {"decision": "same", "unknown": 1}, 422),
        (None, {}, 422),
    ],
)
def test_what_cannot_be_decided_is_refused_in_words(
    registrar: httpx.Client, waiting: tuple[str, str], path: str | None, body: dict[str, Any], status: int
) -> None:
    answer = registrar.post(path or waiting[1], json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]
