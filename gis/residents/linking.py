"""What each row of a roster means by its address: the building, the room and the category of ``menpai match``.

Nothing of a person is kept or passed on but the opaque occupant_id, which the office itself gave.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa

from gis.addresses.cleaning import clean_many
from gis.categories import CodeChange, category, county_code
from gis.register.matching.deciding import Matcher, Verdict
from gis.residents.documents import citizenship
from gis.residents.reading import as_of
from gis.terms import MatchOutcome, MatchReason

COLUMNS: Final = ("occupant_id", "address", "nationality", "hukou_code", "hukou_as_of")
"""What a match reads of a roster, beside a coordinate."""
NEEDED: Final = ("occupant_id", "address")
LINKS: Final = ("occupant_id", "building_no", "room", "outcome", "grade", "category", "reason")
CANDIDATES: Final = ("occupant_id", "rank", "building_no", "standard_address", "agrees", "contradicts")
CHINA: Final = ZoneInfo("Asia/Shanghai")

Point = tuple[float, float]
"""Longitude and latitude in CGCS2000 degrees."""


def gives_category(columns: Sequence[str]) -> bool:
    """Tell whether a roster with these columns says anything by which Article 3 decides."""
    return "hukou_code" in columns or "hukou_as_of" in columns


class Linked(NamedTuple):
    """What became of some rows, in their order."""

    links: list[tuple[str, ...]]
    """Rows of LINKS."""
    candidates: list[tuple[str, ...]]
    """Rows of CANDIDATES, best first for each row that waits for a person."""


@dataclass
class Linker:
    """Links a roster's rows, some at a time."""

    matcher: Matcher
    changes: Sequence[CodeChange]
    """Dated changes of county codes, by which a hukou code is read."""
    with_hukou: bool
    repeated: AbstractSet[str] = frozenset()
    """Occupant ids that stand in the file more than once: which row is right is for a person to say."""
    outcomes: Counter[MatchOutcome] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Prepare what decides the category, as of today."""
        self._category = _categoriser(tuple(self.changes))

    def link(self, rows: pa.RecordBatch, points: Sequence[Point | None] | None = None) -> Linked:
        """Return what became of n rows (the columns of COLUMNS, as text)."""
        ids, texts, *hukou = (rows.column(name).to_pylist() for name in COLUMNS)
        linked = Linked([], [])
        for place, (occupant, text) in enumerate(zip(ids, clean_many([text or "" for text in texts]), strict=True)):
            verdict = self._verdict(occupant, text, points[place] if points else None)
            decided = ""
            if self.with_hukou and verdict.row >= 0:
                county = self.matcher.index.views["county"][verdict.row]
                decided = self._category(hukou[1][place], hukou[2][place], hukou[0][place], county)
            linked.links.append(self._line(occupant, verdict, decided))
            if verdict.outcome is MatchOutcome.REVIEW:
                linked.candidates.extend(self._candidates(occupant, verdict))
        return linked

    def unreadable(self) -> tuple[str, ...]:
        """Return the row of LINKS for a row that has a wrong number of fields."""
        return self._line("", Verdict(MatchOutcome.REVIEW, reason=MatchReason.UNREADABLE_ROW), "")

    def _verdict(self, occupant: str | None, text: str, point: Point | None) -> Verdict:
        if not occupant or not occupant.strip():
            return Verdict(MatchOutcome.REVIEW, reason=MatchReason.UNREADABLE_ROW)
        if occupant.strip() in self.repeated:
            return Verdict(MatchOutcome.REVIEW, reason=MatchReason.REPEATED_OCCUPANT)
        return self.matcher.decide(text, point)

    def _line(self, occupant: str | None, verdict: Verdict, decided: str) -> tuple[str, ...]:
        self.outcomes[verdict.outcome] += 1
        number = self.matcher.index.building_no[verdict.row] if verdict.row >= 0 else ""
        grade, reason = verdict.grade, verdict.reason
        return (
            occupant or "", number, verdict.room, verdict.outcome.value, grade.value if grade else "", decided,
            reason.value if reason else "",
        )  # fmt: skip

    def _candidates(self, occupant: str | None, verdict: Verdict) -> Iterator[tuple[str, ...]]:
        for rank, one in enumerate(self.matcher.explain(verdict), 1):
            yield (occupant or "", str(rank), one.number, one.address, one.agrees, one.contradicts)


def _categoriser(changes: tuple[CodeChange, ...]) -> Callable[[str | None, str | None, str | None, int], str]:
    """Return what decides the category by Article 3; equal cases are decided once."""
    today = dt.datetime.now(CHINA).date()

    @lru_cache(maxsize=262_144)
    def decide(code: str | None, written: str | None, nationality: str | None, county: int) -> str:
        day = as_of(written)
        ruling = category(
            county_code(code), county, today, changes,
            as_of=day.year if day else None, citizenship=citizenship(None, nationality),
        )  # fmt: skip
        return ruling.category.value

    return decide
