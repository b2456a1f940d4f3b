"""The second factor: one-time codes by RFC 6238, and recovery codes for the day the telephone is gone.

The secret is sealed under the master key and bound to its account: a copy of the database makes no
code. A code counts once, in its own half minute or the one before or after it.
"""

import base64
import os
import secrets
import time
from dataclasses import dataclass, field
from hmac import compare_digest

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, text

from api.accounts import events
from api.accounts.callers import Caller
from api.accounts.tokens import digest_of
from gis.errors import KeysUnreadable, NotAllowed, SecondFactorMissing, WrongPassword
from gis.residents import keys
from gis.store import session
from gis.terms import AccountAct

ISSUER = "门牌 Menpai"
STEP_S = 30
STEPS_AROUND = (0, -1, 1)
RECOVERY_CODES, RECOVERY_BYTES = 10, 15
_NONCE_BYTES = 12
_PURPOSE = "second factors 1"


@dataclass(frozen=True)
class Enrolment:
    """A secret just made, shown once: to type in, as an otpauth address, and as the picture of it."""

    secret: str = field(repr=False)
    address: str = field(repr=False)
    picture: str = field(repr=False)
    """SVG without any style or script of its own."""


def begin(who: Caller) -> Enrolment:
    """Make a new secret for an account, which counts once a code of it was shown; older unconfirmed ones end.

    A first factor is bound only in a session that a one-time link opened, a further one only in a session that
    showed the factor there is: a stolen password alone binds none. Raises ProveAgain, NotAllowed.
    """
    proven = who.must_have_proven()
    account = _account_of(who)
    secret = pyotp.random_base32()
    with session.open("accounts", actor=who.name) as connection:
        has_one = find_standing(connection, account) is not None
        if has_one and proven.second_factor_at is None:
            raise SecondFactorMissing(who=who.name)
        if not has_one and proven.opened_by != "link":
            raise NotAllowed(
                who=who.name, what="set up a second factor in this session; an administrator's one-time link lets you"
            )
        _forget_unconfirmed(connection, account)
        connection.execute(
            text("INSERT INTO reg.account_factors (account_id, sealed) VALUES (:account, :sealed)"),
            {"account": account, "sealed": _seal(account, secret)},
        )
    import segno  # noqa: PLC0415 - the picture is made a few times in an account's life

    address = pyotp.TOTP(secret).provisioning_uri(name=str(who.name), issuer_name=ISSUER)
    return Enrolment(secret, address, segno.make(address, error="m").svg_inline(scale=4, border=2, omitsize=True))


def confirm(who: Caller, code: str) -> list[str]:
    """Take the new secret into use by a code of it, in place of any older one; return fresh recovery codes.

    Raises WrongPassword where the code is not the secret's.
    """
    who.must_have_proven()
    account = _account_of(who)
    with session.open("accounts", actor=who.name) as connection:
        row = connection.execute(
            text(
                "SELECT id, sealed FROM reg.account_factors WHERE account_id = :account AND confirmed_at IS NULL"
                " AND ended_at IS NULL AND begun_at > now() - interval '1 hour' FOR UPDATE"
            ),
            {"account": account},
        ).first()
        step = None if row is None else _step_of(_open(account, row.sealed), code)
        if row is None or step is None:
            raise WrongPassword
        end(connection, account)
        connection.execute(
            text("UPDATE reg.account_factors SET confirmed_at = now(), last_step = :step WHERE id = :id"),
            {"step": step, "id": row.id},
        )
        events.record(connection, AccountAct.FACTOR_CONFIRMED, account)
        return _fresh_recovery_codes(connection, account)


def verify(connection: Connection, account: int, code: str) -> None:
    """Take a code, once, or a recovery code; raises WrongPassword, SecondFactorMissing where there is no factor."""
    factor = find_standing(connection, account)
    if factor is None:
        raise SecondFactorMissing(who="this")
    typed = code.strip().replace(" ", "").replace("-", "").upper()
    if typed.isdigit():
        _take(connection, account, factor, typed)
    else:
        _take_recovery(connection, account, typed)


