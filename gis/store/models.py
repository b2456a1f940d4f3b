"""Structures, as tables: divisions, premises, buildings, dwellings, addresses, batches, accounts.

Two choices run through them. A division is a bigint of twelve digits, so that "inside the county"
is a range and an index serves it. And the four tables a bulk import fills carry no row-wise foreign
keys: nothing in them is ever deleted or renumbered, so a reference needs checking only where it
comes in, and ``sql/integrity.sql`` does that with one join per statement. Row-wise checks made the
import of 200,000 buildings 2.2 times slower.
"""

import datetime as dt
import uuid
from typing import Any

from geoalchemy2 import Geometry
from geoalchemy2.elements import WKBElement
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    false,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, JSONB, TIMESTAMP, UUID, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from gis.store.base import SCHEMA, SRID, Base, one_of
from gis.terms import (
    BatchKind,
    BuildingKind,
    BuildingStatus,
    DeclineReason,
    DivisionLevel,
    DwellingStatus,
    FindingKind,
    FindingStatus,
    Found,
    PremisesKind,
    PremisesVerb,
    Role,
    RowDecision,
    Verb,
)

NOW = func.now()
Moment = TIMESTAMP(timezone=True)
Uuid = uuid.UUID  # for columns that have the name of the module


def shape(kind: str) -> Geometry:
    """Return a geometry column type in the register's CRS; its index is declared by the table."""
    return Geometry(kind, srid=SRID, spatial_index=False)


class Division(Base):
    """行政区划: one administrative division in force, or the last holder of a code."""

    __tablename__ = "divisions"
    code: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str]
    level: Mapped[str]
    parent_code: Mapped[int | None] = mapped_column(BigInteger, ForeignKey(f"{SCHEMA}.divisions.code"), index=True)
    valid_from: Mapped[dt.date | None]
    valid_to: Mapped[dt.date | None]
    source: Mapped[str]
    boundary: Mapped[WKBElement | None] = mapped_column(shape("MULTIPOLYGON"))
    boundary_source: Mapped[str | None]
    __table_args__ = (
        one_of("level", DivisionLevel),
        CheckConstraint("code BETWEEN 100000000000 AND 999999999999", name="code"),
        Index("divisions_boundary_idx", "boundary", postgresql_using="gist"),
    )


class DivisionChange(Base):
    """区划变更: a dated change of a county-level code, by which old hukou codes are read."""

    __tablename__ = "division_changes"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    year: Mapped[int] = mapped_column(SmallInteger)
    change: Mapped[str]
    old_code: Mapped[int | None] = mapped_column(BigInteger, index=True)
    old_name: Mapped[str | None]
    new_code: Mapped[int | None] = mapped_column(BigInteger)
    new_name: Mapped[str | None]
    source: Mapped[str]


class CensusFigure(Base):
    """人口普查数: residents of a division in a census, as officially published."""

    __tablename__ = "census_figures"
    division_code: Mapped[int] = mapped_column(BigInteger, ForeignKey(f"{SCHEMA}.divisions.code"))
    year: Mapped[int] = mapped_column(SmallInteger)
    residents: Mapped[int]
    precision: Mapped[str]
    source: Mapped[str]
    __table_args__ = (PrimaryKeyConstraint("division_code", "year"),)


class Source(Base):
    """来源: where rows come from; a row's own code is unique within it."""

    __tablename__ = "sources"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class Batch(Base):
    """导入批次: one import run; its counts add up to the rows of the file."""

    __tablename__ = "batches"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str]
    source_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.sources.id"), index=True)
    file_name: Mapped[str]
    actor: Mapped[str]
    options: Mapped[dict[str, Any]] = mapped_column(JSONB)
    recorded_at: Mapped[dt.datetime] = mapped_column(Moment, server_default=NOW)
    registered: Mapped[int]
    unchanged: Mapped[int]
    queued: Mapped[int]
    refused: Mapped[int]
    __table_args__ = (one_of("kind", BatchKind),)


