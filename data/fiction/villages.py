"""Villages: hamlets of courtyards in rows around a village's middle, and a hut or two beyond them.

Which village is real and to which township it belongs is reference data; where it lies is invented.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from data.fiction import words
from data.fiction.places import County, Township
from data.fiction.shapes import COURTYARD, SLAB, Floats, Frame, Group

_HILLS_SOUTH_OF: Final = 37.0
_LOT_M: Final = (16.0, 27.0)
"""A courtyard with its share of the lane: along the row, across it."""
_HUT_ODDS: Final = 0.45
_DIGITS: Final = "零一二三四五六七八九十"
_TRIES: Final = 12
_CURVE_M: Final = 14.0
"""How far a row may bend away from straight."""


class Place(NamedTuple):
    """Where a hamlet stands, metres of the county's frame, and the heading of its road, degrees from the east."""

    x: float
    y: float
    heading_deg: float


@dataclass
class Ground:
    """Where hamlets of one county may still go: circles that never touch each other, a town or the boundary."""

    county: County
    radius_m: float
    towns: shapely.STRtree
    _held: dict[tuple[int, int], list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    @property
    def pitch_m(self) -> float:
        """Return how far apart the middles of two circles are at least."""
        return 2 * self.radius_m + 10.0

    def open_places(self, xy: Floats) -> Floats:
        """Return those points (metres of the county's frame) whose circle is in the county and off the towns."""
        return np.asarray(xy[self.are_open(xy)])

    def are_open(self, xy: Floats) -> npt.NDArray[np.bool_]:
        """Tell which points are such, (n,)."""
        lonlat = self.county.frame.to_lonlat(xy)
        points = shapely.points(lonlat)
        reach_deg = (self.radius_m + 40.0) / 85_000
        edge = shapely.boundary(self.county.boundary)
        ok = shapely.contains_xy(self.county.boundary, lonlat) & ~shapely.dwithin(edge, points, reach_deg)
        ok[self.towns.query(points, predicate="dwithin", distance=reach_deg)[0]] = False
        return np.asarray(ok, dtype=np.bool_)

    def hold(self, x: float, y: float) -> bool:
        """Take the circle around a point, or tell that another circle is in the way."""
        pitch = self.pitch_m
        cell = int(x // pitch), int(y // pitch)
        for i in (-1, 0, 1):
            for j in (-1, 0, 1):
                for a, b in self._held.get((cell[0] + i, cell[1] + j), ()):
                    if (a - x) ** 2 + (b - y) ** 2 < pitch**2:
                        return False
        self._held[cell].append((x, y))
        return True


def built(county: County, towns: Sequence[shapely.Geometry], people: float, seed: int) -> Iterator[Group]:
    """Yield the hamlets of a county, village by village, those near the main town first.

    ``towns`` is ground in EPSG:4490 that hamlets keep off; ``people`` is the county's rural population at real size,
    which sets how many hamlets a village has.
    """
    hills = county.frame.lat < _HILLS_SOUTH_OF
    houses = 30 if hills else 48
    rng = np.random.default_rng([seed, county.code, 5])
    ground = Ground(county, 112.0 if hills else 138.0, shapely.STRtree(towns))
    listed = [(township, village) for township in county.townships for village in township.villages]
    weight = rng.uniform(0.5, 1.5, len(listed))
    hamlets = np.maximum(1, np.ceil(weight / weight.sum() * 1.15 * people / (houses * 2.17))).astype(int)
    for index in _order(county, [township for township, _ in listed], rng):
        township, village = listed[index]
        yield from _village(ground, township, village, (int(index), int(hamlets[index]), houses), seed)


def _order(county: County, townships: list[Township], rng: np.random.Generator) -> list[int]:
    """Return villages in the order of building: roughly outwards from the main town."""
    if not townships:
        return []
    xy = county.frame.to_metres(np.array([[township.lon, township.lat] for township in townships]))
    far = (np.hypot(xy[:, 0], xy[:, 1]) + 4000.0) * rng.uniform(0.3, 1.0, len(xy))
    return [int(index) for index in np.argsort(far, kind="stable")]


def _village(
    ground: Ground, township: Township, village: str, size: tuple[int, int, int], seed: int
) -> Iterator[Group]:
    """Yield the hut of one village, where it has one, and its hamlets."""
    county = ground.county
    index, hamlets, houses = size
    rng = np.random.default_rng([seed, county.code, 6, index])
    start = f"{county.prefix}{township.name}{village}"
    group_word = words.GROUPS[int(rng.integers(3))]
    key = f"{county.code}-{seed}-V{index}"
    if rng.random() < _HUT_ODDS:
        yield from _hut(ground, township, start, f"{key}-H", rng)
    for number, (x, y, heading_deg) in enumerate(_places(ground, township, hamlets, rng), start=1):
        lon, lat = ground.county.frame.to_lonlat(np.array([[x, y]]))[0]
        frame = Frame(float(lon), float(lat), round((heading_deg + 45.0) % 90.0 - 45.0, 1))
        wanted = int(houses * rng.uniform(0.7, 1.3))
        yield _hamlet(frame, wanted, ground.radius_m, f"{start}{_in_words(number)}{group_word}", f"{key}-{number}", rng)


def _places(ground: Ground, township: Township, count: int, rng: np.random.Generator) -> list[Place]:
    """Return places for a village's hamlets, strung along a road somewhere in the township; fewer if it is full."""
    home = ground.county.frame.to_metres(np.array([[township.lon, township.lat]]))[0]
    held: list[Place] = []
    spread = 3200.0
    middle = np.empty((0, 2))
    while not len(middle) and spread < 60_000:  # noqa: PLR2004 - metres; no county is wider
        middle = ground.open_places(home + rng.normal(0.0, spread, (12, 2)))
        spread *= 1.3
    for _ in range(_TRIES):
        if len(held) >= count or not len(middle):
            break
        beside, heading = _road(middle[0] + rng.normal(0.0, 60.0 * len(held), 2), count, ground.pitch_m, rng)
        is_open = ground.are_open(beside)
        for (x, y), angle in zip(beside[is_open].tolist(), heading[is_open].tolist(), strict=True):
            if len(held) < count and ground.hold(x, y):
                held.append(Place(x, y, angle))
    return held


def _road(middle: Floats, count: int, pitch_m: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return points on both sides of a winding road, (n, 2), from its middle outwards, and its heading there."""
    steps = count + 3
    turns = np.cumsum(rng.normal(0.0, 9.0, (2, steps)), axis=1)
    heading = rng.uniform(-90.0, 90.0) + turns
    angle = np.deg2rad(heading)
    step = pitch_m * rng.uniform(1.0, 1.35, (2, steps)) * np.array([[1.0], [-1.0]])
    path = np.cumsum(np.stack([np.cos(angle) * step, np.sin(angle) * step], axis=-1), axis=1)
    aside = np.stack([-np.sin(angle), np.cos(angle)], axis=-1) * pitch_m
    near = rng.uniform(0.53, 0.8, (2, 2, steps, 1))
    beside = np.stack([path + aside * near[0], path - aside * near[1]], axis=2)  # end of the road, step, side
    order = beside.transpose(1, 0, 2, 3).reshape(-1, 2)
    return middle + order, np.repeat(heading.T.ravel(), 2)


def _hamlet(  # noqa: PLR0913, PLR0917 - a hamlet is that much
    frame: Frame, houses: int, radius_m: float, start: str, key: str, rng: np.random.Generator
) -> Group:
    """Draw courtyards in rows that bend a little together; they stay inside the circle."""
    along, across = _LOT_M
    columns, rows = _shape(houses, radius_m - _CURVE_M, float(rng.uniform(0.7, 2.2)))
    column, row = (grid.ravel() for grid in np.meshgrid(np.arange(columns), np.arange(rows)))
    kept = (rng.random(len(row)) > 0.07) & (np.arange(len(row)) < houses * 1.07)  # noqa: PLR2004 - a share: gaps
    kept[0] = True
    column, row = column[kept], row[kept]
    count = len(row)
    x = (column - (columns - 1) / 2) * along + rng.uniform(-4.0, 4.0, rows)[row] + rng.uniform(-1.0, 1.0, count)
    slope, bend = rng.uniform(-0.05, 0.05), rng.uniform(-1.0, 1.0) * _CURVE_M / 2 / radius_m**2
    y = ((rows - 1) / 2 - row) * across + slope * x + bend * x**2 + rng.uniform(-1.2, 1.2, count)
    winged = rng.random(count) < 0.45  # noqa: PLR2004 - a share
    return Group(
        key=key,
        frame=frame,
        x=x,
        y=y,
        width_m=rng.uniform(9.0, 12.4, count),
        depth_m=np.where(winged, rng.uniform(11.0, 14.0, count), rng.uniform(6.2, 8.2, count)),
        form=np.where(winged, COURTYARD, SLAB),
        addresses=[f"{start}{number}号" for number in range(1, count + 1)],
        people_each=2.65 * 0.82,
    )


def _shape(houses: int, radius_m: float, aspect: float) -> tuple[int, int]:
    """Return columns and rows for about so many houses, within the circle."""
    along, across = _LOT_M
    columns = max(2, round(float(np.sqrt(houses * 1.07 * across / along * aspect))))
    rows = max(1, int(np.ceil(houses * 1.07 / columns)))
    while (columns * along + 8.0) ** 2 + (rows * across) ** 2 > (2 * radius_m) ** 2:
        if columns * along > rows * across:
            columns -= 1
        else:
            rows -= 1
    return columns, rows


def _hut(ground: Ground, township: Township, start: str, key: str, rng: np.random.Generator) -> Iterator[Group]:
    """Yield a watchman's hut, alone in the fields."""
    for x, y, _ in _places(ground, township, 1, rng):
        lon, lat = ground.county.frame.to_lonlat(np.array([[x, y]]))[0]
        farm = words.FARMS[int(rng.integers(len(words.FARMS)))]
        yield Group(
            key=key,
            frame=Frame(float(lon), float(lat), 0.0),
            x=np.zeros(1),
            y=np.zeros(1),
            width_m=np.array([6.0]),
            depth_m=np.array([3.5]),
            form=np.array([SLAB]),
            addresses=[f"{start}{farm}1号值班房"],
            kind="other_habitable",
            people_each=1.0,
        )


def _in_words(number: int) -> str:
    """Write 1 … 99 in Chinese."""
    tens, ones = divmod(number, 10)
    head = "" if not tens else "十" if tens == 1 else f"{_DIGITS[tens]}十"
    return head + (_DIGITS[ones] if ones or not head else "")
