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
from gis.addresses.slips import another_kind, apart, leaves_out, mechanical, shortened, slips, tells_apart
from gis.register.matching import exact
from gis.register.matching.exact import Constraint
from gis.register.matching.index import Index, view

_LONGEST: Final = 24
"""Characters of the longest name that is searched for with slips; sites carry long ones."""
_MASK: Final = 2**24 - 1
_MOST_KEPT: Final = 50_000
_MOST_LOOKED_AT: Final = 256
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

_OFFICE_SLIPS: Final = re.compile(
    "(?<=[一-鿿]{2})(?:[一-鿿]民委员会|村[一-鿿]委员会|村民[一-鿿]员会|村民委[一-鿿]会|村民员会|村民委会|民委员会"
    "|村?[一-鿿]委会|村[一-鿿]会|行[一-鿿]村|[一-鿿]政村|政行村|行村政|村行政)"
)
"""What one slip makes of the word for a village's office."""


class Candidate(NamedTuple):
    """A building that explains an address with slips."""

    row: int
    read: Elements
    edits: int
    through_former: bool = False
    rival: bool = False
    """Not enough speaks for it to link it, but another that is as near may not be linked either."""
    slipped_after: str | None = None
    """The divisions unread before the name that carries a slip; None where no name does, or another confirms it."""
    named: int = 0
    """Code of that name."""


class _Reading(NamedTuple):
    """A way of writing the name of a building's place."""

    edits: int
    before: str
    """Divisions written before it."""
    name: str
    another_kind: bool
    """A slip turned the word for its kind into another (苑 for 园)."""
    former: bool


class Speller:
    """Names of an index by what is left of them without one character."""

    def __init__(self, index: Index) -> None:
        """Take the names under which the index finds buildings."""
        self.index = index
        hashes, codes = array("q"), array("i")
        self._starts: set[str] = set()
        """What names begin with, one character of them left out or not."""
        index.know_listed()
        for name, code in index.searchable():
            if len(name) <= _LONGEST:
                self._starts |= {name[:2], name[1:3], name[:1] + name[2:3]}
                for left in shortened(name):
                    hashes.append(hash(left))
                    codes.append(code)
        self._may_be = bytearray(_MASK + 1)
        for one in hashes:
            self._may_be[one & _MASK] = 1
        self._near: dict[str, tuple[int, ...]] = {}
        self._near_endings: dict[str, tuple[int, ...]] = {}
        order = np.argsort(np.frombuffer(hashes, dtype=np.int64), kind="stable") if hashes else np.empty(0, np.int64)
        self._hashes = view(np.frombuffer(hashes, dtype=np.int64)[order] if hashes else order)
        self._codes = view(np.frombuffer(codes, dtype=np.int32)[order] if codes else order.astype(np.int32))

    def near(self, written: str) -> tuple[int, ...]:
        """Return the names one slip away from what was written, itself included."""
        known = self._near.get(written)
        if known is None:
            if len(self._near) > _MOST_KEPT:
                self._near.clear()
            known = self._near[written] = tuple(sorted(self._find_near(written)))
        return known

    def _find_near(self, written: str) -> set[int]:
        found: set[int] = set()
        hashes, codes, may_be = self._hashes, self._codes, self._may_be
        usual = written[:2] in self._starts
        for left in shortened(written) if usual else (written[1:], written[:1] + written[2:]):
            wanted = hash(left)
            if not may_be[wanted & _MASK]:
                continue
            at = bisect_left(hashes, wanted)
            while at < len(hashes) and hashes[at] == wanted:
                found.add(codes[at])
                at += 1
        return {code for code in found if slips(written, self.index.name_of(code), 1) <= 1}

    def near_endings(self, written: str) -> tuple[int, ...]:
        """Return the names that what was written may end in, but for one slip."""
        known = self._near_endings.get(written)
        if known is not None:
            return known
        found: set[int] = set()
        for start in range(max(0, len(written) - _LONGEST), max(1, len(written) - 2)):
            found.update(self.near(written[start:]))
        exactly = self.index.names.get(written[-2:])  # of two characters one may not be wrong
        if exactly:
            found.add(exactly)
        if len(self._near_endings) > _MOST_KEPT:
            self._near_endings.clear()
        endings = self._near_endings[written] = tuple(sorted(found))
        return endings


