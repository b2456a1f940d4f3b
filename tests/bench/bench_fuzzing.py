"""20,000 random requests as every kind of caller (MENPAI_CASES for another number), by tests/api/test_fuzzing.py."""

import os
import subprocess
import sys
import time
from pathlib import Path

MANY = int(os.environ.get("MENPAI_CASES") or 20_000)
SUITE = Path(__file__).parents[1] / "api" / "test_fuzzing.py"


def test_twenty_thousand_random_requests_for_each_kind_of_caller() -> None:
    start = time.perf_counter()
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-s", "-o", "timeout=20000", str(SUITE)]
    done = subprocess.run(command, env=os.environ | {"MENPAI_CASES": str(MANY)}, check=False)
    print(f"\n{MANY:,} requests as each kind of caller: {time.perf_counter() - start:.0f} s")
    assert done.returncode == 0
