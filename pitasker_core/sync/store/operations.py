"""Records of operations, events, and conflicts that wait for a person."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pitasker_core.base import clock
from pitasker_core.base.actor import Actor
from pitasker_core.database import direct
from pitasker_core.database.direct import Statement
from pitasker_core.database.events import NewEvent
from pitasker_core.database.tables import OperationRow, StateRow
from pitasker_core.sync.merge import Change
from pitasker_core.sync.store.crontab_rows import OPEN_CONFLICTS, SyncState, last_sync, own_crontab


class OperationKind(StrEnum):
    """What an operation was. The values are stored in the database."""

    SYNC = "sync"
    IMPORT = "import"
    EXPORT = "export"
    RESOLVE = "resolve"
    EDIT = "edit"
    """An edit of the crontab's whole text."""
    RESTORE = "restore"
    UNDO = "undo"
    CREATE = "create"
    CHANGE = "change"
    PAUSE = "pause"
    RESUME = "resume"
    DELETE = "delete"
    UNDO_DELETE = "undo delete"
    STOP_MANAGING = "stop managing"
    DETACH = "detach"


class Outcome(StrEnum):
    """How an operation ended."""

    SUCCESS = "success"
    PARTIAL = "partial"
    """Some changes failed, or wait for a choice."""
    FAILED = "failed"


@dataclass(frozen=True)
class SyncRecord:
    """The record of a sync. `before` and `after` are ids of snapshots."""

    kind: OperationKind
    actor: Actor
    started_at: datetime
    duration_ms: float
    pushed: int
    pulled: int
    conflicts: int
    failed: int
    open_conflicts: int
    """Conflicts of all tasks, also of those that were not synced."""
    pending: int
    """Changes that this sync left for another time."""
    entries: int
    """Entries in the crontab."""
    managed: int
    """Entries that a task manages."""
    before: int | None
    after: int | None
    is_written: bool
    """The crontab was written: the snapshot after it is the newest, and `after` is None."""
    details: Mapping[str, Any] = field(default_factory=dict)


def record(session: Session, **columns: Any) -> int:
    """Record an operation that is no sync, or that failed. Return its id."""
    statement = insert(OperationRow).values(**columns).returning(OperationRow.id)
    return int(session.execute(statement).scalar_one())


def record_statement(crontab_row: int, sync: SyncRecord) -> Statement:
    """Return the statement that records a sync, and returns the id of the operation.

    It counts the tasks in each state, for the charts, and notes the time of the sync.
    """
    outcome = Outcome.PARTIAL if sync.conflicts or sync.failed else Outcome.SUCCESS
    values = {**vars(sync), "crontab": crontab_row, "outcome": outcome}
    return _RECORD_SYNC, {**values, "details": Jsonb(sync.details)}


_RECORD_SYNC = """
    with synced as (
        update crontabs set synced_at = cast(%(started_at)s as timestamptz) where id = %(crontab)s
    ), counted as (
        select count(*) as all_tasks,
            count(*) filter (where is_system_managed) as managed,
            count(*) filter (where is_system_managed and paused) as paused
        from tasks where deleted_at is null and crontab = %(crontab)s
    )
    insert into sync_operations (
        crontab, kind, actor, started_at, duration_ms, outcome, pushed, pulled, conflicts, failed,
        before, after, details
    )
    select
        %(crontab)s, %(kind)s, %(actor)s, cast(%(started_at)s as timestamptz), %(duration_ms)s,
        %(outcome)s, %(pushed)s, %(pulled)s, %(conflicts)s, %(failed)s,
        cast(%(before)s as int),
        case when %(is_written)s then (
            select max(id) from snapshots where crontab = %(crontab)s
        ) else cast(%(after)s as int) end,
        %(details)s || jsonb_build_object('counts', jsonb_build_object(
            'states', jsonb_build_object(
                'synced', greatest(
                    0, managed - paused
                        - cast(%(open_conflicts)s as int) - cast(%(failed)s as int)
                        - cast(%(pending)s as int)
                ),
                'paused', paused,
                'pending', cast(%(pending)s as int),
                'conflict', cast(%(open_conflicts)s as int),
                'failed', cast(%(failed)s as int),
                'database only', all_tasks - managed
            ),
            'entries', cast(%(entries)s as int),
            'managed', cast(%(managed)s as int)
        ))
    from counted
    returning id
"""


def synced_statement(crontab_row: int, at: datetime) -> Statement:
    """Return the statement that notes the time of a sync that leaves no record."""
    return _MARK_SYNCED, {"crontab": crontab_row, "at": at}


_MARK_SYNCED = "update crontabs set synced_at = %(at)s where id = %(crontab)s"


def failed_last_by(session: Session, crontab_row: int, code: str, message: str) -> bool:
    """Return whether the newest operation failed with this error, and no sync succeeded since."""
    newest = session.execute(
        select(OperationRow.error_code, OperationRow.error_message, OperationRow.started_at)
        .where(OperationRow.crontab_row == crontab_row)
        .order_by(OperationRow.id.desc())
        .limit(1)
    ).first()
    if newest is None or tuple(newest[:2]) != (code, message):
        return False
    synced_at = last_sync(session, crontab_row)
    return synced_at is None or synced_at < newest.started_at


def save_conflicts(
    session: Session,
    state: SyncState,
    conflicts: Collection[Change],
    only: Collection[UUID] | None,
) -> bool:
    """Remember the conflicts of all tags, or of some. Return whether they changed."""
    now = {str(change.tag): change.fingerprint for change in conflicts}
    if only is not None:
        others = {tag: value for tag, value in state.conflicts.items() if UUID(tag) not in only}
        now = others | now
    if now == state.conflicts:
        return False
    session.merge(StateRow(key=OPEN_CONFLICTS, value=now, updated_at=clock.now()))
    return True


def add_events(session: Session, events: Sequence[NewEvent]) -> None:
    """Write events in one statement."""
    if events:
        direct.execute(session, *events_statement(own_crontab(session), events))


def events_statement(crontab_row: int, events: Sequence[NewEvent]) -> Statement:
    """Return the statement of `add_events`."""
    return _ADD_EVENTS, {"crontab": crontab_row, "events": Jsonb(list(events))}


# The default of `crontab` would call a function for each row.
_ADD_EVENTS = """
    insert into events (crontab, actor, kind, task, before, after)
    select %(crontab)s, actor, kind, task, before, after
    from jsonb_to_recordset(%(events)s)
        as event (actor text, kind text, task int, before jsonb, after jsonb)
"""
