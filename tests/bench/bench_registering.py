"""20,000 registrations by sixteen desks at once, a quarter of them twice, the database killed five times on the way.

It is the journey of tests/journeys/test_desks_at_once.py at full size. Run it with ``make bench``.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(3000)  # the journey has its own limit; that of a test would cut it off
MANY = 20_000
JOURNEY = Path(__file__).parents[1] / "journeys" / "test_desks_at_once.py"


def test_twenty_thousand_registrations_survive_five_kills() -> None:
    start = time.perf_counter()
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-o", "timeout=3000", str(JOURNEY)]
    done = subprocess.run(command, env=os.environ | {"MENPAI_BENCH_REGISTRATIONS": str(MANY)}, check=False)
    took_s = time.perf_counter() - start
    print(f"\n{MANY:,} registrations, 16 desks, 5 kills: {took_s:.0f} s, {MANY / took_s:.0f} a second with recovery")
    assert done.returncode == 0
