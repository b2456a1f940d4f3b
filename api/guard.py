"""What stands around every request: the headers browsers obey, a limit on bodies, and the last net for faults."""

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import cookies, errors

LARGEST_BODY_BYTES = 64 * 1024
"""No door takes more than a form yet."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self';"
    " font-src 'self'; worker-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
BY_HTTPS = "max-age=31536000; includeSubDomains"
"""Strict-Transport-Security, sent where people reach the service by https; elsewhere browsers ignore it."""
NOT_KEPT = "no-store"
"""What an answer says of caches where its door says nothing: keep no copy."""


class Guard:
    """ASGI middleware: adds the headers, counts the body's bytes, and turns a fault into a bare 500."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; whatever comes back leaves with the headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["method"] == "HEAD":  # the server sends the headers of a GET and keeps the body to itself
            scope = dict(scope, method="GET")
        started = False
        left = LARGEST_BODY_BYTES

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413)
            return message

        async def dressed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _dress(MutableHeaders(scope=message), scope)
            await send(message)

        try:
            await self.app(scope, counted, dressed)
        except Exception as error:
            if started:  # half an answer cannot be taken back; the server closes the connection
                raise
            await errors.answer(None, error)(scope, receive, dressed)


def _dress(headers: MutableHeaders, scope: Scope) -> None:
    """Add what browsers obey to an answer's headers."""
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Cache-Control", NOT_KEPT)
    if cookies.is_secure(HTTPConnection(scope)):
        headers["Strict-Transport-Security"] = BY_HTTPS
