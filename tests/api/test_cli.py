"""The command line: exit codes, one line when it refuses, and RESULT files that a spreadsheet cannot be fooled with."""

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from api import accounts, cli
from api.commands import results
from gis import numbering
from gis.terms import Reason, Role

NUMBER = numbering.issue(1, "test")
HEADER = "source_id,kind,standard_address,lon,lat\n"

Menpai = Callable[..., SimpleNamespace]


@pytest.fixture
def menpai(capfd: pytest.CaptureFixture[str]) -> Menpai:
    """Return a function that runs a command line in this process and tells code, output and complaint."""

    def run(*words: str | Path) -> SimpleNamespace:
        capfd.readouterr()
        code = cli.answer([str(word) for word in words])
        said = capfd.readouterr()
        return SimpleNamespace(code=code, out=said.out, err=said.err)

    return run


def buildings(folder: Path, *rows: str, name: str = "houses.csv") -> Path:
    """Write a file of buildings."""
    file = folder / name
    file.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return file


def lines_of(file: Path) -> list[dict[str, str]]:
    """Read a RESULT file."""
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nonsense"],
        ["number"],
        ["number", "check"],
        ["number", "check", "--colour"],
        ["import", "buildings"],
        ["import", "buildings", "x.csv", "--kind", "castle"],
        ["map", "density", "out.docx"],
        ["serve", "--port", "99999"],
        ["release", "--date", "yesterday"],
        ["account", "grant", "a", "king", "640000"],
    ],
)
def test_what_it_does_not_understand_is_refused_in_one_line(menpai: Menpai, words: list[str]) -> None:
    told = menpai(*words)
    assert told.code == 2
    assert told.out == ""
    assert told.err.startswith("menpai: ")
    assert told.err.count("\n") == 1


@pytest.mark.parametrize(
    "words", [["--help"], ["import", "--help"], ["import", "buildings", "--help"], ["account", "--help"]]
)
def test_help_is_no_refusal(menpai: Menpai, words: list[str]) -> None:
    told = menpai(*words, "--help")
    assert told.code == 0
    assert "Usage" in told.out


def test_every_command_is_there_and_has_help(menpai: Menpai) -> None:
    def walk(table: dict[str, tuple[object, str]], *before: str) -> None:
        for name, (place, summary) in table.items():
            assert summary.endswith(".")
            if isinstance(place, dict):
                walk(place, *before, name)
            else:
                assert menpai(*before, name, "--help").code == 0, (*before, name)

    walk(dict(cli.COMMANDS))


def test_a_number_is_shown_in_groups_and_checked(menpai: Menpai) -> None:
    shown = menpai("number", "show", NUMBER)
    assert (shown.code, shown.out.strip()) == (0, numbering.show(NUMBER))
    assert menpai("number", "check", NUMBER, numbering.show(NUMBER)).code == 0
    wrong = str(int(NUMBER) + 1)
    told = menpai("number", "check", NUMBER, wrong)
    assert told.code == 2
    assert wrong in told.err
    assert NUMBER not in told.err
    assert menpai("number", "show", wrong).code == 2


