"""Keep the tasks and the crontab in step.

`comparison` compares both sides, `attempt` carries out the plan. The next sync repairs one that was
interrupted: the database says what the crontab should have, and what both have is in step.
"""

import logging
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from uuid import UUID, uuid4

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import (
    ConcurrentModification,
    CrontabReverted,
    NotFound,
    PiTaskerError,
)
from pitasker_core.base.text import marked
from pitasker_core.database.events import EventKind, NewEvent
from pitasker_core.database.tables import TaskRow
from pitasker_core.sync import install, store
from pitasker_core.sync.attempt import Attempt, Stopwatch
from pitasker_core.sync.comparison import Comparison, carry, compare
from pitasker_core.sync.crontab_text import program, read_crontab, reading_crontab
from pitasker_core.sync.guards import refuse_nul
from pitasker_core.sync.merge import Plan
from pitasker_core.sync.request import Request, SyncResult
from pitasker_core.sync.store import OperationKind

_log = logging.getLogger(__name__)

_RETRY_PAUSES = (0.0, 0.05, 0.2)
"""Seconds before each further attempt when somebody else writes the crontab at the same time."""


def preview(environment: Environment) -> Comparison:
    """Return what a sync would do now. Takes no lock and writes nothing."""
    text, document = read_crontab(environment)
    with database.session(environment) as session:
        return compare(session, store.own_crontab(session), text, document)


def sync(environment: Environment, request: Request) -> SyncResult:
    """Bring the tasks and the crontab in step.

    Raises any PiTaskerError; then nothing was changed on either side.
    """
    with install.locked(environment):
        return sync_locked(environment, request)


def sync_locked(environment: Environment, request: Request) -> SyncResult:
    """`sync` for a caller that holds the lock."""
    stopwatch = Stopwatch()
    pauses = iter(_RETRY_PAUSES)
    while True:
        try:
            result = Attempt(environment, request, stopwatch).run()
        except PiTaskerError as problem:
            again = isinstance(problem, ConcurrentModification)
            pause = next(pauses, None) if again else None
            if pause is None:
                _record_failure(environment, request, stopwatch, problem)
                raise
            request = replace(request, crontab=None)
            time.sleep(pause)
        else:
            _log_result(request, stopwatch, result)
            return result


def export(
    environment: Environment, actor: Actor, tasks: Collection[int] | None = None
) -> SyncResult:
    """Push tasks to the crontab: the given ones, which become system-managed, or all that are.

    Tasks stay system-managed if the crontab cannot follow; the `failures` say why. Raises NotFound
    for a task that does not exist; then nothing was changed.
    """
    if tasks is None:
        pushes = {change.tag for change in preview(environment).plan.pushes}
        result = sync(environment, Request(actor, OperationKind.EXPORT, pushes))
        with database.session(environment) as session:
            return replace(result, left_out=store.database_only(session))
    with database.session(environment) as session:
        edited = store.edited_tasks(session, tasks)
        rows = {task: row for task, row in edited.items() if row.deleted_at is None}
        if missing := [task for task in tasks if task not in rows]:
            raise NotFound(
                f"There is no task {missing[0]}.",
                marked("`./pitasker list` shows them all."),
            )
        new = [row.id for row in rows.values() if not row.is_system_managed]
        only = {want_entry(row) for row in rows.values()}
        event: NewEvent = {
            "actor": actor,
            "kind": EventKind.EXPORTED,
            "before": {"system_managed": False},
            "after": {"system_managed": True},
        }
        events: list[NewEvent] = [{**event, "task": task} for task in new]
        store.write_tasks(session, rows.values(), events)
    try:
        result = sync(environment, Request(actor, OperationKind.EXPORT, only))
    except PiTaskerError as problem:
        if not new:
            raise
        failures: dict[int, str] = dict.fromkeys(new, problem.user_message)
        return SyncResult(Plan(), None, None, failures=failures)
    changed = {result.tasks[change.tag] for change in result.plan.changes} | result.failures.keys()
    return replace(result, in_step=[task for task in rows if task not in changed])


def want_entry(row: TaskRow) -> UUID:
    """Make a task system-managed. It keeps an earlier tag, by which its old place is known."""
    if not row.is_system_managed or row.tag is None:
        row.tag = row.tag or uuid4()
        row.is_system_managed = True
        row.updated_at = clock.now()
    return row.tag


def put_back_first(environment: Environment) -> None:
    """Restore what an old editor undid, before a whole text is made from the crontab.

    Without that the new text would hide its origin. The caller holds the lock. Raises
    CrontabReverted when a person must decide first.
    """
    try:
        comparison = preview(environment)
        if comparison.origin or comparison.unclear:
            sync_locked(environment, Request(Actor.BACKGROUND))
    except CrontabReverted:
        raise
    except PiTaskerError as problem:
        _log.info("nothing put back: %s", problem.user_message)


def _log_result(request: Request, stopwatch: Stopwatch, result: SyncResult) -> None:
    if result.operation is not None:
        _log.info(
            "%s by %s",
            request.kind,
            request.actor,
            extra={
                "operation": result.operation,
                "pushed": len(result.pushed),
                "pulled": len(result.pulled),
                "conflicts": len(result.plan.conflicts),
                "failed": len(result.failures),
                "duration_ms": round(stopwatch.milliseconds(), 1),
            },
        )


def _record_failure(
    environment: Environment, request: Request, stopwatch: Stopwatch, problem: PiTaskerError
) -> None:
    """Record a failed operation, if the database can be reached."""
    operation = None
    with suppress(PiTaskerError), database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        if request.actor == Actor.BACKGROUND and store.failed_last_by(
            session, crontab_row, problem.code, problem.user_message
        ):
            return  # The background tries every few minutes: one record of an error is enough.
        operation = store.record(
            session,
            crontab_row=crontab_row,
            kind=request.kind,
            actor=request.actor,
            started_at=stopwatch.started_at,
            duration_ms=stopwatch.milliseconds(),
            outcome=store.Outcome.FAILED,
            error_code=problem.code,
            error_message=problem.user_message,
        )
    _log.warning(
        "%s by %s: %s",
        request.kind,
        request.actor,
        problem.user_message,
        extra={"operation": operation, "code": problem.code},
    )
