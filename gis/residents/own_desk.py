"""The resident's own desk (rights.md, 7): what is registered of me, who opened it, and how I have it put right.

The receipt's code and the exact document open one's own record and no other; there is no account. Each visit is an
access like any other, and leaves its record.
"""

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from gis.categories import county_code
from gis.errors import BadDeclaration, NothingOfYours
from gis.register.acts import today
from gis.residents import declarations, keys, receipts
from gis.residents.accesses import record
from gis.residents.declarations import Declarer, stated
from gis.residents.documents import read_document
from gis.residents.identities import Hasher, Identity, seal, unseal
from gis.residents.keys import KeyStore
from gis.residents.residencies import Dwelling
from gis.store import session
from gis.terms import DeclarationKind, DocumentType, Purpose

SELF: Final = "(resident)"
"""Who acts, in the access record: the person themselves, who has no account."""


@dataclass(frozen=True)
class Key:
    """What opens one's own record: the code as it was typed, and the document."""

    code: str
    doc_type: DocumentType
    id_number: str


@dataclass(frozen=True)
class OwnRecord:
    """Everything the register holds of somebody, and who looked at it."""

    identity: Identity | None
    """None before anything was registered, and where it was erased."""
    hukou_code: int | None
    hukou_as_of: dt.date | None
    residencies: tuple[Row[Any], ...]
    """Versions, newest first: id, building_number, dwelling_sequence, standard_address, start, until, principal,
    category, category_reason, basis, recorded_at, recorded_until."""
    declarations: tuple[Row[Any], ...]
    """id, kind, status, more_needed, decline_reason, taken_at, decide_by, decided_at; newest first."""
    accesses: tuple[Row[Any], ...]
    """at, actor, purpose, act, fields; newest first, this visit among them."""


def look(key: Key) -> OwnRecord:
    """Return everything the register holds of whom the key belongs to; raises NothingOfYours, KeysUnreadable."""
    with keys.open_store() as store, _opened(key, store) as (connection, _):
        person = connection.execute(text("SELECT key_id, envelope, hukou_code, hukou_as_of FROM reg.persons")).first()
        identity = unseal(bytes(person.envelope), person.key_id.bytes, store) if person else None
        shown = [*(stated(identity) if identity else ()), "hukou_code", "dwelling", "during", "accesses"]
        record(connection, "own record", _own(connection), shown)
        return OwnRecord(
            identity,
            person.hukou_code if person else None,
            person.hukou_as_of if person else None,
            *(tuple(connection.execute(text(query)).all()) for query in (_RESIDENCIES, _DECLARATIONS, _ACCESSES)),
        )


def end(key: Key, residency: int, last_day: dt.date) -> None:
    """End a residency of one's own after a day that has come; raises NothingOfYours, BadDeclaration."""
    with keys.open_store() as store, _opened(key, store) as (connection, _):
        ended = connection.execute(
            text("SELECT calc.end_own(:residency, :last_day)"), {"residency": residency, "last_day": last_day}
        ).scalar_one()
        if not ended:
            raise BadDeclaration(why="it is not in force, or the last day is before it began or still to come")
        record(connection, "end own", _own(connection), ["during"])


def ask_correction(key: Key, declarer: Declarer, residency: int, since: dt.date, dwelling: Dwelling | None) -> int:
    """Ask for what is registered to be put right, as one says it is; return the declaration that waits.

    A registrar decides with the document in hand. Raises NothingOfYours, BadDeclaration.
    """
    with keys.open_store() as store, _opened(key, store) as (connection, digest):
        identity, klass = declarations.identity_of(declarer, today())
        version = connection.execute(_OWN_VERSION, {"id": residency}).first()
        if version is None:
            raise BadDeclaration(why="that residency is not in force")
        if not declarations.EARLIEST <= since <= today():
            raise BadDeclaration(why=f"{since} is no day on which somebody began to live there")
        data_key = store.make(1)[0]
        where = dwelling or Dwelling(version.building_number, version.dwelling_sequence)
        declaration: int = connection.execute(
            declarations.TAKE,
            {
                "uuid": uuid.uuid4(),
                "receipt": None,
                "kind": DeclarationKind.CORRECTION.value,
                "digest": digest,
                "person": version.person_id,
                "key_id": uuid.UUID(bytes=data_key.id),
                "envelope": seal(identity, data_key),
                "klass": klass.value if klass else None,
                "hukou": county_code(declarer.hukou_code),
                "hukou_as_of": declarer.hukou_as_of,
                "number": where.building_number,
                "sequence": where.sequence,
                "division": version.division_code,
                "start": since,
                "until": version.until,
                "principal": version.principal,
                "residency": version.id,
                "actor": SELF,
                "decide_by": today() + declarations.DECIDED_WITHIN,
                "expires_on": today() + declarations.WAITS,
            },
        ).scalar_one()
        record(connection, "ask correction", version.person_id, stated(identity))
    return declaration


_RESIDENCIES: Final = """
    SELECT r.id, r.building_number, r.dwelling_sequence, a.standard_address, lower(r.during) AS start,
        upper(r.during) AS until, r.principal, r.category, r.category_reason, r.basis, r.recorded_at, r.recorded_until
    FROM reg.residencies r
    LEFT JOIN reg.addresses a ON a.building_number = r.building_number AND a.main AND a.valid_to IS NULL
    ORDER BY r.recorded_until IS NOT NULL, lower(r.during) DESC, r.id DESC
"""
_DECLARATIONS: Final = """
    SELECT id, kind, status, more_needed, decline_reason, taken_at, decide_by, decided_at FROM reg.declarations
    ORDER BY id DESC
"""
_ACCESSES: Final = "SELECT at, actor, purpose, act, fields FROM reg.access_records ORDER BY id DESC LIMIT 1000"
_OWN_VERSION: Final = text("""
    SELECT id, person_id, building_number, dwelling_sequence, division_code, upper(during) AS until, principal
    FROM reg.residencies WHERE id = :id AND recorded_until IS NULL
""")


@contextmanager
def _opened(key: Key, store: KeyStore) -> Iterator[tuple[Connection, bytes]]:
    """Yield a session that sees one's own rows, and the document's hash; raises NothingOfYours."""
    code = receipts.read(key.code)
    document = read_document(key.doc_type, key.id_number, today())
    if code is None:
        raise NothingOfYours
    hasher = Hasher(store)
    digest = hasher.document(key.doc_type, document.number)
    with session.open("resident_desk", actor=SELF, purpose=Purpose.RESIDENT_REQUEST) as connection:
        for setting, value in (("receipt", hasher.receipt(code)), ("document", digest)):
            connection.execute(
                text("SELECT set_config('menpai.' || :setting, :value, true)"),
                {"setting": setting, "value": value.hex()},
            )
        if connection.execute(text("SELECT declaration FROM calc.own_receipt()")).scalar_one_or_none() is None:
            raise NothingOfYours
        yield connection, digest


def _own(connection: Connection) -> int | None:
    """Return the person whose record is open; None before a declaration is registered."""
    own: int | None = connection.execute(text("SELECT person FROM calc.own_receipt()")).scalar_one_or_none()
    return own
