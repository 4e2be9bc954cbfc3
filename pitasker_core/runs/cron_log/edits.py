"""Proof from cron's log that an edit by `crontab -e` began after a write."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from pitasker_core.base.environment import Environment
from pitasker_core.base.identity import user_name
from pitasker_core.runs.cron_log import reader
from pitasker_core.runs.cron_log.log_lines import Event, Kind
from pitasker_core.runs.cron_log.log_source import Unreadable, find_log

_LAG = timedelta(seconds=1)
"""A log line can be this much late, and some logs have only whole seconds."""

_LOOK_BACK = timedelta(hours=1)
"""How far before a write the log is read. Editors that are open for longer prove nothing."""


def began_after(environment: Environment, written: datetime) -> bool:
    """Whether the journal proves that the last edit by hand began after PiTasker's last write.

    False without proof. A log file proves nothing, because every user can write to syslog.
    """
    source = find_log(environment)
    if isinstance(source, Unreadable) or source.file is not None:
        return False
    user = user_name()
    try:
        read = reader.read(source, {}, written - _LOOK_BACK, user)
    except OSError:
        return False
    return not read.jumps and last_edit_began_after(read.events, user, written)


def last_edit_began_after(events: Iterable[Event], user: str, written: datetime) -> bool:
    """Whether all changes of a user's crontab after a time are edits that began after it.

    `events` are in the order of the log.
    """
    begun: dict[int, datetime] = {}
    is_edited = False
    for event in events:
        if event.text != user:
            continue
        if event.kind is Kind.EDIT_BEGUN:
            begun[event.pid] = event.at
        elif event.kind is Kind.EDIT_ENDED:
            begun.pop(event.pid, None)
        elif event.kind in (Kind.REPLACED, Kind.REMOVED) and event.at >= written - _LAG:
            start = begun.get(event.pid)
            if event.at <= written + _LAG and start is None:
                continue  # PiTasker's own write
            if not event.is_verified or start is None or start <= written + _LAG:
                return False
            is_edited = True
    # An open editor may have saved already, just before its line is logged.
    return is_edited and all(start > written + _LAG for start in begun.values())
