"""Which number is which: every way in which a row of names and numbers can be read as an address.

An address goes from the large to the small (GB/T 23705): place, group, number, compound, zone, building,
entrance, floor, room. Each token takes one role, or, where numbers are joined by hyphens, a run of them; the
roles must rise. Often one reading is possible, sometimes a few; which of them is meant, the register says.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

PLACE, GROUP, NUMBER, SUB, COMPOUND, ZONE, BUILDING, ENTRANCE, FLOOR, ROOM = range(10)

_START: Final = -1
_MOST: Final = 12
"""Readings of one row of tokens that are looked at; no sensible address has as many."""
_AFTER_BUILDING: Final = frozenset({BUILDING, ENTRANCE, FLOOR})


class Role(NamedTuple):
    """What one token is read as."""

    token: int
    """Its place in the row of tokens."""
    roles: tuple[int, ...]
    """One role, or one for each part of a number with hyphens; (NUMBER,) keeps its hyphens."""


Reading = tuple[Role, ...]


@lru_cache(maxsize=65_536)
def readings(letters: str) -> tuple[Reading, ...]:
    """Return the ways to read tokens of these classes, the most usual first; none where there is no sense in them.

    A name after the dwelling is left unread: remarks stand there.
    """
    found: list[Reading] = []
    _extend(letters, 0, _START, (), found)
    return tuple(found[:_MOST])


def _extend(letters: str, at: int, last: int, taken: Reading, found: list[Reading]) -> None:
    """Read the tokens from ``at`` on, in every way that the roles taken so far allow."""
    if len(found) >= _MOST:
        return
    if at == len(letters):
        found.append(taken)
        return
    for roles in _choices(letters, at, last):
        _extend(letters, at + 1, max(last, roles[-1]) if roles else last, (*taken, Role(at, roles)), found)


def _choices(letters: str, at: int, last: int) -> list[tuple[int, ...]]:
    """Return what the token at a place can be after the role taken last, the most usual first."""
    letter = letters[at]
    choose = _CHOOSERS.get(letter)
    chosen = choose(letters, at, last) if choose else []
    return [roles for roles in chosen if not roles or roles[0] > last or (roles[0] == ZONE == last)]


def _name(letters: str, at: int, last: int) -> list[tuple[int, ...]]:  # noqa: PLR0911 - one for each kind of place
    if last >= BUILDING:
        return [()] if at == len(letters) - 1 else []
    if last in {PLACE, COMPOUND}:
        return []
    if last == GROUP:
        return [(COMPOUND,)]
    if last >= NUMBER:
        return [(COMPOUND,)]
    after = letters[at + 1 : at + 2]
    if not after:
        return [(COMPOUND,), (PLACE,)]
    if after in {"Z", "L", "S", "P", "E", "R", "l"}:
        return [(COMPOUND,), (PLACE,)] if after in {"L", "l", "E", "R"} else [(COMPOUND,)]
    return [(PLACE,), (COMPOUND,)]


def _house(letters: str, at: int, last: int) -> list[tuple[int, ...]]:
    choices: list[tuple[int, ...]] = []
    if last < NUMBER:
        choices.append((NUMBER,))
    if last in {NUMBER, SUB, COMPOUND, ZONE} or (last == PLACE and at > 1):
        choices.append((BUILDING,))
    if last in _AFTER_BUILDING or (last in {NUMBER, SUB} and at == len(letters) - 1):
        choices.append((ROOM,))
    return choices


def _bare(letters: str, at: int, last: int) -> list[tuple[int, ...]]:
    choices: list[tuple[int, ...]] = []
    at_end = at == len(letters) - 1
    if last in _AFTER_BUILDING or (last in {NUMBER, SUB} and at_end):
        choices.append((ROOM,))
    if last < NUMBER and (last != _START or at_end):
        choices.append((NUMBER,))
    if last in {COMPOUND, ZONE, NUMBER, SUB}:
        choices.append((BUILDING,))
    return choices


def _two(_letters: str, _at: int, last: int) -> list[tuple[int, ...]]:
    if last in _AFTER_BUILDING:
        return [(ENTRANCE, ROOM)] if last == BUILDING else []
    if last in {NUMBER, SUB}:
        return [(ENTRANCE, ROOM), (BUILDING, ROOM)]
    if last in {PLACE, GROUP}:
        return [(NUMBER,), (NUMBER, ROOM)]
    return [(BUILDING, ROOM), (BUILDING, ENTRANCE)] if last in {COMPOUND, ZONE} else []


def _two_of_house(_letters: str, _at: int, last: int) -> list[tuple[int, ...]]:
    if last < NUMBER:
        return [(NUMBER,)]
    return [(BUILDING,), (BUILDING, ROOM)] if last in {COMPOUND, ZONE} else [(ENTRANCE, ROOM)]


def _three(_letters: str, _at: int, last: int) -> list[tuple[int, ...]]:
    if last == BUILDING:
        return [(ENTRANCE, FLOOR, ROOM)]
    if last in {PLACE, GROUP}:
        return [(NUMBER, ENTRANCE, ROOM), (NUMBER, BUILDING, ROOM)]
    return (
        [(BUILDING, ENTRANCE, ROOM), (ENTRANCE, FLOOR, ROOM)] if last in {NUMBER, SUB} else [(BUILDING, ENTRANCE, ROOM)]
    )


def _four(_letters: str, _at: int, last: int) -> list[tuple[int, ...]]:
    if last in {PLACE, GROUP}:
        return [(NUMBER, BUILDING, ENTRANCE, ROOM)]
    return [(BUILDING, ENTRANCE, FLOOR, ROOM)]


def _storey_or_building(letters: str, at: int, last: int) -> list[tuple[int, ...]]:
    if last in _AFTER_BUILDING:
        return [(FLOOR,)]
    at_end = letters[at + 1 :] in {"", "n"}
    return [(BUILDING,)] if at_end and last not in {NUMBER, SUB} else [(BUILDING,), (FLOOR,)]


_CHOOSERS: Final[dict[str, Callable[[str, int, int], list[tuple[int, ...]]]]] = {
    "n": _name,
    "H": _house,
    "#": _house,
    "B": _bare,
    "d": _two_of_house,
    "D": _two,
    "T": _three,
    "Q": _four,
    "l": _storey_or_building,
    "G": lambda _letters, _at, _last: [(GROUP,)],
    "A": lambda _letters, _at, last: [(SUB,)] if last == NUMBER else [],
    "Z": lambda _letters, _at, last: [(ZONE,)] if last < BUILDING else [],
    "L": lambda _letters, _at, _last: [(BUILDING,)],
    "S": lambda _letters, _at, _last: [(BUILDING,)],
    "P": lambda _letters, _at, _last: [(BUILDING,)],
    "E": lambda _letters, _at, _last: [(ENTRANCE,)],
    "e": lambda _letters, _at, _last: [(BUILDING, ENTRANCE)],
    "F": lambda _letters, _at, _last: [(FLOOR,)],
    "R": lambda _letters, _at, _last: [(ROOM,)],
}
