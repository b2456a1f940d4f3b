"""The register's addresses by their elements: small integers in arrays, found again by sorted keys.

Two million buildings take some 200 MB. A key is (name, number, building) in one integer, so that all buildings
of a street number, or of a compound, are neighbours; three such lists answer for streets, compounds and villages.
"""

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gis.addresses.cleaning import clean, clean_many
from gis.addresses.gazetteers import Divisions, Gazetteer
from gis.addresses.reading import Elements, elements, is_street, site, without_builder
from gis.categories import TEST_COUNTY
from gis.register.matching.naming import NameChange

_NUMBER_BITS: Final = 20
_NAME_BITS: Final = 2 * _NUMBER_BITS
_CHUNK: Final = 50_000
_USUALLY_MOST: Final = 15
_LEARNT_TOWNSHIP: Final = re.compile("([一-鿿]{2,8}?(?:街道|镇|乡))(?=[一-鿿0-9]{2,12}?(?:社区|村|居委会))")
_LEARNT_COMMUNITY: Final = re.compile(
    "([一-鿿0-9]{2,14}?(?:社区(?:居委会|居民委员会)?|居委会|村(?:民?委员?会)))|([一-鿿]{2,8}?村)(?=[0-9]+[组队社号])"
)
_AREA: Final = re.compile(
    "^(.{2,8}?(?:园区|开发区|工业园|产业园|高新区|物流园|纺织园|科技园))(?=.{4})|^(.{2,7}?[路街巷])(?=.*(?:项目|工地))"
)
_FIRST_DIGIT: Final = re.compile("[0-9A-Z](?![0-9A-Z]*(?:社区|居委会|居民委员会|村委会))")
_MOST_KEPT: Final = 100_000
_LEAST_STEM: Final = 3
SHEDS: Final = {"S": 1, "P": 2}
"""Sheds that are numbered one by one (板房), and those that are numbered by rows (排)."""


@dataclass(frozen=True)
class Building:
    """One building of the register, as matching needs it."""

    number: str
    address: str
    active: bool = True
    entrances: int = 0
    """0 where not known; so are floors and rooms_per_floor."""
    floors: int = 0
    rooms_per_floor: int = 0
    lon: float = float("nan")
    lat: float = float("nan")


