"""Tasks made of files: what each would become is shown first, and one that is wrong fails alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.crontab.document import Document
from pitasker_core.crontab.recording import Recorder, Recording
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.formats.fields import FIELDS
from pitasker_core.formats.record import Remark, TaskFile, TaskRecord, joined
from pitasker_core.formats.registry import Source, read_tasks, source_of
from pitasker_core.sync import recorder_copy
from pitasker_core.tasks import checks
from pitasker_core.tasks.editing import Applied, apply, create
from pitasker_core.tasks.model import Edit, NewTask, Task
from pitasker_core.tasks.task_list import Listing, listing


class Verdict(StrEnum):
    """What becomes of a task of a file."""

    NEW = "new"
    DUPLICATE = "duplicate"
    INVALID = "invalid"


@dataclass(frozen=True)
class Candidate:
    """A task of a file, and what would become of it."""

    record: TaskRecord
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True)
class FilePreview:
    """What an import of a file would do. Nothing was saved."""

    candidates: tuple[Candidate, ...]
    problems: tuple[Remark, ...]
    notes: tuple[Remark, ...]


@dataclass(frozen=True)
class FileImport:
    """What an import of a file did."""

    tasks: tuple[Task, ...] = ()
    skipped: tuple[Remark, ...] = ()
    errors: tuple[Remark, ...] = ()
    notes: tuple[Remark, ...] = ()
    applied: Applied | None = None
    """How the crontab followed; None when no task of the file is wanted there."""
    failures: dict[int, str] = field(default_factory=dict)
    """Why tasks are not in the crontab, by id."""

    @property
    def problem(self) -> PiTaskerError | None:
        """Why the crontab does not follow yet: the tasks are saved all the same."""
        return self.applied.problem if self.applied else None


def read_files(
    environment: Environment,
    files: Sequence[tuple[str, bytes]],
    source: Source | None = None,
) -> TaskFile:
    """The tasks of files, each with its name. The format is that of the name when none is given.

    Raises ParseError for a file that cannot be read, InvalidSyntax for a name that says no format.
    """
    dialect = _dialect(environment)
    return joined(read_tasks(data, source or source_of(name), dialect) for name, data in files)


def preview_file(
    environment: Environment, file: TaskFile, *, with_duplicates: bool = False
) -> FilePreview:
    """What an import would do with each task of a file."""
    found = listing(environment)
    document = found.comparison.document if found.comparison else None
    present = {(task.schedule, task.command) for task in found.tasks}
    candidates = []
    for record in map(_trimmed, file.records):
        candidate = _judged(environment, record, present, found, document, with_duplicates)
        candidates.append(candidate)
        if candidate.verdict is Verdict.NEW:
            present.add((record.schedule, record.command))
    return FilePreview(tuple(candidates), file.problems, file.notes)


def import_file(
    environment: Environment,
    actor: str,
    file: TaskFile,
    *,
    with_duplicates: bool = False,
    system_managed: bool | None = None,
) -> FileImport:
    """Make the tasks of a file, and let the crontab follow once.

    `system_managed` decides for all tasks; with None each is as its file says. Raises
    DatabaseError.
    """
    preview = preview_file(environment, file, with_duplicates=with_duplicates)
    errors = list(preview.problems)
    skipped: list[Remark] = []
    made: list[tuple[Task, bool]] = []
    for candidate in preview.candidates:
        record = candidate.record
        remark = Remark(candidate.reason, record.line, record.name)
        if candidate.verdict is Verdict.NEW:
            is_managed = record.system_managed if system_managed is None else system_managed
            # Without an entry for now: one sync writes those of all tasks.
            alone = replace(record, system_managed=False)
            made.append((create_record(environment, actor, alone).tasks[0], is_managed))
        elif candidate.verdict is Verdict.DUPLICATE:
            skipped.append(remark)
        else:
            errors.append(remark)
    edits = [
        Edit(task.id, task.version, {"system_managed": True}) for task, wanted in made if wanted
    ]
    applied = apply(environment, actor, edits, "import") if edits else None
    by_id = {task.id: task for task, _ in made}
    by_id |= {task.id: task for task in (applied.tasks if applied else ())}
    return FileImport(
        tuple(by_id.values()),
        tuple(skipped),
        tuple(errors),
        file.notes,
        applied,
        applied.failures if applied else {},
    )


def _trimmed(record: TaskRecord) -> TaskRecord:
    """The record without blanks around its texts, as a task has them."""
    return replace(
        record,
        name=record.name.strip(),
        schedule=record.schedule.strip(" \t"),
        command=record.command.strip(" \t"),
    )


def _dialect(environment: Environment) -> Dialect:
    return listing(environment).dialect


def _judged(
    environment: Environment,
    record: TaskRecord,
    present: set[tuple[str, str]],
    found: Listing,
    document: Document | None,
    with_duplicates: bool,
) -> Candidate:
    try:
        _check(environment, record, document)
    except PiTaskerError as problem:
        return Candidate(record, Verdict.INVALID, problem.user_message)
    if with_duplicates:
        return Candidate(record, Verdict.NEW)
    if (record.schedule, record.command) in present:
        reason = "There is a task with this schedule and command."
        return Candidate(record, Verdict.DUPLICATE, reason)
    if _is_unmanaged(record, found):
        reason = "The crontab has this entry: `./pitasker import` makes it a task."
        return Candidate(record, Verdict.DUPLICATE, reason)
    return Candidate(record, Verdict.NEW)


def _is_unmanaged(record: TaskRecord, found: Listing) -> bool:
    """Whether an entry that no task manages runs the same at the same times."""
    if found.comparison is None:
        return False
    entries = (found.comparison.document.entry(i) for i in found.comparison.reading.unmanaged)
    same = (record.schedule, record.command)
    return any((entry.schedule, entry.command) == same for entry in entries)


def _check(environment: Environment, record: TaskRecord, document: Document | None) -> None:
    """Raise InvalidSyntax unless a task can be made of a record."""
    # The longest number that a task can have: its own is not known yet.
    recorder = Recorder(str(recorder_copy.path(environment)), 2**31 - 1)
    recording = Recording(record.record_runs, record.timeout_seconds, record.no_overlap)
    checks.check(
        record.name,
        record.schedule,
        record.command,
        document,
        recording=recording,
        recorder=recorder,
    )
    checks.check_ping_url(record.ping_url)
    checks.check_notify(record.notify)
    checks.check_notes(record.notes)
    checks.check_labels(record.labels)


def create_record(environment: Environment, actor: str, record: TaskRecord) -> Applied:
    """Create the task of a record. Raises InvalidSyntax, DatabaseError."""
    values = {field.attribute: getattr(record, field.attribute) for field in FIELDS}
    return create(environment, actor, NewTask(**values))
