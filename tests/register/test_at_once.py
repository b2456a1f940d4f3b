"""Imports and desks at the same time, each with a session of its own: nobody registers a house twice."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pyarrow as pa
import pytest
import shapely

from gis.errors import AddressTaken, DoubtfulDuplicate, DuplicateBuilding, MenpaiError, ReferenceTaken
from gis.register import batches, buildings
from gis.register.acts import Act
from gis.register.sheets import ImportOptions
from gis.register.structures import Structure
from gis.store import session
from gis.terms import Outcome, Reason

MakeRows = Callable[..., pa.Table]
MANY = 400


def _house(place: int, aside: float = 0.0) -> shapely.Polygon:
    west, south = 106.2 + place % 20 * 4e-4 + aside, 38.4 + place // 20 * 4e-4
    return shapely.box(west, south, west + 2e-4, south + 2e-4)


def _stand(url: str) -> tuple[int, int]:
    """Return how many buildings are active, and how many pairs of them overlap at all."""
    with psycopg.connect(url) as connection:
        blobs = [bytes(row[0]) for row in connection.execute("SELECT ST_AsBinary(geometry) FROM reg.buildings")]
    shapes = shapely.from_wkb(blobs)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    return len(shapes), int((one < other).sum())


@pytest.mark.parametrize("aside", [0.0, 6e-5])
def test_two_imports_at_once_register_each_house_once(database: str, make_rows: MakeRows, aside: float) -> None:
    """The second file draws the same houses, or draws them 5 m aside, under codes of its own source."""
    together = threading.Barrier(2)

    def bring(source: str, moved: float) -> Counter[str]:
        rows = make_rows([_house(place, moved) for place in range(MANY)], source_id=[str(p) for p in range(MANY)])
        together.wait()
        result = batches.import_buildings(rows, ImportOptions(source=source, file_name="f", actor=source))
        return Counter(result.results["outcome"].to_pylist())

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(bring, ["one", "two"], [0.0, aside])
    other = Outcome.QUEUED if aside else Outcome.REFUSED
    assert first + second == Counter({Outcome.REGISTERED: MANY, other: MANY})
    assert _stand(database) == (MANY, 0)


def test_desks_beside_an_import_register_no_house_that_it_registers(database: str, make_rows: MakeRows) -> None:
    """Some of the desks come before the import and some after it; whoever is second is told."""
    desks = 4
    together = threading.Barrier(desks + 1)

    def bring() -> Counter[str]:
        rows = make_rows([_house(place) for place in range(MANY)], source_id=[str(p) for p in range(MANY)])
        together.wait()
        result = batches.import_buildings(rows, ImportOptions(source="file", file_name="f", actor="import"))
        return Counter(result.results["outcome"].to_pylist())

    def sit(desk: int) -> Counter[str]:
        told: Counter[str] = Counter()
        together.wait()
        for place in range(desk, MANY, desks * 4):
            try:
                with session.open("registrar", actor=f"desk {desk}") as connection:
                    buildings.register(connection, Structure(_house(place)), Act(f"desk {desk}"))
                told["registered"] += 1
            except DuplicateBuilding:
                told["refused"] += 1
        return told

    with ThreadPoolExecutor(desks + 1) as pool:
        at_desks = [pool.submit(sit, desk) for desk in range(desks)]
        imported = pool.submit(bring).result()
        sat = sum((desk.result() for desk in at_desks), Counter())
    assert imported["registered"] + sat["registered"] == MANY == imported["registered"] + imported["refused"]
    assert sat.total() == MANY // 4
    assert _stand(database) == (MANY, 0)


@pytest.mark.parametrize(
    ("what", "refusal"),
    [
        ("shape", DuplicateBuilding),
        ("overlap", DoubtfulDuplicate),
        ("point", DuplicateBuilding),
        ("address", AddressTaken),
        ("reference", ReferenceTaken),
    ],
)
def test_of_many_desks_with_one_house_one_registers_it(database: str, what: str, refusal: type[MenpaiError]) -> None:
    desks = 6
    together = threading.Barrier(desks)

    def described(desk: int) -> Structure:
        shape = {
            "shape": _house(0),
            "overlap": _house(0, desk % 2 * 8e-5),
            "point": shapely.Point(106.2 + desk * 5e-7, 38.4),
        }.get(what, _house(desk))
        return Structure(
            shape,
            standard_address="银川市兴庆区测试路1号" if what == "address" else None,
            references=[("不动产", "640104001")] if what == "reference" else (),
        )

    def sit(desk: int) -> str:
        together.wait()
        try:
            with session.open("registrar", actor=f"desk {desk}") as connection:
                buildings.register(connection, described(desk), Act(f"desk {desk}"))
        except MenpaiError as error:
            return type(error).__name__
        return "registered"

    with ThreadPoolExecutor(desks) as pool:
        told = Counter(pool.map(sit, range(desks)))
    certain = {refusal.__name__} | ({DuplicateBuilding.__name__} if what == "overlap" else set())
    assert told.pop("registered") == 1
    assert set(told) <= certain
    assert told.total() == desks - 1
    assert _stand(database)[0] == 1


@pytest.mark.usefixtures("database")
def test_two_imports_at_once_give_an_address_and_a_code_to_one_house(make_rows: MakeRows) -> None:
    together = threading.Barrier(2)

    def bring(place: int) -> list[tuple[str, str | None]]:
        shapes = [_house(place), _house(place + 10)]
        words = {"source_id": [f"own {place}", "shared"], "standard_address": ["银川市兴庆区测试路1号", None]}
        together.wait()
        results = batches.import_buildings(
            make_rows(shapes, **words), ImportOptions(source="one source", file_name="f", actor="test")
        ).results
        return list(zip(results["outcome"].to_pylist(), results["reason"].to_pylist(), strict=True))

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(bring, [0, 1]))
    registered = [(Outcome.REGISTERED, None)] * 2
    queued = [(Outcome.QUEUED, Reason.ADDRESS_TAKEN), (Outcome.QUEUED, Reason.CHANGED_SINCE_REGISTERED)]
    assert sorted(both, key=str) == sorted([registered, queued], key=str)
