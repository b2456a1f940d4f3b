"""Link, queue, or say that the register has no such building: a wrong link is worse than none.

A row is linked where exactly one active building agrees with everything it states. Everything else waits for a
person, with the reason and up to five candidates, what agrees and what contradicts.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gis.addresses.cleaning import DOUBT, NEARBY
from gis.addresses.gazetteers import Divisions
from gis.addresses.reading import Elements, of_tokens
from gis.addresses.tokens import cut
from gis.register.matching import exact, typos
from gis.register.matching.exact import Found
from gis.register.matching.index import Index
from gis.terms import MatchGrade, MatchOutcome, MatchReason

MOST_CANDIDATES: Final = 5
NEAR_M: Final = 150
"""Two candidates are told apart by a coordinate where one is within this of it …"""
FAR_M: Final = 500
"""… and the other beyond this."""
CONTRADICTS_M: Final = 5_000
"""A coordinate this far from the building contradicts the address."""
_ENOUGH: Final = 4
"""What must be stated besides where no county is: two names, or a compound with its zone and its city."""
_PLACED: Final = frozenset(
    ("county", "township", "community", "place", "group", "number", "compound", "zone", "building", "shed")
)
_DEGREE_M: Final = 111_320
_FIRST_DIGIT: Final = re.compile("[0-9A-Z](?![0-9A-Z]*(?:社区|居委会|居民委员会|村委会))")
_NUMBERS: Final = re.compile("[零〇一二三四五六七八九十百]{2}")
"""What begins like a room and could not be read as one."""
_SUB_NUMBER: Final = re.compile("([0-9]+)号-([0-9]{1,2})(?=$| |号(?!楼)|[0-9]*单元)")
_PARTED: Final = re.compile("(?<![-0-9])[0-9]+ [0-9]+(?=号(?!楼)|室|$)")
_PARTED_BUILDING: Final = re.compile("[0-9] [0-9]+(?:号?楼|[栋幢座#])")
"""1 3号楼 may be 13号楼, or 3号楼 of what the 1 counts."""
_LEAST_TO_READ: Final = 2
_MOST_CACHED: Final = 400_000


class Verdict(NamedTuple):
    """What became of one address."""

    outcome: MatchOutcome
    row: int = -1
    """The building linked, by its place in the index; -1 for none."""
    room: str = ""
    grade: MatchGrade | None = None
    reason: MatchReason | None = None
    candidates: tuple[Found, ...] = ()
    """The readings that came into question, best first; of a link, the one that was taken."""


class Explanation(NamedTuple):
    """A candidate, as a person who decides sees it."""

    number: str
    address: str
    agrees: str
    """Elements of the address that are the building's too."""
    contradicts: str
    """Elements that are not, and what else speaks against it."""


