"""The disclosure gate against somebody who knows where every building stands, and in which division."""

import datetime as dt
import random
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from gis import numbering
from gis.planning import disclosure
from gis.terms import Category

DAY = dt.date(2026, 1, 1)
PROVINCE, CITY, COUNTY, OTHER_COUNTY = 640_000_000_000, 640_100_000_000, 640_104_000_000, 640_105_000_000
Place = tuple[int, int, int]
"""Division, and the 100 m square's column and row."""


@dataclass(frozen=True)
class Published:
    """One count of a release: of whom, the places it covers, and what it says."""

    area: str
    category: str
    places: frozenset[Place]
    n: int | None


def settle(url: str, people: dict[Place, dict[str, int]]) -> None:
    """Stand a building on each place, with that many residents of each category."""
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        person = 0
        for serial, (place, residents) in enumerate(people.items(), 1):
            number = numbering.issue(serial, "test")
            connection.execute(
                "INSERT INTO reg.buildings (registered_seq, number, kind, status, division_code, east_100m, north_100m,"
                " h3_10, geometry) VALUES (0, %s, 'residential', 'active', %s, %s, %s, 1, 'SRID=4490;POINT(106 37.5)')",
                (number, *place),
            )
            for category, many in residents.items():
                connection.execute(
                    "INSERT INTO reg.residencies (person_id, building_number, dwelling_sequence, division_code, during,"
                    " category, category_reason, basis) SELECT %s + i, %s, 1, %s, '[2025-01-01,)', %s, 'test',"
                    " 'declaration' FROM generate_series(1, %s) i",
                    (person, number, place[0], category, many),
                )
                person += many


