"""Article 3: where somebody is registered and where they live decide their category.

流动人口 are people who live in Ningxia without being registered there, and people registered in Ningxia
who live in another county (县、市、区); those who moved between the urban districts (市辖区) of one
city are not. The category is derived from codes and dates, never typed in, and never read off an
identity number, whose prefix says where it was first issued and nothing about today.

Codes of six digits follow GB/T 2260. Old ones are read through a dated table of code changes.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from gis.terms import Category, CategoryReason, CitizenshipClass

URBAN_DISTRICTS: Final = frozenset(
    {640104, 640105, 640106, 640202, 640205, 640302, 640303, 640402, 640502}
)  # fmt: skip
"""市辖区 of Ningxia's five cities since 2009 (GB/T 2260); 灵武, 青铜峡 and the counties are not urban districts."""
COUNTIES: Final = URBAN_DISTRICTS | {
    *(640121, 640122, 640181, 640221, 640323, 640324, 640381),
    *(640422, 640423, 640424, 640425, 640521, 640522),
}
"""The 22 counties, cities and districts of the 2026 list (Ministry of Civil Affairs)."""
LIST_YEAR: Final = 2026
"""The year of that list: older changes lead to it, newer ones hold from their own year on."""
TEST_COUNTY: Final = 999_999
"""测试区: registered there and living there is the same county; nothing else is known of it."""
NINGXIA: Final = 64
PROVINCES: Final = frozenset(
    {*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82}
)
"""First two digits of GB/T 2260; other codes name no place."""
_CODE_LENGTHS: Final = frozenset({6, 9, 12})


class CodeChange(NamedTuple):
    """One dated change of a division's code; twelve or six digits, None where nothing stood before or after."""

    year: int
    change: str
    """新设, 撤销, 更名, 同名改码 …, as the table of changes calls it."""
    old_code: int | None
    new_code: int | None


class Ruling(NamedTuple):
    """A category and why."""

    category: Category
    reason: CategoryReason


def county_code(code: str | None) -> int | None:
    """Return the first six digits of a division code of 6, 9 or 12; None for anything else."""
    digits = (code or "").strip()
    if len(digits) in _CODE_LENGTHS and digits.isascii() and digits.isdigit():
        return int(digits[:6])
    return None


