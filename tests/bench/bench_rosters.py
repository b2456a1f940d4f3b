"""How fast a roster becomes residencies, from the file to the commit: parsing, sealing and constraints included.

``MENPAI_BENCH_RESIDENTS`` sets how many; their addresses are exact. Run it with ``make bench``.
"""

import os
import time
from pathlib import Path

import pytest

from api import accounts
from data import fiction, rosters
from data.fiction.files import write_roster
from gis.register.batches import import_buildings
from gis.register.sheets import ImportOptions
from gis.residents import keys
from gis.residents.rosters import import_roster
from gis.store import schema
from gis.terms import Role

MANY = int(os.environ.get("MENPAI_BENCH_RESIDENTS", "100000"))
SEED = 5
BAR = 8_000
"""Rows a second that the issue asks of two cores."""


@pytest.fixture
def roster(database: str, tmp_path: Path) -> Path:
    """Register the buildings of one invented region, and write the roster of its residents."""
    assert database
    keys.init()
    accounts.add("bench")
    accounts.grant("bench", Role.REGISTRAR, "640000")
    tables = []
    for planned in fiction.plan(None, MANY, SEED):
        (buildings,) = fiction.structures([planned])
        import_buildings(buildings, ImportOptions("bench", str(planned.code), "bench", test_numbers=True))
        tables += list(fiction.roster(planned, buildings))
    path = tmp_path / "roster.csv"
    write_roster(path, tables)
    schema.analyse()
    return path


def bench_a_roster_from_file_to_committed(roster: Path) -> None:
    """Read, seal, place and commit a roster of a source that is new, and the same file once more."""
    for what in ("new", "again"):
        start = time.perf_counter()
        rows = rosters.read_roster(roster).rows
        result = import_roster(rows, source="bench", file_name="roster.csv", actor="bench")
        rate = rows.num_rows / (time.perf_counter() - start)
        told = f"{result.registered:,} registered, {result.unchanged:,} unchanged, {result.queued:,} queued"
        print(f"\n{what}: {rows.num_rows:,} rows, {told}: {rate:,.0f} rows a second, {rate / BAR:.2f} of the bar")