@dataclass
class Index:
    """Addresses of a register by their elements; make it with ``build``."""

    gazetteer: Gazetteer
    names: dict[str, int] = field(default_factory=lambda: {"": 0})
    """Names of streets, compounds, communities and townships."""
    numbers: dict[str, int] = field(default_factory=lambda: {"": 0})
    """Numbers of houses, buildings and groups, and zones."""
    aliases: dict[int, set[int]] = field(default_factory=dict)
    """Compounds that a shorter name may mean."""
    shorter: dict[int, set[int]] = field(default_factory=dict)
    """The shorter names of a compound."""
    former: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """Former names: (county, name in force) each."""

    befores: dict[tuple[object, ...], list[str]] = field(default_factory=dict)
    """What may stand before a name, remembered for the next row."""
    formerly: dict[tuple[int, int], list[str]] = field(default_factory=dict)
    """The former names of a name in force, by county."""

    def __post_init__(self) -> None:
        """Make the columns: one entry for each building."""
        self.columns = {name: array("i") for name in _COLUMNS}
        self.active = bytearray()
        self.building_no: list[str] = []
        self.lon, self.lat = array("d"), array("d")
        self._keys: dict[str, tuple[array[int], array[int]]] = {
            name: (array("q"), array("i")) for name in ("street", "compound", "village")
        }
        self._sorted: dict[str, tuple[memoryview[int], memoryview[int]]] = {}
        self._prefixes: dict[str, Divisions] = {}
        self._alias_codes: dict[int, tuple[int, ...]] = {}
        self._label_of_name: list[str] | None = None
        self._label_of_number: list[str] | None = None

    def __len__(self) -> int:
        """Return how many buildings it holds."""
        return len(self.building_no)

    def add(self, buildings: Sequence[Building]) -> None:
        """Take in n buildings; call ``finish`` after the last."""
        cleaned = clean_many([building.address or "" for building in buildings])
        for building, text in zip(buildings, cleaned, strict=True):
            self._add_one(building, text)

    def finish(self) -> None:
        """Sort the keys; from now on the index answers."""
        for name, (keys, rows) in self._keys.items():
            sorted_keys = np.frombuffer(keys, dtype=np.int64) if len(keys) else np.empty(0, np.int64)
            order = np.argsort(sorted_keys, kind="stable")
            sorted_rows = np.frombuffer(rows, dtype=np.int32)[order] if len(rows) else np.empty(0, np.int32)
            self._sorted[name] = view(sorted_keys[order]), view(sorted_rows)
            self._keys[name] = (array("q"), array("i"))
        self._prefixes.clear()
        self._alias_codes.clear()
        self.views = {name: memoryview(column) for name, column in self.columns.items()}
        self._label_of_name = self._label_of_number = None

    def find(self, keys: str, name: int, number: int | None = None, building: int | None = None) -> "memoryview[int]":
        """Return the buildings under a name, narrowed by a number and a building where they are given.

        ``keys`` is street (name, house number, building), compound (name, zero, building) or village
        (community, group, house number).
        """
        low = name << _NAME_BITS
        if number is None:
            high = low + (1 << _NAME_BITS)
        elif building is None:
            low += number << _NUMBER_BITS
            high = low + (1 << _NUMBER_BITS)
        else:
            low += (number << _NUMBER_BITS) + building
            high = low + 1
        sorted_keys, rows = self._sorted[keys]
        start = bisect_left(sorted_keys, low)
        close = (
            start + _USUALLY_MOST
        )  # few have more, and looking through all others costs as much as finding the first
        end = len(sorted_keys) if close >= len(sorted_keys) or sorted_keys[close] < high else close
        return rows[start : bisect_left(sorted_keys, high, start, end)]

    def missing(self) -> frozenset[int]:
        """Return the counties of the list of divisions (six digits) in which it holds no building."""
        return frozenset(self.gazetteer.county_names) - {TEST_COUNTY} - frozenset(self.columns["county"])

    def name_of(self, code: int) -> str:
        """Return the name that a code stands for."""
        if self._label_of_name is None or len(self._label_of_name) != len(self.names):
            self._label_of_name = list(self.names)
        return self._label_of_name[code]

    def number_of(self, code: int) -> str:
        """Return the number that a code stands for."""
        if self._label_of_number is None or len(self._label_of_number) != len(self.numbers):
            self._label_of_number = list(self.numbers)
        return self._label_of_number[code]

    def searchable(self) -> Iterator[tuple[str, int]]:
        """Yield the names under which buildings are found, and their codes."""
        wanted: set[int] = set()
        for sorted_keys, _ in self._sorted.values():
            wanted.update(np.unique(np.asarray(sorted_keys) >> _NAME_BITS).tolist())
        for name, code in self.names.items():
            if code in wanted or name in self.gazetteer.communities:
                yield name, code

    def know_listed(self) -> None:
        """Give the communities of the list of divisions codes, so that a slip can be told from another village."""
        for name in self.gazetteer.communities:
            self._name(name)

    def know_former(self, changes: Iterable[NameChange]) -> None:
        """Let names that were lead to those in force in their county, divisions as well as streets."""
        for change in changes:
            current, past = clean(change.current_name), clean(change.former_name)
            if past.endswith(("街道", "镇", "乡")):
                self.gazetteer.add_township(past, current)
            elif past.endswith(("社区", "居委会", "村", "村委会", "村民委员会")):
                self.gazetteer.add_community(past, current)
            code = self._name(current)
            self.former.setdefault(past, []).append((change.county_code, code))
            self.formerly.setdefault((change.county_code, code), []).append(past)

    def _add_one(self, building: Building, text: str) -> None:
        digit = _FIRST_DIGIT.search(text)
        end = digit.start() if digit else 0
        known = self._prefixes.get(text[:end]) if end else None
        if known is None:
            divisions = self._divisions(text)
            if end and divisions.rest.endswith(text[end:]) and len(divisions.rest) >= len(text) - end:
                self._remember(text[:end], divisions, len(text) - end)
        else:
            divisions = known._replace(rest=known.rest + text[end:], unread=known.unread + text[end:])
        read = _standard(divisions)
        county = next(iter(divisions.counties)) if divisions.counties and len(divisions.counties) == 1 else 0
        row = len(self.building_no)
        self.building_no.append(building.number)
        self.active.append(building.active)
        self.lon.append(building.lon)
        self.lat.append(building.lat)
        place, compound = self._name(read.place), self._name(read.compound)
        community = self._name(divisions.community)
        number, house = self._number(read.number), self._number(read.building)
        group = self._number(read.group)
        values = (
            county, self._name(divisions.township), community, place, group, number, compound,
            self._number(read.zone), house, SHEDS[read.kind] if read.kind else 0,
            building.entrances, building.floors, building.rooms_per_floor,
        )  # fmt: skip
        for column, value in zip(self.columns.values(), values, strict=True):
            column.append(value)
        if place:
            self._enter("street", place, number, house, row)
        elif number:
            self._enter("village", community, group, number, row)
        if compound:
            self._enter("compound", compound, 0, house, row)
            aliases = self._alias_codes.get(compound)
            if aliases is None:
                aliases = self._alias_codes[compound] = tuple(self._aliases(read.compound))
            for alias in aliases:
                self._enter("compound", alias, 0, house, row)
                self.aliases.setdefault(alias, set()).add(compound)
                self.shorter.setdefault(compound, set()).add(alias)

    def _remember(self, prefix: str, divisions: Divisions, after: int) -> None:
        """Keep what was read before the first digit, without what stood behind it, for the neighbours."""
        if len(self._prefixes) > _MOST_KEPT:
            self._prefixes.clear()
        rest, unread = divisions.rest, divisions.unread
        self._prefixes[prefix] = divisions._replace(
            rest=rest[: len(rest) - after], unread=unread[: len(unread) - after]
        )

    def _divisions(self, text: str) -> Divisions:
        """Read the divisions of a standard address, and learn those that no list has."""
        read = self.gazetteer.read(text)
        learnt = False
        if not read.township and (found := _LEARNT_TOWNSHIP.match(read.rest)):
            self.gazetteer.add_township(found[1])
            learnt, read = True, self.gazetteer.read(text)
        if not read.community and (found := _LEARNT_COMMUNITY.match(read.rest)) and not is_street(found[0]):
            self.gazetteer.add_community(found[0])
            learnt = True
        return self.gazetteer.read(text) if learnt else read

    def _aliases(self, compound: str) -> Iterator[int]:
        """Yield shorter names that people use for a compound: without the industrial park before it, without 生活区."""
        short = {compound}
        found = _AREA.match(compound)
        if found:
            short.add(compound[found.end() :])
        for name in tuple(short):
            short |= {site(name), without_builder(site(name))}
            if name.endswith("小区") and len(name) >= _LEAST_STEM + 2:
                short.add(name.removesuffix("小区"))
        yield from (self._name(name) for name in sorted(short - {compound}))

    def _enter(self, keys: str, name: int, number: int, building: int, row: int) -> None:
        key_list, rows = self._keys[keys]
        key_list.append((name << _NAME_BITS) + (number << _NUMBER_BITS) + building)
        rows.append(row)

    def _name(self, name: str) -> int:
        return self.names.setdefault(name, len(self.names))

    def _number(self, number: str) -> int:
        return self.numbers.setdefault(number, len(self.numbers))


