"""Planners ask for plans; a worker makes each once, whatever dies meanwhile; planners of the place read them."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from api import accounts, plans, sampling
from data import reference
from gis.errors import CalledOff
from gis.planning.plans import working
from gis.terms import Role

ASKED = {"kind": "service_station", "division": "640106", "sites": 2, "time_limit_s": 20}
KINDS = reference.facility_kinds()


@pytest.fixture
def town(database: str) -> str:
    """Return the URL of a register with a thousand invented people in one county."""
    sampling.load_sample(county=640106, residents=1000, seed=1)
    return database


def ask(planner: httpx.Client, **more: Any) -> str:  # noqa: ANN401
    answer = planner.post("/api/plans", json=ASKED | more)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"].endswith(answer.json()["id"])
    return str(answer.json()["id"])


def worked_off() -> int:
    """Work until nothing waits."""
    return working.work(KINDS, lambda seconds: seconds > 0)


def test_a_plan_is_asked_for_made_and_read(planner: httpx.Client, town: str) -> None:
    assert town
    plan = ask(planner)
    assert planner.get(f"/api/plans/{plan}").json()["status"] == "asked"
    assert planner.get(f"/api/plans/{plan}/file").status_code == 404
    assert worked_off() == 1
    told = planner.get(f"/api/plans/{plan}").json()
    assert told["status"] == "made"
    assert len(told["answer"]["sites"]) == 2
    assert told["data_version"]["event_seq"] > 0
    assert told["question"]["kind"] == "service_station"
    assert [one["id"] for one in planner.get("/api/plans").json()["plans"]] == [plan]
    page = planner.get(f"/api/plans/{plan}/file")
    assert "attachment" in page.headers["Content-Disposition"]
    assert "金凤区流动人口综合服务站选址方案" in page.text
    sites = planner.get(f"/api/plans/{plan}/file", params={"form": "geojson"}).json()
    assert len(sites["features"]) == 2
    assert planner.get(f"/api/plans/{plan}/file", params={"form": "gpkg"}).content[:6] == b"SQLite"


def test_what_cannot_be_planned_says_why(planner: httpx.Client, town: str) -> None:
    assert town
    plan = ask(planner, sites=None, within_min=0.5)
    assert worked_off() == 1
    told = planner.get(f"/api/plans/{plan}").json()
    assert told["status"] == "refused"
    assert "longer --within" in told["refusal"]


def test_points_of_ones_own_are_the_candidates(planner: httpx.Client, town: str) -> None:
    assert town
    points = [{"name": f"点{n}", "lon": 106.2 + n / 100, "lat": 38.45} for n in range(5)]
    plan = ask(planner, points=points)
    worked_off()
    sites = planner.get(f"/api/plans/{plan}").json()["answer"]["sites"]
    assert {site["name"] for site in sites} <= {point["name"] for point in points}


def test_a_plan_is_called_off_before_and_while_it_is_made(
    planner: httpx.Client, town: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert town
    waiting = ask(planner)
    assert planner.delete(f"/api/plans/{waiting}").json()["status"] == "called_off"
    assert planner.delete(f"/api/plans/{waiting}").status_code == 409
    begun = threading.Event()

    def slowly(_: object, heard: Any) -> None:  # noqa: ANN401
        begun.set()
        while not heard(1.0, 2.0):
            time.sleep(0.05)
        raise CalledOff

    monkeypatch.setattr(working, "make", slowly)
    running = ask(planner)
    worker = threading.Thread(target=worked_off)
    worker.start()
    assert begun.wait(10)
    assert planner.delete(f"/api/plans/{running}").json()["status"] == "calling_off"
    worker.join(10)
    told = planner.get(f"/api/plans/{running}").json()
    assert told["status"] == "called_off"
    assert told["progress"] == {"gap_percent": 50.0}


def test_an_account_asks_for_so_many_plans_a_day(
    planner: httpx.Client, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database
    monkeypatch.setattr(plans, "MOST_A_DAY", 2)
    ask(planner)
    ask(planner)
    refused = planner.post("/api/plans", json=ASKED)
    assert refused.status_code == 429
    assert "compared" in refused.json()["detail"]


def test_planners_of_another_county_neither_ask_nor_read(planner: httpx.Client, address: str) -> None:
    plan = ask(planner)
    accounts.add("far")
    accounts.grant("far", Role.PLANNER, "640402")
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {accounts.mint('far').token}"}) as far:
        assert far.post("/api/plans", json=ASKED).status_code == 403
        assert [far.get(f"/api/plans/{plan}").status_code, far.delete(f"/api/plans/{plan}").status_code] == [404, 404]
        assert far.get("/api/plans").json() == {"plans": []}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"kind": "castle"}, 422),
        ({"sites": 0}, 422),
        ({"sites": None}, 422),
        ({"division": "110101"}, 403),
        ({"model": "set-cover"}, 422),
        ({"within_min": 1e9}, 422),
        ({"points": [{"name": "x", "lon": 1e9, "lat": 0}]}, 422),
        ({"colour": "red"}, 422),
    ],
)
def test_a_bad_question_is_refused_and_nothing_is_kept(
    planner: httpx.Client, database: str, change: dict[str, Any], status: int
) -> None:
    assert planner.post("/api/plans", json=ASKED | change).status_code == status
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM reg.plans").fetchone() == (0,)


@pytest.mark.long
def test_a_worker_that_is_killed_leaves_its_plan_to_another(
    planner: httpx.Client, town: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = "from gis.planning.plans import working\nimport time\nworking.make = lambda *_: time.sleep(600)\n"
    slow += "from data import reference\nworking.work(reference.facility_kinds(), lambda _: False)\n"
    plan = ask(planner)
    root = Path(__file__).parents[2]
    dying = subprocess.Popen([sys.executable, "-c", slow], env=os.environ | {"PYTHONPATH": str(root)}, cwd=root)
    with psycopg.connect(town, autocommit=True) as connection:
        status = b"SELECT status FROM reg.plans"
        while connection.execute(status).fetchone() != ("running",):
            time.sleep(0.1)
        dying.send_signal(signal.SIGKILL)
        dying.wait()
        assert worked_off() == 0, "it may be only slow"
        monkeypatch.setattr(working, "SILENT_S", 0.5)
        time.sleep(1)
        assert worked_off() == 1
        assert connection.execute(b"SELECT status, tries FROM reg.plans").fetchone() == ("made", 2)
    assert planner.get(f"/api/plans/{plan}").json()["answer"]["people"]


def test_two_workers_never_make_one_plan(planner: httpx.Client, town: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert town
    made: list[Any] = []
    monkeypatch.setattr(working, "finish", lambda row, _: made.append(row.id))
    asked = {ask(planner) for _ in range(8)}
    workers = [threading.Thread(target=worked_off) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(map(str, made)) == sorted(asked)
