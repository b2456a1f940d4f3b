"""Chinese numbers (三百七十三, 二〇一, 廿三, 贰拾) as digits, where they are written properly."""

import re
from typing import Final

from gis.addresses.characters import CAPITALS

NUMERALS: Final = {numeral: value for value, numeral in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
RANKS: Final = {"十": 10, "百": 100, "千": 1000}
_PROPER_NUMBER: Final = re.compile(
    "(?:(?P<千>[一二两三四五六七八九])千(?P<千零>零?))?"
    "(?:(?P<百>[一二两三四五六七八九])百(?P<百零>零?))?"
    "(?:(?P<十>[一二三四五六七八九]?)十)?(?P<一>[一二三四五六七八九]?)"
)
_SHORT_TENS: Final = {"廿": "二十", "卅": "三十"}
_SPELLED: Final = {ord(capital): plain for capital, plain in CAPITALS.items()} | {
    ord(short): plain for short, plain in _SHORT_TENS.items()
}


def value(numerals: str) -> int | None:
    """Return the value of a number with ranks (三百七十三); None where it is not written properly."""
    found = _PROPER_NUMBER.fullmatch(numerals)
    if not found or (found["百"] and found["一"] and found["十"] is None and not found["百零"]):
        return None  # 一百五 is 150 to one and 105 to another
    if found["千"] and not found["百"] and not found["千零"] and (found["一"] or found["十"] is not None):
        return None
    total = sum(NUMERALS[found[rank]] * RANKS[rank] for rank in "千百" if found[rank])
    if found["十"] is not None:
        total += 10 * (NUMERALS[found["十"]] if found["十"] else 1)
    return total + (NUMERALS[found["一"]] if found["一"] else 0)


def digits(numerals: str) -> str | None:
    """Return a number in any of its writings as digits; None where it is no proper number."""
    plain = numerals.translate(_SPELLED)
    if not RANKS.keys() & set(plain):
        return "".join(str(NUMERALS[numeral]) for numeral in plain)
    number = value(plain.replace("〇", "零"))
    return None if number is None else str(number)
