"""Structures, as tables: premises, buildings with their versions and kin, dwellings, addresses, codes, events.

Two choices run through them. A division is a bigint of twelve digits, so that "inside the county"
is a range and an index serves it. And the four tables a bulk import fills carry no row-wise foreign
keys: nothing in them is ever deleted or renumbered, so a reference needs checking only where it
comes in, and ``sql/10_integrity.sql`` does that with one join per statement. Row-wise checks made the
import of 200,000 buildings 2.2 times slower.
"""

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
    PrimaryKeyConstraint,
    SmallInteger,
    false,
    func,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, JSONB, UUID, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from gis.store.base import SCHEMA, Base, Moment, one_of, shape
from gis.terms import (
    BuildingKind,
    BuildingStatus,
    DwellingStatus,
    PremisesKind,
    PremisesVerb,
    Verb,
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
