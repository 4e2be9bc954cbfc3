"""Create, change, pause, delete and restore tasks.

Each act commits what the person wants first; the crontab follows at once. When the crontab cannot
follow (no `crontab` program, or another sync holds the lock), the task is saved and pending, and
the next sync writes it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import NotFound, PiTaskerError, Stale
from pitasker_core.crontab.document import Document
from pitasker_core.crontab.rejection import Field
from pitasker_core.database.events import EventKind, NewEvent
from pitasker_core.database.tables import BaseRow, TaskRow
from pitasker_core.sync import store
from pitasker_core.sync.service import (
    Request,
    SyncResult,
    carry,
    compare,
    read_crontab,
    reading_crontab,
    sync,
    want_entry,
)
from pitasker_core.sync.store import OperationKind
from pitasker_core.tasks import checks
from pitasker_core.tasks.model import (
    ATTRIBUTES,
    ENTRY_NAMES,
    VALUE_NAMES,
    Edit,
    NewTask,
    Task,
    column_value,
    event_values,
    task_from_row,
)
from pitasker_core.tasks.task_list import query_of, tasks_of

_ENTRY_ATTRIBUTES = {"deleted_at", *(ATTRIBUTES[name] for name in ENTRY_NAMES)}
"""When one of these attributes of a row changes, the crontab has to follow."""

_TEXTS: dict[Field, str | None] = {"name": None, "schedule": " \t", "command": " \t"}
"""The fields that are checked with the crontab, and the characters stripped from their ends."""

_PLAIN = tuple(name for name in VALUE_NAMES if name not in (*_TEXTS, "system_managed"))
"""The fields that are written as they are given."""


@dataclass(frozen=True)
class Preview:
    """What edits would do: the crontab's text before and after, and what is wrong, by task."""

    before: str | None
    after: str
    problems: dict[int, str]


@dataclass(frozen=True)
class Applied:
    """Saved tasks. `problem` is why the crontab does not follow yet."""

    tasks: list[Task]
    result: SyncResult | None = None
    problem: PiTaskerError | None = None
    kind: OperationKind | None = None
    before: tuple[Task, ...] = ()
    """The tasks before the change, for `undo`; empty for new tasks."""

    @property
    def failures(self) -> dict[int, str]:
        """Why single tasks could not be written to the crontab, by id."""
        return self.result.failures if self.result else {}

    @property
    def notes(self) -> dict[int, str]:
        """Which environment lines reach an entry that came back to another place, by id."""
        return self.result.notes if self.result else {}


def create(environment: Environment, actor: Actor, new: NewTask) -> Applied:
    """Create a task and, if it is system-managed, its entry.

    Raises InvalidSyntax for what cannot be an entry, and DatabaseError; then there is no task.
    """
    return create_all(environment, actor, [new])


def create_all(
    environment: Environment,
    actor: Actor,
    new_tasks: Sequence[NewTask],
    kind: OperationKind = OperationKind.CREATE,
) -> Applied:
    """Create tasks, and write the entries of those that are system-managed by one sync.

    Raises InvalidSyntax when one of them cannot be an entry, and DatabaseError; then there is none.
    """
    with _reading(environment) as read:
        text, document = read()
    with database.session(environment) as session:
        rows = [_add_row(session, environment, new, document) for new in new_tasks]
        session.flush()
        event: NewEvent = {"actor": actor, "kind": EventKind.CREATED}
        events: list[NewEvent] = []
        for row in rows:
            session.refresh(row)
            events.append({**event, "task": row.id, "after": event_values(row)})
        store.add_events(session, events)
    return _follow(environment, actor, kind, rows, (text, document))


def _add_row(
    session: Session, environment: Environment, new: NewTask, document: Document | None
) -> TaskRow:
    """Add the row of a new task, with its tag if it is system-managed. Raises InvalidSyntax."""
    values = {name: getattr(new, name) for name in VALUE_NAMES}
    values |= {name: values[name].strip(ends) for name, ends in _TEXTS.items()}
    values["system_managed"] = False
    checks.check(values["name"], values["schedule"], values["command"], document)
    checks.check_ping_url(new.ping_url)
    checks.check_notify(new.notify)
    checks.check_notes(new.notes)
    checks.check_labels(new.labels)
    columns = {ATTRIBUTES[name]: column_value(value) for name, value in values.items()}
    row = TaskRow(**columns, source="pitasker", version=1)
    session.add(row)
    session.flush()
    checks.check_recording(environment, row, document)
    if new.system_managed:
        want_entry(row)
    return row


