"""The directory of accounts: made, given roles, closed and opened again, linked and let in once more.

Who acts is told to the database, whose triggers refuse what nobody may do: a right for oneself, a
right outside one's divisions, a second role that would undo the separation of duties, the end of the
last administrator (gis/store/sql/20_accounts.sql). Without an actor it is the host that acts.
"""

import datetime as dt
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from api.accounts import events, factors, tokens
from api.accounts.callers import Grant
from api.accounts.tokens import BEARER_LASTS, LINK_LASTS, Bearer, Opening
from gis.errors import AccountNotFound, BadArgument, GrantRefused, NotAllowed, UnknownDivision
from gis.register import divisions
from gis.store import session
from gis.terms import AccountAct, Role

LONGEST_NAME = 64
HOST = "host:"
"""How an act from the machine itself is told; no account's name begins so."""
FORBIDDEN, REFUSED = "MP403", "MP409"


@dataclass(frozen=True)
class AccountRow:
    """An account as a list shows it."""

    name: str
    disabled: bool
    has_password: bool
    grants: tuple[Grant, ...]
    has_second_factor: bool = False
    identities: tuple[str, ...] = ()


def add(name: str, actor: str | None = None) -> None:
    """Make an account without a password; raises BadArgument for a bad or taken name."""
    name = _checked_name(name)
    with _acting(actor) as connection:
        made = connection.execute(
            text("INSERT INTO reg.accounts (name) VALUES (:name) ON CONFLICT (name) DO NOTHING"), {"name": name}
        ).rowcount
    if not made:
        raise BadArgument(why=f"an account named {name} exists already")


def grant(name: str, role: Role, division: str, until: dt.date | None = None, actor: str | None = None) -> None:
    """Give an account a role in a division, from today until a day or for good.

    Raises AccountNotFound, UnknownDivision, GrantRefused, and NotAllowed outside the actor's divisions.
    """
    code = divisions.parse_code(division)
    with _acting(actor) as connection:
        known = connection.execute(text("SELECT FROM reg.divisions WHERE code = :code"), {"code": code}).first()
        if known is None:
            raise UnknownDivision(code=division)
        connection.execute(
            text(
                "INSERT INTO reg.account_grants (account_id, role, division_code, valid_until)"
                " VALUES (:account, :role, :division, :until)"
            ),
            {"account": _managed(connection, name, actor), "role": role.value, "division": code, "until": until},
        )


def revoke(name: str, role: Role, division: str, actor: str | None = None) -> None:
    """End a role in a division as of now; raises AccountNotFound, GrantRefused, NotAllowed, BadArgument."""
    code = divisions.parse_code(division)
    with _acting(actor) as connection:
        ended = connection.execute(
            text(
                "UPDATE reg.account_grants SET valid_until = current_date - 1 WHERE account_id = :account"
                " AND role = :role AND division_code = :division"
                " AND (valid_until IS NULL OR valid_until >= current_date)"
            ),
            {"account": _managed(connection, name, actor), "role": role.value, "division": code},
        ).rowcount
    if not ended:
        raise BadArgument(why=f"{name} has no role {role.value} in {division} that could end")


def disable(name: str, actor: str | None = None) -> None:
    """Close an account and end its sessions at once.

    Raises AccountNotFound, NotAllowed, and GrantRefused for the last administrator.
    """
    with _acting(actor) as connection:
        account = _managed(connection, name, actor)
        connection.execute(text("UPDATE reg.accounts SET disabled_at = now() WHERE id = :id"), {"id": account})
        tokens.revoke(connection, account)


def enable(name: str, actor: str | None = None) -> None:
    """Open a closed account again; raises AccountNotFound."""
    with _acting(actor) as connection:
        opened = connection.execute(
            text("UPDATE reg.accounts SET disabled_at = NULL WHERE name = :name AND disabled_at IS NOT NULL"),
            {"name": unicodedata.normalize("NFC", name)},
        ).rowcount
    if not opened:
        raise AccountNotFound(name=name)


def find_accounts() -> list[AccountRow]:
    """Return every account with the roles it has today, by name."""
    with session.open("accounts") as connection:
        rows = connection.execute(
            text(
                "SELECT a.name, a.disabled_at IS NOT NULL AS disabled, a.password_hash IS NOT NULL AS has_password,"
                " EXISTS (SELECT FROM reg.account_factors f WHERE f.account_id = a.id AND f.confirmed_at IS NOT NULL"
                " AND f.ended_at IS NULL) AS has_second_factor,"
                " ARRAY(SELECT i.issuer || ' ' || i.subject FROM reg.account_identities i WHERE i.account_id = a.id"
                " ORDER BY 1) AS identities, g.id, g.role, g.division_code, g.valid_until"
                " FROM reg.accounts a LEFT JOIN reg.account_grants g"
                " ON g.account_id = a.id AND (g.valid_until IS NULL OR g.valid_until >= current_date)"
                " ORDER BY a.name, g.role, g.division_code"
            )
        ).all()
    found: dict[str, AccountRow] = {}
    for row in rows:
        new = AccountRow(row.name, row.disabled, row.has_password, (), row.has_second_factor, tuple(row.identities))
        so_far = found.get(row.name, new)
        more = () if row.role is None else (Grant(Role(row.role), str(row.division_code), row.valid_until, row.id),)
        found[row.name] = AccountRow(
            *(row.name, row.disabled, row.has_password, so_far.grants + more, row.has_second_factor),
            tuple(row.identities),
        )
    return list(found.values())


