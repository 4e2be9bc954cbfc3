"""What is sent to the API for files of tasks and for templates."""

from typing import Annotated, Literal

from pydantic import Field

from pitasker_core.crontab.document import NAME_LIMIT
from pitasker_core.formats.record import LARGEST_FILE
from pitasker_core.server.api.requests import Flag, Id, Model, Text
from pitasker_core.templates.checking import MOST_PARAMETERS
from pitasker_core.templates.template_file import LARGEST_FILE as LARGEST_TEMPLATE

SourceName = Literal["json", "yaml", "csv", "crontab", "crontab-ui", "cronmaster"]
TargetName = Literal["json", "yaml", "csv", "crontab", "systemd", "ical"]
TemplateName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
ParameterName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Values = Annotated[dict[ParameterName, Text], Field(max_length=MOST_PARAMETERS)]
TaskName = Annotated[Text, Field(max_length=NAME_LIMIT)]


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
    """Values for the parameters of a template; a parameter that is left out has its default."""

    values: Values = Field(default_factory=dict)
    task_name: TaskName = ""


class TemplateUse(TemplateValues):
    """The same, for a task to be made."""

    is_system_managed: Flag = True
    paused: Flag = False