class BatchRow(Base):
    """未登记的行: a row of a structures file that was queued or refused, whole, with its reason."""

    __tablename__ = "batch_rows"
    batch_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.batches.id"))
    row: Mapped[int]
    source_code: Mapped[str | None]
    outcome: Mapped[str]
    reason: Mapped[str]
    detail: Mapped[str | None]
    building_number: Mapped[int | None] = mapped_column(BigInteger)
    """The registered building that stands against the row, where one does."""
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """The row's attributes, and its shape as WKT if PostGIS cannot hold it."""
    geometry: Mapped[WKBElement | None] = mapped_column(shape("GEOMETRY"))
    fingerprint: Mapped[int | None] = mapped_column(BigInteger)
    """What the row says, by which it is known when it comes again."""
    division_code: Mapped[int | None] = mapped_column(BigInteger)
    """Where a queued row would be registered: its registrars decide about it."""
    decision: Mapped[str | None]
    decided_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    decided_by: Mapped[str | None]
    event_seq: Mapped[int | None] = mapped_column(BigInteger)
    """The event by which the decision was carried out; none where the row was refused."""
    __table_args__ = (
        PrimaryKeyConstraint("batch_id", "row"),
        CheckConstraint("outcome IN ('queued', 'refused')", name="outcome"),
        one_of("decision", RowDecision),
        CheckConstraint(
            "(decision IS NULL) = (decided_at IS NULL) AND (decision IS NULL) = (decided_by IS NULL)", name="decided"
        ),
        CheckConstraint("decision IS NULL OR outcome = 'queued'", name="decidable"),
        CheckConstraint("event_seq IS NULL OR decision IN ('same', 'another', 'correct', 'change')", name="event_seq"),
        Index("batch_rows_queued_idx", "batch_id", postgresql_where=text("outcome = 'queued'")),
        Index(
            "batch_rows_waiting_idx",
            "division_code",
            postgresql_where=text("outcome = 'queued' AND decided_at IS NULL"),
        ),
    )


class Premises(Base):
    """院落、小区、工地: the site that encloses buildings, as it is today.

    Whoever houses people answers for their safety (Article 34): what the site offers them is kept with it. All of
    it is about the site; who lives there stands elsewhere.
    """

    __tablename__ = "premises"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    division_code: Mapped[int] = mapped_column(BigInteger, ForeignKey(f"{SCHEMA}.divisions.code"))
    responsible_organisation: Mapped[str | None]
    permit: Mapped[str | None]
    permit_until: Mapped[dt.date | None]
    """The permit's last day."""
    capacity_persons: Mapped[int | None]
    """How many people it may house; how many it does is no business of this table."""
    water: Mapped[bool | None]
    """Whether there is drinking water."""
    toilets: Mapped[int | None]
    exits: Mapped[int | None]
    fire_extinguishers: Mapped[int | None]
    safety_checked_on: Mapped[dt.date | None]
    safety_checked_by: Mapped[str | None]
    """The body that made the last safety check."""
    closed_on: Mapped[dt.date | None]
    __table_args__ = (
        one_of("kind", PremisesKind),
        CheckConstraint("least(capacity_persons, toilets, exits, fire_extinguishers) >= 0", name="facts"),
        CheckConstraint("(safety_checked_on IS NULL) = (safety_checked_by IS NULL)", name="safety_checked_by"),
        Index("premises_open_key", "division_code", "name", unique=True, postgresql_where=text("closed_on IS NULL")),
    )


class PremisesEvent(Base):
    """院落、小区、工地事件: what happened to premises, with what they were before."""

    __tablename__ = "premises_events"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    premises_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.premises.id"), index=True)
    verb: Mapped[str]
    actor: Mapped[str]
    batch_id: Mapped[int | None]
    """The import that made them known."""
    client_uuid: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True), unique=True)
    reason: Mapped[str | None]
    source_document: Mapped[str | None]
    happened_on: Mapped[dt.date | None]
    recorded_at: Mapped[dt.datetime] = mapped_column(Moment, server_default=func.clock_timestamp())
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """The whole row of ``premises`` before; what came of it is in the next event, or there now."""
    __table_args__ = (
        one_of("verb", PremisesVerb),
        CheckConstraint("(verb = 'register') = (before IS NULL)", name="before"),
        CheckConstraint("verb NOT IN ('renew', 'check') OR source_document IS NOT NULL", name="source_document"),
    )


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


class NumberSerial(Base):
    """编号序列: the next serial of building numbers and the next place in the order of events.

    One row, so that a rolled back import wastes neither: events are numbered without gaps, in the order in which
    they become visible, and a follower who has read up to one of them has missed nothing.
    """

    __tablename__ = "number_serials"
    only: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    next_serial: Mapped[int] = mapped_column(BigInteger)
    next_seq: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    __table_args__ = (CheckConstraint('"only"', name="only"),)


