"""The notification channels that a person added.

Their URLs contain passwords. They are stored in one file that only its owner can read, never in
the database, a log or an event. Lists show a masked form.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import update

from pitasker_core import database
from pitasker_core.base import private_file
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import ExecutionError, InvalidSyntax, NotFound, ReadOnly
from pitasker_core.base.stale_check import changes
from pitasker_core.base.text import marked
from pitasker_core.database.events import EventKind, add_event
from pitasker_core.database.notices import NoticeKind
from pitasker_core.database.tables import NoticeRow
from pitasker_core.notifications import apprise_sender

FILE_NAME = "notifications.json"

_LONGEST_NAME, _LONGEST_URL, _MOST = 40, 2_000, 50
"""The maximum length of a channel's name and URL, and the maximum number of channels."""


@dataclass(frozen=True)
class Channel:
    """A notification service with its address."""

    name: str
    shown: str
    """Its URL without secrets."""
    kinds: tuple[NoticeKind, ...] = tuple(NoticeKind)
    """The kinds of notices that it gets."""
    enabled: bool = True
    url: str = field(default="", repr=False)
    """The Apprise URL: secret."""


def listing(environment: Environment) -> list[Channel]:
    """All channels, oldest first. Raises ExecutionError."""
    file = environment.home / FILE_NAME
    try:
        return [_channel(stored) for stored in json.loads(file.read_text())["channels"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise ExecutionError(
            f"{file} cannot be read: {type(problem).__name__}.",
            "Delete it, then add the channels again.",
        ) from None  # the error may contain the file's text


def get(environment: Environment, name: str) -> Channel:
    """One channel. Raises NotFound."""
    return _named(listing(environment), name)


def add(
    environment: Environment, actor: Actor, name: str, url: str, kinds: Sequence[str] | None = None
) -> Channel:
    """Add a channel, for all kinds of notices unless some are given.

    Raises InvalidSyntax if the name is in use or Apprise refuses the URL.
    """
    name, url = name.strip(), url.strip()
    _check_name(name)
    if len(url) > _LONGEST_URL:
        raise InvalidSyntax(f"A channel's URL has at most {_LONGEST_URL:,} characters.")
    channel = Channel(name, apprise_sender.masked(url), _checked_kinds(kinds), url=url)
    with _changing(environment, actor, EventKind.CHANNEL_ADDED) as current:
        _check_unused(name, current.channels)
        if len(current.channels) >= _MOST:
            raise InvalidSyntax(f"There are at most {_MOST} channels.", "Remove one first.")
        current.channels.append(channel)
        current.after = _for_event(channel, name)
    return channel


def change(
    environment: Environment,
    actor: Actor,
    name: str,
    *,
    new_name: str | None = None,
    kinds: Sequence[str] | None = None,
    enabled: bool | None = None,
    shown: Channel | None = None,
) -> None:
    """Change the given values. Raises NotFound, InvalidSyntax, and Stale if somebody changed one of
    them after it was `shown`."""
    with _changing(environment, actor, EventKind.CHANNEL_CHANGED) as current:
        old = _named(current.channels, name)
        given: dict[str, Any] = {
            "name": new_name or name,
            "kinds": old.kinds if kinds is None else tuple(kinds),
            "enabled": old.enabled if enabled is None else enabled,
        }
        changes(vars(old), vars(shown) if shown else None, given)
        next_name = (new_name or name).strip()
        _check_name(next_name)
        _check_unused(next_name, [other for other in current.channels if other is not old])
        new_kinds = old.kinds if kinds is None else _checked_kinds(kinds)
        new = replace(old, name=next_name, kinds=new_kinds, enabled=given["enabled"])
        current.channels[current.channels.index(old)] = new
        current.before, current.after = _for_event(old, name), _for_event(new, name)


def remove(environment: Environment, actor: Actor, name: str) -> Channel:
    """Remove a channel and return it for `put_back`. Raises NotFound."""
    with _changing(environment, actor, EventKind.CHANNEL_REMOVED) as current:
        channel = _named(current.channels, name)
        current.channels.remove(channel)
        current.before = _for_event(channel, name)
    return channel


def put_back(environment: Environment, actor: Actor, channel: Channel) -> None:
    """Undo `remove`. Raises InvalidSyntax if the name is in use now."""
    add(environment, actor, channel.name, channel.url, channel.kinds)
    if not channel.enabled:
        change(environment, actor, channel.name, enabled=False)


def _check_name(name: str) -> None:
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidSyntax(
            f"A channel needs a name of at most {_LONGEST_NAME} characters.",
            marked("For example `phone`."),
        )


def _check_unused(name: str, others: Sequence[Channel]) -> None:
    if any(other.name == name for other in others):
        raise InvalidSyntax(f"There is a channel “{name}” already.", "Give it another name.")


def _checked_kinds(kinds: Sequence[str] | None) -> tuple[NoticeKind, ...]:
    if kinds is None:
        return tuple(NoticeKind)
    if unknown := set(kinds) - set(NoticeKind):
        raise InvalidSyntax(f"There is no kind of notice “{min(unknown)}”.")
    if not kinds:
        raise InvalidSyntax(
            "A channel needs at least one kind of notice.", "To mute it, switch it off."
        )
    return tuple(kind for kind in NoticeKind if kind in kinds)


def _named(channels: Sequence[Channel], name: str) -> Channel:
    for channel in channels:
        if channel.name == name:
            return channel
    raise NotFound(f"There is no channel “{name}”.")


def _for_event(channel: Channel, name: str) -> dict[str, Any]:
    """The values of a channel for the audit history, each with the channel's name."""
    shown = {**vars(channel), "url": channel.shown}
    return {f"{name} {key}": value for key, value in shown.items() if key != "shown"}


def _channel(stored: dict[str, Any]) -> Channel:
    kinds = tuple(kind for kind in NoticeKind if kind in stored["kinds"])
    return Channel(stored["name"], stored["shown"], kinds, stored["enabled"], stored["url"])


@dataclass
class _Change:
    """The channels during a change, and the values for its event."""

    channels: list[Channel]
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


@contextmanager
def _changing(environment: Environment, actor: Actor, kind: EventKind) -> Iterator[_Change]:
    """Change the file together with an event, or neither. One process at a time."""
    if environment.read_only:
        raise ReadOnly
    with private_file.locked(environment, FILE_NAME) as file:
        current = _Change(listing(environment))
        yield current
        if current.before == current.after:
            return
        with database.session(environment) as session:
            add_event(session, actor, kind, before=current.before, after=current.after)
            session.flush()
            # A changed channel may work now, so retry pending notices at once.
            unsent = NoticeRow.sent_at.is_(None)
            session.execute(update(NoticeRow).where(unsent).values(next_try=None))
            private_file.write(file, {"channels": [vars(channel) for channel in current.channels]})
