"""Signing in: a bearer for a password or a one-time link, who holds it, and how it ends."""

import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pydantic import BaseModel

from api import accounts, answers, errors
from api.accounts import NOBODY, Bearer, Caller
from gis.errors import NotSignedIn, TooManyAtOnce, TooManyAttempts

router = APIRouter(tags=["account 账户"])
Token = Annotated[str | None, Depends(OAuth2PasswordBearer("/api/token", auto_error=False))]
"""The bearer as it was sent. Taking it costs no thread; an endpoint asks ``caller`` who it is."""

FREE_FAILURES = 5
LONGEST_WAIT_S = 900
MOST_REMEMBERED = 10_000


def caller(token: str | None) -> Caller:
    """Return who asks: nobody in particular without a bearer; raises NotSignedIn for a bad one."""
    return NOBODY if token is None else accounts.caller_of(token)


def signed_in(token: str | None) -> Caller:
    """Return the account that asks; raises NotSignedIn."""
    if token is None:
        raise NotSignedIn
    return accounts.caller_of(token)


class Backoff:
    """Makes whoever guesses passwords wait: 1, 2, 4 … 900 s after five failures at one name from one address.

    Kept in memory, for each worker, and bounded: it slows guessing down, it is no record of people.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nobody waiting."""
        self._clock = clock
        self._lock = threading.RLock()
        self._failures: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    def attempt(self, who: tuple[str, str]) -> None:
        """Count an attempt as a failure before it is made, so that a crowd of guesses at once is no way round.

        Raises TooManyAttempts; ``succeeded`` takes it back.
        """
        with self._lock:
            self.check(who)
            self.failed(who)

    def check(self, who: tuple[str, str]) -> None:
        """Raise TooManyAttempts where the wait after the last failure is not over."""
        with self._lock:
            count, last = self._failures.get(who, (0, 0.0))
        over = count - FREE_FAILURES
        wait_s = 0 if over < 0 else min(2 ** min(over, 20), LONGEST_WAIT_S) - (self._clock() - last)
        if wait_s > 0:
            raise TooManyAttempts(wait_s=int(wait_s) + 1)

    def failed(self, who: tuple[str, str]) -> None:
        """Remember a failure; the oldest are forgotten when there are too many."""
        with self._lock:
            count, _ = self._failures.pop(who, (0, 0.0))
            self._failures[who] = (count + 1, self._clock())
            while len(self._failures) > MOST_REMEMBERED:
                self._failures.popitem(last=False)

    def succeeded(self, who: tuple[str, str]) -> None:
        """Forget the failures of somebody who knew the password after all."""
        with self._lock:
            self._failures.pop(who, None)


backoff = Backoff()
_hashing = threading.BoundedSemaphore(4)
"""Each argon2id takes 64 MiB: a crowd at the door must not take the machine's memory."""
_waiting = threading.BoundedSemaphore(12)
"""Nor every thread: those who wait for their turn hold one each, and the map has to answer meanwhile."""


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for a turn to hash a password; raises TooManyAtOnce where too many wait already."""
    if not _waiting.acquire(blocking=False):
        raise TooManyAtOnce(wait_s=5)
    try:
        with _hashing:
            yield
    finally:
        _waiting.release()


class Issued(BaseModel):
    """A bearer, as OAuth2 words it."""

    access_token: str
    token_type: str
    expires_in: int


ISSUED: dict[int | str, dict[str, Any]] = {200: {"model": Issued}}


class FirstStart(BaseModel):
    """What is behind the # of a one-time link, and a password to sign in with from now on."""

    token: str
    password: str | None = None


@router.post("/api/token", responses=ISSUED | errors.documented(401, 422, 429, 503))
def sign_in(request: Request, form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> Response:
    """Exchange name and password for a bearer of twelve hours (OAuth2 password form)."""
    name = unicodedata.normalize("NFC", form.username)
    who = (name[:100], request.client.host if request.client else "")
    with _turn():
        backoff.attempt(who)
        bearer = accounts.sign_in(name, form.password)
    backoff.succeeded(who)
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
    with _turn():
        return _issued(accounts.redeem_link(link.token, link.password))


@router.get("/api/session", responses=errors.documented(401, 503))
def session(token: Token) -> Response:
    """Tell who is signed in, with roles and divisions; without a bearer the actor is null."""
    who = caller(token)
    if not who.signed_in:
        return answers.json({"actor": None})
    grants = [{"role": each.role, "division": each.division, "until": each.until} for each in who.grants]
    roles = sorted({each.role.value for each in who.grants})
    return answers.json({"actor": {"name": who.name, "roles": roles, "grants": grants, "expires_at": who.expires_at}})


def _issued(bearer: Bearer) -> Response:
    """Return a bearer to the one who earned it."""
    return answers.json(
        {
            "access_token": bearer.token,
            "token_type": "bearer",
            "expires_in": int(bearer.lasts.total_seconds()),
        }
    )
