"""People, as tables: sealed persons, residencies, waiting roster rows, and the record of every access.

Only ``gis.residents`` and the migrations may import this module (import contract "people").
Name, document and birth date exist here only inside a sealed envelope.
"""

import datetime as dt
from uuid import UUID as UUID_

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, JSONB, UUID, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from gis.store.base import NOW, SCHEMA, Base, Moment, Xid8, one_of
from gis.terms import (
    Basis,
    Category,
    CitizenshipClass,
    DeclarationDeclineReason,
    DeclarationKind,
    DeclarationStatus,
    Purpose,
    ReviewDecision,
)


class Person(Base):
    """人员: the sealed record of who somebody is."""

    __tablename__ = "persons"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    key_id: Mapped[bytes] = mapped_column(UUID(as_uuid=True), unique=True)
    """The data key in the key store; destroyed, the person is erased."""
    envelope: Mapped[bytes] = mapped_column(LargeBinary)
    """Sealed: name, document type and number, birth date, sex."""
    document_digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    """Keyed hash of the exact document; empty where a roster gave none."""
    citizenship_class: Mapped[str | None]
    hukou_code: Mapped[int | None]
    """户籍地 county, six digits."""
    hukou_as_of: Mapped[dt.date | None]
    __table_args__ = (one_of("citizenship_class", CitizenshipClass),)


class Residency(Base):
    """居住登记: person, dwelling, period, category, basis; in legal and in recorded time."""

    __tablename__ = "residencies"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger)
    building_number: Mapped[int] = mapped_column(BigInteger)
    dwelling_sequence: Mapped[int]
    division_code: Mapped[int] = mapped_column(BigInteger)
    during: Mapped[Range[dt.date]] = mapped_column(DATERANGE)
    principal: Mapped[bool] = mapped_column(server_default=true())
    category: Mapped[str]
    category_reason: Mapped[str]
    basis: Mapped[str]
    batch_id: Mapped[int | None]
    source_id: Mapped[int | None]
    occupant_id: Mapped[str | None]
    """The office's own opaque code for the row of its roster."""
    row_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Keyed hash of the roster row, by which a second import knows it unchanged."""
    recorded_at: Mapped[dt.datetime] = mapped_column(Moment, server_default=NOW)
    recorded_until: Mapped[dt.datetime | None] = mapped_column(Moment)
    replaces_id: Mapped[int | None] = mapped_column(BigInteger)
    """The version that this one took the place of: it was corrected, or the residency ended."""
    record_key: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("get_byte(uuid_send(gen_random_uuid()), 0)")
    )
    """Random, and says nothing of anybody: the disclosure gate draws its noise by it (sql/65_perturbation.sql). A
    version takes its key from the one that it replaces."""
    __table_args__ = (
        one_of("category", Category),
        one_of("basis", Basis),
        CheckConstraint("NOT isempty(during) AND NOT lower_inf(during)", name="during"),
        CheckConstraint("record_key >= 0 AND record_key <= 255", name="record_key"),
        ExcludeConstraint(
            ("person_id", "="),
            ("during", "&&"),
            using="gist",
            where=text("principal AND recorded_until IS NULL"),
            name="residencies_one_principal_excl",
        ),
        Index("residencies_person_idx", "person_id"),
        Index("residencies_replaces_key", "replaces_id", unique=True, postgresql_where=text("replaces_id IS NOT NULL")),
        Index("residencies_dwelling_idx", "building_number", "dwelling_sequence"),
        Index(
            "residencies_occupant_key",
            "source_id",
            "occupant_id",
            unique=True,
            postgresql_where=text("occupant_id IS NOT NULL AND recorded_until IS NULL"),
        ),
    )


class Declaration(Base):
    """申报: what a resident says at a desk; a registrar registers it, asks for more, or declines it (Article 7)."""

    __tablename__ = "declarations"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    uuid: Mapped[UUID_] = mapped_column(UUID(as_uuid=True), unique=True)
    """Made by the desk: sent twice, it is taken once."""
    receipt_digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    """Keyed hash of the code on the receipt; by it and the document the resident finds their own record."""
    kind: Mapped[str]
    document_digest: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    person_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    """Whose record it became part of."""
    key_id: Mapped[bytes | None] = mapped_column(UUID(as_uuid=True))
    envelope: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed: who declares, until the declaration is decided; then the person has it, or nobody."""
    citizenship_class: Mapped[str | None]
    hukou_code: Mapped[int | None]
    hukou_as_of: Mapped[dt.date | None]
    building_number: Mapped[int | None] = mapped_column(BigInteger)
    dwelling_sequence: Mapped[int | None]
    division_code: Mapped[int] = mapped_column(BigInteger)
    """Whose registrars decide."""
    during: Mapped[Range[dt.date] | None] = mapped_column(DATERANGE)
    principal: Mapped[bool] = mapped_column(server_default=true())
    residency_id: Mapped[int | None] = mapped_column(BigInteger)
    """The residency it ends, corrects, or made."""
    status: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    more_needed: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    decline_reason: Mapped[str | None]
    taken_by: Mapped[str]
    taken_at: Mapped[dt.datetime] = mapped_column(Moment, server_default=NOW)
    decide_by: Mapped[dt.date]
    decided_by: Mapped[str | None]
    decided_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    expires_on: Mapped[dt.date]
    """When it goes if nobody decides, or some time after it was decided."""
    __table_args__ = (
        one_of("kind", DeclarationKind),
        one_of("citizenship_class", CitizenshipClass),
        one_of("status", DeclarationStatus),
        one_of("decline_reason", DeclarationDeclineReason),
        CheckConstraint("more_needed <@ ARRAY['document', 'dwelling', 'dates', 'hukou']", name="more_needed"),
        CheckConstraint("kind <> 'arrival' OR building_number IS NOT NULL AND during IS NOT NULL", name="arrival"),
        CheckConstraint("(building_number IS NULL) = (dwelling_sequence IS NULL)", name="dwelling"),
        CheckConstraint(
            "(status IN ('waiting', 'more_asked')) = (decided_at IS NULL)"
            " AND (decided_at IS NULL) = (decided_by IS NULL)",
            name="decided",
        ),
        CheckConstraint("(status = 'declined') = (decline_reason IS NOT NULL)", name="declined"),
        CheckConstraint("(status = 'more_asked') = (more_needed <> '{}')", name="more_asked"),
        CheckConstraint("(key_id IS NULL) = (envelope IS NULL)", name="envelope"),
        Index(
            "declarations_waiting_idx",
            "division_code",
            postgresql_where=text("status IN ('waiting', 'more_asked')"),
        ),
    )


