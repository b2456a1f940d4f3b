"""Addresses of an invented town as people write them, slips and all.

What a row means is known by construction: ``link`` where the building it was written for is the only one that agrees
with everything stated, ``review`` where several do or something contradicts, ``none`` where the register has no such
building. The oracle compares fields, never texts, so that it shares nothing with what it tests.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from typing import Final, NamedTuple

from data import reference
from data.fiction.settlements import DIGITS, Home, Town, spelled
from gis.addresses.characters import SIMPLIFIED

CAPITALS: Final = "零壹贰叁肆伍陆柒捌玖"
ALIKE: Final = {
    "园": "圆员原", "苑": "院远", "府": "付复", "庭": "亭廷", "华": "划花", "城": "成程", "新": "心欣", "家": "加佳",
    "嘉": "加家", "景": "井晶", "和": "合河", "泰": "太秦", "福": "富付", "丽": "利力", "湖": "胡弧", "光": "广逛",
    "明": "名鸣", "安": "按岸", "康": "糠慷", "民": "明敏", "生": "声升", "建": "健见", "设": "社涉", "文": "闻纹",
    "化": "话画", "路": "露鹿", "街": "阶接", "巷": "象向", "社": "设射", "村": "存寸", "银": "艮垠", "星": "兴行",
    "河": "何和", "海": "每悔", "兴": "星幸", "源": "原园", "阳": "杨扬", "东": "冬懂", "平": "苹评", "区": "去取",
}  # fmt: skip
REMARKS: Final = ("(租住)", "（暂住）", ",临时居住", "【自建房】", "(超市对面)", " 出租屋", "（房东家）", "")
LABELS: Final = ("现住址：", "住址:", "现住", "暂住地：", "地址: ")
_LONG: Final = 3
"""Digits of a number that some spell out with ranks and some digit by digit."""
_TRADITIONAL: Final = {plain: old for old, plain in reversed(SIMPLIFIED.items())}


class Written(NamedTuple):
    """A row of a roster and what it means."""

    occupant_id: str
    address: str
    expect: str
    """link, review, none, or either where both are right."""
    number: str
    room: str
    noise: str


def roster(town: Town, seed: int, many: int, *, hard: bool = False) -> Iterator[Written]:
    """Yield n rows as people write them; ``hard`` ones carry two or three noises each."""
    draw = random.Random(seed)  # noqa: S311
    oracle = _Oracle(town)
    for serial in range(many):
        home = draw.choice(town.homes)
        yield _Writer(draw, oracle, home, hard=hard).write(f"W{serial:07d}")


class _Oracle:
    """Which buildings agree with a statement of fields."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.by_compound: dict[tuple[str, str], list[Home]] = defaultdict(list)
        self.by_street: dict[tuple[str, str], list[Home]] = defaultdict(list)
        self.by_village: dict[tuple[str, str, str], list[Home]] = defaultdict(list)
        self.names: set[str] = set()
        self.former = {(county, current): old for county, current, old in town.former}
        for home in town.homes:
            self.names |= {home.street, home.compound, home.community, home.township, home.compound + home.zone}
            if home.compound:
                self.by_compound[home.compound, home.building].append(home)
            if home.street:
                self.by_street[home.street, home.house].append(home)
            elif home.house:
                self.by_village[home.community, home.group, home.house].append(home)
        self.names |= {old for _, _, old in town.former} | {row.name for row in reference.divisions()}
        self.counties = {home.county_code: home.county for home in town.homes}
        self.blanked: dict[str, set[str]] = defaultdict(set)
        """Names by what is left of them where one character is hidden."""
        for name in self.names:
            for blanked in _blanked(name):
                self.blanked[blanked].add(name)

    def agreeing(self, stated: dict[str, str], counties: set[int] | None) -> list[Home]:
        """Return the buildings that have all of the stated fields."""
        if "compound" in stated and "building" in stated:
            pool = self.by_compound[stated["compound"], stated["building"]]
        elif "street" in stated:
            pool = self.by_street[stated["street"], stated["house"]]
        else:
            pool = self.by_village[stated["community"], stated.get("group", ""), stated["house"]]
        return [
            home for home in pool
            if (counties is None or home.county_code in counties)
            and all(getattr(home, name) == value for name, value in stated.items())
        ]  # fmt: skip


