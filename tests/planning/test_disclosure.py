"""The disclosure gate against somebody who knows where every building stands, and in which division."""

import datetime as dt
import itertools
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import psycopg
import pytest
from scipy.optimize import linprog

from gis import numbering
from gis.errors import BadArgument, ReleaseExists, ReleaseTooNear
from gis.planning import disclosure
from gis.terms import Category

DAY = dt.date(2026, 1, 1)
PROVINCE, CITY, COUNTY, OTHER_COUNTY = 640_000_000_000, 640_100_000_000, 640_104_000_000, 640_105_000_000
CATEGORIES = [category.value for category in Category]
ALL = "all"
Place = tuple[int, int, int]
"""Division, and the 100 m square's column and row."""


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


def settle(url: str, land: Land) -> None:
    """Stand the buildings on each place; its residents all live in the first one."""
    numbers = (numbering.issue(serial, "test") for serial in itertools.count(1))
    persons = itertools.count(1)
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        buildings, residencies = [], []
        for place, plot in land.items():
            standing = [next(numbers) for _ in range(plot.buildings)]
            buildings += [(number, *place) for number in standing]
            residencies += [
                (next(persons), standing[0], place[0], category)
                for category, many in plot.residents.items()
                for _ in range(many)
            ]
        cursor = connection.cursor()
        cursor.executemany(
            "INSERT INTO reg.buildings (number, registered_seq, kind, status, division_code, east_100m, north_100m,"
            " h3_10, geometry)"
            " VALUES (%s, 0, 'residential', 'active', %s, %s, %s, 1, 'SRID=4490;POINT(106 37.5)')",
            buildings,
        )
        cursor.executemany(
            "INSERT INTO reg.residencies (person_id, building_number, dwelling_sequence, division_code, during,"
            " category, category_reason, basis) VALUES (%s, %s, 1, %s, '[2025-01-01,)', %s, 'test', 'declaration')",
            residencies,
        )


def published(url: str, land: Land, *, planner: bool) -> list[Published]:
    """Return what the public, or a planner, reads of the release, each with the places it covers."""
    covers: dict[str, set[Place]] = defaultdict(set)
    for place in land:
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


class Attack:
    """Everything that follows from the shown counts of a release, where all know what stands where.

    The unknowns are the residents of each place, by category where categories are shown. Shown counts are equations
    A x = b, and x >= 0.
    """

    def __init__(self, counts: list[Published], land: Land) -> None:
        """Set up the equations."""
        self.counts, self.land = counts, land
        self.split = any(count.category != ALL for count in counts)
        each = CATEGORIES if self.split else [ALL]
        self._variables = {pair: i for i, pair in enumerate(itertools.product(land, each))}
        shown = [count for count in counts if count.n is not None]
        self._equations = np.array([self._sum_of(count.places, count.category) for count in shown])
        self._totals = np.array([count.n for count in shown], dtype=float)
        if not shown:
            self._equations = np.zeros((1, len(self._variables)))
            self._totals = np.zeros(1)
        self._zero = self._known_empty()
        _, strengths, basis = np.linalg.svd(self._equations[:, ~self._zero], full_matrices=False)
        self._basis = basis[strengths > 1e-9]

    def exact(self, places: Iterable[Place], category: str) -> int:
        """Return what is true."""
        wanted = CATEGORIES if category == ALL else [category]
        return sum(self.land[place].residents.get(each, 0) for place in places for each in wanted)

    def solves(self, places: Iterable[Place], category: str) -> bool:
        """Tell whether every solution of the equations gives a sum one value: it is a combination of what is shown."""
        rest = self._sum_of(places, category)[~self._zero]
        return bool(np.abs(rest - (rest @ self._basis.T) @ self._basis).max(initial=0) < 1e-7)

    def bounds(self, places: Iterable[Place], category: str) -> bool:
        """Tell whether the least and the most that a sum can be leave one whole number only."""
        wanted = self._sum_of(places, category)
        least, most = (sign * self._least(sign * wanted) for sign in (1, -1))
        return bool(np.ceil(least - 1e-6) == np.floor(most + 1e-6))

    def _sum_of(self, places: Iterable[Place], category: str) -> Any:  # noqa: ANN401 - an array of numpy
        wanted = np.zeros(len(self._variables))
        of = [category] if category != ALL or not self.split else CATEGORIES
        wanted[[self._variables[place, each] for place in places for each in of]] = 1
        return wanted

    def _least(self, wanted: Any) -> float:  # noqa: ANN401 - an array of numpy
        answer = linprog(wanted, A_eq=self._equations, b_eq=self._totals, method="highs")
        return float(answer.fun) if answer.status == 0 else -np.inf

    def _known_empty(self) -> Any:  # noqa: ANN401 - an array of numpy
        """Return which unknowns are 0 in every solution: a ray of solutions with the most of them above 0.

        Maximise sum y where A x = b t, 0 <= y <= x, y <= 1, t >= 1; y is 1 wherever some solution is above 0
        (Freund, Roundy, Todd, 1985).
        """
        many = len(self._variables)
        zeros = np.zeros_like(self._equations)
        answer = linprog(
            np.r_[np.zeros(many), -np.ones(many), 0],
            A_ub=np.c_[-np.eye(many), np.eye(many), np.zeros(many)],
            b_ub=np.zeros(many),
            A_eq=np.c_[self._equations, zeros, -self._totals],
            b_eq=np.zeros(len(self._totals)),
            bounds=[(0, None)] * many + [(0, 1)] * many + [(1, None)],
            method="highs",
        )
        assert answer.status == 0
        return answer.x[many : 2 * many] < 0.5


