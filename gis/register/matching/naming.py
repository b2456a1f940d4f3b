"""The gazetteer of a register: divisions in force, those that were, and names published as former."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gis.addresses.gazetteers import DivisionName, FormerName, Gazetteer
from gis.categories import CodeChange, today
from gis.register.divisions import ChangeRow, DivisionRow
from gis.terms import DivisionLevel

_CODE = 10**6
THIS_YEAR = 2026


class NameChange(NamedTuple):
    """A name that was, as a place-name office publishes it: of a street, a compound or a division."""

    county_code: int
    current_name: str
    former_name: str


def gazetteer(divisions: Iterable[DivisionRow], changes: Sequence[ChangeRow]) -> Gazetteer:
    """Return the gazetteer of the divisions in force and of the counties and prefectures before them."""
    names = [
        DivisionName(row.code, row.name, row.level.value)
        for row in divisions
        if row.level is not DivisionLevel.PROVINCE
    ]
    return Gazetteer(names, _former_counties(changes))


def _former_counties(changes: Sequence[ChangeRow]) -> list[FormerName]:
    """Return each county and prefecture of the table of changes with what it may mean today."""
    table = tuple(CodeChange(row.year, row.change, row.old_code, row.new_code) for row in changes)
    former: list[FormerName] = []
    within: dict[int, set[int]] = {}
    for row in changes:
        code = (row.old_code or 0) // _CODE
        if code % 100 == 0:
            continue
        counties = today(code, row.year - 1, THIS_YEAR, table)
        prefecture = code // 100 * 100
        within.setdefault(prefecture, set()).update(counties)
        under = frozenset({prefecture} | {county // 100 * 100 for county in counties})
        former.append(FormerName(row.old_name or "", under, counties))
    prefectures = [
        FormerName(
            row.old_name or "",
            frozenset({code}),
            frozenset({code}) if row.new_code == row.old_code else frozenset(within.get(code, ())),
        )
        for row in changes
        if (code := (row.old_code or 0) // _CODE) and code % 100 == 0
    ]
    return [*prefectures, *former]