def apply(
    environment: Environment,
    actor: Actor,
    edits: Sequence[Edit],
    kind: OperationKind = OperationKind.CHANGE,
) -> Applied:
    """Carry out edits: save all of them, or none when one is invalid.

    Raises InvalidSyntax, NotFound or Stale, which name the task; then nothing was changed.
    """
    ids = [edit.task for edit in edits]
    events: list[NewEvent] = []
    # The crontab is read while the rows are.
    with _reading(environment) as read, _locked_tasks(environment, ids) as (session, rows):
        text, document = read()
        earlier = tuple(task_from_row(row) for row in rows.values())
        for edit in edits:
            row = _editable_row(rows, edit)
            before = event_values(row)
            _edit_row(environment, row, edit, document)
            event: NewEvent = {"actor": actor, "task": row.id, "before": before}
            if edit.delete:
                events.append({**event, "kind": EventKind.DELETED})
            else:
                events.append({**event, "kind": EventKind.CHANGED, "after": event_values(row)})
        store.write_tasks(session, rows.values(), events)
        edited = [rows[task] for task in dict.fromkeys(ids)]
    return replace(_follow(environment, actor, kind, edited, (text, document)), before=earlier)


def preview(environment: Environment, edits: Sequence[Edit]) -> Preview:
    """Return what `apply` would do to the crontab. Nothing is saved or written.

    Invalid edits are left out and named in `problems`. Raises CrontabError or DatabaseError when
    either side cannot be read.
    """
    text, document = read_crontab(environment)
    problems: dict[int, str] = {}
    with database.session(environment) as session:
        rows = store.edited_tasks(session, [edit.task for edit in edits])
        for edit in edits:
            try:
                _edit_or_leave(environment, _editable_row(rows, edit), edit, document)
            except PiTaskerError as problem:
                problems[edit.task] = problem.user_message
        store.write_tasks(session, rows.values())
        tags = {row.tag for row in rows.values() if row.tag}
        comparison = compare(session, store.own_crontab(session), text, document)
        carried = carry(environment, comparison, comparison.plan.only(tags))
        failed = {
            comparison.tasks_by_tag[tag].task: reason for tag, reason in carried.failures.items()
        }
        session.rollback()
    return Preview(text, str(carried.document), {**failed, **problems})


def change(
    environment: Environment, actor: Actor, task: int, version: int | None = None, **fields: Any
) -> Applied:
    """Change fields of one task; see `Edit` for their names."""
    return apply(environment, actor, [Edit(task, version, fields)])


def delete(environment: Environment, actor: Actor, *tasks: int) -> Applied:
    """Delete tasks and their entries. `undo_delete` restores both."""
    return apply(
        environment, actor, [Edit(task, delete=True) for task in tasks], OperationKind.DELETE
    )


def undo_delete(environment: Environment, actor: Actor, *tasks: int) -> Applied:
    """Restore deleted tasks and their entries. Raises NotFound for a task that is not deleted."""
    with _locked_tasks(environment, tasks) as (session, deleted):
        rows: list[TaskRow] = []
        events: list[NewEvent] = []
        for task in dict.fromkeys(tasks):
            row = deleted.get(task)
            if row is None:
                raise NotFound(f"There is no deleted task {task}.")
            if row.deleted_at is None:
                raise NotFound(f"Task {task} is not deleted, or came back already.")
            row.deleted_at = None
            row.updated_at = clock.now()
            event: NewEvent = {"actor": actor, "kind": EventKind.UNDELETED, "task": task}
            events.append({**event, "after": event_values(row)})
            rows.append(row)
        store.write_tasks(session, rows, events)
    return _follow(environment, actor, OperationKind.UNDO_DELETE, rows)


def resume_due(environment: Environment) -> Applied | None:
    """Resume the tasks whose pause has ended. None when there are none."""
    with database.session(environment) as session:
        due = session.scalars(
            select(TaskRow.id).where(
                TaskRow.paused, TaskRow.paused_until <= clock.now(), TaskRow.deleted_at.is_(None)
            )
        ).all()
    edits = [Edit(task, None, {"paused": False}) for task in due]
    return apply(environment, Actor.BACKGROUND, edits, OperationKind.RESUME) if edits else None


def _editable_row(rows: Mapping[int, TaskRow], edit: Edit) -> TaskRow:
    """Return the row of an edit, if it has the version that the person saw."""
    row = rows.get(edit.task)
    if row is None or row.deleted_at:
        raise NotFound(f"There is no task {edit.task}.")
    if edit.version is not None and row.version != edit.version:
        raise Stale(
            f"Task “{row.name}” was changed by somebody else after it was shown.",
            "Look at its new values, then make your change again.",
        )
    return row


def _edit_or_leave(
    environment: Environment, row: TaskRow, edit: Edit, document: Document | None
) -> None:
    """Edit a row; leave it unchanged when the edit is invalid."""
    attributes = (*ATTRIBUTES.values(), "synced_to_crontab")
    before = {attribute: getattr(row, attribute) for attribute in attributes}
    try:
        _edit_row(environment, row, edit, document)
    except PiTaskerError:
        for attribute, value in before.items():
            setattr(row, attribute, value)
        raise


