"""Import starts of jobs, and changes of the crontab, from cron's log."""

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, cast, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import TIMESTAMP, insert
from sqlalchemy.orm import Session

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.identity import user_name
from pitasker_core.crontab.document import Document, parse, split_stdin, tag_in
from pitasker_core.crontab.execution import unescape
from pitasker_core.database import notices
from pitasker_core.database.events import EventKind, add_event
from pitasker_core.database.tables import EventRow, OperationRow, RunRow, StateRow, TaskRow
from pitasker_core.runs.cron_log import log_lines, reader
from pitasker_core.runs.cron_log.log_lines import Event, Kind
from pitasker_core.runs.cron_log.log_source import Source, Unreadable, find_log
from pitasker_core.runs.dedupe import same_start
from pitasker_core.runs.model import FINISHED, RunSource, RunState
from pitasker_core.sync import service, store

_log = logging.getLogger(__name__)

REACH = timedelta(days=7)
"""How far back the first collection reads."""

_WORTH = 1_000_000
"""Save our log position after skipping this many bytes."""

_OWN_WRITE = timedelta(seconds=5)
"""How far a line of `crontab` may be from PiTasker's own operation that caused it."""

_REMEMBERED = 20
"""How many clock jumps and starts of cron are kept, newest first."""


@dataclass(frozen=True)
class Seen:
    """The state of our reading of cron's log. `until` is when it was last read to its end."""

    since: datetime
    """When it was first read."""
    until: datetime
    is_journal: bool
    """Whether it is systemd's journal, which also knows boots."""
    jumps: tuple[tuple[datetime, datetime], ...]
    """Periods in which the clock was set or the machine slept."""
    ups: tuple[tuple[datetime, datetime], ...]
    """Cron's starts, each with the last sign of life before it."""
    holes: tuple[tuple[datetime, datetime], ...] = ()
    """Periods whose log is gone."""
    skipped: int = 0
    """The number of skipped lines so far: malformed, or not written by cron."""


def collect(environment: Environment) -> Seen | Unreadable:
    """Import new starts and changes of the crontab from cron's log.

    Uses one transaction, and none if nothing is new. Raises DatabaseError.
    """
    source = find_log(environment)
    if isinstance(source, Unreadable):
        return source
    now = clock.now()
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        row = session.get(StateRow, _key(crontab_row))
        saved: dict[str, Any] = dict(row.value) if row else {}
    try:
        read_log = _read(source, saved, now)
    except OSError as problem:
        return Unreadable(f"{source} could not be read: {problem.strerror or problem}.")
    state = _new_state(saved, read_log, source, now)
    if read_log.skipped:
        _log.warning(
            "%d lines of %s were skipped: cron cannot have written them.", read_log.skipped, source
        )
    if read_log.events or _is_worth_it(saved, state):
        document = _document(environment)
        with database.session(environment) as session:
            row = session.get(StateRow, _key(crontab_row), with_for_update=True)
            if (dict(row.value) if row else {}) != saved:
                return _seen(state, now)  # another process was faster
            _take_in(session, crontab_row, read_log.events, document)
            session.merge(StateRow(key=_key(crontab_row), value=state, updated_at=now))
    return _seen(state, now)


def _key(crontab_row: int) -> str:
    return f"log:{crontab_row}"


def _read(source: Source, saved: dict[str, Any], now: datetime) -> reader.Read:
    since = now - REACH
    if saved.get("source") == str(source):
        return reader.read(source, saved["place"], since, user_name())
    if saved:
        # The log has changed. Starts in both logs are imported once, because of their name.
        since = max(since, datetime.fromisoformat(saved["read"]) - timedelta(hours=1))
        return reader.read(source, {"at": saved["read"]}, since, user_name())
    return reader.read(source, {}, since, user_name())


def _new_state(
    saved: dict[str, Any], read_log: reader.Read, source: Source, now: datetime
) -> dict[str, Any]:
    """The state to save after this reading."""

    def pairs(name: str, new: list[tuple[datetime, datetime]]) -> list[list[str]]:
        return [*saved.get(name, []), *([a.isoformat(), b.isoformat()] for a, b in new)]

    return {
        "source": str(source),
        "place": read_log.place,
        "read": now.isoformat(),
        "since": saved.get("since") or now.isoformat(),
        "ups": pairs("ups", read_log.ups)[-_REMEMBERED:],
        "jumps": pairs("jumps", read_log.jumps)[-_REMEMBERED:],
        "holes": pairs("holes", read_log.holes)[-_REMEMBERED:],
        "skipped": saved.get("skipped", 0) + read_log.skipped,
    }