def find(speller: Speller, read: Elements, divisions: Divisions, demands: Constraint) -> Iterator[Candidate]:
    """Yield the buildings that explain a reading with slips in its names, each with how many."""
    read, forgiven = _plain(read)
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
            yield explained._replace(edits=explained.edits + forgiven)


def _plain(read: Elements) -> tuple[Elements, int]:
    """Write the divisions that stand unread before a name in one way: 街道 for 街道办事处, 村 for 村委会.

    Returns how many slips were forgiven in the words for their offices.
    """
    first = read.place or read.compound
    plain = first
    for office, word in _OFFICES:
        plain = office.sub(word, plain)
    forgiven = 0
    if plain == first:
        plain, forgiven = _OFFICE_SLIPS.subn("村", plain, count=1)
    if plain == first:
        return read, 0
    return (read._replace(place=plain) if read.place else read._replace(compound=plain)), forgiven


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
        yield from _by_place(speller, first, (number, building or None, group))
        if second and building:
            for code in speller.near(second):
                yield from index.find("compound", code, 0, building)
    elif group and number and demands.community > 0:
        yield from index.find("village", demands.community, group, number)
    elif read.compound and building:
        for code in speller.near_endings(first):
            yield from index.find("compound", code, 0, building)


def _by_place(speller: Speller, written: str, numbers: tuple[int, int | None, int]) -> Iterator[int]:
    """Yield buildings at a number of the streets and villages that a text may end in, by former names too."""
    index, (number, building, group) = speller.index, numbers
    for start in range(len(written)):
        for _, code in index.former.get(written[start:], ()):
            yield from index.find("street", code, number, building)
    for code in speller.near_endings(written):
        yield from index.find("street", code, number, building)
        if group:
            yield from index.find("village", code, group, number)
        elif not building:  # without a group, in all of its groups
            numbers_of = index.views["number"]
            yield from (row for row in index.find("village", code) if numbers_of[row] == number)


def _explain(
    index: Index, row: int, read: Elements, divisions: Divisions, known: tuple[bool, bool]
) -> Candidate | None:
    """Return how a building explains what was written, or None where it does not."""
    first, second = (read.place, read.compound) if read.place else (read.compound, "")
    named = _main_name(index, row, read)
    if named == 0:
        return None
    best = _least(first, named, index, row, divisions)
    edits = best.edits
    if edits > (0 if known[0] else 2) or not _bearable(first, best):
        return None
    other, other_kind = 0, False
    if second:
        other, other_kind = _compound_slips(index, row, second)
        if other > (0 if known[1] else 2 if len(second) >= _LONG_NAME else 1):
            return None
    if edits + other > _MOST_SLIPS:
        return None
    by_place = bool(second) and min(edits, other) == 0
    confirmed = by_place or bool(divisions.community) or (bool(best.before) and edits < 2)  # noqa: PLR2004
    rival = (best.another_kind or other_kind) and not by_place
    settled = by_place or bool(divisions.community) or first.endswith(best.name)
    if edits and not settled and leaves_out(first, best.before + best.name):
        rival = True
    if (not confirmed and edits and len(best.name) < _LEAST_ALONE) or (edits > 1 and len(best.name) <= _LEAST_ALONE):
        rival = True
    if second and other and leaves_out(second, index.name_of(index.views["compound"][row])):
        rival = True
    slipped = bool(edits) and not first.endswith(best.name) and not by_place
    return Candidate(row, read, edits + other, best.former, rival, best.before if slipped else None, named)


def _bearable(written: str, best: _Reading) -> bool:
    """Tell whether no name carries more slips than it can bear: one, or two where it is long."""
    if best.edits < 2 or len(best.name) >= _LONG_NAME:  # noqa: PLR2004
        return True
    return bool(best.before) and apart(written, best.before, best.name)