def recovered(counts: list[Published], land: Land, *, pairs_by_bounds: bool = False) -> list[tuple[Any, str, int]]:
    """Return the counts from 1 to 9, and those of fewer than 3 buildings, that the shown ones leave one value only.

    Groups of fewer than 3 buildings are areas, places, and every two places of one building each, wherever they are.
    """
    attack = Attack(counts, land)
    found: list[tuple[Any, str, int]] = []
    for count in counts:
        exact = attack.exact(count.places, count.category)
        few = sum(land[place].buildings for place in count.places) < 3
        assert count.n in {None, exact}
        if (few or 1 <= exact <= 9) and (count.n is not None or attack.bounds(count.places, count.category)):
            found.append((count.area, count.category, exact))
    singles = [place for place, plot in land.items() if plot.buildings == 1]
    for category in [ALL, *CATEGORIES] if attack.split else [ALL]:
        places = [(place,) for place, plot in land.items() if plot.buildings < 3]
        found += [
            (group, category, attack.exact(group, category)) for group in places if attack.bounds(group, category)
        ]
        tells = attack.bounds if pairs_by_bounds else attack.solves
        pairs = itertools.combinations(singles, 2)
        found += [(group, category, attack.exact(group, category)) for group in pairs if tells(group, category)]
    return found


