"""The desk for structures over HTTP: every verb a door, for registrars of that division, and nobody else."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import shapely

from api import accounts
from gis import numbering
from gis.terms import Role

WEST, SOUTH = 106.27, 38.47
"""In 兴庆区 (640104) of 银川."""


def square(step: int, part: str = "whole") -> dict[str, Any]:
    west = WEST + step * 0.001
    left, right = {"whole": (0, 2), "left": (0, 1), "right": (1, 2)}[part]
    box = shapely.box(west + left * 0.0001, SOUTH, west + right * 0.0001, SOUTH + 0.0002)
    return dict(json.loads(shapely.to_geojson(box)))


@pytest.fixture
def stranger(database: str, address: str) -> Iterator[httpx.Client]:
    """Yield a client signed in as a registrar of another county."""
    assert database
    accounts.add("stranger")
    accounts.grant("stranger", Role.REGISTRAR, "640522")
    bearer = accounts.mint("stranger")
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {bearer.token}"}) as client:
        yield client


def registered(client: httpx.Client, step: int = 0, **said: Any) -> str:  # noqa: ANN401 - JSON
    answer = client.post("/api/buildings", json={"geometry": square(step)} | said)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["buildings"][0])


def test_a_structure_is_registered_looked_up_and_its_history_read(registrar: httpx.Client) -> None:
    number = registered(registrar, standard_address="测试路1号", floors=2, rooms_per_floor=2, source_document="证1")
    found = registrar.get(f"/api/buildings/{number}").json()
    assert (found["standard_address"], found["floors"], found["dwellings"]) == ("测试路1号", 2, 4)
    life = registrar.get(f"/api/buildings/{number}/history").json()
    assert [(event["verb"], event["source_document"]) for event in life["events"]] == [("register", "证1")]
    assert [dwelling["room"] for dwelling in life["versions"][0]["dwellings"]] == ["101", "102", "201", "202"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"geometry": {}}, 422),
        ({"geometry": {"type": "Point", "coordinates": ["a", 1]}}, 422),
        ({"geometry": {"type": "Point", "coordinates": [1e400, 1]}}, 422),
        ({"geometry": {"type": "GeometryCollection", "geometries": []}}, 422),
        ({"geometry": square(0), "kind": "palace"}, 422),
        ({"geometry": square(0), "flours": 3}, 422),
        ({"geometry": square(0), "standard_address": "路\x00"}, 422),
        ({"geometry": square(0), "distinct_from": ["123"]}, 422),
        ({"geometry": square(0), "happened_on": "2999-01-01"}, 422),
        ({"geometry": square(0), "division": "1"}, 404),
        ({"geometry": {"type": "Point", "coordinates": [2.3, 48.8]}}, 422),
    ],
)
def test_what_cannot_be_registered_is_refused_in_one_sentence(
    registrar: httpx.Client, body: dict[str, Any], status: int
) -> None:
    text = json.dumps(body).replace("Infinity", "1e400")
    answer = registrar.post("/api/buildings", content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "\n" not in answer.json()["detail"]


def test_only_a_registrar_of_the_division_may_act(
    registrar: httpx.Client, stranger: httpx.Client, planner: httpx.Client, client: httpx.Client
) -> None:
    number = registered(registrar)
    acts: list[tuple[str, dict[str, Any]]] = [
        ("/api/buildings", {"geometry": square(5)}),
        ("/api/buildings/merge", {"merged": [number, registered(registrar, 7)], "geometry": square(0)}),
        (f"/api/buildings/{number}/correct", {"floors": 3}),
        (f"/api/buildings/{number}/change", {"floors": 3}),
        (
            f"/api/buildings/{number}/split",
            {"parts": [{"geometry": square(0, "left")}, {"geometry": square(0, "right")}]},
        ),
        (f"/api/buildings/{number}/rebuild", {"geometry": square(0)}),
        (f"/api/buildings/{number}/demolish", {}),
        (f"/api/buildings/{number}/retire", {}),
        (f"/api/buildings/{number}/reinstate", {}),
        ("/api/changes/1/revert", {}),
    ]
    for path, body in acts:
        assert client.post(path, json=body).status_code == 401, path
        assert planner.post(path, json=body).status_code == 403, path
        assert stranger.post(path, json=body).status_code == 403, path
    assert len(registrar.get(f"/api/buildings/{number}/history").json()["events"]) == 1


def test_nobody_takes_a_building_out_of_anothers_division_by_reverting(
    registrar: httpx.Client, stranger: httpx.Client
) -> None:
    number = registered(stranger, geometry=dict(json.loads(shapely.to_geojson(shapely.Point(105.65, 36.57)))))
    moved = registrar.post(f"/api/buildings/{number}/correct", json={"division": "640104"})
    assert moved.status_code == 200, moved.text
    assert stranger.post(f"/api/changes/{moved.json()['seq']}/revert", json={}).status_code == 403
    assert registrar.get(f"/api/buildings/{number}").json()["division"]["code"] == "640104000000"


def test_a_dead_number_answers_with_what_became_of_it(registrar: httpx.Client) -> None:
    number = registered(registrar)
    parts = [{"geometry": square(0, "left")}, {"geometry": square(0, "right"), "standard_address": "测试路2号"}]
    done = registrar.post(f"/api/buildings/{number}/split", json={"parts": parts, "reason": "隔墙"})
    assert done.status_code == 201, done.text
    dead = registrar.get(f"/api/buildings/{number}").json()
    assert dead["status"] == "replaced"
    assert sorted(dead["successors"]) == sorted(done.json()["buildings"][1:])
    assert registrar.get(f"/api/buildings/{dead['successors'][0]}").json()["came_of"] == [number]
    page = registrar.get(f"/b/{number}").text
    assert all(numbering.show(successor) in page for successor in dead["successors"])
    undone = registrar.post(f"/api/changes/{done.json()['seq']}/revert", json={"reason": "误操作"})
    assert undone.status_code == 200, undone.text
    alive = registrar.get(f"/api/buildings/{number}").json()
    assert (alive["status"], alive["successors"]) == ("active", [])


def test_a_desk_that_asks_twice_registers_once(registrar: httpx.Client) -> None:
    body = {"geometry": square(0), "client_uuid": str(uuid.UUID(int=5))}
    first, again = (registrar.post("/api/buildings", json=body) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["buildings"] == again.json()["buildings"]
    assert again.json()["repeated"] is True


def test_a_second_registration_of_a_house_names_the_first(registrar: httpx.Client) -> None:
    number = registered(registrar)
    answer = registrar.post("/api/buildings", json={"geometry": square(0)})
    assert answer.status_code == 409
    assert number in answer.json()["detail"]


def test_dwellings_are_amended_without_being_renumbered(registrar: httpx.Client) -> None:
    number = registered(registrar, floors=1, rooms_per_floor=2)
    change = {"dwellings": {"added": [{"room": "车库", "entrance": 1}], "merged": {"into": 1, "sequences": [2]}}}
    assert registrar.post(f"/api/buildings/{number}/change", json=change).status_code == 200
    versions = registrar.get(f"/api/buildings/{number}/history").json()["versions"]
    assert [(one["sequence"], one["status"]) for one in versions[-1]["dwellings"]] == [
        (1, "exists"),
        (2, "merged"),
        (3, "exists"),
    ]


def test_a_follower_of_the_feed_misses_nothing_and_imports_are_part_of_it(
    registrar: httpx.Client, structures: tuple[str, str, str]
) -> None:
    number = registered(registrar, 50)
    registrar.post(f"/api/buildings/{number}/demolish", json={})
    place = 0
    seen: dict[str, str] = {}
    seqs: list[int] = []
    while changes := (page := registrar.get("/api/changes", params={"after": place, "limit": 2}).json())["changes"]:
        place = page["next"]
        for change in changes:
            seqs.append(change["seq"])
            seen |= {each["number"]: each["versions"][-1]["status"] for each in change["buildings"]}
    assert seqs == list(range(1, len(seqs) + 1))
    assert seen == dict.fromkeys(structures, "active") | {number: "demolished"}
    late = registrar.get("/api/changes", params={"since": "2026-01-01T00:00:00+08:00"}).json()
    assert late["changes"][0]["seq"] == 1


@pytest.mark.parametrize(
    "query",
    ["after=-1", "limit=0", "limit=100000", "since=2026-01-01T00:00:00", "after=x", "after=99999999999999999999"],
)
def test_a_page_of_the_feed_that_cannot_be_is_refused(registrar: httpx.Client, query: str) -> None:
    assert registrar.get(f"/api/changes?{query}").status_code == 422


def test_another_bodys_code_finds_the_building(registrar: httpx.Client) -> None:
    number = registered(registrar, references=[{"source": "不动产单元", "code": "640104001001GB00001F00010001"}])
    added = {"references": [{"source": "OSM", "code": "way/1"}]}
    assert registrar.post(f"/api/buildings/{number}/correct", json=added).status_code == 200
    for source, code in (("不动产单元", "640104001001GB00001F00010001"), ("OSM", "way/1")):
        found = registrar.get("/api/references", params={"source": source, "code": code})
        assert found.json()["number"] == number
    told = registrar.get(f"/api/buildings/{number}/history").json()["references"]
    assert [each["source"] for each in told] == ["不动产单元", "OSM"]
    assert registrar.get("/api/references", params={"source": "OSM", "code": "way/2"}).status_code == 404


def test_the_feed_and_histories_need_a_role(client: httpx.Client, stranger: httpx.Client, address: str) -> None:
    accounts.add("nobody")
    bearer = accounts.mint("nobody")
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {bearer.token}"}) as nobody:
        for path in ("/api/changes", "/api/references?source=a&code=b", "/api/buildings/153273413646/history"):
            assert client.get(path).status_code == 401
            assert nobody.get(path).status_code == 403
    assert stranger.get("/api/changes").status_code == 200
