"""Buildings that an address means but for slips in its names; numbers must agree to the digit.

Candidates come through names one slip away; each must then explain the whole of what was written, the divisions that
could not be read included. A name that exists as it is written was not mistyped, and where two names are as near as
each other, neither is meant.
"""

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from gis.addresses.cleaning import NEARBY
from gis.addresses.gazetteers import Divisions, community_stem
from gis.addresses.reading import Elements
from gis.addresses.slips import leaves_out, shortened, slips, tells_apart
from gis.register.matching import exact
from gis.register.matching.exact import Constraint
from gis.register.matching.index import Index, view

_LONGEST: Final = 24
"""Characters of the longest name that is searched for with slips; sites carry long ones."""
_LEAST_ALONE: Final = 3
"""Characters of the shortest name that may carry a slip where nothing else confirms it."""
_LONG_NAME: Final = 8
"""From this length on a name may carry two slips."""
_MOST_SLIPS: Final = 3
_OFFICES: Final = (
    (re.compile("街道(?:办事处|办)|(?<=[一-鿿]{2})办事处"), "街道"),
    (re.compile("社区(?:居民委员会|居委会)|居民委员会|居委会"), "社区"),
    (re.compile("村?(?:村民委员会|村委会)|行政村"), "村"),
)


class Candidate(NamedTuple):
    """A building that explains an address with slips."""

    row: int
    read: Elements
    edits: int
    name: int
    """Code of the name that carries a slip; 0 where only a division does."""
    confirmed: bool
    """Another name is stated and agrees exactly."""


class Speller:
    """Names of an index by what is left of them without one character."""

    def __init__(self, index: Index) -> None:
        """Take the names under which the index finds buildings."""
        self.index = index
        hashes, codes = array("q"), array("i")
        for name, code in index.searchable():
            if len(name) <= _LONGEST:
                for left in shortened(name):
                    hashes.append(hash(left))
                    codes.append(code)
        order = np.argsort(np.frombuffer(hashes, dtype=np.int64), kind="stable") if hashes else np.empty(0, np.int64)
        self._hashes = view(np.frombuffer(hashes, dtype=np.int64)[order] if hashes else order)
        self._codes = view(np.frombuffer(codes, dtype=np.int32)[order] if codes else order.astype(np.int32))

    def near(self, written: str) -> set[int]:
        """Return the names one slip away from what was written, itself included."""
        found: set[int] = set()
        hashes, codes = self._hashes, self._codes
        for left in shortened(written):
            wanted = hash(left)
            at = bisect_left(hashes, wanted)
            while at < len(hashes) and hashes[at] == wanted:
                found.add(codes[at])
                at += 1
        return {code for code in found if slips(written, self.index.name_of(code), 1) <= 1}

    def near_endings(self, written: str) -> set[int]:
        """Return the names that what was written may end in, but for one slip."""
        found: set[int] = set()
        for start in range(max(0, len(written) - _LONGEST), max(1, len(written) - 1)):
            found |= self.near(written[start:])
        return found


def find(speller: Speller, read: Elements, divisions: Divisions, demands: Constraint) -> Iterator[Candidate]:
    """Yield the buildings that explain a reading with slips in its names, each with how many."""
    read = _plain(read)
    first, second = (read.place, read.compound) if read.place else (read.compound, "")
    if NEARBY.search(first) or NEARBY.search(second) or (0 in (demands.township + 1, demands.community + 1)):
        return
    index = speller.index
    known_first, known_second = _known(index, first), _known(index, second)
    seen: set[int] = set()
    for row in _rows(speller, read, first, second, demands):
        if row in seen or not exact.agrees(index, row, read, demands):
            continue
        seen.add(row)
        explained = _explain(index, row, read, divisions, (known_first, known_second))
        if explained is not None:
            yield explained


def _plain(read: Elements) -> Elements:
    """Write the divisions that stand unread before a name in one way: 街道 for 街道办事处, 村 for 村委会."""
    first = read.place or read.compound
    plain = first
    for office, word in _OFFICES:
        plain = office.sub(word, plain)
    if plain == first:
        return read
    return read._replace(place=plain) if read.place else read._replace(compound=plain)