class _Structure:
    """What is known of a structure, of one today as of one in an earlier version."""

    kind: Mapped[str]
    kind_assumed: Mapped[bool] = mapped_column(server_default=false())
    status: Mapped[str]
    division_code: Mapped[int] = mapped_column(BigInteger)
    place_assumed: Mapped[bool] = mapped_column(server_default=false())
    premises_id: Mapped[int | None]
    entrances: Mapped[int | None] = mapped_column(SmallInteger)
    floors: Mapped[int | None] = mapped_column(SmallInteger)
    rooms_per_floor: Mapped[int | None] = mapped_column(SmallInteger)
    expires_on: Mapped[dt.date | None]
    """工棚到期日: due for inspection from this day; the shed is not deleted."""
    geometry: Mapped[WKBElement] = mapped_column(shape("GEOMETRY"))


class Building(_Structure, Base):
    """建筑物: a residential structure with a permanent number."""

    __tablename__ = "buildings"
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    east_100m: Mapped[int]
    north_100m: Mapped[int]
    """The 100 m square of the equal-area grid (contract.md, Cells); coarser squares by division."""
    h3_10: Mapped[int] = mapped_column(BigInteger)
    """The H3 cell of resolution 10; coarser cells are its parents."""
    batch_id: Mapped[int | None]
    """The import that registered it; empty where a desk did."""
    registered_seq: Mapped[int] = mapped_column(BigInteger)
    """Its place in the order of events: the event that registered it, or one of those a batch took for its rows."""
    __table_args__ = (
        one_of("kind", BuildingKind),
        one_of("status", BuildingStatus),
        CheckConstraint("number BETWEEN 100000000000 AND 999999999999 AND mod(number, 97) = 1", name="number"),
        CheckConstraint(
            "kind <> 'work_shed' OR (premises_id IS NOT NULL AND expires_on IS NOT NULL)", name="work_shed"
        ),
        Index("buildings_geometry_idx", "geometry", postgresql_using="gist"),
        Index("buildings_batch_seq_idx", "registered_seq", postgresql_where=text("batch_id IS NOT NULL")),
        Index(
            "buildings_temporary_idx",
            "premises_id",
            "expires_on",
            postgresql_where=text("status = 'active' AND expires_on IS NOT NULL"),
        ),
    )


class BuildingVersion(_Structure, Base):
    """建筑物版本: what was known of a building for a time, in the world and in the register.

    Whole, with its addresses and dwellings, so that one row answers what stood there. A building has rows here
    from the first event after its registration; until then ``buildings`` says it all.
    """

    __tablename__ = "building_versions"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    building_number: Mapped[int] = mapped_column(BigInteger)
    during: Mapped[Range[dt.date]] = mapped_column(DATERANGE)
    """When it was so in the world; open to the left where nobody said since when."""
    opened_seq: Mapped[int] = mapped_column(BigInteger)
    closed_seq: Mapped[int | None] = mapped_column(BigInteger)
    """The events from which and until which the register said so."""
    addresses: Mapped[list[Any]] = mapped_column(JSONB)
    """The active addresses: [[standard address, is it the main one], …]."""
    dwellings: Mapped[list[Any]] = mapped_column(JSONB)
    """[[sequence, entrance, floor, room, status], …]."""
    __table_args__ = (
        one_of("kind", BuildingKind),
        one_of("status", BuildingStatus),
        CheckConstraint("NOT isempty(during)", name="during"),
        CheckConstraint("closed_seq > opened_seq", name="closed_seq"),
        ExcludeConstraint(
            ("building_number", "="),
            ("during", "&&"),
            using="gist",
            where=text("closed_seq IS NULL"),
            name="building_versions_one_at_a_time_excl",
        ),
        Index("building_versions_building_number_idx", "building_number", "opened_seq"),
        Index("building_versions_opened_seq_idx", "opened_seq"),
        Index("building_versions_closed_seq_idx", "closed_seq"),
    )


class BuildingLineage(Base):
    """建筑物沿革: which building came of which, and by which event."""

    __tablename__ = "building_lineage"
    parent_number: Mapped[int] = mapped_column(BigInteger)
    child_number: Mapped[int] = mapped_column(BigInteger, index=True)
    seq: Mapped[int] = mapped_column(BigInteger, index=True)
    __table_args__ = (
        PrimaryKeyConstraint("parent_number", "child_number"),
        CheckConstraint("parent_number <> child_number", name="another"),
    )


class Dwelling(Base):
    """户、室: what people live in inside a building."""

    __tablename__ = "dwellings"
    building_number: Mapped[int] = mapped_column(BigInteger)
    sequence: Mapped[int]
    entrance: Mapped[int | None] = mapped_column(SmallInteger)
    floor: Mapped[int | None] = mapped_column(SmallInteger)
    room: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default=DwellingStatus.EXISTS.value)
    __table_args__ = (PrimaryKeyConstraint("building_number", "sequence"), one_of("status", DwellingStatus))


