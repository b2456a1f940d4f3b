"""Attacks by differencing: two released numbers, or more, whose difference is a count that nobody may know."""

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import h3
import mapbox_vector_tile
import pandas as pd
import psycopg
import shapely

from gis.planning import density, disclosure
from tests.planning import lands
from tests.planning.attacks import Attack
from tests.planning.lands import ALL, CATEGORIES, DAY, Land, Piece, Place, Plot, Published

LATER = DAY + dt.timedelta(days=28)
Pieces = frozenset[Piece]


@dataclass(frozen=True)
class Difference:
    """What somebody works out from released numbers, and of whom."""

    kind: str
    pieces: Pieces
    said: int
    """What the numbers leave."""


@dataclass(frozen=True)
class Outcome:
    """What an attack came to."""

    kind: str
    true: int
    said: int
    least: int
    most: int

    @property
    def recovered(self) -> bool:
        """Tell whether nothing else is possible."""
        return self.least == self.most


def pieces_of(places: frozenset[Place], category: str) -> Pieces:
    """Return the pieces that a count is of."""
    return frozenset((place, each) for place in places for each in (CATEGORIES if category == ALL else [category]))


def residents(land: Land, pieces: Pieces) -> int:
    """Return how many live there."""
    return sum(land[place].residents.get(category, 0) for place, category in pieces)


def differences(counts: list[Published]) -> Iterator[Difference]:
    """Yield what the numbers of one release leave of each other."""
    shown = [count for count in counts if count.n is not None]
    by_category = defaultdict(list)
    for count in shown:
        by_category[count.category].append(count)
    yield from _of_categories(shown)
    for of in by_category.values():
        yield from _of_two_areas(of)
        for total in of:
            below = [count for count in of if count.places < total.places]
            divisions = [count for count in below if "E" not in count.area]
            for size in (100, 500, 1000):
                squares = [count for count in below if count.area.startswith(f"{size}E")]
                kind = "nested squares" if "E" in total.area else "squares in a division"
                yield from _left(kind, total, squares)
            if "E" not in total.area:
                highest = [one for one in divisions if not any(one.places < other.places for other in divisions)]
                yield from _left("nested divisions", total, highest)


def _of_two_areas(counts: list[Published]) -> Iterator[Difference]:
    for one in counts:
        for other in counts:
            if other.places < one.places:
                pieces = pieces_of(one.places - other.places, one.category)
                yield Difference("two areas", pieces, (one.n or 0) - (other.n or 0))


def _of_categories(shown: list[Published]) -> Iterator[Difference]:
    by_area: dict[str, dict[str, Published]] = defaultdict(dict)
    for count in shown:
        by_area[count.area][count.category] = count
    for of in by_area.values():
        hidden = [category for category in CATEGORIES if category not in of]
        if ALL in of and hidden:
            pieces = frozenset((place, category) for place in of[ALL].places for category in hidden)
            known = sum(count.n or 0 for category, count in of.items() if category != ALL)
            yield Difference("two categories", pieces, (of[ALL].n or 0) - known)


def _left(kind: str, total: Published, parts: list[Published]) -> Iterator[Difference]:
    """Yield what is left of a total where some of its parts are shown; parts that are the same ground count once."""
    distinct = {part.places: part for part in parts}
    rest = total.places - frozenset().union(*distinct)
    if distinct and rest:
        said = (total.n or 0) - sum(part.n or 0 for part in distinct.values())
        yield Difference(kind, pieces_of(rest, total.category), said)


def against_hexagons(counts: list[Published]) -> Iterator[Difference]:
    """Yield what hexagons, made of squares of 1 km, leave beside the finer squares within them."""
    of = {(count.area, count.category): count for count in counts}
    for category in (ALL, *CATEGORIES):
        hexagons = density.by_cell("h3:7", category, on=DAY).frame
        squares = density.by_cell("1000", category, on=DAY).frame
        centres = shapely.centroid(squares.geometry.to_numpy())
        within = defaultdict(list)
        for name, centre in zip(squares["area"], centres, strict=True):
            within[h3.latlng_to_cell(centre.y, centre.x, 7)].append(of[name, category])
        for name, n in zip(hexagons["area"], hexagons["n"], strict=True):
            places = frozenset().union(*(count.places for count in within[name] if count.n is not None))
            if not places:
                continue
            total = Published(name, category, places, int(n))
            for size in (100, 500):
                parts = [
                    count
                    for count in counts
                    if count.category == category
                    and count.n is not None
                    and count.area.startswith(f"{size}E")
                    and count.places <= places
                ]
                yield from _left("squares against H3", total, parts)


def of_tiles(url: str) -> dict[tuple[str, str], int | None]:
    """Return what vector tiles say of each square of one tile, by its name and category."""
    found: dict[tuple[str, str], int | None] = {}
    with psycopg.connect(url) as connection:
        connection.execute("SET ROLE menpai_test_planner")
        for category in (ALL, *CATEGORIES):
            for size in (100, 500, 1000):
                row = connection.execute("SELECT calc.cells_tile(10, 813, 396, %s, %s, %s)", (size, category, DAY))
                tile = mapbox_vector_tile.decode(next(iter(row))[0])
                for feature in tile.get("cells", {"features": []})["features"]:
                    found[feature["properties"]["cell"], category] = feature["properties"].get("n")
    return found


