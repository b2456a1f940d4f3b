"""50,000 declarations and moves by twenty desks at once, the database killed three times on the way.

It is the journey of tests/journeys/test_declaring_at_once.py at full size. Run it with ``make bench``.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(9000)  # the journey has its own limit; that of a test would cut it off
MANY = 50_000
JOURNEY = Path(__file__).parents[1] / "journeys" / "test_declaring_at_once.py"


def test_fifty_thousand_declarations_survive_three_kills() -> None:
    start = time.perf_counter()
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-o", "timeout=9000", str(JOURNEY)]
    done = subprocess.run(command, env=os.environ | {"MENPAI_BENCH_DECLARATIONS": str(MANY)}, check=False)
    took_s = time.perf_counter() - start
    print(f"\n{MANY:,} declarations, 20 desks, 3 kills: {took_s:.0f} s, {MANY / took_s:.0f} a second with recovery")
    assert done.returncode == 0