class RosterRow(Base):
    """名册待核行: a roster row that waits for a person or was refused; sealed, and gone when it expires."""

    __tablename__ = "roster_rows"
    batch_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.batches.id"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    occupant_id: Mapped[str | None]
    address: Mapped[str | None]
    outcome: Mapped[str]
    reason: Mapped[str]
    detail: Mapped[str | None]
    candidates: Mapped[list[int] | None] = mapped_column(JSONB)
    division_code: Mapped[int | None] = mapped_column(BigInteger)
    """Where the address is thought to be: whose registrar reviews the row."""
    key_id: Mapped[bytes | None] = mapped_column(UUID(as_uuid=True))
    envelope: Mapped[bytes | None] = mapped_column(LargeBinary)
    document_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    citizenship_class: Mapped[str | None]
    hukou_code: Mapped[int | None]
    hukou_as_of: Mapped[dt.date | None]
    during: Mapped[Range[dt.date] | None] = mapped_column(DATERANGE)
    basis: Mapped[str | None]
    expires_on: Mapped[dt.date]
    row_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Keyed hash of the row, which its residency takes over."""
    __table_args__ = (
        CheckConstraint("outcome IN ('queued', 'refused')", name="outcome"),
        one_of("citizenship_class", CitizenshipClass),
        one_of("basis", Basis),
    )


class ResidencyReview(Base):
    """居住登记复核: a residency whose building was split, merged or taken down: its registrar decides, nobody else."""

    __tablename__ = "residency_reviews"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    residency_id: Mapped[int] = mapped_column(BigInteger)
    building_number: Mapped[int] = mapped_column(BigInteger)
    division_code: Mapped[int] = mapped_column(BigInteger)
    seq: Mapped[int] = mapped_column(BigInteger)
    """The building event that asks for it."""
    opened_at: Mapped[dt.datetime] = mapped_column(Moment, server_default=NOW)
    decided_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    decision: Mapped[str | None]
    __table_args__ = (
        one_of("decision", ReviewDecision),
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided_at"),
        UniqueConstraint("residency_id", "seq"),
        Index("residency_reviews_open_idx", "division_code", postgresql_where=text("decided_at IS NULL")),
    )


class AccessRecord(Base):
    """访问记录: who opened which person's record, when, why, and which fields; append-only."""

    __tablename__ = "access_records"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(Moment, server_default=NOW)
    actor: Mapped[str]
    purpose: Mapped[str]
    act: Mapped[str]
    """What was done: open, register, import …"""
    person_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    batch_id: Mapped[int | None]
    fields: Mapped[list[str]] = mapped_column(ARRAY(Text))
    xid: Mapped[str] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))
    """The transaction that wrote it; the log is sealed in their order."""
    epoch: Mapped[int] = mapped_column(BigInteger, server_default=text("(pg_control_system()).system_identifier"))
    """The server that counted the transaction: another one's number says nothing here."""
    __table_args__ = (one_of("purpose", Purpose), Index("access_records_xid_idx", "xid"))
