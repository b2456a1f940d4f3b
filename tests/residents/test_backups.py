"""A backup tells nobody's name, comes back whole into an empty register, and brings nobody back who was erased."""

import base64
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from psycopg import sql

from api import cli
from gis import settings
from gis.errors import BadArgument, FileNotReadable, PersonErased
from gis.residents import key_files
from gis.residents.identities import unseal
from gis.residents.keys import KeyStore
from gis.residents.rosters import import_roster
from gis.store import backups, programs

Person = Callable[[int], dict[str, str]]
Rows = Callable[..., pa.Table]


def rows_of(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode()).fetchall()


def emptied(url: str) -> None:
    """Take every row out of the register, past what keeps them."""
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        tables = connection.execute("SELECT schemaname, tablename FROM pg_tables WHERE schemaname = 'reg'").fetchall()
        named = sql.SQL(", ").join(sql.Identifier(*table) for table in tables if table[1] != "alembic_version")
        connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(named))


def forms(text: str) -> Iterator[bytes]:
    """Yield how a text could lie in a dump: in three encodings, each plain, as hexadecimal digits and as base64."""
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "gb18030"):
        raw = text.encode(encoding)
        yield raw
        yield raw.hex().encode()
        yield raw.hex().upper().encode()
        for shift in range(3):  # base64 looks otherwise at each place of a group of three
            yield base64.b64encode(bytes(shift) + raw)[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]


def plain(path: Path) -> bytes:
    """Return a backup as the SQL that it stands for."""
    pg_restore = programs.fitting(settings.read().var)
    command = [str(pg_restore.bin_dir / "pg_restore"), "--file=-", str(path)]
    return subprocess.run(command, env=pg_restore.environment(), capture_output=True, check=True).stdout


@pytest.fixture
def people(office: str, made_roster: Rows, a_person: Person) -> list[dict[str, str]]:
    """Register eighteen people, and let two wait, one of them with a wrong document."""
    people = [a_person(number) | {"birth_date": f"1880-{number // 500 + 1:02d}-01"} for number in range(20)]
    people[3]["address"] = "无名路3号"
    people[4]["id_number"] = people[4]["id_number"][:-1] + "?"
    done = import_roster(made_roster(*people), source="名册", file_name="r.csv", actor=office)
    assert (done.registered, done.queued) == (18, 2)
    return people


def test_nothing_the_database_holds_reveals_a_name_a_number_or_a_birth_date(
    people: list[dict[str, str]], tmp_path: Path
) -> None:
    path = tmp_path / "register.dump"
    assert backups.backup(path) == path.stat().st_size
    assert path.stat().st_mode & 0o077 == 0
    dump = plain(path)
    assert b"P00003" in dump
    assert "园林村".encode() in dump
    told = {
        form
        for person in people
        for column in ("name", "id_number", "birth_date")
        for form in forms(person[column])
        if form in dump
    }
    assert told == set()


def test_the_search_would_find_what_it_looks_for() -> None:
    for before in ("", "甲", "a", "ab"):
        encoded = base64.b64encode(f"{before}测试员00001号".encode())
        assert any(form in encoded for form in forms("测试员00001"))


def test_a_backup_comes_back_whole_and_nobody_who_was_erased(
    people: list[dict[str, str]],
    database: str,
    keys_made: KeyStore,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "register.dump"
    assert people
    assert cli.answer(["backup", str(path)]) == 0
    held = "SELECT count(*), count(DISTINCT person_id), min(category) FROM reg.residencies"
    before = rows_of(database, held)
    (first, _), (second, _) = sealed = rows_of(database, "SELECT key_id, envelope FROM reg.persons ORDER BY id LIMIT 2")
    keys_made.destroy([first.bytes])
    with pytest.raises(BadArgument, match="not empty"):
        backups.restore(path)
    emptied(database)
    capfd.readouterr()
    assert cli.answer(["restore", str(path)]) == 1, "a key is missing"
    said = capfd.readouterr().err
    assert "1 of 18 people" in said
    assert said.count("\n") == 1
    assert rows_of(database, held) == before
    assert rows_of(database, "SELECT key_id, envelope FROM reg.persons ORDER BY id LIMIT 2") == sealed
    assert unseal(sealed[1][1], second.bytes, keys_made).name
    with pytest.raises(PersonErased):
        unseal(sealed[0][1], first.bytes, keys_made)
    settings.read().key_file.unlink()
    assert key_files.count_missing() == (18, 18)


def test_a_file_that_is_no_backup_is_refused_before_anything_is_touched(database: str, tmp_path: Path) -> None:
    assert database
    for path in (tmp_path / "none", tmp_path / "text"):
        if path.name == "text":
            path.write_text("SELECT 1")
        with pytest.raises(FileNotReadable):
            backups.restore(path)
    with pytest.raises(BadArgument, match="already"):
        backups.backup(tmp_path / "text")
