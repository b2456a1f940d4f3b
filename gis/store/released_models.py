"""Released counts, as tables in ``pub``: the only counts that maps, tiles and exports can see."""

import datetime as dt

from geoalchemy2.elements import WKBElement
from sqlalchemy import REAL, BigInteger, CheckConstraint, ForeignKey, Index, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gis.store.base import NOW, Base, Moment, shape

PUB = "pub"
COUNTED = "category IN ('all', 'permanent', 'floating', 'other', 'undetermined')"
HIDDEN = "withheld = (n IS NULL)"


class Release(Base):
    """发布: the counts of one day, through the disclosure gate, once."""

    __tablename__ = "releases"
    release: Mapped[dt.date] = mapped_column(primary_key=True)
    recorded_at: Mapped[dt.datetime] = mapped_column(Moment, server_default=NOW)
    withheld_below: Mapped[int]
    most_noise: Mapped[int | None]
    """The most that noise changes the count of one piece: residents of a category in a 100 m square of a division."""
    __table_args__ = ({"schema": PUB},)


class DivisionCount(Base):
    """区划人数: residents of a division on the day of a release; empty where withheld."""

    __tablename__ = "division_counts"
    release: Mapped[dt.date] = mapped_column(ForeignKey(f"{PUB}.releases.release"))
    division_code: Mapped[int] = mapped_column(BigInteger)
    category: Mapped[str]
    n: Mapped[int | None]
    withheld: Mapped[bool]
    noise_sd: Mapped[float | None] = mapped_column(REAL)
    """Standard deviation of the noise in n, residents; 0 where n is exact."""
    __table_args__ = (
        PrimaryKeyConstraint("release", "division_code", "category"),
        CheckConstraint(COUNTED, name="category"),
        CheckConstraint(HIDDEN, name="withheld"),
        {"schema": PUB},
    )


class Cell(Base):
    """网格: the shape of a square, drawn once."""

    __tablename__ = "cells"
    cell: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    geometry: Mapped[WKBElement] = mapped_column(shape("POLYGON"))
    __table_args__ = (Index("cells_geometry_idx", "geometry", postgresql_using="gist"), {"schema": PUB})


class CellCount(Base):
    """网格人数: residents in a square on the day of a release; empty where withheld."""

    __tablename__ = "cell_counts"
    release: Mapped[dt.date]
    size: Mapped[int]
    cell: Mapped[str]
    category: Mapped[str]
    n: Mapped[int | None]
    withheld: Mapped[bool]
    noise_sd: Mapped[float | None] = mapped_column(REAL)
    """Standard deviation of the noise in n, residents; 0 where n is exact."""
    __table_args__ = (
        PrimaryKeyConstraint("release", "size", "category", "cell"),
        CheckConstraint(COUNTED, name="category"),
        CheckConstraint(HIDDEN, name="withheld"),
        CheckConstraint("size IN (100, 500, 1000)", name="size"),
        {"schema": PUB},
    )
