"""Signing in: a session for a password or a one-time link, who holds it, and how it ends."""

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from fastapi.security import OAuth2PasswordRequestForm
from pydantic import BaseModel, Field

from api import accounts, answers, cookies, errors
from api.accounts import NOBODY, Bearer, Caller, waiting
from api.accounts.waiting import Attempt
from gis.errors import NotSignedIn, SecondFactorNeeded, TooManyAtOnce

router = APIRouter(tags=["account 账户"])
Token = Annotated[str | None, Depends(cookies.SessionToken("/api/token", auto_error=False))]
"""The session's token as it was sent. Taking it costs no thread; an endpoint asks ``caller`` who it is."""
Typed = Annotated[str, Field(max_length=200)]


def caller(token: str | None) -> Caller:
    """Return who asks: nobody in particular without a session; raises NotSignedIn for a bad one."""
    return NOBODY if token is None else accounts.caller_of(token)


def signed_in(token: str | None) -> Caller:
    """Return the account that asks; raises NotSignedIn."""
    if token is None:
        raise NotSignedIn
    return accounts.caller_of(token)


_hashing = threading.BoundedSemaphore(4)
"""Each argon2id takes 64 MiB: a crowd at the door must not take the machine's memory."""
_waiting = threading.BoundedSemaphore(12)
"""Nor every thread: those who wait for their turn hold one each, and the map has to answer meanwhile."""


@contextmanager
def turn() -> Iterator[None]:
    """Wait for a turn to hash a password; raises TooManyAtOnce where too many wait already."""
    if not _waiting.acquire(blocking=False):
        raise TooManyAtOnce(wait_s=5)
    try:
        with _hashing:
            yield
    finally:
        _waiting.release()


@contextmanager
def guessing(request: Request, name: str) -> Iterator[None]:
    """Count what is tried inside as a failure unless it succeeds; raises TooManyAttempts.

    A right password that still lacks its code is no failure, and no success either.
    """
    who = Attempt.of(unicodedata.normalize("NFC", name)[:100], request.client.host if request.client else "")
    with turn():
        waiting.begin(who)
        try:
            yield
        except SecondFactorNeeded:
            waiting.undone(who)
            raise
    waiting.succeeded(who)


class Issued(BaseModel):
    """A bearer, as OAuth2 words it."""

    access_token: str
    token_type: str
    expires_in: int


ISSUED: dict[int | str, dict[str, Any]] = {200: {"model": Issued}}


class FirstStart(BaseModel):
    """What is behind the # of a one-time link, and a password to sign in with from now on."""

    token: Typed
    password: Typed | None = None


class Entering(BaseModel):
    """How a page gets its session: by a name with its password, or by a link."""

    name: Typed = ""
    password: Typed | None = None
    code: Annotated[str, Field(max_length=40)] | None = None
    link: Typed | None = None


@router.post("/api/token", responses=ISSUED | errors.documented(401, 422, 429, 503))
def sign_in(
    request: Request,
    form: Annotated[OAuth2PasswordRequestForm, Depends()],
    code: Annotated[str | None, Form(max_length=40, description="where the account has a second factor")] = None,
) -> Response:
    """Exchange name and password for a bearer of twelve hours (OAuth2 password form)."""
    with guessing(request, form.username):
        bearer = accounts.sign_in(form.username, form.password, code)
    return _issued(bearer)


@router.delete("/api/token", status_code=204, responses=errors.documented(401, 503))
def sign_out(token: Token) -> Response:
    """End the session of the bearer at once."""
    if token is None:
        raise NotSignedIn
    accounts.sign_out(token)
    return Response(status_code=204)


@router.post("/api/first-start", responses=ISSUED | errors.documented(401, 422, 429, 503))
def first_start(link: FirstStart) -> Response:
    """Exchange a one-time link for a bearer, once; a password of 12 to 128 characters may be set with it."""
    with turn():
        return _issued(accounts.redeem_link(link.token, link.password))


@router.get("/api/session", responses=errors.documented(401, 503))
def session(token: Token) -> Response:
    """Tell who is signed in, with roles and divisions; without a session the actor is null.

    ``needs`` says what is missing for the account's other roles: ``second_factor``, or nothing.
    """
    return answers.json({"actor": _described(caller(token))})


@router.post("/api/session", responses=errors.documented(401, 422, 429, 503))
def open_session(request: Request, entering: Entering) -> Response:
    """Open a page's session in a cookie, by name and password or by a one-time link; any older one here ends."""
    if not cookies.is_ours(request):
        raise NotSignedIn
    if entering.link is not None:
        with turn():
            bearer = accounts.redeem_link(entering.link, entering.password, "page")
    else:
        with guessing(request, entering.name):
            bearer = accounts.sign_in(entering.name, entering.password or "", entering.code, "page")
    older = cookies.of_page(request)
    if older is not None:
        accounts.sign_out(older)
    return cookies.give(request, answers.json({"actor": _described(accounts.caller_of(bearer.token))}), bearer)


@router.delete("/api/session", status_code=204, responses=errors.documented(401, 503))
def close_session(request: Request, token: Token) -> Response:
    """End the page's session, here and in the browser."""
    if token is not None:
        accounts.sign_out(token)
    return cookies.take_away(request, Response(status_code=204))


def _described(who: Caller) -> dict[str, Any] | None:
    """Return an account as the interface words it."""
    if not who.signed_in or who.session is None:
        return None
    return {
        "name": who.name,
        "roles": sorted({each.role.value for each in who.grants}),
        "grants": [{"role": each.role, "division": each.division, "until": each.until} for each in who.grants],
        "expires_at": who.expires_at,
        "opened_by": who.session.opened_by,
        "second_factor": who.session.second_factor_at is not None,
        "needs": "second_factor" if who.lacks_second_factor else None,
    }


def _issued(bearer: Bearer) -> Response:
    """Return a bearer to the one who earned it."""
    return answers.json(
        {
            "access_token": bearer.token,
            "token_type": "bearer",
            "expires_in": int(bearer.lasts.total_seconds()),
        }
    )
