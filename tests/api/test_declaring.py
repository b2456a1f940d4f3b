"""The desk over HTTP: taken and decided by registrars of the division; the resident's own desk needs no account."""

import datetime as dt
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from api import accounts
from gis.register.acts import today
from gis.residents import keys
from gis.terms import Role

JSON = {"Content-Type": "application/json"}
ANYTHING = {"code": "0000-0000-0000", "doc_type": "PASSPORT", "id_number": "X0000001"}


@pytest.fixture(autouse=True)
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the service keys of its own."""
    monkeypatch.setenv("MENPAI_KEY_FILE", str(tmp_path / "keys" / "master.key"))
    keys.init()


@pytest.fixture
def elsewhere(database: str, address: str) -> Iterator[httpx.Client]:
    """Yield a client signed in as a registrar of another county."""
    assert database
    accounts.add("far")
    accounts.grant("far", Role.REGISTRAR, "640402")
    token = accounts.mint("far").token
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}) as client:
        yield client


def declarer(number: int = 1, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "name": f"测试员{number}",
        "doc_type": "PASSPORT",
        "id_number": f"X00{number:05d}",
        "birth_date": "1890-01-01",
        "nationality": "CHN",
        "hukou_code": "640402",
    } | more


def arrival(building: str, who: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "uuid": str(uuid.uuid4()),
        "declarer": who or declarer(),
        "building": building,
        "since": (today() - dt.timedelta(days=3)).isoformat(),
    } | more


def test_a_declaration_goes_from_the_desk_to_the_residents_own(
    registrar: httpx.Client, client: httpx.Client, structures: tuple[str, str, str]
) -> None:
    flats, *_ = structures
    rooms = registrar.get(f"/api/buildings/{flats}/dwellings").json()["dwellings"]
    assert rooms == [{"sequence": 1, "entrance": None, "floor": None, "room": None}]
    taken = registrar.post("/api/declarations", json=arrival(flats))
    assert taken.status_code == 201
    receipt = taken.json()
    [waiting] = registrar.get("/api/declarations").json()["declarations"]
    assert (waiting["building"], waiting["status"], waiting["until"]) == (flats, "waiting", None)
    assert "测试员" not in registrar.get("/api/declarations").text
    opened = registrar.post(f"/api/declarations/{receipt['declaration']}/open").json()
    assert opened["name"] == "测试员1"
    done = registrar.post(f"/api/declarations/{receipt['declaration']}/register")
    assert done.json()["ended_elsewhere"] is False

    key = {"code": receipt["receipt"], "doc_type": "PASSPORT", "id_number": "x0000001"}
    mine = client.post("/api/record", json=key).json()
    assert mine["identity"]["name"] == "测试员1"
    assert [row["category"] for row in mine["residencies"]] == ["floating"]
    assert mine["accesses"][1]["act"] == "register arrival"
    corrected = client.post(
        "/api/record/correction",
        json={
            "key": key,
            "residency": mine["residencies"][0]["id"],
            "declarer": declarer(hukou_code="640104"),
            "since": mine["residencies"][0]["start"],
        },
    )
    assert corrected.status_code == 201
    registrar.post(f"/api/declarations/{corrected.json()['declaration']}/register")
    mine = client.post("/api/record", json=key).json()
    assert mine["residencies"][0]["category"] == "permanent"
    ended = client.post(
        "/api/record/end",
        json={"key": key, "residency": mine["residencies"][0]["id"], "last_day": today().isoformat()},
    )
    assert ended.status_code == 200
    assert client.post("/api/record", json=key).json()["residencies"][0]["until"] == today().isoformat()


@pytest.mark.parametrize(
    ("door", "body", "status"),
    [
        ("more", {"needed": ["document"]}, "more_asked"),
        ("decline", {"reason": "not_the_person"}, "declined"),
        ("withdraw", None, "withdrawn"),
    ],
)
def test_a_registrar_asks_for_more_declines_or_lets_it_be_withdrawn(
    registrar: httpx.Client,
    structures: tuple[str, str, str],
    door: str,
    body: dict[str, Any] | None,
    status: str,
) -> None:
    declaration = registrar.post("/api/declarations", json=arrival(structures[0])).json()["declaration"]
    assert registrar.post(f"/api/declarations/{declaration}/{door}", json=body).json()["status"] == status


def test_a_registrar_of_another_county_and_other_roles_get_nothing(
    registrar: httpx.Client,
    elsewhere: httpx.Client,
    planner: httpx.Client,
    client: httpx.Client,
    structures: tuple[str, str, str],
) -> None:
    declaration = registrar.post("/api/declarations", json=arrival(structures[0])).json()["declaration"]
    assert elsewhere.get("/api/declarations").json() == {"declarations": []}
    assert elsewhere.post("/api/declarations", json=arrival(structures[0])).status_code == 403
    for door in ("open", "register", "withdraw"):
        path = f"/api/declarations/{declaration}/{door}"
        assert [asks.post(path).status_code for asks in (elsewhere, planner, client)] == [404, 403, 401]
    assert [asks.get("/api/declarations").status_code for asks in (planner, client)] == [403, 401]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"declarer": declarer(doc_type="ID", id_number="640106188001010011", birth_date=None)}, 422),
        ({"declarer": declarer(name="")}, 422),
        ({"declarer": declarer(phone="0951")}, 422),
        ({"building": "153273413645"}, 422),
        ({"building": None}, 422),
        ({"dwelling": 99}, 409),
        ({"since": "2999-01-01"}, 422),
        ({"kind": "departure", "until": "2026-01-01"}, 404),
        ({"uuid": "1"}, 422),
        ({"declarer": declarer(name="\ud800")}, 422),
        ({"declarer": declarer(hukou_code="\u0000")}, 422),
    ],
)
def test_a_bad_declaration_is_told_in_one_sentence_and_nothing_is_kept(
    registrar: httpx.Client, structures: tuple[str, str, str], database: str, change: dict[str, Any], status: int
) -> None:
    answer = registrar.post("/api/declarations", content=_json(arrival(structures[0]) | change), headers=JSON)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM reg.declarations").fetchone() == (0,)


def _json(body: dict[str, Any]) -> bytes:
    import json  # noqa: PLC0415 - it writes half a character, which httpx would not

    return json.dumps(body).encode()


def test_whoever_guesses_codes_has_to_wait(client: httpx.Client, database: str) -> None:
    assert database
    answers = [client.post("/api/record", json=ANYTHING).status_code for _ in range(8)]
    assert answers[0] == 404
    assert answers[-1] == 429


def test_neither_code_nor_document_stands_in_an_address(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {
        method for path in paths if path.startswith("/api/record/") or path == "/api/record" for method in paths[path]
    } <= {
        "get",
        "post",
        "delete",
    }
    assert "get" not in paths["/api/record"]
