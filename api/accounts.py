"""Accounts: who may sign in, with which roles, and the tokens they hold.

A password is kept as argon2id, a token as its SHA-256: a stolen table opens nothing. The first way
in is a link that works once; there is no password that somebody could forget to change.
"""

import datetime as dt
import hashlib
import secrets
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, text

from gis.errors import AccountNotFound, BadArgument, LinkSpent, NotSignedIn, UnknownDivision, WrongPassword
from gis.register import divisions
from gis.store import session
from gis.terms import Role

BEARER_LASTS = dt.timedelta(hours=12)
LINK_LASTS = dt.timedelta(hours=24)
KEPT_AFTER_EXPIRY = dt.timedelta(days=30)
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 128
LONGEST_NAME = 64

CallerRole = Literal["public", "planner", "registrar"]


@dataclass(frozen=True)
class Grant:
    """A role in a division."""

    role: Role
    division: str
    until: dt.date | None = None


@dataclass(frozen=True)
class Caller:
    """Who asks: nobody in particular, or an account with the roles it has today."""

    name: str | None = None
    grants: tuple[Grant, ...] = ()
    expires_at: dt.datetime | None = None

    @property
    def signed_in(self) -> bool:
        """Whether this is an account at all."""
        return self.name is not None

    def has(self, role: Role) -> bool:
        """Tell whether the caller has a role in some division."""
        return any(grant.role == role for grant in self.grants)

    @property
    def database_role(self) -> CallerRole:
        """The role a session takes for the caller; whoever needs no more gets what everybody may read."""
        if self.has(Role.PLANNER):
            return "planner"
        return "registrar" if self.has(Role.REGISTRAR) else "public"


NOBODY = Caller()


@dataclass(frozen=True)
class Bearer:
    """A token just issued; it is shown once and only its hash is kept."""

    token: str = field(repr=False)
    lasts: dt.timedelta = BEARER_LASTS


@dataclass(frozen=True)
class AccountRow:
    """An account as a list shows it."""

    name: str
    disabled: bool
    has_password: bool
    grants: tuple[Grant, ...]


def add(name: str) -> None:
    """Make an account without a password; raises BadArgument for a bad or taken name."""
    name = _checked_name(name)
    with session.open("accounts") as connection:
        made = connection.execute(
            text("INSERT INTO reg.accounts (name) VALUES (:name) ON CONFLICT (name) DO NOTHING"), {"name": name}
        ).rowcount
    if not made:
        raise BadArgument(why=f"an account named {name} exists already")


def grant(name: str, role: Role, division: str, until: dt.date | None = None) -> None:
    """Give an account a role in a division, from today until a day or for good.

    Raises AccountNotFound and UnknownDivision.
    """
    code = divisions.parse_code(division)
    with session.open("accounts") as connection:
        known = connection.execute(text("SELECT FROM reg.divisions WHERE code = :code"), {"code": code}).first()
        if known is None:
            raise UnknownDivision(code=division)
        connection.execute(
            text(
                "INSERT INTO reg.account_grants (account_id, role, division_code, valid_until)"
                " VALUES (:account, :role, :division, :until)"
            ),
            {"account": _id_of(connection, name), "role": role.value, "division": code, "until": until},
        )


def disable(name: str) -> None:
    """Close an account and end its sessions at once; raises AccountNotFound."""
    with session.open("accounts") as connection:
        account = _id_of(connection, name)
        connection.execute(text("UPDATE reg.accounts SET disabled_at = now() WHERE id = :id"), {"id": account})
        _revoke(connection, account)


def find_accounts() -> list[AccountRow]:
    """Return every account with the roles it has today, by name."""
    with session.open("accounts") as connection:
        rows = connection.execute(
            text(
                "SELECT a.name, a.disabled_at IS NOT NULL AS disabled, a.password_hash IS NOT NULL AS has_password,"
                " g.role, g.division_code, g.valid_until FROM reg.accounts a LEFT JOIN reg.account_grants g"
                " ON g.account_id = a.id AND (g.valid_until IS NULL OR g.valid_until >= current_date)"
                " ORDER BY a.name, g.role, g.division_code"
            )
        ).all()
    found: dict[str, AccountRow] = {}
    for row in rows:
        so_far = found.get(row.name, AccountRow(row.name, row.disabled, row.has_password, ()))
        more = () if row.role is None else (Grant(Role(row.role), str(row.division_code), row.valid_until),)
        found[row.name] = AccountRow(so_far.name, so_far.disabled, so_far.has_password, so_far.grants + more)
    return list(found.values())


def make_link(name: str) -> str:
    """Return the token of a new one-time link; older links of the account end.

    Raises AccountNotFound, also for a disabled account.
    """
    with session.open("accounts") as connection:
        account = _id_of(connection, name)
        _revoke(connection, account, use="first_start")
        return _issue(connection, account, "first_start", LINK_LASTS)


