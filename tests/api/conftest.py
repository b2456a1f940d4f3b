"""The service itself, on a port of its own, over the tests' database; buildings and counts to ask it for."""

import datetime as dt
import threading
import time
from collections.abc import Iterator

import httpx
import psycopg
import pyarrow as pa
import pytest
import shapely
import uvicorn
from argon2 import PasswordHasher

from api import accounts, serving
from api.accounts import passwords
from gis.register import batches
from gis.register.rows import STRUCTURE_ROWS
from gis.register.sheets import ImportOptions
from gis.terms import Role

HERE = (106.2700, 38.4700)
"""A point in 兴庆区 (640104) of 银川."""
RELEASE = dt.date(2026, 1, 31)
CELL = "1000E523N608"
WITHHELD_CELL = "1000E524N608"


@pytest.fixture(scope="session", autouse=True)
def _quick_hashing() -> Iterator[None]:
    """Hash passwords with little work: most tests are about something else."""
    with pytest.MonkeyPatch.context() as patch:
        quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        patch.setattr(passwords, "hasher", lambda: quick)
        yield


@pytest.fixture(scope="session")
def address(migrated: str) -> Iterator[str]:
    """Serve the application over the tests' database; yield its address."""
    assert migrated
    bound = serving.open_socket("127.0.0.1", 0, search=False)
    server = uvicorn.Server(uvicorn.Config(serving.APPLICATION, **serving.QUIETLY))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield serving.url_of(bound)
    server.should_exit = True
    thread.join()
    bound.close()


@pytest.fixture
def client(database: str, address: str) -> Iterator[httpx.Client]:
    """Yield a client without an account."""
    assert database
    with httpx.Client(base_url=address) as anonymous:
        yield anonymous


def signed_in(address: str, name: str, *roles: Role) -> httpx.Client:
    """Return a client with a bearer of a new account that has roles in the whole region."""
    accounts.add(name)
    for role in roles:
        accounts.grant(name, role, "640000")
    bearer = accounts.mint(name)
    return httpx.Client(base_url=address, headers={"Authorization": f"Bearer {bearer.token}"})


@pytest.fixture
def planner(database: str, address: str) -> Iterator[httpx.Client]:
    """Yield a client signed in as a planner."""
    assert database
    with signed_in(address, "planner", Role.PLANNER) as client:
        yield client


@pytest.fixture
def registrar(database: str, address: str) -> Iterator[httpx.Client]:
    """Yield a client signed in as a registrar."""
    assert database
    with signed_in(address, "registrar", Role.REGISTRAR) as client:
        yield client


@pytest.fixture
def structures(database: str) -> tuple[str, str, str]:
    """Register two houses side by side and a hut 200 m east that is a point; return their numbers."""
    assert database
    lon, lat = HERE
    shapes = [
        shapely.box(lon, lat, lon + 0.0005, lat + 0.0002),
        shapely.box(lon + 0.0008, lat, lon + 0.0013, lat + 0.0002),
        shapely.Point(lon + 0.0023, lat),
    ]
    columns = {
        "row": [1, 2, 3],
        "source_id": ["a", "b", "c"],
        "kind": ["residential", "residential", "other_habitable"],
        "standard_address": ["银川市兴庆区测试路1号1号楼", "银川市兴庆区测试路1号2号楼", None],
        "floors": ["6", "6", None],
        "geometry": shapely.to_wkb(shapes).tolist(),
    }
    rows = pa.table(
        [pa.array(columns.get(field.name, [None] * 3), type=field.type) for field in STRUCTURE_ROWS],
        schema=STRUCTURE_ROWS,
    )
    result = batches.import_buildings(rows, ImportOptions(source="test", file_name="test", actor="test"))
    assert result.registered == 3, result.results.to_pylist()
    flats, neighbour, hut = result.results["building_no"].to_pylist()
    return flats, neighbour, hut


@pytest.fixture
def counted(database: str) -> dt.date:
    """Write a release by hand: one cell and county shown, one of each withheld; return its day."""
    lon, lat = HERE
    boxes = {CELL: shapely.box(lon, lat, lon + 0.01, lat + 0.01)}
    boxes[WITHHELD_CELL] = shapely.box(lon + 0.01, lat, lon + 0.02, lat + 0.01)
    boxes["500E1046N1216"] = shapely.box(lon, lat, lon + 0.005, lat + 0.005)
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO pub.releases (release, withheld_below) VALUES (%s, 10)", (RELEASE,))
        for cell, box in boxes.items():
            size = int(cell.partition("E")[0])
            connection.execute(
                "INSERT INTO pub.cells (cell, size, geometry) VALUES (%s, %s, ST_SetSRID(%s::geometry, 4490))",
                (cell, size, box.wkb_hex),
            )
            for category, n in (("all", 1200), ("floating", 300)):
                shown = None if cell == WITHHELD_CELL else n
                connection.execute(
                    "INSERT INTO pub.cell_counts (release, size, cell, category, n, withheld)"
                    " VALUES (%s, %s, %s, %s, %s, %s)",
                    (RELEASE, size, cell, category, shown, shown is None),
                )
        for code, category, figure in (
            (640104000000, "all", 5000),
            (640104000000, "floating", 900),
            (640105000000, "all", None),
        ):
            connection.execute(
                "INSERT INTO pub.division_counts (release, division_code, category, n, withheld)"
                " VALUES (%s, %s, %s, %s, %s)",
                (RELEASE, code, category, figure, figure is None),
            )
    return RELEASE
