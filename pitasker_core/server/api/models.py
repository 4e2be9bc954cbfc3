"""What the API takes and gives, in camelCase. Answers are made by `shapes`."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    Strict,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from pitasker_core.crontab.document import NAME_LIMIT
from pitasker_core.crontab.recording import LONGEST_TIMEOUT
from pitasker_core.tasks import LONGEST_LABEL, LONGEST_NOTES, MOST_LABELS

LARGEST_ID = 2**31 - 1


def _storable(text: str) -> str:
    """Text that PostgreSQL can keep."""
    if "\0" in text:
        raise ValueError("a NUL character cannot be kept")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair is no character") from None
    return text


def _any_text(text: object) -> str:
    """Text with whatever bytes a crontab may hold: lone surrogates stand for them."""
    if not isinstance(text, str):
        raise ValueError("must be a text")
    return text


def _no_number(text: object) -> object:
    """A time in words of ISO 8601: a bare number would be taken for seconds since 1970."""
    if isinstance(text, str) and re.fullmatch(r"[-+.\d]+", text) and "-" not in text[1:]:
        raise ValueError("must be a time such as 2026-01-31T12:00:00Z")
    return text


# Strict: "yes" is no truth and "3" no number, whatever Python makes of them.
Text = Annotated[str, Strict(), AfterValidator(_storable)]
Name = Annotated[str, Strict(), Field(max_length=NAME_LIMIT), AfterValidator(_storable)]
AnyText = Annotated[str, PlainValidator(_any_text), WithJsonSchema({"type": "string"})]
Flag = Annotated[bool, Strict()]
Seconds = Annotated[int, Strict(), Field(ge=1, le=LONGEST_TIMEOUT)]
Id = Annotated[int, Strict(), Field(ge=1, le=LARGEST_ID)]
Line = Annotated[int, Strict(), Field(ge=1, le=1_000_000)]
Notes = Annotated[Text, Field(max_length=LONGEST_NOTES)]
Label = Annotated[Text, Field(min_length=1, max_length=LONGEST_LABEL)]
Labels = Annotated[list[Label], Field(max_length=MOST_LABELS)]
MOST_LINES = 10_000
"""Of a crontab, by crontab(1): no list of its lines or of tasks is longer."""
Told = Literal["failed", "recovered", "missed"]
"""What may be told of a task."""


class Model(BaseModel):
    """Keys in camelCase; a key that nobody knows is a mistake worth telling."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


# --- What is sent ---


class NewTask(Model):
    """A task to be made."""

    name: Annotated[Name, Field(examples=["Backup"])]
    cron_schedule: Annotated[Text, Field(examples=["0 2 * * *"])]
    command: Annotated[Text, Field(examples=["/home/pi/backup.sh"])]
    is_system_managed: Flag = True
    paused: Flag = False
    notes: Notes = ""
    labels: Labels = []
    record_runs: Flag = False
    timeout_seconds: Seconds | None = None
    no_overlap: Flag = False
    catch_up: Flag = False
    ping_url: Text = ""
    notify: Annotated[list[Told], Field(max_length=10)] | None = None


class TaskChange(Model):
    """Fields to change; what is left out stays, and so does what is null but for `timeoutSeconds`
    (no limit) and `notify` (what is wanted of all tasks). `version` is the one that was read: 409
    if the task was changed since."""

    name: Name | None = None
    cron_schedule: Text | None = None
    command: Text | None = None
    is_system_managed: Flag | None = None
    paused: Flag | None = None
    notes: Notes | None = None
    labels: Labels | None = None
    record_runs: Flag | None = None
    timeout_seconds: Seconds | None = None
    no_overlap: Flag | None = None
    catch_up: Flag | None = None
    ping_url: Text | None = None
    notify: Annotated[list[Told], Field(max_length=10)] | None = None
    version: Id | None = None


class Pause(Model):
    """Until when; without it, until somebody resumes it."""

    until: datetime | None = None


class Import(Model):
    """Which entries to import, by their lines; all that no task manages when left out."""

    lines: Annotated[list[Line], Field(max_length=MOST_LINES)] | None = None
    skip_duplicates: Flag = True
    is_system_managed: Flag = True
    generate_names: Flag = True


TaskIds = Annotated[
    Annotated[list[Id], Field(max_length=MOST_LINES)] | None,
    Field(validation_alias=AliasChoices("tasks", "taskIds")),
]
"""Their ids, also under the name of the first plan."""


class Export(Model):
    """Which tasks to write to the crontab; all that shall be in it when left out."""

    tasks: TaskIds = None


class Sync(Model):
    """What to sync, and what to do about conflicts."""

    tasks: TaskIds = None
    policy: Literal["ask", "database", "crontab"] = "ask"
    confirmed: Flag = False
    """A mass removal, or a step back to an older crontab, is meant."""


class Raw(Model):
    """A whole crontab. `confirmed`: that most managed entries go is meant."""

    content: AnyText
    confirmed: Flag = False


class Recording(Model):
    """How runs are recorded."""

    timeout_seconds: Seconds | None = None
    no_overlap: Flag = False


class Fields(Model):
    """What an entry and its task have in common."""

    name: Text
    schedule: Text
    command: Text
    paused: Flag = False
    recording: Recording | None = None


class Side(Model):
    """An entry as one side has it, whatever bytes it holds."""

    name: AnyText
    schedule: AnyText
    command: AnyText
    paused: Flag = False
    recording: Recording | None = None


class Resolution(Model):
    """Whose version to take, or an explicit mix. `database` and `crontab` are what was shown: 409
    when either has changed since."""

    take: Literal["database", "crontab"] | Fields
    database: Side | None
    crontab: Side | None


# --- What is answered ---


