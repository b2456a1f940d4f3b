"""Import of structures: rows in, every one of them registered, unchanged, queued or refused.

The file is checked as columns before the database is asked anything. Then, under the registration
lock and in one transaction, what is known is set aside, what clashes is queued or refused, and the
rest is numbered and copied in. A crash at any moment leaves nothing behind.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
from sqlalchemy import Connection, text

from gis import addresses
from gis.register import acts, duplicates, narrowing, placing, references, waiting, writing
from gis.register.sheets import ImportOptions, Sheet
from gis.register.writing import Origin
from gis.store import copying, session
from gis.terms import BatchKind, Outcome, Reason

Progress = Callable[[str], None]


@dataclass(frozen=True)
class BuildingsResult:
    """What became of a file; the four counts add up to its rows."""

    batch_id: int
    registered: int
    unchanged: int
    queued: int
    refused: int
    results: pa.Table
    """row, source_id, outcome, building_no, reason, detail: one for every row, in the file's order."""


class _DryRun(Exception):  # noqa: N818 - no error: it undoes the trial
    """The trial is over and nothing is kept."""


def import_buildings(
    rows: pa.Table,
    options: ImportOptions,
    progress: Progress = lambda _: None,
    before_commit: Callable[[pa.Table], None] = lambda _: None,
) -> BuildingsResult:
    """Register the structures of a table (rows.STRUCTURE_ROWS) and say what became of each row.

    ``progress`` hears the name of each stage; ``before_commit`` gets the results while they can still be
    taken back: where it raises, nothing is kept. Raises UnknownDivision for a division that is none,
    DatabaseUnreachable.
    """
    progress("check")
    sheet = Sheet(rows, options)
    result = None
    with suppress(_DryRun), session.open("registrar", actor=options.actor) as connection:
        result = _register(connection, sheet, progress)
        before_commit(result.results)
        _keep(options)
    return cast("BuildingsResult", result)


def _keep(options: ImportOptions) -> None:
    """Raise where nothing is to be kept: the session rolls back."""
    if options.dry_run:
        raise _DryRun


def _register(connection: Connection, sheet: Sheet, progress: Progress) -> BuildingsResult:
    """Place, compare, number and write the rows of a checked sheet, in the open transaction."""
    # hashing holds Python's lock while GEOS works without it
    with ThreadPoolExecutor(1) as beside:
        hashing = beside.submit(references.identify, sheet.rows)
        places = placing.place(connection, sheet)
        progress("compare")
        identities = hashing.result()
    references.strike_repeated(sheet, *identities)
    acts.lock(connection)
    source_id = references.find_source(connection, sheet.options.source)
    references.set_aside_known(connection, sheet, source_id, *identities)
    for met in duplicates.find_registered(connection, sheet.shapes, sheet.open):
        number = met.building_number
        sheet.strike(met.position, _reason(certain=met.certain), f"building {number}", number)
    # after the register: what is not going to be registered itself takes no other row down
    for clash in duplicates.find_within(sheet.shapes, sheet.open):
        sheet.strike_rival(clash.later, _reason(certain=clash.certain), clash.earlier)
    normalised = _claim_addresses(connection, sheet)
    addressed = np.fromiter(normalised, dtype=np.intp, count=len(normalised))
    narrowing.narrow(connection, places.division_codes, addressed, list(normalised.values()))
    waiting.recall(connection, sheet, source_id, *identities)
    progress("write")
    # what the reference checks of a statement look at stays in memory
    connection.execute(text("SET LOCAL work_mem = '256MB'"))
    accepted = sheet.open
    outcomes = _outcomes(sheet)
    batch_id = _open_batch(connection, sheet, source_id, outcomes)
    if accepted.size:
        origin = Origin(source_id, batch_id, acts.take_places(connection, 1 + len(accepted)))
        writing.number(connection, sheet, accepted)
        writing.write_buildings(connection, sheet, places, accepted, origin)
        writing.write_addresses(connection, sheet, normalised, accepted)
        writing.write_trace(connection, sheet, accepted, origin, identities)
    if not sheet.options.dry_run:  # a trial's numbers will be issued to other buildings
        sheet.name_rivals()
    writing.write_unregistered(connection, sheet, batch_id, outcomes, (places.division_codes, identities[1]))
    return _result(sheet, batch_id, outcomes)


