"""The gate: nothing of PiTasker is reached, by HTTP or by websocket, without being signed in.

Pure ASGI, because Starlette's simpler kind of middleware never sees a websocket, and the websocket
is the dashboard.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote, urlsplit

import anyio.to_thread
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response

from pitasker_core import auth, measure, shapes, tokens
from pitasker_core.auth import Role
from pitasker_core.errors import NotFound, NotSignedIn, PiTaskerError, ReadOnly
from pitasker_core.settings import Settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN = {"/login", "/healthz", "/_stcore/health"}
"""What anybody may reach."""

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    # Not for what says itself how long it keeps: the scripts and styles that never change.
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    # Streamlit needs inline styles and code; what it never needs is to be framed, or to post to
    # or load objects from elsewhere.
    (
        b"content-security-policy",
        b"frame-ancestors 'none'; object-src 'none'; base-uri 'self'; form-action 'self'",
    ),
]


class Gate:
    """Refuse what is not signed in or comes from another site; add the security headers."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request or websocket through, or answer it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        refusal = await self._refusal(connection)
        if refusal is None and scope["type"] == "http":
            with measure.timed("request"):
                await self._app(scope, receive, _with_headers(send))
        elif refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            # Before it is accepted: the browser sees HTTP 403.
            await send({"type": "websocket.close", "code": 4401})
        else:
            await refusal(scope, receive, _with_headers(send))

    async def _refusal(self, connection: HTTPConnection) -> Response | None:
        scope = connection.scope
        settings = Settings.from_environment()
        is_websocket = scope["type"] == "websocket"
        if (is_websocket or scope["method"] not in SAFE_METHODS) and not _same_site(
            connection, settings
        ):
            return _told(PermissionOfSite(), 403)
        path = scope["path"]  # what the routes look at, whatever the host's name makes of it
        scope.setdefault("state", {})["role"] = None
        if path in OPEN:
            return None
        try:
            role = await _role(connection, settings)
        except PiTaskerError as problem:
            return _told(problem, 503)
        scope["state"]["role"] = role
        if role is None:
            if is_websocket or path == "/api" or path.startswith(("/api/", "/metrics")):
                return _told(NotSignedIn(), 401)
            return RedirectResponse(f"/login?next={quote(path)}" if path != "/" else "/login", 303)
        is_api = path.startswith("/api/")
        if role is Role.READ and is_api and scope["method"] not in SAFE_METHODS:
            return _told(ReadOnly(), 403)
        if is_api and "\n" in path:
            # Starlette finds no application there, and would say so in a shape that is not ours.
            return _told(NotFound("There is nothing at this address."), 404)
        return None


class PermissionOfSite(PiTaskerError):
    """A request that another site made a browser send."""

    code = "FOREIGN_ORIGIN"
    recoverable = False

    def __init__(self) -> None:
        super().__init__("This request comes from another site.", "Nothing was done.")


async def _role(connection: HTTPConnection, settings: Settings) -> Role | None:
    kind, _, token = connection.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and connection.scope["path"].startswith(("/api/", "/metrics")):
        return await anyio.to_thread.run_sync(tokens.role_of, settings, token.strip())
    login = auth.session(settings, connection.cookies.get(auth.COOKIE))
    return login.role if login else None


def _same_site(connection: HTTPConnection, settings: Settings) -> bool:
    """Whether a browser sent this from our own pages; what is no browser sends no Origin."""
    if connection.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return False
    origin = connection.headers.get("origin")
    if origin is None:
        return True
    ours = {connection.headers.get("host", "").lower()}
    if settings.base_url:
        ours.add(urlsplit(settings.base_url).netloc.lower())
    return urlsplit(origin).netloc.lower() in ours


def _told(problem: PiTaskerError, status: int) -> Response:
    headers = {"www-authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse(shapes.error(problem), status, headers)


def _with_headers(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message.get("headers", [])}
            added = [pair for pair in HEADERS if pair[0] not in present]
            message = {**message, "headers": [*message.get("headers", []), *added]}
        await send(message)

    return sending