def find_standing(connection: Connection, account: int) -> tuple[int, bytes] | None:
    """Return id and sealed secret of an account's confirmed factor; None where it has none."""
    row = connection.execute(
        text(
            "SELECT id, sealed FROM reg.account_factors"
            " WHERE account_id = :account AND confirmed_at IS NOT NULL AND ended_at IS NULL"
        ),
        {"account": account},
    ).first()
    return None if row is None else (row.id, row.sealed)


def end(connection: Connection, account: int) -> bool:
    """End an account's factor and its recovery codes; return whether there was one."""
    ended = connection.execute(
        text(
            "UPDATE reg.account_factors SET ended_at = now()"
            " WHERE account_id = :account AND confirmed_at IS NOT NULL AND ended_at IS NULL"
        ),
        {"account": account},
    ).rowcount
    connection.execute(text("DELETE FROM reg.account_recovery_codes WHERE account_id = :id"), {"id": account})
    return bool(ended)


def _take(connection: Connection, account: int, factor: tuple[int, bytes], code: str) -> None:
    """Take a code whose half minute is later than that of the last one taken."""
    step = _step_of(_open(account, factor[1]), code)
    taken = (
        step is not None
        and connection.execute(
            text(
                "UPDATE reg.account_factors SET last_step = :step"
                " WHERE id = :id AND ended_at IS NULL AND (last_step IS NULL OR last_step < :step)"
            ),
            {"step": step, "id": factor[0]},
        ).rowcount
    )
    if not taken:
        raise WrongPassword


def _take_recovery(connection: Connection, account: int, code: str) -> None:
    """Take a recovery code, once."""
    taken = connection.execute(
        text(
            "UPDATE reg.account_recovery_codes SET used_at = now()"
            " WHERE digest = :digest AND account_id = :account AND used_at IS NULL"
        ),
        {"digest": digest_of(code), "account": account},
    ).rowcount
    if not taken:
        raise WrongPassword
    events.record(connection, AccountAct.RECOVERY_USED, account, by_itself=True)


def _fresh_recovery_codes(connection: Connection, account: int) -> list[str]:
    """Return new recovery codes in groups of four; the older ones end."""
    codes = [base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode() for _ in range(RECOVERY_CODES)]
    connection.execute(text("DELETE FROM reg.account_recovery_codes WHERE account_id = :id"), {"id": account})
    connection.execute(
        text("INSERT INTO reg.account_recovery_codes (digest, account_id) VALUES (:digest, :account)"),
        [{"digest": digest_of(code), "account": account} for code in codes],
    )
    return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in codes]


def _step_of(secret: str, code: str) -> int | None:
    """Return the half minute whose code this is, of those near now; None where it is none of theirs."""
    generator, now = pyotp.TOTP(secret), int(time.time()) // STEP_S
    for step in (now + around for around in STEPS_AROUND):
        if compare_digest(generator.generate_otp(step).encode(), code.encode("utf-8", "surrogatepass")):
            return step
    return None


def _forget_unconfirmed(connection: Connection, account: int) -> None:
    """End secrets that were begun and never confirmed."""
    connection.execute(
        text(
            "UPDATE reg.account_factors SET ended_at = now()"
            " WHERE account_id = :account AND confirmed_at IS NULL AND ended_at IS NULL"
        ),
        {"account": account},
    )


def _account_of(who: Caller) -> int:
    """Return the id of an account that is signed in; ``must_have_proven`` has seen to it."""
    assert who.account is not None  # noqa: S101 - for the type checker
    return who.account


def _seal(account: int, secret: str) -> bytes:
    """Return a secret sealed for its account."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(_key()).encrypt(nonce, secret.encode(), str(account).encode())


def _open(account: int, sealed: bytes) -> str:
    """Return a secret; raises KeysUnreadable where it was sealed under another master key or for another account."""
    nonce, inside = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return AESGCM(_key()).decrypt(nonce, inside, str(account).encode()).decode()
    except InvalidTag as error:
        raise KeysUnreadable(why="a second factor was sealed under another master key") from error


def _key() -> bytes:
    """Return the key for second factors; the master key is made where there is none yet."""
    keys.init()
    with keys.open_store() as store:
        return store.derive(_PURPOSE)
