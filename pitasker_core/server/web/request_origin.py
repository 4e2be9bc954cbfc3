"""Where a request comes from: the name it asks for, the page that sent it, the client's address."""

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
"""Names the proxies that uvicorn believes; without it, it believes everybody on this machine."""


class Refused(PiTaskerError):
    """A request that is refused for the way it came, whoever sent it."""

    recoverable = False
    status: ClassVar[int] = 403


class UnknownHost(Refused):
    """A request under a name that may be anybody's."""

    code = "UNKNOWN_HOST"


class ForeignOrigin(Refused):
    """A request that another site made a browser send."""

    code = "FOREIGN_ORIGIN"


class PlainHttp(Refused):
    """A request from a page over plain HTTP, where the base URL is HTTPS."""

    code = "PLAIN_HTTP"


class NotUpgraded(Refused):
    """A websocket's request that a proxy passed on as a plain one."""

    code = "WEBSOCKET_NOT_UPGRADED"
    status = 426

    def __init__(self) -> None:
        super().__init__(
            "A websocket came as a plain request: a proxy does not pass on its Upgrade header.",
            "README.md, “Who may come in”, has the lines that nginx needs.",
        )


def possible_sites(connection: HTTPConnection, environment: Environment) -> list[Site]:
    """The sites of ours that the page behind a request may have; the page's own one alone where
    the browser names it. Raises Refused.
    """
    base = sites.parse_base_url(environment.base_url) if environment.base_url else None
    hosts = connection.headers.getlist("host")
    authority = sites.parse_authority(hosts[0]) if len(hosts) == 1 else None
    if authority is None:
        raise UnknownHost("The request does not say by which name it reached PiTasker.")
    if not sites.is_own(authority[0], base):
        raise _unknown_host(connection, authority, base)
    possible = sites.possible_sites(*authority, base)
    if not _can_change_something(connection):
        return possible
    if connection.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise ForeignOrigin("This request comes from another site.", "Nothing was done.")
    text = connection.headers.get("origin")
    if text is None:
        return possible  # no browser
    origin = sites.parse_origin(text)
    if origin in possible:
        return [origin]
    if base and base.is_https and origin and _is_plain(origin, base.host, authority[0]):
        raise PlainHttp(
            f"This page came over plain HTTP ({origin}), over which nobody is signed in: "
            f"PiTasker was started for {base}.",
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
    # What a stranger may claim too, but it only words the advice.
    scheme = connection.headers.get("x-forwarded-proto", "http").lower()
    wanted = sites.parse_origin(connection.headers.get("origin", "")) or sites.parse_origin(
        f"{scheme if scheme == 'https' else 'http'}://{host}{f':{port}' if port else ''}"
    )
    started = f" It was started for {base}." if base else ""
    return UnknownHost(
        f"PiTasker does not know the name {host}.{started}",
        Text(
            "If that is where you open it, start it with ",
            Code(f"./pitasker up --base-url {wanted}"),
            ". It answers to that and to this machine's own names and IP addresses alone.",
        ),
    )


def _foreign(origin: Site | None, base: Site | None) -> ForeignOrigin:
    if origin is None:
        return ForeignOrigin("This request comes from a page without a site.", "Nothing was done.")
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
    """Let the address behind a request be one that can be relied on, or none.

    Started by `./pitasker up`, uvicorn believes X-Forwarded-For of the configured proxies alone;
    started in another way it believes everybody on this machine.
    """
    scope = connection.scope
    trusts_anybody = FORWARDED_ALLOW_IPS not in os.environ
    if not scope.get("client") or (trusts_anybody and "x-forwarded-for" in connection.headers):
        scope["client"] = None
        return
    host, port = scope["client"]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:  # a proxy passed on what somebody wrote
        scope["client"] = None
        return
    # A socket for both kinds of addresses has IPv4 ones written as IPv6.
    scope["client"] = (str(getattr(address, "ipv4_mapped", None) or address), port)