def _is_worth_it(saved: dict[str, Any], state: dict[str, Any]) -> bool:
    """Whether to save the position although it has no new events of ours."""
    if saved.get("source") != state["source"] or saved["jumps"] != state["jumps"]:
        return True
    if saved.get("holes", []) != state["holes"]:
        return True
    old, new = saved["place"], state["place"]
    if "position" in new:
        moved = new["position"] - old["position"]
        return bool(old["inode"] != new["inode"] or not 0 <= moved < _WORTH)
    return bool(old != new)


def _seen(state: dict[str, Any], now: datetime) -> Seen:
    at = datetime.fromisoformat
    return Seen(
        at(state["since"]),
        now,
        state["source"] == str(Source()),
        tuple((at(a), at(b)) for a, b in state["jumps"]),
        tuple((at(a), at(b)) for a, b in state["ups"]),
        tuple((at(a), at(b)) for a, b in state["holes"]),
        state["skipped"],
    )


def _document(environment: Environment) -> Document:
    """The current crontab. Without it, runs of unmanaged entries are not imported."""
    try:
        return service.read_crontab(environment)[1]
    except PiTaskerError:
        return parse("")


def _take_in(
    session: Session, crontab_row: int, events: Iterable[Event], document: Document
) -> None:
    events = list(events)
    user = user_name()
    starts = [e for e in events if e.kind is Kind.STARTED and e.user == user]
    _take_starts(session, crontab_row, starts, document)
    _take_changes(session, crontab_row, events, user)


# --- Starts -----------------------------------------------------------------------------------


def unmanaged(document: Document) -> dict[str, str]:
    """The commands of unmanaged entries, by the text that cron logs for them."""
    return {
        log_lines.as_logged(unescape(split_stdin(entry.command)[0])[0]): entry.command
        for _, entry in document.entries()
        if entry.tag is None and not entry.has_foreign_bytes
    }


def _take_starts(
    session: Session, crontab_row: int, starts: list[Event], document: Document
) -> None:
    tags = {event: tag_in(event.text) for event in starts}
    query = select(TaskRow.tag, TaskRow.id).where(
        TaskRow.crontab_row == crontab_row, TaskRow.tag.in_({tag for tag in tags.values() if tag})
    )
    tasks: dict[UUID | None, int] = {row.tag: row.id for row in session.execute(query)}
    commands = unmanaged(document)
    recorded = _recorded_tasks(session, tasks.values(), starts)
    rows: list[dict[str, Any]] = []
    last: dict[int, datetime] = {}
    for event in starts:
        task = tasks.get(tags[event])
        command = None if task else commands.get(event.text)
        if task is None and command is None:
            continue  # from /etc/cron.d, or of an entry that is gone
        if task is not None:
            last[task] = max(last.get(task, event.at), event.at)
            twin = same_start(RunSource.RECORDED, task, event.at, [event.pid])
            if task in recorded and session.scalar(select(exists().where(twin))):
                continue
        rows.append(
            {
                "crontab_row": crontab_row,
                "task": task,
                "command": command,
                "name": f"log:{crontab_row}:{int(event.at.timestamp())}:{event.pid}",
                "source": RunSource.OBSERVED,
                "pid": event.pid,
                "started_at": event.at,
            }
        )
    for start in range(0, len(rows), 1000):
        session.execute(insert(RunRow).on_conflict_do_nothing(), rows[start : start + 1000])
    store.lock_tasks(session, last)
    for task, at in last.items():
        _mark(session, task, at)


def _recorded_tasks(session: Session, tasks: Iterable[int], starts: list[Event]) -> set[int]:
    """The tasks with any recorded runs at that time."""
    first = min((event.at for event in starts), default=clock.now()) - timedelta(hours=1)
    query = select(RunRow.task).where(
        RunRow.task.in_(list(tasks)),
        RunRow.source == RunSource.RECORDED,
        RunRow.started_at >= first,
    )
    return {task for task in session.scalars(query.distinct()) if task is not None}


