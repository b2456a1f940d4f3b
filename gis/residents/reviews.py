"""Roster rows that wait for a person: shown with ranked candidates, then placed in a dwelling, or refused.

A registrar of the division decides; a row whose division is not known waits for whoever imported its batch. Which row
it is, its address and what spoke for and against each candidate are seen without opening anybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, text

from gis.errors import NotAllowed, ResidencyOverlaps, RosterRowUnfit, RowNotQueued
from gis.register.acts import today
from gis.residents import keys, residencies
from gis.residents.accesses import record_batch
from gis.residents.identities import Identity, unseal
from gis.residents.residencies import Dwelling, Household
from gis.store import session
from gis.terms import CitizenshipClass, Outcome, Purpose, Reason

MOST: Final = 500
"""Rows of a queue at a time."""
UNFIT: Final = frozenset(
    {
        *(Reason.BAD_DOCUMENT, Reason.OLD_DOCUMENT, Reason.MISSING_IDENTITY, Reason.BAD_DATE),
        *(Reason.UNREADABLE_ATTRIBUTE, Reason.UNREADABLE_ROW),
    }
)
"""What no dwelling puts right: these rows are refused, and come again in a roster that was corrected."""
PLACED: Final = ("name", "doc_type", "id_number", "birth_date", "sex", "hukou_code", "dwelling", "during")
"""What placing a row writes of a person."""


class Candidate(NamedTuple):
    """A building that a row may mean; the best stands first."""

    building: int
    standard_address: str | None
    agrees: Sequence[str]
    contradicts: Sequence[str]


@dataclass(frozen=True)
class Waiting:
    """A row that waits, without who it is about."""

    batch: int
    row: int
    source: str
    file_name: str
    occupant_id: str | None
    address: str | None
    reason: Reason
    detail: str | None
    expires_on: Any
    candidates: Sequence[Candidate]


def find_waiting(
    actor: str,
    *,
    after: tuple[int, int] = (0, 0),
    limit: int = 100,
    purpose: str = Purpose.ROSTER_REVIEW,
) -> list[Waiting]:
    """Return rows that wait for the actor, in the order of batches and rows, behind ``after`` (batch, row)."""
    with session.open("registrar", actor=actor, purpose=purpose) as connection:
        rows = connection.execute(_WAITING, {"batch": after[0], "row": after[1], "limit": limit}).all()
        named = {number for row in rows for number in _buildings(row.candidates)}
        found = connection.execute(_ADDRESSES, {"numbers": sorted(named)})
        addresses = {each.building_number: each.standard_address for each in found}
    return [_waiting(row, addresses) for row in rows]


def open_row(batch: int, row: int, actor: str, *, purpose: str = Purpose.ROSTER_REVIEW) -> Identity:
    """Open who a row that waits is about, for the decision; one access record. Raises RowNotQueued."""
    with keys.open_store() as store:
        with session.open("registrar", actor=actor, purpose=purpose) as connection:
            held = _hold(connection, batch, row)
            identity = unseal(bytes(held.envelope), held.key_id.bytes, store)
            stated = [name for name, value in identity._asdict().items() if value is not None]
            record_batch(connection, "open roster row", batch, stated)
        return identity


def place(batch: int, row: int, dwelling: Dwelling, actor: str, *, purpose: str = Purpose.ROSTER_REVIEW) -> int:
    """Register the person of a row in a dwelling, and return the residency; the row is then done with.

    Raises RowNotQueued, RosterRowUnfit, DwellingGone, NotAllowed outside the actor's divisions, ResidencyOverlaps.
    """
    with keys.open_store() as store, residencies.told_plainly():
        with session.open("registrar", actor=actor, purpose=purpose) as connection:
            held = _hold(connection, batch, row)
            _check_fit(connection, held)
            division = residencies.hold_dwelling(connection, dwelling)
            mine = connection.execute(_MINE, {"division": division}).scalar_one()
            if not mine:
                raise NotAllowed(who=actor, what="place somebody in that building: it stands in another division")
            known = connection.execute(_CLAIM, {"batch": batch, "row": row}).first()
            if known is not None and known.overlaps:
                raise ResidencyOverlaps(on=held.start)
            person = _new_person(connection, held) if known is None else int(known.person_id)
            residency = _write(connection, held, person, dwelling, division)
            connection.execute(_DONE, {"batch": batch, "row": row})
            record_batch(connection, "place roster row", batch, PLACED, person)
        if known is not None:
            store.destroy([held.key_id.bytes])
    return residency


def refuse(batch: int, row: int, actor: str, *, purpose: str = Purpose.ROSTER_REVIEW) -> None:
    """Decide against a row: who it is about is forgotten, that it was refused stays until it expires.

    Raises RowNotQueued.
    """
    with keys.open_store() as store:
        with session.open("registrar", actor=actor, purpose=purpose) as connection:
            held = _hold(connection, batch, row)
            words = {"outcome": Outcome.REFUSED.value, "reason": Reason.DECLINED.value}
            connection.execute(_REFUSE, words | {"batch": batch, "row": row})
            record_batch(connection, "refuse roster row", batch, ())
        store.destroy([held.key_id.bytes])


def _hold(connection: Connection, batch: int, row: int) -> Row[Any]:
    """Return a row that waits for the actor, held until the transaction ends; raises RowNotQueued.

    Two desks that register the same document wait for each other here.
    """
    found = connection.execute(_HOLD, {"batch": batch, "row": row}).first()
    if found is None or found.key_id is None:
        raise RowNotQueued(batch=batch, row=row)
    if found.document_digest is not None:
        connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(encode(:digest, 'hex'), 0))"),
            {"digest": found.document_digest},
        )
    return found


def _check_fit(connection: Connection, held: Row[Any]) -> None:
    """Raise RosterRowUnfit for a row that a dwelling alone does not put right."""
    reason = Reason(held.reason)
    if reason in UNFIT:
        raise RosterRowUnfit(batch=held.batch_id, row=held.row, why=reason.en)
    known = connection.execute(_KNOWN, {"source": held.source_id, "occupant": held.occupant_id}).first()
    if known is not None:
        why = "its source has brought this occupant before, and they are registered; correct that at the desk"
        raise RosterRowUnfit(batch=held.batch_id, row=held.row, why=why)


def _new_person(connection: Connection, held: Row[Any]) -> int:
    """Make the person of a row, who takes over its sealed identity and its key; return their id."""
    person: int = connection.execute(text("SELECT nextval('reg.persons_id_seq')")).scalar_one()
    connection.execute(_NEW_PERSON, {"person": person, "batch": held.batch_id, "row": held.row})
    return person


def _write(connection: Connection, held: Row[Any], person: int, dwelling: Dwelling, division: int) -> int:
    """Write the residency of a row and return its id."""
    klass = CitizenshipClass(held.citizenship_class) if held.citizenship_class else None
    household = Household(klass, held.hukou_code, held.hukou_as_of)
    ruling = residencies.rule(connection, household, division, today())
    made: int = connection.execute(
        _INSERT,
        {
            "person": person,
            "batch": held.batch_id,
            "row": held.row,
            "number": dwelling.building_number,
            "sequence": dwelling.sequence,
            "division": division,
            "category": ruling.category.value,
            "reason": ruling.reason.value,
        },
    ).scalar_one()
    return made


def _waiting(row: Row[Any], addresses: dict[int, str]) -> Waiting:
    """Return a row of the queue as it is shown."""
    candidates = [
        Candidate(number, addresses.get(number), *_features(each))
        for number, each in zip(_buildings(row.candidates), row.candidates or (), strict=True)
    ]
    return Waiting(
        row.batch_id,
        row.row,
        row.source,
        row.file_name,
        row.occupant_id,
        row.address,
        Reason(row.reason),
        row.detail,
        row.expires_on,
        candidates,
    )


def _buildings(candidates: Sequence[Any] | None) -> list[int]:
    """Return the buildings of stored candidates: bare numbers where the address itself was plain."""
    return [each["building"] if isinstance(each, dict) else each for each in candidates or ()]


def _features(candidate: Any) -> tuple[Sequence[str], Sequence[str]]:  # noqa: ANN401 - JSON as it was stored
    """Return what agrees with a candidate, and what contradicts it."""
    return (candidate["agrees"], candidate["contradicts"]) if isinstance(candidate, dict) else ((), ())


_WAITING: Final = text("""
    SELECT w.batch_id, w.row, s.name AS source, b.file_name, w.occupant_id, w.address, w.reason, w.detail,
        w.expires_on, w.candidates
    FROM reg.roster_rows w
    JOIN reg.batches b ON b.id = w.batch_id
    JOIN reg.sources s ON s.id = b.source_id
    WHERE w.outcome = 'queued' AND (w.batch_id, w.row) > (:batch, :row)
    ORDER BY w.batch_id, w.row LIMIT :limit
