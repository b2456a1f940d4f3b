"""``menpai import buildings`` from a file to the register, and what happens when something happens on the way."""

import csv
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from sqlalchemy import text

from api import cli
from gis import numbering
from gis.store import session

csv.field_size_limit(2**27)
TRIAL = ("--division", "999999")
MANY = 20_000
KEPT_TABLES = ("buildings", "dwellings", "external_references", "building_events", "batches", "batch_rows", "sources")


def _command(file: Path, *options: str) -> list[str]:
    return [sys.executable, "-P", "-m", "api.cli", "import", "buildings", str(file), *options]


def _import(file: Path, out: Path, *options: str) -> tuple[int, list[dict[str, str]]]:
    """Import a file inside this process; return the exit code and the lines of the RESULT."""
    code = cli.answer(["import", "buildings", str(file), "--out", str(out), *options])
    with out.open(encoding="utf-8", newline="") as stream:
        return code, list(csv.DictReader(stream))


def _one(url: str, query: str) -> Any:  # noqa: ANN401 - whatever the query asks for
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def _holds_nothing(url: str) -> bool:
    counts = [_one(url, f"SELECT count(*) FROM reg.{table}") for table in KEPT_TABLES]  # noqa: S608 - names from above
    return counts == [0] * len(KEPT_TABLES) and _one(url, "SELECT next_serial FROM reg.number_serials") == 1


def _outcomes(rows: list[dict[str, str]]) -> Counter[str]:
    return Counter(row["outcome"] for row in rows)


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Return a file of 20,000 houses, enough to be caught in the act."""
    place = np.arange(MANY)
    west, south = 8 + place % 200 * 0.0004, 47 + place // 200 * 0.0004
    table = pa.table({
        "source_id": [f"house/{number}" for number in place],
        "geometry": pa.array(shapely.to_wkb(shapely.box(west, south, west + 0.0002, south + 0.0002)).tolist()),
    })  # fmt: skip
    meta = {"primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"}}}
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(meta)}), tmp_path / "many.parquet")
    return tmp_path / "many.parquet"


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Return a file of three houses."""
    (tmp_path / "few.csv").write_text("source_id,lon,lat\n=1+1,8.5,47.4\nb,8.6,47.4\n-5,8.7,47.4\n")
    return tmp_path / "few.csv"


