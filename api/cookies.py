"""The page's session in a cookie: no script can read it, no other site can use it.

``__Host-`` and Secure wherever the service is reached by https (its own, or by MENPAI_PUBLIC_URL before a
proxy); HttpOnly and SameSite=Strict always. A request by cookie counts only where a header says that a
page of this service made it: another site's form cannot set one, and its script would have to ask first
(CORS), which no answer here allows. A bearer in the Authorization header needs none of this.
"""

from fastapi.responses import Response
from fastapi.security import OAuth2PasswordBearer
from starlette.requests import HTTPConnection

from api.accounts import Bearer
from gis import settings

PLAIN, SECURE = "menpai", "__Host-menpai"
MARK = "X-Menpai"
"""The header by which a page says that it is ours; its value says nothing."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class SessionToken(OAuth2PasswordBearer):
    """Takes the token of a session from the Authorization header, else from the cookie."""

    async def __call__(self, request: HTTPConnection) -> str | None:
        """Return the token as it was sent; None where there is none, or another site may have sent it."""
        return await super().__call__(request) or of_page(request)


def of_page(request: HTTPConnection) -> str | None:
    """Return the token of a page's session; None where the request may be another site's."""
    token = request.cookies.get(_name(request))
    return token if token and is_ours(request) else None


def is_ours(request: HTTPConnection) -> bool:
    """Tell whether a request is from a page of this service, as far as it could change anything."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        return False
    return request.scope["method"] in SAFE or MARK in request.headers


def give(request: HTTPConnection, answer: Response, bearer: Bearer) -> Response:
    """Let an answer set the page's session."""
    answer.set_cookie(
        _name(request),
        bearer.token,
        max_age=int(bearer.lasts.total_seconds()),
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="strict",
    )
    return answer


def take_away(request: HTTPConnection, answer: Response) -> Response:
    """Let an answer end the page's session in the browser."""
    answer.delete_cookie(_name(request), path="/", secure=is_secure(request), httponly=True, samesite="strict")
    return answer


def _name(request: HTTPConnection) -> str:
    """Return the cookie's name; the prefix makes browsers refuse it from a subdomain or without https."""
    return SECURE if is_secure(request) else PLAIN


def is_secure(request: HTTPConnection) -> bool:
    """Tell whether browsers reach the service by https."""
    return request.url.scheme == "https" or (settings.read().public_url or "").startswith("https:")
