"""The values of a task's form, and a person's changes. Pure except for the key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pitasker_core.dashboard.fresh_keys import widget_key
from pitasker_core.tasks import NewTask, Task

NAMES = (
    *("name", "schedule", "command", "system_managed", "paused", "notes", "labels"),
    *("record_runs", "timeout_seconds", "no_overlap", "catch_up", "ping_url", "notify"),
)
"""The fields of the form, as `Edit` names them."""


@dataclass(frozen=True)
class Form:
    """The form of a task, of a new task, or of a copy."""

    name: str
    """The name of its draft: `task:12`, `task:new` or `copy:12`."""
    base: Mapping[str, Any]
    """The values before any change."""
    task: Task | None

    @property
    def key(self) -> str:
        """The prefix of the keys of its widgets."""
        return widget_key(self.name)


def form_of(task: Task | None, like: Task | None = None) -> Form:
    """Return the form of a task, of a copy of `like`, or of a new task."""
    if task:
        return Form(f"task:{task.id}", values_of(task), task)
    if like:
        values = {**values_of(like), "name": f"{like.name} (copy)"}
        return Form(f"copy:{like.id}", values, None)
    empty = NewTask("", "", "")
    return Form("task:new", values_of(empty), None)


def values_of(task: Any) -> dict[str, Any]:
    """Return the values of the form's fields, as a draft stores them."""
    values = ((name, getattr(task, name)) for name in NAMES)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values}


def changed_fields(base: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that a person changed."""
    return {name: values[name] for name in NAMES if values[name] != base.get(name)}


def stale_fields(
    base: Mapping[str, Any], values: Mapping[str, Any], now: Mapping[str, Any]
) -> list[str]:
    """Return the changed fields that somebody else has changed to another value meanwhile."""
    changed = changed_fields(base, values)
    return [name for name in changed if now[name] not in (base.get(name), values[name])]
