"""What comes from the field, as tables: inspections, findings that wait for a registrar, numbers taken along."""

import datetime as dt
import uuid
from typing import Any

from geoalchemy2.elements import WKBElement
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
from sqlalchemy.orm import Mapped, mapped_column

from gis.store.base import NOW, SCHEMA, Base, Moment, one_of, shape
from gis.terms import (
    BuildingKind,
    DeclineReason,
    FindingKind,
    FindingStatus,
    Found,
)

Uuid = uuid.UUID  # for columns that have the name of the module


class Inspection(Base):
    """检查: somebody went to see whether a structure that stands for a time is still there."""

    __tablename__ = "inspections"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    building_number: Mapped[int] = mapped_column(BigInteger, index=True)
    found: Mapped[str]
    inspected_on: Mapped[dt.date]
    actor: Mapped[str]
    reason: Mapped[str | None]
    source_document: Mapped[str | None]
    seq: Mapped[int] = mapped_column(BigInteger)
    """The last place in the order of events by then: what came later may have answered what was found."""
    client_uuid: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True), unique=True)
    recorded_at: Mapped[dt.datetime] = mapped_column(Moment, server_default=func.clock_timestamp())
    __table_args__ = (one_of("found", Found),)


class Finding(Base):
    """外勤发现: what a field officer saw of a structure; a registrar accepts or declines it, and it stays."""

    __tablename__ = "findings"
    uuid: Mapped[Uuid] = mapped_column(UUID(as_uuid=True), primary_key=True)
    """Made by the tablet, so that sending twice is finding once."""
    kind: Mapped[str]
    building_number: Mapped[int | None] = mapped_column(BigInteger)
    """Of a new structure, the leased number that it was given in the field, if any."""
    division_code: Mapped[int] = mapped_column(BigInteger, ForeignKey(f"{SCHEMA}.divisions.code"))
    based_on_seq: Mapped[int | None] = mapped_column(BigInteger)
    """The last event the tablet knew of; empty for a new structure."""
    seen_on: Mapped[dt.date]
    proposed: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """Attributes and what they are; the shape has a column of its own."""
    touches: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """The attributes it would set."""
    geometry: Mapped[WKBElement | None] = mapped_column(shape("GEOMETRY"))
    actor: Mapped[str]
    received_at: Mapped[dt.datetime] = mapped_column(Moment, server_default=NOW)
    status: Mapped[str] = mapped_column(server_default=FindingStatus.OPEN.value)
    decided_by: Mapped[str | None]
    decided_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    decline_reason: Mapped[str | None]
    seq: Mapped[int | None] = mapped_column(BigInteger)
    """The event that came of it; empty where the register had nothing to change."""
    __table_args__ = (
        one_of("kind", FindingKind),
        one_of("status", FindingStatus),
        one_of("decline_reason", DeclineReason),
        CheckConstraint(
            "kind = 'new_structure' OR (building_number IS NOT NULL AND based_on_seq IS NOT NULL)", name="subject"
        ),
        CheckConstraint("kind NOT IN ('new_structure', 'shape_wrong') OR geometry IS NOT NULL", name="geometry"),
        CheckConstraint(
            "(status = 'open') = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)", name="decided"
        ),
        CheckConstraint("(status = 'declined') = (decline_reason IS NOT NULL)", name="declined"),
        CheckConstraint("seq IS NULL OR status = 'accepted'", name="seq"),
        Index("findings_open_idx", "received_at", "uuid", postgresql_where=text("status = 'open'")),
        Index("findings_received_at_idx", "received_at", "uuid"),
        Index("findings_building_number_idx", "building_number"),
        Index("findings_geometry_idx", "geometry", postgresql_using="gist", postgresql_where=text("status = 'open'")),
    )


class NumberLease(Base):
    """预留编号: a block of building numbers that a tablet took along, to give them out without a network."""

    __tablename__ = "number_leases"
    uuid: Mapped[Uuid] = mapped_column(UUID(as_uuid=True), primary_key=True)
    """Made by the tablet, so that asking twice is leasing once."""
    actor: Mapped[str]
    kind: Mapped[str]
    division_code: Mapped[int] = mapped_column(BigInteger, ForeignKey(f"{SCHEMA}.divisions.code"))
    many: Mapped[int] = mapped_column(SmallInteger)
    expires_on: Mapped[dt.date]
    """The last day on which its numbers can be used."""
    leased_at: Mapped[dt.datetime] = mapped_column(Moment, server_default=NOW)
    ended_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    ended_by: Mapped[str | None]
    """Who gave back what was left of it."""
    __table_args__ = (
        one_of("kind", BuildingKind),
        CheckConstraint("many BETWEEN 1 AND 500", name="many"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
        Index("number_leases_actor_idx", "actor", "leased_at"),
    )


class LeasedNumber(Base):
    """预留的编号: one number of a lease; a building either has it, or nothing ever will."""

    __tablename__ = "leased_numbers"
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    lease_uuid: Mapped[uuid.UUID] = mapped_column(
        UUID(as_uuid=True), ForeignKey(f"{SCHEMA}.number_leases.uuid"), index=True
    )
    __table_args__ = (
        CheckConstraint("number BETWEEN 100000000000 AND 999999999999 AND mod(number, 97) = 1", name="number"),
    )
