"""Web addresses: how they are written, and which of them are PiTasker's own.

Another site can point its own name at this machine (DNS rebinding). So PiTasker answers only under
names that nobody else can have: an IP address, this machine's name in its local network, or the
base URL.
"""

import ipaddress
import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from pitasker_core.base.errors import InvalidSyntax

_PORTS = {"http": 80, "https": 443}
"""The default port of each scheme."""

_AUTHORITY = re.compile(
    r"(?:\[(?P<ipv6>[0-9a-f:.]{2,45})\]|(?P<name>[a-z0-9_](?:[a-z0-9._-]{0,252})))"
    r"(?::(?P<port>[0-9]{1,5}))?",
    re.ASCII,
)

_LOCAL_DOMAINS = ("local", "lan", "home", "home.arpa", "internal", "localdomain")
"""Domains that no public DNS server answers for (RFC 6762, RFC 8375, ICANN's reserved names)."""

_RESOLVER = Path("/etc/resolv.conf")


@dataclass(frozen=True)
class Site:
    """An origin (RFC 6454). `host` is in lower case; IPv6 has no brackets."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def is_https(self) -> bool:
        """Whether browsers reach it by HTTPS."""
        return self.scheme == "https"


def parse_authority(text: str) -> tuple[str, int | None] | None:
    """The host and port of a `Host` header (RFC 9110, 7.2); None if it is malformed."""
    match = _AUTHORITY.fullmatch(text.lower())
    if match is None:
        return None
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 0 < port < 65536:
        return None
    if match["ipv6"] is None:
        return match["name"].rstrip("."), port
    try:
        return str(ipaddress.IPv6Address(match["ipv6"])), port
    except ValueError:
        return None


def parse_origin(text: str) -> Site | None:
    """The site of an `Origin` header; None if it is `null` or malformed."""
    scheme, _, rest = text.partition("://")
    authority = parse_authority(rest)
    if scheme.lower() not in _PORTS or authority is None:
        return None
    host, port = authority
    return Site(scheme.lower(), host, port or _PORTS[scheme.lower()])


@lru_cache(maxsize=8)
def parse_base_url(text: str) -> Site:
    """The site of a base URL. Raises InvalidSyntax if none of our pages can have it."""
    try:
        parts = urlsplit(text.strip())
        host = (parts.hostname or "").encode("idna").decode()  # as browsers send it
        if parts.port is not None:
            host = f"{f'[{host}]' if ':' in host else host}:{parts.port}"
        elif ":" in host:
            host = f"[{host}]"
        site = parse_origin(f"{parts.scheme}://{host}")
        is_bare = parts.path in ("", "/") and not (parts.query or parts.fragment)
        if site is not None and is_bare and "@" not in parts.netloc:
            return site
    except ValueError:
        pass
    raise InvalidSyntax(
        f"The base URL {text!r} is not the address of a site.",
        "Write it as https://pi.example or https://pi.example:8443, "
        "without a path, a user name or a password.",
    )


def is_loopback(host: str) -> bool:
    """Whether a host is reachable from this machine only."""
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def is_own(host: str, base: Site | None) -> bool:
    """Whether a host name that a browser sends can only mean this machine."""
    if host == "localhost" or (base is not None and host == base.host):
        return True
    with suppress(ValueError):
        ipaddress.ip_address(host)
        return True  # DNS rebinding needs a name
    label = socket.gethostname().lower().split(".")[0]
    if host in (label, socket.gethostname().lower()):
        return True
    first, _, domain = host.partition(".")
    if domain == "local" and re.fullmatch(re.escape(label) + r"-\d{1,3}", first):
        return True  # mDNS appends a number if another machine has the name (RFC 6762, 9)
    return first == label and domain in (*_LOCAL_DOMAINS, *_search_domains())


def _search_domains() -> list[str]:
    """The domains in which this machine looks up short names (resolv.conf(5))."""
    with suppress(OSError):
        lines = _RESOLVER.read_text(errors="replace").lower().splitlines()
        words = [line.split()[1:] for line in lines if line.startswith(("search", "domain"))]
        return [domain.strip(".") for domains in words for domain in domains if domain.strip(".")]
    return []


def possible_sites(host: str, port: int | None, base: Site | None) -> list[Site]:
    """The possible origins of a page whose request names this host.

    A request does not say whether the browser used HTTPS to reach a proxy. With an HTTPS base URL,
    plain HTTP counts only on this machine itself (also through an SSH tunnel).
    """
    if base is not None and host == base.host and port in (None, base.port):
        return [base]
    plain = Site("http", host, port or _PORTS["http"])
    secure = Site("https", host, port or _PORTS["https"])
    if base is None:
        return [plain, secure]
    # A proxy may replace the requested name by our own address.
    return [*([plain] if not base.is_https or is_loopback(host) else []), secure, base]