class Address(Base):
    """标准地址: an attribute of a building with its own life, never an identity."""

    __tablename__ = "addresses"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    building_number: Mapped[int] = mapped_column(BigInteger)
    standard_address: Mapped[str]
    normalised: Mapped[str]
    """The address as ``gis.addresses.normalise`` writes it: what exact matching compares."""
    valid_from: Mapped[dt.date | None]
    valid_to: Mapped[dt.date | None]
    main: Mapped[bool] = mapped_column(server_default=true())
    """The one shown where one is shown; a building may have several."""
    withdrawn: Mapped[bool] = mapped_column(server_default=false())
    """It never was its address: a correction or a reverted event took it back."""
    __table_args__ = (
        Index("addresses_main_key", "building_number", unique=True, postgresql_where=text("main AND valid_to IS NULL")),
        Index("addresses_others_idx", "building_number", postgresql_where=text("NOT main OR valid_to IS NOT NULL")),
        Index("addresses_active_key", "normalised", unique=True, postgresql_where=text("valid_to IS NULL")),
    )


class ExternalReference(Base):
    """外部编码: another body's code for a building, and the row it came in by."""

    __tablename__ = "external_references"
    source_id: Mapped[int]
    code: Mapped[str]
    building_number: Mapped[int] = mapped_column(BigInteger)
    fingerprint: Mapped[int | None] = mapped_column(BigInteger)
    """64-bit hash of the source's row, by which a second import knows it unchanged; empty where a desk wrote it."""
    batch_id: Mapped[int | None]
    row: Mapped[int | None]
    seq: Mapped[int] = mapped_column(BigInteger, index=True)
    """The event that brought it. Codes of a building are found by the events that touched it: these go up, so
    that a load appends to the index, where building numbers would land all over it."""
    __table_args__ = (PrimaryKeyConstraint("source_id", "code"),)


class BuildingEvent(Base):
    """建筑物事件: what happened to buildings, in the order in which it became known.

    One act, one event, however many buildings it touches. A batch registers its buildings by one event,
    which names the batch, as they do themselves; ``calc.building_history`` puts the two together.
    """

    __tablename__ = "building_events"
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    building_numbers: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    """Those it touched, and those it made."""
    verb: Mapped[str]
    actor: Mapped[str]
    batch_id: Mapped[int | None]
    reverts_seq: Mapped[int | None] = mapped_column(BigInteger, unique=True)
    """The event that this one takes back."""
    client_uuid: Mapped[uuid.UUID | None] = mapped_column(UUID(as_uuid=True), unique=True)
    """Made by who asked, so that asking twice is acting once."""
    reason: Mapped[str | None]
    source_document: Mapped[str | None]
    happened_on: Mapped[dt.date | None]
    recorded_at: Mapped[dt.datetime] = mapped_column(Moment, server_default=func.clock_timestamp())
    __table_args__ = (
        one_of("verb", Verb),
        CheckConstraint("(building_numbers IS NULL) <> (batch_id IS NULL)", name="subject"),
        CheckConstraint("(verb = 'revert') = (reverts_seq IS NOT NULL)", name="reverts_seq"),
        Index("building_events_batch_key", "batch_id", unique=True),
        Index("building_events_building_numbers_idx", "building_numbers", postgresql_using="gin"),
        Index("building_events_recorded_at_idx", "recorded_at"),
    )


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


class Account(Base):
    """账户: somebody who may sign in."""

    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    """argon2id; empty until the first-start link has been used."""
    created_at: Mapped[dt.datetime] = mapped_column(Moment, server_default=NOW)
    disabled_at: Mapped[dt.datetime | None] = mapped_column(Moment)


class AccountGrant(Base):
    """授权: a role, in a division, for a time."""

    __tablename__ = "account_grants"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.accounts.id"), index=True)
    role: Mapped[str]
    division_code: Mapped[int] = mapped_column(BigInteger, ForeignKey(f"{SCHEMA}.divisions.code"))
    valid_from: Mapped[dt.date] = mapped_column(server_default=func.current_date())
    valid_until: Mapped[dt.date | None]
    __table_args__ = (one_of("role", Role),)


class AccountToken(Base):
    """令牌: a bearer or a one-time first-start link; only its SHA-256 is kept."""

    __tablename__ = "account_tokens"
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.accounts.id"), index=True)
    use: Mapped[str]
    expires_at: Mapped[dt.datetime] = mapped_column(Moment)
    used_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    __table_args__ = (CheckConstraint("use IN ('bearer', 'first_start')", name="use"),)