def some_divisions(url: str, many: int) -> list[int]:
    """Return divisions of every level in two counties."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT code FROM reg.divisions WHERE code / 1000000 IN (640104, 640105) ORDER BY md5(code::text) LIMIT %s",
            (many,),
        )
        return [code for (code,) in rows]


def test_the_last_square_of_a_county_is_not_what_its_total_leaves(database: str) -> None:
    """Squares and divisions are two trees over the same buildings: each alone was safe, together they told."""
    land = {
        (COUNTY, 5000, 5000): Plot(5, {"permanent": 40}),
        (COUNTY, 5010, 5000): Plot(5, {"permanent": 50}),
        (COUNTY, 5020, 5000): Plot(5, {"permanent": 4}),
        (OTHER_COUNTY, 6000, 5000): Plot(5, {"permanent": 60}),
        (OTHER_COUNTY, 6010, 5000): Plot(5, {"permanent": 70}),
        (OTHER_COUNTY, 6020, 5000): Plot(5, {"permanent": 3}),
    }
    settle(database, land)
    disclosure.release(DAY)
    assert recovered(published(database, land, planner=False), land) == []


def test_who_lives_where_only_the_county_is_known_is_not_what_the_townships_leave(database: str) -> None:
    """Townships of 40 and 50 in a county of 94 told that its other buildings hold 4."""
    with psycopg.connect(database) as connection:
        towns = [
            code
            for (code,) in connection.execute(
                "SELECT code FROM reg.divisions WHERE level = 'township' AND code / 1000000 = 640104 LIMIT 2"
            )
        ]
    land = {
        (towns[0], 5000, 5000): Plot(5, {"permanent": 40}),
        (towns[1], 5010, 5000): Plot(5, {"permanent": 50}),
        (COUNTY, 5020, 5000): Plot(5, {"permanent": 4}),
    }
    settle(database, land)
    disclosure.release(DAY)
    counts = {count.area: count.n for count in published(database, land, planner=False)}
    known = [counts[str(COUNTY)], *(counts[str(town)] for town in towns)]
    assert None in known, "a total and all its known parts tell the rest"
    assert counts["1000E502N500"] is None


@pytest.mark.parametrize("buildings", [1, 2])
@pytest.mark.parametrize("residents", [0, 37])
def test_a_house_that_stands_alone_is_not_counted(database: str, buildings: int, residents: int) -> None:
    """Neither who lives in it nor that nobody does is published, nor what the squares around it leave."""
    land = {
        (COUNTY, 5000, 5000): Plot(buildings, {"permanent": residents}),
        (COUNTY, 5010, 5000): Plot(8, {"permanent": 40}),
        (COUNTY, 5020, 5000): Plot(8, {"permanent": 50}),
        (COUNTY, 5030, 5000): Plot(8, {"permanent": 60}),
    }
    settle(database, land)
    disclosure.release(DAY)
    counts = published(database, land, planner=False)
    assert {count.area: count.n for count in counts}[str(COUNTY)] == residents + 150
    assert recovered(counts, land) == []


def test_two_houses_that_stand_alone_do_not_hide_one_another(database: str) -> None:
    """What two withheld squares hold together would be the count of two buildings: a third is withheld."""
    land = {
        (COUNTY, 5000, 5000): Plot(1, {"permanent": 37}),
        (COUNTY, 5010, 5000): Plot(1, {"permanent": 45}),
        (COUNTY, 5020, 5000): Plot(8, {"permanent": 60}),
        (COUNTY, 5030, 5000): Plot(8, {"permanent": 70}),
    }
    settle(database, land)
    disclosure.release(DAY)
    shown = {count.area: count.n for count in published(database, land, planner=False)}
    assert shown[str(COUNTY)] == 212
    assert shown["1000E502N500"] is None
    assert shown["1000E503N500"] == 70


def test_nobody_lives_here_is_not_published(database: str) -> None:
    """A zero of all residents tells of each home that it is empty, however many there are."""
    land = {
        (COUNTY, 5000, 5000): Plot(8),
        (OTHER_COUNTY, 5000, 5000): Plot(8, {"permanent": 40}),
        (OTHER_COUNTY, 5010, 5000): Plot(8, {"permanent": 50}),
        (OTHER_COUNTY, 5020, 5000): Plot(8),
    }
    settle(database, land)
    disclosure.release(DAY)
    counts = published(database, land, planner=False)
    assert [count for count in counts if count.n == 0] == []
    attack = Attack(counts, land)
    assert [place for place, plot in land.items() if not plot.residents and attack.bounds([place], ALL)] == []


@pytest.mark.parametrize("seed", range(6))
def test_no_small_count_is_recovered(database: str, seed: int) -> None:
    """A linear program over divisions, squares and categories of a small random land finds none."""
    lot = random.Random(seed)  # noqa: S311 - a seed draws the same land each time
    divisions = some_divisions(database, 14)
    land: Land = {}
    for _ in range(45):
        division = lot.choice(divisions)
        middle = 5000 + divisions.index(division) * 7
        place = (division, middle + lot.randrange(12), 5000 + lot.randrange(12))
        scale = lot.choice((0, 2, 6, 30, 90))
        residents = {category: lot.randint(0, scale) for category in CATEGORIES if lot.random() < 0.7}
        land[place] = Plot(lot.choice((1, 1, 2, 4, 9)), residents)
    settle(database, land)
    disclosure.release(DAY)
    assert recovered(published(database, land, planner=False), land) == []
    assert recovered(published(database, land, planner=True), land) == []
    shown = [count for count in published(database, land, planner=False) if count.n is not None]
    assert shown, "the map is still of use"


@pytest.mark.parametrize("seed", range(20))
def test_no_lone_house_of_a_hamlet_is_recovered(database: str, seed: int) -> None:
    """A few squares in and across two or three divisions, most with a single building; every two of them, too."""
    lot = random.Random(1000 + seed)  # noqa: S311 - a seed draws the same land each time
    divisions = some_divisions(database, lot.choice((1, 2, 3)))
    land: Land = {}
    for _ in range(lot.randint(4, 12)):
        place = (lot.choice(divisions), 5000 + lot.randrange(25), 5000 + lot.randrange(6))
        residents = {"permanent": lot.choice((0, 3, 12, 37, 80)), "floating": lot.choice((0, 0, 5, 20))}
        land[place] = Plot(lot.choice((1, 1, 1, 2, 5)), residents)
    settle(database, land)
    disclosure.release(DAY)
    for planner in (False, True):
        assert recovered(published(database, land, planner=planner), land, pairs_by_bounds=True) == []


@pytest.mark.parametrize(
    ("day", "free"),
    [(dt.date(2026, 1, 28), "2026-01-29"), (dt.date(2025, 12, 5), "2026-01-29"), (dt.date(2025, 11, 20), "2026-01-29")],
)
def test_a_release_less_than_a_month_from_another_is_refused(database: str, day: dt.date, free: str) -> None:
    """Between two days hardly anybody moves: their difference would be one home's."""
    assert database
    disclosure.release(dt.date(2025, 12, 4))
    disclosure.release(DAY)
    with pytest.raises(ReleaseTooNear, match=f"28 days.*the next free day is {free}"):
        disclosure.release(day)


