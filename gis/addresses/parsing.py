"""An address taken apart into its elements by a gazetteer and the grammar, and put together again the standard way."""

from typing import Final, NamedTuple

from gis.addresses.cleaning import clean
from gis.addresses.gazetteers import Divisions, Gazetteer
from gis.addresses.reading import Elements, elements, is_street

_ROOM_DIGITS: Final = 3
_SHEDS: Final = {"S": "号板房", "P": "排板房"}


class Address(NamedTuple):
    """The elements of an address; whatever is not stated is an empty text."""

    prefecture: str = ""
    county: str = ""
    township: str = ""
    """街道 and 镇; a 乡 is known as the 镇 it may have become."""
    community: str = ""
    """社区 or 村."""
    place: str = ""
    """Street or hamlet."""
    group: str = ""
    number: str = ""
    """House number: 甲12, 12-1, 12附1."""
    compound: str = ""
    zone: str = ""
    building: str = ""
    kind: str = ""
    """S for a shed, P for a row of sheds, empty for 号楼 and the like."""
    entrance: str = ""
    floor: str = ""
    room: str = ""
    unread: str = ""
    """What could not be read: the whole rest where there is no sense in it, or what stands after the dwelling."""


def parse(text: str, gazetteer: Gazetteer) -> Address:
    """Return the elements of an address, in the most usual reading; nothing raises, and nothing is guessed away."""
    divisions = gazetteer.read(clean(text))
    before = (divisions.prefecture, divisions.county, divisions.township, divisions.community)
    ranked = sorted(elements(divisions.rest), key=lambda read: _oddness(read, divisions))
    return Address(*before, *ranked[0]) if ranked else Address(*before, unread=divisions.rest)


def write(address: Address) -> str:
    """Return the standard writing of an address (GB/T 23705), from the large to the small."""
    number = address.number.replace("附", "号附")
    house = address.building
    word = _SHEDS.get(address.kind, "座" if house[-1:].isalpha() and house.isascii() else "号楼")
    parts = (
        *address[:4],
        address.place,
        address.group and f"{address.group}组",
        number and f"{number}号",
        address.compound,
        address.zone,
        house and f"{house}{word}",
        address.entrance and f"{address.entrance}单元",
        address.floor and f"{address.floor}层",
        address.room and f"{address.room}室",
        address.unread,
    )
    return "".join(parts)


def _oddness(read: Elements, divisions: Divisions) -> int:
    """Return how unusual a reading is: house numbers stand along streets and in villages, buildings in compounds."""
    rural = bool(read.group) or divisions.community.endswith("村")
    odd = 0
    if read.place and not rural and not is_street(read.place):
        odd += 2
    if read.compound and not read.place and is_street(read.compound):
        odd += 2
    if read.unread:
        odd += 1
    if len(read.building) >= _ROOM_DIGITS and not (read.compound or read.zone or read.entrance or read.room):
        odd += 1  # 12号102号 is a room
    return odd
