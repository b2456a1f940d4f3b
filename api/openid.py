"""Signing in at an OpenID provider: code flow with PKCE, state and nonce, at the one provider the settings name.

Whoever comes back is let in only as an account that an administrator has linked to them before; nobody is
made an account by coming. Roles that need a second factor still wait for it here. No address that a
request names is ever asked: the provider is a setting, and so is where it sends people back to.
"""

import secrets
from hmac import compare_digest
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
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


@router.get("", responses=errors.documented(503))
def configured() -> Response:
    """Tell which provider people may sign in at; null where none is."""
    return answers.json({"provider": settings.read().oidc_issuer})


@router.get("/start", status_code=303, responses=errors.documented(401, 503))
def start(request: Request) -> Response:
    """Send a browser to the provider."""
    from api import provider as providers  # noqa: PLC0415 - its libraries load when somebody signs in there

    provider = providers.find()
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
    from api import provider as providers  # noqa: PLC0415 - its libraries load when somebody signs in there

    provider = providers.find()
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
    claims = providers.claims(provider, code, kept.nonce, kept.verifier)
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
