"""The matcher at work in a roster import: what equality of addresses does not place, it links or explains.

The index is made once for an import and only where it is needed: of the buildings that stand in the counties of the
importer's divisions.
"""

from dataclasses import dataclass
from typing import Final

import orjson
import pyarrow as pa
from sqlalchemy import Connection, text

from gis.addresses.cleaning import clean_many
from gis.register.matching import index, loading
from gis.register.matching.deciding import Matcher, Verdict
from gis.store import copying
from gis.terms import DivisionLevel, MatchOutcome, MatchReason, Reason

PREPARE: Final = """CREATE TEMPORARY TABLE matched (row integer, building_number bigint, entrance smallint,
    floor smallint, room text, reason text, candidates text) ON COMMIT DROP"""
_WANTING: Final = """
    SELECT s.row, s.address FROM staged s
    WHERE s.reason IS NULL AND s.address IS NOT NULL AND NOT EXISTS (
        SELECT FROM reg.addresses a WHERE a.valid_to IS NULL AND a.normalised IN (s.normalised, s.building))
    ORDER BY s.row
"""
_COUNTIES: Final = """
    SELECT DISTINCT d.code / 1000000 FROM reg.divisions d
    WHERE d.level = :county AND int8range(d.code, d.code + 1000000) && (SELECT calc.jurisdiction())
"""
_REASONS: Final = {
    MatchReason.SEVERAL_BUILDINGS: Reason.ADDRESS_AMBIGUOUS,
    MatchReason.COUNTY_NOT_STATED: Reason.ADDRESS_AMBIGUOUS,
    MatchReason.NAME_UNCERTAIN: Reason.ADDRESS_AMBIGUOUS,
    MatchReason.BUILDING_NUMBER_MISSING: Reason.ADDRESS_AMBIGUOUS,
    MatchReason.GROUP_MISSING: Reason.ADDRESS_AMBIGUOUS,
    MatchReason.BUILDING_NOT_ACTIVE: Reason.BUILDING_NOT_ACTIVE,
    MatchReason.ROOM_NOT_POSSIBLE: Reason.DWELLING_NOT_FOUND,
}
"""What the queue calls the reasons of a match; every other is an address not found."""


@dataclass
class Addressing:
    """Matches what one import cannot place by equality."""

    _matcher: Matcher | None = None

    def match(self, connection: Connection) -> None:
        """Fill ``matched`` for the staged rows that no registered address equals."""
        wanting = connection.execute(text(_WANTING)).all()
        if not wanting:
            return
        matcher = self._ready(connection)
        lines = [
            (row, *_line(matcher, matcher.decide(cleaned)))
            for (row, _), cleaned in zip(wanting, clean_many([address for _, address in wanting]), strict=True)
        ]
        types = (pa.int32(), pa.int64(), pa.int16(), pa.int16(), pa.string(), pa.string(), pa.string())
        names = ("row", "building_number", "entrance", "floor", "room", "reason", "candidates")
        columns = [pa.array(column, type=kind) for column, kind in zip(zip(*lines, strict=True), types, strict=True)]
        copying.copy(connection, "matched", pa.table(dict(zip(names, columns, strict=True))))

    def _ready(self, connection: Connection) -> Matcher:
        """Return the matcher, made on its first use."""
        if self._matcher is None:
            counties = connection.execute(text(_COUNTIES), {"county": DivisionLevel.COUNTY.value}).scalars().all()
            buildings = loading.find_buildings(connection, counties)
            # a registrar's roster is of their own jurisdiction, whether its rows say so or not
            self._matcher = Matcher(index.build(buildings, loading.gazetteer(connection)))
        return self._matcher


def _line(
    matcher: Matcher, verdict: Verdict
) -> tuple[int | None, int | None, int | None, str | None, str | None, str | None]:
    """Return building, entrance, floor, room, reason and ranked candidates as the import stores them."""
    if verdict.outcome is MatchOutcome.LINKED:
        read = verdict.candidates[0].read
        room = verdict.room.partition("-")[2] if read.entrance and verdict.room else verdict.room
        return (
            int(matcher.index.building_no[verdict.row]),
            _count(read.entrance),
            _count(read.floor),
            room or None,
            None,
            None,
        )
    candidates = [
        {"building": int(one.number), "agrees": one.agrees.split(), "contradicts": one.contradicts.split()}
        for one in matcher.explain(verdict)
    ]
    reason = _REASONS.get(verdict.reason, Reason.ADDRESS_NOT_FOUND) if verdict.reason else Reason.ADDRESS_NOT_FOUND
    return None, None, None, None, reason.value, orjson.dumps(candidates).decode() if candidates else None


def _count(number: str) -> int | None:
    return int(number) if number.isdecimal() and len(number) < 4 else None  # noqa: PLR2004 - smallint
