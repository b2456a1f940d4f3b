"""Towns: a turned grid of streets, and which community each of its blocks belongs to.

A town is laid out at its real size whatever is asked for, block by block from the middle outwards, and only as many
blocks are built as people are wanted: a smaller sample is the heart of the larger one, not a thinner copy of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from data.fiction import words
from data.fiction.places import County, Township
from data.fiction.shapes import Floats, Frame, Ints

_REACH: Final = 240
"""Streets drawn to each side of the middle; more than any town needs."""


@dataclass(frozen=True)
class Style:
    """How a town of some size is built. Lengths in metres."""

    spacing_m: tuple[float, float]
    """Between streets."""
    people_per_block: float
    """Mean over all blocks, empty ones too, as ``estates`` builds them."""
    floors: tuple[int, ...]
    floor_odds: tuple[float, ...]
    empty: float
    """Share of blocks without dwellings: parks, schools, offices, works."""
    halves: bool
    """Streets are called 东路, 西路, 北街, 南街 by the side of the middle."""


CITY: Final = Style((210.0, 330.0), 1270.0, (6, 11, 18, 26), (0.40, 0.30, 0.22, 0.08), 0.38, halves=True)
COUNTY_TOWN: Final = Style((170.0, 260.0), 520.0, (5, 6, 11, 18), (0.20, 0.50, 0.20, 0.10), 0.36, halves=True)
MARKET_TOWN: Final = Style((110.0, 165.0), 190.0, (4, 5, 6), (0.35, 0.40, 0.25), 0.30, halves=False)


@dataclass(frozen=True)
class Town:
    """A town's blocks, from the middle outwards; arrays have one entry a block."""

    index: int
    """0 is the county's main town."""
    county: County
    style: Style
    seed: int
    frame: Frame
    people: float
    """Residents at its real size."""
    box: Floats
    """(n, 4): west, south, east, north of what may be built on, metres of the frame."""
    street: Ints
    """(n, 2): the street along the south side and the street along the west side, 0 in the middle."""
    quarter: npt.NDArray[np.object_]
    """(n,): township and community, as addresses write them."""
    ground: npt.NDArray[np.object_]
    """(n,): the block with half of its streets, polygons in EPSG:4490."""

    @cached_property
    def names(self) -> npt.NDArray[np.intp]:
        """Return the order in which streets take the words: east-west streets the even, north-south the odd."""
        return np.random.default_rng([self.seed, self.county.code, self.index, 1]).permutation(len(words.STREETS))

    def street_name(self, line: int, other: int, *, east_west: bool) -> str:
        """Name the street ``line`` at its crossing with ``other``."""
        place = 2 * line if line >= 0 else -2 * line - 1
        word = words.STREETS[self.names[(2 * place + east_west) % len(words.STREETS)]]
        kind = "路" if east_west else "街"
        sides = ("西", "东") if east_west else ("南", "北")
        return f"{word}{sides[other >= 0]}{kind}" if self.style.halves else f"{word}{kind}"

    @cached_property
    def first_street(self) -> int:
        """Return the outermost street in the south or west, where a small town begins to count."""
        return int(self.street.min()) if len(self.street) else 0

    def house_number(self, other: int, slot: int, *, odd: bool) -> int:
        """Number the ``slot``-th plot (0-19) of the block that starts at street ``other``; unique on its side."""
        outwards = other if other >= 0 else -other - 1
        along = outwards if self.style.halves else other - self.first_street
        return along * 40 + 2 * slot + (1 if odd else 2)


