"""The desk for sites and sheds: doors for registrars of that division, a due list, and a CSV no spreadsheet obeys."""

import csv
import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api import accounts, cli
from gis.register import acts
from gis.terms import Role

WEST, SOUTH = 106.27, 38.47
"""In 兴庆区 (640104) of 银川."""
COUNTY = "640104"
PAPER = {"source_document": "住建〔2026〕8号"}
NOBODYS = 153_273_413_646


def in_days(days: int) -> str:
    return (acts.today() + dt.timedelta(days=days)).isoformat()


@pytest.fixture
def stranger(database: str, address: str) -> Iterator[httpx.Client]:
    """Yield a client signed in as a registrar of another county."""
    assert database
    accounts.add("stranger")
    accounts.grant("stranger", Role.REGISTRAR, "640522")
    bearer = accounts.mint("stranger")
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {bearer.token}"}) as client:
        yield client


def site_of(client: httpx.Client, **said: Any) -> int:  # noqa: ANN401 - JSON
    body = {"name": "甲工地", "division": COUNTY, "responsible_organisation": "某建设公司"} | said
    answer = client.post("/api/premises", json=body)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["premises"])


def shed_on(client: httpx.Client, site: int, expires_in: int, step: int = 0) -> str:
    point = {"type": "Point", "coordinates": [WEST + step * 0.001, SOUTH]}
    body = {"geometry": point, "kind": "work_shed", "premises_id": site, "expires_on": in_days(expires_in)}
    answer = client.post("/api/buildings", json=body | {"happened_on": "2020-01-01"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["buildings"][0])


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"name": "工" * 201}, 422),
        ({"name": ""}, 422),
        ({"name": "甲\x00"}, 422),
        ({"division": "999"}, 404),
        ({"division": "650000"}, 404),
        ({"kind": "camp"}, 422),
        ({"capacity_persons": -1}, 422),
        ({"capacity_persons": 10**30}, 422),
        ({"exits": "many"}, 422),
        ({"permit_until": "2026-02-30"}, 422),
        ({"permit_until": "9999-01-01"}, 422),
        ({"happened_on": "2999-01-01"}, 422),
        ({"occupants": 12}, 422),
    ],
)
def test_a_site_that_cannot_be_is_refused_in_one_sentence(
    registrar: httpx.Client, wrong: dict[str, Any], status: int
) -> None:
    answer = registrar.post("/api/premises", json={"name": "甲工地", "division": COUNTY} | wrong)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert registrar.get("/api/premises", params={"division": COUNTY}).json() == {"premises": []}


@pytest.mark.parametrize(
    ("door", "body", "status"),
    [
        ("renew", {"permit_until": in_days(90)}, 422),
        ("renew", {"permit_until": "2020-01-01"} | PAPER, 422),
        ("check", {"checked_by": "住建局"}, 422),
        ("check", {"checked_by": "住建局", "happened_on": "2999-01-01"} | PAPER, 422),
        ("change", {"permit_until": "2030-01-01"}, 422),
        ("change", {}, 422),
        ("change", {"name": None}, 422),
        ("correct", {"closed_on": "2999-01-01"}, 422),
        ("sheds/renew", {"expires_on": in_days(90)}, 422),
        ("sheds/renew", {"expires_on": in_days(90)} | PAPER, 422),
    ],
)
def test_an_act_without_evidence_substance_or_sense_changes_nothing(
    registrar: httpx.Client, door: str, body: dict[str, Any], status: int
) -> None:
    site = site_of(registrar)
    assert registrar.post(f"/api/premises/{site}/{door}", json=body).status_code == status
    assert len(registrar.get(f"/api/premises/{site}").json()["events"]) == 1


def test_only_registrars_of_the_division_act(
    client: httpx.Client, planner: httpx.Client, registrar: httpx.Client, stranger: httpx.Client
) -> None:
    site = site_of(registrar)
    shed = shed_on(registrar, site, 5)
    acts_upon = [
        ("/api/premises", {"name": "乙工地", "division": COUNTY}),
        (f"/api/premises/{site}/correct", {"water": True}),
        (f"/api/premises/{site}/change", {"water": True}),
        (f"/api/premises/{site}/renew", {"permit_until": in_days(90)} | PAPER),
        (f"/api/premises/{site}/check", {"checked_by": "住建局"} | PAPER),
        (f"/api/premises/{site}/close", {}),
        (f"/api/premises/{site}/sheds/renew", {"expires_on": in_days(90)} | PAPER),
        (f"/api/premises/sheds/{shed}/renew", {"expires_on": in_days(90)} | PAPER),
        (f"/api/premises/sheds/{shed}/inspect", {"found": "gone"}),
    ]
    for path, body in acts_upon:
        assert [who.post(path, json=body).status_code for who in (client, planner, stranger)] == [401, 403, 403], path
    # who may not act is told so, and not what stands against the act
    assert stranger.post(f"/api/premises/{site}/change", json={}).status_code == 403
    assert len(registrar.get(f"/api/premises/{site}").json()["events"]) == 1
    assert registrar.get(f"/api/buildings/{shed}").json()["status"] == "active"


