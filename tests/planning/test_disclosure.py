"""The disclosure gate against somebody who knows where every building stands, and in which division."""

import datetime as dt
import re
from collections import defaultdict

import psycopg
import pytest

from gis.errors import BadArgument, ReleaseExists, ReleaseTooNear
from gis.planning import disclosure
from tests.planning import lands
from tests.planning.attacks import MOST_NOISE, Attack
from tests.planning.differencing import LATER, Siege
from tests.planning.lands import ALL, CATEGORIES, COUNTY, DAY, OTHER_COUNTY, Land, Plot, Published, exact


def released(url: str, land: Land, seed: int = 1) -> list[Published]:
    """Settle a land, release it, and return what a planner reads."""
    lands.settle(url, land, seed)
    disclosure.release(DAY)
    return lands.published(url, land, planner=True)


def by_name(counts: list[Published], category: str = ALL) -> dict[str, int | None]:
    """Return what is said of each area."""
    return {count.area: count.n for count in counts if count.category == category}


def sensitive(counts: list[Published], land: Land) -> list[Published]:
    """Return the counts that nobody may work out: from 1 to 9, or of one or two buildings."""
    return [
        count
        for count in counts
        if 1 <= exact(land, count.places, count.category) < disclosure.WITHHELD_BELOW
        or sum(land[place].buildings for place in count.places) < disclosure.LEAST_BUILDINGS
    ]


def parent(area: str, areas: set[str]) -> str | None:
    """Return the area that an area is a part of, in its own tree."""
    if "E" in area:
        size, east, north = (int(part) for part in re.split("[EN]", area))
        above = {100: 500, 500: 1000}.get(size)
        return None if above is None else f"{above}E{east * size // above}N{north * size // above}"
    spans = (int(area) // span * span for span in (10**3, 10**6, 10**8, 10**10))
    return next((str(code) for code in spans if str(code) in areas - {area}), None)


def given_back(counts: list[Published], land: Land) -> list[tuple[str, str]]:
    """Return the counts whose shown parts leave one withheld part, too few people, or a home's worth of buildings.

    A withheld one is given back where all its parts are shown.
    """
    areas = {count.area for count in counts}
    parts = defaultdict(list)
    for count in counts:
        parts[parent(count.area, areas), count.category].append(count)
    found = []
    for total in counts:
        below = parts[total.area, total.category]
        shown = [part for part in below if part.n is not None]
        rest = total.places - frozenset().union(*(part.places for part in shown))
        few = sum(land[place].buildings for place in rest) < disclosure.LEAST_BUILDINGS
        lone = [part for part in below if part.n is None and part.places == rest]
        left = (total.n or 0) - sum(part.n or 0 for part in shown)
        if (total.n and below and rest and (few or (lone and left))) or (total.n is None and below and not rest):
            found.append((total.area, total.category))
    return found


def test_the_noise_is_unbiased_and_as_large_as_it_says(database: str) -> None:
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "SELECT residents, count(*), sum(noise), sum(noise * noise) / 256.0, min(noise), max(noise)"
            " FROM calc.ptable GROUP BY residents ORDER BY residents"
        ).fetchall()
        listed = connection.execute("SELECT count(DISTINCT (residents, cell_key)) FROM calc.ptable").fetchone()
    assert [(row[0], row[1], row[2]) for row in rows] == [(x, 256, 0) for x in (1, 2, 3, 4)]
    assert [round(float(row[3]), 2) for row in rows] == [1.01, 1.52, 2.03, 1.97]
    assert [(row[4], row[5]) for row in rows] == [(-min(x, MOST_NOISE), MOST_NOISE) for x in (1, 2, 3, 4)]
    assert listed == (4 * 256,)


def test_the_same_people_have_the_same_noise_in_every_area_and_month(database: str) -> None:
    place = (COUNTY, 5000, 5000)
    land = {place: Plot(8, {"permanent": 40}), (OTHER_COUNTY, 5500, 5500): Plot(8, {"permanent": 50})}
    counts = released(database, land)
    disclosure.release(LATER)
    said = {count.n for count in counts if count.places == {place} and count.category == "permanent"}
    assert len(said) == 1
    assert set(lands.published(database, land, planner=True, day=LATER)) == set(counts)


