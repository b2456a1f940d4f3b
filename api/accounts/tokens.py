"""Tokens: 256 random bits each, of which the database keeps the SHA-256; sessions are tokens that can be listed."""

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy import Connection, text

from gis.errors import NoSuchSession
from gis.store import session

BEARER_LASTS = dt.timedelta(hours=12)
LINK_LASTS = dt.timedelta(hours=24)
KEPT_AFTER_EXPIRY = dt.timedelta(days=30)

Use = Literal["bearer", "page", "program", "first_start"]
"""A program's session by password, a page's in its cookie, a token minted for a program, a one-time link."""
OpenedBy = Literal["password", "link", "provider", "minted"]


@dataclass(frozen=True)
class Bearer:
    """A token just issued; it is shown once and only its hash is kept."""

    token: str = field(repr=False)
    lasts: dt.timedelta = BEARER_LASTS
    lacking: bool = False
    """Whether a second factor is still to be set up or shown before all of the account's roles count."""


@dataclass(frozen=True)
class Opening:
    """How a session is opened."""

    use: Use = "bearer"
    opened_by: OpenedBy = "password"
    strong: bool = False
    scope: tuple[str, ...] | None = None
    lasts: dt.timedelta = BEARER_LASTS


@dataclass(frozen=True)
class SessionRow:
    """A session as a list shows it."""

    id: int
    use: str
    opened_by: str
    created_at: dt.datetime
    active_at: dt.datetime
    expires_at: dt.datetime
    second_factor: bool
    scope: list[str] | None


def issue(connection: Connection, account: int, how: Opening) -> Bearer:
    """Make a token, keep its hash, and clear away what expired long ago."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        text("DELETE FROM reg.account_tokens WHERE expires_at < now() - CAST(:kept AS interval)"),
        {"kept": KEPT_AFTER_EXPIRY},
    )
    connection.execute(
        text(
            "INSERT INTO reg.account_tokens (digest, account_id, use, expires_at, opened_by, second_factor_at, scope)"
            " VALUES (:digest, :account, :use, now() + CAST(:lasts AS interval), :opened_by,"
            " CASE WHEN :strong THEN now() END, CAST(:scope AS text[]))"
        ),
        {
            "digest": digest_of(token),
            "account": account,
            "use": how.use,
            "lasts": how.lasts,
            "opened_by": how.opened_by,
            "strong": how.strong,
            "scope": None if how.scope is None else list(how.scope),
        },
    )
    if how.use == "first_start":
        return Bearer(token, how.lasts)
    lacking = connection.execute(
        text("SELECT lacking FROM calc.bearer_of(:digest)"), {"digest": digest_of(token)}
    ).scalar_one()
    return Bearer(token, how.lasts, lacking)


def revoke(connection: Connection, account: int, *, use: Use | None = None, but: int | None = None) -> int:
    """End an account's tokens, those of one use, or all but one session; return how many that were."""
    return connection.execute(
        text(
            "UPDATE reg.account_tokens SET revoked_at = now() WHERE account_id = :account AND revoked_at IS NULL"
            " AND used_at IS NULL AND expires_at > now() AND (CAST(:use AS text) IS NULL OR use = :use)"
            " AND (CAST(:but AS bigint) IS NULL OR id <> :but)"
        ),
        {"account": account, "use": use, "but": but},
    ).rowcount


def find_sessions(account: int) -> list[SessionRow]:
    """Return an account's sessions that are not over, the one used last first."""
    with session.open("accounts") as connection:
        rows = connection.execute(
            text(
                "SELECT id, use, opened_by, created_at, active_at, expires_at,"
                " second_factor_at IS NOT NULL AS second_factor, scope FROM reg.account_tokens"
                " WHERE account_id = :account AND use <> 'first_start' AND revoked_at IS NULL AND expires_at > now()"
                " AND (use <> 'page' OR active_at > now() - interval '2 hours') ORDER BY active_at DESC, id DESC"
            ),
            {"account": account},
        ).all()
    return [SessionRow(*row) for row in rows]


def end_session(account: int, session_id: int) -> None:
    """End one session of an account; raises NoSuchSession."""
    with session.open("accounts") as connection:
        ended = connection.execute(
            text(
                "UPDATE reg.account_tokens SET revoked_at = now() WHERE account_id = :account AND id = :id"
                " AND use <> 'first_start' AND revoked_at IS NULL"
            ),
            {"account": account, "id": session_id},
        ).rowcount
    if not ended:
        raise NoSuchSession


def digest_of(token: str) -> bytes:
    """Return what is kept of a token; it has at least 120 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
