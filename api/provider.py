"""The OpenID provider of the settings, asked as a client: code for identity, and whether its word holds.

Imported when somebody signs in there: Authlib, joserfc and requests take a good part of a second to load, and
most services have no provider.
"""

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from gis import settings
from gis.errors import ProviderRefused

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


def claims(provider: Provider, code: str, nonce: str, verifier: str) -> dict[str, Any]:
    """Exchange a code for an identity, signed by the provider for us and for this sign-in; raises ProviderRefused."""
    token = _identity(provider, code, verifier)
    asked = {"iss": provider.issuer, "aud": provider.client_id, "nonce": nonce}
    exact = {name: {"essential": True, "value": value} for name, value in asked.items()}
    there = {name: {"essential": True} for name in ("sub", "exp", "iat")}
    try:
        keys = KeySet.import_key_set(cast("Any", fetched(provider.metadata["jwks_uri"])))
        told: dict[str, Any] = jwt.decode(token, keys, ALGORITHMS).claims
        jwt.JWTClaimsRegistry(leeway=60, **cast("Any", exact | there)).validate(told)
    except (JoseError, ValueError, KeyError, requests.RequestException) as error:
        raise ProviderRefused(why="the provider's word does not hold") from error
    return told


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


def find() -> Provider:
    """Return the provider the settings name; raises ProviderRefused where none is, or it is not as it says."""
    here = settings.read()
    if not here.oidc_issuer or not here.oidc_client_id or not here.public_url:
        raise ProviderRefused(
            why="no provider is set up (MENPAI_OIDC_ISSUER, MENPAI_OIDC_CLIENT_ID, MENPAI_PUBLIC_URL)"
        )
    try:
        metadata = metadata_of(here.oidc_issuer, int(time.time()) // METADATA_KEPT_S)
    except (requests.RequestException, ValueError) as error:
        raise ProviderRefused(why="the provider does not answer") from error
    if metadata.get("issuer") != here.oidc_issuer:
        raise ProviderRefused(why="the provider calls itself something else")
    back_to = f"{here.public_url}/api/openid/return"
    return Provider(here.oidc_issuer, here.oidc_client_id, here.oidc_client_secret, back_to, metadata)


@lru_cache(maxsize=4)
def metadata_of(issuer: str, _period: int) -> dict[str, Any]:
    """Return what a provider says of itself, asked anew every ten minutes."""
    return fetched(f"{issuer}/.well-known/openid-configuration")


def fetched(address: str) -> dict[str, Any]:
    """Return JSON from the provider, by https unless it is on this machine; raises ValueError, RequestException."""
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        message = "a provider is reached by https"
        raise ValueError(message)
    answer = requests.get(address, timeout=PATIENCE_S, allow_redirects=False)
    answer.raise_for_status()
    content: dict[str, Any] = answer.json()
    return content
