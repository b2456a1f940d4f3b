"""Slips of the pen in names: how many, and whether they could tell two places apart.

A slip is a character written for another, left out, doubled, added, or two that changed places (optimal string
alignment). Characters that tell neighbours apart (东 and 西, 一 and 二, 路 and 巷, A and B) are never mistaken for
one another: 东升南巷 is no slip for 东升北巷.
"""

from typing import Final

_TELLING: Final = (
    frozenset("东西南北中上下前后左右内外"),
    frozenset("一二三四五六七八九十百零〇两甲乙丙丁0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    frozenset("新老旧大小"),
)
_KINDS: Final = (
    frozenset("路街巷道弄线"),
    frozenset("园苑府庭居里城湾墅邸庄郡都院寓厦楼舍"),
    frozenset("区村社"),
)
_TELLS: Final = frozenset().union(*_TELLING)
"""What makes another name where it is added or left out; the word for a street or a compound does not."""
_PAIR: Final = 2
_DIGITS: Final = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def slips(written: str, name: str, most: int) -> int:
    """Return how many slips lead from a name to what was written, or ``most`` + 1 where they are more than that."""
    if written == name:
        return 0
    if abs(len(written) - len(name)) > most:
        return most + 1
    start = 0
    shorter = min(len(written), len(name))
    while start < shorter and written[start] == name[start]:
        start += 1
    end = 0
    while end < shorter - start and written[-1 - end] == name[-1 - end]:
        end += 1
    left, right = written[start : len(written) - end], name[start : len(name) - end]
    if not left or not right:
        return min(len(left) + len(right), most + 1)
    if len(left) == len(right) == 1:
        return 1
    if len(left) == len(right) == _PAIR and left == right[::-1]:
        return 1
    return most + 1 if most == 1 else 1 + _least_after_one(left, right, most - 1)


def tells_apart(written: str, name: str) -> bool:
    """Tell whether what differs could be what tells two places apart: a number, or 东 where the other has 西."""
    missing, added = _only(name, written), _only(written, name)
    if (missing | added) & _DIGITS:
        return True
    return bool(missing & _TELLS and added & _TELLS)


def another_kind(written: str, name: str) -> bool:
    """Tell whether one word for a kind of place stands for another (苑 for 园, 街 for 路): another place, or a slip."""
    return any(_only(written, name) & kind and _only(name, written) & kind for kind in _KINDS)


def _only(one: str, other: str) -> set[str]:
    """Return the characters of which a text has more than another."""
    return {character for character in set(one) if one.count(character) > other.count(character)}


def leaves_out(written: str, name: str) -> bool:
    """Tell whether a telling character was left out or added: 黄河路 for 黄河东路 may be another street."""
    if len(written) == len(name):
        return False
    more, less = (written, name) if len(written) > len(name) else (name, written)
    return any(character in _TELLS and character not in less for character in _only(more, less))


def mechanical(written: str, name: str) -> bool:
    """Tell whether a hand slipped rather than a mind: a character doubled, or two that changed places."""
    if len(written) == len(name):
        return written != name and sorted(written) == sorted(name)
    return len(written) == len(name) + 1 and any(
        written[at] == written[at + 1] and written[:at] + written[at + 1 :] == name for at in range(len(name))
    )


def apart(written: str, before: str, name: str) -> bool:
    """Tell whether what was written can be cut so that at most one slip falls on each of two names."""
    middle = len(written) - len(name)
    return any(
        slips(written[cut:], name, 1) <= 1 and slips(written[:cut], before, 1) <= 1
        for cut in range(max(0, middle - 1), min(len(written), middle + 1) + 1)
    )


def shortened(text: str) -> list[str]:
    """Return a text and all that is left of it without one character: what one slip makes of two texts meets here."""
    return [text, *{text[:at] + text[at + 1 :] for at in range(len(text))}]


def _least_after_one(left: str, right: str, most: int) -> int:
    """Return how few slips are left after one at the start of two texts that begin differently, or ``most`` + 1.

    The texts are short and ``most`` is 1 or 2, so that trying each slip is faster than aligning them in a table.
    """
    least = min(slips(left[1:], right[1:], most), slips(left[1:], right, most), slips(left, right[1:], most))
    if least and left[:_PAIR] == right[1::-1]:
        least = min(least, slips(left[_PAIR:], right[_PAIR:], most))
    return least