def test_premises_are_not_moved_into_somebody_elses_division(registrar: httpx.Client, stranger: httpx.Client) -> None:
    site = site_of(stranger, division="640522")
    assert stranger.post(f"/api/premises/{site}/correct", json={"division": COUNTY}).status_code == 403
    assert stranger.get(f"/api/premises/{site}").json()["division_code"] == "640522000000"
    assert registrar.post(f"/api/premises/{site}/correct", json={"division": COUNTY}).status_code == 200


def test_what_a_site_offers_is_read_by_registrars_and_planners(
    client: httpx.Client, planner: httpx.Client, registrar: httpx.Client
) -> None:
    site = site_of(registrar, capacity_persons=80, water=True)
    for path in (f"/api/premises/{site}", "/api/premises/due", f"/api/premises?division={COUNTY}"):
        assert client.get(path).status_code == 401
        assert planner.get(path).status_code == 200
    found = planner.get(f"/api/premises/{site}").json()
    assert (found["capacity_persons"], found["water"], found["toilets"]) == (80, True, None)
    assert [row["id"] for row in planner.get("/api/premises?division=64&name=甲").json()["premises"]] == [site]
    assert planner.get("/api/premises?division=64&name=%").json() == {"premises": []}


def test_premises_and_sheds_nobody_knows_are_404(registrar: httpx.Client) -> None:
    assert registrar.get("/api/premises/7").status_code == 404
    assert registrar.post("/api/premises/7/close").status_code == 404
    assert registrar.post("/api/premises/7/sheds/renew", json={"expires_on": in_days(9)} | PAPER).status_code == 404
    for door, body in (("inspect", {"found": "gone"}), ("renew", {"expires_on": in_days(9)} | PAPER)):
        assert registrar.post(f"/api/premises/sheds/{NOBODYS}/{door}", json=body).status_code == 404
        assert registrar.post(f"/api/premises/sheds/123/{door}", json=body).status_code == 422
    for wrong in ("0", "-1", str(2**31), "x"):
        assert registrar.get(f"/api/premises/{wrong}").status_code == 422


def test_a_shed_is_inspected_renewed_as_far_as_its_permit_and_found_gone(registrar: httpx.Client) -> None:
    site = site_of(registrar, permit_until=in_days(100))
    assert registrar.post(f"/api/premises/{site}/check", json={"checked_by": "住建局"} | PAPER).status_code == 200
    shed = shed_on(registrar, site, -1)
    [one] = registrar.get("/api/premises/due").json()["due"]
    assert (one["number"], one["reasons"], one["due_on"], one["last_inspection"]) == (
        shed,
        ["expired"],
        in_days(-1),
        None,
    )
    assert registrar.post(f"/api/premises/sheds/{shed}/inspect", json={"found": "still_there"}).status_code == 200
    [one] = registrar.get("/api/premises/due").json()["due"]
    assert one["last_inspection"] == {"found": "still_there", "on": in_days(0)}
    door = f"/api/premises/sheds/{shed}/renew"
    assert registrar.post(door, json={"expires_on": in_days(90)}).status_code == 422
    beyond = registrar.post(door, json={"expires_on": in_days(101)} | PAPER)
    assert (beyond.status_code, beyond.json()["type"]) == (409, "urn:menpai:problem:beyond_permit")
    assert registrar.post(door, json={"expires_on": in_days(100)} | PAPER).status_code == 200
    assert registrar.get("/api/premises/due").json()["due"] == []
    body = {"found": "gone", "client_uuid": str(uuid.uuid4())}
    first, again = (registrar.post(f"/api/premises/sheds/{shed}/inspect", json=body).json() for _ in range(2))
    assert again == first | {"repeated": True}
    assert registrar.get(f"/api/buildings/{shed}").json()["status"] == "demolished"
    dead = registrar.post(f"/api/premises/sheds/{shed}/inspect", json={"found": "gone"})
    assert dead.status_code == 409
    found = registrar.get(f"/api/premises/sheds/{shed}/inspections").json()["inspections"]
    assert [each["found"] for each in found] == ["still_there", "gone"]


