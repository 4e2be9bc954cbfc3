"""Tasks: create, change, pause, delete, undo, and where each stands.

Every act commits what a person wants first, then lets the crontab follow at once. When that cannot
be (no `crontab`, somebody else at work on it), the task is saved all the same and is pending: the
next sync makes it so.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax, NotFound, PiTaskerError, Stale
from pitasker_core.base.storable import check_storable
from pitasker_core.base.text import Code, Text
from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.document import Crontab, check_command, check_name, parse
from pitasker_core.crontab.recording import LONGEST_TIMEOUT, Recorder, recording
from pitasker_core.crontab.schedule import Dialect, InvalidSchedule
from pitasker_core.database import notices
from pitasker_core.database.tables import BaseRow, EventRow, TaskRow
from pitasker_core.sync import recorder_copy, store
from pitasker_core.sync.merge import Fields, Kind
from pitasker_core.sync.operation_history import Operation, operation
from pitasker_core.sync.service import (
    BACKGROUND,
    Comparison,
    Request,
    SyncResult,
    carry,
    compare,
    read_crontab,
    sync,
    want_entry,
)


@dataclass(frozen=True)
class Task:
    """A task as it is in the database. Times are aware, in UTC."""

    id: int
    name: str
    schedule: str
    command: str
    paused: bool
    paused_until: datetime | None
    is_system_managed: bool
    source: str
    status: str
    last_run: datetime | None
    labels: tuple[str, ...]
    notes: str
    record_runs: bool
    timeout_seconds: int | None
    no_overlap: bool
    catch_up: bool
    ping_url: str
    notify: tuple[str, ...] | None
    sync_error: str | None
    crontab_id: UUID | None
    synced_at: datetime | None
    created_at: datetime
    updated_at: datetime
    definition_changed_at: datetime
    """When its schedule, its command, or whether cron runs it changed last."""
    deleted_at: datetime | None
    version: int


class State(StrEnum):
    """Where a task stands, computed from both sides, never stored."""

    SYNCED = "Synced"
    PENDING = "Pending"
    FAILED = "Failed"
    CONFLICT = "Conflict"
    DATABASE_ONLY = "Database only"


@dataclass(frozen=True)
class Listing:
    """All tasks and where they stand. `problem` is why the crontab could not be compared."""

    tasks: list[Task]
    states: dict[int, State]
    details: dict[int, str]
    """What is behind a state that is not in order, in a sentence."""
    comparison: Comparison | None
    problem: PiTaskerError | None
    last_sync: datetime | None = None
    """When a sync last went well."""

    @property
    def dialect(self) -> Dialect:
        """Which cron reads the crontab; Debian's where the crontab could not be read."""
        return self.comparison.document.dialect if self.comparison else Dialect.DEBIAN

    def cron_schedule(self, task: Task) -> str | None:
        """The schedule by which cron runs a task now; None when it does not.

        A change that waits to be written, and a conflict, do not count for cron yet.
        """
        if self.comparison is None:
            return task.schedule if task.is_system_managed and not task.paused else None
        entry = self.comparison.reading.theirs.get(task.crontab_id) if task.crontab_id else None
        return entry.schedule if entry and not entry.paused else None


@dataclass(frozen=True)
class Edit:
    """One change of one task: new values of fields, or its deletion.

    Fields are name, schedule, command, paused, paused_until, system_managed, notes, labels,
    record_runs, timeout_seconds, no_overlap, catch_up, ping_url and notify.
    `version` is the one that was shown; with None a change by somebody else in between is not
    noticed.
    """

    task: int
    version: int | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    delete: bool = False
    is_back: bool = False
    """The values are those that the task had before."""


@dataclass(frozen=True)
class Preview:
    """What edits would do: the crontab's text now and then, and what is wrong with which task."""

    before: str | None
    after: str
    problems: dict[int, str]


