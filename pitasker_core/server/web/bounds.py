"""Size limits of request bodies and websocket messages, applied before anything reads them.

This is pure ASGI behind the gate, because the limits depend on the role.
"""

from collections import Counter
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from pitasker_core.base import errors
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.server.answers.problems import error_shape
from pitasker_core.server.auth import Role
from pitasker_core.server.web.gate import App, Receive, Scope, Send

UPLOAD = "/_stcore/upload_file/"
"""The path of Streamlit's uploads: a crontab, a backup, or files of tasks and templates."""

WHOLE_TEXTS = (
    "/api/crontab/raw",
    "/api/task-files/import",
    "/api/task-files/import/preview",
    "/api/templates",
)
"""The paths of the API that take a whole crontab, or a file of tasks."""


@dataclass(frozen=True)
class Limits:
    """Bytes of bodies and messages, and the number of websockets of an address."""

    stranger: int = 4_096
    """Enough for a password or a link."""
    body: int = 262_144
    """Enough for a task with long notes, or a list of 10,000 ids. Python's objects of a JSON text
    take up to 400 times its size."""
    crontab: int = 4_000_000
    """A crontab has at most 10,000 lines. JSON needs six bytes for some characters."""
    upload: int = 1_100_000
    """The uploader's limit of 1 MB, and multipart's overhead."""
    read_message: int = 524_288
    """A websocket message of a session that may only read: the widgets of one page."""
    write_message: int = 4_000_000
    websockets: int = 64


class TooLarge(PiTaskerError):
    """A request that is larger than any valid one."""

    code = "INVALID_REQUEST"
    recoverable = False


class Bounded:
    """Refuse requests and messages that are too large, while they come in."""

    def __init__(self, app: App, limits: Limits | None = None) -> None:
        self._app = app
        self._limits = limits or Limits()
        self._websockets: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request or websocket with its limits."""
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        most = self._most_bytes(scope)
        if refusal := _refusal(scope, headers, most):
            await refusal(scope, receive, send)
            return
        left = most

        async def receiving() -> MutableMapping[str, Any]:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, "This request is too large")
            return message

        try:
            await self._app(scope, receiving, send)
        except ClientDisconnect:
            return  # the client went away while its body was read

    def _most_bytes(self, scope: Scope) -> int:
        limits, path = self._limits, scope["path"]
        if scope["state"].get("role") is None:
            return limits.stranger
        if path in WHOLE_TEXTS:
            return limits.crontab
        return limits.upload if path.startswith(UPLOAD) else limits.body

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = scope["client"][0] if scope.get("client") else ""
        if self._websockets[address] >= self._limits.websockets:
            await receive()
            await send({"type": "websocket.close", "code": 1013})  # try again later
            return
        is_reader = scope["state"].get("role") is Role.READ
        most = self._limits.read_message if is_reader else self._limits.write_message

        async def receiving() -> MutableMapping[str, Any]:
            message = await receive()
            if _size(message) > most:
                await send({"type": "websocket.close", "code": 1009})  # too big
                return {"type": "websocket.disconnect", "code": 1009}
            return message

        self._websockets[address] += 1
        try:
            await self._app(scope, receiving, send)
        finally:
            self._websockets[address] -= 1
            if not self._websockets[address]:
                del self._websockets[address]


def _refusal(scope: Scope, headers: Mapping[str, str], most: int) -> Response | None:
    """The answer to a request that is refused because of its headers."""
    is_upload = scope["path"].startswith(UPLOAD)
    if is_upload and scope["state"].get("role") is Role.READ and scope["method"] != "OPTIONS":
        return JSONResponse(error_shape(errors.ReadOnly()), 403)
    if not is_upload and headers.get("content-type", "").lower().startswith("multipart/"):
        # Starlette would store the parts in files, and none of our pages needs them.
        problem = TooLarge("This address accepts no files.")
        return JSONResponse(error_shape(problem), 415)
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:20]) > most:
        problem = TooLarge(f"This request is too large: the limit is {most} bytes.")
        return JSONResponse(error_shape(problem), 413)
    return None


def _size(message: Mapping[str, Any]) -> int:
    return len(message.get("bytes") or b"") + len(message.get("text") or "")
