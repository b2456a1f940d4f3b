"""Who lives how: the dwellings of a table of structures, and how many people each holds."""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from data.fiction.plans import CountyPlan
from data.fiction.shapes import Ints

_SIZES: Final = (0.24, 0.295, 0.215, 0.135, 0.065, 0.034, 0.016)
"""Share of households of 1 … 7 people; mean 2.65, Ningxia's of 2020."""
_EMPTY_FLATS, _EMPTY_COURTYARDS = 0.14, 0.18
SHED_BEDS, HUT_BEDS = 8, 2
"""No shed and no watchman's hut holds more, unless people have nowhere else to go."""


Truths: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Dwellings:
    """The dwellings of a table, in the order the register numbers them: entrance, floor, room. Arrays (n,)."""

    building: Ints
    """Row of the table, from 0."""
    entrance: Ints
    """From 1; 0 where the building is one dwelling without rooms."""
    room: Ints
    """Floor times 100 and the place on it: 502."""
    shed: Truths
    hut: Truths
    flat: Truths


def dwellings(buildings: pa.Table) -> Dwellings:
    """Return the dwellings that the register will make of these STRUCTURE_ROWS."""
    entrances, floors, rooms = (_whole(buildings[name]) for name in ("entrances", "floors", "rooms_per_floor"))
    each = np.maximum(entrances * floors * rooms, 1)
    building = np.repeat(np.arange(len(each)), each)
    place = np.arange(len(building)) - np.repeat(np.cumsum(each) - each, each)
    flat = (floors * rooms > 0)[building]
    floors, rooms = np.maximum(floors, 1)[building], np.maximum(rooms, 1)[building]
    floor = place % (floors * rooms) // rooms + 1
    return Dwellings(
        building=building,
        entrance=np.where(flat, place // (floors * rooms) + 1, 0),
        room=np.where(flat, floor * 100 + place % rooms + 1, 0),
        shed=pc.equal(buildings["kind"], "work_shed").to_numpy()[building],
        hut=pc.equal(buildings["kind"], "other_habitable").to_numpy()[building],
        flat=flat,
    )


def occupants(homes: Dwellings, plan: CountyPlan, rng: np.random.Generator) -> Ints:
    """Return how many people live in each dwelling, (n,): exactly the plan's residents, some dwellings empty."""
    count = len(homes.building)
    sizes = 1 + np.searchsorted(np.cumsum(_SIZES)[:-1], rng.random(count), side="right")
    sizes[homes.shed] = rng.integers(3, SHED_BEDS + 1, int(homes.shed.sum()))
    sizes[homes.hut] = rng.integers(1, HUT_BEDS + 1, int(homes.hut.sum()))
    empty = np.where(homes.flat, _EMPTY_FLATS, np.where(homes.shed, 0.06, _EMPTY_COURTYARDS))
    wanted = np.where(rng.random(count) < empty, 0, sizes)
    order = rng.permutation(count)
    over = int(wanted.sum()) - plan.residents
    if over > 0:
        _move_out(wanted, order, over)
    elif over < 0:
        _move_in(wanted, sizes, order, -over, homes.shed | homes.hut)
    return wanted


def _move_out(wanted: Ints, order: Ints, over: int) -> None:
    """Empty dwellings in the order given until ``over`` people fewer are left."""
    running = np.cumsum(wanted[order])
    whole = int(np.searchsorted(running, over, side="right"))
    wanted[order[:whole]] = 0
    if whole < len(order):
        wanted[order[whole]] -= over - (int(running[whole - 1]) if whole else 0)


def _move_in(wanted: Ints, sizes: Ints, order: Ints, short: int, lodging: Truths) -> None:
    """Fill empty dwellings in the order given, then crowd the homes, until ``short`` people more are housed."""
    empty = order[wanted[order] == 0]
    whole = int(np.searchsorted(np.cumsum(sizes[empty]), short, side="right"))
    wanted[empty[:whole]] = sizes[empty[:whole]]
    short -= int(sizes[empty[:whole]].sum())
    homes = order if lodging.all() else order[~lodging[order]]
    wanted[homes] += short // len(homes)
    wanted[homes[: short % len(homes)]] += 1


def _whole(column: pa.ChunkedArray) -> Ints:
    """Return a text column as whole numbers, 0 where it is empty."""
    return np.asarray(pc.fill_null(column.cast(pa.int64()), 0).to_numpy(), dtype=np.int64)