def _reason(*, certain: bool) -> Reason:
    """Return why a row goes no further: it surely is a duplicate, or may be one."""
    return Reason.DUPLICATE_BUILDING if certain else Reason.DOUBTFUL_DUPLICATE


def _claim_addresses(connection: Connection, sheet: Sheet) -> dict[int, str]:
    """Return the normalised address of each open row that has one; queue those another building holds."""
    positions = sheet.open
    words = sheet.words("standard_address", positions)
    if not any(words):
        return {}
    claims: dict[str, int] = {}
    for position, address in zip(positions, addresses.normalise_many(words), strict=True):
        if address:
            earlier = claims.setdefault(address, int(position))
            if earlier != position:
                sheet.strike_rival(int(position), Reason.ADDRESS_TAKEN, earlier)
    connection.execute(text("CREATE TEMPORARY TABLE candidate_addresses (normalised text) ON COMMIT DROP"))
    copying.copy(connection, "candidate_addresses", pa.table({"normalised": pa.array(list(claims), type=pa.string())}))
    taken = connection.execute(
        text(
            "SELECT normalised, building_number FROM candidate_addresses"
            " JOIN reg.addresses USING (normalised) WHERE valid_to IS NULL"
        )
    ).all()
    connection.execute(text("DROP TABLE candidate_addresses"))
    for row in taken:
        position = claims.pop(row.normalised)
        sheet.strike(position, Reason.ADDRESS_TAKEN, f"building {row.building_number}", row.building_number)
    return {position: address for address, position in claims.items()}


def _outcomes(sheet: Sheet) -> npt.NDArray[np.object_]:
    """Return the outcome of every row, (n,)."""
    outcomes = np.full(len(sheet.shapes), Outcome.REGISTERED, dtype=object)
    outcomes[sheet.unchanged] = Outcome.UNCHANGED
    for position in np.flatnonzero(~sheet.verdicts.good):
        queued = sheet.verdicts.reasons[position] in waiting.DECIDED_BY_A_PERSON
        outcomes[position] = Outcome.QUEUED if queued else Outcome.REFUSED
    return outcomes


def _open_batch(connection: Connection, sheet: Sheet, source_id: int, outcomes: npt.NDArray[np.object_]) -> int:
    """Write the batch with its sums and return its id."""
    options = sheet.options
    given = {"division": options.division, "kind": options.kind, "test_numbers": options.test_numbers}
    return int(
        connection.execute(
            text(
                "INSERT INTO reg.batches"
                " (kind, source_id, file_name, actor, options, registered, unchanged, queued, refused)"
                " VALUES (:kind, :source_id, :file_name, :actor, CAST(:options AS jsonb),"
                " :registered, :unchanged, :queued, :refused) RETURNING id"
            ),
            {
                "kind": BatchKind.BUILDINGS.value,
                "source_id": source_id,
                "file_name": options.file_name,
                "actor": options.actor,
                "options": orjson.dumps(given).decode(),
                **_sums(outcomes),
            },
        ).scalar_one()
    )


def _sums(outcomes: npt.NDArray[np.object_]) -> dict[str, int]:
    """Return how many rows had each outcome."""
    return {outcome.value: int(np.count_nonzero(outcomes == outcome)) for outcome in Outcome}


def _result(sheet: Sheet, batch_id: int, outcomes: npt.NDArray[np.object_]) -> BuildingsResult:
    """Return the sums and the line of every row."""
    # a trial's numbers will be issued to other buildings
    numbers = np.where((outcomes == Outcome.REGISTERED) & (not sheet.options.dry_run), sheet.numbers, 0)
    for position, number in sheet.standing.items():
        numbers[position] = number
    details: list[str | None] = [None] * len(outcomes)
    for position, detail in sheet.verdicts.details.items():
        details[position] = detail
    results = {
        "row": sheet.rows["row"],
        "source_id": sheet.rows["source_id"],
        "outcome": pa.array(outcomes, type=pa.string()),
        "building_no": pa.array(numbers, mask=numbers == 0).cast(pa.string()),
        "reason": pa.array(sheet.verdicts.reasons, type=pa.string()),
        "detail": pa.array(details, type=pa.string()),
    }
    return BuildingsResult(batch_id, **_sums(outcomes), results=pa.table(results))
