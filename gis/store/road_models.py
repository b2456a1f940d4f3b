"""Roads, as tables: what travel times are computed on. A source is replaced whole, so no row has a history."""

from geoalchemy2.elements import WKBElement
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from gis.store.base import SCHEMA, Base, one_of, shape
from gis.terms import RoadClass


class RoadWay(Base):
    """道路: one way of a source. Ways meet where they share a vertex, and nowhere else: a bridge is no junction."""

    __tablename__ = "road_ways"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.sources.id"))
    way: Mapped[str | None]
    """The source's own id."""
    road_class: Mapped[str]
    name: Mapped[str | None]
    oneway: Mapped[int] = mapped_column(SmallInteger)
    """For cars: 1 along the line only, -1 against it only, 0 both."""
    maxspeed_kmh: Mapped[float | None]
    foot: Mapped[bool]
    """Whether anybody may walk along."""
    motor: Mapped[bool]
    """Whether any car may pass along."""
    geometry: Mapped[WKBElement] = mapped_column(shape("LINESTRING"))
    __table_args__ = (
        one_of("road_class", RoadClass),
        CheckConstraint("oneway IN (-1, 0, 1)", name="oneway"),
        CheckConstraint("maxspeed_kmh > 0", name="maxspeed_kmh"),
        CheckConstraint("foot OR motor", name="open"),
        Index("road_ways_source_id_idx", "source_id", "id"),
        Index("road_ways_geometry_idx", "geometry", postgresql_using="gist"),
    )


class RoadBarrier(Base):
    """路障: a vertex of ways that cars or walkers cannot pass; those that stop nobody are not kept."""

    __tablename__ = "road_barriers"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey(f"{SCHEMA}.sources.id"), index=True)
    barrier: Mapped[str]
    foot: Mapped[bool]
    """Whether walkers pass."""
    motor: Mapped[bool]
    """Whether cars pass."""
    geometry: Mapped[WKBElement] = mapped_column(shape("POINT"))
    __table_args__ = (
        CheckConstraint("NOT (foot AND motor)", name="stops"),
        Index("road_barriers_geometry_idx", "geometry", postgresql_using="gist"),
    )
