"""Getting in: by password and second factor, by a one-time link, and what a session has to prove on the way."""

import datetime as dt
import unicodedata

from sqlalchemy import Connection, text

from api.accounts import events, factors, passwords, tokens
from api.accounts.callers import Caller, SessionFacts
from api.accounts.tokens import Bearer, Opening, Use
from gis.errors import LinkSpent, NotSignedIn, SecondFactorNeeded, WrongPassword
from gis.store import session
from gis.terms import AccountAct


def sign_in(name: str, password: str, code: str | None = None, use: Use = "bearer") -> Bearer:
    """Open a session for a name and its password, and a code where the account has a second factor.

    An unknown name costs the same work as a wrong password. Raises WrongPassword, and SecondFactorNeeded where the
    password is right and no code was given.
    """
    if not passwords.writable(name) or not passwords.writable(password):
        raise WrongPassword
    with session.open("accounts") as connection:
        row = connection.execute(
            text("SELECT id, name, password_hash FROM reg.accounts WHERE name = :name AND disabled_at IS NULL"),
            {"name": unicodedata.normalize("NFC", name)},
        ).first()
    kept: str | None = None if row is None else row.password_hash
    if not passwords.fits(kept, password) or row is None or kept is None:
        raise WrongPassword
    with session.open("accounts", actor=row.name) as connection:
        strong = _show_factor(connection, row.id, code)
        if passwords.hasher().check_needs_rehash(kept):
            _keep_password(connection, row.id, passwords.hasher().hash(password))
        events.record(connection, AccountAct.SIGNED_IN, row.id)
        return tokens.issue(connection, row.id, Opening(use, "password", strong))


def redeem_link(token: str, password: str | None = None, use: Use = "bearer") -> Bearer:
    """Exchange a one-time link for a session, and set a password if one is given.

    A new password ends every other session of the account. A second factor that stands is still to be shown.
    Raises LinkSpent, and BadArgument for a password that is no good; the link stays good then.
    """
    with session.open("accounts") as connection:
        row = connection.execute(
            text(
                "UPDATE reg.account_tokens t SET used_at = now() FROM reg.accounts a"
                " WHERE t.digest = :digest AND t.use = 'first_start' AND t.used_at IS NULL AND t.revoked_at IS NULL"
                " AND t.expires_at > now() AND a.id = t.account_id AND a.disabled_at IS NULL RETURNING a.id, a.name"
            ),
            {"digest": tokens.digest_of(token)},
        ).first()
        if row is None:
            raise LinkSpent
        events.record(connection, AccountAct.LINK_USED, row.id, by_itself=True)
        if password is not None:
            tokens.revoke(connection, row.id)
            _keep_password(connection, row.id, passwords.hashed(password, row.name))
            events.record(connection, AccountAct.PASSWORD_SET, row.id, by_itself=True)
        return tokens.issue(connection, row.id, Opening(use, "link"))


def enter_by_provider(connection: Connection, account: int) -> Bearer:
    """Open a page's session for somebody whom an OpenID provider vouches for; a second factor is still to be shown."""
    events.record(connection, AccountAct.SIGNED_IN, account, by_itself=True)
    return tokens.issue(connection, account, Opening("page", "provider"))


def strengthen(who: Caller, code: str) -> Bearer:
    """Exchange a session for one that has shown the second factor; raises WrongPassword, SecondFactorMissing."""
    account, facts = _of(who)
    with session.open("accounts", actor=who.name) as connection:
        factors.verify(connection, account, code)
        return _renew(connection, who, facts.use)


def confirm_factor(who: Caller, code: str) -> tuple[Bearer, list[str]]:
    """Take a new second factor into use; return a session that has shown it, and recovery codes.

    Other sessions of the account end. Raises WrongPassword, ProveAgain.
    """
    account, facts = _of(who)
    codes = factors.confirm(who, code)
    with session.open("accounts", actor=who.name) as connection:
        tokens.revoke(connection, account, but=facts.id)
        return _renew(connection, who, facts.use), codes


def prove(who: Caller, password: str, code: str | None = None) -> Bearer:
    """Prove once more who one is, for what needs it; return a session in place of this one.

    Raises WrongPassword, SecondFactorNeeded.
    """
    account, facts = _of(who)
    with session.open("accounts", actor=who.name) as connection:
        kept = connection.execute(
            text("SELECT password_hash FROM reg.accounts WHERE id = :id"), {"id": account}
        ).scalar_one()
    if not passwords.fits(kept, password):
        raise WrongPassword
    with session.open("accounts", actor=who.name) as connection:
        strong = _show_factor(connection, account, code)
        return _renew(connection, who, facts.use, strong=strong)


def set_password(who: Caller, password: str) -> None:
    """Set a new password and end every other session; raises ProveAgain, BadArgument."""
    facts = who.must_have_proven()
    account, _ = _of(who)
    hashed = passwords.hashed(password, str(who.name))
    with session.open("accounts", actor=who.name) as connection:
        _keep_password(connection, account, hashed)
        tokens.revoke(connection, account, but=facts.id)
        events.record(connection, AccountAct.PASSWORD_SET, account)


def sign_out(token: str) -> None:
    """End the session of a token; one that is unknown or over is no error."""
    with session.open("accounts") as connection:
        account = connection.execute(
            text(
                "UPDATE reg.account_tokens SET revoked_at = now() WHERE digest = :digest AND revoked_at IS NULL"
                " AND use <> 'first_start' RETURNING account_id"
            ),
            {"digest": tokens.digest_of(token)},
        ).scalar_one_or_none()
        if account is not None:
            events.record(connection, AccountAct.SIGNED_OUT, account, by_itself=True)


def _show_factor(connection: Connection, account: int, code: str | None) -> bool:
    """Return whether a second factor was shown, False where the account has none; raises SecondFactorNeeded."""
    if factors.find_standing(connection, account) is None:
        return False
    if not code:
        raise SecondFactorNeeded
    factors.verify(connection, account, code)
    return True


def _renew(connection: Connection, who: Caller, use: str, *, strong: bool = True) -> Bearer:
    """End a session and open one in its place, proven now: its token is another (ASVS 7.2.4)."""
    account, facts = _of(who)
    connection.execute(text("UPDATE reg.account_tokens SET revoked_at = now() WHERE id = :id"), {"id": facts.id})
    assert who.expires_at is not None  # noqa: S101 - for the type checker: every session ends
    left = who.expires_at - dt.datetime.now(dt.UTC)
    how = Opening("page" if use == "page" else "bearer", facts.opened_by, strong=strong, lasts=left)
    return tokens.issue(connection, account, how)


def _keep_password(connection: Connection, account: int, hashed: str) -> None:
    """Keep the hash of a password."""
    connection.execute(
        text("UPDATE reg.accounts SET password_hash = :hash WHERE id = :id"), {"hash": hashed, "id": account}
    )


def _of(who: Caller) -> tuple[int, SessionFacts]:
    """Return account and session of a caller; raises NotSignedIn."""
    if who.account is None or who.session is None:
        raise NotSignedIn
    return who.account, who.session
