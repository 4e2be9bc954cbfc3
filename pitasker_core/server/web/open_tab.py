"""An open tab of the dashboard: its websocket ends with its session.

Every script run, fragment, dialog and callback begins with a message on this websocket. So all of
them are checked here.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from pitasker_core.base.errors import PiTaskerError

Message = MutableMapping[str, Any]

SIGNED_OUT = 4401
"""The code that closes a websocket when its session ends. page.js then reloads the page."""

LOOK_EVERY = 0.5
"""Seconds between two checks of the session."""


class OpenTab:
    """One websocket and its session.

    `is_signed_in` may raise PiTaskerError, which counts as signed out.
    """

    def __init__(
        self,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
        is_signed_in: Callable[[], bool],
    ) -> None:
        self._receive, self._send, self._is_signed_in = receive, send, is_signed_in
        self._over = asyncio.Event()

    async def serve(self, app: Callable[..., Awaitable[None]], scope: Any) -> None:
        """Run the application until the websocket or the session ends."""
        watch = asyncio.ensure_future(self._watch())
        try:
            await app(scope, self._next_message, self._pass_on)
        finally:
            watch.cancel()

    async def _next_message(self) -> Message:
        message = asyncio.ensure_future(self._receive())
        over = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait({message, over}, return_when=asyncio.FIRST_COMPLETED)
            if message.done() and await self._goes_on():
                return message.result()
            return {"type": "websocket.disconnect", "code": SIGNED_OUT}
        finally:
            message.cancel()
            over.cancel()

    async def _pass_on(self, message: Message) -> None:
        if not self._over.is_set():  # drop the output of a script that still runs
            await self._send(message)

    async def _watch(self) -> None:
        while await self._goes_on():
            await asyncio.sleep(LOOK_EVERY)

    async def _goes_on(self) -> bool:
        """Whether the session still exists. If not, close the websocket once."""
        if self._over.is_set():
            return False
        with suppress(PiTaskerError):
            if self._is_signed_in():
                return True
        self._over.set()
        with suppress(OSError, RuntimeError):  # the browser is already gone
            await self._send({"type": "websocket.close", "code": SIGNED_OUT})
        return False
