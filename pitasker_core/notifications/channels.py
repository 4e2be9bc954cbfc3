"""Where notices go: the channels that a person added.

Their URLs hold passwords. They lie in one file that only its owner can read, and are in no list, no
log, no event and no database; what is shown of them is a masked form.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import update

from pitasker_core import database
from pitasker_core.base import private_file
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import ExecutionError, InvalidSyntax, NotFound, ReadOnly
from pitasker_core.base.stale_check import changes
from pitasker_core.base.text import Code, Text
from pitasker_core.database.notices import NoticeKind
from pitasker_core.database.tables import EventRow, NoticeRow
from pitasker_core.notifications import apprise_sender

FILE_NAME = "notifications.json"

_LONGEST_NAME, _LONGEST_URL, _MOST = 40, 2_000, 50
"""Characters of a channel's name and URL, and how many channels there may be."""


@dataclass(frozen=True)
class Channel:
    """One place to send to."""

    name: str
    shown: str
    """Its URL without secrets."""
    kinds: tuple[NoticeKind, ...] = tuple(NoticeKind)
    """What it is to be told of."""
    enabled: bool = True
    url: str = field(default="", repr=False)
    """The Apprise URL: secret."""


def listing(environment: Environment) -> list[Channel]:
    """All channels in the order in which they were added. Raises ExecutionError."""
    file = environment.home / FILE_NAME
    try:
        found = json.loads(file.read_text())
        return [_channel(one) for one in found["channels"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise ExecutionError(
            f"{file} cannot be read: {type(problem).__name__}.",
            "Delete it, then add the channels again.",
        ) from None  # the file's text may be in the error


def get(environment: Environment, name: str) -> Channel:
    """One channel. Raises NotFound."""
    return _named(listing(environment), name)


def add(
    environment: Environment, actor: str, name: str, url: str, kinds: Sequence[str] | None = None
) -> Channel:
    """A new channel, for all kinds unless some are given.

    Raises InvalidSyntax for a name that is taken or a URL that Apprise does not know.
    """
    name, url = name.strip(), url.strip()
    _check_name(name)
    if len(url) > _LONGEST_URL:
        raise InvalidSyntax(f"A channel's URL has at most {_LONGEST_URL:,} characters.")
    channel = Channel(name, apprise_sender.masked(url), _checked_kinds(kinds), url=url)
    with _changing(environment, actor, "channel added") as current:
        if any(one.name == name for one in current.channels):
            raise InvalidSyntax(f"There is a channel “{name}” already.", "Give it another name.")
        if len(current.channels) >= _MOST:
            raise InvalidSyntax(f"There are at most {_MOST} channels.", "Remove one first.")
        current.channels.append(channel)
        current.after = _told(channel, name)
    return channel


def change(
    environment: Environment,
    actor: str,
    name: str,
    *,
    new_name: str | None = None,
    kinds: Sequence[str] | None = None,
    enabled: bool | None = None,
    shown: Channel | None = None,
) -> None:
    """Change what is given. Raises NotFound, InvalidSyntax, and Stale when what is to be changed is
    not as it was `shown`."""
    with _changing(environment, actor, "channel changed") as current:
        old = _named(current.channels, name)
        given = {
            "name": new_name or name,
            "kinds": old.kinds if kinds is None else tuple(kinds),
            "enabled": old.enabled if enabled is None else enabled,
        }
        changes(vars(old), vars(shown) if shown else None, given)
        wanted = (new_name or name).strip()
        _check_name(wanted)
        if any(one.name == wanted and one is not old for one in current.channels):
            raise InvalidSyntax(f"There is a channel “{wanted}” already.", "Give it another name.")
        new = Channel(
            wanted,
            old.shown,
            old.kinds if kinds is None else _checked_kinds(kinds),
            old.enabled if enabled is None else enabled,
            old.url,
        )
        current.channels[current.channels.index(old)] = new
        current.before, current.after = _told(old, name), _told(new, name)


def remove(environment: Environment, actor: str, name: str) -> Channel:
    """Forget a channel; what it was, for `put_back`. Raises NotFound."""
    with _changing(environment, actor, "channel removed") as current:
        channel = _named(current.channels, name)
        current.channels.remove(channel)
        current.before = _told(channel, name)
    return channel


def put_back(environment: Environment, actor: str, channel: Channel) -> None:
    """Undo a `remove`. Raises InvalidSyntax when its name was taken meanwhile."""
    add(environment, actor, channel.name, channel.url, channel.kinds)
    if not channel.enabled:
        change(environment, actor, channel.name, enabled=False)


def _check_name(name: str) -> None:
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidSyntax(
            f"A channel needs a name of at most {_LONGEST_NAME} characters.",
            Text("For instance ", Code("phone"), "."),
        )


def _checked_kinds(kinds: Sequence[str] | None) -> tuple[NoticeKind, ...]:
    if kinds is None:
        return tuple(NoticeKind)
    if unknown := set(kinds) - set(NoticeKind):
        raise InvalidSyntax(f"There is no kind of notice “{min(unknown)}”.")
    if not kinds:
        raise InvalidSyntax(
            "A channel needs at least one kind of notice.", "To silence it, switch it off."
        )
    return tuple(kind for kind in NoticeKind if kind in kinds)


def _named(channels: Sequence[Channel], name: str) -> Channel:
    for one in channels:
        if one.name == name:
            return one
    raise NotFound(f"There is no channel “{name}”.")


def _told(channel: Channel, name: str) -> dict[str, Any]:
    """A channel as the history of events keeps it: each value says whose it is."""
    shown = {**_stored(channel), "url": channel.shown}
    return {f"{name} {key}": value for key, value in shown.items() if key != "shown"}


def _stored(channel: Channel) -> dict[str, Any]:
    return {
        "name": channel.name,
        "url": channel.url,
        "shown": channel.shown,
        "kinds": list(channel.kinds),
        "enabled": channel.enabled,
    }


def _channel(stored: dict[str, Any]) -> Channel:
    kinds = tuple(kind for kind in NoticeKind if kind in stored["kinds"])
    return Channel(stored["name"], stored["shown"], kinds, stored["enabled"], stored["url"])


@dataclass
class _Change:
    """The channels while they are changed, and what the event of it will say."""

    channels: list[Channel]
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


@contextmanager
def _changing(environment: Environment, actor: str, kind: str) -> Iterator[_Change]:
    """Change the file, one process at a time, with an event; nothing at all when that fails."""
    if environment.read_only:
        raise ReadOnly
    file = environment.home / FILE_NAME
    try:
        environment.make_home()
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        handle = os.open(file.with_suffix(".lock"), flags, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            current = _Change(listing(environment))
            yield current
            if current.before == current.after:
                return
            with database.session(environment) as session:
                event = EventRow(actor=actor, kind=kind, before=current.before, after=current.after)
                session.add(event)
                session.flush()
                # What waits need not wait for the next try of a channel that was mended.
                unsent = NoticeRow.sent_at.is_(None)
                session.execute(update(NoticeRow).where(unsent).values(next_try=None))
                stored = [_stored(one) for one in current.channels]
                private_file.write(file, {"channels": stored})
        finally:
            os.close(handle)
    except OSError as problem:
        raise ExecutionError(
            f"{file} cannot be written: {problem.strerror}.", "Free some space, then try again."
        ) from problem