class _Writer:
    """Writes one row."""

    def __init__(self, draw: random.Random, oracle: _Oracle, home: Home, *, hard: bool) -> None:
        self.draw, self.oracle, self.home, self.hard = draw, oracle, home, hard
        self.noise: list[str] = []
        self.stated: dict[str, str] = {}
        self.counties: set[int] | None = None
        self.slipped = False
        self.slips_left = (2 if hard else 1) if self._maybe(0.5 if hard else 0.12) else 0

    def write(self, occupant_id: str) -> Written:
        """Return the row."""
        before = self._divisions()
        body, room = self._body()
        text = before + body
        home = self.home
        expect = self._expected()
        text, expect = self._spoil(text, expect)
        text = self._finish(text)
        number = home.number if expect in {"link", "either"} else ""
        return Written(occupant_id, text, expect, number, room, "+".join(self.noise) or "plain")

    def _maybe(self, share: float) -> bool:
        return self.draw.random() < share

    def _expected(self) -> str:
        agreeing = self.oracle.agreeing(self.stated, self.counties)
        if not self.home.active:
            return "review"
        alive = [home for home in agreeing if home.active]
        if len(alive) != 1:
            return "either" if self.slipped else "review"
        return "either" if self.slipped and "tie" in self.noise else "link"

    def _divisions(self) -> str:
        draw, home = self.draw, self.home
        level = draw.random()
        rural = not (home.street or home.compound)
        county = draw.random() < 0.9 or rural  # noqa: PLR2004 - shares of what people leave out
        parts = [draw.choice(("", "", "宁夏回族自治区", "宁夏", "宁夏自治区"))] if county else [""]
        city = draw.choice(("", home.prefecture, home.prefecture, home.prefecture.removesuffix("市")))
        if parts[0] and not city:
            city = home.prefecture
        parts.append(city)
        if county:
            parts.append(self._county(city))
            self.counties = {home.county_code}
        elif city:
            code = home.county_code // 100
            self.counties = {other for other in self.oracle.counties if other // 100 == code}
        if level < 0.6:  # noqa: PLR2004
            self.stated["township"] = home.township
            parts.append(self._slip(self._township()))
        if rural or 0.3 < level < 0.85 or level < 0.2:  # noqa: PLR2004
            self.stated["community"] = home.community
            parts.append(self._slip(home.community) if self._maybe(0.7) else self._community())
        return "".join(parts)

    def _county(self, city: str) -> str:
        home = self.home
        old = {640402: "固原县", 640502: "中卫县", 640104: "郊区", 640106: "新城区", 640205: "石嘴山区"}
        if home.county_code in old and self._maybe(0.15 if self.hard else 0.03) and (city or home.county_code > 640200):  # noqa: PLR2004
            self.noise.append("former county")
            return old[home.county_code]
        if city and not city.endswith("市") and self._maybe(0.1) and "township" in self.stated:
            return home.county[:-1]
        return home.county

    def _township(self) -> str:
        name = self.home.township
        if name.endswith("街道"):
            return name + self.draw.choice(("", "", "办事处", "办"))
        return name

    def _community(self) -> str:
        name = self.home.community
        if name.endswith("社区"):
            return name.removesuffix("社区") + self.draw.choice(("社区居委会", "居委会", "社区居民委员会"))
        return name.removesuffix("村") + self.draw.choice(("村委会", "村民委员会", "行政村", "村村委会"))

    def _body(self) -> tuple[str, str]:
        """Return what stands after the divisions, and the room as LINKS write it."""
        home, draw = self.home, self.draw
        inside, room = self._dwelling()
        if home.group:
            self.stated |= {"group": home.group, "house": home.house}
            group = draw.choice((home.group, spelled(int(home.group)))) + draw.choice(("组", "队", "社", "村民小组"))
            return group + self._number(home.house) + draw.choice(("号", "号", "号", "#", "号院")), ""
        street = ""
        if home.street and (not home.compound or self._maybe(0.75)):
            self.stated |= {"street": home.street, "house": home.house}
            street = self._street() + self._house(ends=not home.compound)
        if not home.compound:
            return street + inside, room
        self.stated["building"] = home.building
        name = ""
        if not street or self._maybe(0.85):
            self.stated["compound"] = home.compound
            name = self._slip(home.compound)
        if home.zone:
            self.stated["zone"] = home.zone
            name += draw.choice((home.zone, home.zone.replace("一期", "1期").replace("二期", "2期")))
        if home.street and not street:
            self.noise.append("no street")
        return street + name + self._building(inside), room

    def _street(self) -> str:
        old = self.oracle.former.get((self.home.county_code, self.home.street))
        if old and self._maybe(0.5):
            self.noise.append("former street")
            return old
        return self._slip(self.home.street)

    def _house(self, *, ends: bool) -> str:
        house = self.home.house
        if "附" in house:
            number, sub = house.split("附")
            return f"{self._number(number)}号附{sub}号"
        written = self._number(house)
        if house[:1].isalpha() or "-" in house:
            written = house.replace("-", self.draw.choice(("-", "之", "－"))) if "-" in house else house
        if not ends and self._maybe(0.05):
            self.noise.append("no 号")
            return written if written.isascii() else house
        return written + self.draw.choice(("号", "号", "号", "号院", "#"))

    def _building(self, inside: str) -> str:
        home, draw = self.home, self.draw
        letter = home.building.isalpha()
        if home.word in {"号板房", "号集装箱房", "排板房"}:
            return self._number(home.building) + home.word + inside
        if inside and home.entrances and self._maybe(0.12):
            self.noise.append("compact")
            return f"{home.building}-{self._compact}"
        word = draw.choice(("座", "栋", "号楼") if letter else ("号楼", "号楼", "幢", "栋", "#楼", "#", "楼", "号"))
        if not inside and word in {"号", "楼", "#"}:
            word = "号楼"
        return (home.building if letter else self._number(home.building)) + word + inside

    def _dwelling(self) -> tuple[str, str]:
        """Return the dwelling as written, and as LINKS write it."""
        home, draw = self.home, self.draw
        self._compact = ""
        if home.group or self._maybe(0.12):
            return "", ""
        floor, place = draw.randint(1, home.floors), draw.randint(1, min(home.rooms, 9))
        room = f"{floor}{place:02d}"
        end = draw.choice(("室", "室", "号", "", "户"))
        storey = f"{floor}{draw.choice(('层', '楼'))}" if self._maybe(0.2) else ""
        if not home.entrances:
            return f"{storey}{room}{end or '室'}", room
        entrance = draw.randint(1, home.entrances)
        self._compact = f"{entrance}-{room}"
        if home.compound and self._maybe(0.1):
            return f"{entrance}-{room}{draw.choice(('室', ''))}", f"{entrance}-{room}"
        stair = self._number(str(entrance)) + draw.choice(("单元", "单元", "单元", "门"))
        return f"{stair}{storey}{self._number(room)}{end}", f"{entrance}-{room}"

    def _number(self, number: str) -> str:
        """Return a number in one of its writings."""
        if not number.isdigit():
            return number
        kind = self.draw.random()
        if kind < 0.8:  # noqa: PLR2004
            return number
        if kind < 0.88:  # noqa: PLR2004
            return "".join(chr(ord(digit) + 0xFEE0) for digit in number)
        if kind < 0.98 or len(number) > 1:  # noqa: PLR2004
            return (
                spelled(int(number))
                if len(number) < _LONG or (len(number) == _LONG and self._maybe(0.5))
                else "".join(DIGITS[int(d)] for d in number)
            )
        return CAPITALS[int(number)] if number != "0" else number

    def _slip(self, name: str) -> str:
        """Return a name, perhaps with one slip of the pen."""
        if not self.slips_left or len(name) < 3 or not self._maybe(0.5):  # noqa: PLR2004
            return name
        at = self.draw.randrange(len(name))
        kind = self.draw.choice(("other", "other", "drop", "double", "swap"))
        character = name[at]
        if kind == "other":
            written = name[:at] + self.draw.choice(ALIKE.get(character, "欣荣") or "欣") + name[at + 1 :]
        elif kind == "drop":
            written = name[:at] + name[at + 1 :]
        elif kind == "double":
            written = name[:at] + character + name[at:]
        else:
            at = min(at, len(name) - 2)
            written = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
        if written == name:
            return name
        self.slips_left -= 1
        self.slipped = True
        self.noise.append(f"slip {kind}")
        if written in self.oracle.names or self._near(written, name):
            self.noise.append("tie")
        return written

    def _near(self, written: str, name: str) -> bool:
        """Tell whether another name of the register differs in one place from what was written."""
        return any(
            self.oracle.blanked[blanked] - {name} for blanked in _blanked(written) if blanked in self.oracle.blanked
        )

    def _spoil(self, text: str, expect: str) -> tuple[str, str]:
        """Write a row that must not be linked, now and then."""
        kind = self.draw.random()
        if kind < 0.01:  # noqa: PLR2004
            self.noise.append("beside")
            return text + self.draw.choice(("对面", "附近", "旁边", "隔壁", "后面", "北侧")), "review"
        if kind < 0.02 and self.home.county in text:  # noqa: PLR2004
            self.noise.append("other county")
            others = sorted(set(self.oracle.counties.values()) - {self.home.county})
            if others:
                other = self.draw.choice([*others, "彭阳县", "盐池县"])
                return text.replace(self.home.county, other, 1), "either" if self._elsewhere(other) else "review"
        if kind < 0.035:  # noqa: PLR2004
            return self._unknown(), "none"
        if kind < 0.04 and self.home.compound and self.home.building:  # noqa: PLR2004
            self.noise.append("no building number")
            home = self.home
            return (
                f"{home.county}{home.street}{home.house + '号' if home.house else ''}{home.compound}1单元101室",
                "review",
            )
        return text, expect

    def _elsewhere(self, county: str) -> bool:
        codes = {code for code, name in self.oracle.counties.items() if name == county}
        stated = {name: value for name, value in self.stated.items() if name != "township"}
        return bool(self.oracle.agreeing(stated, codes)) if codes else False

    def _unknown(self) -> str:
        """Return an address that the register does not have: another number, or another name."""
        home, draw = self.home, self.draw
        self.noise.append("unknown")
        if home.compound and self._maybe(0.5):
            return f"{home.county}{home.compound}{home.zone}{draw.randint(60, 99)}号楼1单元{draw.randint(1, 5)}01室"
        if home.street and self._maybe(0.5):
            return f"{home.county}{home.community}{home.street}{draw.randint(800, 999)}号101室"
        name = draw.choice("璟钰珑樾") + draw.choice("澜宸翰墅") + draw.choice(("公馆", "花园", "府"))
        return f"{home.county}{name}3号楼1单元501室"

    def _finish(self, text: str) -> str:
        """Add what people add: labels, remarks, blanks, old characters."""
        draw = self.draw
        if self._maybe(0.05):
            text = draw.choice(LABELS) + text
        if self._maybe(0.08):
            text += draw.choice(REMARKS)
        if self._maybe(0.06):
            self.noise.append("blanks")
            at = draw.randrange(1, len(text))
            if not (text[at - 1].isascii() and text[at].isascii()):
                text = text[:at] + draw.choice((" ", "　", ",")) + text[at:]
        if self._maybe(0.05):
            self.noise.append("traditional")
            text = "".join(_TRADITIONAL.get(one, one) if self._maybe(0.8) else one for one in text)
        return text


def _blanked(name: str) -> Iterator[str]:
    """Yield a name with each of its characters hidden in turn."""
    yield from (f"{name[:at]}_{name[at + 1 :]}" for at in range(len(name)))
