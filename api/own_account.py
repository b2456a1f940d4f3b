"""What an account does about itself: second factor, password, sessions, tokens for programs."""

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import Field

from api import accounts, answers, cookies, errors
from api.accounts import Bearer, Caller, SessionRow, events, factors
from api.acting import Strict
from api.signing_in import Token, Typed, guessing, signed_in, turn
from gis.errors import NotAllowed
from gis.terms import Role

router = APIRouter(prefix="/api/account", tags=["account 账户"])
Code = Annotated[str, Field(min_length=6, max_length=40, description="six digits, or a recovery code")]
REFUSALS = errors.documented(401, 403, 422, 429, 503)
SessionId = Annotated[int, Path(ge=1, le=2**62)]


class CodeBody(Strict):
    """A one-time code."""

    code: Code


class ProofBody(Strict):
    """A password once more, and a code where the account has a second factor."""

    password: Typed
    code: Code | None = None


class PasswordBody(Strict):
    """A new password."""

    password: Typed


class TokenBody(Strict):
    """What a token for a program may do, and for how long."""

    roles: Annotated[list[Role], Field(min_length=1, max_length=5)]
    hours: Annotated[int, Field(ge=1, le=12)] = 12


@router.post("/proof", responses=REFUSALS)
def prove(request: Request, body: ProofBody, token: Token) -> Response:
    """Prove once more who you are, for what asks for it; returns a session in place of this one."""
    who = signed_in(token)
    with guessing(request, str(who.name)):
        bearer = accounts.prove(who, body.password, body.code)
    return _renewed(request, who, bearer)


@router.post("/second-factor", responses=REFUSALS)
def begin_factor(token: Token) -> Response:
    """Make a new secret for an authenticator (RFC 6238); it counts once a code of it was shown."""
    made = factors.begin(signed_in(token))
    return answers.json({"secret": made.secret, "address": made.address, "picture": made.picture})


@router.post("/second-factor/confirmation", responses=REFUSALS)
def confirm_factor(request: Request, body: CodeBody, token: Token) -> Response:
    """Take the new secret into use; returns recovery codes, once, and a session in place of this one."""
    who = signed_in(token)
    with guessing(request, str(who.name)):
        bearer, codes = accounts.confirm_factor(who, body.code)
    return _renewed(request, who, bearer, recovery_codes=codes)


@router.post("/second-factor/proof", responses=REFUSALS)
def show_factor(request: Request, body: CodeBody, token: Token) -> Response:
    """Show the second factor in a session that has not yet; returns a session in place of this one."""
    who = signed_in(token)
    with guessing(request, str(who.name)):
        bearer = accounts.strengthen(who, body.code)
    return _renewed(request, who, bearer)


@router.put("/password", status_code=204, responses=REFUSALS)
def set_password(body: PasswordBody, token: Token) -> Response:
    """Set a new password of 12 to 128 characters; every other session ends."""
    who = signed_in(token)
    with turn():
        accounts.set_password(who, body.password)
    return Response(status_code=204)


@router.get("/sessions", responses=errors.documented(401, 503))
def sessions(token: Token) -> Response:
    """List your sessions, and what was done to your account lately."""
    who = signed_in(token)
    own = None if who.session is None else who.session.id
    found = accounts.find_sessions(_id_of(who))
    lately = events.find_events(name=who.name, limit=50)
    return answers.json({"sessions": [_session(each, own) for each in found], "events": lately})


@router.delete("/sessions/{session_id}", status_code=204, responses=errors.documented(401, 404, 422, 503))
def end_session(session_id: SessionId, token: Token) -> Response:
    """End one of your sessions."""
    accounts.end_session(_id_of(signed_in(token)), session_id)
    return Response(status_code=204)


@router.delete("/sessions", status_code=204, responses=errors.documented(401, 503))
def end_sessions(request: Request, token: Token) -> Response:
    """End all your sessions, this one too."""
    who = signed_in(token)
    accounts.end_sessions(str(who.name), str(who.name))
    return cookies.take_away(request, Response(status_code=204))


@router.post("/tokens", responses=errors.documented(401, 403, 422, 503))
def mint(body: TokenBody, token: Token) -> Response:
    """Make a token for a program of yours, narrowed to some of your roles, for up to twelve hours; shown once."""
    who = signed_in(token)
    who.must_have_proven()
    if who.lacks_second_factor or not {each.role for each in who.grants} >= set(body.roles):
        raise NotAllowed(who=who.name, what="hand on roles that this session does not have")
    made = accounts.mint(str(who.name), body.roles, dt.timedelta(hours=body.hours), str(who.name))
    return answers.json({"access_token": made.token, "token_type": "bearer", "expires_in": body.hours * 3600})


def _renewed(request: Request, who: Caller, bearer: Bearer, **more: object) -> Response:
    """Return the session that stands in place of another: to a page in its cookie, to a program in the body."""
    if who.session is not None and who.session.use == "page":
        return cookies.give(request, answers.json(more), bearer)
    lasts_s = int(bearer.lasts.total_seconds())
    return answers.json({"access_token": bearer.token, "token_type": "bearer", "expires_in": lasts_s, **more})


def _session(row: SessionRow, own: int | None) -> dict[str, object]:
    """Return a session as the interface words it."""
    return {
        "id": row.id,
        "this_one": row.id == own,
        "use": row.use,
        "opened_by": row.opened_by,
        "opened_at": row.created_at,
        "active_at": row.active_at,
        "expires_at": row.expires_at,
        "second_factor": row.second_factor,
        "roles": row.scope,
    }


def _id_of(who: Caller) -> int:
    """Return the id of an account that is signed in."""
    assert who.account is not None  # noqa: S101 - for the type checker
    return who.account