def test_all_sheds_of_a_site_are_renewed_by_one_act(registrar: httpx.Client) -> None:
    site = site_of(registrar)
    numbers = {shed_on(registrar, site, days, step) for step, days in enumerate((-1, 10))}
    done = registrar.post(f"/api/premises/{site}/sheds/renew", json={"expires_on": in_days(90)} | PAPER).json()
    assert set(done["buildings"]) == numbers
    standing = registrar.get(f"/api/premises/{site}").json()["structures"]
    assert {(each["number"], each["expires_on"]) for each in standing} == {(number, in_days(90)) for number in numbers}


def test_premises_are_read_as_they_were_recorded(registrar: httpx.Client) -> None:
    site = site_of(registrar, toilets=2)
    registrar.post(f"/api/premises/{site}/change", json={"toilets": 6, "happened_on": in_days(-1)})
    events = registrar.get(f"/api/premises/{site}").json()["events"]
    assert [(event["verb"], (event["before"] or {}).get("toilets")) for event in events] == [
        ("register", None),
        ("change", 2),
    ]
    then = {"recorded_at": events[0]["recorded_at"]}
    assert registrar.get(f"/api/premises/{site}", params=then).json()["toilets"] == 2
    assert registrar.get(f"/api/premises/{site}", params={"recorded_at": "2020-01-01T00:00:00Z"}).status_code == 404
    assert registrar.get(f"/api/premises/{site}", params={"recorded_at": "2020-01-01T00:00:00"}).status_code == 422


def test_the_due_list_comes_in_pages_and_refuses_nonsense(registrar: httpx.Client) -> None:
    site = site_of(registrar)
    numbers = [shed_on(registrar, site, step - 9, step) for step in range(3)]
    page = registrar.get("/api/premises/due", params={"limit": 2, "division": COUNTY}).json()
    assert [one["number"] for one in page["due"]] == [None, numbers[0]]
    assert page["due"][0]["reasons"] == ["check_missing"]
    rest = registrar.get("/api/premises/due", params={"limit": 2, "offset": page["next"]}).json()
    assert ([one["number"] for one in rest["due"]], rest["next"]) == (numbers[1:], None)
    for params in ({"within_days": 367}, {"limit": 0}, {"offset": -1}, {"on": "soon"}):
        assert registrar.get("/api/premises/due", params=params).status_code == 422
    assert registrar.get("/api/premises/due", params={"division": "650000"}).status_code == 404


@pytest.fixture
def menpai(database: str, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs a command line in this process and tells code, output and complaint."""
    assert database

    def run(*words: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = cli.answer(["sheds", "due", *words])
        said = capfd.readouterr()
        return code, said.out, said.err

    return run


@pytest.mark.parametrize(
    "words", [("--within", "-1"), ("--within", "soon"), ("--division", "65"), ("--division", "x"), ("--out", "/")]
)
def test_a_due_list_of_nowhere_or_nothing_is_refused_with_one_line(
    menpai: Callable[..., tuple[int, str, str]], words: tuple[str, str]
) -> None:
    code, out, err = menpai(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_the_command_lists_what_is_due_and_says_that_somebody_must_go(
    menpai: Callable[..., tuple[int, str, str]], registrar: httpx.Client
) -> None:
    assert menpai()[:2] == (0, "")
    site = site_of(registrar, name="甲\x1b[2J工地")
    shed = shed_on(registrar, site, 40)
    code, out, err = menpai("--division", COUNTY)
    assert (code, shed in out, "check_missing" in out, "\x1b" in out) == (1, False, True, False)
    assert "0 structures" in err
    code, out, err = menpai("--within", "40")
    assert shed in out
    assert "1 structures" in err


def test_a_csv_of_what_is_due_holds_no_formula(
    menpai: Callable[..., tuple[int, str, str]], registrar: httpx.Client, tmp_path: Path
) -> None:
    site = site_of(registrar, name="=1+1", responsible_organisation="@SUM(A1)")
    shed = shed_on(registrar, site, -1)
    out = tmp_path / "due.csv"
    assert menpai("--out", str(out))[0] == 1
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["building_no"], row["reasons"], row["due_on"]) for row in rows] == [
        ("", "check_missing", ""),
        (shed, "expired", in_days(-1)),
    ]
    assert {row["premises"] for row in rows} == {"'=1+1"}
    assert {row["responsible_organisation"] for row in rows} == {"'@SUM(A1)"}
