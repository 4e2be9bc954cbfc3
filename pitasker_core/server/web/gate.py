"""The gate: every HTTP request and websocket needs a session or a token.

This is pure ASGI, because Starlette's `BaseHTTPMiddleware` does not see websockets, and the
dashboard works by a websocket.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio.to_thread
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse, Response

from pitasker_core.base import timings
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import NotFound, NotSignedIn, PiTaskerError, ReadOnly, UnknownCrontab
from pitasker_core.base.text import marked
from pitasker_core.server import auth
from pitasker_core.server.answers.problems import error_shape
from pitasker_core.server.auth import Role
from pitasker_core.server.sites import Site
from pitasker_core.server.web import content_policy, plain_page, request_origin
from pitasker_core.server.web.open_tab import SIGNED_OUT, OpenTab
from pitasker_core.server.web.request_origin import (
    SAFE_METHODS,
    ForeignOrigin,
    NotUpgraded,
    Refused,
)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Preview = Callable[[str], str]
"""Makes the inert HTML that a page shows at first, for the browser with this User-Agent."""

MANIFEST = "/manifest.webmanifest"
"""The manifest of the dashboard as an app."""

ICONS = tuple(f"/icons/{name}.png" for name in ("192", "512", "maskable-512", "apple-180"))
"""The app's icons. The last one is for Apple's devices, which do not read the manifest's."""

OPEN = {"/login", "/healthz", "/_stcore/health", MANIFEST, *ICONS}
"""Paths that need no sign-in. Browsers fetch the manifest without cookies."""

CONNECTION = "/connection"
"""A page asks here, by POST, why its websocket was refused. The gate judges both alike."""

_SCRIPTS = "".join(
    f"<script>{Path(__file__).with_name(name).read_text()}</script>"
    for name in ("page.js", "theme.js", "preview.js")
)
"""Our scripts in every page. In the page itself: a page waits for scripts before Streamlit's."""

_HEAD = (
    f'<head>{_SCRIPTS}<link rel="manifest" href="{MANIFEST}">'
    f'<link rel="apple-touch-icon" href="{ICONS[-1]}">'
    '<meta name="theme-color" content="#fbfbfa" media="(prefers-color-scheme: light)">'
    '<meta name="theme-color" content="#111615" media="(prefers-color-scheme: dark)">'
).encode()
"""What each HTML page gets at the beginning of its head. The colours are the backgrounds."""

PAGE_HEADER = "x-pitasker-page"
"""Our script adds this header. Browsers do not let pages of other sites send it."""

_STREAM = "/_stcore/stream"
"""The path of Streamlit's websocket."""

HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    # Responses with their own cache-control keep it: scripts and styles that never change.
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"content-security-policy", content_policy.header()),
]

_log = logging.getLogger(__name__)


class Gate:
    """Refuse requests without sign-in or from other sites, and add the security headers."""

    def __init__(self, app: App, previews: Mapping[str, Preview] | None = None) -> None:
        self._app = app
        self._previews = previews or {}
        """By the path of their page."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request or websocket, or answer it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        request_origin.set_client(connection)
        try:
            answer = await _admit(connection)
        except PiTaskerError as problem:
            _log_refusal(connection, problem)
            answer = _respond(connection, problem)
        if answer is None and scope["type"] == "http":
            is_document = _is_document(connection)
            if is_document:
                preview = await self._preview(connection)
                send = _with_script(send, preview)
            sending = _with_headers(send)
            with timings.timed("request"):
                await self._app(_admitted(connection, is_document=is_document), receive, sending)
        elif answer is None:
            tab = OpenTab(receive, send, _is_signed_in_as_now(connection))
            await tab.serve(self._app, _admitted(connection))
        elif scope["type"] == "websocket":
            await receive()
            # Closed before it is accepted, so the browser sees HTTP 403.
            await send({"type": "websocket.close", "code": SIGNED_OUT})
        else:
            await answer(scope, receive, _with_headers(send))

    async def _preview(self, connection: HTTPConnection) -> bytes:
        """Return what a page shows while Streamlit's scripts load."""
        make = self._previews.get(connection.scope["path"])
        is_signed_in = connection.scope["state"]["role"] is not None
        if make is None or not is_signed_in or connection.url.query:
            return b""
        agent = connection.headers.get("user-agent", "")
        try:
            return (await anyio.to_thread.run_sync(make, agent)).encode()
        except Exception:  # the page itself works without its preview
            _log.exception("There is no preview of %s.", connection.scope["path"])
            return b""


async def _admit(connection: HTTPConnection) -> Response | None:
    """None to pass it on, or a redirect to the sign-in page. Raises PiTaskerError to refuse."""
    scope = connection.scope
    environment = Environment.from_environment()
    sites = request_origin.possible_sites(connection, environment)
    is_websocket = scope["type"] == "websocket"
    path = scope["path"]  # the routes use this; `connection.url` also depends on the Host header
    scope.setdefault("state", {}).update(role=None, sites=sites)
    if path in OPEN:
        return None
    if path == _STREAM and not is_websocket:
        raise NotUpgraded
    by_token = _token(connection)
    role = await _role(connection, environment, sites, by_token)
    scope["state"]["role"] = role
    if role is None:
        if is_websocket or _is_for_programs(path):
            raise NotSignedIn
        query = f"?{query}" if (query := connection.url.query) else ""
        return RedirectResponse(
            "/login" if path == "/" and not query else f"/login?next={quote(path + query)}", 303
        )
    is_api = path.startswith("/api/")
    if is_api and not is_websocket and scope["method"] not in SAFE_METHODS:
        if role is Role.READ:
            raise ReadOnly
        is_our_page = "origin" in connection.headers and PAGE_HEADER in connection.headers
        if by_token is None and not is_our_page:
            raise ForeignOrigin(
                "An API call that changes something needs a token. With a cookie, only "
                "PiTasker's own pages may change something.",
                marked("`./pitasker token new NAME` makes a token."),
            )
    if is_api and "\n" in path:
        # Starlette would answer in a format that is not ours.
        raise NotFound("There is nothing at this address.")
    return None


