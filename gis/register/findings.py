"""Findings: what a field officer saw of a structure, checked before it waits for a registrar.

A finding is of a structure, never of anybody who lives there: it has no field for words of one's own and none for a
picture, and what it may say of a structure is a list (rights.md, 1).
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from uuid import UUID

from shapely.geometry.base import BaseGeometry

from gis import numbering
from gis.errors import BadFinding, BadStructure
from gis.register import acts, structures
from gis.register.checking import LIMITS
from gis.terms import BuildingKind, FindingKind

SHAPED = {FindingKind.NEW_STRUCTURE, FindingKind.SHAPE_WRONG}
"""Findings that bring a shape; no other does."""
MOST_OTHER_ADDRESSES = 10
LARGEST_ID, LARGEST_SEQ = 2**31 - 1, 2**63 - 1
"""What their columns hold."""
SHAPE_ITSELF, PLATE_ITSELF, EXISTENCE = "shape", "plate", "status"
"""What a finding may touch beside attributes."""


@dataclass(frozen=True)
class Finding:
    """What was seen, as the tablet sends it."""

    uuid: UUID
    """Made by the tablet: sending twice is finding once."""
    kind: FindingKind
    seen_on: dt.date
    building_number: int | None = None
    """Of a new structure, the leased number it was given in the field, if any."""
    based_on_seq: int | None = None
    """The last event the tablet knew of, 0 where it knew of none; not for a new structure."""
    shape: BaseGeometry | None = None
    attributes: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """What is otherwise, or what is known of a new structure; as JSON has it, null for what it has none of."""


def settle(finding: Finding) -> dict[str, Any]:
    """Return the attributes of a finding in the one form in which they are kept; raises BadFinding."""
    _check_subject(finding)
    shaped = finding.kind in SHAPED
    if (finding.shape is not None) != shaped:
        raise BadFinding(why=f"a finding of the kind {finding.kind} has {'a' if shaped else 'no'} shape")
    if finding.shape is not None:
        _check_shape(finding.shape)
    allowed = ALLOWED.get(finding.kind, ())
    for name in finding.attributes:
        if name not in allowed:
            raise BadFinding(why=f"{name} is nothing that {finding.kind} can say; {', '.join(allowed) or 'nothing'} is")
    if finding.kind is FindingKind.ATTRIBUTE_WRONG and not finding.attributes:
        raise BadFinding(why="it says nothing of what is otherwise")
    return {name: READERS[name](name, value) for name, value in sorted(finding.attributes.items())}


def touched(kind: FindingKind, proposed: Mapping[str, Any]) -> list[str]:
    """Return what a finding would set: two that touch the same are shown beside one another.

    That a structure is gone touches everything, because every other finding says that it is there.
    """
    match kind:
        case FindingKind.GONE:
            return sorted({*READERS, SHAPE_ITSELF, PLATE_ITSELF, EXISTENCE})
        case FindingKind.PLATE_MISSING:
            return [PLATE_ITSELF]
        case FindingKind.STILL_THERE:
            return [EXISTENCE]
        case FindingKind.SHAPE_WRONG:
            return [SHAPE_ITSELF]
        case FindingKind.NEW_STRUCTURE:
            return sorted({*proposed, SHAPE_ITSELF, EXISTENCE})
        case FindingKind.ATTRIBUTE_WRONG:
            return sorted(proposed)


def _check_subject(finding: Finding) -> None:
    """Raise BadFinding where it is not clear which building is meant, or in what state of the register."""
    if finding.seen_on > acts.today():
        raise BadFinding(why=f"{finding.seen_on} is still to come")
    if finding.building_number is not None and not numbering.is_valid(str(finding.building_number)):
        raise BadFinding(why=f"{finding.building_number} is not a building number")
    if finding.kind is FindingKind.NEW_STRUCTURE:
        if finding.based_on_seq is not None:
            raise BadFinding(why="a new structure is based on no event")
    elif finding.building_number is None or finding.based_on_seq is None:
        raise BadFinding(why="it names its building and the last event that was known of (building, based_on_seq)")
    elif not 0 <= finding.based_on_seq <= LARGEST_SEQ:
        raise BadFinding(why=f"there is no event {finding.based_on_seq} to be based on")


def _check_shape(shape: BaseGeometry) -> None:
    """Raise BadFinding for a shape that is no building's."""
    try:
        structures.check_shape(shape)
    except BadStructure as error:
        raise BadFinding(why=error.facts["why"]) from error


def _kind(_name: str, value: object) -> str:
    """Return a kind of building."""
    if not isinstance(value, str) or value not in set(BuildingKind):
        raise BadFinding(why=f"kind is one of {', '.join(BuildingKind)}")
    return BuildingKind(value).value


def _count(name: str, value: object) -> int | None:
    """Return a count within its limits, None for unknown."""
    most = LIMITS[name]
    if value is None:
        return None
    if type(value) is not int or not 1 <= value <= most:
        raise BadFinding(why=f"{name} is from 1 to {most}, or null")
    return value


def _identity(name: str, value: object) -> int | None:
    """Return the number of a row, None for none."""
    if value is None:
        return None
    if type(value) is not int or not 1 <= value <= LARGEST_ID:
        raise BadFinding(why=f"{name} is a number, or null")
    return value


def _day(name: str, value: object) -> str | None:
    """Return a day as YYYY-MM-DD, None for none."""
    try:
        return None if value is None else dt.date.fromisoformat(str(value)).isoformat()
    except ValueError as error:
        raise BadFinding(why=f"{name} is a day as YYYY-MM-DD, or null") from error


def _address(name: str, value: object) -> str | None:
    """Return one address, None for none."""
    return None if value is None else _addresses(name, [value])[0]


def _addresses(name: str, value: object) -> list[str]:
    """Return addresses that are some."""
    if not isinstance(value, list | tuple) or len(value) > MOST_OTHER_ADDRESSES:
        raise BadFinding(why=f"{name} is a list of at most {MOST_OTHER_ADDRESSES} addresses")
    if not all(isinstance(address, str) for address in value):
        raise BadFinding(why="an address is a text")
    try:
        return [address for address, _ in structures.address_facts(None, value)]
    except BadStructure as error:
        raise BadFinding(why=error.facts["why"]) from error


READERS: dict[str, Callable[[str, object], Any]] = {
    "kind": _kind,
    "entrances": _count,
    "floors": _count,
    "rooms_per_floor": _count,
    "expires_on": _day,
    "premises_id": _identity,
    "standard_address": _address,
    "other_addresses": _addresses,
}
"""What can be seen of a structure from outside, or read off its papers on the site."""
ALLOWED: dict[FindingKind, tuple[str, ...]] = {
    FindingKind.NEW_STRUCTURE: tuple(READERS),
    FindingKind.ATTRIBUTE_WRONG: tuple(READERS),
}
