"""Rows that a person decides about: the same row, come again, waits no second time, and what was decided holds."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, text

from gis.register import references
from gis.register.references import Fingerprints
from gis.register.sheets import Sheet
from gis.terms import Reason, RowDecision

DECIDED_BY_A_PERSON = {Reason.DOUBTFUL_DUPLICATE, Reason.ADDRESS_TAKEN, Reason.CHANGED_SINCE_REGISTERED}
"""Reasons that queue a row; any other sends it back."""


@dataclass(frozen=True)
class _Entry:
    """What a source said last of one code that a person was to decide about."""

    batch_id: int
    row: int
    fingerprint: int
    decision: str | None


def recall(connection: Connection, sheet: Sheet, source_id: int, codes: list[str], fingerprints: Fingerprints) -> None:
    """Find the rows of a sheet that wait for a person already, or that one has refused.

    The word of a source that comes later counts: what waits under a code of which it now says something else is
    superseded. The registration lock is held, and everything else about the rows is settled.
    """
    entries = _entries(connection, source_id)
    if not entries:
        return
    struck = sheet.verdicts.reasons
    superseded: list[_Entry] = []
    for position in _firsts(sheet, codes):
        entry = entries.get(codes[position])
        if entry is None:
            continue
        repeated = entry.fingerprint == fingerprints[position]
        if struck[position] in DECIDED_BY_A_PERSON and repeated and entry.decision is None:
            sheet.waiting[position] = True
        elif struck[position] in DECIDED_BY_A_PERSON and repeated and entry.decision == RowDecision.REFUSE:
            sheet.strike(position, Reason.DECLINED, f"batch {entry.batch_id}, row {entry.row}")
        elif entry.decision is None:
            superseded.append(entry)
    _supersede(connection, sheet, superseded)


def _firsts(sheet: Sheet, codes: list[str]) -> list[int]:
    """Return the positions of rows that are registered, unchanged or to be decided, the first of each code."""
    first: dict[str, int] = {}
    for position, reason in enumerate(sheet.verdicts.reasons):
        if reason is None or reason in DECIDED_BY_A_PERSON:
            first.setdefault(codes[position], position)
    return list(first.values())


def _entries(connection: Connection, source_id: int) -> dict[str, _Entry]:
    """Return what waits or was decided last under each code of a source."""
    rows = connection.execute(QUEUED, {"source": source_id, "superseded": RowDecision.SUPERSEDED.value})
    return {
        references.code_of(row.source_code, row.fingerprint): _Entry(
            row.batch_id, row.row, row.fingerprint, row.decision
        )
        for row in rows
    }


def _supersede(connection: Connection, sheet: Sheet, entries: list[_Entry]) -> None:
    """Take rows out of the queue that the source itself has overtaken."""
    if not entries:
        return
    places = np.array([(entry.batch_id, entry.row) for entry in entries]).T.tolist()
    values = {"batches": places[0], "rows": places[1], "actor": sheet.options.actor}
    connection.execute(SUPERSEDE, values | {"superseded": RowDecision.SUPERSEDED.value})


QUEUED = text("""
    SELECT r.batch_id, r.row, r.source_code, r.fingerprint, r.decision
    FROM reg.batch_rows r JOIN reg.batches b ON b.id = r.batch_id
    WHERE b.source_id = :source AND r.outcome = 'queued' AND r.fingerprint IS NOT NULL
        AND r.decision IS DISTINCT FROM :superseded
    ORDER BY r.batch_id, r.row
""")
SUPERSEDE = text("""
    UPDATE reg.batch_rows r SET decision = :superseded, decided_at = now(), decided_by = :actor
    FROM unnest(CAST(:batches AS integer[]), CAST(:rows AS integer[])) AS overtaken(batch_id, row)
    WHERE r.batch_id = overtaken.batch_id AND r.row = overtaken.row
""")
