"""A residency that has been over for long enough is erased, nothing else is, and nothing brings it back."""

import datetime as dt
import time
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from gis import settings
from gis.errors import CountsNotReleased, PersonErased
from gis.planning import disclosure
from gis.register.acts import today
from gis.residents import deciding, declarations, retention
from gis.residents.declarations import Declarer, Statement
from gis.residents.identities import unseal
from gis.residents.keys import KeyStore
from gis.residents.residencies import Dwelling
from gis.residents.rosters import import_roster
from gis.store import cluster
from gis.terms import DeclarationKind, DocumentType

Person = Callable[[int], dict[str, str]]
Rows = Callable[..., pa.Table]


def counted(database: str) -> dict[str, int]:
    """Return how many rows each table of people has."""
    tables = ("persons", "residencies", "declarations", "roster_rows", "residency_reviews", "erasures")
    with psycopg.connect(database) as connection:
        found = {
            table: connection.execute(sql.SQL("SELECT count(*) FROM reg.{}").format(sql.Identifier(table))).fetchone()
            for table in tables
        }
    return {table: row[0] for table, row in found.items() if row}


@pytest.fixture
def three(office: str, made_roster: Rows, a_person: Person) -> int:
    """Register one who left long ago, one who left lately, and one who lives there; a fourth row waits."""
    rows = made_roster(
        a_person(1) | {"from_date": "2020-01-01", "until_date": "2021-06-30"},
        a_person(2) | {"from_date": "2025-01-01", "until_date": "2026-06-30"},
        a_person(3),
        a_person(4) | {"address": "无名路1号"},
    )
    result = import_roster(rows, source="名册", file_name="r.csv", actor=office, purpose="roster_review")
    assert (result.registered, result.queued) == (3, 1)
    disclosure.release(today() - dt.timedelta(days=60))
    return 3


def test_what_ended_over_two_years_ago_goes_with_its_person_and_key(
    three: int, database: str, keys_made: KeyStore
) -> None:
    assert three
    due = retention.erase("office", dry_run=True)
    assert (due.persons, due.residencies, due.roster_rows, due.keys) == (1, 1, 0, 1)
    assert counted(database)["persons"] == 3
    assert retention.erase("office") == due
    assert counted(database) == {
        "persons": 2,
        "residencies": 2,
        "declarations": 0,
        "roster_rows": 1,
        "residency_reviews": 0,
        "erasures": 1,
    }
    assert keys_made.count() == 3
    assert retention.erase("office").persons == 0


def test_waiting_rows_go_when_their_batch_expires(three: int, database: str) -> None:
    assert three
    assert retention.erase("office", on=today() + dt.timedelta(days=91)).roster_rows == 1
    assert counted(database)["roster_rows"] == 0


def test_the_office_may_keep_them_longer(three: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert three
    monkeypatch.setenv("MENPAI_RETENTION_DAYS", "3650")
    assert retention.erase("office", dry_run=True).persons == 0


def test_nothing_is_erased_before_its_counts_are_released(office: str, made_roster: Rows, a_person: Person) -> None:
    rows = made_roster(a_person(1) | {"from_date": "2020-01-01", "until_date": "2021-06-30"})
    import_roster(rows, source="名册", file_name="r.csv", actor=office, purpose="roster_review")
    with pytest.raises(CountsNotReleased):
        retention.erase(office)


def test_versions_go_with_the_residency_and_a_declaration_with_the_person(office: str, database: str) -> None:
    with psycopg.connect(database) as connection:
        [(yard,)] = connection.execute(
            "SELECT building_number FROM reg.external_references WHERE code = 'yard'"
        ).fetchall()
    who = Declarer("测试员", DocumentType.PASSPORT, "X0000001", birth_date=dt.date(1890, 1, 1), hukou_code="640402")
    for kind, since, until in (
        (DeclarationKind.ARRIVAL, today() - dt.timedelta(days=9), None),
        (DeclarationKind.DEPARTURE, None, today() - dt.timedelta(days=1)),
    ):
        told = Statement(kind, who, uuid.uuid4(), Dwelling(yard, 1), since, until)
        deciding.register(declarations.take(told, office).declaration, office)
    disclosure.release(today())
    assert counted(database)["residencies"] == 2
    early = retention.erase(office, on=today() + dt.timedelta(days=700))
    assert (early.persons, early.residencies, early.declarations) == (0, 0, 2)
    erased = retention.erase(office, on=today() + dt.timedelta(days=730))
    assert (erased.persons, erased.residencies) == (1, 2)


def test_keys_that_no_row_needs_are_destroyed_once_they_are_old(
    three: int, keys_made: KeyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert three
    keys_made.make(1)
    with monkeypatch.context() as past:
        then = time.time() - 10 * 86_400
        past.setattr("gis.residents.keys.time.time", lambda: then)
        keys_made.make(5)
    assert retention.erase("office").keys == 1 + 5
    assert keys_made.count() == 3 + 1


def test_a_person_erased_opens_from_no_older_backup(three: int, database: str, keys_made: KeyStore) -> None:
    assert three
    running = cluster.find(settings.read().var)
    if running is None:
        pytest.skip("the server is not our own: its dumps are its administrator's")
    dump = running.tool("pg_dump", "--data-only", "--table=reg.persons", str(make_url(database).database))
    retention.erase("office")
    opened: list[Any] = []
    for line in dump.splitlines():
        cells = line.split("\t")
        if len(cells) == 7 and cells[2].startswith("\\\\x"):
            try:
                opened.append(unseal(bytes.fromhex(cells[2][3:]), uuid.UUID(cells[1]).bytes, keys_made).name)
            except PersonErased:
                opened.append(None)
    assert sorted(opened, key=str) == [None, "测试员00002", "测试员00003"]
