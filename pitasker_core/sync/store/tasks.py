"""The rows of tasks that a sync and an edit read and write."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from pitasker_core.base import clock
from pitasker_core.base.actor import Actor
from pitasker_core.base.errors import Stale
from pitasker_core.base.text import marked
from pitasker_core.crontab.document import tag_of
from pitasker_core.crontab.recording import PLAIN, recording
from pitasker_core.database import direct
from pitasker_core.database.events import EventKind, NewEvent
from pitasker_core.database.tables import TaskRow
from pitasker_core.sync.merge import Fields
from pitasker_core.sync.sides import KnownTask
from pitasker_core.sync.store.base import without_defaults
from pitasker_core.sync.store.crontab_rows import own_crontab
from pitasker_core.sync.store.operations import add_events, events_statement


def edited_tasks(session: Session, tasks: Collection[int]) -> dict[int, TaskRow]:
    """Lock the tasks to edit, and return them by id.

    They are detached from the session: `write_tasks` writes them.
    """
    rows = {}
    for values in direct.execute(session, _EDITED_TASKS, {"ids": [*tasks]}):
        row = TaskRow()
        # As SQLAlchemy loads a row, in a third of its time: the values count as unchanged.
        vars(row).update(zip(_ATTRIBUTES, values, strict=True))
        set_committed_value(row, "sync_error", row.sync_error and marked(row.sync_error))
        rows[row.id] = row
    return rows


def add_tasks(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert tasks of entries in one statement. Return their ids, in the same order."""
    written = Jsonb([without_defaults(row) for row in rows])
    values = {"crontab": own_crontab(session), "rows": written, "at": clock.now()}
    return sorted(task for (task,) in direct.execute(session, _ADD_TASKS, values))


_ADD_TASKS = """
    insert into tasks (
        crontab, name, cron_schedule, command, paused, record_runs, timeout_seconds, no_overlap,
        source, is_system_managed, crontab_id, synced_to_crontab, crontab_synced_at, version
    )
    select %(crontab)s, name, cron_schedule, command, coalesce(paused, false),
        coalesce(record_runs, false), timeout_seconds, coalesce(no_overlap, false), source,
        coalesce(is_system_managed, false), tag, coalesce(synced, false),
        case when synced then cast(%(at)s as timestamptz) end, 1
    from rows from (
        jsonb_to_recordset(%(rows)s) as (
            name text, cron_schedule text, command text, paused bool, record_runs bool,
            timeout_seconds int, no_overlap bool, source text, is_system_managed bool, tag uuid,
            synced bool
        )
    ) with ordinality as entry (
        name, cron_schedule, command, paused, record_runs, timeout_seconds, no_overlap, source,
        is_system_managed, tag, synced, number
    )
    order by number
    returning id
"""


def lock_tasks(session: Session, tasks: Collection[int]) -> set[int]:
    """Lock tasks until commit. Return the ids of those that exist."""
    return {task for (task,) in direct.execute(session, _lock("id"), {"ids": [*tasks]})}


def _lock(columns: str) -> str:
    """Return the query that locks tasks, in the order of their ids.

    Every transaction locks the crontab first and then tasks in this order, so there are no
    deadlocks. Runs can be added to a locked task.
    """
    return f"""
        select {columns} from tasks where id = any(cast(%(ids)s as int[]))
        order by id for no key update
    """  # noqa: S608 - the names of our columns


_TASKS = TaskRow.metadata.tables["tasks"]
_ATTRIBUTES = _TASKS.c.keys()
_EDITED_TASKS = _lock(", ".join(column.name for column in _TASKS.c))


def write_tasks(session: Session, rows: Iterable[TaskRow], events: Sequence[NewEvent] = ()) -> None:
    """Write the changes of `edited_tasks` and their events: a statement for each, sent together.

    Raises Stale when another process changed one of them meanwhile.
    """
    changed = {row: changed_columns(row) for row in rows}
    modified = [row for row, names in changed.items() if names]
    if not modified:
        add_events(session, events)
        return
    names = sorted(set().union(*changed.values()))
    columns = {name: _TASKS.c[name].name for name in ("id", "version", *names)}
    values = [{columns[name]: getattr(row, name) for name in columns} for row in modified]
    update = _update_of(*names), {"rows": json.dumps(values, default=str)}
    others = [events_statement(own_crontab(session), events)] if events else []
    *_, done = direct.execute_together(session, [*others, update])
    if len(done) != len(modified):
        raise Stale("A task was changed by somebody else meanwhile.", "Nothing was changed.")
    by_id = {row.id: row for row in modified}
    for task, version, definition_changed_at in done:
        set_committed_value(by_id[task], "version", version)
        set_committed_value(by_id[task], "definition_changed_at", definition_changed_at)


