"""Standard addresses: one way of writing them, so that the same address compares equal.

``normalise`` undoes differences of writing only (widths, spaces, punctuation, numerals, 幢 for 号楼, a
few traditional characters, the region's name in front). It never adds, drops or repairs anything
that could tell two places apart: ``12 3号楼`` does not become ``123号楼``, ``289-2号`` keeps its hyphen.

The grammar is that of GB/T 23705-2009 (数字城市地理信息公共平台 地名/地址编码规则) as Chinese standard
addresses use it: divisions, street and house number, compound, building, then entrance, floor, room.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from gis.addresses.characters import SPELLED_ELSE, SPELLINGS
from gis.addresses.numerals import NUMERALS, RANKS, value

# Places where a numeral counts something. Not 路, 街 or 巷: 三官一巷 is a name, and so is 第一社区.
_COUNTED: Final = "号|幢|栋|座|单元|门(?=[0-9零〇一二两三四五六七八九十])|层|楼|室|户|院|组|队|社(?!区)|期|排|[#]"
_NUMERAL: Final = "[零〇一二两三四五六七八九十百千廿卅]"
_CHINESE_NUMBER: Final = re.compile(
    f"{_NUMERAL}{_NUMERAL}*(?={_COUNTED})"
)  # x x*, not x+: re then skips to the first x
_LOWER: Final = re.compile("[a-z][a-z]*")
_UNUSUAL: Final = re.compile("[^一-鿿〇0-9A-Z#\n][^一-鿿〇0-9A-Z#\n]*")
_NUMBERED_BUILDING: Final = re.compile("[#幢栋](?<=[0-9A-Z].)楼?")
_REGION: Final = re.compile(
    "^(?:中华人民共和国|中国)?(?:宁夏回族自治区|宁夏(?:自治区|省|区)?(?=银川|石嘴山|吴忠|固原|中卫))+", re.MULTILINE
)


def normalise(text: str) -> str:
    """Return an address in its normal writing; empty where nothing of it is left."""
    return _normal_lines(text.replace("\n", " "))


def normalise_many(texts: Sequence[str | None]) -> list[str | None]:
    """Return the normal writing of n addresses; None for None and for those of which nothing is left.

    All are worked on as one string, a line each: some 200,000 addresses a second on one core.
    """
    lines = _normal_lines("\n".join(text.replace("\n", " ") if text else "" for text in texts))
    return [line or None for line in lines.split("\n")] if texts else []


def _normal_lines(text: str) -> str:
    """Normalise each line of a text; lines never touch one another."""
    if not unicodedata.is_normalized("NFKC", text):
        text = "\n".join(unicodedata.normalize("NFKC", line).replace("\n", " ") for line in text.split("\n"))
    text = _LOWER.sub(lambda found: found[0].upper(), text)
    text = SPELLED_ELSE.sub(lambda found: SPELLINGS[found[0]], text)
    text = _UNUSUAL.sub(_joint, text)
    text = _CHINESE_NUMBER.sub(_in_digits, text)
    text = _NUMBERED_BUILDING.sub("号楼", text)
    return _REGION.sub("", text)


def _joint(found: re.Match[str]) -> str:
    """Return what stays of a run that is neither a common character nor a digit.

    Rare letters stay; of spaces and punctuation only a hyphen or a gap that tells numbers apart.
    """
    run = found[0]
    letters = "".join(filter(str.isalnum, run))
    if letters:
        return letters
    text, start, end = found.string, found.start(), found.end()
    before, after = text[start - 1 : start], text[end : end + 1]
    if not (before.isascii() and before.isalnum() and after.isascii() and after.isalnum()):
        return ""
    if run.strip() == "-":
        return "-"
    return " " if before.isdigit() and after.isdigit() else ""


def _in_digits(found: re.Match[str]) -> str:
    """Return a Chinese number as ASCII digits; one that is no proper number stays as it is."""
    numerals = found[0]
    before = found.string[found.start() - 1 : found.start()]
    if before.isascii() and before.isalnum():
        return numerals  # 2十号: half of the number is written otherwise, and joining would invent one
    if "廿" in numerals or "卅" in numerals:
        return numerals
    if not RANKS.keys() & set(numerals):
        return "".join(str(NUMERALS[numeral]) for numeral in numerals)
    number = value(numerals.replace("〇", "零"))
    return numerals if number is None else str(number)


class DwellingPlace(NamedTuple):
    """An address taken apart: what leads to the building, and what names the dwelling inside it."""

    building: str
    """The address of the building, in normal writing."""
    entrance: int | None = None
    floor: int | None = None
    room: str | None = None


_ROOM: Final = "(?P<room>[0-9]{1,4}[A-Z]?)"
_ENDS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # 2单元5层501室, 2单元501, 1门1102室, 3楼303号
        rf"(?<![0-9-])(?P<entrance>[0-9]{{1,2}})(?:单元|门)(?:(?P<floor>[0-9]{{1,2}})(?:层|楼))?{_ROOM}[室户号]?$",
        rf"(?<=楼|号|座|院|房)(?P<floor>[0-9]{{1,2}})(?:层|楼){_ROOM}[室户号]?$",
        r"(?<![0-9-])(?P<entrance>[0-9]{1,2})单元$",
        # 3号楼2-501
        r"(?<=楼|号|座|院|房)(?P<entrance>[0-9]{1,2})-(?P<room>[0-9]{3,4}[A-Z]?)[室户]?$",
        # 501室; bare 501 only after 号楼 or 座, whose own number has ended there
        rf"(?<![0-9A-Z -]){_ROOM}[室户]$",
        r"(?<=楼|座)(?P<room>[0-9]{3,4}[A-Z]?)$",
    )
)


def split_dwelling(text: str) -> DwellingPlace:
    """Take entrance, floor and room off the end of an address; the rest leads to the building.

    Digits that belong to the building (``289-2号``, ``3号楼``) stay with it, and what is not written
    in one of the plain ways stays too: then no building has that address, and a person looks at it.
    """
    return _split(normalise(text))


def split_dwellings(normalised: Iterable[str | None]) -> list[DwellingPlace | None]:
    """Take the dwelling off n addresses that are in normal writing already; None for None."""
    return [None if text is None else _split(text) for text in normalised]


def _split(text: str) -> DwellingPlace:
    if not text[-1:].isascii() and text[-1:] not in "室户号元":
        return DwellingPlace(text)
    for end in _ENDS:
        found = end.search(text)
        if found:
            parts = found.groupdict()
            entrance, floor = parts.get("entrance"), parts.get("floor")
            return DwellingPlace(
                text[: found.start()],
                int(entrance) if entrance else None,
                int(floor) if floor else None,
                parts.get("room"),
            )
    return DwellingPlace(text)