@dataclass(frozen=True)
class Applied:
    """Saved tasks. `problem` is why the crontab does not follow yet, `result` what it took."""

    tasks: list[Task]
    result: SyncResult | None = None
    problem: PiTaskerError | None = None
    kind: str = ""
    before: tuple[Task, ...] = ()
    """The tasks as they were, for `undo`; empty for new ones."""

    @property
    def failures(self) -> dict[int, str]:
        """Why single tasks could not be written to the crontab, by id."""
        return self.result.failures if self.result else {}

    @property
    def notes(self) -> dict[int, str]:
        """Which settings reach an entry that came back to another place, by id."""
        return self.result.notes if self.result else {}


def check_schedule(
    text: str, dialect: Dialect = Dialect.DEBIAN, *, allows_odd: bool = False
) -> str:
    """The schedule, if cron takes it and somebody can have meant it; else InvalidSyntax.

    `allows_odd`: what cron takes is enough, because it is no new one.
    """
    try:
        schedule = schedules.parse(text, dialect)
    except InvalidSchedule as problem:
        better = f"Perhaps {problem.suggestion} was meant." if problem.suggestion else ""
        sentence = f"{problem.message[:1].upper()}{problem.message[1:]}."
        raise InvalidSyntax(sentence, better) from None
    if schedule.warnings and not allows_odd:
        raise InvalidSyntax(
            f"Cron would take this schedule, but not as it reads: {'; '.join(schedule.warnings)}."
        )
    return text


def check(
    name: str,
    schedule: str,
    command: str,
    crontab: Crontab | None = None,
    *,
    allows_odd: bool = False,
) -> None:
    """Raise InvalidSyntax unless this can be a new task, with its tag, at the crontab's end.

    `allows_odd` as for `check_schedule`.
    """
    check_name(name)
    dialect = crontab.dialect if crontab else Dialect.DEBIAN
    check_schedule(schedule, dialect, allows_odd=allows_odd)
    check_command(command)
    if reason := (crontab or parse("")).why_not_tagged(None, command):
        raise InvalidSyntax(reason)


def create(
    environment: Environment,
    actor: str,
    name: str,
    schedule: str,
    command: str,
    *,
    system_managed: bool = True,
    paused: bool = False,
    notes: str = "",
    labels: Sequence[str] = (),
    record_runs: bool = False,
    timeout_seconds: int | None = None,
    no_overlap: bool = False,
    catch_up: bool = False,
    ping_url: str = "",
    notify: Sequence[str] | None = None,
) -> Applied:
    """Make a task and, if it is system-managed, its entry.

    Raises InvalidSyntax for what cannot be an entry, DatabaseError; then there is no task.
    """
    name, schedule, command = name.strip(), schedule.strip(" \t"), command.strip(" \t")
    crontab = _crontab_if_there(environment)
    check(name, schedule, command, crontab)
    _check_told(ping_url, notify)
    _check_words(notes, labels)
    with database.session(environment) as session:
        row = TaskRow(
            name=name,
            cron_schedule=schedule,
            command=command,
            paused=paused,
            notes=notes,
            labels=list(labels),
            record_runs=record_runs,
            timeout_seconds=timeout_seconds,
            no_overlap=no_overlap,
            catch_up=catch_up,
            ping_url=ping_url,
            notify=None if notify is None else list(notify),
            source="pitasker",
            is_system_managed=False,
            version=1,
        )
        session.add(row)
        session.flush()
        _check_recording(environment, row, crontab)
        if system_managed:
            want_entry(row)
        session.flush()
        session.refresh(row)
        after = _told(row)
        session.add(EventRow(actor=actor, kind="created", task=row.id, after=after))
    return _follow(environment, actor, "create", [row])


def apply(
    environment: Environment, actor: str, edits: Sequence[Edit], kind: str = "change"
) -> Applied:
    """Carry out edits: all are saved, or none when one of them is wrong.

    Raises InvalidSyntax, NotFound or Stale, which name the task; then nothing was changed.
    """
    ids = [edit.task for edit in edits]
    _finish_earlier(environment, ids)
    crontab = _crontab_if_there(environment)
    with database.session(environment) as session:
        rows = store.edited_tasks(session, ids)
        earlier = tuple(_task(row) for row in rows.values())
        for edit in edits:
            row = _editable(rows, edit)
            before = _told(row)
            _edit(environment, row, edit, crontab)
            what = "deleted" if edit.delete else "changed"
            after = None if edit.delete else _told(row)
            session.add(EventRow(actor=actor, kind=what, task=row.id, before=before, after=after))
        store.write_tasks(session, rows.values())
        found = [rows[number] for number in dict.fromkeys(ids)]
    return replace(_follow(environment, actor, kind, found), before=earlier)