def _known(index: Index, name: str) -> bool:
    """Tell whether a name exists as it is written: then it was not mistyped."""
    return bool(name) and (name in index.names or name in index.former)


def _rows(speller: Speller, read: Elements, first: str, second: str, demands: Constraint) -> Iterator[int]:
    """Yield buildings that one of the names may lead to, by their numbers."""
    index = speller.index
    number, building = index.numbers.get(read.number, -1), index.numbers.get(read.building, -1)
    group = index.numbers.get(read.group, -1)
    if min(number, building, group) < 0:
        return
    if read.place and number:
        for code in speller.near_endings(first):
            yield from index.find("street", code, number, building or None)
            if group:
                yield from index.find("village", code, group, number)
        if second and building:
            for code in speller.near(second):
                yield from index.find("compound", code, 0, building)
    elif group and number and demands.community > 0:
        yield from index.find("village", demands.community, group, number)
    elif read.compound and building:
        for code in speller.near_endings(first):
            yield from index.find("compound", code, 0, building)


def _explain(
    index: Index, row: int, read: Elements, divisions: Divisions, known: tuple[bool, bool]
) -> Candidate | None:
    """Return how a building explains what was written, or None where it does not."""
    first, second = (read.place, read.compound) if read.place else (read.compound, "")
    named = _main_name(index, row, read)
    if named == 0:
        return None
    name = index.name_of(named)
    edits, before = _least(first, name, index, row, divisions)
    if edits > (0 if known[0] else 2) or (edits == 2 and not before and len(name) < _LONG_NAME):  # noqa: PLR2004
        return None
    other = 0
    slipped = named if edits else 0
    if second:
        other = _compound_slips(index, row, second)
        if other > (0 if known[1] else 2 if len(second) >= _LONG_NAME else 1):
            return None
        slipped = slipped or (index.views["compound"][row] if other else 0)
    if edits + other > _MOST_SLIPS:
        return None
    confirmed = bool(divisions.community) or (bool(second) and min(edits, other) == 0) or (bool(before) and edits < 2)  # noqa: PLR2004
    if not confirmed and edits and (len(name) < _LEAST_ALONE or leaves_out(first, before + name)):
        return None
    return Candidate(row, read, edits + other, slipped, confirmed)


def _main_name(index: Index, row: int, read: Elements) -> int:
    """Return the building's own name of the kind that the reading states first."""
    views = index.views
    if read.group:
        return 0 if views["place"][row] else views["community"][row]
    return views["place"][row] if read.place else views["compound"][row]


def _least(written: str, name: str, index: Index, row: int, divisions: Divisions) -> tuple[int, str]:
    """Return the fewest slips that lead to what was written, and the divisions that stand before the name then."""
    plain = written
    best, best_before = 9, ""
    for before in _before(index, row, divisions, named=name):
        whole = before + name
        if abs(len(whole) - len(plain)) > 2 or len(whole) == 0:  # noqa: PLR2004
            continue
        edits = slips(plain, whole, 2)
        if edits < best and not (edits and tells_apart(plain, whole)):
            best, best_before = edits, before
    return best, best_before


def _before(index: Index, row: int, divisions: Divisions, named: str) -> list[str]:
    """Return what of a building's divisions may stand unread before its name."""
    views = index.views
    wholes = [""]
    if divisions.counties is None:
        county = index.gazetteer.county_names.get(views["county"][row], "")
        wholes += [county] if county else []
    if not divisions.township:
        township = index.name_of(views["township"][row])
        stem = township.removesuffix("街道").removesuffix("镇")
        wholes = [whole + name for whole in wholes for name in {"", township, stem, stem + "乡"}]
    if not divisions.community:
        community = index.name_of(views["community"][row])
        if community != named:
            names = {"", community} | ({community_stem(community)} if views["place"][row] else set())
            wholes = [whole + name for whole in wholes for name in names]
    return wholes


def _compound_slips(index: Index, row: int, written: str) -> int:
    """Return the fewest slips between a compound's name, or a shorter one it goes by, and what was written."""
    compound = index.views["compound"][row]
    best = 9
    names = [compound, *index.shorter.get(compound, ())]
    for code in names:
        name = index.name_of(code)
        edits = slips(written, name, 2)
        if edits < best and not (edits and tells_apart(written, name)):
            best = edits
    return best
