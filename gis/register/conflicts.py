"""What a registrar sees of a finding: what was so when it was made, what is so now, and what was found.

And beside it, which other open findings would set the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, Row, text

from gis.errors import FindingNotFound
from gis.register import divisions, findings, versions
from gis.register.versions import State
from gis.terms import BuildingStatus, FindingKind, FindingStatus

MOST_SHOWN = 100


@dataclass(frozen=True)
class Value:
    """One attribute: as the tablet knew it, as it is registered now, and as it was found. Shapes are geometries."""

    name: str
    then: Any
    now: Any
    found: Any

    @property
    def conflicts(self) -> bool:
        """Whether it has become something else than was found since."""
        return self.now not in (self.then, self.found)


@dataclass(frozen=True)
class Shown:
    """A finding as a registrar sees it."""

    row: Row[Any]
    """Of ``calc.findings``."""
    values: tuple[Value, ...]

    @property
    def outdated(self) -> bool:
        """Whether something has happened to the building since the finding was made."""
        return self.row.last_seq is not None and self.row.last_seq > self.row.based_on_seq


def find_shown(
    connection: Connection,
    within: Sequence[int],
    status: FindingStatus | None = FindingStatus.OPEN,
    after: UUID | None = None,
    most: int = MOST_SHOWN,
) -> list[Shown]:
    """Return the findings of some divisions, those that came first first, from the one after a UUID."""
    ranges = [divisions.extent(code) for code in within]
    wanted = {"lows": [low for low, _ in ranges], "highs": [high for _, high in ranges], "after": after, "most": most}
    rows = connection.execute(SHOWN, wanted | {"status": None if status is None else status.value}).all()
    return [Shown(row, _values(connection, row)) for row in rows]


def get_shown(connection: Connection, uuid: UUID) -> Shown:
    """Return one finding as a registrar sees it; raises FindingNotFound."""
    row = connection.execute(ONE_SHOWN, {"uuid": uuid}).first()
    if row is None:
        raise FindingNotFound(uuid=uuid)
    return Shown(row, _values(connection, row))


def _values(connection: Connection, row: Row[Any]) -> tuple[Value, ...]:
    """Return what a finding touches: as it was known, as it is, and as it was found."""
    found = dict(row.proposed)
    if row.geometry_hex is not None:
        found[findings.SHAPE_ITSELF] = _shape(row.geometry_hex)
    if row.kind == FindingKind.GONE:
        found[findings.EXISTENCE] = BuildingStatus.DEMOLISHED.value
    if row.kind == FindingKind.NEW_STRUCTURE:
        return tuple(Value(name, None, None, value) for name, value in found.items())
    now = _state(connection, row.building_number, None)
    then = now if row.last_seq == row.based_on_seq else _state(connection, row.building_number, row.based_on_seq)
    return tuple(Value(name, then.get(name), now.get(name), value) for name, value in found.items())


def _state(connection: Connection, number: int, seq: int | None) -> dict[str, Any]:
    """Return a building's attributes, as JSON has them, now or after an event; empty where it was not known."""
    known = versions.load(connection, number, seq)
    return _attributes(known[-1].state) if known else {}


def _attributes(state: State) -> dict[str, Any]:
    """Return a state as findings word it."""
    main = [address for address, is_main in state.addresses if is_main]
    return {
        **{name: getattr(state, name) for name in ("kind", "entrances", "floors", "rooms_per_floor", "premises_id")},
        "expires_on": None if state.expires_on is None else state.expires_on.isoformat(),
        "standard_address": main[0] if main else None,
        "other_addresses": [address for address, is_main in state.addresses if not is_main],
        findings.SHAPE_ITSELF: _shape(state.geometry),
        findings.EXISTENCE: state.status,
    }


def _shape(hexed: str) -> BaseGeometry:
    """Return a shape from EWKB in hexadecimal."""
    return shapely.from_wkb(bytes.fromhex(hexed))


SHOWN = text("""
    SELECT f.*, f.geometry::text AS geometry_hex FROM calc.findings f
    WHERE (CAST(:status AS text) IS NULL OR f.status = :status)
        AND EXISTS (
            SELECT FROM unnest(CAST(:lows AS bigint[]), CAST(:highs AS bigint[])) AS inside(low, high)
            WHERE f.division_code >= inside.low AND f.division_code < inside.high
        )
        AND (CAST(:after AS uuid) IS NULL OR (f.received_at, f.uuid) > (
            SELECT a.received_at, a.uuid FROM reg.findings a WHERE a.uuid = CAST(:after AS uuid)
        ))
    ORDER BY f.received_at, f.uuid LIMIT :most
""")
ONE_SHOWN = text("SELECT f.*, f.geometry::text AS geometry_hex FROM calc.findings f WHERE f.uuid = :uuid")
