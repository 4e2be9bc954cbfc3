from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from pitasker_core.base import timings
from pitasker_core.server.answers.wire import answer, camel, copy_fields

if TYPE_CHECKING:
    from pitasker_core.reports import status as reported
    from pitasker_core.runs import history
    from pitasker_core.runs.why.answer import Answer


@answer
class Status:
    """The state of sync."""

    last_sync: datetime | None
    db_task_count: int
    crontab_entry_count: int
    synced_count: int
    unsynced_count: int
    database_only_count: int
    unmanaged_count: int
    invalid_line_count: int
    health: str
    reasons: list[str]

    @classmethod
    def of(cls, status: "reported.Status") -> "Status":
        return cls(
            last_sync=status.last_sync,
            db_task_count=status.tasks,
            crontab_entry_count=status.entries,
            synced_count=status.synced,
            unsynced_count=status.unsynced,
            database_only_count=status.database_only,
            unmanaged_count=status.unmanaged,
            invalid_line_count=status.invalid_lines,
            health=status.health.value,
            reasons=status.reasons,
        )


@answer
class SyncOperations:
    """Operations in numbers; the duration in milliseconds."""

    total: int
    successful: int
    failed: int
    average_duration: float | None


@answer
class TaskCount:
    """Tasks in numbers."""

    total: int
    system_managed: int
    database_only: int


@answer
class Measured:
    """How often the answering process did something, and its average duration."""

    count: int
    average_ms: float | None


@answer
class Metrics:
    """Sync in numbers. `measured`: `crontabRead`, `crontabWrite`, `query`, `request`; `endpoints`:
    by method and route, such as `GET /tasks/{task}`. Both count since the process was started."""

    sync_operations: SyncOperations
    task_count: TaskCount
    last_sync: datetime | None
    health: str
    measured: dict[str, Measured]
    endpoints: dict[str, Measured]

    @classmethod
    def of(cls, metrics: "reported.Metrics") -> "Metrics":
        status = metrics.status
        return cls(
            copy_fields(SyncOperations, metrics, average_duration=metrics.average_ms),
            TaskCount(status.tasks, status.tasks - status.database_only, status.database_only),
            status.last_sync,
            status.health.value,
            _measured({camel(k.replace(" ", "_")): total for k, total in timings.totals.items()}),
            _measured(timings.endpoints),
        )


def _measured(totals: dict[str, timings.Total]) -> dict[str, Measured]:
    return {name: copy_fields(Measured, total) for name, total in sorted(totals.items())}


@answer
class Run:
    """One run; without a task it is of an unmanaged entry, and `command` says which.

    `state` is `running`, `success`, `failed`, `missed`, or `started` when only its start was seen;
    `result` says it in words. Of missed runs, `missed` in a row, `startedAt` is when the first
    should have started and `endedAt` when the last should have.
    """

    id: int
    task: int | None
    task_name: str
    command: str | None
    started_at: datetime
    ended_at: datetime | None
    seconds: float | None
    exit_code: int | None
    signal: int | None
    state: str
    result: str
    source: str
    slow: bool
    missed: int
    user_seconds: float | None
    system_seconds: float | None
    peak_kilobytes: int | None
    bytes: int

    @classmethod
    def of(cls, run: "history.Run") -> "Run":
        seconds = run.duration.total_seconds() if run.duration is not None else None
        # A run that took no time at all has no duration worth knowing.
        return copy_fields(cls, run, seconds=seconds or None, peak_kilobytes=run.peak_kb)


@answer
class Started:
    """A run that was started: its name, and its number in the history, null until it is there."""

    name: str
    run: int | None


@answer
class Check:
    """One thing that must be right for a task to run. `advice` and `command` are what to do."""

    name: str
    verdict: Literal["ok", "bad", "unknown"]
    evidence: str
    advice: str
    command: str


@answer
class Why:
    """Why a task did not run, in a sentence, and every check, in the order of causes. `inOrder` is
    true when no check failed."""

    conclusion: str
    in_order: bool
    checks: list[Check]

    @classmethod
    def of(cls, why: "Answer") -> "Why":
        checks: list[Any] = [copy_fields(Check, check) for check in why.checks]
        return cls(why.conclusion, why.in_order, checks)
