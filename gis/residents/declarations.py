"""Declarations (Article 7): a desk takes one and gives a receipt; a registrar registers it, asks for more, or declines.

Nothing is registered without one, but for an official roster. Who declares is sealed before it reaches a table. What
stands in the register afterwards is the residency; the declaration stays as long as a complaint about it may come.

Limits shown on the receipt: 户口登记条例 (1958) article 15, a stay of three days or more in a city is declared within
three days; article 13, who moves for good declares within three days in a city, ten in the country. No statute says
how soon the office answers; ``DECIDED_WITHIN`` is what Menpai promises, the fifteen days that 居住证暂行条例 (2015)
article 10 sets for the permit.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from gis.categories import county_code
from gis.errors import (
    BadDeclaration,
    DeclarationDecided,
    DeclarationNotFound,
    NotAllowed,
    ResidencyNotFound,
    UuidTaken,
)
from gis.register.acts import today
from gis.residents import keys, receipts, residencies
from gis.residents.accesses import record
from gis.residents.documents import citizenship, read_document
from gis.residents.identities import Hasher, Identity, seal, unseal
from gis.residents.keys import KeyStore
from gis.residents.residencies import Dwelling
from gis.store import session
from gis.terms import (
    CitizenshipClass,
    DeclarationDeclineReason,
    DeclarationKind,
    DeclarationStatus,
    DocumentType,
    MoreNeeded,
    Purpose,
    Reason,
    Sex,
)

DECIDED_WITHIN: Final = dt.timedelta(days=15)
WAITS: Final = dt.timedelta(days=90)
"""How long one that nobody decides is kept, as rows of a roster are."""
KEPT_AFTERWARDS: Final = dt.timedelta(days=365)
"""How long it is kept when decided: Article 37 lets the resident complain, and the receipt opens their own desk."""
EARLIEST: Final = dt.date(1949, 10, 1)
LONGEST_NAME: Final = 100
_OPEN: Final = (DeclarationStatus.WAITING.value, DeclarationStatus.MORE_ASKED.value)
_DOCUMENT_TROUBLES: Final = {
    Reason.BAD_DOCUMENT: "the document number fails its check; type it again from the document",
    Reason.OLD_DOCUMENT: "that is a 15-digit card of before 2013; ask for the current one",
}


@dataclass(frozen=True)
class Declarer:
    """Who declares, from the document in hand."""

    name: str
    doc_type: DocumentType
    id_number: str
    sex: Sex = Sex.UNKNOWN
    birth_date: dt.date | None = None
    """Where the document's number does not carry it."""
    nationality: str | None = None
    """ISO 3166-1 alpha-3; decides the class of citizenship with the document, and is not kept."""
    hukou_code: str | None = None
    hukou_as_of: dt.date | None = None


@dataclass(frozen=True)
class Statement:
    """What is declared. ``since`` and ``until`` are the first and the last day, as people say them."""

    kind: DeclarationKind
    declarer: Declarer
    uuid: uuid.UUID
    dwelling: Dwelling | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    principal: bool = True


@dataclass(frozen=True)
class Receipt:
    """What the declarer takes home; the code is shown this once."""

    declaration: int
    code: str
    taken_on: dt.date
    decide_by: dt.date


def take(statement: Statement, actor: str) -> Receipt:
    """Take a declaration and give its receipt; the same one sent again gives a new receipt for it.

    Raises BadDeclaration, DwellingGone, NotAllowed outside the actor's divisions, ResidencyNotFound, UuidTaken,
    KeysUnreadable.
    """
    day = today()
    with keys.open_store() as store:
        hasher = Hasher(store)
        identity, klass = identity_of(statement.declarer, day)
        digest = hasher.document(statement.declarer.doc_type, str(identity.id_number))
        code = receipts.new_code()
        key = store.make(1)[0]
        row = {
            "uuid": statement.uuid,
            "receipt": hasher.receipt(code),
            "kind": statement.kind.value,
            "digest": digest,
            "key_id": uuid.UUID(bytes=key.id),
            "envelope": seal(identity, key),
            "klass": klass.value if klass else None,
            "hukou": county_code(statement.declarer.hukou_code),
            "hukou_as_of": statement.declarer.hukou_as_of,
            "principal": statement.principal,
            "actor": actor,
            "decide_by": day + DECIDED_WITHIN,
            "expires_on": day + WAITS,
        }
        with session.open("registrar", actor=actor, purpose=Purpose.DECLARATION) as connection:
            known = _find_repeated(connection, statement, digest)
            if known is None:
                declaration = connection.execute(TAKE, row | _place(connection, statement, digest, day)).scalar_one()
                record(connection, "declare", None, stated(identity))
            else:
                declaration = known
                _renew_receipt(connection, known, row["receipt"])
        if known is not None:
            store.destroy([key.id])
    return Receipt(declaration, receipts.show(code), day, day + DECIDED_WITHIN)


