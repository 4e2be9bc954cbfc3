"""Limits of connections, which uvicorn does not set: how long one may wait, and how many there are.

Without them whoever reaches the port stops the server with a thousand connections that say nothing.
"""

import asyncio
import ipaddress
import logging
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """How long a connection may take for each part of a request, in seconds; how many may be."""

    header_seconds: float = 10
    body_seconds: float = 60
    answer_seconds: float = 120
    """Until the answer is made, sent and received."""
    rest_seconds: float = 5
    """To go on sending the body of a request that was answered already: closing at once would
    take the answer from the client (RFC 9112, section 9.6)."""
    per_address: int = 128
    """Behind a proxy all people have one address; a browser opens six at once."""
    total: int = 512
    """Well below the 1,024 files that a process may open by default."""


class _Table:
    """The open connections by address, oldest first. Websockets are not among them."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._by_address: dict[str, dict[_Limited, None]] = {}
        self._total = 0

    def enter(self, connection: "_Limited") -> bool:
        """Add a connection, in the place of the oldest that waits if there are too many.

        False when there is no place. The address with the most connections gives its place up, so
        that one that opens many does not keep the others out.
        """
        own = self._by_address.get(connection.address, {})
        if len(own) >= self._limits.per_address:
            crowd = own
        elif self._total >= self._limits.total:
            crowd = max(self._by_address.values(), key=len)
        else:
            crowd = {}
        if crowd:
            oldest = next((other for other in crowd if other.is_waiting), None)
            _log.warning(
                "There are %s connections from %s: the oldest that waited was closed.",
                len(crowd),
                next(iter(crowd)).address,
            )
            if oldest is None:
                return False
            self.leave(oldest)
            oldest.drop()
        self._by_address.setdefault(connection.address, {})[connection] = None
        self._total += 1
        return True

    def leave(self, connection: "_Limited") -> None:
        """Remove a connection, if it is there."""
        own = self._by_address.get(connection.address, {})
        if connection in own:
            del own[connection]
            self._total -= 1
            if not own:
                del self._by_address[connection.address]


class _Limited(H11Protocol):
    """One connection, from its beginning to its end or to its upgrade to a websocket."""

    limits: Limits
    table: _Table

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.address = ""
        self._phase = ""
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether the client has not sent its whole request yet."""
        return self._phase in ("header", "body", "rest")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.address = group_of(self.client[0] if self.client else "")
        if self.table.enter(self):
            self._watch()
        else:
            self.drop()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return  # what was read before it was closed
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        self._stop()  # the next request has time of its own
        super().on_response_complete()
        self._watch()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._leave()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        super().connection_lost(exc)

    def drop(self) -> None:
        """End the connection without a word."""
        self._stop()
        self.transport.abort()

    def _watch(self) -> None:
        """Set the deadline of what is waited for now, unless it is set."""
        if self.transport.is_closing() or not self._is_http():
            return
        phase = self._waits_for()
        if phase != self._phase:
            self._stop()
            self._phase = phase
            seconds = getattr(self.limits, f"{phase}_seconds")
            self._deadline = self.loop.call_later(seconds, self.drop)

    def _waits_for(self) -> str:
        if self.conn.their_state is h11.IDLE:
            return "header"
        if self.conn.their_state is not h11.SEND_BODY:
            return "answer"
        return "rest" if self.cycle and self.cycle.response_complete else "body"

    def _is_http(self) -> bool:
        return self.transport.get_protocol() is self

    def _stop(self) -> None:
        self._phase = ""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _leave(self) -> None:
        self._stop()
        self.table.leave(self)


def limited(limits: Limits | None = None) -> type[H11Protocol]:
    """uvicorn's protocol with limits: for `Config.http`."""
    limits = limits or Limits()
    return type("Limited", (_Limited,), {"limits": limits, "table": _Table(limits)})


def group_of(address: str) -> str:
    """Those who count as one: this machine with all its loopback addresses, a network of IPv6."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    found = getattr(found, "ipv4_mapped", None) or found
    if found.is_loopback:
        return "this machine"
    if found.version == 6:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