def test_releases_a_month_apart_are_made_and_fill_gaps(database: str) -> None:
    assert database
    for day in (DAY, DAY + dt.timedelta(days=28), DAY - dt.timedelta(days=28)):
        assert disclosure.release(day).release == day
    assert disclosure.newest() == DAY + dt.timedelta(days=28)


def test_the_release_of_a_day_is_not_made_anew_after_a_correction(database: str) -> None:
    """Whoever kept the first would see who was added."""
    land = {(COUNTY, 5000, 5000): Plot(8, {"permanent": 40})}
    settle(database, land)
    disclosure.release(DAY)
    before = published(database, land, planner=True)
    with psycopg.connect(database) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM reg.residencies WHERE person_id = 1")
    with pytest.raises(ReleaseExists, match="2026-01-29"):
        disclosure.release(DAY)
    assert published(database, land, planner=True) == before


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


@pytest.mark.parametrize(
    ("n", "published"),
    [(-3, None), (0, None), (1, None), (9.99, None), (10, 10), (14.9, 10), (15, 20), (25, 30), (7_123.4, 7_120)],
)
def test_a_sum_in_a_plan_is_withheld_under_ten_and_a_multiple_of_ten_above(n: float, published: int | None) -> None:
    assert disclosure.shown(n) == published


@pytest.mark.parametrize("n", [float("nan"), float("inf")])
def test_what_is_no_number_is_not_published_in_a_plan(n: float) -> None:
    with pytest.raises(BadArgument, match="no number of residents"):
        disclosure.shown(n)
