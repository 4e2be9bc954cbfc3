"""Send by Apprise, and find out what went wrong in the words of whoever was asked.

Apprise is imported when something is to be sent, and what it logs stays here: its debugging lines
hold addresses with the secrets in them.
"""

import logging
import re
import threading
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.base.text import Code, Text
from pitasker_core.database.notices import NoticeKind

if TYPE_CHECKING:
    from apprise import NotifyBase

_READ_SECONDS = 10.0
"""How long a server may take to answer; Apprise's own 4 are short for a mail server."""

_LONGEST = 600
"""Characters of a problem that are kept."""

_TYPES = {
    NoticeKind.FAILED: "failure",
    NoticeKind.RECOVERED: "success",
    NoticeKind.MISSED: "warning",
    NoticeKind.CONFLICT: "warning",
    NoticeKind.SYNC_FAILED: "failure",
    NoticeKind.FINDING: "warning",
}
"""What Apprise calls each kind: many services colour it so."""

_DETAIL = re.compile(r"(?:Socket Exception|Response Details):?\s*(.*)", re.DOTALL)
"""What of the debugging lines says why: the error of the connection, and the server's answer."""


_BYTES = re.compile(r"""\bb(["'])(.*?)\1""")
"""Bytes as Python writes them, of which the text is wanted."""


def service(url: str) -> "NotifyBase":
    """What sends to an Apprise URL. Raises InvalidSyntax, without the URL's secrets."""
    from apprise import Apprise, AppriseAsset, NotifyBase, PersistentStoreMode
    from apprise.common import OverflowMode

    # In memory: nothing about channels is written elsewhere than in our own file.
    asset = AppriseAsset(app_id="PiTasker", storage_mode=PersistentStoreMode.MEMORY)
    with _listening() as heard:
        found = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if not isinstance(found, NotifyBase):
        scheme = url.partition("://")[0] if "://" in url else ""
        why = _said(heard, url, None)
        raise InvalidSyntax(
            f"Apprise does not take this {scheme}:// URL{f': {why}' if why else ''}."
            if scheme
            else Text("This is not an Apprise URL: it has no ", Code("://"), "."),
            "Each service's form is described at https://appriseit.com/services/.",
        )
    found.socket_read_timeout = max(found.socket_read_timeout, _READ_SECONDS)
    if found.overflow_mode == OverflowMode.UPSTREAM:
        found.overflow_mode = OverflowMode.SPLIT  # a long one is sent in parts, not refused
    return found


def masked(url: str) -> str:
    """A URL as it may be shown: the service and where it is, without any secret.

    Raises InvalidSyntax as `service` does.
    """
    private: str = service(url).url(privacy=True)  # type: ignore[no-untyped-call]
    scheme, _, rest = private.partition("://")
    place = re.split(r"[/?]", rest, maxsplit=1)[0]
    user, at, host = place.rpartition("@")
    has_password = user.endswith(":****")
    # A host without a dot may be no host at all, but a topic or a key.
    if not has_password and not re.search(r"\.|:\d+$|^localhost$", host):
        host = _hidden(host)
    if at and not has_password and "..." not in user:
        user = _hidden(user)
    return f"{scheme}://{user}{at}{host}/…"


def send(to: "NotifyBase", url: str, title: str, body: str, kind: NoticeKind | None) -> str:
    """Send now; what went wrong, empty when it was taken. Never raises, may take long."""
    from apprise import NotifyFormat, NotifyType

    kind_of_notice = NotifyType(_TYPES[kind] if kind else "info")
    with _listening() as heard:
        try:
            taken = to.notify(
                title=title, body=body, notify_type=kind_of_notice, body_format=NotifyFormat.TEXT
            )
        except Exception as problem:  # a mistake in a plugin is no reason to fall over
            return redacted(f"{type(problem).__name__}: {problem}", url, to)[:_LONGEST]
    return "" if taken else _said(heard, url, to) or "It was not taken, and nothing says why."


_CREDENTIALS = re.compile(
    r"""((?:proxy-)?authorization|(?:set-)?cookie|[\w-]{0,30}(?:token|api-?key|secret|password))"""
    r"""(["']?\s*[:=]\s*)("[^"]*"|'[^']*'|(?:(?:basic|bearer|digest|token)\s+)?[^\s,;"'}]+)""",
    re.IGNORECASE,
)
"""What a server sends back of the headers that it got."""


def redacted(text: str, url: str, to: "NotifyBase | None") -> str:
    """A text without the secrets of a URL, in whatever form they are in it."""
    shown = masked(url) if to else ""
    words = set(re.split(r"[:/@?&=,;#\s]+", url.partition("://")[2]))
    if to:
        words |= {str(secret) for secret in (to.password, to.user) if secret}
        # As HTTP sends them (RFC 7617), with and without the padding.
        pair = f"{to.user or ''}:{to.password or ''}".encode()
        for encoded in (b64encode(pair), urlsafe_b64encode(pair)):
            words |= {encoded.decode(), encoded.decode().rstrip("=")}
    words |= {unquote(word) for word in words}
    # A server may answer with megabytes.
    text = _CREDENTIALS.sub(r"\1\2****", text[: 20 * _LONGEST])
    for word in sorted(words, key=len, reverse=True):
        if len(word) > 3 and word not in shown:
            text = text.replace(word, "****")
    return text


def _hidden(word: str) -> str:
    return f"{word[0]}…{word[-1]}" if len(word) > 6 else "…"


def _said(heard: list[logging.LogRecord], url: str, to: "NotifyBase | None") -> str:
    """What Apprise logged about a failure, in one line, without secrets."""
    parts = []
    for record in heard:
        message = record.getMessage().strip()
        if record.levelno >= logging.WARNING:
            parts.append(message.rstrip("."))
        elif (detail := _DETAIL.match(message)) and detail[1] not in ("", "b''"):
            parts.append(_BYTES.sub(r"\2", detail[1]))
    line = " ".join("; ".join(dict.fromkeys(parts)).split())
    return redacted(line, url, to)[:_LONGEST]


class _Ear(logging.Handler):
    """Hears what one thread logs: others may be sending at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[logging.LogRecord] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record of the thread that listens."""
        if record.thread == self._thread:
            self.heard.append(record)


@contextmanager
def _listening() -> Iterator[list[logging.LogRecord]]:
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    ear = _Ear()
    logger.addHandler(ear)
    try:
        yield ear.heard
    finally:
        logger.removeHandler(ear)