class Problem(Model):
    """What happened, what to do, and whether trying again can help."""

    code: str
    message: str
    advice: str
    recoverable: bool


class Error(Model):
    """The one shape of every error."""

    error: Problem


class Task(Model):
    """A task. `state` is where it stands, `detail` what is behind that."""

    id: int
    name: str
    cron_schedule: str
    command: str
    paused: bool
    paused_until: datetime | None
    is_system_managed: bool
    source: str
    last_run: datetime | None
    last_result: str
    labels: list[str]
    notes: str
    record_runs: bool
    timeout_seconds: int | None
    no_overlap: bool
    catch_up: bool
    ping_url: str
    notify: list[str] | None
    crontab_id: UUID | None
    sync_error: str | None
    synced_at: datetime | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    version: int
    state: str | None = None
    detail: str | None = None


class Tasks(Model):
    """All tasks. `error` is why the crontab could not be compared."""

    tasks: list[Task]
    error: Problem | None = None


class TaskError(Model):
    """Why a task could not be written to the crontab."""

    task: int
    message: str


class TaskNote(Model):
    """Which settings reach an entry that came back into the crontab, if others than before."""

    task: int
    message: str


class LineError(Model):
    """What is to be said of a line."""

    line: int
    message: str


class Applied(Model):
    """Tasks that were saved. `error` and `errors` are why the crontab does not follow yet."""

    tasks: list[Task]
    errors: list[TaskError]
    notes: list[TaskNote]
    error: Problem | None = None


class Run(Model):
    """One run; without a task it is of an entry that none manages, and `command` says which.

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


class RunsWanted(Model):
    """Which runs: of one task or all, of one kind or all, from a time on."""

    task: Annotated[int | None, Field(ge=1, le=LARGEST_ID)] = None
    kind: Literal["all", "failed", "slow", "missed", "by hand", "running"] = "all"
    since: Annotated[datetime, BeforeValidator(_no_number)] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class Started(Model):
    """A run that was started: its name, and its number in the history, null until it is there."""

    name: str
    run: int | None


class WhyCheck(Model):
    """One thing that must be in order for a task to run. `advice` and `command` are what to do."""

    name: str
    verdict: Literal["ok", "bad", "unknown"]
    evidence: str
    advice: str
    command: str


class Why(Model):
    """Why a task did not run, in a sentence, and everything that was looked at, in the order of
    causes. `in_order` is true when nothing bad was found."""

    conclusion: str
    in_order: bool
    checks: list[WhyCheck]


class Change(Model):
    """A task that is not in step: what was last agreed, and each side; null is no entry."""

    task: int | None
    crontab_id: UUID
    kind: str
    base: Side | None
    database: Side | None
    crontab: Side | None


class Synced(Model):
    """What a sync did."""

    imported: int
    exported: int
    conflicts: list[Change]
    errors: list[TaskError]
    put_back: list[int]
    """The tasks whose changes an editor that was opened before them had undone."""
    notes: list[TaskNote]
    changed: bool
    operation: int | None


class Exported(Model):
    """What an export did."""

    synced: int
    failed: int
    errors: list[TaskError]
    notes: list[TaskNote]
    conflicts: list[Change]
    in_step: list[int]
    """Of the tasks that were named: those that are in the crontab as they are."""
    database_only: list[int]
    """When none was named: the tasks that are not to be in the crontab, and were left out."""


class Imported(Model):
    """What an import did. `error` is why the entries of the tasks are not tagged yet."""

    imported: int
    updated: int
    skipped: int
    errors: list[LineError]
    skipped_lines: list[LineError]
    tasks: list[int]
    error: Problem | None = None


class Status(Model):
    """Where sync stands."""

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


class Discrepancy(Model):
    """Something that is not in order, or worth knowing."""

    kind: str
    message: str
    line: int | None
    text: str | None
    task: int | None
    crontab_id: UUID | None


class Validation(Model):
    """What a validation found."""

    is_valid: bool
    discrepancies: list[Discrepancy]


class RawText(Model):
    """A whole crontab, null when there is none. Bytes that are no UTF-8 are lone surrogates, as
    Python's `surrogateescape` has it."""

    content: str | None
    sha256: str


class Saved(RawText):
    """A crontab that was installed. `error` is why the tasks do not follow yet."""

    backup: str | None
    error: Problem | None = None


class Snapshot(Model):
    """An earlier text of the crontab."""

    id: int
    taken_at: datetime
    reason: str
    entries: int


class SnapshotText(Snapshot):
    """An earlier text, with the text."""

    content: str | None
    sha256: str


class Operation(Model):
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


class OperationDetails(Operation):
    """One recorded execution, with what it did to each task."""

    details: dict[str, Any]


class SyncOperations(Model):
    """Operations in numbers; the duration in milliseconds."""

    total: int
    successful: int
    failed: int
    average_duration: float | None


class TaskCount(Model):
    """Tasks in numbers."""

    total: int
    system_managed: int
    database_only: int


class Measured(Model):
    """How often the answering process did something, and how long it took each time."""

    count: int
    average_ms: float | None


class Metrics(Model):
    """How sync has been doing. `measured`: `crontabRead`, `crontabWrite`, `query`, `request`;
    `endpoints`: by method and route, such as `GET /tasks/{task}`."""

    sync_operations: SyncOperations
    task_count: TaskCount
    last_sync: datetime | None
    health: str
    measured: dict[str, Measured]
    endpoints: dict[str, Measured]


class KnownCrontab(Model):
    """A crontab of the database. `why` says why it may be this one; empty for others."""

    id: int
    host: str
    user: str
    tasks: int
    standing: Literal["ours", "may be ours", "another's"]
    why: str


class Crontabs(Model):
    """Whose crontab this is, and all that the database knows."""

    host: str
    user: str
    crontabs: list[KnownCrontab]