def category(  # noqa: PLR0913 - Article 3 asks all of it
    hukou: int | None,
    residence: int,
    on: dt.date,
    changes: Sequence[CodeChange],
    *,
    as_of: int | None = None,
    citizenship: CitizenshipClass | None = None,
) -> Ruling:
    """Return the category on a day, and why.

    ``hukou`` and ``residence`` are county codes of six digits (twelve will do). ``as_of`` is the year
    in which the hukou code was written: two codes were given to other places later.
    """
    if citizenship is CitizenshipClass.FOREIGN:
        return Ruling(Category.OTHER, CategoryReason.FOREIGN)
    if citizenship is CitizenshipClass.HMT:
        return Ruling(Category.OTHER, CategoryReason.HMT)
    table = tuple(changes)
    registered, lives = _six(hukou), _six(residence)
    if registered is None or not (registered == TEST_COUNTY or registered // 10_000 in PROVINCES):
        return Ruling(Category.UNDETERMINED, CategoryReason.HUKOU_UNKNOWN)
    if registered // 10_000 != NINGXIA:
        return _ruling(registered, lives or 0)
    return _inside(registered, lives or 0, on.year, as_of, table)


def categories(
    cases: Iterable[tuple[int | None, int | None, CitizenshipClass | None, int]],
    on: dt.date,
    changes: Sequence[CodeChange],
) -> list[Ruling]:
    """Return the rulings for n cases (hukou, as_of year, citizenship, residence); equal cases are decided once."""
    table = tuple(changes)
    known: dict[tuple[int | None, int | None, CitizenshipClass | None, int], Ruling] = {}
    rulings = []
    for case in cases:
        ruling = known.get(case)
        if ruling is None:
            hukou, as_of, citizenship, residence = case
            ruling = known[case] = category(hukou, residence, on, table, as_of=as_of, citizenship=citizenship)
        rulings.append(ruling)
    return rulings


@lru_cache(maxsize=4096)
def today(hukou: int, as_of: int | None, year: int, changes: tuple[CodeChange, ...]) -> frozenset[int]:
    """Return the counties a code of Ningxia may mean in ``year``: one, several, or none where it is not known.

    A code in force means itself, unless it was written before the year it was given to another place.
    """
    table = [change for change in changes if change.year <= max(year, LIST_YEAR)]
    return frozenset(_successors(hukou, as_of, table, frozenset()))


def _inside(hukou: int, residence: int, year: int, as_of: int | None, changes: tuple[CodeChange, ...]) -> Ruling:
    """Rule on a code of Ningxia, which may be retired or name more than a county."""
    counties = today(hukou, as_of, year, changes) if hukou % 100 else frozenset()
    if not counties:
        city = hukou % 100 in {0, 1}
        return Ruling(Category.UNDETERMINED, CategoryReason.CITY_LEVEL_CODE if city else CategoryReason.HUKOU_UNKNOWN)
    rulings = {_ruling(county, residence) for county in counties}
    if len({ruling.category for ruling in rulings}) > 1:
        return Ruling(Category.UNDETERMINED, CategoryReason.RETIRED_CODE_AMBIGUOUS)
    # successors that agree on permanent are districts of one city: that is the weaker and the true reason
    return min(rulings, key=lambda ruling: ruling.reason is CategoryReason.SAME_COUNTY)


def _ruling(hukou: int, residence: int) -> Ruling:
    """Rule on two county codes that both hold today."""
    if hukou == residence:
        return Ruling(Category.PERMANENT, CategoryReason.SAME_COUNTY)
    if hukou // 10_000 != NINGXIA:
        return Ruling(Category.FLOATING, CategoryReason.OUTSIDE_NINGXIA)
    if hukou // 100 == residence // 100 and {hukou, residence} <= URBAN_DISTRICTS:
        return Ruling(Category.PERMANENT, CategoryReason.URBAN_DISTRICTS_OF_ONE_CITY)
    return Ruling(Category.FLOATING, CategoryReason.OTHER_COUNTY)


def _successors(code: int, since: int | None, table: list[CodeChange], seen: frozenset[tuple[int, int]]) -> set[int]:
    """Follow a code through the changes of ``since`` and later; a change in that very year may lie before or after."""
    in_force = _in_force(code, table)
    if in_force and since is None:
        return {code}
    steps = [change for change in table if _six(change.old_code) == code and (change.year, code) not in seen]
    later = [change for change in steps if since is None or change.year >= since]
    # a retired code written after its end is read as what it last was
    due = later or ([] if in_force else steps[-1:])
    due = [change for change in due if change.year == due[0].year]  # a split code has a row for each successor
    found = {code} if in_force and all(change.year == since for change in due) else set()
    for change in due:
        reached = seen | {(change.year, code)}
        for successor in _next(change, table):
            found |= _successors(successor, change.year + (successor == code), table, reached)
    return found


def _next(change: CodeChange, table: list[CodeChange]) -> set[int]:
    """Return the county codes a change leads to.

    The table names one successor or none. Where a county was dissolved without one, its land went to
    what its prefecture set up or renamed that year; where it became a city, to the district set up in it.
    """
    old, new = _six(change.old_code) or 0, _six(change.new_code)
    if new is not None and new % 100 == 0:
        return {code for code in _set_up(new // 100, change.year, table) if code % 100}
    dissolved = {
        _six(other.old_code)
        for other in table
        if other.year == change.year and other.new_code is None and (_six(other.old_code) or 0) // 100 == old // 100
    }
    if new is None or (new == old and dissolved):
        return {code for code in _set_up(old // 100, change.year, table) if code % 100}
    return {new}


def _set_up(prefecture: int, year: int, table: list[CodeChange]) -> set[int]:
    """Return the codes a prefecture (four digits) newly gave or renamed in a year."""
    return {
        new
        for change in table
        if change.year == year and (new := _six(change.new_code)) is not None
        and new // 100 == prefecture and change.old_code in {None, change.new_code}
    }  # fmt: skip


def _in_force(code: int, table: list[CodeChange]) -> bool:
    """Tell whether a county code holds at the end of the table."""
    holds = code in COUNTIES
    for change in table:
        if change.year > LIST_YEAR and _six(change.new_code) == code and code % 100:
            holds = True
        elif change.year > LIST_YEAR and _six(change.old_code) == code:
            holds = False
    return holds


def _six(code: int | None) -> int | None:
    """Return a code's six digits of county."""
    return code // 10**6 if code is not None and code >= 10**11 else code
