"""An invented register on real divisions: towns of compounds, houses, sites and villages, in a hand of their own."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from data import reference
from data.fiction import words
from gis.terms import DivisionLevel

STREET_WORDS: Final = ("路", "街", "巷", "东路", "西路", "南街", "北街", "东巷", "西巷", "一巷", "二巷", "三巷", "大街")
DIGITS: Final = "零一二三四五六七八九"


@dataclass(slots=True)
class Home:
    """One building of the invented register, by its elements."""

    number: str
    prefecture: str
    county_code: int
    county: str
    township: str
    community: str
    street: str = ""
    house: str = ""
    compound: str = ""
    zone: str = ""
    building: str = ""
    word: str = ""
    """号楼, 幢, 座, 号板房, 排板房 …"""
    group: str = ""
    group_word: str = ""
    entrances: int = 0
    floors: int = 1
    rooms: int = 2
    active: bool = True

    @property
    def address(self) -> str:
        """The standard address."""
        house = f"{self.house.replace('附', '号附')}号" if self.house else ""
        group = f"{spelled(int(self.group))}{self.group_word}" if self.group else ""
        return (
            f"宁夏回族自治区{self.prefecture}{self.county}{self.township}{self.community}{self.street}{group}{house}"
            f"{self.compound}{self.zone}{self.building}{self.word}"
        )


@dataclass
class Town:
    """The invented register, and what its author needs to write rows."""

    homes: list[Home]
    former: list[tuple[int, str, str]] = field(default_factory=list)
    """county_code, current_name, former_name."""


def register(seed: int, counties: Sequence[int], many: int) -> Town:
    """Return about ``many`` buildings spread over counties (six digits), in real townships and communities."""
    draw = random.Random(seed)  # noqa: S311 - fiction, not secrets
    rows = reference.divisions()
    names = {row.code: row.name for row in rows}
    villages = [row for row in rows if row.level is DivisionLevel.VILLAGE and row.code // 10**6 in set(counties)]
    homes: list[Home] = []
    taken: set[str] = set()
    while len(homes) < many:
        village = draw.choice(villages)
        town = village.parent_code or 0
        county = village.code // 10**6
        stem = village.name
        for end in (
            "社区居民委员会",
            "社区居委会",
            "居民委员会",
            "居委会",
            "社区",
            "村村民委员会",
            "村民委员会",
            "村委会",
            "村",
        ):
            stem = stem.removesuffix(end)
        urban = "村" not in village.name
        if town not in names or town % 10**6 == 0 or "虚拟" in village.name or "生活区" in village.name:
            continue
        base = Home(
            "", names[county // 100 * 10**8], county, names[county * 10**6], names[town],
            stem + ("社区" if urban else "村"),
        )  # fmt: skip
        plot = list(_place(draw, base) if urban else _village(draw, base))
        if not {home.address for home in plot} & taken and (urban or base.township + base.community not in taken):
            homes.extend(plot)
            taken |= {home.address for home in plot} | {base.township + base.community}
    for serial, home in enumerate(homes):
        home.number = f"9{serial:011d}"
        home.active = draw.random() > 0.01  # noqa: PLR2004 - one in a hundred is gone
    return Town(homes, _former(draw, homes))


def _copy(base: Home, **changes: object) -> Home:
    values = {name: getattr(base, name) for name in Home.__slots__} | changes
    return Home(**values)


def _place(draw: random.Random, base: Home) -> Iterator[Home]:
    """Yield the buildings of one plot of a community: a compound, a single house, or a site."""
    street = draw.choice(words.STREETS) + draw.choice(STREET_WORDS)
    house = str(draw.randint(1, 400))
    kind = draw.random()
    if kind < 0.15:  # noqa: PLR2004 - shares of the kinds of plots
        for each in range(draw.randint(1, 6)):
            prefix = draw.choice(("", "", "甲", "乙"))
            suffix = draw.choice(("", "", "-1", "-2", "附1", "附3"))
            yield _copy(
                base, street=street, house=f"{prefix}{int(house) + 2 * each}{suffix}",
                entrances=draw.choice((0, 1, 2)), floors=draw.randint(1, 6), rooms=4,
            )  # fmt: skip
        return
    if kind < 0.2:  # noqa: PLR2004
        site = draw.choice(words.BUILDERS) + draw.choice(words.PROJECTS) + draw.choice(words.CAMPS)
        word = draw.choice(("号板房", "号集装箱房", "排板房"))
        for each in range(1, draw.randint(3, 12)):
            yield _copy(base, compound=site, building=str(each), word=word, floors=2, rooms=10)
        return
    compound = draw.choice(words.ESTATES) + draw.choice(words.ESTATE_TYPES)
    zones = draw.choice((("",), ("",), ("",), ("一期", "二期"), ("东区", "西区"), ("A区", "B区")))
    word = draw.choice(("号楼", "号楼", "幢", "栋", "座"))
    entrances, floors, rooms = draw.randint(1, 6), draw.choice((5, 6, 7, 11, 18, 26, 33)), draw.randint(2, 4)
    for zone in zones:
        for each in range(1, draw.randint(4, 24)):
            building = "ABCDEFGHJKLMNPQRSTUVWXYZ"[each - 1] if word == "座" else str(each)
            yield _copy(
                base, street=street, house=house, compound=compound, zone=zone, building=building, word=word,
                entrances=entrances, floors=floors, rooms=rooms,
            )  # fmt: skip


def _village(draw: random.Random, base: Home) -> Iterator[Home]:
    word = draw.choice(words.GROUPS)
    for group in range(1, draw.randint(2, 7)):
        for house in range(1, draw.randint(5, 30)):
            yield _copy(base, group=str(group), group_word=word, house=str(house))


def _former(draw: random.Random, homes: Sequence[Home]) -> list[tuple[int, str, str]]:
    streets = sorted({(home.county_code, home.street) for home in homes if home.street})
    chosen = draw.sample(streets, min(len(streets), 40))
    olds = [
        f"{old}{word}" for old in ("红旗", "反修", "东方红", "卫星", "跃进", "工农兵") for word in ("路", "街", "巷")
    ]
    return [(county, name, draw.choice(olds)) for county, name in chosen]


def spelled(number: int) -> str:
    """Return a number up to 999 in Chinese."""
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    text = f"{DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        text += ("十" if tens == 1 and not hundreds else f"{DIGITS[tens]}十") + (DIGITS[ones] if ones else "")
    elif ones:
        text += ("零" if hundreds else "") + DIGITS[ones]
    return text or DIGITS[0]