@dataclass
class Matcher:
    """Decides on addresses against one index."""

    index: Index
    elsewhere: frozenset[int] = frozenset()
    """Counties that rows may mean and the index does not hold: there, one building that agrees is not the only one."""
    _prefixes: dict[tuple[str, bool], Divisions] = field(default_factory=dict)
    _speller: typos.Speller | None = None

    def decide(self, text: str, point: tuple[float, float] | None = None) -> Verdict:
        """Decide on a cleaned address; ``point`` is its longitude and latitude in the register's datum, where known."""
        if len(text) < _LEAST_TO_READ:
            return Verdict(MatchOutcome.UNMATCHED, reason=MatchReason.ADDRESS_MISSING)
        divisions = self.divisions(text)
        verdict = self._decide_exactly(text, divisions, point)
        if verdict is None and divisions.doubtful:
            undoubted = divisions._replace(rest=divisions.unread, community="")
            verdict = self._decide_exactly(text, undoubted, point)
        other = self.divisions(text, wary=True) if verdict is None else divisions
        if other != divisions:
            verdict = self._decide_exactly(text, other, point)
        if verdict is None and divisions.counties != frozenset():
            verdict = self._decide_with_slips(text, divisions, point)
        return verdict or self._refuse(divisions)

    def divisions(self, text: str, *, wary: bool = False) -> Divisions:
        """Return the divisions at the start of a cleaned address; what stands before the first digit is read once."""
        digit = _FIRST_DIGIT.search(text)
        end = digit.start() if digit else len(text)
        prefix = text[:end]
        read = self._prefixes.get((prefix, wary))
        if read is None:
            if len(self._prefixes) > _MOST_CACHED:
                self._prefixes.clear()
            read = self._prefixes[prefix, wary] = self.index.gazetteer.read(prefix, wary=wary)
        after = text[end:]
        rest, counties, township, community, prefecture, county, unread, doubtful = read
        return Divisions(rest + after, counties, township, community, prefecture, county, unread + after, doubtful)

    def _decide_exactly(self, text: str, divisions: Divisions, point: tuple[float, float] | None) -> Verdict | None:
        """Decide by the buildings that agree in everything; None where there are none."""
        demands = exact.constraint(self.index, divisions)
        whole: dict[int, Found] = {}
        partial: dict[int, Found] = {}
        for read in self._readings(divisions):
            agreeing = list(exact.find(self.index, read, demands))
            found = whole if any(not self._partial(one) for one in agreeing) else partial
            for one in agreeing:
                known = found.get(one.row)
                if known is None or (self._room(known) is None and self._room(one) is not None):
                    found[one.row] = one
        found = whole or partial
        return self._choose(text, divisions, list(found.values()), point) if found else None

    def _partial(self, one: Found | typos.Candidate) -> bool:
        """Tell whether a reading leaves out the number of the building that it leads to."""
        return not one.read.building and self.index.views["building"][one.row] != 0

    def _readings(self, divisions: Divisions) -> Iterable[Elements]:
        """Yield the readings of what stands after the divisions; digits with a gap are read joined and apart."""
        rest = divisions.rest
        for text in _writings(rest) if " " in rest or "号-" in rest else (rest,):
            for read in of_tokens(cut(text)):
                if read.place or read.compound or not read.building or read.number:
                    yield read
                else:
                    yield read._replace(compound=divisions.community)

    def _decide_with_slips(self, text: str, divisions: Divisions, point: tuple[float, float] | None) -> Verdict | None:
        """Decide by the buildings that agree but for slips in names; None where there are none."""
        if self._speller is None:
            self._speller = typos.Speller(self.index)
        candidates = self._with_slips(divisions)
        if not candidates:
            return None
        least = min(one.edits for one in candidates.values())
        nearest = [one for one in candidates.values() if one.edits == least or least > 1]
        found = [Found(one.row, one.read, one.through_former, one.edits) for one in nearest]
        demands = exact.constraint(self.index, divisions)
        if any(one.rival or typos.rivals(self._speller, one, demands) for one in nearest):
            return _queue(MatchReason.NAME_UNCERTAIN, found)
        return self._choose(text, divisions, found, point)

    def _with_slips(self, divisions: Divisions) -> dict[int, typos.Candidate]:
        """Return the buildings that explain an address with slips in its names, with the fewest each."""
        assert self._speller is not None  # noqa: S101 - made before anything is asked
        demands = exact.constraint(self.index, divisions)
        whole: dict[int, typos.Candidate] = {}
        partial: dict[int, typos.Candidate] = {}
        for read in self._readings(divisions):
            agreeing = list(typos.find(self._speller, read, divisions, demands))
            found = partial if all(self._partial(one) for one in agreeing) else whole
            for one in agreeing:
                if one.row not in found or one.edits < found[one.row].edits:
                    found[one.row] = one
        return whole or partial

    def _choose(
        self, text: str, divisions: Divisions, found: list[Found], point: tuple[float, float] | None
    ) -> Verdict:
        """Link the one building that is left, or say why none may be."""
        active = self._active(found)
        if not active:
            return _queue(MatchReason.BUILDING_NOT_ACTIVE, found)
        if len(found) > len(active) and any(
            not self.index.active[one.row] and not self._same_place(one, active[0]) for one in found
        ):
            return _queue(MatchReason.SEVERAL_BUILDINGS, found)
        located = False
        if len(active) > 1:
            nearest = self._nearest(active, point)
            if nearest is None:
                return _queue(MatchReason.SEVERAL_BUILDINGS, active)
            active, located = [nearest], True
        (one,) = active
        room = self._room(one)
        reason = self._objection(text, one, room, point) or self._unvouched(divisions, one, point)
        if reason is not None:
            return _queue(reason, active)
        grade = (
            MatchGrade.LOCATED if located
            else MatchGrade.TYPO if one.edits
            else MatchGrade.FORMER if one.through_former
            else MatchGrade.ELEMENTS
        )  # fmt: skip
        return Verdict(MatchOutcome.LINKED, one.row, room or "", grade, None, (one,))

    def _active(self, found: list[Found]) -> list[Found]:
        """Return one address of each building that stands; a building may have several."""
        index = self.index
        if len(found) == 1:
            return found if index.active[found[0].row] else []
        return list({index.building_no[one.row]: one for one in reversed(found) if index.active[one.row]}.values())[
            ::-1
        ]

    def _same_place(self, one: Found, other: Found) -> bool:
        """Tell whether two buildings have one address: what was built in the place of one that is no more."""
        return all(view[one.row] == view[other.row] for name, view in self.index.views.items() if name in _PLACED)

    def _objection(
        self, text: str, one: Found, room: str | None, point: tuple[float, float] | None
    ) -> MatchReason | None:
        """Return why the one building found may not be linked."""
        views, read, row = self.index.views, one.read, one.row
        if DOUBT in text or (read.unread and NEARBY.search(read.unread)):
            return MatchReason.PLACE_BESIDE
        if views["building"][row] and not read.building:
            return MatchReason.BUILDING_NUMBER_MISSING
        if views["group"][row] and not read.group:
            return MatchReason.GROUP_MISSING
        if room is None or (read.unread and _NUMBERS.match(read.unread)):
            return MatchReason.ROOM_NOT_POSSIBLE
        distance = self._distance(row, point) if point else None
        return MatchReason.COORDINATES_CONTRADICT if distance is not None and distance > CONTRADICTS_M else None

    def _unvouched(self, divisions: Divisions, one: Found, point: tuple[float, float] | None) -> MatchReason | None:
        """Return a reason where the address could as well be in a county that the index does not hold.

        A register of one county knows one 书香苑, the city it lies in perhaps three: enough must be stated besides.
        """
        counties, elsewhere = divisions.counties, self.elsewhere
        if not elsewhere or (counties is not None and elsewhere.isdisjoint(counties)):
            return None
        if self._weight(divisions, one.read) >= _ENOUGH:
            return None
        meant = self.index.gazetteer.meant(divisions)
        if meant is not None and elsewhere.isdisjoint(meant):
            return None
        distance = self._distance(one.row, point)
        return None if distance is not None and distance <= FAR_M else MatchReason.COUNTY_NOT_STATED

    @staticmethod
    def _weight(divisions: Divisions, read: Elements) -> int:
        """Return how much is stated that another place would hardly share: a name counts two, city and zone one."""
        names = (divisions.township, divisions.community, read.place, read.compound)
        return 2 * sum(map(bool, names)) + bool(read.zone) + bool(divisions.prefecture)

    def _room(self, one: Found) -> str | None:
        """Return the room as LINKS write it, empty where none is stated; None where the building cannot have it."""
        read, views = one.read, self.index.views
        if not (read.room or read.entrance or read.floor):
            return ""
        entrance, room, floor = read.entrance.lstrip("0"), read.room, read.floor
        if _exceeds(entrance, views["entrances"][one.row]) or _exceeds(floor, views["floors"][one.row]):
            return None
        digits = room.rstrip("ABCDEFGH")
        if room.startswith("0"):
            return None
        if digits.isdigit() and len(digits) > 2:  # noqa: PLR2004 - floor and place on it
            if not self._has_room(one, digits):
                return None
        elif digits.isdigit() and floor.isdigit() and not views["shed"][one.row]:
            room = f"{floor}{room:0>2}"
        return f"{entrance}-{room}" if entrance and room else room

    def _has_room(self, one: Found, digits: str) -> bool:
        """Tell whether a building can have a room of this number: 1802 is the second on the eighteenth floor."""
        read, views = one.read, self.index.views
        floor, place = int(digits[:-2]), int(digits[-2:])
        if read.floor.isdigit() and int(read.floor) != floor:
            return False
        most = views["rooms_per_floor"][one.row] * (1 if read.entrance else max(views["entrances"][one.row], 1))
        return not 0 < views["floors"][one.row] < floor and not 0 < most < place

    def _nearest(self, found: list[Found], point: tuple[float, float] | None) -> Found | None:
        """Return the one candidate that a coordinate points at, where all others are far from it."""
        distances = [(self._distance(one.row, point), one) for one in found]
        if point is None or any(distance is None for distance, _ in distances):
            return None
        near = [one for distance, one in distances if distance is not None and distance <= NEAR_M]
        between = [one for distance, one in distances if distance is not None and NEAR_M < distance <= FAR_M]
        return near[0] if len(near) == 1 and not between else None

    def _distance(self, row: int, point: tuple[float, float] | None) -> float | None:
        """Return metres from a building to a coordinate, on a sphere laid flat; None where either has none."""
        lon, lat = self.index.lon[row], self.index.lat[row]
        if point is None or math.isnan(lon) or math.isnan(lat):
            return None
        east = (point[0] - lon) * math.cos(math.radians(lat))
        return math.hypot(east, point[1] - lat) * _DEGREE_M

    def explain(self, verdict: Verdict) -> Iterator["Explanation"]:
        """Yield the candidates of a verdict, what of the address each agrees with and what it contradicts."""
        for one in verdict.candidates:
            yield self._explained(one, verdict.reason)

    def _explained(self, one: Found, reason: MatchReason | None) -> "Explanation":
        views, index = self.index.views, self.index
        agrees: list[str] = []
        contradicts: list[str] = []
        for name in ("place", "group", "number", "compound", "zone", "building"):
            stated = getattr(one.read, name)
            if not stated:
                continue
            codes = index.names if name in ("place", "compound") else index.numbers
            same = codes.get(stated, -1) == views[name][one.row]
            (agrees if same else contradicts).append(name)
        if reason is not None and reason is not MatchReason.SEVERAL_BUILDINGS:
            contradicts.append(reason.value)
        return Explanation(index.building_no[one.row], self.address(one.row), " ".join(agrees), " ".join(contradicts))

    def address(self, row: int) -> str:
        """Return a building's address, written from its elements."""
        index, views = self.index, self.index.views
        numbers = index.number_of
        county = index.gazetteer.county_names.get(views["county"][row], "")
        group, number = numbers(views["group"][row]), numbers(views["number"][row])
        house, shed = numbers(views["building"][row]), views["shed"][row]
        parts = (
            county, index.name_of(views["township"][row]), index.name_of(views["community"][row]),
            index.name_of(views["place"][row]), f"{group}组" if group else "", f"{number}号" if number else "",
            index.name_of(views["compound"][row]), numbers(views["zone"][row]),
            house + ("号楼", "号板房", "排板房")[shed] if house else "",
        )  # fmt: skip
        return "".join(parts)

    def _refuse(self, divisions: Divisions) -> Verdict:
        """Say why nothing was found: the divisions contradict, the number is not there, or no such name is."""
        anywhere = divisions._replace(counties=None, township="", community="")
        demands = exact.constraint(self.index, anywhere)
        found = {one.row: one for read in self._readings(anywhere) for one in exact.find(self.index, read, demands)}
        if found:
            return _queue(MatchReason.DIVISION_CONTRADICTS, list(found.values()))
        names = [name for read in self._readings(divisions) for name in (read.place, read.compound) if name]
        if any(name in self.index.names for name in names) or (divisions.community and not names):
            return Verdict(MatchOutcome.UNMATCHED, reason=MatchReason.NUMBER_NOT_FOUND)
        return Verdict(MatchOutcome.UNMATCHED, reason=MatchReason.NAME_NOT_FOUND)