def ask_more(declaration: int, needed: Sequence[MoreNeeded], actor: str) -> None:
    """Say what is still needed; raises BadDeclaration for nothing, DeclarationNotFound, DeclarationDecided."""
    if not needed:
        raise BadDeclaration(why="say what is still needed")
    with session.open("registrar", actor=actor, purpose=Purpose.DECLARATION) as connection:
        hold(connection, declaration)
        connection.execute(
            text("UPDATE reg.declarations SET status = 'more_asked', more_needed = :needed WHERE id = :id"),
            {"id": declaration, "needed": sorted({word.value for word in needed})},
        )


def decline(declaration: int, reason: DeclarationDeclineReason, actor: str) -> None:
    """Decline a declaration; who declared is forgotten, that it was declined and why is kept for a complaint."""
    with keys.open_store() as store:
        with session.open("registrar", actor=actor, purpose=Purpose.DECLARATION) as connection:
            row = hold(connection, declaration)
            close(connection, row, DeclarationStatus.DECLINED, actor, reason=reason.value)
        _forget(store, row)


def withdraw(declaration: int, actor: str) -> None:
    """Take a declaration back at the declarer's word; raises DeclarationNotFound, DeclarationDecided."""
    with keys.open_store() as store:
        with session.open("registrar", actor=actor, purpose=Purpose.RESIDENT_REQUEST) as connection:
            row = hold(connection, declaration)
            close(connection, row, DeclarationStatus.WITHDRAWN, actor)
        _forget(store, row)


def find_open(actor: str, *, limit: int = 100) -> Sequence[Row[Any]]:
    """Return the declarations that wait in the actor's divisions, the most urgent first; nobody is opened."""
    with session.open("registrar", actor=actor, purpose=Purpose.DECLARATION) as connection:
        return connection.execute(
            text(
                "SELECT o.id, o.kind, o.status, o.more_needed, o.building_number, o.dwelling_sequence,"
                " lower(o.during) AS start, upper(o.during) AS until, o.taken_at, o.decide_by, a.standard_address,"
                " d.entrance, d.room FROM reg.declarations o"
                " LEFT JOIN reg.dwellings d"
                " ON (d.building_number, d.sequence) = (o.building_number, o.dwelling_sequence)"
                " LEFT JOIN reg.addresses a ON a.building_number = o.building_number AND a.main AND a.valid_to IS NULL"
                " WHERE o.decided_at IS NULL ORDER BY o.decide_by, o.id LIMIT :limit"
            ),
            {"limit": limit},
        ).all()


def open_declarer(declaration: int, actor: str) -> Identity:
    """Open who made a declaration that waits; one access record. Raises DeclarationNotFound, DeclarationDecided."""
    with keys.open_store() as store:
        with session.open("registrar", actor=actor, purpose=Purpose.DECLARATION) as connection:
            row = hold(connection, declaration)
            identity = unseal(bytes(row.envelope), row.key_id.bytes, store)
            record(connection, "open declaration", None, stated(identity))
        return identity


def hold(connection: Connection, declaration: int) -> Row[Any]:
    """Return an open declaration of the actor's divisions, held until the transaction ends.

    Two desks that register the same document wait for each other here. Raises DeclarationNotFound, DeclarationDecided.
    """
    row = connection.execute(
        text(
            "SELECT *, lower(during) AS start, upper(during) AS until_day FROM reg.declarations"
            " WHERE id = :id FOR UPDATE"
        ),
        {"id": declaration},
    ).first()
    if row is None:
        raise DeclarationNotFound
    if row.status not in _OPEN:
        raise DeclarationDecided(status=row.status)
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(encode(:digest, 'hex'), 0))"),
        {"digest": row.document_digest},
    )
    return row


def close(connection: Connection, row: Row[Any], status: DeclarationStatus, actor: str, **became: Any) -> None:  # noqa: ANN401 - columns of several types
    """Write what was decided about a declaration; its sealed identity goes."""
    connection.execute(
        text(
            "UPDATE reg.declarations SET status = :status, more_needed = '{}', decline_reason = :reason,"
            " decided_by = :actor, decided_at = now(), key_id = NULL, envelope = NULL, expires_on = :expires_on,"
            " person_id = coalesce(:person, person_id), residency_id = coalesce(:residency, residency_id)"
            " WHERE id = :id"
        ),
        {
            "id": row.id,
            "status": status.value,
            "actor": actor,
            "reason": None,
            "person": None,
            "residency": None,
            "expires_on": today() + KEPT_AFTERWARDS,
        }
        | became,
    )


