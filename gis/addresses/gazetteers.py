"""Names of divisions as people write them in front of an address, and what they allow the address to be in.

The gazetteer holds today's divisions and those that were: 固原县 is 原州区 today, 新城区 of 银川 may be any of
the districts that were set up in its place. A former name narrows less than a name in force, never more.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, Generic, NamedTuple, TypeVar

from gis.addresses.cleaning import clean
from gis.addresses.slips import slips

_PROVINCE: Final = re.compile(
    "(?:中华人民共和国|中国)?(?:宁夏回族自治区|宁夏回族区|宁夏回族|宁夏自治区|宁夏省|宁夏区|宁夏(?![东西南北中]?(?:路|街|巷|大)))+"
)
_LEAST_TWICE: Final = 3
_TWICE: Final = re.compile("^([一-鿿]{3,24}?)\\1")
"""A prefix that was pasted twice."""
_COMMITTEE: Final = re.compile("^(.+?)(?:社区)?(?:居民委员会|居委会|社区)$")
_VILLAGE: Final = re.compile("^(.+?)村?(?:村民委员会|民委员会|村委会|委会|行政村|村)$")
_COMMUNITY_ENDS: Final = (
    "社区",
    "居委会",
    "社区居委会",
    "社区居民委员会",
    "居民委员会",
    "社区居委",
    "居委",
    "社区委员会",
)
_VILLAGE_ENDS: Final = ("村", "村委会", "村村委会", "村民委员会", "村村民委员会", "行政村", "村行政村", "村村委")
_STREET_OFFICE: Final = ("街道", "街道办事处", "街道办", "办事处", "街办", "街")
_OFFICE_MISSPELT: Final = re.compile("(?:(?:道(?=办))?[办事处]{1,3}|[一-鿿]事?处)(?=[一-鿿]{2})")
"""What a slip leaves of 办事处."""
_OFFICES_OF_VILLAGES: Final = ("委会", "村委会", "民委员会", "村民委员会")
_OFFICES_OF_COMMUNITIES: Final = ("居委会", "居民委员会")
_LONGEST_OFFICE: Final = 7
_NO_CITY: Final = re.compile(
    "[东西南北中]?(?:路|街|巷|大[道街]|公路|小区|花园|家园|新村|苑|城|大厦|广场|宾馆|饭店|商|园|府|里|居)"
)
_SHORTEST: Final = 2
Meaning = TypeVar("Meaning")
_SHORT_NAME: Final = 2


class DivisionName(NamedTuple):
    """One division of the list that the gazetteer is made from."""

    code: int
    """Twelve digits."""
    name: str
    level: str
    """prefecture, county, township or village."""


class FormerName(NamedTuple):
    """A county or prefecture that is no more, and the counties of today that it may mean."""

    name: str
    prefectures: frozenset[int]
    """Six digits of the prefectures it may be written under; of a prefecture, itself."""
    counties: frozenset[int]
    """Six digits each."""


class Divisions(NamedTuple):
    """What the divisions written in front of an address say, and what stands after them."""

    rest: str
    counties: frozenset[int] | None = None
    """Counties (six digits) the address can be in; None where nothing is said, empty where it contradicts itself."""
    township: str = ""
    """街道 and 镇; 乡 counts as 镇, which it may have become."""
    community: str = ""
    """社区 or 村, with that word."""
    prefecture: str = ""
    county: str = ""
    unread: str = ""
    """What stands after the township: the rest as it is where the community is not taken for one."""
    doubtful: bool = False
    """The community is a bare 村, which may as well be the name of an estate (光明新村)."""


class Gazetteer:
    """Names of divisions, looked up at the start of a text."""

    def __init__(self, divisions: Iterable[DivisionName] = (), former: Iterable[FormerName] = ()) -> None:
        """Take the divisions in force, and the county-level names that were."""
        self._prefectures: dict[str, tuple[frozenset[int], frozenset[int]]] = {}
        self._counties: _Names[list[tuple[frozenset[int], frozenset[int], str]]] = _Names()
        self._townships: _Names[str] = _Names()
        self._communities: _Names[str] = _Names()
        self._stems: _Names[str] = _Names()
        self._communities_of: dict[str, set[int]] = {}
        self._townships_of: dict[str, set[int]] = {}
        self.county_names: dict[int, str] = {}
        self._under: dict[int, set[int]] = {}
        for division in divisions:
            self._add(division)
        self._in_force = frozenset(self._prefectures)
        for past in former:
            self._add_former(past)
        self._city = self._compiled()

    def add_township(self, name: str, meaning: str | None = None) -> str:
        """Let a township be known in all its writings, as itself or as another; returns the name it is known by."""
        known = township_key(name) if meaning is None else township_key(meaning)
        plain = clean(name)
        for form in _township_forms(plain):
            self._townships.add(form, known)
        if plain.endswith(("街道", "镇", "乡")):
            self._stems.add(plain.removesuffix("街道").removesuffix("镇").removesuffix("乡"), known)
        return known

    def add_community(self, name: str, meaning: str | None = None) -> str:
        """Let a community or village be known in all its writings; returns the name it is known by."""
        known = community_key(name) if meaning is None else community_key(meaning)
        for form in _community_forms(community_key(clean(name))):
            self._communities.add(form, known)
        return known

    @property
    def communities(self) -> dict[str, set[int]]:
        """The communities and villages of the list, by the names they are known by, and their counties."""
        return self._communities_of

    def meant(self, divisions: Divisions) -> frozenset[int] | None:
        """Return the counties an address can be in by all its divisions; None where they say nothing of it.

        A township or community narrows to the counties that have one of its name; names that only the register knows
        are taken to be known by no other county.
        """
        counties = divisions.counties
        for name, counties_of in (
            (divisions.township, self._townships_of),
            (divisions.community, self._communities_of),
        ):
            listed = counties_of.get(name) if name else None
            if name and listed is None:
                return frozenset()
            if listed:
                counties = frozenset(listed) if counties is None else counties & listed
        return counties

    def read(self, text: str, *, wary: bool = False) -> Divisions:
        """Take the divisions off the start of a cleaned address, exactly as they are known.

        ``wary`` is the second reading of what can be read twice: 贺兰华府 is no place in 贺兰县, 固原南苑 one in 固原.
        """
        if text.find(text[:_LEAST_TWICE], _LEAST_TWICE) > 0:
            text = _TWICE.sub(r"\1", text)
        found = _PROVINCE.match(text)
        at = found.end() if found else 0
        prefectures: frozenset[int] | None = None
        counties: frozenset[int] | None = None
        prefecture = county = ""
        while city := self._city.match(text, at):
            end = city.end()
            if self._counties.at(text, at)[1] > end or not (
                city[0].endswith(("市", "区")) or wary or self._alone(text, end)
            ):
                break  # 固原县, 银川路
            prefecture, at = city[0], end
            prefectures, counties = self._prefectures[prefecture]
        named = self._county(text, at, prefectures, wary=wary)
        if named is not None:
            county, counties, at = named
            again = self._county(text, at, prefectures)
            if again and text[again[2] - 1] in "区县市" and counties & again[1]:
                county, counties, at = again[0], counties & again[1], again[2]  # twice, or once under its former name
            doubled = _undoubled(text, at)
            at = doubled if doubled > at and not self._division_follows(text, at) else at
        township, at = self._townships.at(text, at)
        if township is None:
            township, at = self._without_word(text, at, counties)
        if township:
            doubled = _undoubled(text, at)
            at = doubled if doubled > at and not self._division_follows(text, at) else at
            office = _OFFICE_MISSPELT.match(text, at) if township.endswith("街道") else None
            at = office.end() if office else at
        community, after = self._communities.at(text, at)
        if community:
            after = _past_office(text, _undoubled(text, after), community)
        doubtful = community is not None and community.endswith("村") and after - at == len(community)
        return Divisions(
            text[after:], counties, township or "", community or "", prefecture, county, text[at:], doubtful
        )

    def _alone(self, text: str, at: int) -> bool:
        """Tell whether a short name of a prefecture (银川) does not begin the name of a street or a compound."""
        return (
            _NO_CITY.match(text, at) is None or self._counties.at(text, at)[1] > at or self._division_follows(text, at)
        )

    def _county(
        self, text: str, at: int, prefectures: frozenset[int] | None, *, wary: bool = False
    ) -> tuple[str, frozenset[int], int] | None:
        """Return the county named at a place, the counties it may mean, and where its name ends."""
        meanings, end = self._counties.at(text, at)
        if not meanings or self._townships.at(text, at)[1] > end:  # 城区街道 is no 城区
            return None
        if text[end - 1] not in "区县市" and not (
            self._division_follows(text, end) or (prefectures and not wary and _NO_CITY.match(text, end) is None)
        ):
            return None
        fitting = [
            counties for under, counties, _ in meanings if prefectures is None or not prefectures or under & prefectures
        ]
        return meanings[0][2], fitting[0] if len(fitting) == 1 else frozenset().union(*fitting), end

    def _without_word(self, text: str, at: int, counties: frozenset[int] | None) -> tuple[str | None, int]:
        """Return a township whose 镇, 乡 or 街道 was left out, where one of its county's communities follows it."""
        township, end = self._stems.at(text, at)
        if township is None or not counties or self._communities.at(text, at)[1] > end:
            return None, at
        community, _ = self._communities.at(text, end)
        theirs = self._communities_of.get(community or "", set()) & self._townships_of.get(township, set())
        return (township, end) if theirs & counties else (None, at)

    def _division_follows(self, text: str, at: int) -> bool:
        return self._townships.at(text, at)[1] > at or self._communities.at(text, at)[1] > at

    def _add(self, division: DivisionName) -> None:
        code, name = division.code // 10**6, clean(division.name)
        if division.level == "prefecture":
            counties = self._under.setdefault(code, set())
            for form in {name, name.removesuffix("市")}:
                self._prefectures[form] = (frozenset({code}), frozenset(counties))
        elif division.level == "county":
            self.county_names[code] = name
            self._join(code // 100 * 100, code)
            forms = {name} | ({name[:-1]} if len(name) > _SHORT_NAME else set())
            for form in forms:
                self._mean(form, (frozenset({code // 100 * 100}), frozenset({code}), name))
        elif division.level == "township":
            self._townships_of.setdefault(self.add_township(name), set()).add(code)
        elif division.level == "village":
            self._communities_of.setdefault(self.add_community(name), set()).add(code)

    def _lead(self, prefecture: int, county: int) -> None:
        """Let a former name of a prefecture lead to a county that was in it."""
        for form, (codes, counties) in self._prefectures.items():
            if prefecture in codes and form not in self._in_force:
                self._prefectures[form] = (codes, counties | {county})

    def _join(self, prefecture: int, county: int) -> None:
        """Count a county to a prefecture, in every writing of that prefecture."""
        self._under.setdefault(prefecture, set()).add(county)
        for form, (codes, counties) in self._prefectures.items():
            if prefecture in codes:
                self._prefectures[form] = (codes, counties | {county})

    def _add_former(self, past: FormerName) -> None:
        name = clean(past.name)
        if name.endswith("市") and name in self._prefectures:
            return  # 吴忠市 was a county once, and is a prefecture now
        if past.prefectures == past.counties or name.endswith("地区"):
            self._add_former_prefecture(name, past)
            return
        for prefecture in past.prefectures:
            for county in past.counties:
                self._lead(prefecture, county)
        self._mean(name, (past.prefectures, past.counties, name))
        for code in past.counties:  # a county of today may be written under the prefecture it was in
            today = self.county_names.get(code, "")
            for form in {today, today[:-1]} & self._counties.meanings.keys():
                self._mean(form, (past.prefectures, frozenset({code}), today))

    def _add_former_prefecture(self, name: str, past: FormerName) -> None:
        """Add a prefecture that was, or one that is written otherwise today (石咀山市): that one names itself."""
        today = next((meant for meant in self._prefectures.values() if meant[0] == past.prefectures), None)
        for form in {name, name.removesuffix("地区").removesuffix("市")} - self._in_force:
            codes, counties = self._prefectures.get(form, (frozenset[int](), frozenset[int]()))
            found = today or (codes | past.prefectures, counties | past.counties)
            self._prefectures[form] = found

    def _mean(self, form: str, meaning: tuple[frozenset[int], frozenset[int], str]) -> None:
        """Let the name of a county mean one thing more."""
        self._counties.add(form, [])
        self._counties.meanings[form].append(meaning)

    def _compiled(self) -> re.Pattern[str]:
        """Return what finds a prefecture; a short one (银川) not where it begins the name of a street."""
        forms = sorted(self._prefectures, key=len, reverse=True)
        if not forms:
            return re.compile("(?!)")
        return re.compile("|".join(forms))


def _past_office(text: str, at: int, community: str) -> int:
    """Step over the word for a community's office where a slip is in it: 村民民委员会, 村山会."""
    end = text.find("会", at, at + _LONGEST_OFFICE) + 1
    written = text[at:end]
    if len(written) < _SHORTEST or (len(written) == _SHORTEST and text[end : end + 1] > "9"):
        return at  # 村社会福利院
    words = _OFFICES_OF_VILLAGES if community.endswith("村") else _OFFICES_OF_COMMUNITIES
    return end if any(slips(written, word, 1) <= 1 for word in words) else at


def township_key(name: str) -> str:
    """Return the name a township is known by: 长城中路街道, and 三河镇 for 三河乡 too."""
    return name[:-1] + "镇" if name.endswith("乡") else name


def community_key(name: str) -> str:
    """Return the name a community or village is known by: 文联社区 for 文联居委会, 园子村 for 园子村委会."""
    found = _VILLAGE.match(name) if name.endswith(("村", "村委会", "村民委员会")) else None
    if found:
        return found[1] + "村"
    found = _COMMITTEE.match(name)
    return found[1] + "社区" if found else name


def community_stem(name: str) -> str:
    """Return the name of a community without the word for it."""
    return name.removesuffix("社区").removesuffix("村")


def _township_forms(name: str) -> Iterator[str]:
    if name.endswith("街道"):
        yield from (name.removesuffix("街道") + end for end in _STREET_OFFICE[:-1])
    elif name.endswith(("镇", "乡")):
        yield from (name[:-1] + "镇", name[:-1] + "乡", name + "人民政府")
    else:
        yield name


def _community_forms(name: str) -> Iterator[str]:
    stem = community_stem(name)
    if name.endswith("社区"):
        yield from (stem + end for end in _COMMUNITY_ENDS)
    elif name.endswith("村"):
        yield from (stem + end for end in _VILLAGE_ENDS)
    else:
        yield name


def _undoubled(text: str, at: int) -> int:
    """Step over a last character that was written twice: 三河镇镇, 石碑村村."""
    return at + 1 if 0 < at < len(text) and text[at] == text[at - 1] and text[at] in "市区县镇乡道村" else at


class _Names(Generic[Meaning]):
    """Names and what they mean, found at a place in a text: the longest wins."""

    def __init__(self) -> None:
        self.meanings: dict[str, Meaning] = {}
        self._lengths: dict[str, tuple[int, ...]] = {}

    def add(self, name: str, meaning: Meaning) -> None:
        """Let a name mean something, unless it means something already."""
        if len(name) < _SHORTEST or name in self.meanings:
            return
        self.meanings[name] = meaning
        start = name[:_SHORTEST]
        self._lengths[start] = tuple(sorted({*self._lengths.get(start, ()), len(name)}, reverse=True))

    def at(self, text: str, place: int) -> tuple[Meaning | None, int]:
        """Return the meaning of the longest name that stands at a place, and where it ends; None and the place."""
        lengths = self._lengths.get(text[place : place + _SHORTEST])
        if lengths is None:
            return None, place
        for length in lengths:
            name = text[place : place + length]  # shorter where the text ends before
            meaning = self.meanings.get(name)
            if meaning is not None:
                return meaning, place + len(name)
        return None, place