def _exceeds(stated: str, most: int) -> bool:
    """Tell whether a number is over what a building has; what is not known (0) is never exceeded."""
    return stated.isdigit() and 0 < most < int(stated)


def _writings(rest: str) -> Iterator[str]:
    """Yield the texts that a text may stand for: 13号-1 is 13-1号, or room 1 of 13号.

    Digits apart are joined where they make no sense apart, or where a house number or a room may have been parted;
    where both lead somewhere, a person decides.
    """
    if "号-" in rest:
        yield from _writings(_SUB_NUMBER.sub(r"\1-\2号", rest).replace("号-", "号"))
        if _SUB_NUMBER.search(rest):
            yield from _writings(rest.replace("号-", "号"))
        return
    joined = rest.replace(" ", "")
    if joined == rest:
        yield rest
        return
    if next(of_tokens(cut(rest)), None) is not None:
        yield rest
        if not _PARTED.search(rest):
            return
    if not _PARTED_BUILDING.search(rest):
        yield joined


def _queue(reason: MatchReason, found: list[Found]) -> Verdict:
    """Return a review with the best candidates."""
    ranked = sorted(found, key=lambda one: (one.edits, one.through_former))
    return Verdict(MatchOutcome.REVIEW, reason=reason, candidates=tuple(ranked[:MOST_CANDIDATES]))