def identity_of(declarer: Declarer, day: dt.date) -> tuple[Identity, CitizenshipClass | None]:
    """Return who declares, as it is sealed, and the class of citizenship; raises BadDeclaration."""
    name = " ".join(declarer.name.split())
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise BadDeclaration(why=f"a name has 1 to {LONGEST_NAME} characters")
    if declarer.hukou_code and county_code(declarer.hukou_code) is None:
        raise BadDeclaration(
            why="the code of the household registration has 6, 9 or 12 digits; leave it out if unknown"
        )
    document = read_document(declarer.doc_type, declarer.id_number, day)
    if document.reason:
        raise BadDeclaration(why=_DOCUMENT_TROUBLES[document.reason])
    birth_date = document.birth_date or declarer.birth_date
    if birth_date is None or birth_date > day:
        raise BadDeclaration(why="the birth date is missing or still to come")
    if declarer.birth_date not in {None, birth_date}:
        raise BadDeclaration(why="the birth date is not the one that the document's number carries")
    identity = Identity(name, declarer.doc_type.value, document.number, birth_date.isoformat(), declarer.sex.value)
    return identity, citizenship(declarer.doc_type, declarer.nationality)


def _place(connection: Connection, statement: Statement, digest: bytes, day: dt.date) -> dict[str, Any]:
    """Return where a statement belongs: dwelling, dates, division, and the residency it is about."""
    if statement.kind is DeclarationKind.ARRIVAL:
        return _arrival(connection, statement, day)
    found = residencies.find_in_force(connection, digest, day)
    if statement.dwelling is not None and statement.kind is not DeclarationKind.CORRECTION:
        found = [each for each in found if Dwelling(each.building_number, each.dwelling_sequence) == statement.dwelling]
    if not found:
        raise ResidencyNotFound(where=f"in {statement.dwelling}" if statement.dwelling else "in force")
    about = found[0]
    start = statement.since or about.start
    until = _until(statement, start) if statement.until else about.until
    if statement.kind is DeclarationKind.DEPARTURE and statement.until is None:
        raise BadDeclaration(why="say the last day on which they live there")
    dwelling = statement.dwelling or Dwelling(about.building_number, about.dwelling_sequence)
    return {
        "number": dwelling.building_number,
        "sequence": dwelling.sequence,
        "division": about.division_code,
        "start": start,
        "until": until,
        "residency": about.id,
        "person": about.person_id,
    }


def _arrival(connection: Connection, statement: Statement, day: dt.date) -> dict[str, Any]:
    """Return where and when somebody says they live; raises BadDeclaration, DwellingGone, NotAllowed."""
    if statement.dwelling is None or statement.since is None:
        raise BadDeclaration(why="say in which dwelling, and from which day on")
    if not EARLIEST <= statement.since <= day:
        raise BadDeclaration(
            why=f"{statement.since} is no day on which somebody began to live there; it is declared after"
        )
    division = residencies.hold_dwelling(connection, statement.dwelling)
    mine = connection.execute(
        text("SELECT CAST(:code AS bigint) <@ calc.jurisdiction()"), {"code": division}
    ).scalar_one()
    if not mine:
        raise NotAllowed(who="this account", what="take declarations for that building: it stands in another division")
    return {
        "number": statement.dwelling.building_number,
        "sequence": statement.dwelling.sequence,
        "division": division,
        "start": statement.since,
        "until": _until(statement, statement.since) if statement.until else None,
        "residency": None,
        "person": None,
    }


def _until(statement: Statement, start: dt.date) -> dt.date:
    """Return the first day on which somebody no longer lives there; raises BadDeclaration."""
    last = statement.until
    if last is None or last < start:
        raise BadDeclaration(why="the last day is before the first")
    return last + dt.timedelta(days=1)


def _find_repeated(connection: Connection, statement: Statement, digest: bytes) -> int | None:
    """Return the declaration that was sent before under the same UUID; raises UuidTaken where it is another."""
    row = connection.execute(
        text("SELECT id, kind, document_digest FROM reg.declarations WHERE uuid = :uuid"), {"uuid": statement.uuid}
    ).first()
    if row is None:
        return None
    if row.kind != statement.kind or bytes(row.document_digest) != digest:
        raise UuidTaken(uuid=statement.uuid)
    return int(row.id)


def _renew_receipt(connection: Connection, declaration: int, digest: object) -> None:
    """Let another code open the declaration: the desk asked twice, and only the newer paper is good."""
    connection.execute(
        text("UPDATE reg.declarations SET receipt_digest = :digest WHERE id = :id"),
        {"digest": digest, "id": declaration},
    )


def _forget(store: KeyStore, row: Row[Any]) -> None:
    """Destroy the key of a sealed identity that nobody needs any more."""
    if row.key_id is not None:
        store.destroy([row.key_id.bytes])


def stated(identity: Identity) -> list[str]:
    """Return which fields of a person an identity holds, for the access record."""
    return [name for name, value in identity._asdict().items() if value is not None]


TAKE: Final = text("""
    INSERT INTO reg.declarations (uuid, receipt_digest, kind, document_digest, person_id, key_id, envelope,
        citizenship_class, hukou_code, hukou_as_of, building_number, dwelling_sequence, division_code, during,
        principal, residency_id, taken_by, decide_by, expires_on)
    VALUES (:uuid, :receipt, :kind, :digest, :person, :key_id, :envelope, :klass, :hukou, :hukou_as_of, :number,
        :sequence, :division, daterange(:start, :until, '[)'), :principal, :residency, :actor, :decide_by, :expires_on)
    RETURNING id
""")
