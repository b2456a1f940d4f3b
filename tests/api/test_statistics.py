"""Statistics: what was released, by division and category, and nothing that the gate withholds."""

import csv
import datetime as dt
import io
import json
from pathlib import Path

import httpx
import psycopg
import pyarrow.parquet as pq
import pytest

from api import cli

BEFORE, AFTER = dt.date(2025, 12, 1), dt.date(2026, 3, 5)
SHOWN, WITHHELD, ONCE_WITHHELD = 640104000000, 640105000000, 640106000000


@pytest.fixture
def compared(database: str) -> dt.date:
    """Write two releases; return the day of the later one."""
    with psycopg.connect(database) as connection:
        for release in (BEFORE, AFTER):
            connection.execute("INSERT INTO pub.releases (release, withheld_below) VALUES (%s, 10)", (release,))
        for release, code, category, n in (
            (BEFORE, SHOWN, "all", 4000),
            (BEFORE, SHOWN, "floating", 1000),
            (BEFORE, WITHHELD, "all", 777),
            (BEFORE, ONCE_WITHHELD, "all", None),
            (AFTER, SHOWN, "all", 5000),
            (AFTER, SHOWN, "floating", 900),
            (AFTER, WITHHELD, "all", None),
            (AFTER, ONCE_WITHHELD, "all", 888),
        ):
            connection.execute(
                "INSERT INTO pub.division_counts (release, division_code, category, n, withheld, noise_sd)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                (release, code, category, n, n is None, None if n is None else 3.0 if release == BEFORE else 4.0),
            )
    return AFTER


def by_division(answer: httpx.Response) -> dict[str, dict[str, object]]:
    """Return the rows of an answer by division and category."""
    assert answer.status_code == 200, answer.text
    return {f"{row['division']} {row['category']}": row for row in answer.json()}


def test_growth_is_the_difference_of_two_counts_that_are_shown(client: httpx.Client, compared: dt.date) -> None:
    rows = by_division(client.get("/api/statistics", params={"since": "2025-12-31"}))
    row = rows[f"{SHOWN} all"]
    assert (row["n"], row["n_since"], row["change"], row["growth"]) == (5000, 4000, 1000, 0.25)
    assert row["change_noise_sd"] == 5.0
    assert (row["release"], row["since"]) == (compared.isoformat(), BEFORE.isoformat())


def test_where_either_count_is_withheld_there_is_no_change(client: httpx.Client, compared: dt.date) -> None:
    assert compared
    rows = by_division(client.get("/api/statistics", params={"since": "2025-12-31"}))
    for code, n, n_since in ((WITHHELD, None, 777), (ONCE_WITHHELD, 888, None)):
        row = rows[f"{code} all"]
        assert (row["n"], row["n_since"]) == (n, n_since)
        assert row["change"] is row["growth"] is row["change_noise_sd"] is None
    assert rows[f"{WITHHELD} all"]["withheld"] is True


def test_without_an_account_no_category_is_told(client: httpx.Client, planner: httpx.Client, compared: dt.date) -> None:
    assert compared
    for category in ("floating", "each"):
        assert client.get("/api/statistics", params={"category": category}).status_code == 401
    assert {row["category"] for row in client.get("/api/statistics").json()} == {"all"}
    rows = by_division(planner.get("/api/statistics", params={"category": "each", "division": "640104"}))
    assert set(rows) == {f"{SHOWN} all", f"{SHOWN} floating"}


def test_the_three_formats_tell_the_same(client: httpx.Client, compared: dt.date) -> None:
    assert compared
    asked = {"since": "2025-12-31", "level": "county"}
    told = {kind: client.get("/api/statistics", params=asked | {"format": kind}) for kind in ("json", "csv", "parquet")}
    rows = told["json"].json()
    assert [row["division"] for row in rows] == [str(code) for code in (SHOWN, WITHHELD, ONCE_WITHHELD)]
    table = pq.read_table(io.BytesIO(told["parquet"].content)).to_pylist()
    assert json.loads(json.dumps(table, default=str)) == rows
    lines = list(csv.DictReader(io.StringIO(told["csv"].text)))
    assert [line["n"] for line in lines] == ["" if row["n"] is None else str(row["n"]) for row in rows]
    assert told["csv"].headers["content-type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"since": "2026-04-01"}, 422),
        ({"since": "1999-01-01"}, 404),
        ({"level": "street"}, 422),
        ({"format": "xls"}, 422),
    ],
)
def test_what_cannot_be_told_is_refused(
    client: httpx.Client, compared: dt.date, asked: dict[str, str], status: int
) -> None:
    assert compared
    assert client.get("/api/statistics", params=asked).status_code == status


@pytest.mark.parametrize("kind", ["json", "csv", "parquet"])
def test_menpai_stats_writes_what_the_gate_shows_and_nothing_else(
    compared: dt.date, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / f"counts.{kind}"
    assert cli.answer(["stats", str(out), "--since", "2025-12-31"]) == cli.DONE
    assert out.stat().st_size > 0
    assert f"4 counts 人数, 1 withheld 不公布, release 发布 {compared}" in capsys.readouterr().out


def test_menpai_stats_names_the_formats_it_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.answer(["stats", str(tmp_path / "counts.xlsx")]) == cli.REFUSED
    assert ".json, .csv, .parquet" in capsys.readouterr().err
