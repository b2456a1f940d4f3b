"""What stands after the divisions of an address, cut into names and numbers.

Every number keeps the word that says what it counts; a letter tells its class:

====  =========================================  ====  ===================================
n     a name                                     Z     zone or phase: A区, 2期
H     12号, 12号院                               #     12#
L     3号楼, 3幢, A座                            l     3楼: a building or a floor
S     3号板房                                    P     3排
A     附3号                                      G     3组, 3队, 3社
E     2单元, 2门                                 e     3-2单元
F     5层, 5F                                    R     501室
B     a bare number                              D     a-b
T     a-b-c                                      Q     a-b-c-d
d     12-1号
====  =========================================  ====  ===================================
"""

import re
from typing import Final, NamedTuple

_SHED: Final = (
    "(?:(?:活动|彩钢|临时|简易|移动|轻钢)*(?:板房|集装箱板?房?(?:宿舍)?|工棚|箱式?房|彩钢房|简易房|棚户?|帐篷|岩棉房))"
)
_WORDS: Final[tuple[tuple[str, str], ...]] = (
    ("S", f"[号#栋幢座]?{_SHED}|号房(?=[0-9])"),
    ("P", f"排(?:{_SHED}|平?房)?"),
    ("L", ("[号#]?(?:住宅|公寓|宿舍|职工|家属|倒班|居民|单身|安置|商住|教师|员工)+楼"
     "|号楼[栋座房]?|[#号][搂幢栋座冢憧橦]"
     "|#楼|[栋幢座]楼?|楼[栋座]|[冢憧橦](?=[0-9]|$)")),
    ("l", "[楼搂](?!层)"),
    ("R", "号?室|户(?![一-鿿])|号?房间?(?![一-鿿])"),
    ("E", "号?单元楼?|号门(?!牌)|门[栋洞]|梯|单(?=[0-9])|门(?=[0-9A-Z]|$)"),
    ("F", "楼层|层楼?"),
    ("G", "村民小组|居民小组|村小组|小组|生产队|[组队]|社(?!区)"),
    ("Z", "期(?:工程)?|区(?!社区)|组团"),
    ("H", "号(?:大?院[内里]?|门牌|宅院|住宅(?!楼)|宅)?(?!线)|大?院(?![一-鿿])"),
    ("#", "#院?"),
)  # fmt: skip
_CLASSES: Final = "|".join(f"(?P<{'hash' if letter == '#' else letter}>{words})" for letter, words in _WORDS)
_NUMBER: Final = re.compile(
    "(?P<before>第|附|地下|负|[甲乙丙丁戊己]字?(?=[0-9])|(?<![一-鿿])[东西南北](?=[0-9]+(?:号楼|[#幢栋座]))"
    "|[东西南北](?=[0-9]+(?:号楼|[#幢栋座])))?"
    "(?P<number>[0-9]+(?:[A-Z](?![区]))?(?:-[0-9]+[A-Z]?|-[A-Z](?![A-Z0-9]))*|[A-Z][0-9]*(?:-[0-9]+[A-Z]?)*)"
    "(?P<after>[甲乙丙丁戊己](?=号)|号[甲乙丙丁](?![一-鿿]))?"
    f"(?:{_CLASSES})?"
)
_CUT: Final = re.compile(f"({re.sub('[(][?]P<[a-zA-Z]+>', '(?:', _NUMBER.pattern)})")
"""The same, for cutting: what it splits a text into are names and numbers by turns."""
_FILLING: Final = frozenset({"", "院", "内", "院内", "的", "小区内", "栋", "号"})


_MOST_SEEN: Final = 200_000


class Token(NamedTuple):
    """A name or a number, and what it counts."""

    letter: str
    """Its class; see the table of this module."""
    text: str
    """The name, or the number: 甲12, 12-1, A."""
    word: str = ""
    """The word that was written after the number."""


_SEEN: dict[str, Token] = {}
"""Numbers met before: there are far fewer of them than rows."""


def cut(text: str) -> list[Token]:
    """Return the names and numbers of a cleaned text, in its order; nothing of it is lost but filling words."""
    pieces = _CUT.split(text)
    tokens: list[Token] = []
    for at, piece in enumerate(pieces):
        if at % 2:
            token = _SEEN.get(piece)
            if token is None:
                _learn(text)
                token = _SEEN[piece]
            tokens.append(token)
        elif piece and (name := piece.strip()) not in _FILLING:
            tokens.append(Token("n", name))
    return tokens


def _learn(text: str) -> None:
    """Class the numbers of a text, and remember them."""
    if len(_SEEN) > _MOST_SEEN:
        _SEEN.clear()
    for found in _NUMBER.finditer(text):
        if found[0] not in _SEEN:
            _SEEN[found[0]] = _classed(found)


def _classed(found: re.Match[str]) -> Token:
    """Return a number with its class."""
    before, number, after = found["before"] or "", found["number"], found["after"] or ""
    letter = found.lastgroup or ""
    if letter == "hash":
        letter = "#"
    elif letter in {"number", "before", "after"}:
        letter = ""
    word = found[0][found[0].index(number) + len(number) + len(after) :]
    parts = number.count("-") + 1
    before = before.removesuffix("字").removeprefix("第")
    if before == "附":
        return Token("A", number, word)
    if after:
        before += after.removeprefix("号")
        letter = letter or "H"
    if not letter and parts == 1 and len(number) in {2, 3} and number[-1] == "F" and number[:-1].isdigit():
        return Token("F", number[:-1], "F")
    return Token(_letter(letter, parts), before + number, word)


def _letter(letter: str, parts: int) -> str:
    """Return the class of a number of so many parts."""
    if parts == 1:
        return letter or "B"
    if letter in {"", "R"}:
        return {2: "D", 3: "T", 4: "Q"}.get(parts, "X")
    if letter in {"H", "#"}:
        return {2: "d", 3: "T"}.get(parts, "X")
    if letter in {"E", "F"}:
        return "e" if parts == 2 and letter == "E" else "X"  # noqa: PLR2004 - a-b单元
    return letter
