"""A task's fields, defined once.

`TaskValues` holds what a person sets, `Task` adds what PiTasker keeps. Everything else reads the
field names from these two classes. A new field needs a column in `TaskRow` (with a migration) and
a line in one of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from types import MappingProxyType
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class TaskValues:
    """What a person sets on a task."""

    name: str
    schedule: str
    command: str
    _: KW_ONLY
    system_managed: bool = True
    paused: bool = False
    paused_until: datetime | None = None
    notes: str = ""
    labels: tuple[str, ...] = ()
    record_runs: bool = False
    timeout_seconds: int | None = None
    no_overlap: bool = False
    catch_up: bool = False
    ping_url: str = ""
    notify: tuple[str, ...] | None = None
    """Kinds of notifications; None for those of the settings."""


class NewTask(TaskValues):
    """A task to create."""

    def with_each(self, schedules: Sequence[str]) -> "list[NewTask]":
        """Return a task for each schedule; the names of several are numbered."""
        count = len(schedules)
        return [
            replace(
                self,
                name=f"{self.name} ({number} of {count})" if count > 1 else self.name,
                schedule=schedule,
            )
            for number, schedule in enumerate(schedules, 1)
        ]


@dataclass(frozen=True, kw_only=True)
class Task(TaskValues):
    """A task as it is in the database. Times are aware, in UTC."""

    id: int
    source: str
    status: str
    last_run: datetime | None
    tag: UUID | None
    sync_error: str | None
    synced_at: datetime | None
    created_at: datetime
    updated_at: datetime
    definition_changed_at: datetime
    """When the schedule, the command, or whether cron runs it last changed."""
    deleted_at: datetime | None
    version: int


VALUE_NAMES = tuple(field.name for field in fields(TaskValues))
"""The fields that an `Edit` can change."""

TASK_NAMES = tuple(field.name for field in fields(Task))

ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        **{name: name for name in TASK_NAMES},
        "schedule": "cron_schedule",
        "system_managed": "is_system_managed",
        "synced_at": "crontab_synced_at",
    }
)
"""The attribute of a `TaskRow` that holds each field."""

ENTRY_NAMES = frozenset(
    {
        "name",
        "schedule",
        "command",
        "system_managed",
        "paused",
        "record_runs",
        "timeout_seconds",
        "no_overlap",
    }
)
"""The values that an entry shows: when one of them changes, the crontab has to follow."""


class State(StrEnum):
    """Where a task stands. It is computed from both sides and never stored."""

    SYNCED = "Synced"
    PENDING = "Pending"
    FAILED = "Failed"
    CONFLICT = "Conflict"
    DATABASE_ONLY = "Database only"


@dataclass(frozen=True)
class Edit:
    """One change of a task: new values for fields of `TaskValues`, or its deletion.

    `version` is the version that the person saw. With None, a change by somebody else in between
    is not detected.
    """

    task: int
    version: int | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    delete: bool = False
    is_back: bool = False
    """Whether the values are earlier values of the task."""


def task_from_row(row: Any) -> Task:
    """Return the task of a `TaskRow`."""
    return make_task(_attributes_of(row))


_attributes_of = attrgetter(*ATTRIBUTES.values())


def make_task(columns: Iterable[Any]) -> Task:
    """Return the task of the columns in `ATTRIBUTES`, in that order."""
    values = dict(zip(TASK_NAMES, columns, strict=True))
    values["labels"] = tuple(values["labels"])
    if values["notify"] is not None:
        values["notify"] = tuple(values["notify"])
    if not values["paused"]:
        values["paused_until"] = None
    return Task(**values)


def task_values(task: Task) -> dict[str, Any]:
    """Return the fields of an `Edit` that sets all values of a task."""
    return {name: getattr(task, name) for name in VALUE_NAMES}


def event_values(row: Any) -> dict[str, Any]:
    """Return a task's values as JSON for the history of events."""
    return {name: _as_json(getattr(row, ATTRIBUTES[name])) for name in VALUE_NAMES}


def column_value(value: Any) -> Any:
    """Return a field's value as its column holds it."""
    return list(value) if isinstance(value, tuple) else value


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else column_value(value)