def preview(environment: Environment, edits: Sequence[Edit]) -> Preview:
    """What `apply` would do to the crontab. Nothing is saved or written.

    Edits that are wrong are left out and named in `problems`. Raises CrontabError or DatabaseError
    when either side cannot be read.
    """
    text, document = read_crontab(environment)
    problems: dict[int, str] = {}
    with database.session(environment) as session:
        ids = [edit.task for edit in edits]
        rows = store.edited_tasks(session, ids)
        for edit in edits:
            try:
                row = _editable(rows, edit)
                before = {column.key: getattr(row, column.key) for column in _COLUMNS}
                try:
                    _edit(environment, row, edit, document)
                except PiTaskerError:
                    for name, value in before.items():
                        setattr(row, name, value)
                    raise
            except PiTaskerError as problem:
                problems[edit.task] = problem.user_message
        store.write_tasks(session, rows.values())
        tags = {row.crontab_id for row in rows.values() if row.crontab_id}
        compared = compare(session, store.own_crontab(session), text, document)
        carried = carry(environment, compared, compared.plan.only(tags))
        failed = {compared.known[tag].task: reason for tag, reason in carried.failures.items()}
        session.rollback()
    return Preview(text, str(carried.document), {**failed, **problems})


def undo(environment: Environment, actor: str, done: Applied) -> Applied:
    """Take back what `create`, `apply`, `change` or `delete` did.

    Raises Stale when one of the tasks was changed since.
    """
    if done.kind == "delete":
        return undo_delete(environment, actor, *(task.id for task in done.tasks))
    if not done.before:
        edits = [Edit(task.id, task.version, delete=True) for task in done.tasks]
        return apply(environment, actor, edits, "undo")
    now = {task.id: task.version for task in done.tasks}
    edits = [Edit(task.id, now[task.id], _fields(task), is_back=True) for task in done.before]
    return apply(environment, actor, edits, "undo")


def undo_sync(environment: Environment, actor: str, done: SyncResult) -> Applied:
    """Take back what a sync carried over: each task gets the values that were overwritten.

    Raises Stale when one of them was changed since, NotFound when it was deleted.
    """
    overwritten = {change.tag: (change.ours, change.result) for change in done.pulled}
    overwritten |= {change.tag: (change.theirs, change.result) for change in done.pushed}
    return _put_back(
        environment, actor, {done.tasks[tag]: pair for tag, pair in overwritten.items()}
    )


def undo_operation(environment: Environment, actor: str, done: Operation) -> Applied:
    """Take back what an operation of the history carried over; see `undo_sync`."""
    overwritten: dict[int, tuple[Fields | None, Fields | None]] = {}
    details = operation(environment, done.id).details
    for part, lost, kept in (("pulled", "database", "crontab"), ("pushed", "crontab", "database")):
        for change in details.get(part, []):
            if change.get("inexact"):
                raise InvalidSyntax(
                    "This cannot be undone: the entry held bytes that are not UTF-8.",
                    "The snapshot from before this operation has them: restore that.",
                )
            sides = {
                side: Fields.from_dict(change[side]) if change[side] else None
                for side in (lost, kept)
            }
            if change["task"] is not None:
                overwritten[change["task"]] = (sides[lost], sides[kept])
    return _put_back(environment, actor, overwritten)


