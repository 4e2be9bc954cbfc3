"""The bodies and queries of requests to the API, with keys in camelCase."""

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

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
    create_model,
    model_validator,
)
from pydantic.alias_generators import to_camel

from pitasker_core.crontab.document import NAME_LIMIT
from pitasker_core.crontab.recording import LONGEST_TIMEOUT
from pitasker_core.tasks import LONGEST_LABEL, LONGEST_NOTES, MOST_LABELS

LARGEST_ID = 2**31 - 1


def _storable(text: str) -> str:
    """Return text that PostgreSQL can store."""
    if "\0" in text:
        raise ValueError("a NUL character cannot be kept")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair is no character") from None
    return text


def _any_text(text: object) -> str:
    """Return text with any bytes that a crontab may hold, as lone surrogates."""
    if not isinstance(text, str):
        raise ValueError("must be a text")
    return text


def _no_number(text: object) -> object:
    """Return a time in ISO 8601. Pydantic would read a bare number as seconds since 1970."""
    if isinstance(text, str) and re.fullmatch(r"[-+.\d]+", text) and "-" not in text[1:]:
        raise ValueError("must be a time such as 2026-01-31T12:00:00Z")
    return text


# Strict: "yes" is not a truth value and "3" is not a number.
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
"""The lines that crontab(1) accepts: no list of lines or tasks is longer."""
NoticeKind = Literal["failed", "recovered", "missed"]
"""What a task can notify about."""


class Model(BaseModel):
    """A body with keys in camelCase. Unknown keys are refused."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class NewTask(Model):
    """A task to create."""

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
    notify: Annotated[list[NoticeKind], Field(max_length=10)] | None = None


_CHANGES: dict[str, Any] = {
    name: (hint | None, None)
    for name, hint in get_type_hints(NewTask, include_extras=True).items()
    if name in NewTask.model_fields
}

if TYPE_CHECKING:

    class TaskChange(Model):
        """Fields of a task to change."""
else:
    TaskChange = create_model("TaskChange", __base__=Model, version=(Id | None, None), **_CHANGES)
    TaskChange.__doc__ = (
        "Fields to change. A field that is left out stays as it is, and so does one that is null, "
        "but for `timeoutSeconds` (no limit) and `notify` (the default notifications). `version` "
        "is the one that was read: 409 if the task was changed since."
    )


class Pause(Model):
    """The end of a pause. Without it the task stays paused until somebody resumes it."""

    until: datetime | None = None


class Import(Model):
    """Which entries to import, by their lines; all unmanaged entries when left out."""

    lines: Annotated[list[Line], Field(max_length=MOST_LINES)] | None = None
    skip_duplicates: Flag = True
    is_system_managed: Flag = True
    generate_names: Flag = True


TaskIds = Annotated[
    Annotated[list[Id], Field(max_length=MOST_LINES)] | None,
    Field(validation_alias=AliasChoices("tasks", "taskIds")),
]
"""Ids of tasks, also under the name of the first plan."""


class Export(Model):
    """Which tasks to write to the crontab; all system-managed tasks when left out."""

    tasks: TaskIds = None


class Sync(Model):
    """What to sync, and how to resolve conflicts."""

    tasks: TaskIds = None
    policy: Literal["ask", "database", "crontab"] = "ask"
    confirmed: Flag = False
    """Confirms a mass removal, or a return to an older crontab."""


class Raw(Model):
    """A whole crontab. `confirmed` confirms the removal of most managed entries."""

    content: AnyText
    confirmed: Flag = False


class Recording(Model):
    """The limits of recorded runs."""

    timeout_seconds: Seconds | None = None
    no_overlap: Flag = False


class Fields(Model):
    """The fields that an entry and its task share."""

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
    """Which version to keep, or an explicit mix. `database` and `crontab` are the sides that were
    shown: 409 when either has changed since."""

    take: Literal["database", "crontab"] | Fields
    database: Side | None
    crontab: Side | None


class Runs(Model):
    """Which runs: of one task or all, of one kind or all, since a time."""

    task: Annotated[int | None, Field(ge=1, le=LARGEST_ID)] = None
    kind: Literal["all", "failed", "slow", "missed", "by hand", "running"] = "all"
    since: Annotated[datetime, BeforeValidator(_no_number)] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


_Rule = Annotated[Text, Field(min_length=1, max_length=60)]
_Sha256 = Annotated[str, Strict(), Field(pattern="^[0-9a-f]{64}$")]


class CrontabText(Model):
    """Any crontab. With `textOnly`, no file of this machine is read."""

    content: Annotated[AnyText, Field(examples=["0 5 * * * date +%F\n"])]
    text_only: Flag = True


class RulePlace(Model):
    """A rule, and the task or the line of the crontab for which it is silenced."""

    rule: _Rule
    task: Id | None = None
    line: Line | None = None

    @model_validator(mode="after")
    def _check_place(self) -> "RulePlace":
        if (self.task is None) == (self.line is None):
            raise ValueError("name a task or a line, and not both")
        return self


class FixRequest(Model):
    """The finding to fix. `sha256` is that of the examined text: 409 if the crontab was changed
    since."""

    rule: _Rule
    line: Line
    sha256: _Sha256
