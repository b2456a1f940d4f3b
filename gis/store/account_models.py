"""Accounts, as tables: who may sign in, as what, where and until when, and what became of it."""

import datetime as dt

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from gis.store.base import NOW, SCHEMA, Base, Moment, one_of
from gis.terms import AccountAct, Role

ACCOUNT = f"{SCHEMA}.accounts.id"
STANDING = "confirmed_at IS NOT NULL AND ended_at IS NULL"


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
    account_id: Mapped[int] = mapped_column(ForeignKey(ACCOUNT), index=True)
    role: Mapped[str]
    division_code: Mapped[int] = mapped_column(BigInteger, ForeignKey(f"{SCHEMA}.divisions.code"))
    valid_from: Mapped[dt.date] = mapped_column(server_default=func.current_date())
    valid_until: Mapped[dt.date | None]
    __table_args__ = (one_of("role", Role),)


class AccountToken(Base):
    """令牌: a session of a program or a page, a token for programs, or a one-time link; only its SHA-256 is kept."""

    __tablename__ = "account_tokens"
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    """What a list of sessions calls it; it opens nothing."""
    account_id: Mapped[int] = mapped_column(ForeignKey(ACCOUNT), index=True)
    use: Mapped[str]
    expires_at: Mapped[dt.datetime] = mapped_column(Moment)
    used_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    created_at: Mapped[dt.datetime] = mapped_column(Moment, server_default=NOW)
    active_at: Mapped[dt.datetime] = mapped_column(Moment, server_default=NOW)
    """When it was used last, to five minutes."""
    opened_by: Mapped[str] = mapped_column(server_default=text("'password'"))
    proven_at: Mapped[dt.datetime] = mapped_column(Moment, server_default=NOW)
    """When its holder last proved who they are."""
    second_factor_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    """When its holder showed a second factor; without one it carries no right that needs one."""
    scope: Mapped[list[str] | None] = mapped_column(ARRAY(Text()))
    """The roles it is narrowed to; None is every role of the account."""
    __table_args__ = (
        CheckConstraint("use IN ('bearer', 'page', 'program', 'first_start')", name="use"),
        CheckConstraint("opened_by IN ('password', 'link', 'provider', 'minted')", name="opened_by"),
    )


class AccountFactor(Base):
    """第二因素: a secret for one-time codes (RFC 6238), sealed under the master key."""

    __tablename__ = "account_factors"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(ACCOUNT))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    begun_at: Mapped[dt.datetime] = mapped_column(Moment, server_default=NOW)
    confirmed_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    ended_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    last_step: Mapped[int | None] = mapped_column(BigInteger)
    """The time step of the last code taken: none is taken twice, nor one before it."""
    __table_args__ = (Index("account_factors_one_key", "account_id", unique=True, postgresql_where=text(STANDING)),)


class RecoveryCode(Base):
    """恢复码: stands in for a second factor once; 120 random bits, of which only the SHA-256 is kept."""

    __tablename__ = "account_recovery_codes"
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(ACCOUNT), index=True)
    made_at: Mapped[dt.datetime] = mapped_column(Moment, server_default=NOW)
    used_at: Mapped[dt.datetime | None] = mapped_column(Moment)


class AccountIdentity(Base):
    """外部身份: how an OpenID provider names somebody who has an account here."""

    __tablename__ = "account_identities"
    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(ACCOUNT), index=True)
    issuer: Mapped[str]
    subject: Mapped[str]
    linked_at: Mapped[dt.datetime] = mapped_column(Moment, server_default=NOW)
    __table_args__ = (UniqueConstraint("issuer", "subject"),)


class ProviderRequest(Base):
    """A sign-in that is under way at an OpenID provider, found again by the SHA-256 of its state, once."""

    __tablename__ = "account_provider_requests"
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    nonce: Mapped[str]
    verifier: Mapped[str]
    expires_at: Mapped[dt.datetime] = mapped_column(Moment)


class SignInCount(Base):
    """失败次数: how often an account, a source, or the two together failed lately, by a hash."""

    __tablename__ = "account_attempts"
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    failed_at: Mapped[dt.datetime] = mapped_column(Moment, server_default=NOW, index=True)
    succeeded_at: Mapped[dt.datetime | None] = mapped_column(Moment)


class AccountEvent(Base):
    """账户事件: what was done to an account, by whom; kept for good."""

    __tablename__ = "account_events"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(Moment, server_default=func.clock_timestamp())
    actor: Mapped[str]
    """An account, or ``host:`` and who ran the command line."""
    act: Mapped[str]
    account_id: Mapped[int] = mapped_column(ForeignKey(ACCOUNT), index=True)
    role: Mapped[str | None]
    division_code: Mapped[int | None] = mapped_column(BigInteger)
    valid_until: Mapped[dt.date | None]
    __table_args__ = (one_of("act", AccountAct),)
