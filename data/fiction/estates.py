"""What stands on the blocks of a town: estates of flats, street-side houses, construction sites with sheds."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

import numpy as np

from data.fiction import words
from data.fiction.shapes import SLAB, STAGGERED, Floats, Group
from data.fiction.towns import Town

_SITE_EVERY: Final = 40
_HOUSES: Final = 0.12
_MARGIN_M: Final = 9.0
_GAP_M: Final = 11.0
_SUN_M: Final = {4: 20.0, 5: 23.0, 6: 27.0, 11: 40.0, 18: 52.0, 26: 62.0}
"""Open ground between rows, so that the sun reaches the ground floor at the winter solstice."""
_STAIR_M: Final = {2: 18.0, 3: 22.0, 4: 26.0}
"""Length of a building for each entrance, by rooms on a floor."""
_LOW, _MIDDLE = 6, 11
SHEDS_UNTIL: Final = date(2027, 3, 31)
"""First expiry date of a work shed; the sample's year is 2026."""


def built(town: Town) -> Iterator[Group]:
    """Yield what stands on the town's blocks, from the middle outwards; empty blocks are left out."""
    for rank in range(len(town.box)):
        rng = np.random.default_rng([town.seed, town.county.code, town.index, 2, rank])
        draw = rng.random()
        if rank % _SITE_EVERY == 1:
            yield _site(town, rank, rng)
        elif rank == 2 or (rank and draw < _HOUSES):  # noqa: PLR2004 - every town shows each kind early
            yield _houses(town, rank, rng)
        elif rank == 0 or draw >= _HOUSES + town.style.empty:
            yield _estate(town, rank, rng)


def _estate(town: Town, rank: int, rng: np.random.Generator) -> Group:
    """Rows of slabs facing south, one kind of building throughout, as estates are built."""
    floors = town.style.floors[int(np.searchsorted(np.cumsum(town.style.floor_odds), rng.random() * 0.999))]
    rooms = _rooms(floors, rng.random())
    depth = 12.0 if floors <= _LOW else 13.5 if floors <= _MIDDLE else 17.0
    x, y, length, entrances = _rows(town.box[rank], floors, rooms, depth, rng)
    name = _estate_name(town, rank)
    line, other = (int(number) for number in town.street[rank])
    east_west = bool(rng.random() < 0.6)  # noqa: PLR2004 - a share
    along, cross = (line, other) if east_west else (other, line)
    number = town.house_number(cross, int(rng.integers(20)), odd=True)
    street = town.street_name(along, cross, east_west=east_west)
    start = f"{town.county.prefix}{town.quarter[rank]}{street}{number}号{name}"
    staggered = rng.choice([True, False]) & (entrances % 2 == 0) & (floors <= _MIDDLE)
    return Group(
        key=f"{town.county.code}-{town.seed}-T{town.index}-{rank}",
        frame=town.frame,
        x=x,
        y=y,
        width_m=length,
        depth_m=np.full(len(x), depth),
        form=np.where(staggered, STAGGERED, SLAB),
        addresses=[f"{start}{building}号楼" for building in range(1, len(x) + 1)],
        entrances=entrances,
        floors=floors,
        rooms_per_floor=rooms,
        premises=name,
    )


def _rooms(floors: int, draw: float) -> int:
    """Return how many dwellings share a landing: two in walk-ups, more around a lift."""
    if floors <= _LOW:
        return 2 if draw < 0.8 else 3  # noqa: PLR2004 - a share
    return 2 if floors <= _MIDDLE else 3 + (draw < 0.4)  # noqa: PLR2004 - a share


