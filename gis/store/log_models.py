"""The seal of the access log, as tables: leaves in a chain, the salts that hide persons in them, and signed heads."""

import datetime as dt

from sqlalchemy import BigInteger, Identity, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from gis.store.base import Base, Moment, Xid8


class AccessLeaf(Base):
    """日志叶: one access record in the chain, at its place; append-only."""

    __tablename__ = "access_leaves"
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """Counted from 1, without gaps."""
    record_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    person_leaf: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Salted hash of whom the record names; stays when that is erased. None where it named nobody."""
    leaf: Mapped[bytes] = mapped_column(LargeBinary)
    running: Mapped[bytes] = mapped_column(LargeBinary)
    """Hash of the running hash before and this leaf."""


class AccessSalt(Base):
    """盐: what hides the person in a leaf; erased with them."""

    __tablename__ = "access_salts"
    record_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    salt: Mapped[bytes] = mapped_column(LargeBinary)


class AccessHead(Base):
    """链头: how far the log was sealed at a moment, signed; append-only."""

    __tablename__ = "access_heads"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[dt.datetime] = mapped_column(Moment)
    waiting: Mapped[int] = mapped_column(BigInteger)
    """Records that were there but not sealed, because a transaction begun before them was still under way."""
    erased: Mapped[int] = mapped_column(BigInteger)
    """Leaves whose person was erased."""
    epoch: Mapped[int] = mapped_column(BigInteger)
    """The server's system identifier: transactions are counted from it."""
    bound: Mapped[str] = mapped_column(Xid8)
    """Every transaction of the epoch before this one was over, and what it recorded is sealed."""
    key: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
