"""What the register does with a declaration that a registrar accepts, one transaction each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from gis.errors import BadDeclaration, ResidencyNotFound, ResidencyOverlaps
from gis.residents import keys, residencies
from gis.residents.accesses import record
from gis.residents.declarations import close, hold
from gis.residents.identities import seal, unseal
from gis.residents.keys import DataKey, KeyStore
from gis.residents.residencies import Dwelling, Household, Stay
from gis.store import session
from gis.terms import CitizenshipClass, DeclarationKind, DeclarationStatus, Purpose

WHOLE: Final = ("name", "doc_type", "id_number", "birth_date", "sex", "hukou_code", "dwelling", "during")
"""What a registered arrival or correction writes of a person."""


@dataclass(frozen=True)
class Registered:
    """What became of a declaration that was registered."""

    residency: int | None
    ended_elsewhere: bool = False
    """An earlier principal residency in another division ended by it; where it was is not told (rights.md, 3)."""


@dataclass(frozen=True)
class _Case:
    """A declaration in hand."""

    connection: Connection
    store: KeyStore
    row: Row[Any]

    @property
    def household(self) -> Household:
        """What Article 3 asks, as it was declared."""
        row = self.row
        klass = CitizenshipClass(row.citizenship_class) if row.citizenship_class else None
        return Household(klass, row.hukou_code, row.hukou_as_of)

    @property
    def stay(self) -> Stay:
        """Where and when, as it was declared."""
        row = self.row
        return Stay(Dwelling(row.building_number, row.dwelling_sequence), row.start, row.until_day, row.principal)


@dataclass(frozen=True)
class _Outcome:
    """What a kind of declaration led to, and whether the person took over its sealed identity."""

    person: int
    residency: int | None
    fields: tuple[str, ...]
    elsewhere: bool = False
    took_key: bool = False


def register(declaration: int, actor: str) -> Registered:
    """Register what was declared.

    An arrival ends the declarer's earlier principal residency, wherever it is; a departure ends the residency; a
    correction puts right who the person is, the dwelling or the dates; access only confirms whose the receipt is.
    Raises DeclarationNotFound, DeclarationDecided, DwellingGone, ResidencyOverlaps, ResidencyNotFound.
    """
    with keys.open_store() as store, residencies.told_plainly():
        with session.open("registrar", actor=actor, purpose=Purpose.DECLARATION) as connection:
            row = hold(connection, declaration)
            done = _REGISTER[DeclarationKind(row.kind)](_Case(connection, store, row))
            close(connection, row, DeclarationStatus.REGISTERED, actor, person=done.person, residency=done.residency)
            record(connection, f"register {row.kind}", done.person, done.fields)
        if not done.took_key:
            store.destroy([row.key_id.bytes])
    return Registered(done.residency, done.elsewhere)


def _arrival(case: _Case) -> _Outcome:
    """Register somebody where they live, and end what they left."""
    row, connection = case.row, case.connection
    person = connection.execute(text("SELECT calc.person_declaring(:id)"), {"id": row.id}).scalar_one()
    elsewhere = False
    if person is not None and row.principal:
        earlier = connection.execute(text("SELECT * FROM calc.end_earlier(:id)"), {"id": row.id}).one()
        if earlier.later:
            raise ResidencyOverlaps(on=row.start)
        elsewhere = earlier.elsewhere > 0
    new = person is None
    if new:
        person = _new_person(connection, row.id)
    residency = residencies.write(connection, person, case.stay, case.household)
    if not new:
        _renew(case, person)
    return _Outcome(person, residency, WHOLE, elsewhere, took_key=new)


def _departure(case: _Case) -> _Outcome:
    """End a residency on the day after the last on which they lived there."""
    row = case.row
    version = _version(case)
    until = row.until_day
    if until is None or until <= version.start:
        raise BadDeclaration(why="the last day is before the residency began; correct it instead")
    stay = Stay(Dwelling(version.building_number, version.dwelling_sequence), version.start, until, version.principal)
    known = _known_household(case, version.person_id)
    residency = residencies.write(case.connection, version.person_id, stay, known, replaces=version.id)
    return _Outcome(version.person_id, residency, ("during",))


def _correction(case: _Case) -> _Outcome:
    """Put right who the person is, and where and when they live."""
    version = _version(case)
    _renew(case, version.person_id)
    residency = residencies.write(case.connection, version.person_id, case.stay, case.household, replaces=version.id)
    return _Outcome(version.person_id, residency, WHOLE)


def _access(case: _Case) -> _Outcome:
    """Confirm that the receipt belongs to whom the document names."""
    version = _version(case)
    return _Outcome(version.person_id, version.id, ())


_REGISTER: Final[dict[DeclarationKind, Callable[[_Case], _Outcome]]] = {
    DeclarationKind.ARRIVAL: _arrival,
    DeclarationKind.DEPARTURE: _departure,
    DeclarationKind.CORRECTION: _correction,
    DeclarationKind.ACCESS: _access,
}
_NEW_PERSON: Final = text("""
    INSERT INTO reg.persons (id, key_id, envelope, document_digest, citizenship_class, hukou_code, hukou_as_of)
    SELECT :person, key_id, envelope, document_digest, citizenship_class, hukou_code, hukou_as_of
    FROM reg.declarations WHERE id = :id
""")
_RENEW: Final = text("""
    UPDATE reg.persons SET envelope = :envelope, document_digest = :digest, citizenship_class = :klass,
        hukou_code = coalesce(:hukou, hukou_code), hukou_as_of = coalesce(:as_of, hukou_as_of)
    WHERE id = :person
""")


def _new_person(connection: Connection, declaration: int) -> int:
    """Make the person of a declaration, who takes over its sealed identity and its key; return their id.

    The id is drawn first: a person is seen through a residency, and this one has none yet.
    """
    person: int = connection.execute(text("SELECT nextval('reg.persons_id_seq')")).scalar_one()
    connection.execute(_NEW_PERSON, {"person": person, "id": declaration})
    return person


def _version(case: _Case) -> Row[Any]:
    """Return the version in force of the residency a declaration is about, held; raises ResidencyNotFound."""
    found = residencies.find_version(case.connection, case.row.residency_id)
    if found is None:
        raise ResidencyNotFound(where="as it stood when this was declared; take the declaration again")
    return found


def _known_household(case: _Case, person: int) -> Household:
    """Return what Article 3 asks of a person as the register has it."""
    row = case.connection.execute(
        text("SELECT citizenship_class, hukou_code, hukou_as_of FROM reg.persons WHERE id = :id"), {"id": person}
    ).one()
    klass = CitizenshipClass(row.citizenship_class) if row.citizenship_class else None
    return Household(klass, row.hukou_code, row.hukou_as_of)


def _renew(case: _Case, person: int) -> None:
    """Seal who the person is anew, as the document in hand says, under their own key."""
    row = case.row
    known = case.connection.execute(text("SELECT key_id FROM reg.persons WHERE id = :id"), {"id": person}).scalar_one()
    identity = unseal(bytes(row.envelope), row.key_id.bytes, case.store)
    own = DataKey(known.bytes, case.store.get(known.bytes))
    case.connection.execute(
        _RENEW,
        {
            "person": person,
            "envelope": seal(identity, own),
            "digest": row.document_digest,
            "klass": row.citizenship_class,
            "hukou": row.hukou_code,
            "as_of": row.hukou_as_of,
        },
    )