def make_link(name: str, actor: str | None = None) -> str:
    """Return the token of a new one-time link; older links of the account end.

    Raises AccountNotFound, also for a disabled account.
    """
    with _acting(actor) as connection:
        account = _managed(connection, name, actor)
        tokens.revoke(connection, account, use="first_start")
        events.record(connection, AccountAct.LINK_MADE, account)
        return tokens.issue(connection, account, Opening("first_start", "link", lasts=LINK_LASTS)).token


def mint(
    name: str, roles: Sequence[Role] | None = None, lasts: dt.timedelta = BEARER_LASTS, actor: str | None = None
) -> Bearer:
    """Return a token for a program that acts as an account, narrowed to some of its roles; it shows no factor again.

    Raises AccountNotFound, and BadArgument for one that would last longer than a session by password.
    """
    if not dt.timedelta(0) < lasts <= BEARER_LASTS:
        raise BadArgument(why=f"a token lasts up to {BEARER_LASTS.total_seconds() / 3600:.0f} hours")
    scope = None if roles is None else tuple(role.value for role in roles)
    with _acting(actor) as connection:
        account = _managed(connection, name, actor)
        events.record(connection, AccountAct.TOKEN_MINTED, account)
        return tokens.issue(connection, account, Opening("program", "minted", strong=True, scope=scope, lasts=lasts))


def end_sessions(name: str, actor: str | None = None) -> int:
    """End every session and link of an account; return how many that were. Raises AccountNotFound."""
    with _acting(actor) as connection:
        account = _managed(connection, name, actor)
        events.record(connection, AccountAct.SESSIONS_ENDED, account)
        return tokens.revoke(connection, account)


def reset_factor(name: str, actor: str | None = None) -> None:
    """End an account's second factor and its sessions, for a telephone that is gone; raises AccountNotFound."""
    with _acting(actor) as connection:
        account = _managed(connection, name, actor)
        if factors.end(connection, account):
            events.record(connection, AccountAct.FACTOR_ENDED, account)
        tokens.revoke(connection, account)


def link_identity(name: str, issuer: str, subject: str, actor: str | None = None) -> None:
    """Let somebody whom a provider knows enter as an account; raises AccountNotFound, BadArgument where it is taken."""
    with _acting(actor) as connection:
        account = _managed(connection, name, actor)
        made = connection.execute(
            text(
                "INSERT INTO reg.account_identities (account_id, issuer, subject) VALUES (:account, :issuer, :subject)"
                " ON CONFLICT (issuer, subject) DO NOTHING"
            ),
            {"account": account, "issuer": issuer, "subject": subject},
        ).rowcount
        if not made:
            raise BadArgument(why="this identity is linked already")
        events.record(connection, AccountAct.IDENTITY_LINKED, account)


def unlink_identities(name: str, actor: str | None = None) -> None:
    """Part an account from every provider, and end its sessions; raises AccountNotFound."""
    with _acting(actor) as connection:
        account = _managed(connection, name, actor)
        connection.execute(text("DELETE FROM reg.account_identities WHERE account_id = :id"), {"id": account})
        tokens.revoke(connection, account)
        events.record(connection, AccountAct.IDENTITY_UNLINKED, account)


@contextmanager
def _acting(actor: str | None) -> Iterator[Connection]:
    """Yield a connection for an act of somebody; what the database's triggers refuse is told in their sentence."""
    try:
        with session.open("accounts", actor=actor) as connection:
            yield connection
    except DBAPIError as error:
        refused = error.orig
        if not isinstance(refused, psycopg.Error) or refused.sqlstate not in {FORBIDDEN, REFUSED}:
            raise
        why = str(refused.diag.message_primary)
        if refused.sqlstate == FORBIDDEN:
            raise NotAllowed(who=actor, what=f"do that: {why}") from error
        raise GrantRefused(why=why) from error


def _managed(connection: Connection, name: str, actor: str | None) -> int:
    """Return the id of an account that an actor may manage: their own, or one whose roles all lie in their divisions.

    Raises AccountNotFound, also for a disabled account, and NotAllowed.
    """
    found: int | None = connection.execute(
        text("SELECT id FROM reg.accounts WHERE name = :name AND disabled_at IS NULL"),
        {"name": unicodedata.normalize("NFC", name)},
    ).scalar_one_or_none()
    if found is None:
        raise AccountNotFound(name=name)
    if actor is None or actor == unicodedata.normalize("NFC", name):
        return found
    within = connection.execute(
        text(
            "SELECT coalesce(bool_and(calc.administers(:actor, division_code)), true) FROM reg.account_grants"
            " WHERE account_id = :account AND (valid_until IS NULL OR valid_until >= current_date)"
        ),
        {"actor": actor, "account": found},
    ).scalar_one()
    if not within:
        raise NotAllowed(who=actor, what="manage an account that has roles outside your divisions")
    return found


def _checked_name(name: str) -> str:
    """Return a name in its composed form; raises BadArgument."""
    name = unicodedata.normalize("NFC", name)
    plain = name.isprintable() and name == name.strip() and "/" not in name and not name.startswith((HOST, "."))
    if not 0 < len(name) <= LONGEST_NAME or not plain:
        raise BadArgument(
            why=f"an account's name has 1 to {LONGEST_NAME} printable characters, no slash and no space around it"
        )
    return name