def published(url: str, people: dict[Place, dict[str, int]], *, planner: bool) -> list[Published]:
    """Return what the public, or a planner, reads of the release, each with the places it covers."""
    covers: dict[str, set[Place]] = defaultdict(set)
    for place in people:
        division, east, north = place
        for span in (1, 10**3, 10**6, 10**8, 10**10):
            covers[str(division // span * span)].add(place)
        for size in (100, 500, 1000):
            covers[f"{size}E{east * 100 // size}N{north * 100 // size}"].add(place)
    with psycopg.connect(url) as connection:
        connection.execute(f"SET ROLE menpai_test_{'planner' if planner else 'public'}")
        rows = connection.execute(
            "SELECT division_code::text, category, n FROM pub.division_counts WHERE release = %(day)s"
            " UNION ALL SELECT cell, category, n FROM pub.cell_counts WHERE release = %(day)s",
            {"day": DAY},
        ).fetchall()
    return [Published(area, category, frozenset(covers[area]), n) for area, category, n in rows]


def recovered(counts: list[Published], people: dict[Place, dict[str, int]]) -> list[tuple[str, str, int]]:
    """Return the counts from 1 to 9 that a linear program over all that is shown leaves one value only."""
    split = any(count.category != "all" for count in counts)
    categories = [category.value for category in Category] if split else ["all"]
    variables = {pair: i for i, pair in enumerate((place, each) for place in people for each in categories)}

    def columns(count: Published) -> list[int]:
        of = categories if count.category == "all" else [count.category]
        return [variables[place, each] for place in count.places for each in of]

    shown = [count for count in counts if count.n is not None]
    cells = [(row, column) for row, count in enumerate(shown) for column in columns(count)]
    at, which = zip(*cells, strict=True)
    equations = csr_array((np.ones(len(cells)), (at, which)), shape=(len(shown), len(variables)))
    found = []
    for count in counts:
        of = [c.value for c in Category] if count.category == "all" else [count.category]
        exact = sum(people[place].get(each, 0) for place in count.places for each in of)
        if count.n is not None or not 1 <= exact <= 9:
            assert count.n in {None, exact}
            continue
        wanted = np.zeros(len(variables))
        wanted[columns(count)] = 1
        least, most = (bound(sign * wanted, equations, [each.n for each in shown]) * sign for sign in (1, -1))
        if np.ceil(least - 1e-6) == np.floor(most + 1e-6):
            found.append((count.area, count.category, exact))
    return found


def bound(wanted: Any, equations: Any, totals: list[int | None]) -> float:  # noqa: ANN401 - arrays of numpy and scipy
    """Return the least that a sum of counts can be."""
    answer = linprog(wanted, A_eq=equations, b_eq=totals, method="highs")
    return float(answer.fun) if answer.status == 0 else -np.inf


def test_the_last_square_of_a_county_is_not_what_its_total_leaves(database: str) -> None:
    """Squares and divisions are two trees over the same buildings: each alone was safe, together they told."""
    people = {
        (COUNTY, 5000, 5000): {"permanent": 40},
        (COUNTY, 5010, 5000): {"permanent": 50},
        (COUNTY, 5020, 5000): {"permanent": 4},
        (OTHER_COUNTY, 6000, 5000): {"permanent": 60},
        (OTHER_COUNTY, 6010, 5000): {"permanent": 70},
        (OTHER_COUNTY, 6020, 5000): {"permanent": 3},
    }
    settle(database, people)
    disclosure.release(DAY)
    assert recovered(published(database, people, planner=False), people) == []


def test_who_lives_where_only_the_county_is_known_is_not_what_the_townships_leave(database: str) -> None:
    """Townships of 40 and 50 in a county of 94 told that its one other building holds 4."""
    with psycopg.connect(database) as connection:
        towns = [
            code
            for (code,) in connection.execute(
                "SELECT code FROM reg.divisions WHERE level = 'township' AND code / 1000000 = 640104 LIMIT 2"
            )
        ]
    people = {
        (towns[0], 5000, 5000): {"permanent": 40},
        (towns[1], 5010, 5000): {"permanent": 50},
        (COUNTY, 5020, 5000): {"permanent": 4},
    }
    settle(database, people)
    disclosure.release(DAY)
    counts = {count.area: count.n for count in published(database, people, planner=False)}
    known = [counts[str(COUNTY)], *(counts[str(town)] for town in towns)]
    assert None in known, "a total and all its known parts tell the rest"
    assert counts["1000E502N500"] is None


@pytest.mark.parametrize("seed", range(6))
def test_no_count_from_1_to_9_is_recovered(database: str, seed: int) -> None:
    """A linear program over divisions, squares and categories of a small random land finds none."""
    lot = random.Random(seed)  # noqa: S311 - a seed draws the same land each time
    with psycopg.connect(database) as connection:
        divisions = [
            code
            for (code,) in connection.execute(
                "SELECT code FROM reg.divisions WHERE code / 1000000 IN (640104, 640105) ORDER BY md5(code::text)"
            )
        ][:14]
    people: dict[Place, dict[str, int]] = {}
    for _ in range(45):
        division = lot.choice(divisions)
        middle = 5000 + divisions.index(division) * 7
        place = (division, middle + lot.randrange(12), 5000 + lot.randrange(12))
        scale = lot.choice((0, 2, 6, 30, 90))
        people[place] = {category.value: lot.randint(0, scale) for category in Category if lot.random() < 0.7}
    settle(database, people)
    disclosure.release(DAY)
    assert recovered(published(database, people, planner=False), people) == []
    assert recovered(published(database, people, planner=True), people) == []
    shown = [count for count in published(database, people, planner=False) if count.n is not None]
    assert shown, "the map is still of use"


def test_how_many_a_roster_brought_is_not_for_planners(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO reg.sources (name) VALUES ('test')")
        for kind in ("buildings", "roster"):
            connection.execute(
                "INSERT INTO reg.batches (kind, source_id, file_name, actor, options, registered, unchanged, queued,"
                " refused) SELECT %s, id, 'test.csv', 'tester', '{}', 7, 0, 0, 0 FROM reg.sources",
                (kind,),
            )
        seen = {}
        for role in ("planner", "registrar"):
            connection.execute(f"SET LOCAL ROLE menpai_test_{role}")
            seen[role] = {kind for (kind,) in connection.execute("SELECT kind FROM reg.batches")}
    assert seen == {"planner": {"buildings"}, "registrar": {"buildings", "roster"}}


def test_twenty_thousand_squares_are_shaped_at_once(database: str) -> None:
    """Square by square against each other it took over a minute; a release of the region has more of them."""
    names = [f"100E{n % 200}N{n // 200}" for n in range(20_000)]
    with psycopg.connect(database) as connection:
        connection.execute("SET statement_timeout = '20s'")
        shaped = connection.execute("SELECT count(DISTINCT cell) FROM calc.square_shapes(%s)", (names,)).fetchone()
    assert shaped == (20_000,)