def _put_back(
    environment: Environment,
    actor: str,
    overwritten: Mapping[int, tuple[Fields | None, Fields | None]],
) -> Applied:
    """Give tasks the first of these values each, if they still have the second."""
    edits = []
    tasks = _several(environment, list(overwritten))
    for found, (before, after) in zip(tasks, overwritten.values(), strict=True):
        how = recording(
            on=found.record_runs,
            timeout_seconds=found.timeout_seconds,
            no_overlap=found.no_overlap,
        )
        now = Fields(found.name, found.schedule, found.command, found.paused, how)
        if after and now != after:
            raise Stale(f"Task “{found.name}” was changed since.", "Undo it by hand.")
        wanted = {"system_managed": True, **_as_edit(before)} if before else None
        fields = wanted or {"system_managed": False}
        edits.append(Edit(found.id, found.version, fields, is_back=True))
    return apply(environment, actor, edits, "undo")


def _as_edit(fields: Fields) -> dict[str, Any]:
    """What makes a task say what an entry said."""
    how = fields.recording
    limits = {"timeout_seconds": how.timeout_seconds, "no_overlap": how.no_overlap}
    return {
        "name": fields.name,
        "schedule": fields.schedule,
        "command": fields.command,
        "paused": fields.paused,
        "record_runs": how.on,
        **(limits if how.on else {}),
    }


def _fields(task: Task) -> dict[str, Any]:
    return {
        "name": task.name,
        "schedule": task.schedule,
        "command": task.command,
        "paused": task.paused,
        "paused_until": task.paused_until,
        "system_managed": task.is_system_managed,
        "notes": task.notes,
        "labels": list(task.labels),
        "record_runs": task.record_runs,
        "timeout_seconds": task.timeout_seconds,
        "no_overlap": task.no_overlap,
        "catch_up": task.catch_up,
        "ping_url": task.ping_url,
        "notify": task.notify,
    }


def change(
    environment: Environment, actor: str, task: int, version: int | None = None, **fields: Any
) -> Applied:
    """Change fields of one task; see `Edit` for their names."""
    return apply(environment, actor, [Edit(task, version, fields)])


def delete(environment: Environment, actor: str, *tasks: int) -> Applied:
    """Delete tasks and their entries. `undo_delete` brings both back."""
    return apply(environment, actor, [Edit(task, delete=True) for task in tasks], "delete")


def resume_due(environment: Environment) -> Applied | None:
    """End the pauses whose time has come. None when there are none."""
    with database.session(environment) as session:
        due = session.scalars(
            select(TaskRow.id).where(
                TaskRow.paused, TaskRow.paused_until <= clock.now(), TaskRow.deleted_at.is_(None)
            )
        ).all()
    edits = [Edit(task, None, {"paused": False}) for task in due]
    return apply(environment, BACKGROUND, edits, "resume") if edits else None


def undo_delete(environment: Environment, actor: str, *tasks: int) -> Applied:
    """Bring deleted tasks back, with their entries. Raises NotFound for one that is not deleted."""
    _finish_earlier(environment, tasks)
    with database.session(environment) as session:
        found = store.edited_tasks(session, tasks)
        rows = []
        for task in dict.fromkeys(tasks):
            row = found.get(task)
            if row is None:
                raise NotFound(f"There is no deleted task {task}.")
            if row.deleted_at is None:
                raise NotFound(f"Task {task} is not deleted, or came back already.")
            row.deleted_at = None
            row.updated_at = clock.now()
            session.add(EventRow(actor=actor, kind="undeleted", task=task, after=_told(row)))
            rows.append(row)
        store.write_tasks(session, rows)
    return _follow(environment, actor, "undo delete", rows)


def listing(environment: Environment, *, deleted: bool = False) -> Listing:
    """All tasks of this crontab, by name, with where they stand; or the deleted ones."""
    text, document, problem = None, parse(""), None
    try:
        text, document = read_crontab(environment)
    except PiTaskerError as found:
        problem = found
    with database.session(environment) as session:
        crontab = store.own_crontab(session)
        # Plain columns: rows as objects would take three times as long.
        rows = session.execute(
            select(*_COLUMNS)
            .where(TaskRow.crontab == crontab)
            .where(TaskRow.deleted_at.is_not(None) if deleted else TaskRow.deleted_at.is_(None))
            .order_by(TaskRow.name, TaskRow.id)
        )
        tasks = [_task(row) for row in rows]
        compared = None if problem else compare(session, crontab, text, document)
        last_sync = store.last_sync(session, crontab)
    states: dict[int, State] = {}
    details: dict[int, str] = {}
    for task in tasks:
        states[task.id], details[task.id] = _state(task, compared)
    return Listing(tasks, states, details, compared, problem, last_sync)


