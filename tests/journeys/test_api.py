"""From an empty service to a building on the map: what a planner does on the first day, through the doors only."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import mapbox_vector_tile
import psycopg
import pytest
from sqlalchemy.engine import make_url

from api import cli
from gis import numbering
from gis.store import schema, session

HOUSES = """source_id,kind,standard_address,floors,wkt
a,apartments,宁夏银川市兴庆区测试路1号1号楼,6,"POLYGON((106.27 38.47,106.2705 38.47,106.2705 38.4702,106.27 38.4702,106.27 38.47))"
b,house,宁夏银川市兴庆区测试路2号,1,POINT(106.275 38.47)
c,industrial,宁夏银川市兴庆区测试路3号,1,POINT(106.276 38.47)
"""  # noqa: E501 - a row of a file is one line
PATIENCE_S = 120


@contextmanager
def running(*words: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Start ``menpai run`` over the tests' database; yield the process, its address, and all it said."""
    command = [sys.executable, "-P", "-m", "api.cli", "run", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        found = re.search(r"(http://\S+/)enter#(\S+)", said)
        assert found, said
        try:
            yield process, found[1], said
        finally:
            process.kill()


@pytest.fixture
def houses(database: str, tmp_path: Path) -> list[str]:
    """Register two houses; the third row is refused. Return what the RESULT file calls them."""
    assert database
    file, out = tmp_path / "houses.csv", tmp_path / "result.csv"
    file.write_text(HOUSES, encoding="utf-8")
    assert cli.answer(["import", "buildings", str(file), "--out", str(out)]) == cli.SOME_NEED_A_PERSON
    numbers = [line.split(",")[3] for line in out.read_text(encoding="utf-8").splitlines()[1:]]
    assert [bool(number) for number in numbers] == [True, True, False]
    return numbers[:2]


def test_a_planner_s_first_day(houses: list[str]) -> None:
    with (
        running("--port", "0") as (process, address, said),
        httpx.Client(base_url=address, timeout=PATIENCE_S) as client,
    ):
        assert client.get("/readyz").json() == {"status": "ready"}
        assert "<title>" in client.get("/").text
        link = said.partition("enter#")[2].split()[0]
        issued = client.post("/api/first-start", json={"token": link, "password": "a long enough password"}).json()
        again = client.post("/api/token", data={"username": "planner", "password": "a long enough password"})
        assert again.status_code == 200
        bearer = {"Authorization": f"Bearer {issued['access_token']}"}
        here = {"lon": 106.2702, "lat": 38.4701}
        found = client.get("/api/buildings", params=here, headers=bearer).json()["buildings"]
        assert [each["number"] for each in found] == houses[:1]
        page = client.get(f"/b/{numbering.show(houses[0])}")
        assert "测试路1号1号楼" in page.text
        tile = mapbox_vector_tile.decode(client.get("/tiles/buildings/13/6514/3146.mvt").content)
        assert {each["properties"]["number"] for each in tile["buildings"]["features"]} <= set(houses)
        counts = client.get("/api/divisions/640104/counts", headers=bearer).json()["counts"]
        assert set(counts) == {"all", "permanent", "floating", "other", "undetermined"}
        cells = client.get("/tiles/cells/12/3257/1573.mvt").content
        assert all(
            each["properties"]["category"] == "all" for each in mapbox_vector_tile.decode(cells)["cells"]["features"]
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
        assert process.stdout is not None
        assert "stopped" in process.stdout.read()


def test_the_service_reaches_the_database_by_a_log_in_that_owns_nothing(houses: list[str], database: str) -> None:
    session.forget()  # this process's own connections are not the service's
    if make_url(database).host or make_url(database).username != "menpai":
        pytest.skip("a server of one's own is reached by the log-in its administrator names")
    with running("--port", "0") as (_, address, _said), httpx.Client(base_url=address) as client:
        assert client.get(f"/b/{houses[0]}").status_code == 200
        with psycopg.connect(database) as looking:
            rows = looking.execute(
                "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'menpai' AND datname = %s"
                " AND pid <> pg_backend_pid()",
                (looking.info.dbname,),
            ).fetchall()
        assert rows == [(f"{make_url(database).database}_{schema.SERVICE}",)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_ctrl_c_and_a_closed_terminal_end_it_in_order(houses: list[str], number: signal.Signals) -> None:
    assert houses
    with running("--port", "0") as (process, address, _):
        assert httpx.get(f"{address}healthz").status_code == 200
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 0


def test_a_busy_port_gives_way_to_the_next_and_says_so(houses: list[str]) -> None:
    assert houses
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running("--port", str(port)) as (_, address, said):
            assert str(port) not in address
            assert f"{port} is busy" in said
            assert httpx.get(f"{address}healthz").status_code == 200


def test_serve_refuses_a_busy_port_and_an_address_that_is_not_ours(houses: list[str]) -> None:
    assert houses
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert cli.answer(["serve", "--port", str(taken.getsockname()[1])]) == cli.REFUSED
    assert cli.answer(["serve", "--host", "192.0.2.1", "--port", "0"]) == cli.REFUSED


def test_several_workers_serve_one_port(houses: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-P", "-m", "api.cli", "serve", "--port", str(port), "--workers", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        try:
            transport = httpx.HTTPTransport(retries=10)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport) as client:
                assert client.get(f"/b/{houses[0]}", timeout=PATIENCE_S).status_code == 200
        finally:
            process.terminate()
            assert process.wait(PATIENCE_S) == 0