def _edit_row(
    environment: Environment, row: TaskRow, edit: Edit, document: Document | None
) -> None:
    _edit_texts(row, edit, document)
    _edit_plain(row, edit.fields)
    if edit.fields.keys() & {"command", "record_runs", "timeout_seconds", "no_overlap"}:
        checks.check_recording(environment, row, document)
    _edit_system_managed(row, edit.fields.get("system_managed"), document)
    if edit.delete:
        row.deleted_at = clock.now()
    if changed := store.changed_columns(row):
        row.updated_at = clock.now()
        if not changed.isdisjoint(_ENTRY_ATTRIBUTES):
            row.synced_to_crontab = False


def _edit_texts(row: TaskRow, edit: Edit, document: Document | None) -> None:
    for name, ends in _TEXTS.items():
        if name in edit.fields:
            value = str(edit.fields[name]).strip(ends)
            if value != getattr(row, ATTRIBUTES[name]):
                setattr(row, ATTRIBUTES[name], value)
                checks.check_changed_field(row, name, document, is_back=edit.is_back)


def _edit_plain(row: TaskRow, fields: Mapping[str, Any]) -> None:
    if fields.get("paused", row.paused) != row.paused:
        row.paused_until = None
    # Unchanged notes and labels are not checked: they may be older than the limits.
    if fields.get("notes", row.notes) != row.notes:
        checks.check_notes(fields["notes"])
    if list(fields.get("labels", row.labels)) != list(row.labels):
        checks.check_labels(fields["labels"])
    checks.check_ping_url(fields.get("ping_url", ""))
    checks.check_notify(fields.get("notify"))
    for name in _PLAIN:
        if name in fields:
            setattr(row, ATTRIBUTES[name], column_value(fields[name]))


def _edit_system_managed(row: TaskRow, value: bool | None, document: Document | None) -> None:
    if value:
        if not row.is_system_managed:
            # A changed schedule was checked already; an unchanged one may be an imported odd one.
            checks.check(row.name, row.cron_schedule, row.command, document, allows_odd=True)
        want_entry(row)
    elif value is not None:
        row.is_system_managed = False


@contextmanager
def _locked_tasks(
    environment: Environment, tasks: Sequence[int]
) -> Iterator[tuple[Session, dict[int, TaskRow]]]:
    """Begin a transaction with the tasks to edit, whose earlier changes the crontab has followed.

    A process may have died after its write to the crontab and before its record of that. Both
    sides agree until the task is changed again; after that, its write would look like an edit by
    hand.
    """
    with database.session(environment) as session:
        rows = store.edited_tasks(session, tasks)
        waiting = _interrupted_tags(session, rows.values())
        if not waiting:
            yield session, rows
            return
    with suppress(PiTaskerError):
        sync(environment, Request(Actor.BACKGROUND, only=waiting))
    with database.session(environment) as session:
        yield session, store.edited_tasks(session, tasks)


def _interrupted_tags(session: Session, rows: Collection[TaskRow]) -> set[UUID]:
    """Return the tags of tasks whose last change the crontab may not have followed."""
    unsynced = {row.tag: row for row in rows if row.tag and not row.synced_to_crontab}
    if not unsynced:
        return set()
    with_base = {*session.scalars(select(BaseRow.tag).where(BaseRow.tag.in_(unsynced)))}
    return {tag for tag, row in unsynced.items() if row.is_system_managed or tag in with_base}


def _follow(
    environment: Environment,
    actor: Actor,
    kind: OperationKind,
    rows: Sequence[TaskRow],
    crontab: tuple[str | None, Document | None] = (None, None),
) -> Applied:
    """Let the crontab follow saved rows, and report when it cannot.

    `crontab` was read for the checks: it is not read again if nobody wrote it since.
    """
    tags = {row.tag for row in rows if row.tag}
    if not tags:
        return Applied([task_from_row(row) for row in rows], kind=kind)
    text, document = crontab
    read = None if document is None else (text, document)
    ids = [row.id for row in rows]
    try:
        request = Request(actor, kind, tags, crontab=read, query=query_of(ids))
        result = sync(environment, request)
    except PiTaskerError as problem:
        return Applied([task_from_row(row) for row in rows], None, problem, kind)
    tasks = tasks_of(result.rows)
    return Applied([tasks[task] for task in ids if task in tasks], result, kind=kind)


@contextmanager
def _reading(
    environment: Environment,
) -> Iterator[Callable[[], tuple[str | None, Document | None]]]:
    """Start to read the crontab to check against. Without one a task can still be saved."""
    with ExitStack() as stack:
        try:
            read = stack.enter_context(reading_crontab(environment))
        except PiTaskerError:
            yield lambda: (None, None)
            return

        def crontab_or_none() -> tuple[str | None, Document | None]:
            try:
                return read()
            except PiTaskerError:
                return None, None

        yield crontab_or_none
