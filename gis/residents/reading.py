"""A roster's rows, read, checked and sealed: what comes out holds no name, number or birth date in the clear."""

import datetime as dt
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import pyarrow as pa

from gis import addresses
from gis.categories import county_code
from gis.residents.documents import citizenship, read_document
from gis.residents.identities import Hasher, Identity, seal_many
from gis.residents.keys import KeyStore
from gis.residents.rows import ROSTER_ROWS
from gis.terms import Basis, CitizenshipClass, DocumentType, Outcome, Reason, Sex

COLUMNS: Final = tuple(ROSTER_ROWS.names[1:])
SEALED: Final = pa.schema(
    [
        pa.field("row", pa.int32()),
        pa.field("occupant_id", pa.string()),
        pa.field("address", pa.string()),
        pa.field("normalised", pa.string()),
        pa.field("building", pa.string()),
        pa.field("entrance", pa.int16()),
        pa.field("floor", pa.int16()),
        pa.field("room", pa.string()),
        pa.field("key_id", pa.binary()),
        pa.field("envelope", pa.binary()),
        pa.field("document_digest", pa.binary()),
        pa.field("row_digest", pa.binary()),
        pa.field("citizenship_class", pa.string()),
        pa.field("hukou_code", pa.int32()),
        pa.field("hukou_as_of", pa.date32()),
        pa.field("from_date", pa.date32()),
        pa.field("until_date", pa.date32()),
        pa.field("basis", pa.string()),
        pa.field("outcome", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("detail", pa.string()),
    ]
)
"""What is sent to the database: the address, the sealed identity, and what Article 3 needs."""
_SEXES: Final = {
    spelling: sex
    for sex, spellings in {
        Sex.MALE: ("male", "m", "男", "男性", "1"),
        Sex.FEMALE: ("female", "f", "女", "女性", "2"),
    }.items()
    for spelling in spellings
}
_YEAR: Final = len("2026")
_LONGEST_ID: Final = 200


class Texts(NamedTuple):
    """One row as the file wrote it, without its place in the file."""

    occupant_id: str | None = None
    address: str | None = None
    name: str | None = None
    doc_type: str | None = None
    id_number: str | None = None
    birth_date: str | None = None
    sex: str | None = None
    nationality: str | None = None
    hukou_code: str | None = None
    hukou_as_of: str | None = None
    from_date: str | None = None
    until_date: str | None = None
    basis: str | None = None


class ReadRow(NamedTuple):
    """One row understood; ``reason`` says why a person must look at it."""

    occupant_id: str | None
    address: str | None
    identity: Identity
    document_digest: bytes | None
    row_digest: bytes
    citizenship_class: CitizenshipClass | None
    hukou_code: int | None
    hukou_as_of: dt.date | None
    from_date: dt.date
    until_date: dt.date | None
    basis: Basis
    outcome: Outcome | None
    reason: Reason | None
    detail: str | None


class _Problem(Exception):  # noqa: N818 - a verdict on a row, caught where the row is read
    """Why a row cannot be registered as it stands."""

    def __init__(self, reason: Reason, detail: str | None = None) -> None:
        self.reason = reason
        self.detail = detail


class Reader:
    """Reads the rows of one batch; the same reader for all of its chunks."""

    def __init__(self, hasher: Hasher, batch_date: dt.date, repeated: Collection[str]) -> None:
        """``repeated`` are the occupant ids that stand in the file more than once."""
        self._hasher = hasher
        self._date = batch_date
        self._repeated = repeated

    def read(self, rows: pa.Table) -> list[ReadRow]:
        """Return the rows of a chunk (ROSTER_ROWS), understood."""
        columns = [rows[name].to_pylist() for name in COLUMNS]
        return [self._row(Texts._make(texts)) for texts in zip(*columns, strict=True)]

    def _row(self, texts: Texts) -> ReadRow:
        """Understand one row; whatever is wrong is said of it, and what could be read is kept for review."""
        occupant_id = _word(texts.occupant_id)
        problems: list[_Problem] = []
        identity, digest, klass = self._identity(texts, problems)
        start, until = self._period(texts, problems)
        basis = _basis(texts.basis, problems)
        if occupant_id is None or len(occupant_id) > _LONGEST_ID:
            problems.insert(0, _Problem(Reason.UNREADABLE_ROW, "occupant_id"))
        elif occupant_id in self._repeated:
            problems.insert(0, _Problem(Reason.REPEATED_OCCUPANT))
        first = problems[0] if problems else None
        refused = first is not None and first.reason is Reason.UNREADABLE_ROW
        return ReadRow(
            occupant_id,
            texts.address,
            identity,
            digest,
            self._hasher.row(texts),
            klass,
            county_code(texts.hukou_code),
            as_of(texts.hukou_as_of),
            start,
            until,
            basis,
            None if first is None else Outcome.REFUSED if refused else Outcome.QUEUED,
            first.reason if first else None,
            first.detail if first else None,
        )

    def _identity(
        self, texts: Texts, problems: list[_Problem]
    ) -> tuple[Identity, bytes | None, CitizenshipClass | None]:
        """Return who a row is about, the hash of a sound document, and the class of citizenship."""
        name, number, kind = _word(texts.name), _word(texts.id_number), _word(texts.doc_type)
        if not (name or number or kind):
            birth_date = self._birth_date(texts.birth_date, None, problems)
            return Identity(None, None, None, birth_date, _sex(texts.sex)), None, citizenship(None, texts.nationality)
        doc_type = _DOCUMENT_TYPES.get(kind.upper()) if kind else None
        if kind and doc_type is None:
            problems.append(_Problem(Reason.BAD_DOCUMENT, "doc_type"))
        if not (name and number and kind):
            # a roster without names and numbers may still say the kind of document, by which the class is known
            if name or number:
                problems.append(_Problem(Reason.MISSING_IDENTITY, "name" if not name else "document"))
            birth_date = self._birth_date(texts.birth_date, None, problems)
            found = Identity(name, kind, number, birth_date, _sex(texts.sex))
            return found, None, citizenship(doc_type, texts.nationality)
        if doc_type is None:
            return Identity(name, kind, number, texts.birth_date, _sex(texts.sex)), None, None
        document = read_document(doc_type, number, self._date)
        if document.reason:
            problems.append(_Problem(document.reason))
        birth_date = self._birth_date(texts.birth_date, document.birth_date, problems)
        found = Identity(name, doc_type.value, document.number, birth_date, _sex(texts.sex))
        digest = None if document.reason else self._hasher.document(doc_type, document.number)
        return found, digest, citizenship(doc_type, texts.nationality)

    def _birth_date(self, written: str | None, carried: dt.date | None, problems: list[_Problem]) -> str | None:
        """Return the birth date, YYYY-MM-DD: as written, or else as the document's number carries it."""
        if not written or not written.strip():
            return carried.isoformat() if carried else None
        day = _day(written)
        if day is None or day > self._date or (carried and day != carried):
            problems.append(_Problem(Reason.BAD_DATE, "birth_date"))
            return written  # sealed with the rest, for whoever reviews the row
        return day.isoformat()

    def _period(self, texts: Texts, problems: list[_Problem]) -> tuple[dt.date, dt.date | None]:
        """Return the first and the last day of the residency; it is open where the file gives no last day."""
        start, until = self._date, None
        if texts.from_date and texts.from_date.strip():
            day = _day(texts.from_date)
            start = day or start
            if day is None:
                problems.append(_Problem(Reason.BAD_DATE, "from_date"))
        if texts.until_date and texts.until_date.strip():
            until = _day(texts.until_date)
            if until is None or until < start:
                problems.append(_Problem(Reason.BAD_DATE, "until_date"))
                until = None
        return start, until


def seal_rows(numbers: Sequence[int], rows: Sequence[ReadRow], store: KeyStore) -> pa.Table:
    """Return n rows as a table of SEALED; their keys are on disk when this returns."""
    keys = store.make(len(rows))
    normalised = addresses.normalise_many([row.address for row in rows])
    places = addresses.split_dwellings(normalised)
    columns: dict[str, Sequence[object]] = {
        "row": list(numbers),
        "normalised": normalised,
        "building": [place.building if place else None for place in places],
        "entrance": [place.entrance if place else None for place in places],
        "floor": [place.floor if place else None for place in places],
        "room": [place.room if place else None for place in places],
        "key_id": [key.id for key in keys],
        "envelope": seal_many([row.identity for row in rows], keys),
    }
    columns |= dict(zip(ReadRow._fields, zip(*rows, strict=True), strict=True)) if rows else {}
    return pa.table({name: pa.array(columns.get(name, ()), type=SEALED.field(name).type) for name in SEALED.names})


def _basis(written: str | None, problems: list[_Problem]) -> Basis:
    """Return the basis of a residency: that of the official roster unless the row says otherwise."""
    word = _word(written)
    if word is None:
        return Basis.HOUSEHOLD_REGISTER
    basis = _BASES.get(word.lower())
    if basis is None:
        problems.append(_Problem(Reason.UNREADABLE_ATTRIBUTE, "basis"))
    return basis or Basis.HOUSEHOLD_REGISTER


_DOCUMENT_TYPES: Final = {kind.value: kind for kind in DocumentType}
_BASES: Final = {basis.value: basis for basis in Basis}


def _word(text: str | None) -> str | None:
    return text.strip() or None if text else None


def _sex(text: str | None) -> str | None:
    return _SEXES.get(text.strip().lower(), Sex.UNKNOWN).value if text and text.strip() else None


def as_of(text: str | None) -> dt.date | None:
    """Return when a hukou code was written: a date, or the first day of a year; None for anything else."""
    word = _word(text)
    if word and len(word) == _YEAR and word.isdecimal() and int(word):
        return dt.date(int(word), 1, 1)
    return _day(word) if word else None


@lru_cache(maxsize=65_536)
def _day(text: str) -> dt.date | None:
    """Return a date written YYYY-MM-DD or YYYYMMDD."""
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        return None