_COLUMNS: Final = (
    "county", "township", "community", "place", "group", "number", "compound", "zone", "building", "shed",
    "entrances", "floors", "rooms_per_floor",
)  # fmt: skip


def build(buildings: Iterable[Building], gazetteer: Gazetteer, changes: Iterable[NameChange] = ()) -> Index:
    """Return the index of a register."""
    index = Index(gazetteer)
    chunk: list[Building] = []
    for building in buildings:
        chunk.append(building)
        if len(chunk) == _CHUNK:
            index.add(chunk)
            chunk = []
    index.add(chunk)
    index.know_former(changes)
    index.finish()
    return index


def view(values: npt.NDArray[np.integer[Any]]) -> "memoryview[int]":
    """Return an array as a view that yields plain integers, which is what bisecting wants."""
    return memoryview(values)  # type: ignore[arg-type]  # numpy's stubs do not say that arrays are buffers


def _standard(divisions: Divisions) -> Elements:
    """Return the elements of a standard address, which names a building and nothing inside it."""
    best = Elements(unread=divisions.rest)
    for read in elements(divisions.rest):
        if read.room or read.floor or read.entrance:
            continue
        if read.place and not read.compound and not is_street(read.place) and not read.group:
            if divisions.community.endswith("村"):
                return read
            best = read if best.unread else best
            continue
        if read.compound and not read.building and is_street(read.compound):
            continue
        return _in_community(read, divisions)
    if best.place and not best.group and not divisions.community.endswith("村"):
        return next((read for read in elements(divisions.rest) if read.compound and read.building), best)
    return best


def _in_community(read: Elements, divisions: Divisions) -> Elements:
    """Name a building that stands in a community under no other name by the community's."""
    if read.building and not (read.place or read.compound or read.number):
        return read._replace(compound=divisions.community)
    return read
