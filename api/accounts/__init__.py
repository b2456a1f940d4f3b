"""Accounts: who may sign in, with which roles, how they prove it, and the sessions they hold.

A password is kept as argon2id, a token as its SHA-256, a second factor sealed under the master key: a
stolen table opens nothing. The first way in is a link that works once; there is no password that
somebody could forget to change.
"""

from api.accounts.callers import NOBODY, Caller, CallerRole, Grant, caller_of, full_caller_of
from api.accounts.directory import (
    AccountRow,
    add,
    disable,
    enable,
    end_sessions,
    find_accounts,
    grant,
    link_identity,
    make_link,
    mint,
    reset_factor,
    revoke,
    unlink_identities,
)
from api.accounts.entering import confirm_factor, prove, redeem_link, set_password, sign_in, sign_out, strengthen
from api.accounts.tokens import BEARER_LASTS, Bearer, SessionRow, end_session, find_sessions

__all__ = [
    "BEARER_LASTS",
    "NOBODY",
    "AccountRow",
    "Bearer",
    "Caller",
    "CallerRole",
    "Grant",
    "SessionRow",
    "add",
    "caller_of",
    "confirm_factor",
    "disable",
    "enable",
    "end_session",
    "end_sessions",
    "find_accounts",
    "find_sessions",
    "full_caller_of",
    "grant",
    "link_identity",
    "make_link",
    "mint",
    "prove",
    "redeem_link",
    "reset_factor",
    "revoke",
    "set_password",
    "sign_in",
    "sign_out",
    "strengthen",
    "unlink_identities",
]