def test_checking_a_number_waits_for_no_database_and_no_frames() -> None:
    script = (
        "import sys; from api import cli; code = cli.answer(['number', 'check', sys.argv[1]]);"
        "heavy = {'pandas', 'geopandas', 'sqlalchemy', 'fastapi', 'pyarrow', 'shapely'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else code)"
    )
    done = subprocess.run([sys.executable, "-c", script, NUMBER], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_importing_csv_loads_no_frames_and_no_web_server() -> None:
    script = (
        "import sys; import api.commands.structures;"
        "sys.exit(','.join({'pandas', 'geopandas', 'fastapi', 'uvicorn', 'folium'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_good_rows_are_registered_and_the_exit_code_is_0(database: str, menpai: Menpai, tmp_path: Path) -> None:
    assert database
    file = buildings(tmp_path, "a,residential,兴庆区甲路1号,106.27,38.47", "b,residential,兴庆区甲路2号,106.28,38.47")
    told = menpai("import", "buildings", file, "--out", tmp_path / "result.csv")
    assert told.code == 0, told.err
    assert "2 registered" in told.out
    assert "已登记 2" in told.out
    assert told.out.count("\n") == 1
    rows = lines_of(tmp_path / "result.csv")
    assert [row["source_id"] for row in rows] == ["a", "b"]
    assert all(numbering.is_valid(row["building_no"]) for row in rows)
    again = menpai("import", "buildings", file)
    assert again.code == 0
    assert "2 unchanged" in again.out


def test_rows_that_need_a_person_make_it_1_and_each_has_its_line(database: str, menpai: Menpai, tmp_path: Path) -> None:
    assert database
    file = buildings(tmp_path, "a,residential,,106.27,38.47", "b,castle,,106.28,38.47", "c,residential,,9.5,47.1")
    told = menpai("import", "buildings", file, "--out", tmp_path / "result.csv")
    assert told.code == 1
    rows = lines_of(tmp_path / "result.csv")
    assert [row["outcome"] for row in rows] == ["registered", "refused", "refused"]
    assert rows[1]["reason"] == "not_residential"
    assert all(row["reason"] in {"", *Reason} for row in rows)


def test_a_dry_run_keeps_nothing(database: str, menpai: Menpai, tmp_path: Path) -> None:
    file = buildings(tmp_path, "a,residential,,106.27,38.47")
    told = menpai("import", "buildings", file, "--dry-run", "--out", tmp_path / "result.csv")
    assert told.code == 0
    assert "dry run" in told.out
    assert len(lines_of(tmp_path / "result.csv")) == 1
    with psycopg.connect(database) as connection:
        for table in ("buildings", "batches", "sources"):
            assert connection.execute(f"SELECT count(*) FROM reg.{table}").fetchone() == (0,)  # noqa: S608


def test_a_file_that_is_not_there_or_not_what_it_says_is_refused(database: str, menpai: Menpai, tmp_path: Path) -> None:
    assert database
    (tmp_path / "broken.geojson").write_text("{", encoding="utf-8")
    (tmp_path / "broken.gpkg").write_bytes(b"\0" * 100)
    (tmp_path / "plain.txt").write_text("a", encoding="utf-8")
    for name in ("missing.csv", "broken.geojson", "broken.gpkg", "plain.txt"):
        told = menpai("import", "buildings", tmp_path / name)
        assert told.code == 2, name
        assert told.err.count("\n") == 1, told.err
        assert name in told.err
    for kind in ("divisions", "boundaries"):
        assert menpai("import", kind, tmp_path / "missing.csv").code == 2


def test_a_result_that_cannot_be_written_is_refused_before_anything_is_imported(
    database: str, menpai: Menpai, tmp_path: Path
) -> None:
    file = buildings(tmp_path, "a,residential,,106.27,38.47")
    assert menpai("import", "buildings", file, "--out", tmp_path / "no" / "where.csv").code == 2
    assert menpai("import", "buildings", file, "--out", tmp_path).code == 2
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM reg.buildings").fetchone() == (0,)


def test_a_result_replaces_the_older_one_whole(database: str, menpai: Menpai, tmp_path: Path) -> None:
    assert database
    out = tmp_path / "result.csv"
    out.write_text("x" * 10_000, encoding="utf-8")
    menpai("import", "buildings", buildings(tmp_path, "a,residential,,106.27,38.47"), "--out", out)
    assert len(lines_of(out)) == 1
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1+1", "'+1+1"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-17", "-17"),
        ("way/25208578", "way/25208578"),
        ("甲", "甲"),
        ('a"b', 'a"b'),
    ],
)
def test_no_code_of_a_source_becomes_a_formula(
    database: str, menpai: Menpai, tmp_path: Path, word: str, written: str
) -> None:
    assert database
    quoted = word.replace('"', '""')
    file = buildings(tmp_path, f'"{quoted}",residential,,106.27,38.47')
    menpai("import", "buildings", file, "--out", tmp_path / "result.csv")
    assert lines_of(tmp_path / "result.csv")[0]["source_id"] == written