def get(environment: Environment, task: int) -> Task:
    """One task, deleted or not. Raises NotFound."""
    return _several(environment, [task])[0]


def _several(environment: Environment, tasks: Sequence[int]) -> list[Task]:
    """Tasks in the order in which they are asked for. Raises NotFound."""
    with database.session(environment) as session:
        rows = session.execute(select(*_COLUMNS).where(TaskRow.id.in_(tasks)))
        found = {row.id: _task(row) for row in rows}
    if missing := [task for task in tasks if task not in found]:
        raise NotFound(
            f"There is no task {missing[0]}.", Text(Code("./pitasker list"), " shows them all.")
        )
    return [found[task] for task in tasks]


def _editable(rows: Mapping[int, TaskRow], edit: Edit) -> TaskRow:
    """The row that an edit is of, if it is still what was shown."""
    row = rows.get(edit.task)
    if row is None or row.deleted_at:
        raise NotFound(f"There is no task {edit.task}.")
    if edit.version is not None and row.version != edit.version:
        raise Stale(
            f"Task “{row.name}” was changed by somebody else since it was shown.",
            "Look at its new values, then make your change again.",
        )
    return row


_AS_THEY_ARE = (
    "paused",
    "paused_until",
    "notes",
    "record_runs",
    "timeout_seconds",
    "no_overlap",
    "catch_up",
    "ping_url",
)


_PING_URL = re.compile(r"https?://[!-~]+", re.IGNORECASE)

LONGEST_NOTES = 10_000
MOST_LABELS, LONGEST_LABEL = 20, 100
LONGEST_PING_URL = 1_000
"""What a task may have: in characters, and in labels."""

# What an entry has of its task: when one of these changes, the crontab has to follow.
_OF_THE_ENTRY = (
    "name",
    "cron_schedule",
    "command",
    "paused",
    "record_runs",
    "timeout_seconds",
    "no_overlap",
    "is_system_managed",
    "deleted_at",
)


def _edit(
    environment: Environment,
    row: TaskRow,
    edit: Edit,
    crontab: Crontab | None,
) -> None:
    wanted = dict(edit.fields)
    for name, column in (("name", "name"), ("schedule", "cron_schedule"), ("command", "command")):
        if name in wanted:
            value = str(wanted[name]).strip() if name == "name" else str(wanted[name]).strip(" \t")
            if value != getattr(row, column):
                setattr(row, column, value)
                _check_changed(row, name, crontab, is_back=edit.is_back)
    if "paused" in wanted and wanted["paused"] != row.paused:
        row.paused_until = None
    _check_words(
        wanted["notes"] if wanted.get("notes", row.notes) != row.notes else "",
        wanted["labels"] if list(wanted.get("labels", row.labels)) != list(row.labels) else (),
    )
    for name in _AS_THEY_ARE:
        if name in wanted:
            setattr(row, name, wanted[name])
    if "labels" in wanted:
        row.labels = list(wanted["labels"])
    _check_told(wanted.get("ping_url", ""), wanted.get("notify"))
    if "notify" in wanted:
        row.notify = None if wanted["notify"] is None else list(wanted["notify"])
    if wanted.keys() & {"command", "record_runs", "timeout_seconds", "no_overlap"}:
        _check_recording(environment, row, crontab)
    switch = wanted.get("system_managed")
    if switch:
        if not row.is_system_managed:
            # An odd schedule was imported so, or is checked above: that it is new.
            check(row.name, row.cron_schedule, row.command, crontab, allows_odd=True)
        want_entry(row)
    elif switch is not None:
        row.is_system_managed = False
    if edit.delete:
        row.deleted_at = clock.now()
    if changed := store.changed_columns(row):
        row.updated_at = clock.now()
        if not changed.isdisjoint(_OF_THE_ENTRY):
            row.synced_to_crontab = False