def _mark(session: Session, task: int, at: datetime) -> None:
    """Update a task's last run. Its result is unknown, so the newest known result stays, except
    missed."""
    result = (
        select(RunRow.state)
        .where(RunRow.task == task, RunRow.state.in_(FINISHED))
        .order_by(RunRow.started_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    newer = or_(TaskRow.last_run.is_(None), TaskRow.last_run < at, TaskRow.last_run > clock.now())
    missed_after = exists().where(
        RunRow.task == task, RunRow.source == RunSource.MISSED, RunRow.ended_at > at
    )
    mine = TaskRow.id == task
    quietly = {"synchronize_session": False}
    session.execute(
        update(TaskRow).where(mine, newer).values(last_run=at).execution_options(**quietly)
    )
    session.execute(
        update(TaskRow)
        .where(mine, TaskRow.status == RunState.MISSED, ~missed_after)
        .values(status=func.coalesce(result, "pending"))
        .execution_options(**quietly)
    )


# --- Changes of the crontab -------------------------------------------------------------------

ACTORS = (Actor.CRONTAB, Actor.CRON_LOG)
"""The actors of changes by another program."""

_CHANGES = {
    Kind.REPLACED: EventKind.REPLACED_BY_CRONTAB,
    Kind.REMOVED: EventKind.REMOVED_BY_CRONTAB,
}
CHANGES = (*_CHANGES.values(), EventKind.EDITED_BY_CRONTAB)
"""The kinds of these events."""


def _take_changes(session: Session, crontab_row: int, events: list[Event], user: str) -> None:
    """Record who changed the crontab. A line without proof is attributed to the log."""
    edits = {e.pid for e in events if e.kind in (Kind.EDIT_BEGUN, Kind.EDIT_ENDED)}
    changes = [e for e in events if e.kind in _CHANGES and e.text == user]
    query = select(EventRow.at, EventRow.kind).where(
        EventRow.actor.in_(ACTORS), EventRow.at.in_({event.at for event in changes})
    )
    recorded_events = {(at, kind) for at, kind in session.execute(query)} if changes else set()
    for event in changes:
        kind = EventKind.EDITED_BY_CRONTAB if event.pid in edits else _CHANGES[event.kind]
        # After compression a log is read again from its beginning.
        if (event.at, kind) in recorded_events:
            continue
        if operation := _raced(session, crontab_row, event, {e.pid for e in changes}):
            _notify_of_race(session, crontab_row, operation, event)
        elif _is_ours(session, crontab_row, event):
            continue
        actor = Actor.CRONTAB if event.is_verified else Actor.CRON_LOG
        by = {"by": event.user} if event.is_verified and event.user != user else None
        add_event(session, actor, kind, at=event.at, after=by)


def _raced(session: Session, crontab_row: int, event: Event, pids: Collection[int]) -> int | None:
    """The operation during whose write, after its last check, another program wrote too.

    Only if the log also has our own write, by its process id: then this line is another program's.
    A log with whole seconds does not give the order within a second.
    """
    write = OperationRow.details["write"]
    since, until = (cast(write[name].astext, TIMESTAMP(timezone=True)) for name in _WINDOW)
    second = timedelta(seconds=1) if not event.at.microsecond else timedelta()
    row = session.execute(
        select(OperationRow.id, cast(write["pid"].astext, Integer))
        .where(OperationRow.crontab_row == crontab_row, write.is_not(None))
        .where(OperationRow.started_at > event.at - _LONGEST_WRITE)
        .where(since <= event.at + second, until >= event.at)
    ).first()
    return row[0] if row and row[1] in pids and row[1] != event.pid else None


def _notify_of_race(session: Session, crontab_row: int, operation: int, event: Event) -> None:
    message = (
        f"At {event.at.astimezone(clock.system_zone()):%H:%M:%S} another program installed a "
        f"crontab while PiTasker wrote it (operation {operation}). If a change by that program is "
        "missing, PiTasker has overwritten it. Make that change again."
    )
    _log.warning("%s", message)
    notices.add(session, crontab_row, notices.NoticeKind.FINDING, message)


_WINDOW = ("since", "until")
_LONGEST_WRITE = timedelta(minutes=5)


def _is_ours(session: Session, crontab_row: int, event: Event) -> bool:
    """Whether PiTasker itself wrote the crontab at that time."""
    length = func.make_interval(0, 0, 0, 0, 0, 0, OperationRow.duration_ms / 1000)
    query = exists().where(
        OperationRow.crontab_row == crontab_row,
        or_(OperationRow.after.is_not(None), OperationRow.outcome == store.Outcome.FAILED),
        OperationRow.started_at <= event.at + _OWN_WRITE,
        OperationRow.started_at + length >= event.at - _OWN_WRITE,
    )
    return bool(session.scalar(select(query)))