class TestOtherCities:
    @pytest.mark.parametrize("city", [("liechtenstein2021", 15_834, 15_000), ("monaco2021", 1_207, 1_140)])
    def test_a_city_comes_in_whole_and_a_second_time_nothing_new(
        self, database: str, test_data: Path, tmp_path: Path, city: tuple[str, int, int]
    ) -> None:
        name, ways, least = city
        file = test_data / "buildings" / f"{name}.osm.pbf"
        code, rows = _import(file, tmp_path / "first.csv", *TRIAL)
        outcomes = _outcomes(rows)
        assert code == cli.SOME_NEED_A_PERSON
        assert [int(row["row"]) for row in rows] == list(range(1, ways + 1))
        assert outcomes["registered"] >= least
        assert outcomes["registered"] + outcomes["queued"] + outcomes["refused"] == ways
        assert all(row["reason"] for row in rows if row["outcome"] in {"queued", "refused"})
        numbers = [row["building_no"] for row in rows if row["outcome"] == "registered"]
        assert len(set(numbers)) == len(numbers) == _one(database, "SELECT count(*) FROM reg.buildings")
        assert all(number.startswith("9") and numbering.is_valid(number) for number in numbers)
        _, again = _import(file, tmp_path / "second.csv", *TRIAL)
        assert _outcomes(again) == outcomes - Counter(registered=ways) + Counter(unchanged=outcomes["registered"])
        assert [row["building_no"] for row in again if row["outcome"] == "unchanged"] == numbers

    def test_without_a_division_another_city_is_refused_row_by_row(
        self, database: str, test_data: Path, tmp_path: Path
    ) -> None:
        code, rows = _import(test_data / "buildings" / "monaco2021.osm.pbf", tmp_path / "out.csv")
        assert code == cli.SOME_NEED_A_PERSON
        assert {row["reason"] for row in rows} == {"outside_divisions", "not_residential"}
        assert _one(database, "SELECT count(*) FROM reg.batch_rows") == len(rows) == 1_207

    @pytest.mark.usefixtures("database")
    def test_no_invalid_file_ends_in_a_fault(
        self, test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        files = sorted((test_data / "invalid").rglob("*.geojson"))
        assert len(files) > 70
        for file in files:
            code = cli.answer(["import", "buildings", str(file), "--out", str(tmp_path / "out.csv"), *TRIAL])
            told = capsys.readouterr().err
            assert code in {cli.DONE, cli.SOME_NEED_A_PERSON, cli.REFUSED}
            assert len(told.splitlines()) == (code == cli.REFUSED), file
            assert "fault" not in told
            assert "database" not in told


def _be_interrupted_between_command_and_answer() -> None:
    with session.open("owner") as connection:
        connection.execute(text("LOCK TABLE reg.buildings IN ACCESS EXCLUSIVE MODE"))
        session.driver(connection).pgconn.send_query(b"SELECT pg_sleep(600)")
        raise KeyboardInterrupt


class TestFaults:
    def _caught(self, url: str, file: Path, *options: str) -> tuple[subprocess.Popen[str], int]:
        """Return an import that is writing buildings this moment, and its server process."""
        process = subprocess.Popen(_command(file, *options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        question = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'COPY%buildings%'"
        with psycopg.connect(url, autocommit=True) as connection:
            for _ in range(6000):
                found = connection.execute(question.encode()).fetchone()
                if found:
                    return process, int(found[0])
                time.sleep(0.005)
        pytest.fail("the import was never seen writing")

    @pytest.mark.parametrize("fault", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
    def test_an_import_stopped_half_way_leaves_nothing_behind(
        self, database: str, many: Path, tmp_path: Path, fault: signal.Signals
    ) -> None:
        process, server = self._caught(database, many, "--out", str(tmp_path / "out.csv"), *TRIAL)
        process.send_signal(fault)
        _, told = process.communicate(timeout=60)
        assert process.returncode == (cli.REFUSED if fault == signal.SIGINT else -fault)
        assert told.strip() == ("menpai: stopped; nothing half-done stays behind." if fault == signal.SIGINT else "")
        while _one(database, f"SELECT count(*) FROM pg_stat_activity WHERE pid = {server}"):  # noqa: S608 - a number
            time.sleep(0.02)
        assert _holds_nothing(database)
        assert sorted(tmp_path.iterdir()) == [many]

    @pytest.mark.usefixtures("database")
    def test_a_connection_interrupted_between_command_and_answer_is_dropped_quietly(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        with pytest.raises(KeyboardInterrupt):
            _be_interrupted_between_command_and_answer()
        assert not caplog.records
        with session.open("owner") as connection:  # the lock went with it
            connection.execute(text("SET LOCAL lock_timeout = '10s'"))
            assert not connection.scalar(text("SELECT count(*) FROM reg.buildings"))

    def test_a_connection_lost_half_way_is_told_in_one_line(self, database: str, many: Path) -> None:
        process, server = self._caught(database, many, *TRIAL)
        _one(database, f"SELECT pg_terminate_backend({server})")  # as a restarted server does
        _, told = process.communicate(timeout=60)
        assert (process.returncode, len(told.splitlines())) == (cli.REFUSED, 1)
        assert "fault" not in told
        assert _holds_nothing(database)
        assert cli.answer(["import", "buildings", str(many), *TRIAL]) == cli.DONE

    def test_two_imports_of_one_file_at_once_register_each_building_once(self, database: str, many: Path) -> None:
        both = [subprocess.Popen(_command(many, *TRIAL), stdout=subprocess.PIPE, text=True) for _ in range(2)]
        told = sorted(process.communicate(timeout=120)[0].split(" · 待核")[0] for process in both)
        assert told == [
            f"已登记 0 registered · 无变化 {MANY:,} unchanged",
            f"已登记 {MANY:,} registered · 无变化 0 unchanged",
        ]
        assert _one(database, "SELECT count(*) FROM reg.buildings") == MANY
        assert _one(database, "SELECT next_serial FROM reg.number_serials") == MANY + 1

    def test_a_disk_that_is_full_takes_the_import_back(self, database: str, many: Path, tmp_path: Path) -> None:
        def little_room() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

        out = tmp_path / "out.csv"
        done = subprocess.run(
            _command(many, "--out", str(out), *TRIAL),
            capture_output=True, text=True, check=False, preexec_fn=little_room,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (cli.REFUSED, f"menpai: {out} cannot be written: File too large.\n")
        assert _holds_nothing(database)
        assert sorted(tmp_path.iterdir()) == [many]


class TestResultFile:
    @pytest.mark.parametrize(
        "place",
        [
            lambda folder: folder,
            lambda folder: folder / "missing" / "out.csv",
            lambda folder: folder / "few.csv",
            lambda folder: folder / "few.csv" / "out.csv",
            lambda _: Path("/dev/full"),
            lambda _: Path("/proc/out.csv"),
        ],
    )
    def test_a_result_that_cannot_be_written_is_told_before_the_work(
        self, database: str, few: Path, capsys: pytest.CaptureFixture[str], place: Callable[[Path], Path]
    ) -> None:
        before = few.read_text()
        assert cli.answer(["import", "buildings", str(few), "--out", str(place(few.parent)), *TRIAL]) == cli.REFUSED
        assert len(capsys.readouterr().err.splitlines()) == 1
        assert _holds_nothing(database)
        assert few.read_text() == before

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_closed_folder_is_told_before_the_work(self, database: str, few: Path, tmp_path: Path) -> None:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o500)
        assert cli.answer(["import", "buildings", str(few), "--out", str(closed / "out.csv"), *TRIAL]) == cli.REFUSED
        assert _holds_nothing(database)

    @pytest.mark.usefixtures("database")
    def test_codes_that_a_spreadsheet_would_run_are_defused_and_numbers_stay(self, few: Path, tmp_path: Path) -> None:
        code, rows = _import(few, tmp_path / "out.csv", *TRIAL)
        assert (code, [row["source_id"] for row in rows]) == (cli.DONE, ["'=1+1", "b", "-5"])
        assert list(rows[0]) == ["row", "source_id", "outcome", "building_no", "reason", "detail"]

    @pytest.mark.usefixtures("database")
    def test_a_link_stays_a_link_to_the_new_result(self, few: Path, tmp_path: Path) -> None:
        (tmp_path / "real.csv").write_text("old")
        (tmp_path / "link.csv").symlink_to("real.csv")
        _import(few, tmp_path / "link.csv", *TRIAL)
        assert (tmp_path / "link.csv").is_symlink()
        assert (tmp_path / "real.csv").read_text().startswith("row,source_id")

    def test_a_dry_run_tells_everything_and_keeps_nothing(
        self, database: str, few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, rows = _import(few, tmp_path / "out.csv", "--dry-run", *TRIAL)
        assert (code, [row["building_no"] for row in rows]) == (cli.DONE, [""] * 3)
        assert "nothing kept" in capsys.readouterr().out
        assert _holds_nothing(database)

    def test_a_file_named_in_gbk_comes_in(self, database: str, few: Path, tmp_path: Path) -> None:
        file = Path(os.fsdecode(os.fsencode(few.parent) + b"/" + "银川.csv".encode("gbk")))
        few.rename(file)
        assert _import(file, tmp_path / "out.csv", *TRIAL)[0] == cli.DONE
        assert _one(database, "SELECT file_name FROM reg.batches") == "\\xd2\\xf8\\xb4\\xa8.csv"
