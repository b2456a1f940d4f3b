"""Buildings that agree with an address in everything it states; what it leaves out, they may have."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from gis.addresses.gazetteers import Divisions
from gis.addresses.reading import Elements, site
from gis.register.matching.index import SHEDS, Index

_MOST: Final = 1024
"""Buildings looked at for one reading; an address that fits more is no address of one."""


class Found(NamedTuple):
    """A building and the reading by which it was found."""

    row: int
    read: Elements
    through_former: bool = False
    """A former name led here."""
    edits: int = 0
    """Slips in names that were forgiven."""


class Constraint(NamedTuple):
    """What the divisions of an address demand, in codes of the index; -1 is a name the register does not have."""

    counties: frozenset[int] | None
    township: int
    community: int


def constraint(index: Index, divisions: Divisions) -> Constraint:
    """Return the demands of the divisions that an address states."""
    return Constraint(
        divisions.counties,
        index.names.get(divisions.township, -1),
        index.names.get(divisions.community, -1),
    )


def in_divisions(index: Index, row: int, demands: Constraint) -> bool:
    """Tell whether a building stands in the divisions that are stated."""
    views = index.views
    return (
        (demands.counties is None or views["county"][row] in demands.counties)
        and demands.township in (0, views["township"][row])
        and demands.community in (0, views["community"][row])
    )


def find(index: Index, read: Elements, demands: Constraint) -> Iterator[Found]:
    """Yield the buildings that agree with a reading, active or not."""
    if read.place:
        for place, county in _places(index, read.place):
            yield from _of_street(index, read, demands, place, county)
    elif read.compound:
        for compound, county in _places(index, read.compound):
            building = _number(index, read.building)
            if building < 0:
                return
            narrowed = index.find("compound", compound, 0, building or None)
            for row in narrowed[:_MOST]:
                if (county is None or index.views["county"][row] == county) and agrees(index, row, read, demands):
                    yield Found(row, read, county is not None)
        if read.compound not in index.names:
            yield from _behind_street(index, read, demands)
    elif read.number and demands.community > 0:
        yield from _of_village(index, read, demands)


def agrees(index: Index, row: int, read: Elements, demands: Constraint) -> bool:
    """Tell whether a building agrees with all numbers and divisions that are stated."""
    views, code = index.views, index.numbers.get
    return (
        in_divisions(index, row, demands)
        and (not read.number or code(read.number, -1) == views["number"][row])
        and (not read.building or code(read.building, -1) == views["building"][row])
        and (not read.group or code(read.group, -1) == views["group"][row])
        and (not read.zone or code(read.zone, -1) == views["zone"][row])
        and (not read.kind or views["shed"][row] == SHEDS[read.kind])
    )


def _places(index: Index, name: str) -> Iterator[tuple[int, int | None]]:
    """Yield the codes of a name: as it is in force, and what it was the former name of, with the county of that."""
    code = index.names.get(name) or index.names.get(name.removesuffix("小区")) or index.names.get(site(name))
    if code:
        yield code, None
    for county, current in index.former.get(name, ()):
        yield current, county


def _of_street(index: Index, read: Elements, demands: Constraint, place: int, county: int | None) -> Iterator[Found]:
    """Yield what agrees along a street or in a hamlet."""
    number, building = _number(index, read.number), _number(index, read.building)
    if number <= 0 or building < 0:
        return
    compound = index.names.get(read.compound, -1)
    if compound < 0 and read.compound.endswith("小区"):
        compound = index.names.get(read.compound.removesuffix("小区"), -1)
    if compound < 0:
        return
    meant = index.aliases.get(compound, ())
    for row in index.find("street", place, number, building or None)[:_MOST]:
        stands = index.views["compound"][row]
        if compound and stands != compound and stands not in meant:
            continue
        if (county is None or index.views["county"][row] == county) and agrees(index, row, read, demands):
            yield Found(row, read, county is not None)


def _behind_street(index: Index, read: Elements, demands: Constraint) -> Iterator[Found]:
    """Yield what agrees where a street without a number stands before the compound: 建设街书香苑3号楼."""
    for at in range(2, len(read.compound) - 1):
        compound, building = index.names.get(read.compound[at:]), _number(index, read.building)
        if not compound or building < 0:
            continue
        for place, county in _places(index, read.compound[:at]):
            for row in index.find("compound", compound, 0, building or None)[:_MOST]:
                same = index.views["place"][row] == place and county in (None, index.views["county"][row])
                if same and agrees(index, row, read, demands):
                    yield Found(row, read, county is not None)


def _of_village(index: Index, read: Elements, demands: Constraint) -> Iterator[Found]:
    """Yield what agrees among the houses of a village; without a group, in all of its groups."""
    number = _number(index, read.number)
    if number <= 0:
        return
    if read.group:
        group = _number(index, read.group)
        rows: Sequence[int] = index.find("village", demands.community, group, number) if group > 0 else ()
    else:
        rows = [row for row in index.find("village", demands.community) if index.views["number"][row] == number]
    for row in rows[:_MOST]:
        if agrees(index, row, read, demands):
            yield Found(row, read)


def _number(index: Index, number: str) -> int:
    return index.numbers.get(number, -1)
