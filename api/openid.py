"""Signing in at an OpenID provider: code flow with PKCE, state and nonce, at the one provider the settings name.

Whoever comes back is let in only as an account that an administrator has linked to them before; nobody is
made an account by coming. Roles that need a second factor still wait for it here. No address that a
request names is ever asked: the provider is a setting, and so is where it sends people back to.
"""

import secrets
import time
from dataclasses import dataclass
from functools import lru_cache
from hmac import compare_digest
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import text

from api import answers, cookies, errors
from api.accounts import Bearer
from api.accounts.entering import enter_by_provider
from api.accounts.tokens import digest_of
from gis import settings
from gis.errors import ProviderRefused
from gis.store import session

router = APIRouter(prefix="/api/openid", tags=["account 账户"])
STATE_COOKIE = "menpai-openid"
STATE_LASTS_S = 600
PATIENCE_S = 10
METADATA_KEPT_S = 600
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
LONGEST_TOKEN = 16_384
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True)
class Provider:
    """The provider of the settings, and what it says of itself."""

    issuer: str
    client_id: str
    client_secret: str | None
    back_to: str
    metadata: dict[str, Any]

    def client(self, state: str | None = None) -> OAuth2Session:
        """Return an OAuth2 client of it, with PKCE."""
        return OAuth2Session(
            self.client_id,
            self.client_secret,
            scope="openid",
            redirect_uri=self.back_to,
            state=state,
            code_challenge_method="S256",
        )


@router.get("", responses=errors.documented(503))
def configured() -> Response:
    """Tell which provider people may sign in at; null where none is."""
    return answers.json({"provider": settings.read().oidc_issuer})


