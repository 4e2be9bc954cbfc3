from collections.abc import Iterable
from dataclasses import field
from typing import TYPE_CHECKING, Literal

from pitasker_core.formats.fields import FIELDS
from pitasker_core.formats.record import Remark as FileRemark
from pitasker_core.formats.record import TaskRecord
from pitasker_core.server.answers.problems import Problem
from pitasker_core.server.answers.tasks import NAMES, Applied, Task, task_answer
from pitasker_core.server.answers.wire import Shape, answer, answer_from, copy_fields
from pitasker_core.templates.template_file import template_data

if TYPE_CHECKING:
    from pitasker_core.tasks import editing, file_import
    from pitasker_core.templates import own, using


@answer
class Remark:
    """What there is to say about a place in a file."""

    line: int | None
    name: str
    message: str


def remarks(given: Iterable[FileRemark]) -> list[Remark]:
    """Return the answers for remarks on a file."""
    return [copy_fields(Remark, remark) for remark in given]


@answer
class Remarks:
    """What an export does not carry over."""

    notes: list[Remark]


_IN_FILES = {field.attribute for field in FIELDS}
_FILE_NAMES = {name: answered for name, answered in NAMES.items() if name in _IN_FILES}
"""The name here of each field of a task in a file."""

if TYPE_CHECKING:

    class FileTask:
        """A task as files have it."""
else:
    FileTask = answer_from(TaskRecord, _FILE_NAMES, "FileTask", "A task as files have it.")


def file_task(record: TaskRecord) -> FileTask:
    values = {answered: getattr(record, name) for name, answered in _FILE_NAMES.items()}
    return FileTask(**values)


@answer
class Candidate:
    """A task of a file, and what would become of it."""

    line: int | None
    verdict: Literal["new", "duplicate", "invalid"]
    reason: str
    task: FileTask

    @classmethod
    def of(cls, candidate: "file_import.Candidate") -> "Candidate":
        record = candidate.record
        return copy_fields(cls, candidate, line=record.line, task=file_task(record))


@answer
class FilePreview:
    """What an import would do."""

    tasks: list[Candidate]
    errors: list[Remark]
    notes: list[Remark]

    @classmethod
    def of(cls, preview: "file_import.FilePreview") -> "FilePreview":
        tasks = [Candidate.of(candidate) for candidate in preview.candidates]
        return cls(tasks, remarks(preview.problems), remarks(preview.notes))


@answer
class Failure:
    """Why a task is not in the crontab."""

    task: int
    message: str


@answer
class FileImport:
    """What an import did; `error` is why the crontab does not follow yet."""

    tasks: list[Task]
    skipped: list[Remark]
    errors: list[Remark]
    notes: list[Remark]
    failures: list[Failure]
    error: Problem | None = None

    @classmethod
    def of(cls, done: "file_import.FileImport") -> "FileImport":
        return cls(
            [task_answer(task) for task in done.tasks],
            remarks(done.skipped),
            remarks(done.errors),
            remarks(done.notes),
            [Failure(task, reason) for task, reason in done.failures.items()],
            Problem.of(done.problem),
        )


@answer
class Parameter:
    """A parameter of a template: what its value means, and which values it takes."""

    name: str
    kind: Literal["path", "time", "number", "text", "choice"]
    label: str
    default: str
    least: int
    most: int
    longest: int
    form: Literal["line", "word", "host", "url"]
    check: Literal["nothing", "folder", "file"]
    options: list[str]


@answer
class Template:
    """A template. Fields that are as usual are left out."""

    format: Literal["pitasker-template"]
    version: int
    name: str
    title: str
    summary: str
    schedule: str
    command: str
    parameters: list[Parameter]
    is_own: bool
    category: str = "other"
    needs: list[str] = field(default_factory=list)
    task_name: str = ""
    notes: str = ""
    labels: list[str] = field(default_factory=list)
    record_runs: bool = True
    timeout_seconds: int | None = None
    no_overlap: bool = False
    catch_up: bool = False
    notify: list[str] | None = None
    guards: list[dict[str, str]] = field(default_factory=list)


@answer
class Templates:
    """All templates: the person's own first."""

    templates: list[Template]


def template_answer(listed: "own.Listed") -> Shape:
    """Return a `Template`: as its file has it, with its parameters as a list, and whose it is."""
    parameters = [
        copy_fields(Parameter, parameter, options=list(parameter.options))
        for parameter in listed.template.parameters
    ]
    data = template_data(listed.template)
    return {**data, "parameters": parameters, "isOwn": listed.is_own}


@answer
class Rendered:
    """The task that a template makes, and what this machine lacks for it."""

    task: FileTask
    missing: list[str]

    @classmethod
    def of(cls, rendered: "using.Rendered") -> "Rendered":
        return copy_fields(cls, rendered, task=file_task(rendered.record))


@answer
class Used(Applied):
    """The created task, and what this machine lacks for it."""

    missing: tuple[str, ...] = ()

    @classmethod
    def of_use(cls, applied: "editing.Applied", missing: Iterable[str]) -> "Used":
        return copy_fields(cls, Applied.of(applied), missing=tuple(missing))
