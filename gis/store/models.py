"""What the register stands on, as tables: divisions, census figures, sources, batches, and the order of numbers."""

import datetime as dt
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
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gis.store.base import NOW, SCHEMA, Base, Moment, one_of, shape
from gis.terms import (
    BatchKind,
    DivisionLevel,
    RowDecision,
)


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
    finished_at: Mapped[dt.datetime | None] = mapped_column(Moment, server_default=NOW)
    """Empty while a roster is being imported: it comes in piece by piece, and is one act only when it is whole."""
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


class Erasure(Base):
    """注销记录: what was erased when its time was over: how much of what, and nobody's name."""

    __tablename__ = "erasures"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(Moment, server_default=NOW)
    actor: Mapped[str]
    ended_by: Mapped[dt.date]
    """Residencies that had ended by this day went."""
    persons: Mapped[int]
    residencies: Mapped[int]
    declarations: Mapped[int]
    roster_rows: Mapped[int]
    accesses: Mapped[int] = mapped_column(server_default=text("0"))
    """Sealed access records that no longer say whom they were about."""