@router.get("/start", status_code=303, responses=errors.documented(401, 503))
def start(request: Request) -> Response:
    """Send a browser to the provider."""
    provider = _provider()
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    with session.open("accounts") as connection:
        connection.execute(text("DELETE FROM reg.account_provider_requests WHERE expires_at < now()"))
        connection.execute(
            text(
                "INSERT INTO reg.account_provider_requests (digest, nonce, verifier, expires_at)"
                " VALUES (:digest, :nonce, :verifier, now() + make_interval(secs => :lasts_s))"
            ),
            {"digest": digest_of(state), "nonce": nonce, "verifier": verifier, "lasts_s": STATE_LASTS_S},
        )
    there, _ = provider.client().create_authorization_url(
        provider.metadata["authorization_endpoint"], state=state, nonce=nonce, code_verifier=verifier
    )
    answer = RedirectResponse(there, 303)
    # Lax: it has to come along when the provider sends the browser back
    answer.set_cookie(
        STATE_COOKIE,
        state,
        max_age=STATE_LASTS_S,
        path="/api/openid",
        secure=cookies.is_secure(request),
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get("/return", status_code=303, responses=errors.documented(401, 422, 503))
def come_back(
    request: Request,
    state: Annotated[str, Query(max_length=200)],
    code: Annotated[str, Query(max_length=2000)] = "",
) -> Response:
    """Let in whom the provider sent back, in the same browser, once; the page's session begins."""
    if not compare_digest(request.cookies.get(STATE_COOKIE, "").encode(), state.encode()) or not code:
        raise ProviderRefused(why="it did not begin in this browser, or was broken off")
    provider = _provider()
    with session.open("accounts") as connection:
        kept = connection.execute(
            text(
                "DELETE FROM reg.account_provider_requests WHERE digest = :digest AND expires_at > now()"
                " RETURNING nonce, verifier"
            ),
            {"digest": digest_of(state)},
        ).first()
    if kept is None:
        raise ProviderRefused(why="it took too long or was used before")
    claims = _claims(provider, code, kept.nonce, kept.verifier)
    answer = RedirectResponse("/own", 303)
    answer.delete_cookie(STATE_COOKIE, path="/api/openid")
    return cookies.give(request, answer, _enter(provider.issuer, str(claims["sub"])))


def _enter(issuer: str, subject: str) -> Bearer:
    """Open a session for whoever is linked to an identity; raises ProviderRefused where nobody is."""
    with session.open("accounts") as connection:
        account = connection.execute(
            text(
                "SELECT a.id FROM reg.account_identities i JOIN reg.accounts a ON a.id = i.account_id"
                " WHERE i.issuer = :issuer AND i.subject = :subject AND a.disabled_at IS NULL"
            ),
            {"issuer": issuer, "subject": subject},
        ).scalar_one_or_none()
        if account is None:
            raise ProviderRefused(why="no account is linked to you; an administrator of accounts can link one")
        return enter_by_provider(connection, account)


def _claims(provider: Provider, code: str, nonce: str, verifier: str) -> dict[str, Any]:
    """Exchange a code for an identity, signed by the provider for us and for this sign-in; raises ProviderRefused."""
    token = _identity(provider, code, verifier)
    asked = {"iss": provider.issuer, "aud": provider.client_id, "nonce": nonce}
    exact = {name: {"essential": True, "value": value} for name, value in asked.items()}
    there = {name: {"essential": True} for name in ("sub", "exp", "iat")}
    try:
        keys = KeySet.import_key_set(cast("Any", _fetched(provider.metadata["jwks_uri"])))
        claims: dict[str, Any] = jwt.decode(token, keys, ALGORITHMS).claims
        jwt.JWTClaimsRegistry(leeway=60, **cast("Any", exact | there)).validate(claims)
    except (JoseError, ValueError, KeyError, requests.RequestException) as error:
        raise ProviderRefused(why="the provider's word does not hold") from error
    return claims


def _identity(provider: Provider, code: str, verifier: str) -> str:
    """Return the identity token a provider gives for a code; raises ProviderRefused."""
    where = provider.metadata["token_endpoint"]
    try:
        with provider.client() as client:
            granted = client.fetch_token(where, code=code, code_verifier=verifier, timeout=PATIENCE_S)
    except (AuthlibBaseError, requests.RequestException, ValueError) as error:
        raise ProviderRefused(why="the provider refused the code") from error
    token = str(granted.get("id_token", ""))
    if len(token) > LONGEST_TOKEN:
        raise ProviderRefused(why="the provider's word is too long")
    return token


def _provider() -> Provider:
    """Return the provider the settings name; raises ProviderRefused where none is, or it is not as it says."""
    here = settings.read()
    if not here.oidc_issuer or not here.oidc_client_id or not here.public_url:
        raise ProviderRefused(
            why="no provider is set up (MENPAI_OIDC_ISSUER, MENPAI_OIDC_CLIENT_ID, MENPAI_PUBLIC_URL)"
        )
    try:
        metadata = _metadata(here.oidc_issuer, int(time.time()) // METADATA_KEPT_S)
    except (requests.RequestException, ValueError) as error:
        raise ProviderRefused(why="the provider does not answer") from error
    if metadata.get("issuer") != here.oidc_issuer:
        raise ProviderRefused(why="the provider calls itself something else")
    back_to = f"{here.public_url}/api/openid/return"
    return Provider(here.oidc_issuer, here.oidc_client_id, here.oidc_client_secret, back_to, metadata)


@lru_cache(maxsize=4)
def _metadata(issuer: str, _period: int) -> dict[str, Any]:
    """Return what a provider says of itself, asked anew every ten minutes."""
    return _fetched(f"{issuer}/.well-known/openid-configuration")


def _fetched(address: str) -> dict[str, Any]:
    """Return JSON from the provider, by https unless it is on this machine; raises ValueError, RequestException."""
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        message = "a provider is reached by https"
        raise ValueError(message)
    answer = requests.get(address, timeout=PATIENCE_S, allow_redirects=False)
    answer.raise_for_status()
    content: dict[str, Any] = answer.json()
    return content
