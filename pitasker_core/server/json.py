"""What PiTasker tells programs: the JSON shapes of the command line, keys in camelCase."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pitasker_core.base import timings
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.identity import Identity
from pitasker_core.database.owner import Known
from pitasker_core.reports.metrics import Metrics
from pitasker_core.reports.status import Status
from pitasker_core.runs.history import Run
from pitasker_core.runs.why import Answer
from pitasker_core.server.auth import Role
from pitasker_core.server.tokens import Token
from pitasker_core.sync.importing import ImportResult
from pitasker_core.sync.install import digest
from pitasker_core.sync.merge import Change, Fields
from pitasker_core.sync.operation_history import Operation, OperationDetails
from pitasker_core.sync.service import SyncResult
from pitasker_core.sync.store import Snapshot, SnapshotText
from pitasker_core.sync.validation import Report
from pitasker_core.tasks import Applied, Listing, Task

Shape = dict[str, Any]


def error(problem: PiTaskerError) -> Shape:
    """An error: what happened, what to do, and whether trying again can help."""
    return {
        "error": {
            "code": problem.code,
            "message": problem.message,
            "advice": problem.advice,
            "recoverable": problem.recoverable,
        }
    }


def task(found: Task) -> Shape:
    """One task."""
    return {
        "id": found.id,
        "name": found.name,
        "cronSchedule": found.schedule,
        "command": found.command,
        "paused": found.paused,
        "pausedUntil": _time(found.paused_until),
        "isSystemManaged": found.system_managed,
        "source": found.source,
        "lastRun": _time(found.last_run),
        "lastResult": found.status,
        "labels": list(found.labels),
        "notes": found.notes,
        "recordRuns": found.record_runs,
        "timeoutSeconds": found.timeout_seconds,
        "noOverlap": found.no_overlap,
        "catchUp": found.catch_up,
        "pingUrl": found.ping_url,
        "notify": None if found.notify is None else list(found.notify),
        "crontabId": _text(found.tag),
        "syncError": found.sync_error,
        "syncedAt": _time(found.synced_at),
        "createdAt": _time(found.created_at),
        "updatedAt": _time(found.updated_at),
        "deletedAt": _time(found.deleted_at),
        "version": found.version,
    }


def tasks(found: Listing) -> Shape:
    """All tasks, each with where it stands."""
    return {
        "tasks": [
            {**task(one), "state": found.states[one.id].value, "detail": found.details[one.id]}
            for one in found.tasks
        ],
        **(error(found.problem) if found.problem else {}),
    }


def applied(done: Applied) -> Shape:
    """Tasks that were saved, and what the crontab does not have yet."""
    return {
        "tasks": [task(one) for one in done.tasks],
        "errors": _by("task", done.failures),
        "notes": _by("task", done.notes),
        **(error(done.problem) if done.problem else {}),
    }


def status(found: Status) -> Shape:
    """Where sync stands."""
    return {
        "lastSync": _time(found.last_sync),
        "dbTaskCount": found.tasks,
        "crontabEntryCount": found.entries,
        "syncedCount": found.synced,
        "unsyncedCount": found.unsynced,
        "databaseOnlyCount": found.database_only,
        "unmanagedCount": found.unmanaged,
        "invalidLineCount": found.invalid_lines,
        "health": found.health.value,
        "reasons": found.reasons,
    }


def sync(done: SyncResult) -> Shape:
    """What a sync did: how many changes came from the crontab and went to it, and the rest."""
    return {
        "imported": len(done.pulled),
        "exported": len(done.pushed),
        "conflicts": [change(one, done.tasks) for one in done.plan.conflicts],
        "errors": _by("task", done.failures),
        "putBack": done.put_back,
        "notes": _by("task", done.notes),
        "changed": done.before != done.after,
        "operation": done.operation,
    }


def export(done: SyncResult) -> Shape:
    """What an export did."""
    return {
        "synced": len(done.pushed),
        "failed": len(done.failures),
        "errors": _by("task", done.failures),
        "notes": _by("task", done.notes),
        "conflicts": [change(one, done.tasks) for one in done.plan.conflicts],
        "inStep": done.in_step,
        "databaseOnly": done.left_out,
    }


def imported(done: ImportResult) -> Shape:
    """What an import did: counts, and each line that was not imported with its reason."""
    return {
        "imported": len(done.imported),
        "updated": len(done.updated),
        "skipped": len(done.skipped),
        "errors": _by("line", done.errors),
        "skippedLines": _by("line", done.skipped),
        "tasks": [*done.imported, *done.updated],
        **(error(done.problem) if done.problem else {}),
    }


def operation(found: Operation) -> Shape:
    """One operation of the history, with its details if they were read."""
    return {
        "id": found.id,
        "kind": found.kind,
        "actor": found.actor,
        "startedAt": _time(found.started_at),
        "durationMs": found.duration_ms,
        "outcome": found.outcome,
        "pushed": found.pushed,
        "pulled": found.pulled,
        "conflicts": found.conflicts,
        "failed": found.failed,
        "errorCode": found.error_code,
        "errorMessage": found.error_message,
        **({"details": found.details} if isinstance(found, OperationDetails) else {}),
    }


def metrics(found: Metrics) -> Shape:
    """How sync has been doing, in the planned shape."""
    return {
        "syncOperations": {
            "total": found.total,
            "successful": found.successful,
            "failed": found.failed,
            "averageDuration": found.average_ms,
        },
        "taskCount": {
            "total": found.status.tasks,
            "systemManaged": found.status.tasks - found.status.database_only,
            "databaseOnly": found.status.database_only,
        },
        "lastSync": _time(found.status.last_sync),
        "health": found.status.health.value,
        # Of the process that answers, since it was started.
        "measured": {
            _camel(what): {"count": total.count, "averageMs": total.average_ms}
            for what, total in sorted(timings.totals.items())
        },
        "endpoints": {
            route: {"count": total.count, "averageMs": total.average_ms}
            for route, total in sorted(timings.endpoints.items())
        },
    }


def validation(report: Report) -> Shape:
    """What a validation found."""
    return {
        "isValid": report.is_valid,
        "discrepancies": [
            {
                "kind": finding.kind.value,
                "message": finding.message,
                "line": finding.line,
                "text": finding.text,
                "task": finding.task,
                "crontabId": _text(finding.tag),
            }
            for finding in report.findings
        ],
    }


def change(found: Change, ids: Mapping[UUID, int]) -> Shape:
    """One change or conflict with both sides' values; null where a side has no entry."""
    sides = {"base": found.base, "database": found.ours, "crontab": found.theirs}
    return {
        "task": ids.get(found.tag),
        "crontabId": str(found.tag),
        "kind": found.kind.value,
        **{side: _fields(fields) if fields else None for side, fields in sides.items()},
    }


