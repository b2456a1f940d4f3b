"""The field's door and the registrar's: who may find, lease and decide where, and what a replay brings."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api import accounts
from gis.register import acts
from gis.terms import FindingKind, Role

LON, LAT = 106.27, 38.47
"""In 兴庆区 (640104) of 银川."""
COUNTY, ELSEWHERE = "640104000000", "640522000000"
TODAY = acts.today().isoformat()


def client_of(address: str, name: str, role: Role, division: str) -> httpx.Client:
    """Return a client with a bearer of a new account that has one role in one division."""
    accounts.add(name)
    accounts.grant(name, role, division)
    bearer = accounts.mint(name)
    return httpx.Client(base_url=address, headers={"Authorization": f"Bearer {bearer.token}"})


@pytest.fixture
def officer(database: str, address: str) -> Iterator[httpx.Client]:
    """Yield a client signed in as a field officer of the county."""
    assert database
    with client_of(address, "officer", Role.FIELD_OFFICER, COUNTY) as client:
        yield client


@pytest.fixture
def stranger(database: str, address: str) -> Iterator[httpx.Client]:
    """Yield a client that is both registrar and field officer, in another county."""
    assert database
    with client_of(address, "stranger", Role.REGISTRAR, ELSEWHERE) as client:
        accounts.grant("stranger", Role.FIELD_OFFICER, ELSEWHERE)
        yield client


@pytest.fixture
def house(registrar: httpx.Client) -> tuple[str, int]:
    """Register a house of three floors; return its number and its event."""
    answer = registrar.post("/api/buildings", json={"geometry": box(0), "floors": 3})
    return answer.json()["buildings"][0], answer.json()["seq"]


def box(step: int) -> dict[str, Any]:
    """Return one of a row of squares as GeoJSON."""
    west, south, size = LON + step * 0.001, LAT, 0.0002
    ring = [[west, south], [west + size, south], [west + size, south + size], [west, south + size], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def wrong_floors(house: tuple[str, int], serial: int = 1, floors: int = 4) -> dict[str, Any]:
    """Return a finding that a house has other floors than were known of."""
    said = {"building": house[0], "based_on_seq": house[1], "attributes": {"floors": floors}}
    return {"uuid": str(uuid.UUID(int=serial)), "kind": "attribute_wrong", "seen_on": TODAY, **said}


def new_house(serial: int, step: int, **said: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "uuid": str(uuid.UUID(int=serial)),
        "kind": "new_structure",
        "seen_on": TODAY,
        "geometry": box(step),
        **said,
    }


def lease_of(serial: int, **said: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    expires = (acts.today() + dt.timedelta(days=7)).isoformat()
    return {"uuid": str(uuid.UUID(int=serial)), "division": COUNTY, "many": 3, "expires_on": expires} | said


def path(serial: int, act: str = "") -> str:
    return f"/api/findings/{uuid.UUID(int=serial)}{act}"


@pytest.mark.parametrize(
    ("method", "where"),
    [
        ("POST", "/api/findings"),
        ("GET", "/api/findings"),
        ("GET", path(1)),
        ("POST", path(1, "/accept")),
        ("POST", path(1, "/decline")),
        ("POST", "/api/leases"),
        ("GET", "/api/leases"),
        ("DELETE", f"/api/leases/{uuid.UUID(int=1)}"),
    ],
)
def test_nobody_finds_leases_or_decides_without_an_account(client: httpx.Client, method: str, where: str) -> None:
    bodies = {"/api/findings": [new_house(1, 0)], "/api/leases": lease_of(1), path(1, "/decline"): {"reason": "not_so"}}
    body = bodies.get(where) if method == "POST" else None
    assert client.request(method, where, json=body).status_code == 401


def test_only_field_officers_send_findings_and_only_registrars_decide(
    officer: httpx.Client, registrar: httpx.Client, planner: httpx.Client, house: tuple[str, int]
) -> None:
    for other in (registrar, planner):
        assert other.post("/api/findings", json=[wrong_floors(house)]).status_code == 403
        assert other.post("/api/leases", json=lease_of(1)).status_code == 403
    assert officer.post("/api/findings", json=[wrong_floors(house)]).status_code == 200
    assert officer.post(path(1, "/accept")).status_code == 403
    assert officer.post(path(1, "/decline"), json={"reason": "not_so"}).status_code == 403
    assert planner.get("/api/findings").status_code == 403
    assert planner.get("/api/findings", params={"division": COUNTY}).status_code == 403
    assert planner.get(path(1)).status_code == 403


def test_another_county_neither_finds_nor_leases_nor_sees_nor_decides_here(
    officer: httpx.Client, stranger: httpx.Client, house: tuple[str, int]
) -> None:
    sent = stranger.post("/api/findings", json=[wrong_floors(house), new_house(2, 5)]).json()["findings"]
    assert [each["refusal"]["type"] for each in sent] == ["urn:menpai:problem:not_allowed"] * 2
    officer.post("/api/findings", json=[wrong_floors(house)])
    assert stranger.post("/api/leases", json=lease_of(1)).status_code == 403
    assert stranger.get(path(1)).status_code == 403
    assert stranger.get("/api/findings").json()["findings"] == []
    assert stranger.get("/api/findings", params={"division": "64"}).status_code == 403
    assert stranger.post(path(1, "/accept")).status_code == 403
    assert stranger.post(path(1, "/decline"), json={"reason": "not_so"}).status_code == 403
    officer.post("/api/leases", json=lease_of(1))
    assert stranger.delete(f"/api/leases/{uuid.UUID(int=1)}").status_code == 403


@pytest.mark.parametrize(
    ("method", "where", "body"),
    [
        ("POST", "/api/findings", []),
        ("POST", "/api/findings", [new_house(serial, 0) for serial in range(101)]),
        ("POST", "/api/findings", [new_house(1, 0, remark="…")]),
        ("POST", "/api/findings", [new_house(1, 0) | {"uuid": "1"}]),
        ("POST", "/api/findings", [new_house(1, 0) | {"kind": "suspicious"}]),
        ("POST", "/api/findings", {"uuid": "1"}),
        ("GET", "/api/findings?status=lost", None),
        ("GET", "/api/findings?limit=0", None),
        ("GET", "/api/findings?limit=101", None),
        ("GET", "/api/findings?after=1", None),
        ("POST", "/api/findings/1/accept", None),
        ("POST", path(1, "/accept"), {"seen": 1}),
        ("POST", path(1, "/decline"), {"reason": "because"}),
        ("POST", path(1, "/decline"), None),
        ("POST", "/api/leases", lease_of(1, many=501)),
        ("POST", "/api/leases", lease_of(1, many=0)),
        ("POST", "/api/leases", lease_of(1, expires_on="2020-01-01")),
        ("POST", "/api/leases", lease_of(1, expires_on="2099-01-01")),
        ("DELETE", "/api/leases/1", None),
    ],
)
def test_what_cannot_be_read_is_422(officer: httpx.Client, method: str, where: str, body: object) -> None:
    assert officer.request(method, where, json=body).status_code == 422


def test_what_is_not_there_is_404(officer: httpx.Client, registrar: httpx.Client) -> None:
    assert registrar.get(path(9)).status_code == 404
    assert registrar.post(path(9, "/accept")).status_code == 404
    assert registrar.post(path(9, "/decline"), json={"reason": "not_so"}).status_code == 404
    assert officer.delete(f"/api/leases/{uuid.UUID(int=9)}").status_code == 404


def test_each_finding_is_answered_for_itself_in_the_order_it_was_sent(
    officer: httpx.Client, house: tuple[str, int]
) -> None:
    sent = [
        wrong_floors(house, 9),
        wrong_floors(("123", 1), 3),
        new_house(7, 5) | {"geometry": {"type": "Blob"}},
        wrong_floors(house, 9, floors=5),
        new_house(1, 6),
        wrong_floors(house, 9),
    ]
    answers = officer.post("/api/findings", json=sent).json()["findings"]
    assert [each["uuid"] for each in answers] == [each["uuid"] for each in sent]
    assert [each["status"] for each in answers] == ["open", None, None, None, "open", "open"]
    assert [each["repeated"] for each in answers] == [False, False, False, False, False, True]
    refusals = [each["refusal"]["type"].rpartition(":")[2] for each in answers if "refusal" in each]
    assert refusals == ["invalid_number", "bad_structure", "uuid_taken"]


def test_a_registrar_sees_both_values_and_accepts_what_was_seen(
    officer: httpx.Client, registrar: httpx.Client, house: tuple[str, int]
) -> None:
    officer.post("/api/findings", json=[wrong_floors(house, 1, 4), wrong_floors(house, 2, 5)])
    found = registrar.get("/api/findings", params={"status": "open", "division": COUNTY}).json()["findings"]
    assert [each["rivals"] for each in found] == [[str(uuid.UUID(int=2))], [str(uuid.UUID(int=1))]]
    first = registrar.post(path(1, "/accept"))
    assert registrar.post(path(1, "/accept")).json() == first.json() | {"repeated": True}
    second = registrar.get(path(2)).json()
    assert (second["status"], second["outdated"], second["last_seq"]) == ("open", True, first.json()["seq"])
    assert second["values"] == [{"name": "floors", "conflicts": True, "then": 3, "now": 4, "found": 5}]
    unseen = registrar.post(path(2, "/accept"))
    assert (unseen.status_code, unseen.json()["type"]) == (409, "urn:menpai:problem:finding_outdated")
    assert registrar.get(f"/api/buildings/{house[0]}").json()["floors"] == 4
    assert registrar.post(path(2, "/accept"), json={"seen_seq": second["last_seq"]}).status_code == 200
    assert registrar.get(f"/api/buildings/{house[0]}").json()["floors"] == 5


def test_findings_come_page_by_page_and_a_declined_one_keeps_its_reason(
    officer: httpx.Client, registrar: httpx.Client, house: tuple[str, int]
) -> None:
    officer.post("/api/findings", json=[wrong_floors(house, serial, serial) for serial in range(1, 6)])
    registrar.post(path(3, "/decline"), json={"reason": "unclear"})
    seen: list[int] = []
    following: str | None = None
    while not seen or following:
        page = officer.get("/api/findings", params={"limit": 2} | ({"after": following} if following else {})).json()
        seen += [uuid.UUID(each["uuid"]).int for each in page["findings"]]
        following = page["next"]
    assert seen == [1, 2, 4, 5]
    declined = registrar.get("/api/findings", params={"status": "declined"}).json()["findings"]
    assert [(each["decline_reason"], each["decided_by"]) for each in declined] == [("unclear", "registrar")]


def test_a_house_keeps_the_number_it_got_in_the_field(officer: httpx.Client, registrar: httpx.Client) -> None:
    lease = officer.post("/api/leases", json=lease_of(1))
    assert lease.status_code == 201
    assert officer.post("/api/leases", json=lease_of(1)).json() == lease.json()
    assert officer.post("/api/leases", json=lease_of(1, many=4)).status_code == 409
    given, left, void = lease.json()["numbers"]
    officer.post("/api/findings", json=[new_house(5, 0, building=given)])
    assert registrar.post(path(5, "/accept")).json()["buildings"] == [given]
    officer.post("/api/findings", json=[new_house(6, 1, building=left)])
    back = registrar.delete(f"/api/leases/{uuid.UUID(int=1)}").json()
    assert (back["open"], back["used"], back["held"], back["void"]) == (False, [given], [left], [void])
    late = officer.post("/api/findings", json=[new_house(7, 2, building=void)]).json()["findings"][0]
    assert late["refusal"]["type"] == "urn:menpai:problem:number_not_leased"
    assert officer.get("/api/leases").json()["leases"] == []
    assert officer.get("/api/leases", params={"ended": True}).json()["leases"] == [back]


def test_a_shape_is_shown_as_it_was_drawn(officer: httpx.Client, registrar: httpx.Client) -> None:
    officer.post("/api/findings", json=[new_house(1, 0)])
    value = registrar.get(path(1)).json()["values"][0]
    assert (value["name"], value["found"]) == ("shape", box(0))


def test_every_kind_can_be_sent_by_its_name(officer: httpx.Client, house: tuple[str, int]) -> None:
    sent = [wrong_floors(house, serial) | {"kind": kind} for serial, kind in enumerate(FindingKind)]
    for each in sent:
        if each["kind"] != "attribute_wrong":
            each["attributes"] = {}
        if each["kind"] == "new_structure":
            each |= {"geometry": box(5), "building": None, "based_on_seq": None}
        if each["kind"] == "shape_wrong":
            each["geometry"] = box(0)
    answers = officer.post("/api/findings", json=sent).json()["findings"]
    assert {each["status"] for each in answers} == {"open"}
