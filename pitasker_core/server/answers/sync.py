from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pitasker_core.server.answers.problems import (
    LineError,
    Problem,
    TaskError,
    TaskNote,
    line_errors,
    task_errors,
    task_notes,
)
from pitasker_core.server.answers.wire import answer, copy_fields

if TYPE_CHECKING:
    from pitasker_core.sync import edit, merge, operation_history, store, validation
    from pitasker_core.sync.importing import ImportResult
    from pitasker_core.sync.service import SyncResult


@answer
class Recording:
    """How runs are recorded."""

    timeout_seconds: int | None
    no_overlap: bool


@answer
class Side:
    """An entry as one side has it, whatever bytes it holds."""

    name: str
    schedule: str
    command: str
    paused: bool
    recording: Recording | None

    @classmethod
    def of(cls, fields: "merge.Fields | None") -> "Side | None":
        """Return the answer for an entry; None for none."""
        if fields is None:
            return None
        how = fields.recording
        recording = copy_fields(Recording, how) if how.on else None
        return copy_fields(cls, fields, recording=recording)


@answer
class Change:
    """A task that is out of sync: what was last agreed, and each side; null is no entry."""

    task: int | None
    crontab_id: UUID
    kind: str
    base: Side | None
    database: Side | None
    crontab: Side | None

    @classmethod
    def of(cls, change: "merge.Change", tasks: Mapping[UUID, int]) -> "Change":
        """Return the answer for a change; `tasks` are the ids by tag."""
        return cls(
            tasks.get(change.tag),
            change.tag,
            change.kind.value,
            Side.of(change.base),
            Side.of(change.ours),
            Side.of(change.theirs),
        )


@answer
class Synced:
    """What a sync did."""

    imported: int
    exported: int
    conflicts: list[Change]
    errors: list[TaskError]
    put_back: list[int]
    """The tasks whose changes an old editor had undone."""
    notes: list[TaskNote]
    changed: bool
    operation: int | None

    @classmethod
    def of(cls, result: "SyncResult") -> "Synced":
        return cls(
            imported=len(result.pulled),
            exported=len(result.pushed),
            conflicts=[Change.of(change, result.tasks) for change in result.plan.conflicts],
            errors=task_errors(result.failures),
            put_back=result.put_back,
            notes=task_notes(result.notes),
            changed=result.before != result.after,
            operation=result.operation,
        )


@answer
class Exported:
    """What an export did."""

    synced: int
    failed: int
    errors: list[TaskError]
    notes: list[TaskNote]
    conflicts: list[Change]
    in_step: list[int]
    """Of the tasks that were named: those that are in the crontab as they are."""
    database_only: list[int]
    """When no task was named: the database-only tasks, which were left out."""

    @classmethod
    def of(cls, result: "SyncResult") -> "Exported":
        return cls(
            synced=len(result.pushed),
            failed=len(result.failures),
            errors=task_errors(result.failures),
            notes=task_notes(result.notes),
            conflicts=[Change.of(change, result.tasks) for change in result.plan.conflicts],
            in_step=result.in_step,
            database_only=result.left_out,
        )


@answer
class Imported:
    """What an import did. `error` is why the entries of the tasks are not tagged yet."""

    imported: int
    updated: int
    skipped: int
    errors: list[LineError]
    skipped_lines: list[LineError]
    tasks: list[int]
    error: Problem | None = None

    @classmethod
    def of(cls, result: "ImportResult") -> "Imported":
        return cls(
            imported=len(result.imported),
            updated=len(result.updated),
            skipped=len(result.skipped),
            errors=line_errors(result.errors),
            skipped_lines=line_errors(result.skipped),
            tasks=[*result.imported, *result.updated],
            error=Problem.of(result.problem),
        )


@answer
class Discrepancy:
    """A difference between the two sides, or a remark about an entry."""

    kind: str
    message: str
    line: int | None
    text: str | None
    task: int | None
    crontab_id: UUID | None


@answer
class Validation:
    """What a validation reports."""

    is_valid: bool
    discrepancies: list[Discrepancy]

    @classmethod
    def of(cls, report: "validation.Report") -> "Validation":
        return cls(
            report.is_valid,
            [
                copy_fields(Discrepancy, finding, crontab_id=finding.tag)
                for finding in report.findings
            ],
        )


@answer
class RawText:
    """A whole crontab, null when there is none. Bytes that are no UTF-8 are lone surrogates, as
    Python's `surrogateescape` has it."""

    content: str | None
    sha256: str

    @classmethod
    def of(cls, text: str | None) -> "RawText":
        from pitasker_core.sync.install import digest

        return cls(text, digest(text))


@answer
class Saved:
    """A crontab that was installed. `error` is why the tasks do not follow yet."""

    content: str | None
    sha256: str
    backup: str | None
    error: Problem | None = None

    @classmethod
    def of(cls, saved: "edit.Saved") -> "Saved":
        raw = RawText.of(saved.text)
        return cls(raw.content, raw.sha256, saved.backup, Problem.of(saved.problem))


@answer
class Snapshot:
    """An earlier text of the crontab."""

    id: int
    taken_at: datetime
    reason: str
    entries: int

    @classmethod
    def of(cls, snapshot: "store.Snapshot") -> "Snapshot":
        return copy_fields(cls, snapshot)


@answer
class SnapshotText(Snapshot):
    """An earlier text, with the text."""

    content: str | None
    sha256: str

    @classmethod
    def of(cls, snapshot: "store.Snapshot") -> "SnapshotText":
        """Return the answer for a `store.SnapshotText`."""
        raw = RawText.of(getattr(snapshot, "text"))  # noqa: B009 - the base class has none
        return copy_fields(cls, snapshot, content=raw.content, sha256=raw.sha256)


@answer
class Operation:
    """One recorded execution of sync, import, export, restore or edit."""

    id: int
    kind: str
    actor: str
    started_at: datetime
    duration_ms: float
    outcome: str
    pushed: int
    pulled: int
    conflicts: int
    failed: int
    error_code: str | None
    error_message: str | None

    @classmethod
    def of(cls, operation: "operation_history.Operation") -> "Operation":
        return copy_fields(cls, operation)


@answer
class OperationDetails(Operation):
    """One recorded execution, with what it did to each task."""

    details: dict[str, Any]
