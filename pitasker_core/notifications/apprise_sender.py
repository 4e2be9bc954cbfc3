"""Send by Apprise, and report failures in the service's own words.

Apprise is imported only to send. Its log lines are not passed on, because its debug lines contain
addresses with secrets.
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
from pitasker_core.base.text import marked
from pitasker_core.database.notices import NoticeKind

if TYPE_CHECKING:
    from apprise import NotifyBase

_READ_SECONDS = 10.0
"""The time limit of an answer. Apprise's own 4 seconds are too short for a mail server."""

_LONGEST = 600
"""The maximum length of a stored problem."""

_TYPES = {
    NoticeKind.FAILED: "failure",
    NoticeKind.RECOVERED: "success",
    NoticeKind.MISSED: "warning",
    NoticeKind.CONFLICT: "warning",
    NoticeKind.SYNC_FAILED: "failure",
    NoticeKind.FINDING: "warning",
}
"""Apprise's type of each kind. Many services use it for the colour."""

_DETAIL = re.compile(r"(?:Socket Exception|Response Details):?\s*(.*)", re.DOTALL)
"""The debug lines with the reason: a connection error or the server's answer."""


_BYTES = re.compile(r"""\bb(["'])(.*?)\1""")
"""A bytes literal of Python, to extract its text."""


def service(url: str) -> "NotifyBase":
    """The Apprise service of a URL. Raises InvalidSyntax without the URL's secrets."""
    from apprise import Apprise, AppriseAsset, NotifyBase, PersistentStoreMode
    from apprise.common import OverflowMode

    # In memory, so that Apprise writes no files about channels.
    asset = AppriseAsset(app_id="PiTasker", storage_mode=PersistentStoreMode.MEMORY)
    with _captured_log() as records:
        plugin = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if not isinstance(plugin, NotifyBase):
        scheme = url.partition("://")[0] if "://" in url else ""
        why = _reason(records, url, None)
        raise InvalidSyntax(
            f"Apprise does not accept this {scheme}:// URL{f': {why}' if why else ''}."
            if scheme
            else marked("This is not an Apprise URL: it has no `://`."),
            "The URL of each service is described at https://appriseit.com/services/.",
        )
    plugin.socket_read_timeout = max(plugin.socket_read_timeout, _READ_SECONDS)
    if plugin.overflow_mode == OverflowMode.UPSTREAM:
        plugin.overflow_mode = OverflowMode.SPLIT  # send a long text in parts
    return plugin


def masked(url: str) -> str:
    """A URL without secrets: the service and its host.

    Raises InvalidSyntax like `service`.
    """
    private: str = service(url).url(privacy=True)  # type: ignore[no-untyped-call]
    scheme, _, rest = private.partition("://")
    place = re.split(r"[/?]", rest, maxsplit=1)[0]
    user, at, host = place.rpartition("@")
    has_password = user.endswith(":****")
    # A host without a dot may really be a topic or a key.
    if not has_password and not re.search(r"\.|:\d+$|^localhost$", host):
        host = _hidden(host)
    if at and not has_password and "..." not in user:
        user = _hidden(user)
    return f"{scheme}://{user}{at}{host}/…"


def send(to: "NotifyBase", url: str, title: str, body: str, kind: NoticeKind | None) -> str:
    """Send now. Returns why it failed, or an empty text. Never raises, but can take long."""
    from apprise import NotifyFormat, NotifyType

    kind_of_notice = NotifyType(_TYPES[kind] if kind else "info")
    with _captured_log() as records:
        try:
            accepted = to.notify(
                title=title, body=body, notify_type=kind_of_notice, body_format=NotifyFormat.TEXT
            )
        except Exception as problem:  # a bug in a plugin must not stop other channels
            return redacted(f"{type(problem).__name__}: {problem}", url, to)[:_LONGEST]
    return (
        "" if accepted else _reason(records, url, to) or "The service refused it, without a reason."
    )


_CREDENTIALS = re.compile(
    r"""((?:proxy-)?authorization|(?:set-)?cookie|[\w-]{0,30}(?:token|api-?key|secret|password))"""
    r"""(["']?\s*[:=]\s*)("[^"]*"|'[^']*'|(?:(?:basic|bearer|digest|token)\s+)?[^\s,;"'}]+)""",
    re.IGNORECASE,
)
"""Request headers with secrets that a server repeats in its answer."""


def redacted(text: str, url: str, to: "NotifyBase | None") -> str:
    """A text without the secrets of a URL, in any of their encodings."""
    shown = masked(url) if to else ""
    words = set(re.split(r"[:/@?&=,;#\s]+", url.partition("://")[2]))
    if to:
        words |= {str(secret) for secret in (to.password, to.user) if secret}
        # HTTP basic authentication (RFC 7617), with and without padding.
        pair = f"{to.user or ''}:{to.password or ''}".encode()
        for encoded in (b64encode(pair), urlsafe_b64encode(pair)):
            words |= {encoded.decode(), encoded.decode().rstrip("=")}
    words |= {unquote(word) for word in words}
    # A server's answer may have megabytes.
    text = _CREDENTIALS.sub(r"\1\2****", text[: 20 * _LONGEST])
    for word in sorted(words, key=len, reverse=True):
        if len(word) > 3 and word not in shown:
            text = text.replace(word, "****")
    return text


def _hidden(word: str) -> str:
    return f"{word[0]}…{word[-1]}" if len(word) > 6 else "…"


def _reason(records: list[logging.LogRecord], url: str, to: "NotifyBase | None") -> str:
    """The reason of a failure from Apprise's log, on one line, without secrets."""
    parts = []
    for record in records:
        message = record.getMessage().strip()
        if record.levelno >= logging.WARNING:
            parts.append(message.rstrip("."))
        elif (detail := _DETAIL.match(message)) and detail[1] not in ("", "b''"):
            parts.append(_BYTES.sub(r"\2", detail[1]))
    line = " ".join("; ".join(dict.fromkeys(parts)).split())
    return redacted(line, url, to)[:_LONGEST]


class _Capture(logging.Handler):
    """Collects the records of one thread, because other threads send at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record of our thread."""
        if record.thread == self._thread:
            self.records.append(record)


@contextmanager
def _captured_log() -> Iterator[list[logging.LogRecord]]:
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    capture = _Capture()
    logger.addHandler(capture)
    try:
        yield capture.records
    finally:
        logger.removeHandler(capture)
