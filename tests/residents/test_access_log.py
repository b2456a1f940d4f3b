"""The access log is sealed in the order of transactions, and whoever holds a head of it finds what was done to it."""

from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from api import cli
from gis.errors import NotAllowed
from gis.residents import access_log, keys
from gis.residents.access_log import Head
from gis.store import session
from tests.residents import tampering
from tests.residents.tampering import SIGNER, fill, write

pytestmark = pytest.mark.usefixtures("database")


def test_a_log_that_nobody_touched_is_intact_and_says_what_no_head_holds() -> None:
    head = fill(60)
    found = access_log.verify(head)
    assert (found.faults, found.positions, found.after, found.unsealed) == ([], 65, 5, 3)


def test_a_hundred_tamperings_with_the_owner_s_password_are_found_by_whoever_holds_the_head() -> None:
    head = fill(40)
    with session.connect() as connection:
        assert access_log.check(connection, head).faults == []
        missed = [seed for seed in range(100) if tampering.attack(connection, head, seed) is None]
        assert access_log.check(connection, head).faults == []
    assert missed == [], missed


def test_records_wait_for_every_transaction_that_began_before_theirs(database: str) -> None:
    with psycopg.connect(database) as slow:
        slow.execute(
            "INSERT INTO reg.access_records (actor, purpose, act, fields) VALUES ('slow', 'move', 'open', '{}')"
        )
        write(4)
        assert (access_log.seal(SIGNER).position, access_log.seal(SIGNER).waiting) == (0, 4)
        slow.commit()
    head = access_log.seal(SIGNER)
    assert (head.position, head.waiting) == (5, 0)
    with session.open("sealer") as connection:
        rows = connection.execute(
            text(
                "SELECT actor FROM reg.access_leaves l JOIN reg.access_records r ON r.id = record_id ORDER BY position"
            )
        )
        assert rows.scalars().first() == "slow"


def test_records_of_another_server_s_transactions_are_sealed_after_a_restore(database: str) -> None:
    write(2)
    access_log.seal(SIGNER)
    with psycopg.connect(database) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE reg.access_heads SET epoch = 7")
        connection.execute(
            "INSERT INTO reg.access_records (actor, purpose, act, fields, xid, epoch)"
            " VALUES ('elsewhere', 'move', 'open', '{}', '9999999999999', 7)"
        )
    write(1)
    assert access_log.seal(SIGNER).position == 4


def test_a_person_can_be_erased_from_the_log_and_nothing_else_can(database: str) -> None:
    write(10)
    head = access_log.seal(SIGNER)
    with psycopg.connect(database) as connection:
        with pytest.raises(psycopg.errors.RestrictViolation), connection.transaction():
            connection.execute("UPDATE reg.access_records SET person_id = 5")
        connection.execute("UPDATE reg.access_records SET person_id = NULL WHERE id = 2")
        connection.execute("DELETE FROM reg.access_salts WHERE record_id = 2")
        connection.commit()
        assert access_log.verify(head).count == 1
        connection.execute(
            "INSERT INTO reg.erasures (actor, ended_by, persons, residencies, declarations, roster_rows, accesses)"
            " VALUES ('office', '2026-01-01', 1, 1, 0, 0, 1)"
        )
    found = access_log.verify(head)
    assert (found.faults, found.erased) == ([], 1)


@pytest.mark.parametrize("table", ["access_leaves", "access_heads"])
def test_chain_and_heads_are_only_appended_to(table: str, database: str) -> None:
    fill(6)
    with psycopg.connect(database) as connection, pytest.raises(psycopg.errors.RestrictViolation):
        connection.execute(f"DELETE FROM reg.{table}".encode())  # noqa: S608 - one of two names


def test_a_head_is_read_only_as_it_was_signed() -> None:
    head = fill(6)
    assert Head.read(head.written()) == head
    for old, new in ((b'"position": 6', b'"position": 5'), (b'"waiting"', b'"others"'), (b"{", b"[")):
        with pytest.raises(ValueError, match=r"."):
            Head.read(head.written().replace(old, new, 1))


def test_the_commands_seal_export_and_verify(
    tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MENPAI_KEY_FILE", str(tmp_path / "keys" / "master.key"))
    keys.init()
    write(3)
    out = tmp_path / "head.json"
    assert cli.answer(["log", "head", "--out", str(out)]) == 0
    write(2)
    assert cli.answer(["log", "verify", "--head", str(out)]) == 0
    assert "2 records came after that head: they are unprotected" in capsys.readouterr().out
    assert cli.answer(["log", "verify"]) == 0
    assert "whoever owns the database could have written all of it anew" in capsys.readouterr().out
    with psycopg.connect(database) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM reg.access_records WHERE id = 2")
    assert cli.answer(["log", "verify", "--head", str(out)]) == 2
    assert "record 2, position 2, is gone" in capsys.readouterr().err


def test_an_auditor_sees_who_looked_in_their_divisions_and_never_at_whom(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(database) as connection:
        for name, role, division in (
            ("actor 1", "registrar", 640106_000000),
            ("actor 2", "registrar", 640402_000000),
            ("jinfeng auditor", "auditor", 640106_000000),
        ):
            connection.execute("INSERT INTO reg.accounts (name) VALUES (%s)", (name,))
            connection.execute(
                "INSERT INTO reg.account_grants (account_id, role, division_code)"
                " SELECT id, %s, %s FROM reg.accounts WHERE name = %s",
                (role, division, name),
            )
    write(20)
    assert {row.actor for row in access_log.find_records("jinfeng auditor")} == {"actor 1"}
    assert cli.answer(["log", "show", "--as", "jinfeng auditor"]) == 0
    assert "actor 1\tmove\topen\tname" in capsys.readouterr().out
    with pytest.raises(NotAllowed):
        access_log.find_records("actor 1")
