"""Import of 200,000 polygons, side by side with what a GIS user would do: read_file, to_postgis, indexes.

Each contender is a process of its own, from start to finish, the two by turns; the best of three counts,
since the machines this runs on are noisy. Run it with ``make bench``.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psycopg
import pyarrow as pa
import pyogrio
import pytest
import shapely
from sqlalchemy import text

from gis.store import copying, session

MANY = 200_000
ROUNDS = 3
SIDE_DEG = 1e-4
PEER = """
import sys
import geopandas
from sqlalchemy import create_engine, text

path, url = sys.argv[1:]
engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
frame = geopandas.read_file(path)
frame["number"] = range(len(frame))
frame.to_postgis("peer", engine, if_exists="replace", index=False)  # makes its GiST index itself
with engine.begin() as connection:
    connection.execute(text("ALTER TABLE peer ADD PRIMARY KEY (number)"))
    connection.execute(text("CREATE UNIQUE INDEX ON peer (source_id)"))
"""
COPY_PEER = """
import sys, time
import geopandas
from sqlalchemy import create_engine

path, url = sys.argv[1:]
engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
frame = geopandas.read_file(path)
start = time.perf_counter()
frame.to_postgis("peer", engine, if_exists="replace", index=False)
print(time.perf_counter() - start)
"""


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GeoPackage of 200,000 boxes on a loose grid inside 金凤区's neighbourhood, seeded."""
    path = tmp_path_factory.mktemp("bench") / "boxes.gpkg"
    random = np.random.default_rng(20261123)
    east, north = np.meshgrid(np.arange(500), np.arange(400))
    west = 106.1 + (east.ravel() + random.random(MANY) * 0.4) * 2 * SIDE_DEG
    south = 38.3 + (north.ravel() + random.random(MANY) * 0.4) * 2 * SIDE_DEG
    shapes = shapely.box(west, south, west + SIDE_DEG, south + SIDE_DEG)
    pyogrio.write_arrow(
        pa.table(
            {
                "source_id": [f"box/{place}" for place in range(MANY)],
                "kind": ["residential"] * MANY,
                "geometry": pa.array(shapely.to_wkb(shapes).tolist(), type=pa.binary()),
            }
        ),
        path,
        driver="GPKG",
        geometry_name="geometry",
        geometry_type="Polygon",
        crs="EPSG:4490",
    )
    return path


def _empty(url: str) -> None:
    """Take what a round left out of the database, so that each begins alike."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "TRUNCATE reg.buildings, reg.dwellings, reg.external_references, reg.building_events, reg.addresses,"
            " reg.batches, reg.batch_rows CASCADE"
        )
        connection.execute("DROP TABLE IF EXISTS peer")
        connection.execute("CHECKPOINT")


def _seconds(*command: str) -> float:
    """Run a contender and return how long it took; its failure is ours."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-P", *command], check=True, capture_output=True)
    return time.perf_counter() - start


def bench_import_against_to_postgis(database: str, boxes: Path) -> None:
    """Whole import, everything checked, numbered and recorded, against reading, to_postgis and three indexes."""
    ours, peers = [], []
    for _ in range(ROUNDS):
        _empty(database)
        peers.append(_seconds("-c", PEER, str(boxes), database))
        _empty(database)
        ours.append(_seconds("-m", "api.cli", "import", "buildings", str(boxes), "--source", "bench"))
        with psycopg.connect(database) as connection:
            row = connection.execute("SELECT count(*) FROM reg.buildings").fetchone()
            assert row == (MANY,)
    print(f"\nimport of {MANY:,} polygons: ours {min(ours):.1f} s, read_file + to_postgis {min(peers):.1f} s,")
    print(f"  {min(peers) / min(ours):.2f} times as fast (bar 1.0, stretch 1.5)")


def bench_copy_against_to_postgis(database: str, boxes: Path) -> None:
    """The raw COPY stage with a spatial index, against to_postgis, which makes one too."""
    meta, table = pyogrio.read_arrow(boxes)
    rows = pa.table({name: table[name] for name in ("source_id", "kind")})
    rows = rows.append_column("geometry", table[meta["geometry_name"] or "wkb_geometry"])
    ours, peers = [], []
    for _ in range(ROUNDS):
        _empty(database)
        start = time.perf_counter()
        with session.open("owner") as connection:
            connection.execute(
                text("CREATE TABLE reg.bench (source_id text, kind text, geometry geometry(geometry, 4490))")
            )
            copying.copy(connection, "reg.bench", rows)
            connection.execute(text("CREATE INDEX ON reg.bench USING gist (geometry)"))
        ours.append(time.perf_counter() - start)
        with session.open("owner") as connection:
            connection.execute(text("DROP TABLE reg.bench"))
        peer = subprocess.run(
            [sys.executable, "-P", "-c", COPY_PEER, str(boxes), database], check=True, capture_output=True
        )
        peers.append(float(peer.stdout))
    print(f"\nraw COPY of {MANY:,} polygons with GiST: ours {min(ours):.1f} s, to_postgis {min(peers):.1f} s,")
    print(f"  {min(peers) / min(ours):.1f} times as fast (bar 2.5)")
