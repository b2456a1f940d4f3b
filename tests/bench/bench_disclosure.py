"""10,000 attacks by differencing on the disclosure gate, and what it leaves to see.

Each attack draws released numbers whose difference is a count of 1 to 9 people, or of one or two buildings, and asks
an integer program that knows every perturbed piece, every exact sum and the whole method what the count may be. Run
it with ``make bench ARGS=tests/bench/bench_disclosure.py``; MENPAI_BENCH_ATTACKS sets another number.
"""

import os
import time
from collections import Counter

import numpy as np
import psycopg

from gis.planning import disclosure
from tests.planning import lands
from tests.planning.differencing import Outcome, Siege

MANY = int(os.environ.get("MENPAI_BENCH_ATTACKS", "10000"))
PER_LAND = 400


def test_ten_thousand_differences_recover_no_count(database: str) -> None:
    start = time.perf_counter()
    divisions, villages = lands.some_divisions(database, 14), lands.villages(database, 4)
    outcomes: list[Outcome] = []
    seed = 0
    while len(outcomes) < MANY:
        seed += 1
        land = (
            lands.towns(divisions, seed),
            lands.hamlets(divisions[: 1 + seed % 3], seed),
            lands.township(villages, seed),
        )[seed % 3]
        empty(database)
        outcomes += Siege(database, land, seed).outcomes(PER_LAND)
        if seed % 10 == 0:
            print(f"{len(outcomes):,} attacks, {sum(one.recovered for one in outcomes)} recovered", flush=True)
    told(outcomes, seed, time.perf_counter() - start)
    assert all(one.least <= one.true <= one.most for one in outcomes)
    assert [one for one in outcomes if one.recovered] == []


def empty(url: str) -> None:
    """Clear a land away for the next."""
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "TRUNCATE reg.buildings, reg.residencies, pub.releases, pub.cells, pub.cell_counts, pub.division_counts"
            " RESTART IDENTITY CASCADE"
        )


def told(outcomes: list[Outcome], many_lands: int, took_s: float) -> None:
    """Print how many attacks of each kind there were, and how wide what they leave is."""
    print(f"\n{len(outcomes):,} attacks on {many_lands} lands in {took_s:.0f} s")
    for kind, many in sorted(Counter(one.kind for one in outcomes).items()):
        of = [one for one in outcomes if one.kind == kind]
        widths = np.array([one.most - one.least + 1 for one in of])
        small = [one for one in of if 1 <= one.true < disclosure.WITHHELD_BELOW]
        hits = sum(one.said == one.true for one in small)
        print(f"  {kind}: {many:,}, recovered {sum(one.recovered for one in of)}", end="")
        print(f", possible values at least {widths.min()}, median {np.median(widths):.0f}", end="")
        print(f"; of {len(small):,} counts of 1 to 9 the plain difference happens to say {hits:,}")
