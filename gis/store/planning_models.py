"""What planners work with, as tables: facilities that stand, and plans with everything they were made from."""

import datetime as dt
import uuid
from typing import Any

from geoalchemy2.elements import WKBElement
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.orm import Mapped, mapped_column

from gis.store.base import NOW, SCHEMA, Base, Moment, one_of, shape
from gis.terms import PlanStatus


class Facility(Base):
    """设施: a service station, a police post, a clinic: what stands already and where."""

    __tablename__ = "facilities"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    source: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    """A code of data/reference/facility_kinds.csv: kinds are data."""
    name: Mapped[str]
    address: Mapped[str | None]
    capacity: Mapped[float | None]
    """People it can serve, where that is known."""
    geometry: Mapped[WKBElement] = mapped_column(shape("POINT"))
    __table_args__ = (
        CheckConstraint("capacity > 0", name="capacity"),
        Index("facilities_kind_idx", "kind"),
        Index("facilities_geometry_idx", "geometry", postgresql_using="gist"),
    )


class Plan(Base):
    """选址方案: what was asked, on which data, and the answer as it may be shown; a row is its own job."""

    __tablename__ = "plans"
    id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True)
    actor: Mapped[str]
    kind: Mapped[str]
    division_code: Mapped[int | None] = mapped_column(BigInteger, ForeignKey(f"{SCHEMA}.divisions.code"))
    """None is the whole region."""
    question: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """Every parameter."""
    data_version: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(server_default=text("'asked'"))
    asked_at: Mapped[dt.datetime] = mapped_column(Moment, server_default=NOW)
    heard_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    """When the worker last said that it is at it; one that falls silent has died, and another takes over."""
    ended_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    progress: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """How far the bound and the plan are apart, in percent, and seconds."""
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    """What ``gis.planning.plans.publishing`` lets out, and nothing else."""
    refusal: Mapped[str | None]
    """The sentence that says why there is no plan."""
    __table_args__ = (
        one_of("status", PlanStatus),
        CheckConstraint("(status = 'made') = (answer IS NOT NULL)", name="made"),
        CheckConstraint("(status = 'refused') = (refusal IS NOT NULL)", name="refused"),
        CheckConstraint("(status IN ('made', 'refused', 'called_off')) = (ended_at IS NOT NULL)", name="ended"),
        Index("plans_open_idx", "asked_at", postgresql_where=text("ended_at IS NULL")),
        Index("plans_actor_idx", "actor", "asked_at"),
    )