def move_some(url: str, land: Land, lot: random.Random) -> Land:
    """Let a household of 1 to 9 of one category leave some places in the month after DAY; return the land then."""
    after = dict(land)
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        for place, plot in land.items():
            category = lot.choice(sorted(plot.residents) or [""])
            if not category or lot.random() < 0.5:
                continue
            leave = min(lot.randint(1, 9), plot.residents[category])
            connection.execute(
                "UPDATE reg.residencies SET during = '[2025-01-01,2026-01-15)' WHERE id IN ("
                " SELECT r.id FROM reg.residencies r JOIN reg.buildings b ON b.number = r.building_number"
                " WHERE (b.division_code, b.east_100m, b.north_100m, r.category) = (%s, %s, %s, %s)"
                " ORDER BY r.id LIMIT %s)",
                (*place, category, leave),
            )
            remain = {**plot.residents, category: plot.residents[category] - leave}
            after[place] = Plot(plot.buildings, {each: many for each, many in remain.items() if many})
    return after


class Siege:
    """All that can be tried on one land, over two months."""

    def __init__(self, url: str, land: Land, seed: int) -> None:
        """Settle and release it twice, some having moved between."""
        self._lot = random.Random(seed)  # noqa: S311 - the same attacks each time
        self._url = url
        lands.settle(url, land, seed)
        disclosure.release(DAY)
        self.land, self.later = land, move_some(url, land, self._lot)
        disclosure.release(LATER)
        self.counts = lands.published(url, land, planner=True)
        self.counts_later = lands.published(url, self.later, planner=True, day=LATER)
        self.attack = Attack(land, lands.behind(url, land))
        self.attack_later = Attack(self.later, lands.behind(url, self.later, LATER))

    def outcomes(self, many: int) -> list[Outcome]:
        """Return what some attacks came to, about as many of each kind."""
        by_kind = defaultdict(list)
        for difference in [*differences(self.counts), *against_hexagons(self.counts)]:
            if self._forbidden(difference.pieces):
                by_kind[difference.kind].append(difference)
        months = self._of_two_months()
        tiles = self._of_tiles()
        share = many // (len(by_kind) + 3) + 1
        drawn = [one for found in by_kind.values() for one in self._lot.sample(found, min(share, len(found)))]
        return [
            *(self._outcome(one) for one in drawn),
            *self._lot.sample(months, min(share, len(months))),
            *self._lot.sample(tiles, min(share, len(tiles))),
            *(self._of_two_plans() for _ in range(min(share, 8))),
        ]

    def _forbidden(self, pieces: Pieces) -> bool:
        """Tell whether a count is one that nobody may work out: 1 to 9 people, or those of one or two buildings."""
        places = {place for place, _ in pieces}
        few = sum(self.land[place].buildings for place in places) < disclosure.LEAST_BUILDINGS
        return few or 1 <= residents(self.land, pieces) < disclosure.WITHHELD_BELOW

    def _outcome(self, one: Difference) -> Outcome:
        least, most = self.attack.range_over(one.pieces)
        return Outcome(one.kind, residents(self.land, one.pieces), one.said, least, most)

    def _of_two_months(self) -> list[Outcome]:
        """Return what the change of each area tells of 1 to 9 who left."""
        later = {(count.area, count.category): count for count in self.counts_later}
        found = []
        for count in self.counts:
            other = later.get((count.area, count.category))
            pieces = pieces_of(count.places, count.category)
            left = residents(self.land, pieces) - residents(self.later, pieces)
            if other and count.n is not None and other.n is not None and 1 <= left < disclosure.WITHHELD_BELOW:
                before, after = self.attack.range_over(pieces), self.attack_later.range_over(pieces)
                limits = before[0] - after[1], before[1] - after[0]
                found.append(Outcome("two dates", left, count.n - other.n, *limits))
            if len(found) >= 40:
                break
        return found

    def _of_tiles(self) -> list[Outcome]:
        """Return what tiles tell of squares that the map and its files, drawn from the same frame, withhold."""
        tiles, found = of_tiles(self._url), []
        for category in (ALL, *CATEGORIES):
            for size in ("100", "500", "1000"):
                frame = density.by_cell(size, category, on=DAY).frame
                files = dict(zip(frame["area"], frame["n"], strict=True))
                for count in self.counts:
                    pieces = pieces_of(count.places, count.category)
                    known = (count.area, count.category)
                    here = count.category == category and count.area in files and known in tiles
                    if here and self._forbidden(pieces):
                        said = [n for n in (tiles[known], files[count.area]) if n is not None and not pd.isna(n)]
                        limits = self.attack.range_over(pieces) if not any(said) else (said[0], said[0])
                        found.append(Outcome("tiles against files", residents(self.land, pieces), sum(said), *limits))
        return found

    def _of_two_plans(self) -> Outcome:
        """Return what two plans, one of which serves a household more, tell of it by their rounded sums."""
        others, household = self._lot.randint(10, 5000), self._lot.randint(1, 9)
        one, other = disclosure.shown(others + household), disclosure.shown(others)
        assert one is not None
        assert other is not None
        half = disclosure.ROUNDED_TO // 2
        possible = [size for size in range(1, 10) if abs(one - other - size) < 2 * half]
        return Outcome("plans against plans", household, one - other, min(possible), max(possible))
