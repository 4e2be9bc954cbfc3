"""What the API takes and gives for files of tasks and for templates."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from pitasker_core.crontab.document import NAME_LIMIT
from pitasker_core.formats.record import LARGEST_FILE, MOST_RECORDS
from pitasker_core.server.answers.problems import Problem
from pitasker_core.server.answers.tasks import Applied, Task
from pitasker_core.server.answers.wire import answer, copy_fields
from pitasker_core.server.api.requests import AnyText, Flag, Id, Model, Text
from pitasker_core.tasks import editing
from pitasker_core.templates.checking import MOST_PARAMETERS
from pitasker_core.templates.template_file import LARGEST_FILE as LARGEST_TEMPLATE

SourceName = Literal["json", "yaml", "csv", "crontab", "crontab-ui", "cronmaster"]
TargetName = Literal["json", "yaml", "csv", "crontab", "systemd", "ical"]
TemplateName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
ParameterName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Values = Annotated[dict[ParameterName, Text], Field(max_length=MOST_PARAMETERS)]
TaskName = Annotated[Text, Field(max_length=NAME_LIMIT)]


# --- What is sent ---


class TaskFile(Model):
    """A file of tasks. Nothing in it is run."""

    content: Annotated[Text, Field(max_length=LARGEST_FILE)]
    format: SourceName = "json"
    duplicates: Flag = False
    """Also where such a task or entry exists already."""
    is_system_managed: Flag | None = None
    """For all tasks; null leaves it to the file."""


class TemplateFile(Model):
    """A template in YAML or JSON. Nothing in it is run."""

    content: Annotated[Text, Field(max_length=LARGEST_TEMPLATE)]
    replace: Flag = False


class TemplateOfTask(Model):
    """A task that becomes a template, and the words of its command that become parameters."""

    task: Id
    name: TemplateName
    title: Annotated[Text, Field(max_length=100)] = ""
    parameters: Values = Field(default_factory=dict)
    replace: Flag = False


class TemplateValues(Model):
    """Values for the parameters of a template; what is left out has its default."""

    values: Values = Field(default_factory=dict)
    task_name: TaskName = ""


class TemplateUse(TemplateValues):
    """The same, for a task to be made."""

    is_system_managed: Flag = True
    paused: Flag = False


# --- What is answered ---


class Remark(Model):
    """What there is to say about a place in a file."""

    line: int | None
    name: AnyText
    message: AnyText


class FileTask(Model):
    """A task as files have it: fields that are as usual are left out."""

    name: AnyText
    cron_schedule: AnyText
    command: AnyText
    is_system_managed: bool = True
    paused: bool = False
    notes: AnyText = ""
    labels: list[AnyText] = Field(default_factory=list)
    record_runs: bool = False
    timeout_seconds: int | None = None
    no_overlap: bool = False
    catch_up: bool = False
    ping_url: AnyText = ""
    notify: list[AnyText] | None = None


class Candidate(Model):
    """A task of a file, and what would become of it."""

    line: int | None
    verdict: Literal["new", "duplicate", "invalid"]
    reason: AnyText
    task: FileTask


class FilePreview(Model):
    """What an import would do."""

    tasks: Annotated[list[Candidate], Field(max_length=MOST_RECORDS)]
    errors: list[Remark]
    notes: list[Remark]


class Failure(Model):
    """Why a task is not in the crontab."""

    task: int
    message: AnyText


class FileImport(Model):
    """What an import did; `error` is why the crontab does not follow yet."""

    tasks: list[Task]
    skipped: list[Remark]
    errors: list[Remark]
    notes: list[Remark]
    failures: list[Failure]
    error: Problem | None = None


class Remarks(Model):
    """What an export does not carry over."""

    notes: list[Remark]


class Parameter(Model):
    """A parameter of a template: what its value means, and which values it takes."""

    name: str
    kind: Literal["path", "time", "number", "text", "choice"]
    label: AnyText
    default: AnyText
    least: int
    most: int
    longest: int
    form: Literal["line", "word", "host", "url"]
    check: Literal["nothing", "folder", "file"]
    options: list[AnyText]


class Template(Model):
    """A template. Fields that are as usual are left out."""

    format: Literal["pitasker-template"]
    version: int
    name: str
    title: AnyText
    summary: AnyText
    category: AnyText = "other"
    needs: list[AnyText] = Field(default_factory=list)
    schedule: AnyText
    command: AnyText
    task_name: AnyText = ""
    notes: AnyText = ""
    labels: list[AnyText] = Field(default_factory=list)
    record_runs: bool = True
    timeout_seconds: int | None = None
    no_overlap: bool = False
    catch_up: bool = False
    notify: list[AnyText] | None = None
    guards: list[dict[str, AnyText]] = Field(default_factory=list)
    parameters: list[Parameter]
    is_own: bool


class Templates(Model):
    """All templates: the person's own first."""

    templates: list[Template]


class Rendered(Model):
    """The task that a template makes, and what this machine lacks for it."""

    task: FileTask
    missing: list[AnyText]


@answer
class Used(Applied):
    """The created task, and what this machine lacks for it."""

    missing: tuple[str, ...] = ()

    @classmethod
    def of_use(cls, applied: editing.Applied, missing: Iterable[str]) -> "Used":
        """Return the answer for a template that was used."""
        return copy_fields(cls, Applied.of(applied), missing=tuple(missing))