def redeem_link(token: str, password: str | None = None) -> Bearer:
    """Exchange a one-time link for a bearer, and set a password if one is given.

    A new password ends every other session of the account. Raises LinkSpent, and BadArgument for a
    password that is too short or too long; the link stays good then.
    """
    hashed = None if password is None else _hasher().hash(_checked_password(password))
    with session.open("accounts") as connection:
        account = connection.execute(
            text(
                "UPDATE reg.account_tokens t SET used_at = now() FROM reg.accounts a"
                " WHERE t.digest = :digest AND t.use = 'first_start' AND t.used_at IS NULL AND t.revoked_at IS NULL"
                " AND t.expires_at > now() AND a.id = t.account_id AND a.disabled_at IS NULL RETURNING a.id"
            ),
            {"digest": _digest(token)},
        ).scalar_one_or_none()
        if account is None:
            raise LinkSpent
        if hashed is not None:
            _revoke(connection, account)
            connection.execute(
                text("UPDATE reg.accounts SET password_hash = :hash WHERE id = :id"), {"hash": hashed, "id": account}
            )
        return Bearer(_issue(connection, account, "bearer", BEARER_LASTS))


def sign_in(name: str, password: str) -> Bearer:
    """Return a bearer for a name and its password.

    An unknown name costs the same work as a wrong password. Raises WrongPassword.
    """
    if not _writable(name) or not _writable(password):
        raise WrongPassword
    with session.open("accounts") as connection:
        row = connection.execute(
            text("SELECT id, password_hash FROM reg.accounts WHERE name = :name AND disabled_at IS NULL"),
            {"name": unicodedata.normalize("NFC", name)},
        ).first()
    kept = row.password_hash if row is not None and row.password_hash else _nobodys_hash()
    if not _fits(kept, password) or row is None or not row.password_hash:
        raise WrongPassword
    with session.open("accounts") as connection:
        if _hasher().check_needs_rehash(kept):
            connection.execute(
                text("UPDATE reg.accounts SET password_hash = :hash WHERE id = :id"),
                {"hash": _hasher().hash(password), "id": row.id},
            )
        return Bearer(_issue(connection, row.id, "bearer", BEARER_LASTS))


def sign_out(token: str) -> None:
    """End the session of a bearer; one that is unknown or over is no error."""
    with session.open("accounts") as connection:
        connection.execute(
            text("UPDATE reg.account_tokens SET revoked_at = now() WHERE digest = :digest AND revoked_at IS NULL"),
            {"digest": _digest(token)},
        )


def caller_of(token: str) -> Caller:
    """Return who holds a bearer; raises NotSignedIn where nobody does any more."""
    with session.open("accounts") as connection:
        row = connection.execute(
            text("SELECT name, expires_at, grants FROM calc.bearer_of(:digest)"), {"digest": _digest(token)}
        ).first()
    if row is None:
        raise NotSignedIn
    grants = tuple(
        Grant(Role(each["role"]), each["division"], each["until"] and dt.date.fromisoformat(each["until"]))
        for each in row.grants
    )
    return Caller(row.name, grants, row.expires_at)


def _issue(connection: Connection, account: int, use: str, lasts: dt.timedelta) -> str:
    """Make a token of 256 random bits, keep its hash, and clear away what expired long ago."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        text("DELETE FROM reg.account_tokens WHERE expires_at < now() - CAST(:kept AS interval)"),
        {"kept": KEPT_AFTER_EXPIRY},
    )
    connection.execute(
        text(
            "INSERT INTO reg.account_tokens (digest, account_id, use, expires_at)"
            " VALUES (:digest, :account, :use, now() + CAST(:lasts AS interval))"
        ),
        {"digest": _digest(token), "account": account, "use": use, "lasts": lasts},
    )
    return token


def _revoke(connection: Connection, account: int, use: str | None = None) -> None:
    """End an account's tokens, or those of one use."""
    connection.execute(
        text(
            "UPDATE reg.account_tokens SET revoked_at = now() WHERE account_id = :account AND revoked_at IS NULL"
            " AND used_at IS NULL AND (CAST(:use AS text) IS NULL OR use = :use)"
        ),
        {"account": account, "use": use},
    )


def _id_of(connection: Connection, name: str) -> int:
    """Return the id of an account that is not disabled; raises AccountNotFound."""
    found: int | None = connection.execute(
        text("SELECT id FROM reg.accounts WHERE name = :name AND disabled_at IS NULL"),
        {"name": unicodedata.normalize("NFC", name)},
    ).scalar_one_or_none()
    if found is None:
        raise AccountNotFound(name=name)
    return found


def _checked_name(name: str) -> str:
    """Return a name in its composed form; raises BadArgument."""
    name = unicodedata.normalize("NFC", name)
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise BadArgument(why=f"an account's name has 1 to {LONGEST_NAME} printable characters and no space around it")
    return name


def _checked_password(password: str) -> str:
    """Return a password that is long enough to keep and short enough to hash; raises BadArgument."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD or not _writable(password):
        raise BadArgument(why=f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    return password


def _writable(typed: str) -> bool:
    """Tell whether a text can be written down at all: JSON lets half a character through, forms a NUL."""
    try:
        return b"\0" not in typed.encode()
    except UnicodeEncodeError:
        return False


def _fits(hashed: str, password: str) -> bool:
    """Tell whether a password belongs to a hash, in time that does not depend on how wrong it is."""
    try:
        return len(password) <= LONGEST_PASSWORD and _hasher().verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _hasher() -> PasswordHasher:
    """Return argon2id with RFC 9106's parameters for little memory, which are argon2-cffi's own."""
    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    """Return a hash that no password fits, to spend the same time on a name nobody has."""
    return _hasher().hash(secrets.token_urlsafe(32))


def _digest(token: str) -> bytes:
    """Return what is kept of a token; it has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
