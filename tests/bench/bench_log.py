"""The access log at full size: 1,000 tamperings, audited reads a second, and what row security costs."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from gis.residents import access_log, accesses
from gis.store import session
from tests.residents import tampering

PEOPLE = 20_000
READ = "SELECT key_id, envelope FROM reg.persons WHERE id = :id"
EXPLICIT = """
    SELECT key_id, envelope FROM reg.persons p WHERE p.id = :id AND EXISTS (
        SELECT FROM reg.residencies r WHERE r.person_id = p.id AND r.recorded_until IS NULL
            AND r.division_code <@ (SELECT calc.jurisdiction()))
"""
PLAIN = """
    SELECT key_id, envelope FROM reg.persons p WHERE p.id = :id AND EXISTS (
        SELECT FROM reg.residencies r WHERE r.person_id = p.id AND r.recorded_until IS NULL
            AND r.division_code >= 640000000000 AND r.division_code < 650000000000)
"""


@pytest.fixture
def people(database: str) -> str:
    """Fill the register with invented rows that nobody can open, and a registrar."""
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO reg.accounts (name) VALUES ('desk')")
        connection.execute(
            "INSERT INTO reg.account_grants (account_id, role, division_code)"
            " SELECT id, 'registrar', 640000000000 FROM reg.accounts"
        )
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "INSERT INTO reg.persons (key_id, envelope) SELECT gen_random_uuid(), decode(repeat('00', 200), 'hex')"
            " FROM generate_series(1, %s)",
            (PEOPLE,),
        )
        connection.execute(
            "INSERT INTO reg.residencies (person_id, building_number, dwelling_sequence, division_code, during,"
            " category, category_reason, basis) SELECT id, 153273413646, 1, 640106001000, '[2026-01-01,)', 'floating',"
            " 'other_county', 'declaration' FROM reg.persons"
        )
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE reg.persons")
        connection.execute("VACUUM ANALYZE reg.residencies")
    return database


def test_a_thousand_tamperings_are_all_found(database: str) -> None:
    assert database
    head = tampering.fill(120)
    with session.connect() as connection:
        done = [tampering.attack(connection, head, seed) for seed in range(1_000, 2_000)]
    print(f"\ntamperings found: {sum(each is not None for each in done)} of {len(done)}, {len(set(done))} ways")
    assert None not in done


def audited(first: int, many: int) -> None:
    """Open persons one by one, each with its record, each committed."""
    for number in range(first, first + many):
        person = number * 7919 % PEOPLE + 1
        with session.open("registrar", actor="desk", purpose="move") as connection:
            assert connection.execute(text(READ), {"id": person}).first() is not None
            accesses.record(connection, "open", person, ["name", "id_number"])


def test_audited_reads(people: str) -> None:
    assert people
    with ThreadPoolExecutor(8) as desks:
        list(desks.map(lambda n: audited(n, 20), range(8)))
        start = time.perf_counter()
        list(desks.map(lambda n: audited(n * 10_000, 750), range(8)))
        took_s = time.perf_counter() - start
    print(f"\naudited reads, one process, 8 connections: {6_000 / took_s:,.0f} a second")
    code = (
        "import sys; from tests.bench import bench_log as b; b.audited(1, 20); sys.stdin.readline();"
        " b.audited(int(sys.argv[1]), 1500)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    workers = [
        subprocess.Popen([sys.executable, "-c", code, str(n * 10_000)], stdin=subprocess.PIPE, env=environment)
        for n in range(8)
    ]
    time.sleep(15)
    start = time.perf_counter()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write(b"\n")
        worker.stdin.close()
    assert [worker.wait() for worker in workers] == [0] * 8
    took_s = time.perf_counter() - start
    print(f"audited reads, eight processes, 8 connections: {12_000 / took_s:,.0f} a second")
    start = time.perf_counter()
    head = access_log.seal(tampering.SIGNER)
    print(f"sealed {head.position:,} records in {time.perf_counter() - start:.1f} s", end="; ")
    start = time.perf_counter()
    assert access_log.verify(head).faults == []
    print(f"verified in {time.perf_counter() - start:.1f} s")


def test_what_row_security_costs(people: str) -> None:
    assert people
    took = dict.fromkeys(("row security", "the same condition", "divisions written out"), 0.0)
    with psycopg.connect(people) as connection:
        connection.execute(
            "SELECT set_config('menpai.actor', 'desk', false), set_config('menpai.purpose', 'move', false)"
        )
        for turn in range(40):
            for name, statement in zip(took, (READ, EXPLICIT, PLAIN), strict=True):
                connection.execute("RESET ROLE")
                if name == "row security":
                    connection.execute(f"SET ROLE {connection.info.dbname}_registrar".encode())
                asked = statement.replace(":id", "%s").encode()
                start = time.perf_counter()
                for number in range(250):
                    connection.execute(asked, ((number + turn) * 7919 % PEOPLE + 1,)).fetchone()
                took[name] += time.perf_counter() - start
    for name, seconds in took.items():
        print(f"{name}: {seconds / 10_000 * 1e6:.0f} us a look-up, {seconds / took['the same condition']:.2f}")
