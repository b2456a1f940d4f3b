"""What all models share: the schema, the naming of constraints, and how a term becomes a column."""

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import CheckConstraint, MetaData, Text, func
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import UserDefinedType

from gis.terms import SRID, Term

__all__ = ["NOW", "SCHEMA", "SRID", "Base", "Moment", "Xid8", "one_of", "shape"]
SCHEMA = "reg"
NOW = func.now()
Moment = TIMESTAMP(timezone=True)

NAMING = {
    "pk": "%(table_name)s_pkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
}


class Base(DeclarativeBase):
    """The declarative base; its metadata is what the migrations must arrive at."""

    metadata = MetaData(schema=SCHEMA, naming_convention=NAMING)
    type_annotation_map: dict[Any, Any] = {str: Text()}  # noqa: RUF012 - SQLAlchemy declares it so


class Xid8(UserDefinedType[str]):
    """A transaction's number, which never comes again in one epoch."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """Return PostgreSQL's name of it."""
        return "xid8"


def one_of(column: str, terms: type[Term]) -> CheckConstraint:
    """Return the check that a text column holds one of the terms."""
    values = ", ".join(f"'{term.value}'" for term in terms)
    return CheckConstraint(f"{column} IN ({values})", name=column)


def shape(kind: str) -> Geometry:
    """Return a geometry column type in the register's CRS; its index is declared by the table."""
    return Geometry(kind, srid=SRID, spatial_index=False)
