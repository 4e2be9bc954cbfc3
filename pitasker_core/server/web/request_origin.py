"""The origin of a request: the requested host, the page that sent it, and the client's address."""

import ipaddress
import os
from typing import ClassVar

from starlette.requests import HTTPConnection

from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import Code, Text
from pitasker_core.server import sites
from pitasker_core.server.sites import Site

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

FORWARDED_ALLOW_IPS = "FORWARDED_ALLOW_IPS"
"""The variable with the proxies that uvicorn trusts. Without it, uvicorn trusts this machine."""


class Refused(PiTaskerError):
    """A request that is refused for its host or origin, whoever sent it."""

    recoverable = False
    status: ClassVar[int] = 403


class UnknownHost(Refused):
    """A request for a host name that may belong to somebody else."""


class ForeignOrigin(Refused):
    """A request that another site made a browser send."""


class PlainHttp(Refused):
    """A request from a page over plain HTTP, although the base URL is HTTPS."""


class NotUpgraded(Refused):
    """A websocket request that a proxy passed on as a plain request."""

    code = "WEBSOCKET_NOT_UPGRADED"
    status = 426

    def __init__(self) -> None:
        super().__init__(
            "A websocket arrived as a plain request: a proxy does not pass on its Upgrade header.",
            "docs/installation.md, “Behind a proxy”, has the lines for nginx.",
        )


def possible_sites(connection: HTTPConnection, environment: Environment) -> list[Site]:
    """The possible origins of the page behind a request. Only one if the browser sends it.

    Raises Refused.
    """
    base = sites.parse_base_url(environment.base_url) if environment.base_url else None
    hosts = connection.headers.getlist("host")
    authority = sites.parse_authority(hosts[0]) if len(hosts) == 1 else None
    if authority is None:
        raise UnknownHost("The request has no valid Host header.")
    if not sites.is_own(authority[0], base):
        raise _unknown_host(connection, authority, base)
    possible = sites.possible_sites(*authority, base)
    if not _can_change_something(connection):
        return possible
    if connection.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise ForeignOrigin("This request comes from another site.", "Nothing was done.")
    text = connection.headers.get("origin")
    if text is None:
        return possible  # not a browser
    origin = sites.parse_origin(text)
    if origin in possible:
        return [origin]
    if base and base.is_https and origin and _is_plain(origin, base.host, authority[0]):
        raise PlainHttp(
            f"This page was loaded over plain HTTP ({origin}), but PiTasker was started for "
            f"{base}. Over plain HTTP nobody can sign in.",
            f"Open {base} instead.",
        )
    raise _foreign(origin, base)


def _is_plain(origin: Site, *ours: str) -> bool:
    return not origin.is_https and origin.host in ours


def _can_change_something(connection: HTTPConnection) -> bool:
    scope = connection.scope
    return scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS


def _unknown_host(
    connection: HTTPConnection, authority: tuple[str, int | None], base: Site | None
) -> UnknownHost:
    host, port = authority
    # A stranger can claim this too, but we use it only in the advice.
    scheme = connection.headers.get("x-forwarded-proto", "http").lower()
    address = sites.parse_origin(connection.headers.get("origin", "")) or sites.parse_origin(
        f"{scheme if scheme == 'https' else 'http'}://{host}{f':{port}' if port else ''}"
    )
    started = f" It was started for {base}." if base else ""
    return UnknownHost(
        f"PiTasker does not know the name {host}.{started}",
        Text(
            "If this is PiTasker's address, start it with ",
            Code(f"./pitasker up --base-url {address}"),
            ". It answers only to that name and to this machine's own names and IP addresses.",
        ),
    )


def _foreign(origin: Site | None, base: Site | None) -> ForeignOrigin:
    if origin is None:
        return ForeignOrigin(
            "This request comes from a page without an origin.", "Nothing was done."
        )
    started = f" It was started for {base}." if base else ""
    return ForeignOrigin(
        f"This request comes from a page of {origin}, which PiTasker does not know.{started}",
        Text(
            "If you opened PiTasker there, start it with ",
            Code(f"./pitasker up --base-url {origin}"),
            ". Nothing was done.",
        ),
    )


def set_client(connection: HTTPConnection) -> None:
    """Replace the client's address in the scope by None if it cannot be trusted.

    Started by `./pitasker up`, uvicorn accepts X-Forwarded-For only from the configured proxies.
    Started in another way, it accepts the header from every process on this machine.
    """
    scope = connection.scope
    trusts_anybody = FORWARDED_ALLOW_IPS not in os.environ
    if not scope.get("client") or (trusts_anybody and "x-forwarded-for" in connection.headers):
        scope["client"] = None
        return
    host, port = scope["client"]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:  # a proxy passed on a client's own header
        scope["client"] = None
        return
    # A dual-stack socket reports IPv4 addresses as IPv6.
    scope["client"] = (str(getattr(address, "ipv4_mapped", None) or address), port)
