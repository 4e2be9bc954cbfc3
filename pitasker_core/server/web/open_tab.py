"""A tab of the dashboard that is open: its websocket lives as long as its session.

Every run of a page's script, of a part that refreshes itself, of a dialog and of a callback begins
with a message of this websocket. So they all pass here, and none can forget to ask.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from pitasker_core.base.errors import PiTaskerError

Message = MutableMapping[str, Any]

SIGNED_OUT = 4401
"""The code that closes a websocket whose session ended: page.js then loads the page anew."""

LOOK_EVERY = 0.5
"""Seconds between two looks whether the session goes on."""


class OpenTab:
    """One websocket, and whether somebody is signed in on it.

    `is_signed_in` may raise PiTaskerError: what cannot be read lets nobody in.
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
        """Run the application until the websocket or its session ends."""
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
        if not self._over.is_set():  # what a script that still runs has to say is for nobody
            await self._send(message)

    async def _watch(self) -> None:
        while await self._goes_on():
            await asyncio.sleep(LOOK_EVERY)

    async def _goes_on(self) -> bool:
        """Whether the session does; closes the websocket, once, when it has ended."""
        if self._over.is_set():
            return False
        with suppress(PiTaskerError):
            if self._is_signed_in():
                return True
        self._over.set()
        with suppress(OSError, RuntimeError):  # the browser went away by itself
            await self._send({"type": "websocket.close", "code": SIGNED_OUT})
        return False
