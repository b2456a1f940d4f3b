"""The elements of an address that can be read from its tokens, in each of the ways they can be read."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from gis.addresses import roles
from gis.addresses.tokens import Token, cut

_ZONE: Final = re.compile("^(.*?)((?:[东西南北中](?:区|院)|[一二三四五六七八九十]+[区期])+)$")
_SHEDS: Final = frozenset("SP")
_STREET: Final = re.compile("(?:路|街|巷|道|弄|胡同|段|线|里弄)$")
_COMPANY: Final = re.compile("(?:股份|集团|工程)?(?:有限责任|股份有限|有限)公司|(?<=[一-鿿]{2})公司(?=[一-鿿]{2})")
_PROJECT: Final = re.compile("(?:建设|工程)?(?:项目经理部|项目部|项目|工地)(?:工地)?")
_CAMP: Final = re.compile(
    "(?:临时|工人|施工|民工|职工|建设者)*(?:生活区|生活营地|生活基地|营地|营区|驻地|宿舍区?|工棚区?|工房)$"
)
_ORDINAL: Final = "[一二三四五六七八九十]+"
_BUILDER: Final = re.compile(
    f"^.{{0,8}}?(?:{_ORDINAL}[局建冶]|{_ORDINAL}公局|建工|建设|建筑|路桥|水利|安装|市政|集团|工程局|电建|能建|煤业|陕建)"
    "(?=.{2,}项目)"
)
_ZONE_WORDS: Final = {"期工程": "期", "": "区"}


class Elements(NamedTuple):
    """What stands after the divisions. Numbers are text (12-1, 甲12, A); nothing is an empty text."""

    place: str = ""
    """A street, a hamlet: what house numbers count along."""
    group: str = ""
    number: str = ""
    """House number; 12附1 for 12号附1号."""
    compound: str = ""
    zone: str = ""
    """Zones and phases of a compound, in order: 2期A区."""
    building: str = ""
    kind: str = ""
    """How the building is called: S for a shed (3号板房), P for a row of them (3排), empty for 号楼 and the like."""
    entrance: str = ""
    floor: str = ""
    room: str = ""
    unread: str = ""
    """What stands after the dwelling and is no part of the address."""


def elements(text: str) -> Iterator[Elements]:
    """Yield the readings of what stands after the divisions, the most usual first."""
    yield from of_tokens(cut(text))


def of_tokens(tokens: Sequence[Token]) -> Iterator[Elements]:
    """Yield the readings of a row of tokens, the most usual first."""
    for reading in roles.readings("".join([token.letter for token in tokens])):
        yield _read(tokens, reading)


def is_street(name: str) -> bool:
    """Tell whether a name is a street's by its last word."""
    return _STREET.search(name) is not None


@lru_cache(maxsize=262_144)
def site(name: str) -> str:
    """Return the name of a building site without the words that people vary: 项目部生活区 is 工地宿舍 to some."""
    if "项目" not in name and "工地" not in name:
        return _COMPANY.sub("", name)
    return _CAMP.sub("", _PROJECT.sub("项目", _COMPANY.sub("", name)))


def without_builder(name: str) -> str:
    """Return the name of a site without the firm that builds it; the name itself where no firm stands before it."""
    found = _BUILDER.match(name)
    return name[found.end() :] if found else name


@lru_cache(maxsize=262_144)
def split_zone(name: str) -> tuple[str, str]:
    """Return a compound's name and the zone written behind it: 百合家园东区 is 百合家园, 东区."""
    found = _ZONE.match(name)
    return (found[1], found[2]) if found else (name, "")


def _read(tokens: Sequence[Token], reading: roles.Reading) -> Elements:
    """Return the elements of one reading."""
    parts = [""] * 10
    kind = unread = ""
    zones: list[str] = []
    for at, taken in reading:
        letter, text, word = tokens[at]
        if not taken:
            unread = text
            continue
        role = taken[0]
        if role == roles.ZONE:
            zones.append(text + _ZONE_WORDS.get(word, word))
        elif role == roles.COMPOUND:
            parts[role], zone = split_zone(text)
            if zone:
                zones.append(zone)
        elif len(taken) == 1:
            parts[role] = text
        else:
            _spread(parts, taken, text)
        if role == roles.BUILDING and letter in _SHEDS:
            kind = letter
    return Elements(
        parts[roles.PLACE],
        parts[roles.GROUP],
        parts[roles.NUMBER] + (f"附{parts[roles.SUB]}" if parts[roles.SUB] else ""),
        parts[roles.COMPOUND],
        "".join(sorted(zones)) if len(zones) > 1 else "".join(zones),
        parts[roles.BUILDING],
        kind,
        parts[roles.ENTRANCE],
        parts[roles.FLOOR],
        parts[roles.ROOM],
        unread,
    )


def _spread(parts: list[str], taken: tuple[int, ...], text: str) -> None:
    """Give the parts of a number with hyphens to their roles; the last takes what is over (501-2)."""
    for role, part in zip(taken, text.split("-", len(taken) - 1), strict=True):
        parts[role] = part