def _fields(found: Fields) -> Shape:
    how = found.recording
    limits = {"timeoutSeconds": how.timeout_seconds, "noOverlap": how.no_overlap}
    return {**found.as_dict(), "recording": limits if how.on else None}


def raw(text: str | None) -> Shape:
    """A whole crontab; `content` is null when there is none."""
    return {"content": text, "sha256": digest(text)}


def snapshot(found: Snapshot) -> Shape:
    """One snapshot, with its text if that was read."""
    return {
        "id": found.id,
        "takenAt": _time(found.taken_at),
        "reason": found.reason,
        "entries": found.entries,
        **(raw(found.text) if isinstance(found, SnapshotText) else {}),
    }


def run(found: Run) -> Shape:
    """One run. Without a task it is of an entry that none manages: `command` says which."""
    duration = found.duration
    return {
        "id": found.id,
        "task": found.task,
        "taskName": found.task_name,
        "command": found.command,
        "startedAt": _time(found.started_at),
        "endedAt": _time(found.ended_at),
        "seconds": duration.total_seconds() if duration else None,
        "exitCode": found.exit_code,
        "signal": found.signal,
        "state": found.state,
        "result": found.result,
        "source": found.source,
        "slow": found.slow,
        "missed": found.missed,
        "userSeconds": found.user_seconds,
        "systemSeconds": found.system_seconds,
        "peakKilobytes": found.peak_kb,
        "bytes": found.bytes,
    }


def why(found: Answer) -> Shape:
    """Why a task did not run: the reason in a sentence, and everything that was looked at."""
    return {
        "conclusion": found.conclusion,
        "inOrder": found.in_order,
        "checks": [
            {
                "name": check.name,
                "verdict": check.verdict.value,
                "evidence": check.evidence,
                "advice": check.advice,
                "command": check.command,
            }
            for check in found.checks
        ],
    }


def token(found: Token) -> Shape:
    """One token, without its secret."""
    return {
        "id": found.id,
        "name": found.name,
        "mayWrite": found.role is Role.WRITE,
        "createdAt": _time(found.created_at),
        "usedAt": _time(found.used_at),
    }


def crontabs(us: Identity, found: Sequence[Known]) -> Shape:
    """Whose crontab this is, and all crontabs of the database."""
    return {
        "host": us.host,
        "user": us.user,
        "crontabs": [
            {
                "id": one.id,
                "host": one.host,
                "user": one.user,
                "tasks": one.tasks,
                "standing": one.standing.value,
                "why": one.why,
            }
            for one in found
        ],
    }


def _camel(words: str) -> str:
    first, *others = words.split()
    return first + "".join(word.capitalize() for word in others)


def _by(key: str, reasons: Mapping[int, str]) -> list[Shape]:
    return [{key: number, "message": reason} for number, reason in sorted(reasons.items())]


def _text(value: UUID | None) -> str | None:
    return str(value) if value else None


def _time(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