def lay_out(  # noqa: PLR0913, PLR0917 - a town is that much
    county: County,
    index: int,
    townships: list[Township],
    style: Style,
    people: float,
    taken: Sequence[shapely.Geometry],
    seed: int,
) -> Town:
    """Lay a town out around its township's place; ``taken`` is ground (EPSG:4490) that earlier towns hold."""
    rng = np.random.default_rng([seed, county.code, index])
    frame = Frame(townships[0].lon, townships[0].lat, round(float(rng.uniform(-14.0, 14.0)), 1))
    south, west = _lines(rng, style), _lines(rng, style)
    wanted = int(1.25 * people / style.people_per_block) + 4
    half = 3
    while True:
        box, street, ground = _blocks(frame, south, west, half)
        free = _free(ground, county.boundary, taken)
        if free.sum() >= 1.35 * wanted or half >= _REACH - 1:
            break
        half = min(int(half * 1.4) + 1, _REACH - 1)
    box, street, ground = box[free], street[free], ground[free]
    middle = np.hypot((box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2)
    ragged = _noise((seed * 1009 + county.code * 31 + index) % 2**31, street)
    order = np.argsort(middle * (1.0 + 0.3 * ragged), kind="stable")[:wanted]
    quarter = _quarters(rng, box[order], townships)
    return Town(index, county, style, seed, frame, people, box[order], street[order], quarter, ground[order])


def _lines(rng: np.random.Generator, style: Style) -> tuple[Floats, Floats]:
    """Return where streets run, (2 * _REACH,), and half their widths: every third is an avenue."""
    low, high = style.spacing_m
    gaps = rng.uniform(low, high, 2 * _REACH)
    at = np.cumsum(gaps)
    number = np.arange(2 * _REACH) - _REACH
    avenue = 1.8 if style.halves else 1.3
    return at - at[_REACH], np.where(number % 3 == 0, 0.05 * low * avenue, 0.05 * low)


def _blocks(
    frame: Frame, south: tuple[Floats, Floats], west: tuple[Floats, Floats], half: int
) -> tuple[Floats, Ints, npt.NDArray[np.object_]]:
    """Return box, streets and ground of the blocks up to ``half`` streets from the middle."""
    line = np.arange(-half, half)
    i, j = (grid.ravel() for grid in np.meshgrid(line, line, indexing="ij"))
    (ys, y_half), (xs, x_half) = south, west
    a, b = i + _REACH, j + _REACH
    box = np.column_stack([xs[b] + x_half[b], ys[a] + y_half[a], xs[b + 1] - x_half[b + 1], ys[a + 1] - y_half[a + 1]])
    corners = np.stack([xs[b], ys[a], xs[b + 1], ys[a], xs[b + 1], ys[a + 1], xs[b], ys[a + 1]], axis=1)
    lonlat = frame.to_lonlat(corners.reshape(-1, 2)).reshape(-1, 4, 2)
    return box, np.column_stack([i, j]), np.asarray(shapely.polygons(lonlat), dtype=object)


def _free(
    ground: npt.NDArray[np.object_], boundary: shapely.Geometry, taken: Sequence[shapely.Geometry]
) -> npt.NDArray[np.bool_]:
    """Tell which blocks lie whole inside the county and on nobody else's ground."""
    shapely.prepare(boundary)
    free = np.asarray(shapely.contains_properly(boundary, ground), dtype=bool)
    if taken:
        clash = shapely.STRtree(taken).query(ground, predicate="intersects")[0]
        free[clash] = False
    return free


def _noise(key: int, street: Ints) -> Floats:
    """Return numbers in 0 … 1, (n,), that depend only on the key and the streets, so that a town grows in place."""
    mixed = (street[:, 0] * 73_856_093) ^ (street[:, 1] * 19_349_663) ^ (key * 83_492_791)
    for _ in range(3):
        mixed = ((mixed & 0x7FFFFFFF) * 48_271 + 11) % 0x7FFFFFFF
    return mixed / 0x7FFFFFFF


def _quarters(rng: np.random.Generator, box: Floats, townships: list[Township]) -> npt.NDArray[np.object_]:
    """Give each block the township and community whose middle is nearest: contiguous quarters, invented."""
    xy = np.column_stack([box[:, 0] + box[:, 2], box[:, 1] + box[:, 3]]) / 2
    parts = _nearest(xy, _spread(rng, xy, len(townships)))
    out = np.empty(len(xy), dtype=object)
    for part, township in enumerate(townships):
        which = np.flatnonzero(parts == part)
        names = [f"{township.name}{community}" for community in township.communities] or [township.name]
        nearest = _nearest(xy[which], _spread(rng, xy[which], len(names))) if which.size else np.empty(0, dtype=int)
        out[which] = np.array(names, dtype=object)[nearest]
    return out


def _spread(rng: np.random.Generator, xy: Floats, count: int) -> Floats:
    """Return ``count`` of the points, or all, each as far as possible from those before it."""
    chosen = [int(rng.integers(max(1, min(len(xy), 12))))]
    distance = np.hypot(*(xy - xy[chosen[0]]).T)
    while len(chosen) < min(count, len(xy)):
        chosen.append(int(np.argmax(distance)))
        distance = np.minimum(distance, np.hypot(*(xy - xy[chosen[-1]]).T))
    return xy[chosen]


def _nearest(xy: Floats, middles: Floats) -> npt.NDArray[np.intp]:
    """Return which of the middles is nearest to each point."""
    return np.asarray(np.argmin(np.hypot(*(xy[:, None] - middles[None]).transpose(2, 0, 1)), axis=1))