def _check_words(notes: str, labels: Sequence[str]) -> None:
    """Raise InvalidSyntax for notes or labels that are too long or too many for any page, or that
    the database cannot keep."""
    if len(notes) > LONGEST_NOTES:
        raise InvalidSyntax(
            f"Notes have at most {LONGEST_NOTES:,} characters; these have {len(notes):,}.",
            "Keep longer ones in a file, and name it here.",
        )
    if len(labels) > MOST_LABELS:
        raise InvalidSyntax(f"A task has at most {MOST_LABELS} labels; these are {len(labels):,}.")
    if any(not 0 < len(label) <= LONGEST_LABEL for label in labels):
        raise InvalidSyntax(f"A label has 1 to {LONGEST_LABEL} characters.")
    check_storable("Notes", notes)
    for label in labels:
        check_storable("A label", label)


def _check_told(ping_url: str, notify: Sequence[str] | None) -> None:
    """Raise InvalidSyntax unless others can be told of a task's runs as is wanted."""
    if len(ping_url) > LONGEST_PING_URL:
        raise InvalidSyntax(f"A ping URL has at most {LONGEST_PING_URL:,} characters.")
    if ping_url and not _PING_URL.fullmatch(ping_url):
        raise InvalidSyntax(
            "A ping URL begins with http:// or https:// and has no blanks.",
            "Copy it from your monitor, for instance https://hc-ping.com/….",
        )
    if "@" in ping_url.partition("://")[2].partition("/")[0]:
        raise InvalidSyntax(
            "A ping URL cannot hold a user and a password: it is shown, and kept in the database.",
            "Let the monitor know the task by the URL's path.",
        )
    if unknown := set(notify or ()) - set(notices.Kind):
        raise InvalidSyntax(
            f"There is no kind of notice “{min(unknown)}”.", f"There are {', '.join(notices.Kind)}."
        )


def _check_recording(environment: Environment, row: TaskRow, crontab: Crontab | None) -> None:
    """Raise InvalidSyntax unless the runs of a task can be recorded as it wants."""
    seconds = row.timeout_seconds
    if seconds is not None and not 1 <= seconds <= LONGEST_TIMEOUT:
        raise InvalidSyntax(
            f"Task “{row.name}”: a time limit is 1 to {LONGEST_TIMEOUT} seconds, or none."
        )
    if row.record_runs:
        recorder = Recorder(str(recorder_copy.path(environment)), row.id)
        how = recording(on=True, timeout_seconds=seconds, no_overlap=row.no_overlap)
        at = _place(row, crontab)
        if reason := (crontab or parse("")).why_not_recorded(at, row.command, recorder, how):
            raise InvalidSyntax(f"Task “{row.name}”: {reason}")


def _check_changed(
    row: TaskRow, field_name: str, crontab: Crontab | None, *, is_back: bool
) -> None:
    """Only what is new must be right: an entry that was imported may hold an odd schedule."""
    try:
        if field_name == "name":
            check_name(row.name)
        elif field_name == "schedule":
            dialect = crontab.dialect if crontab else Dialect.DEBIAN
            check_schedule(row.cron_schedule, dialect, allows_odd=is_back)
        else:
            check_command(row.command)
            at = _place(row, crontab)
            if reason := (crontab or parse("")).why_not_tagged(at, row.command):
                raise InvalidSyntax(reason)
    except InvalidSyntax as problem:
        raise InvalidSyntax(f"Task “{row.name}”: {problem.message}", problem.advice) from None


def _place(row: TaskRow, crontab: Crontab | None) -> int | None:
    found = crontab.by_tag.get(row.crontab_id, []) if crontab and row.crontab_id else []
    return found[0] if found else None