def test_a_database_that_is_down_is_one_line(menpai: Menpai, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MENPAI_DATABASE_URL", "postgresql:///menpai?host=/nowhere/at/all")
    for words in (
        ["status"],
        ["doctor"],
        ["serve"],
        ["account", "list"],
        ["release"],
        ["map", "density", tmp_path / "a.html"],
    ):
        told = menpai(*words)
        assert told.code == 2, words
        assert told.err.count("\n") == 1, told.err
        assert "Traceback" not in told.err


def test_a_fault_of_our_own_is_one_line_without_what_it_held(menpai: Menpai, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall_over(_: str) -> bool:
        message = "张三 640104189001010011"
        raise KeyError(message)

    monkeypatch.setattr(numbering, "is_valid", fall_over)
    told = menpai("number", "check", NUMBER)
    assert told.code == 2
    assert "KeyError" in told.err
    assert "640104" not in told.err


def test_interrupted_it_says_so_in_one_line(menpai: Menpai, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: str) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(numbering, "is_valid", interrupt)
    told = menpai("number", "check", NUMBER)
    assert told.code == 2
    assert "stopped" in told.err


def test_a_roster_needs_actor_and_purpose(database: str, menpai: Menpai, tmp_path: Path) -> None:
    assert database
    roster = tmp_path / "roster.csv"
    roster.write_text("occupant_id,address\n1,兴庆区甲路1号\n", encoding="utf-8")
    for words in ([], ["--as", "甲"], ["--purpose", "roster_review"], ["--as", "甲", "--purpose", "curiosity"]):
        told = menpai("import", "roster", roster, *words)
        assert told.code == 2
        assert "--purpose" in told.err
    told = menpai("import", "roster", roster, "--as", "nobody", "--purpose", "roster_review")
    assert told.code == 2, "who has no role as registrar may not"


def test_a_roster_by_a_registrar_answers_by_occupant_id(
    database: str, menpai: Menpai, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database
    menpai("keys", "init")
    accounts.add("登记员甲")
    accounts.grant("登记员甲", Role.REGISTRAR, "640000")
    houses = buildings(tmp_path, "a,residential,宁夏银川市兴庆区甲路1号,106.27,38.47")
    assert menpai("import", "buildings", houses).code == 0
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "occupant_id,address,name,colour\n=1,宁夏银川市兴庆区甲路1号,张三,red\n2,兴庆区无此路9号,李四,blue\n",
        encoding="utf-8",
    )
    bearer = accounts.mint("登记员甲")
    monkeypatch.setenv("MENPAI_TOKEN", bearer.token)
    told = menpai("import", "roster", roster, "--purpose", "roster_review", "--out", tmp_path / "result.csv")
    assert told.code == 1, told.err
    assert "colour" in told.err, "columns that are ignored are named once"
    written = (tmp_path / "result.csv").read_text(encoding="utf-8")
    assert "张三" not in written
    assert "李四" not in written
    assert len(lines_of(tmp_path / "result.csv")) == 2
    monkeypatch.setenv("MENPAI_TOKEN", "made up")
    assert menpai("import", "roster", roster, "--purpose", "roster_review").code == 2


def test_accounts_from_the_command_line(database: str, menpai: Menpai) -> None:
    assert database
    made = menpai("account", "add", "王工", "--role", "planner", "--division", "640104")
    assert made.code == 0
    token = made.out.strip().rpartition("#")[2]
    assert accounts.caller_of(accounts.redeem_link(token).token).name == "王工"
    assert menpai("account", "grant", "王工", "registrar", "640104", "--until", "2099-01-01").code == 0
    listed = menpai("account", "list").out
    assert "planner 640104000000" in listed
    assert "until 2099-01-01" in listed
    assert menpai("account", "disable", "王工").code == 0
    assert "disabled" in menpai("account", "list").out
    assert menpai("account", "link", "王工").code == 2


def test_what_is_written_to_a_closed_pipe_is_no_fault(database: str) -> None:
    assert database
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -P -m api.cli --help | head -c 1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr


def test_a_reader_who_leaves_is_no_row_that_needs_a_person() -> None:
    shown = f"exec 3> >(exec true); sleep 1; {sys.executable} -P -m api.cli --help >&3"
    done = subprocess.run(["bash", "-c", shown], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_address_of_a_database_that_is_none_is_told_without_it(
    menpai: Menpai, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENPAI_DATABASE_URL", "garbage:geheim")
    run = menpai("status")
    assert run.code == 2
    assert "MENPAI_DATABASE_URL is no address" in run.err
    assert "geheim" not in run.err


def test_guarding_leaves_numbers_alone() -> None:
    assert results.guarded.__doc__
    pa = pytest.importorskip("pyarrow")
    assert results.guarded(pa.chunked_array([[-1, 2]])) == [-1, 2]