def _is_for_programs(path: str) -> bool:
    return path in ("/api", CONNECTION) or path.startswith(("/api/", "/metrics"))


def _token(connection: HTTPConnection) -> str | None:
    kind, _, token = connection.headers.get("authorization", "").partition(" ")
    is_taken = connection.scope["path"].startswith(("/api/", "/metrics"))
    return token.strip() if kind.lower() == "bearer" and is_taken else None


async def _role(
    connection: HTTPConnection, environment: Environment, sites: list[Site], token: str | None
) -> Role | None:
    if token is not None:
        # They import the database's packages, which the sign-in page does not need.
        from pitasker_core.server import crontabs, tokens

        try:
            is_reading = connection.scope.get("method") in SAFE_METHODS
            if is_reading and (role := tokens.remembered_role(environment, token)):
                return role
            return await anyio.to_thread.run_sync(tokens.remember_role, environment, token)
        except UnknownCrontab:
            # A token of any candidate crontab may decide which crontab this is.
            if connection.scope["path"].startswith("/api/crontabs"):
                return await anyio.to_thread.run_sync(crontabs.role_of, environment, token)
            raise
    login = auth.session(environment, auth.cookies_of(sites, connection.cookies))
    return login.role if login else None


def _is_signed_in_as_now(connection: HTTPConnection) -> Callable[[], bool]:
    """Make a function that returns whether a websocket's session still exists with its role."""
    cookies = auth.cookies_of(connection.scope["state"]["sites"], connection.cookies)

    def login() -> auth.Login | None:
        return auth.session(Environment.from_environment(), cookies)

    now = login()
    return lambda: now is not None and login() == now


def _log_refusal(connection: HTTPConnection, problem: PiTaskerError) -> None:
    is_websocket = connection.scope["type"] == "websocket"
    what = "websocket" if is_websocket else connection.scope["method"]
    client = connection.client.host if connection.client else "an unknown address"
    path = quote(connection.scope["path"])[:100]
    if isinstance(problem, Refused):
        _log.warning("Refused %s %s from %s: %s", what, path, client, problem.user_message)
    elif is_websocket:  # a tab that was open when its session ended
        _log.info("Refused %s %s from %s: %s", what, path, client, problem.user_message)


_STATUS = {NotSignedIn: 401, ReadOnly: 403, NotFound: 404, UnknownCrontab: 409}


def _respond(connection: HTTPConnection, problem: PiTaskerError) -> Response:
    """The refusal, as a page for people or as JSON for programs."""
    status = 503
    if isinstance(problem, Refused):
        status = problem.status
    for kind, number in _STATUS.items():
        if isinstance(problem, kind):
            status = number
    if "text/html" in connection.headers.get("accept", ""):
        return plain_page.respond(
            "PiTasker: refused", problem.message, problem.advice, status=status
        )
    headers = {"www-authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse(error_shape(problem), status, headers)


def _admitted(connection: HTTPConnection, *, is_document: bool = False) -> Scope:
    """The scope for the application, with only this site's cookies of ours."""
    scope = connection.scope
    names = {auth.cookie_name(site) for site in scope["state"]["sites"]}
    is_websocket = scope["type"] == "websocket"
    dropped = {b"accept-encoding", b"if-none-match", b"if-modified-since", b"range"}
    headers = []
    for name, value in scope["headers"]:
        if name == b"cookie":
            value = auth.without_cookies_of_others(value.decode("latin-1"), names).encode("latin-1")
        elif name == b"host" and is_websocket and "origin" in connection.headers:
            # Streamlit compares Host and Origin, and a proxy may have changed the host. The gate
            # has checked the origin already.
            value = connection.headers["origin"].partition("://")[2].encode("latin-1")
        elif is_document and name in dropped:
            continue  # we add our script to the page, so it must come whole and uncompressed
        headers.append((name, value))
    return {**scope, "headers": headers}


def _is_document(connection: HTTPConnection) -> bool:
    accepted = connection.headers.get("accept", "")
    return connection.scope["method"] == "GET" and "text/html" in accepted


def _with_headers(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message.get("headers", [])}
            added = [pair for pair in HEADERS if pair[0] not in present]
            message = {**message, "headers": [*message.get("headers", []), *added]}
        await send(message)

    return sending


def _with_script(send: Send, preview: bytes) -> Send:
    """Insert our scripts into an HTML page, before all others, what makes it an app, and a preview.

    The preview is inert HTML.
    """
    start: MutableMapping[str, Any] | None = None
    body = b""

    async def sending(message: MutableMapping[str, Any]) -> None:
        nonlocal start, body
        if message["type"] == "http.response.start":
            kinds = [value for name, value in message["headers"] if name == b"content-type"]
            if any(kind.startswith(b"text/html") for kind in kinds):
                start = message
                return
        elif start is not None and message["type"] == "http.response.body":
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            body = body.replace(b"<head>", _HEAD, 1)
            changed = {b"content-length", b"etag", b"last-modified", b"content-security-policy"}
            headers = [pair for pair in start["headers"] if pair[0] not in changed]
            # Before the preview, which has text from outside.
            headers.append((b"content-security-policy", content_policy.header(body)))
            body = body.replace(b"</body>", preview + b"</body>", 1)
            headers.append((b"content-length", str(len(body)).encode()))
            await send({**start, "headers": headers})
            message = {**message, "body": body}
        await send(message)

    return sending
