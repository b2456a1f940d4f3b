"""Roster rows that wait, over HTTP and at the command line: seen by their registrar, placed or refused."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import httpx
import psycopg
import pyarrow as pa
import pytest

from api import accounts, cli
from gis.residents import keys
from gis.residents.rosters import import_roster
from gis.residents.rows import ROSTER_ROWS
from gis.terms import Role

Menpai = Callable[..., SimpleNamespace]


@pytest.fixture
def waiting(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Let two rows of a registrar's roster wait; return their batch."""
    assert database
    monkeypatch.setenv("MENPAI_KEY_FILE", str(tmp_path / "keys" / "master.key"))
    keys.init()
    accounts.add("clerk")
    accounts.grant("clerk", Role.REGISTRAR, "640000")
    people = [
        dict.fromkeys(ROSTER_ROWS.names)
        | {"row": row, "occupant_id": f"P{row}", "address": "兴庆区无此路9号", "name": f"测试员{row}"}
        | {"doc_type": "PASSPORT", "id_number": f"X00{row:05d}", "birth_date": "1890-01-01", "nationality": "CHN"}
        for row in (1, 2)
    ]
    table = pa.Table.from_pylist(people, schema=ROSTER_ROWS)
    return import_roster(
        table, source="名册", file_name="r.csv", actor="clerk", batch_date=dt.date(2026, 11, 1)
    ).batch_id


@pytest.fixture
def clerk(waiting: int, address: str) -> httpx.Client:
    """Return a client of whoever imported the roster."""
    assert waiting
    token = accounts.mint("clerk").token
    return httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"})


def test_rows_are_listed_opened_placed_and_refused_over_http(
    database: str, waiting: int, clerk: httpx.Client, structures: tuple[str, str, str], planner: httpx.Client
) -> None:
    with clerk:
        listed = clerk.get("/api/roster-reviews")
        rows = listed.json()["rows"]
        assert [(row["roster"], row["line"], row["reason"]) for row in rows] == [
            (waiting, line, "address_not_found") for line in (1, 2)
        ]
        assert "测试员" not in listed.text
        assert clerk.get("/api/roster-reviews", params={"limit": 1}).json()["next"] == f"{waiting}-1"
        first, second = (f"/api/roster-reviews/{waiting}/{line}" for line in (1, 2))
        assert clerk.post(f"{first}/open").json()["name"] == "测试员1"
        placed = clerk.post(f"{first}/place", json={"building": structures[0]})
        assert placed.status_code == 200, placed.text
        assert clerk.post(f"{second}/refuse").json()["outcome"] == "refused"
        assert clerk.post(f"{second}/place", json={"building": structures[0]}).status_code == 404
        assert clerk.get("/api/roster-reviews").json() == {"rows": [], "next": None}
    assert planner.get("/api/roster-reviews").status_code == 403
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM reg.residencies").fetchone() == (1,)


def test_rows_are_listed_opened_placed_and_refused_at_the_command_line(
    waiting: int, structures: tuple[str, str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> SimpleNamespace:
        capfd.readouterr()
        code = cli.answer([*words])
        said = capfd.readouterr()
        return SimpleNamespace(code=code, out=said.out, err=said.err)

    who = ("--as", "clerk", "--purpose", "roster_review")
    listed = run("review", "list", *who)
    assert listed.code == 1, "rows need a person"
    assert [line.split("\t")[:2] for line in listed.out.splitlines()] == [[f"{waiting}-{n}", f"P{n}"] for n in (1, 2)]
    assert "测试员" not in listed.out
    assert "测试员1" in run("review", "open", f"{waiting}-1", *who).out
    assert run("review", "place", f"{waiting}-1", f"{structures[0]}-0001", *who).code == 0
    assert run("review", "refuse", f"{waiting}-2", *who).code == 0
    assert run("review", "list", *who).code == 0
    for words in (
        ("list",),
        ("list", "--as", "clerk", "--purpose", "curiosity"),
        ("refuse", "2", *who),
        ("refuse", f"{waiting}-2", *who),
        ("place", f"{waiting}-1", "12", *who),
    ):
        told = run("review", *words)
        assert (told.code, told.err.count("\n")) == (2, 1), words
