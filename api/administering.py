"""The door of those who manage accounts: they open no person, no queue of rows, and give themselves nothing."""

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import Field

from api import accounts, answers, errors
from api.accounts import AccountRow, Caller, events
from api.acting import Strict
from api.signing_in import Token, signed_in
from gis.errors import NotAllowed
from gis.terms import Role

router = APIRouter(prefix="/api/accounts", tags=["accounts 账户管理"])
REFUSALS = errors.documented(401, 403, 404, 409, 422, 503)
Name = Annotated[str, Path(min_length=1, max_length=64)]


class AccountBody(Strict):
    """A new account."""

    name: Annotated[str, Field(min_length=1, max_length=64)]


class GrantBody(Strict):
    """A role, in a division, until a day or for good."""

    role: Role
    division: Annotated[str, Field(max_length=12, description="2 to 12 digits")]
    until: dt.date | None = None


class IdentityBody(Strict):
    """How a provider names somebody."""

    issuer: Annotated[str, Field(min_length=1, max_length=500)]
    subject: Annotated[str, Field(min_length=1, max_length=255)]


@router.get("", responses=errors.documented(401, 403, 503))
def directory(token: Token) -> Response:
    """List all accounts with the roles they have today."""
    _administrator(token, lately=False)
    return answers.json({"accounts": [_described(row) for row in accounts.find_accounts()]})


@router.get("/events", responses=errors.documented(401, 403, 422, 503))
def history(
    token: Token,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="the id of the last one you have")] = None,
    limit: Annotated[int, Query(ge=1, le=events.MOST)] = 100,
) -> Response:
    """Return what was done to accounts, by whom, the newest first; auditors see it too."""
    who = signed_in(token)
    if not who.has(Role.AUDITOR):
        _may_administer(who)
    return answers.json({"events": events.find_events(before, limit)})


@router.post("", status_code=201, responses=REFUSALS)
def add(body: AccountBody, token: Token) -> Response:
    """Make an account without a role or password; returns its one-time link, once."""
    who = _administrator(token)
    accounts.add(body.name, who)
    return answers.json({"link": _link(accounts.make_link(body.name, who))}, 201)


@router.post("/{name}/grants", status_code=204, responses=REFUSALS)
def grant(name: Name, body: GrantBody, token: Token) -> Response:
    """Give an account a role inside your divisions."""
    accounts.grant(name, body.role, body.division, body.until, _administrator(token))
    return Response(status_code=204)


@router.delete("/{name}/grants", status_code=204, responses=REFUSALS)
def revoke(name: Name, role: Role, division: Annotated[str, Query(max_length=12)], token: Token) -> Response:
    """End a role of an account as of now."""
    accounts.revoke(name, role, division, _administrator(token))
    return Response(status_code=204)


@router.post("/{name}/link", responses=REFUSALS)
def make_link(name: Name, token: Token) -> Response:
    """Make a one-time link for an account; older ones end."""
    return answers.json({"link": _link(accounts.make_link(name, _administrator(token)))})


@router.put("/{name}/disabled", status_code=204, responses=REFUSALS)
def disable(name: Name, token: Token) -> Response:
    """Close an account and end its sessions at once."""
    accounts.disable(name, _administrator(token))
    return Response(status_code=204)


@router.delete("/{name}/disabled", status_code=204, responses=REFUSALS)
def enable(name: Name, token: Token) -> Response:
    """Open a closed account again."""
    accounts.enable(name, _administrator(token))
    return Response(status_code=204)


@router.delete("/{name}/sessions", status_code=204, responses=REFUSALS)
def end_sessions(name: Name, token: Token) -> Response:
    """End every session and link of an account."""
    accounts.end_sessions(name, _administrator(token))
    return Response(status_code=204)


@router.delete("/{name}/second-factor", status_code=204, responses=REFUSALS)
def reset_factor(name: Name, token: Token) -> Response:
    """End an account's second factor, for a telephone that is gone."""
    accounts.reset_factor(name, _administrator(token))
    return Response(status_code=204)


@router.post("/{name}/identities", status_code=204, responses=REFUSALS)
def link_identity(name: Name, body: IdentityBody, token: Token) -> Response:
    """Let somebody whom an OpenID provider knows enter as an account."""
    accounts.link_identity(name, body.issuer, body.subject, _administrator(token))
    return Response(status_code=204)


@router.delete("/{name}/identities", status_code=204, responses=REFUSALS)
def unlink_identities(name: Name, token: Token) -> Response:
    """Part an account from every OpenID provider."""
    accounts.unlink_identities(name, _administrator(token))
    return Response(status_code=204)


def _administrator(token: str | None, *, lately: bool = True) -> str:
    """Return the name of an administrator of accounts who proved lately who they are.

    Raises NotSignedIn, NotAllowed, SecondFactorMissing, ProveAgain.
    """
    who = signed_in(token)
    _may_administer(who)
    if lately:
        who.must_have_proven()
    return str(who.name)


def _may_administer(who: Caller) -> None:
    """Raise NotAllowed unless the caller manages accounts in some division; which ones, the database checks."""
    who.must_not_lack_factor()
    if not who.has(Role.ACCOUNT_ADMINISTRATOR):
        raise NotAllowed(who=who.name, what="manage accounts")


def _link(token: str) -> str:
    """Return where a one-time link leads, from this service's own address."""
    return f"/enter#{token}"


def _described(row: AccountRow) -> dict[str, Any]:
    """Return an account as the interface words it."""
    grants = [{"role": each.role, "division": each.division, "until": each.until} for each in row.grants]
    return {
        "name": row.name,
        "disabled": row.disabled,
        "has_password": row.has_password,
        "has_second_factor": row.has_second_factor,
        "identities": row.identities,
        "grants": grants,
    }