def _rows(
    box: Floats, floors: int, rooms: int, depth: float, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Return middle, length and entrances of the slabs that fit a block, row by row from the south."""
    west, south, east, north = box + np.array([_MARGIN_M, _MARGIN_M, -_MARGIN_M, -_MARGIN_M])
    pitch = depth + _SUN_M[floors]
    count = max(1, int((north - south - depth) // pitch) + 1)
    most = 5 if floors <= _LOW else 3 if floors <= _MIDDLE else 2
    entrances = rng.integers(2 if floors <= _MIDDLE else 1, most + 1, (count, 16))
    length = entrances * _STAIR_M[rooms]
    end = np.cumsum(length + _GAP_M, axis=1) - _GAP_M
    fits = end <= east - west
    slack = (east - west - np.max(np.where(fits, end, 0.0), axis=1)) * rng.choice([0.0, 0.5, 1.0])
    row = np.broadcast_to(np.arange(count)[:, None], fits.shape)
    green = rng.random(fits.shape) < 0.06  # noqa: PLR2004 - a share: a garden, a kindergarten
    green[0, 0] = False
    kept = fits & ~green
    x = west + slack[:, None] + end - length / 2
    spare = (north - south - depth - (count - 1) * pitch) / max(1, count - 1) if count > 1 else 0.0
    y = south + depth / 2 + row * (pitch + min(spare, 12.0)) + rng.uniform(-1.5, 1.5, fits.shape)
    return x[kept], y[kept], length[kept], entrances[kept]


def _estate_name(town: Town, rank: int) -> str:
    """Return a name that no other estate of the county has."""
    order = np.random.default_rng([town.seed, town.county.code, 3]).permutation(_NAMES)
    in_turn = rank if town.index == 0 else _NAMES // 2 + rank * _TOWNS + town.index
    phase, place = divmod(in_turn, _NAMES)
    word, kind = divmod(int(order[place]), len(words.ESTATE_TYPES))
    return words.ESTATES[word] + words.ESTATE_TYPES[kind] + ("", "二期", "三期", "四期", "五期")[phase]


_TOWNS: Final = 31
"""More than a county has: its market towns take names in turn."""
_NAMES: Final = len(words.ESTATES) * len(words.ESTATE_TYPES)


def _houses(town: Town, rank: int, rng: np.random.Generator) -> Group:
    """Houses of two or three floors along both east-west streets of a block, shops below and flats above."""
    west, south, east, north = town.box[rank]
    line, other = (int(number) for number in town.street[rank])
    front = float(rng.uniform(11.0, 14.0))
    count = min(20, int((east - west - 6.0) // front))
    slot = np.tile(np.arange(count), 2)
    side = np.repeat([0, 1], count)
    depth = rng.uniform(9.0, 12.0, 2 * count)
    x = west + 3.0 + (slot + 0.5) * front
    y = np.where(side == 0, south + 1.0 + depth / 2, north - 1.0 - depth / 2)
    kept = rng.random(2 * count) > 0.08  # noqa: PLR2004 - a share: gaps between houses
    kept[0] = True
    streets = [town.street_name(line + above, other, east_west=True) for above in (0, 1)]
    start = f"{town.county.prefix}{town.quarter[rank]}"
    addresses = [
        f"{start}{streets[s]}{town.house_number(other, int(n), odd=s == 0)}号"
        for s, n in zip(side[kept], slot[kept], strict=True)
    ]
    return Group(
        key=f"{town.county.code}-{town.seed}-T{town.index}-{rank}",
        frame=town.frame,
        x=x[kept],
        y=y[kept],
        width_m=front - rng.uniform(0.6, 2.5, 2 * count)[kept],
        depth_m=depth[kept],
        form=np.full(int(kept.sum()), SLAB),
        addresses=addresses,
        entrances=1,
        floors=rng.integers(2, 4, 2 * count)[kept],
        rooms_per_floor=2,
    )


def _site(town: Town, rank: int, rng: np.random.Generator) -> Group:
    """Rows of sheds in the corner of a construction site."""
    west, south = town.box[rank, :2] + 12.0
    rows, columns = 4, int(rng.integers(2, 4))
    column, row = (grid.ravel() for grid in np.meshgrid(np.arange(columns), np.arange(rows)))
    sheds = len(row)
    until = SHEDS_UNTIL + timedelta(days=int(rng.integers(0, 500)))
    order = np.random.default_rng([town.seed, town.county.code, 4]).permutation(
        len(words.BUILDERS) * len(words.PROJECTS)
    )
    builder, project = divmod(int(order[(rank // _SITE_EVERY + 17 * town.index) % len(order)]), len(words.PROJECTS))
    site = words.BUILDERS[builder] + words.PROJECTS[project]
    camp = words.CAMPS[int(rng.integers(len(words.CAMPS)))]
    start = f"{town.county.prefix}{town.quarter[rank]}{site}{camp}"
    return Group(
        key=f"{town.county.code}-{town.seed}-T{town.index}-{rank}",
        frame=town.frame,
        x=west + 9.1 + column * 20.5,
        y=south + 3.0 + row * 10.0,
        width_m=np.full(sheds, 18.2),
        depth_m=np.full(sheds, 5.8),
        form=np.full(sheds, SLAB),
        addresses=[f"{start}{shed}号板房" for shed in range(1, sheds + 1)],
        kind="work_shed",
        premises=f"{site}{camp}",
        valid_to=until.isoformat(),
        people_each=5.0,
    )
