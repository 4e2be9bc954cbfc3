"""Who changed what: the audit history."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from pitasker_core import database
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import DatabaseError
from pitasker_core.base.text import visible
from pitasker_core.database.events import EventKind, add_event
from pitasker_core.database.tables import EventRow

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Event:
    """One change, with the values before and after; None where there were none."""

    id: int
    at: datetime
    actor: str
    kind: str
    task: int | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def note(environment: Environment, actor: Actor, kind: EventKind) -> None:
    """Record something that was done outside of the database. Without a database, only the log has
    it."""
    try:
        with database.session(environment) as session:
            add_event(session, actor, kind)
    except DatabaseError as problem:
        _log.warning("%s by %s is not in the history: %s", kind, actor, problem.message)


def listing(environment: Environment, limit: int) -> list[Event]:
    """The newest events, newest first."""
    columns = [getattr(EventRow, name) for name in Event.__dataclass_fields__]
    with database.session(environment) as session:
        rows = session.execute(select(*columns).order_by(EventRow.id.desc()).limit(limit))
        return [Event(**row._mapping) for row in rows]


_WORDS = {"line": "entry", "system_managed": "in the crontab", "record_runs": "record its runs"}
"""Words for fields whose names in the code are not plain."""


def difference(event: Event) -> str:
    """What an event changed, in words: `schedule @daily → @weekly`."""
    before, after = event.before or {}, event.after or {}
    parts = []
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        word = _WORDS.get(name, name.replace("_", " "))
        if event.before and event.after:
            if old != new:
                parts.append(f"{word} {_said(old)} → {_said(new)}")
        elif new or old:
            parts.append(f"{word}: {_said(new if event.after else old)}")
    return ", ".join(parts)


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if value is None or isinstance(value, bool):
        return {True: "yes", False: "no", None: "none"}[value]
    return visible(str(value)) or "nothing"