@lru_cache
def _update_of(*names: str) -> str:
    """Return the statement that updates these attributes."""
    columns = [_TASKS.c[name].name for name in names]
    changes = ", ".join(f"{column} = new.{column}" for column in columns)
    return f"""
        update tasks set {changes}, version = tasks.version + 1
        from jsonb_populate_recordset(null::tasks, cast(%(rows)s as jsonb)) as new
        where tasks.id = new.id and tasks.version = new.version
        returning tasks.id, tasks.version, tasks.definition_changed_at
    """  # noqa: S608 - the names of our columns


def changed_columns(row: TaskRow) -> set[str]:
    """Return the names of the changed attributes that are not written yet."""
    # Not `attrs` with their history, which takes ten times as long.
    before = inspect(row).committed_state
    return {name for name, value in before.items() if value != getattr(row, name)}


def known_tasks_of(rows: Iterable[tuple[Any, ...]]) -> dict[UUID, KnownTask]:
    """Return the tasks of the rows of `KNOWN_TASKS`, by tag."""
    return {
        tag_of(tag): KnownTask(
            task,
            Fields(
                name,
                schedule,
                command,
                paused,
                recording(on=on, timeout_seconds=timeout, no_overlap=alone) if on else PLAIN,
            ),
            wants,
            importing,
        )
        for tag, task, name, schedule, command, paused, on, timeout, alone, wants, importing in rows
    }


KNOWN_TASKS = """
    select cast(crontab_id as text), id, name, cron_schedule, command, paused, record_runs,
        timeout_seconds, no_overlap, is_system_managed and deleted_at is null,
        source <> 'pitasker' and crontab_synced_at is null
    from tasks where crontab = %(crontab)s and crontab_id is not null
    order by id
"""
# The order is that of `_locking_tasks`.
LOCK_KNOWN_TASKS = f"{KNOWN_TASKS} for no key update of tasks"


def pull(
    session: Session,
    changes: Sequence[tuple[int, Fields | None, Fields | None]],
    at: datetime,
) -> None:
    """Give tasks the fields of their entries: (task, before, after). Write an event for each.

    A task whose entry is gone becomes database-only. An unrecorded entry carries no limits, so its
    task keeps them.
    """
    if not changes:
        return
    values = [
        {
            "task": task,
            "before": before.as_dict() if before else None,
            "after": after.as_dict() if after else None,
        }
        for task, before, after in changes
    ]
    crontab_row = own_crontab(session)
    events = {
        "actor": Actor.CRONTAB,
        "removed": EventKind.REMOVED_FROM_CRONTAB,
        "changed": EventKind.CHANGED_IN_CRONTAB,
    }
    changed = Jsonb(values)
    direct.execute(session, _PULL, {"crontab": crontab_row, "changes": changed, "at": at, **events})


_PULL = """
    with changes as materialized (
        select task, before, after, after -> 'recording' as recording
        from jsonb_to_recordset(%(changes)s) as change (task int, before jsonb, after jsonb)
    ), added as (
        insert into events (crontab, actor, kind, task, before, after)
        select %(crontab)s, %(actor)s,
            case when after is null then %(removed)s else %(changed)s end, task, before, after
        from changes
    )
    update tasks set
        name = coalesce(after ->> 'name', name),
        cron_schedule = coalesce(after ->> 'schedule', cron_schedule),
        command = coalesce(after ->> 'command', command),
        paused = coalesce(cast(after ->> 'paused' as bool), paused),
        record_runs = case when after is null then record_runs else recording <> 'null' end,
        timeout_seconds = case
            when recording <> 'null' then cast(recording ->> 'timeout_seconds' as int)
            else timeout_seconds
        end,
        no_overlap = coalesce(cast(recording ->> 'no_overlap' as bool), no_overlap),
        is_system_managed = after is not null,
        deleted_at = case when after is null then deleted_at end,
        updated_at = cast(%(at)s as timestamptz),
        version = version + 1
    from changes where tasks.id = changes.task
"""


def mark_failed(session: Session, failures: Mapping[int, str]) -> bool:
    """Save why each task could not be written. Return whether a reason changed."""
    if not failures:
        return False
    values = {"tasks": list(failures), "reasons": list(failures.values())}
    return bool(direct.execute(session, _MARK_FAILED, values))


_MARK_FAILED = """
    update tasks set sync_error = reason, synced_to_crontab = false
    from unnest(cast(%(tasks)s as int[]), cast(%(reasons)s as text[])) as failures (task, reason)
    where tasks.id = task and sync_error is distinct from reason
    returning tasks.id
"""


def database_only(session: Session) -> list[int]:
    """Return the ids of the database-only tasks."""
    rows = session.scalars(
        select(TaskRow.id)
        .where(TaskRow.deleted_at.is_(None), ~TaskRow.is_system_managed)
        .order_by(TaskRow.id)
    )
    return [*rows]