def test_a_corrected_residency_keeps_the_noise_of_the_one_it_replaces(database: str) -> None:
    lands.settle(database, {(COUNTY, 5000, 5000): Plot(8, {"permanent": 1})})
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE reg.residencies DISABLE TRIGGER residencies_references_in")
        connection.execute("UPDATE reg.residencies SET record_key = 77, recorded_until = now()")
        keys = connection.execute(
            "INSERT INTO reg.residencies (person_id, building_number, dwelling_sequence, division_code, during,"
            " category, category_reason, basis, replaces_id)"
            " SELECT person_id, building_number, 1, division_code, during, category, 'test', basis, id"
            " FROM reg.residencies RETURNING record_key"
        ).fetchall()
        connection.rollback()
    assert keys == [(77,)]


def test_squares_add_up_to_the_squares_around_them(database: str) -> None:
    land = {(COUNTY, 5000 + step, 5000): Plot(8, {"permanent": 40, "floating": 20}) for step in range(5)}
    counts = by_name(released(database, land, seed=3))
    assert sum(counts[f"100E{5000 + step}N5000"] or 0 for step in range(5)) == counts["500E1000N1000"]
    assert counts["500E1000N1000"] == counts["1000E500N500"] != 300


def test_a_township_of_many_pieces_is_told_exactly_and_its_categories_add_up(database: str) -> None:
    land = lands.township(lands.villages(database, 4), seed=5)
    counts = released(database, land)
    town = str(next(iter(land))[0] // 1000 * 1000)
    assert by_name(counts)[town] == exact(land, land, ALL)
    said = [by_name(counts, category)[town] for category in CATEGORIES]
    assert sum(n or 0 for n in said) == exact(land, land, ALL)
    assert by_name(counts, "floating")[town] == exact(land, land, "floating")
    assert by_name(counts)[str(COUNTY)] == exact(land, land, ALL)


def test_a_township_of_few_pieces_is_told_with_their_noise(database: str) -> None:
    land = {(lands.villages(database, 1)[0], 5000 + step, 5000): Plot(8, {"permanent": 40}) for step in range(5)}
    counts = by_name(released(database, land, seed=3))
    assert counts[str(COUNTY)] == sum(lands.behind(database, land).pieces.values()) != 200


@pytest.mark.parametrize("seed", range(4))
def test_no_number_stands_for_fewer_than_ten(database: str, seed: int) -> None:
    """Not even where noise would lift it: such areas get no upward noise."""
    land = lands.towns(lands.some_divisions(database, 14), seed)
    counts = released(database, land, seed)
    shown = [count for count in counts if count.n]
    assert shown, "the map is still of use"
    assert min(count.n or 0 for count in shown) >= disclosure.WITHHELD_BELOW
    assert [count for count in shown if exact(land, count.places, count.category) < disclosure.WITHHELD_BELOW] == []


@pytest.mark.parametrize("buildings", [1, 2])
@pytest.mark.parametrize("residents", [0, 37])
def test_a_house_that_stands_alone_is_not_counted(database: str, buildings: int, residents: int) -> None:
    """Neither who lives in it nor that nobody does is published, nor what the squares around it leave."""
    house = (COUNTY, 5000, 5000)
    land = {
        house: Plot(buildings, {"permanent": residents} if residents else {}),
        **{(COUNTY, 5000 + 10 * step, 5000): Plot(8, {"permanent": 30 + 10 * step}) for step in (1, 2, 3)},
    }
    counts = released(database, land)
    assert {count.n for count in counts if count.places == {house}} == {None}
    low, high = Attack(land, lands.behind(database, land)).range_of([house], ALL)
    assert high - low >= MOST_NOISE
    assert low <= residents <= high


def test_the_last_square_is_not_what_its_square_of_one_kilometre_leaves(database: str) -> None:
    """The hidden square has few people, then few buildings: a second one is hidden with it."""
    for hidden, seed in ((Plot(5, {"permanent": 4}), 1), (Plot(1, {"permanent": 44}), 2)):
        with psycopg.connect(database) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute("TRUNCATE reg.buildings, reg.residencies, pub.releases CASCADE")
            connection.execute("TRUNCATE pub.cell_counts")
        land = {
            (COUNTY, 5000, 5000): hidden,
            (COUNTY, 5001, 5000): Plot(5, {"permanent": 50}),
            (COUNTY, 5002, 5000): Plot(5, {"permanent": 60}),
            (COUNTY, 5003, 5000): Plot(5, {"permanent": 70}),
        }
        counts = by_name(released(database, land, seed))
        assert counts["500E1000N1000"] is not None
        assert counts["100E5000N5000"] is None
        assert counts["100E5001N5000"] is None
        assert counts["100E5002N5000"] is not None


def test_a_township_is_not_what_the_county_leaves(database: str) -> None:
    with psycopg.connect(database) as connection:
        towns = [
            code
            for (code,) in connection.execute(
                "SELECT code FROM reg.divisions WHERE level = 'township' AND code / 1000000 = 640104 LIMIT 3"
            )
        ]
    land = {
        (towns[0], 5000, 5000): Plot(5, {"permanent": 40}),
        (towns[1], 5010, 5000): Plot(5, {"permanent": 50}),
        (towns[2], 5020, 5000): Plot(5, {"permanent": 4}),
    }
    counts = by_name(released(database, land))
    assert counts[str(COUNTY)] is not None
    assert [counts[str(town)] is None for town in towns] == [True, False, True]


def test_who_lives_where_only_the_county_is_known_is_not_what_the_townships_leave(database: str) -> None:
    """The rest of a county is never published; where it is small, a township is withheld for its sake."""
    with psycopg.connect(database) as connection:
        towns = [
            code
            for (code,) in connection.execute(
                "SELECT code FROM reg.divisions WHERE level = 'township' AND code / 1000000 = 640104 LIMIT 2"
            )
        ]
    land = {
        (towns[0], 5000, 5000): Plot(5, {"permanent": 40}),
        (towns[1], 5010, 5000): Plot(5, {"permanent": 60}),
        (COUNTY, 5020, 5000): Plot(5, {"permanent": 4}),
    }
    counts = by_name(released(database, land))
    assert counts[str(COUNTY)] is not None
    assert [counts[str(town)] is None for town in towns] == [True, False]


def test_a_small_category_is_told_with_the_largest_or_hides_another(database: str) -> None:
    """Of 400 and 4 all are 404: either the 4 count as permanent, or the larger category is withheld too."""
    many, few = (COUNTY, 5000, 5000), (OTHER_COUNTY, 6000, 6000)
    land = {many: Plot(8, {"permanent": 400, "floating": 4}), few: Plot(8, {"permanent": 40, "floating": 4})}
    counts = released(database, land)
    assert by_name(counts, "floating")["1000E500N500"] is None
    assert by_name(counts, "permanent")["1000E500N500"] == by_name(counts)["1000E500N500"]
    assert by_name(counts, "permanent")["1000E600N600"] is None


def test_nobody_lives_here_is_not_published(database: str) -> None:
    """A zero of all residents tells of each home that it is empty, however many there are."""
    land = {
        (COUNTY, 5000, 5000): Plot(8),
        (OTHER_COUNTY, 5000, 5000): Plot(8, {"permanent": 40}),
        (OTHER_COUNTY, 5010, 5000): Plot(8, {"permanent": 50}),
        (OTHER_COUNTY, 5020, 5000): Plot(8),
    }
    counts = released(database, land)
    assert [count for count in counts if count.category == ALL and count.n == 0] == []


def test_no_zero_is_shown_below_one_kilometre(database: str) -> None:
    counts = released(database, {(COUNTY, 5000, 5000): Plot(8, {"permanent": 40})})
    empty = {count.area for count in counts if count.n == 0}
    assert "1000E500N500" in empty
    assert str(COUNTY) in empty
    assert {area for area in empty if area.startswith(("100E", "500E"))} == set()


@pytest.mark.parametrize("seed", range(6))
def test_no_total_gives_back_what_is_withheld_of_it(database: str, seed: int) -> None:
    divisions = lands.some_divisions(database, 14)
    land = lands.towns(divisions, seed) if seed % 2 else lands.hamlets(divisions[:3], seed)
    assert given_back(released(database, land, seed), land) == []


@pytest.mark.parametrize("seed", range(6))
def test_nobody_recovers_a_count_even_from_all_perturbed_pieces(database: str, seed: int) -> None:
    """Every small count, and every one of a lone home, leaves at least four values, by integer programming."""
    divisions = lands.some_divisions(database, 14)
    land = (
        lands.towns(divisions, seed),
        lands.hamlets(divisions[:3], seed),
        lands.township(lands.villages(database, 4), seed),
    )[seed % 3]
    counts = released(database, land, seed)
    known = lands.behind(database, land)
    attack = Attack(land, known)
    for count in sensitive(counts, land)[:: 6 if len(land) > 30 else 1]:
        low, high = attack.range_of(count.places, count.category)
        true = exact(land, count.places, count.category)
        assert low <= true <= high
        assert high - low >= 3, (count, low, high)


@pytest.mark.parametrize("seed", range(2))
def test_no_difference_of_released_numbers_recovers_a_count(database: str, seed: int) -> None:
    """Two areas, two dates, two categories, divisions, squares, hexagons, tiles, plans; 10,000 by ``make bench``."""
    outcomes = Siege(database, lands.towns(lands.some_divisions(database, 14), seed), seed).outcomes(45)
    assert len({one.kind for one in outcomes}) >= 7
    assert [one for one in outcomes if one.recovered] == []
    assert all(one.least <= one.true <= one.most for one in outcomes)


def test_who_moved_is_not_the_difference_of_two_months(database: str) -> None:
    """One person less is another cell key, and so another noise."""
    places = [(COUNTY, 5000 + 10 * step, 5000) for step in range(40)]
    land = {place: Plot(8, {"permanent": 40}) for place in places}
    before = by_name(released(database, land))
    with psycopg.connect(database) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "UPDATE reg.residencies SET during = '[2025-01-01,2026-01-15)' WHERE person_id %% 40 = %s", (1,)
        )
    disclosure.release(LATER)
    after = by_name(lands.published(database, land, planner=True, day=LATER))
    squares = [f"1000E{500 + step}N500" for step in range(40)]
    changes = {(after[square] or 0) - (before[square] or 0) for square in squares}
    assert len(changes) >= 5, "one moved from each square, and the differences say anything"


def test_maps_and_the_desks_behind_them_read_counts_only_where_they_are_released(database: str) -> None:
    """Nor may they make a release, or ask what it is made from."""
    asked = (
        "SELECT count(*) FROM reg.residencies",
        "SELECT record_key FROM reg.residencies",
        "SELECT * FROM calc.building_residents",
        "SELECT calc.fill_pieces('2026-01-01')",
        "SELECT calc.fill_gate('2026-01-01', 1, 1)",
        "SELECT calc.release_counts('2026-01-01', 1, 1, 1)",
        "INSERT INTO pub.releases (release, withheld_below) VALUES ('2026-01-01', 1)",
    )
    with psycopg.connect(database, autocommit=True) as connection:
        for role in ("planner", "public", "accounts"):
            connection.execute(f"SET ROLE menpai_test_{role}")
            for statement in asked:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)


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
    lands.settle(database, land)
    disclosure.release(DAY)
    before = lands.published(database, land, planner=True)
    with psycopg.connect(database) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM reg.residencies WHERE person_id = 1")
    with pytest.raises(ReleaseExists, match="2026-01-29"):
        disclosure.release(DAY)
    assert lands.published(database, land, planner=True) == before


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
