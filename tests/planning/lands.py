"""Small invented lands: what stands where, who lives there, and what a release says of it."""

import datetime as dt
import itertools
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import psycopg

from gis import numbering
from gis.planning import disclosure
from gis.terms import Category

DAY = dt.date(2026, 1, 1)
PROVINCE, CITY, COUNTY, OTHER_COUNTY = 640_000_000_000, 640_100_000_000, 640_104_000_000, 640_105_000_000
CATEGORIES = [category.value for category in Category]
ALL = "all"
Place = tuple[int, int, int]
"""Division, and the 100 m square's column and row."""
Piece = tuple[Place, str]
"""A place and a category: what noise is drawn for."""


@dataclass(frozen=True)
class Plot:
    """What stands on a place, and who lives there."""

    buildings: int
    residents: dict[str, int] = field(default_factory=dict)


Land = dict[Place, Plot]


@dataclass(frozen=True)
class Published:
    """One count of a release: of whom, the places it covers, and what it says."""

    area: str
    category: str
    places: frozenset[Place]
    n: int | None


@dataclass(frozen=True)
class Known:
    """What somebody would know who had seen behind a release: every perturbed piece, and the sums told exactly."""

    pieces: dict[Piece, int]
    """How many residents are spoken of, of the pieces that hold any."""
    exact: list[tuple[frozenset[Piece], int]]


def exact(land: Land, places: Iterable[Place], category: str) -> int:
    """Return how many live there."""
    wanted = CATEGORIES if category == ALL else [category]
    return sum(land[place].residents.get(each, 0) for place in places for each in wanted)