def _finish_earlier(environment: Environment, tasks: Sequence[int]) -> None:
    """Let the crontab follow earlier changes of these tasks that were cut short.

    A process may have died between its write to the crontab and its record of that. Before the
    task is changed again the two still agree; after that, its write would look like a hand edit.
    """
    with database.session(environment) as session:
        has_base = select(BaseRow.tag).where(BaseRow.tag == TaskRow.crontab_id).exists()
        tags = session.scalars(
            select(TaskRow.crontab_id)
            .where(TaskRow.id.in_(tasks), TaskRow.synced_to_crontab.is_(False))
            .where(or_(TaskRow.is_system_managed, has_base))
        )
        waiting = {tag for tag in tags if tag}
    if waiting:
        with suppress(PiTaskerError):
            sync(environment, Request(BACKGROUND, only=waiting))


def _follow(environment: Environment, actor: str, kind: str, rows: Sequence[TaskRow]) -> Applied:
    """Let the crontab follow what was saved, and say so if it does not."""
    tags = {row.crontab_id for row in rows if row.crontab_id}
    tasks = [_task(row) for row in rows]
    if not tags:
        return Applied(tasks, kind=kind)
    try:
        result = sync(environment, Request(actor, kind, tags))
    except PiTaskerError as problem:
        return Applied(tasks, None, problem, kind)
    return Applied(_several(environment, [task.id for task in tasks]), result, kind=kind)


def _crontab_if_there(environment: Environment) -> Crontab | None:
    """The crontab to check against; a task can be saved without one, as database-only."""
    try:
        return read_crontab(environment)[1]
    except PiTaskerError:
        return None


def _state(task: Task, compared: Comparison | None) -> tuple[State, str]:
    change = compared.task_changes.get(task.id) if compared else None
    if change and change.kind is Kind.CONFLICT:
        if compared and change.tag in compared.reading.lost:
            return State.CONFLICT, "Its tag was removed from the crontab by hand."
        return State.CONFLICT, "It was changed here and in the crontab, differently."
    if task.sync_error:
        return State.FAILED, task.sync_error
    if not task.is_system_managed and change is None:
        return State.DATABASE_ONLY, ""
    if change and change.kind is Kind.PULL:
        gone = change.theirs is None
        what = "removed from" if gone else "changed in"
        return State.PENDING, f"It was {what} the crontab by hand."
    if change and change.kind is Kind.PUSH:
        return State.PENDING, "The crontab does not have this yet."
    if task.is_system_managed and compared is None and not task.synced_at:
        return State.PENDING, "The crontab could not be read."
    return State.SYNCED, ""


def _told(row: TaskRow) -> dict[str, Any]:
    """A task's values as the history of events keeps them."""
    return {
        "name": row.name,
        "schedule": row.cron_schedule,
        "command": row.command,
        "paused": row.paused,
        "paused_until": row.paused_until.isoformat() if row.paused_until else None,
        "system_managed": row.is_system_managed,
        "notes": row.notes,
        "labels": list(row.labels),
        "record_runs": row.record_runs,
        "timeout_seconds": row.timeout_seconds,
        "no_overlap": row.no_overlap,
        "catch_up": row.catch_up,
        "ping_url": row.ping_url,
        "notify": row.notify,
    }


_COLUMNS = [column for column in TaskRow.__table__.c if column.key not in ("output", "crontab")]


def _task(row: Any) -> Task:
    """A task of its row, or of the row's columns."""
    return Task(
        id=row.id,
        name=row.name,
        schedule=row.cron_schedule,
        command=row.command,
        paused=row.paused,
        paused_until=row.paused_until if row.paused else None,
        is_system_managed=row.is_system_managed,
        source=row.source,
        status=row.status,
        last_run=row.last_run,
        labels=tuple(row.labels),
        notes=row.notes,
        record_runs=row.record_runs,
        timeout_seconds=row.timeout_seconds,
        no_overlap=row.no_overlap,
        catch_up=row.catch_up,
        ping_url=row.ping_url,
        notify=None if row.notify is None else tuple(row.notify),
        sync_error=row.sync_error,
        crontab_id=row.crontab_id,
        synced_at=row.crontab_synced_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        definition_changed_at=row.definition_changed_at,
        deleted_at=row.deleted_at,
        version=row.version,
    )