def rivals(speller: Speller, one: Candidate, demands: Constraint) -> bool:
    """Tell whether another name in the stated divisions is as near to what was written, with or without this number.

    The villages of the list of divisions count, whether the register has buildings in them or not.
    """
    if one.slipped_after is None:
        return False
    index, (read, _) = speller.index, _plain(one.read)
    written = read.place or read.compound
    views = index.views
    rural = read.group or not (views["place"][one.row] or views["compound"][one.row])
    keys = "village" if rural else "street" if read.place else "compound"
    if mechanical(written, one.slipped_after + index.name_of(one.named)):
        return False
    for code in speller.near_endings(written):
        name = index.name_of(code)
        whole = one.slipped_after + name
        if code == one.named or slips(written, whole, 1) > 1 or tells_apart(written, whole):
            continue
        if any(exact.in_divisions(index, row, demands) for row in index.find(keys, code)[:_MOST_LOOKED_AT]):
            return True
        listed = index.gazetteer.communities.get(name, set()) if keys == "village" else set()
        if listed and not demands.township and (demands.counties is None or listed & demands.counties):
            return True
    return False


def _main_name(index: Index, row: int, read: Elements) -> int:
    """Return the building's own name of the kind that the reading states first."""
    views = index.views
    if read.group or (read.place and not (views["place"][row] or views["compound"][row])):
        return 0 if views["place"][row] else views["community"][row]
    return views["place"][row] if read.place else views["compound"][row]


def _least(written: str, named: int, index: Index, row: int, divisions: Divisions) -> _Reading:
    """Return the way of writing a building's name, with divisions or not, from which the fewest slips lead here."""
    best = _Reading(9, "", "", another_kind=False, former=False)
    name = index.name_of(named)
    befores = _before(index, row, divisions, named=name)
    past = index.formerly.get((index.views["county"][row], named), ())
    for option, former in ((name, False), *((old, True) for old in past)):
        for before in befores:
            whole = before + option
            if abs(len(whole) - len(written)) > 2:  # noqa: PLR2004
                continue
            edits = slips(written, whole, 2 if best.edits > 1 else 1)
            if edits < best.edits and not (edits and tells_apart(written, whole)):
                kind = bool(edits) and another_kind(written, whole)
                best = _Reading(edits, before, option, another_kind=kind, former=former)
            elif edits == best.edits == 2 and not _bearable(written, best):  # noqa: PLR2004
                other = best._replace(before=before, name=option, former=former)
                if _bearable(written, other) and not tells_apart(written, whole):
                    best = other._replace(another_kind=another_kind(written, whole))
    return best


def _before(index: Index, row: int, divisions: Divisions, named: str) -> list[str]:
    """Return what of a building's divisions may stand unread before its name; neighbours share it."""
    views = index.views
    key = (
        views["county"][row], views["township"][row], views["community"][row], views["place"][row],
        views["compound"][row] != 0, divisions.counties is None, divisions.township == "", divisions.community == "",
        named,
    )  # fmt: skip
    known = index.befores.get(key)
    if known is None:
        if len(index.befores) > _MOST_KEPT:
            index.befores.clear()
        known = index.befores[key] = _written_before(index, row, divisions, named)
    return known


def _written_before(index: Index, row: int, divisions: Divisions, named: str) -> list[str]:
    views = index.views
    wholes = [""]
    if divisions.counties is None:
        county = index.gazetteer.county_names.get(views["county"][row], "")
        wholes += [county] if county else []
    if not divisions.township:
        township = index.name_of(views["township"][row])
        stem = township.removesuffix("街道").removesuffix("镇")
        wholes = [whole + name for whole in wholes for name in dict.fromkeys(("", township, stem, stem + "乡"))]
    if not divisions.community:
        community = index.name_of(views["community"][row])
        if community != named:
            names = dict.fromkeys(("", community, community_stem(community) if views["place"][row] else ""))
            wholes = [whole + name for whole in wholes for name in names]
    place = index.name_of(views["place"][row])
    if place and place != named and views["compound"][row]:
        wholes += [whole + place for whole in wholes]
    return wholes


def _compound_slips(index: Index, row: int, written: str) -> tuple[int, bool]:
    """Return the fewest slips between a compound's names and what was written, and whether they change its kind."""
    compound = index.views["compound"][row]
    best, kind = 9, False
    for code in (compound, *index.shorter.get(compound, ())):
        name = index.name_of(code)
        edits = slips(written, name, 2)
        if edits < best and not (edits and tells_apart(written, name)):
            best, kind = edits, bool(edits) and another_kind(written, name)
    return best, kind
