"""Tasks made of files: what each would become is shown first, and one that is wrong fails alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import marked
from pitasker_core.crontab.recording import Recorder, Recording
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.formats.fields import FIELDS
from pitasker_core.formats.record import Remark, TaskFile, TaskRecord, joined
from pitasker_core.formats.registry import Source, read_tasks, source_of
from pitasker_core.sync import recorder_copy
from pitasker_core.sync.store import OperationKind
from pitasker_core.tasks import checks
from pitasker_core.tasks.editing import Applied, create_all
from pitasker_core.tasks.model import NewTask, Task
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
    """The tasks as they were saved, for `undo`; None when there are none."""

    @property
    def failures(self) -> dict[int, str]:
        """Why tasks are not in the crontab, by id."""
        return self.applied.failures if self.applied else {}

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
    judge = _Judge(environment, listing(environment), with_duplicates)
    candidates = tuple(judge.candidate(_trimmed(record)) for record in file.records)
    return FilePreview(candidates, file.problems, file.notes)


def import_file(
    environment: Environment,
    actor: Actor,
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
    by_verdict: dict[Verdict, list[Candidate]] = {verdict: [] for verdict in Verdict}
    for candidate in preview.candidates:
        by_verdict[candidate.verdict].append(candidate)
    new_tasks = [
        new_task(candidate.record, system_managed) for candidate in by_verdict[Verdict.NEW]
    ]
    applied = create_all(environment, actor, new_tasks, OperationKind.IMPORT) if new_tasks else None
    return FileImport(
        tuple(applied.tasks if applied else ()),
        tuple(map(_remark, by_verdict[Verdict.DUPLICATE])),
        (*preview.problems, *map(_remark, by_verdict[Verdict.INVALID])),
        file.notes,
        applied,
    )


def new_task(record: TaskRecord, system_managed: bool | None = None) -> NewTask:
    """The task to create of a record. `system_managed` decides, unless it is None."""
    values = {field.attribute: getattr(record, field.attribute) for field in FIELDS}
    if system_managed is not None:
        values["system_managed"] = system_managed
    return NewTask(**values)


def _remark(candidate: Candidate) -> Remark:
    return Remark(candidate.reason, candidate.record.line, candidate.record.name)


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


class _Judge:
    """Decides what becomes of each task of a file, in its order."""

    def __init__(self, environment: Environment, current: Listing, with_duplicates: bool) -> None:
        self._environment = environment
        self._with_duplicates = with_duplicates
        self._document = current.comparison.document if current.comparison else None
        self._tasks = {(task.schedule, task.command) for task in current.tasks}
        self._unmanaged = set(_unmanaged_entries(current))

    def candidate(self, record: TaskRecord) -> Candidate:
        """The verdict on a record."""
        try:
            self._check(record)
        except PiTaskerError as problem:
            return Candidate(record, Verdict.INVALID, problem.user_message)
        if not self._with_duplicates and (reason := self._duplicate_reason(record)):
            return Candidate(record, Verdict.DUPLICATE, reason)
        self._tasks.add((record.schedule, record.command))
        return Candidate(record, Verdict.NEW)

    def _duplicate_reason(self, record: TaskRecord) -> str:
        job = (record.schedule, record.command)
        if job in self._tasks:
            return "There is a task with this schedule and command."
        if job in self._unmanaged:
            return marked("The crontab has this entry: `./pitasker import` makes it a task.")
        return ""

    def _check(self, record: TaskRecord) -> None:
        """Raise InvalidSyntax unless a task can be made of a record."""
        # The longest number that a task can have: its own comes later.
        recorder = Recorder(str(recorder_copy.path(self._environment)), 2**31 - 1)
        checks.check(
            record.name,
            record.schedule,
            record.command,
            self._document,
            recording=Recording(record.record_runs, record.timeout_seconds, record.no_overlap),
            recorder=recorder,
        )
        checks.check_ping_url(record.ping_url)
        checks.check_notify(record.notify)
        checks.check_notes(record.notes)
        checks.check_labels(record.labels)


def _unmanaged_entries(current: Listing) -> Iterator[tuple[str, str]]:
    """The schedule and command of each entry that no task manages."""
    if current.comparison is not None:
        for index in current.comparison.reading.unmanaged:
            entry = current.comparison.document.entry(index)
            yield entry.schedule, entry.command
