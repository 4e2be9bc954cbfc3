"""Compress Streamlit's scripts and styles, once for each file.

A page needs 7 MB of them, which is slow on Wi-Fi. Streamlit leaves their compression to a proxy.
"""

import gzip
import re
from collections.abc import MutableMapping
from typing import Any

import anyio.to_thread
from starlette.datastructures import Headers, MutableHeaders

from pitasker_core.server.web.gate import App, Receive, Scope, Send

MOST_BYTES = 8_000_000
"""The limit of the compressed files in memory. All of Streamlit's files together are smaller."""

_LEVEL = 6
_FILE = re.compile(r"/static/.+\.(?:js|css)")
_PARTIAL = ("range", "if-none-match", "if-modified-since")
"""Headers of requests whose answer is not the whole file."""

Message = MutableMapping[str, Any]


class Compressed:
    """Send files that never change with gzip, to clients that accept it."""

    def __init__(self, app: App, most_bytes: int = MOST_BYTES) -> None:
        self._app = app
        self._left = most_bytes
        self._files: dict[str, list[Message]] = {}
        """The messages of each answer, by the path of its file."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not _may_compress(scope):
            await self._app(scope, receive, send)
            return
        messages = self._files.get(scope["path"])
        if messages is None:
            messages = await self._compress(scope, receive)
        for message in messages:
            await send({**message})

    async def _compress(self, scope: Scope, receive: Receive) -> list[Message]:
        """Return the messages of an answer, and keep them if they are compressed."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        if not messages:
            return messages  # its browser had gone before
        start, body = messages[0], b"".join(part.get("body", b"") for part in messages[1:])
        headers = MutableHeaders(raw=list(start["headers"]))
        # The answer to a browser that has gone ends early.
        is_whole = headers.get("content-length") == str(len(body))
        is_kept = "immutable" in headers.get("cache-control", "")
        if start["status"] != 200 or not is_whole or not is_kept:
            return messages
        headers.add_vary_header("Accept-Encoding")
        plain = [{**start, "headers": headers.raw}, *messages[1:]]
        packed = await anyio.to_thread.run_sync(gzip.compress, body, _LEVEL)
        if len(packed) > self._left:
            return plain
        headers["content-encoding"], headers["content-length"] = "gzip", str(len(packed))
        if etag := headers.get("etag"):
            headers["etag"] = f"W/{etag.removeprefix('W/')}"  # the bytes are others
        if scope["path"] not in self._files:
            self._left -= len(packed)
        self._files[scope["path"]] = [
            {**start, "headers": headers.raw},
            {"type": "http.response.body", "body": packed},
        ]
        return self._files[scope["path"]]


def _may_compress(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return (
        scope["method"] == "GET"
        and _FILE.search(scope["path"]) is not None
        and re.search(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))", headers.get("accept-encoding", ""))
        is not None
        and not any(name in headers for name in _PARTIAL)
    )
