"""What it costs to find duplicates, beside what the rest of the import costs: CPU seconds of client and server.

The rest is reading nothing, checking, placing, hashing, numbering and writing: the load itself. Where nine tenths of a
file are repeats there is little left to write, so the first bench also prints the load of a file without any.
Run it with ``make bench``; the two million take several minutes.
"""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
import pyarrow as pa
import pytest
import shapely
from sqlalchemy import text

from gis.register import batches
from gis.register.divisions import TEST_DIVISION
from gis.register.rows import STRUCTURE_ROWS
from gis.register.sheets import ImportOptions
from gis.store import session

MANY = 200_000
MOST = 2_000_000
SIDE_DEG = 1e-4
Shapes = npt.NDArray[np.object_]


def _boxes(many: int, seed: int, *, south: float = 38.0) -> Shapes:
    """Return boxes of ten metres on a loose grid near 银川, seeded; none overlaps another."""
    random = np.random.default_rng(seed)
    place = np.arange(many)
    west = 105.9 + (place % 2000 + random.random(many) * 0.4) * 2 * SIDE_DEG
    low = south + (place // 2000 + random.random(many) * 0.4) * 2 * SIDE_DEG
    boxes: Shapes = shapely.box(west, low, west + SIDE_DEG, low + SIDE_DEG)
    return boxes


def _table(shapes: Shapes, name: str) -> pa.Table:
    """Return shapes as a reader would hand them over."""
    columns: dict[str, Any] = {
        "row": np.arange(1, len(shapes) + 1, dtype=np.int32),
        "source_id": [f"{name}/{place}" for place in range(len(shapes))],
        "kind": ["residential"] * len(shapes),
        "geometry": shapely.to_wkb(shapes).tolist(),
    }
    arrays = [
        pa.array(columns[field.name], type=field.type) if field.name in columns else pa.nulls(len(shapes), field.type)
        for field in STRUCTURE_ROWS
    ]
    return pa.table(arrays, schema=STRUCTURE_ROWS)


class Clock:
    """CPU seconds of this process and of all the server's processes of one database, stage by stage."""

    def __init__(self, url: str) -> None:
        """Begin before the first stage."""
        self._watcher = psycopg.connect(url, autocommit=True)
        self._stage, self._since = "", 0.0
        self.seconds: dict[str, float] = {}

    def __call__(self, stage: str) -> None:
        """Close the stage that ran and begin another."""
        now = time.process_time() + self._server()
        if self._stage:
            self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now

    def close(self) -> None:
        """End the last stage."""
        self("")
        self._watcher.close()

    def _server(self) -> float:
        rows = self._watcher.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()").fetchall()
        return sum(_cpu_s(pid) for (pid,) in rows)


def _cpu_s(pid: int) -> float:
    """Return the CPU seconds a process has used; 0 where it is gone or the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _bring(url: str, shapes: Shapes, name: str) -> tuple[dict[str, float], int]:
    """Import shapes; return CPU seconds by stage, and how many were registered."""
    session.forget()  # one server process from first stage to last
    with session.open("registrar") as connection:
        connection.execute(text("SELECT 1"))
    rows = _table(shapes, name)
    clock = Clock(url)
    clock("check")
    options = ImportOptions(source=name, file_name=name, actor="bench", division=TEST_DIVISION)
    result = batches.import_buildings(rows, options, clock)
    clock.close()
    return clock.seconds, result.registered


def _told(what: str, seconds: dict[str, float], registered: int) -> None:
    """Print the stages of an import."""
    load = seconds["check"] + seconds["write"]
    stages = ", ".join(f"{stage} {spent:.1f} s" for stage, spent in seconds.items())
    print(f"\n{what}: {registered:,} registered; CPU of client and server: {stages}")
    print(f"  finding duplicates adds {seconds['compare'] / load:.2f} of the load (bar 1.0)")


def bench_duplicates_against_a_register(database: str) -> None:
    """200,000 into a register of 200,000: half of them are new, a quarter repeated, a quarter shifted by 2 m."""
    known = _boxes(MANY, 1)
    seconds, registered = _bring(database, known, "first")
    _told("200,000 into an empty register", seconds, registered)
    load = seconds["check"] + seconds["write"]
    half, quarter = MANY // 2, MANY // 4
    shifted = shapely.transform(known[quarter:half], lambda places: places + np.array([2e-5, 0]))
    again = np.concatenate([known[:quarter], shifted, _boxes(half, 2, south=38.9)])
    seconds, registered = _bring(database, again, "second")
    assert registered == half
    _told("200,000, half of them there already", seconds, registered)
    print(f"  {seconds['compare'] / load:.2f} of the load of 200,000 new ones")


@pytest.mark.timeout(7200)
def bench_duplicates_of_two_million(database: str) -> None:
    """Two million polygons at once, a twentieth of them drawn twice."""
    shapes = _boxes(MOST * 19 // 20, 3, south=37.6)
    shapes = np.concatenate([shapes, shapes[:: len(shapes) * 20 // MOST][: MOST // 20]])
    seconds, registered = _bring(database, shapes, "two million")
    _told(f"{len(shapes):,} at once", seconds, registered)
