"""Dwellings: what people live in inside a building. They are added, merged and taken out, and never renumbered.

Their status is physical: nobody who lives somewhere, or does not, changes it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import product

from gis.errors import BadStructure
from gis.register.checking import MOST_DWELLINGS
from gis.register.versions import DwellingFact
from gis.terms import DwellingStatus

EXISTS, MERGED, REMOVED = (status.value for status in DwellingStatus)
_LONGEST = 20
Dwellings = tuple[DwellingFact, ...]


@dataclass(frozen=True)
class Room:
    """A dwelling as somebody names it: entrance, floor and the number on its door."""

    room: str
    entrance: int | None = None
    floor: int | None = None


def laid_out(
    entrances: int | None, floors: int | None, rooms_per_floor: int | None, rooms: Sequence[Room] = ()
) -> Dwellings:
    """Return a new building's dwellings: those listed, or entrances × floors × rooms per floor, or a single one.

    Rooms are called as Chinese plates call them: 502 is the second room of the fifth floor. Raises BadStructure.
    """
    if rooms:
        return added((), rooms)
    if rooms_per_floor is None:
        return ((1, None, None, None, EXISTS),)
    if (entrances or 1) * (floors or 1) * rooms_per_floor > MOST_DWELLINGS:
        raise BadStructure(why=f"a building has at most {MOST_DWELLINGS} dwellings")
    stairs, storeys, places = (range(1, (many or 1) + 1) for many in (entrances, floors, rooms_per_floor))
    named = product(stairs, storeys, places)
    return tuple(
        (sequence, entrance, floor, f"{floor * 100 + place}", EXISTS)
        for sequence, (entrance, floor, place) in enumerate(named, start=1)
    )


def added(dwellings: Dwellings, rooms: Sequence[Room]) -> Dwellings:
    """Return the dwellings with some more, numbered on; raises BadStructure for one that is there already."""
    present = {dwelling[1:4] for dwelling in dwellings if dwelling[4] == EXISTS}
    grown = list(dwellings)
    last = max((dwelling[0] for dwelling in dwellings), default=0)
    for sequence, room in enumerate(rooms, start=last + 1):
        name = room.room.strip()
        if not name or len(name) > _LONGEST or "\x00" in name:
            raise BadStructure(why=f"a dwelling is named by 1 to {_LONGEST} characters")
        place = (room.entrance, room.floor, name)
        if place in present:
            raise BadStructure(why=f"there is a dwelling {name} already")
        present.add(place)
        grown.append((sequence, *place, EXISTS))
    if len(grown) > MOST_DWELLINGS:
        raise BadStructure(why=f"a building has at most {MOST_DWELLINGS} dwellings")
    return tuple(grown)


def removed(dwellings: Dwellings, sequences: Collection[int]) -> Dwellings:
    """Return the dwellings with some taken out; at least one stays. Raises BadStructure."""
    return _ended(dwellings, sequences, REMOVED)


def merged(dwellings: Dwellings, into: int, sequences: Collection[int]) -> Dwellings:
    """Return the dwellings with some knocked through into another, which stays; raises BadStructure."""
    if into in sequences:
        raise BadStructure(why="a dwelling is not merged into itself")
    _ended(dwellings, [into], MERGED, least=0)  # it exists
    return _ended(dwellings, sequences, MERGED)


def _ended(dwellings: Dwellings, sequences: Collection[int], status: str, least: int = 1) -> Dwellings:
    """Return the dwellings with a status put on some that exist."""
    existing = {dwelling[0] for dwelling in dwellings if dwelling[4] == EXISTS}
    for sequence in sequences:
        if sequence not in existing:
            raise BadStructure(why=f"there is no dwelling {sequence:04d} in this building")
    if len(existing - set(sequences)) < least:
        raise BadStructure(why="a building has at least one dwelling; if none is left, demolish or retire it")
    return tuple((*one[:4], status) if one[0] in sequences else one for one in dwellings)
