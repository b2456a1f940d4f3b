"""Accounts, as tables: who may sign in, as what, where and until when."""

import datetime as dt

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    LargeBinary,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from gis.store.base import NOW, SCHEMA, Base, Moment, one_of
from gis.terms import (
    Role,
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
