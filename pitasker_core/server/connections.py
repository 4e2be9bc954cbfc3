"""Limits that uvicorn lacks: the time a connection may wait, and the number of connections.

Without these limits, a thousand silent connections would stop the server.
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
    """Time limits in seconds for each part of a request, and limits of connections."""

    header_seconds: float = 10
    body_seconds: float = 60
    answer_seconds: float = 120
    """To make the answer, send it and have it received."""
    rest_seconds: float = 5
    """To finish sending a body after an early answer. Closing at once could lose the answer for
    the client (RFC 9112, section 9.6)."""
    per_address: int = 128
    """Behind a proxy all people share one address. A browser opens six connections."""
    total: int = 512
    """Well below the 1,024 files that a process may open by default."""


class _Table:
    """The open connections by address, oldest first. Websockets do not count."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._by_address: dict[str, dict[_Limited, None]] = {}
        self._total = 0

    def enter(self, connection: "_Limited") -> bool:
        """Add a connection. If there are too many, close the oldest waiting one.

        False if none can be closed. The address with the most connections loses one, so that an
        address with many connections does not lock out the others.
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
                "There are %s connections from %s: the oldest waiting one was closed.",
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
        """Remove a connection if it is in the table."""
        own = self._by_address.get(connection.address, {})
        if connection in own:
            del own[connection]
            self._total -= 1
            if not own:
                del self._by_address[connection.address]


class _Limited(H11Protocol):
    """One connection, until it ends or becomes a websocket."""

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
            return  # data that was read before the connection was closed
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        self._stop()  # the next request gets its own time limit
        super().on_response_complete()
        self._watch()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._leave()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        super().connection_lost(exc)

    def drop(self) -> None:
        """Close the connection without an answer."""
        self._stop()
        self.transport.abort()

    def _watch(self) -> None:
        """Set the deadline of the current phase, unless it is set."""
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
    """uvicorn's protocol class with limits, for `Config.http`."""
    limits = limits or Limits()
    return type("Limited", (_Limited,), {"limits": limits, "table": _Table(limits)})


def group_of(address: str) -> str:
    """The group that an address counts in: loopback is one group, and so is each IPv6 /64."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.is_loopback:
        return "this machine"
    if ip.version == 6:
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