def covered(land: Land) -> dict[str, frozenset[Place]]:
    """Return the places of every division and square, and of what of a division lies in none below it."""
    covers: dict[str, set[Place]] = defaultdict(set)
    for place in land:
        division, east, north = place
        for span in (1, 10**3, 10**6, 10**8, 10**10):
            covers[str(division // span * span)].add(place)
        covers[f"{division} rest"].add(place)
        for size in (100, 500, 1000):
            covers[f"{size}E{east * 100 // size}N{north * 100 // size}"].add(place)
    return {area: frozenset(places) for area, places in covers.items()}


def settle(url: str, land: Land, seed: int = 1) -> None:
    """Stand the buildings on each place; its residents all live in the first one. The seed draws the record keys."""
    lot = random.Random(seed)  # noqa: S311 - the same noise each time
    numbers = (numbering.issue(serial, "test") for serial in itertools.count(1))
    persons = itertools.count(1)
    buildings, residencies = [], []
    for place, plot in land.items():
        standing = [int(next(numbers)) for _ in range(plot.buildings)]
        buildings += [(number, *place) for number in standing]
        residencies += [
            (next(persons), standing[0], place[0], category, lot.randrange(256))
            for category, many in sorted(plot.residents.items())
            for _ in range(many)
        ]
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        cursor = connection.cursor()
        cursor.executemany(
            "INSERT INTO reg.buildings (number, registered_seq, kind, status, division_code, east_100m, north_100m,"
            " h3_10, geometry)"
            " VALUES (%s, 0, 'residential', 'active', %s, %s, %s, 1, 'SRID=4490;POINT(106 37.5)')",
            buildings,
        )
        cursor.executemany(
            "INSERT INTO reg.residencies (person_id, building_number, dwelling_sequence, division_code, during,"
            " category, category_reason, basis, record_key)"
            " VALUES (%s, %s, 1, %s, '[2025-01-01,)', %s, 'test', 'declaration', %s)",
            residencies,
        )


def published(url: str, land: Land, *, planner: bool, day: dt.date = DAY) -> list[Published]:
    """Return what the public, or a planner, reads of the release, each with the places it covers."""
    covers = covered(land)
    with psycopg.connect(url) as connection:
        connection.execute(f"SET ROLE menpai_test_{'planner' if planner else 'public'}")
        rows = connection.execute(
            "SELECT division_code::text, category, n FROM pub.division_counts WHERE release = %(day)s"
            " UNION ALL SELECT cell, category, n FROM pub.cell_counts WHERE release = %(day)s",
            {"day": day},
        ).fetchall()
    return [Published(area, category, covers[area], n) for area, category, n in rows]


def behind(url: str, land: Land, day: dt.date = DAY) -> Known:
    """Return what a release is made from, past the noise: the gate gives the same answer to the same people."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "SELECT calc.fill_gate(%s, %s, %s)", (day, disclosure.WITHHELD_BELOW, disclosure.LEAST_PIECES)
        )
        rows = connection.execute(
            "SELECT division_code, east_100m, north_100m, category, z FROM pieces JOIN places USING (place)"
        ).fetchall()
        connection.rollback()
    pieces = {((division, east, north), category): z for division, east, north, category, z in rows}
    pools: dict[int, set[Place]] = defaultdict(set)
    for place in land:
        pools[place[0] // 1000 * 1000].add(place)
    sums = [known for places in pools.values() for known in _told_exactly(land, places, pieces)]
    return Known(pieces, sums)


def _told_exactly(land: Land, places: set[Place], pieces: dict[Piece, int]) -> list[tuple[frozenset[Piece], int]]:
    """Return the sums over a township's places that a release tells exactly, as sql/70_release.sql says it."""
    heard = {each: sum(pieces.get((place, each), 0) > 0 for place in places) for each in CATEGORIES}
    safe = [each for each in CATEGORIES if heard[each] >= disclosure.LEAST_PIECES]
    if not safe:
        return []
    largest = max(sorted(CATEGORIES), key=lambda each: heard[each])
    groups = [CATEGORIES, *([each] for each in safe if each != largest)]
    return [
        (
            frozenset((place, each) for place in places for each in group),
            sum(land[place].residents.get(each, 0) for place in places for each in group),
        )
        for group in groups
    ]


def some_divisions(url: str, many: int) -> list[int]:
    """Return divisions of every level in two counties."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT code FROM reg.divisions WHERE code / 1000000 IN (640104, 640105) ORDER BY md5(code::text) LIMIT %s",
            (many,),
        )
        return [code for (code,) in rows]


def villages(url: str, many: int) -> list[int]:
    """Return villages of one township of the county."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT code FROM reg.divisions WHERE level = 'village' AND code / 1000 = ("
            " SELECT min(code / 1000) FROM reg.divisions WHERE level = 'village' AND code / 1000000 = 640104)"
            " ORDER BY code LIMIT %s",
            (many,),
        )
        return [code for (code,) in rows]


def hamlets(divisions: list[int], seed: int) -> Land:
    """Draw a few squares in and across divisions, most with a single building."""
    lot = random.Random(seed)  # noqa: S311 - a seed draws the same land each time
    land: Land = {}
    for _ in range(lot.randint(4, 12)):
        place = (lot.choice(divisions), 5000 + lot.randrange(25), 5000 + lot.randrange(6))
        residents = {"permanent": lot.choice((0, 3, 12, 37, 80)), "floating": lot.choice((0, 0, 5, 20))}
        land[place] = Plot(lot.choice((1, 1, 1, 2, 5)), {each: many for each, many in residents.items() if many})
    return land


def towns(divisions: list[int], seed: int) -> Land:
    """Draw scattered squares over many divisions, of all categories."""
    lot = random.Random(seed)  # noqa: S311 - a seed draws the same land each time
    land: Land = {}
    for _ in range(45):
        division = lot.choice(divisions)
        middle = 5000 + divisions.index(division) * 7
        place = (division, middle + lot.randrange(12), 5000 + lot.randrange(12))
        scale = lot.choice((0, 2, 6, 30, 90))
        residents = {category: lot.randint(0, scale) for category in CATEGORIES if lot.random() < 0.7}
        land[place] = Plot(lot.choice((1, 1, 2, 4, 9)), {each: many for each, many in residents.items() if many})
    return land


def township(divisions: list[int], seed: int) -> Land:
    """Draw one township of some villages, close enough together for its total to be told exactly."""
    lot = random.Random(seed)  # noqa: S311 - a seed draws the same land each time
    land: Land = {}
    while len(land) < 60:
        place = (lot.choice(divisions), 5000 + lot.randrange(25), 5000 + lot.randrange(15))
        residents = {
            "permanent": lot.choice((1, 4, 9, 14, 40)),
            "floating": lot.choice((0, 1, 3, 8, 25)),
            "other": lot.choice((0, 0, 0, 2)),
        }
        land[place] = Plot(lot.choice((1, 2, 3, 6)), {each: many for each, many in residents.items() if many})
    return land