""")
_ADDRESSES: Final = text("""
    SELECT building_number, standard_address FROM reg.addresses
    WHERE building_number = ANY(CAST(:numbers AS bigint[])) AND main AND valid_to IS NULL
""")
_HOLD: Final = text("""
    SELECT w.*, lower(w.during) AS start, b.source_id
    FROM reg.roster_rows w JOIN reg.batches b ON b.id = w.batch_id
    WHERE w.batch_id = :batch AND w.row = :row AND w.outcome = 'queued' FOR UPDATE OF w
""")
_MINE: Final = text("SELECT CAST(:division AS bigint) <@ calc.jurisdiction()")
_KNOWN: Final = text("""
    SELECT occupant_id FROM calc.find_occupants(CAST(:source AS integer), ARRAY[CAST(:occupant AS text)])
""")
_CLAIM: Final = text("""
    SELECT c.person_id, c.overlaps
    FROM reg.roster_rows w
    CROSS JOIN LATERAL calc.find_claims(ARRAY[w.document_digest], ARRAY[w.during]) c
    WHERE w.batch_id = :batch AND w.row = :row
""")
_NEW_PERSON: Final = text("""
    INSERT INTO reg.persons (id, key_id, envelope, document_digest, citizenship_class, hukou_code, hukou_as_of)
    SELECT :person, key_id, envelope, document_digest, citizenship_class, hukou_code, hukou_as_of
    FROM reg.roster_rows WHERE batch_id = :batch AND row = :row
""")
_INSERT: Final = text("""
    INSERT INTO reg.residencies (person_id, building_number, dwelling_sequence, division_code, during, category,
        category_reason, basis, batch_id, source_id, occupant_id, row_digest)
    SELECT :person, :number, :sequence, :division, w.during, :category, :reason, w.basis, w.batch_id, b.source_id,
        w.occupant_id, w.row_digest
    FROM reg.roster_rows w JOIN reg.batches b ON b.id = w.batch_id
    WHERE w.batch_id = :batch AND w.row = :row
    RETURNING id
""")
_DONE: Final = text("DELETE FROM reg.roster_rows WHERE batch_id = :batch AND row = :row")
_REFUSE: Final = text("""
    UPDATE reg.roster_rows SET outcome = :outcome, reason = :reason, key_id = NULL, envelope = NULL,
        document_digest = NULL, citizenship_class = NULL, hukou_code = NULL, hukou_as_of = NULL, during = NULL,
        basis = NULL
    WHERE batch_id = :batch AND row = :row
""")
