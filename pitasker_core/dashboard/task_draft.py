"""What the form of a task holds, and what of it a person changed. Pure but for the generation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pitasker_core.tasks import NewTask, Task

NAMES = (
    *("name", "schedule", "command", "system_managed", "paused", "notes", "labels"),
    *("record_runs", "timeout_seconds", "no_overlap", "catch_up", "ping_url", "notify"),
)
"""The fields of the form, as `Edit` names them."""


@dataclass(frozen=True)
class Form:
    """What the form is of: a task, or a new one, perhaps like another."""

    name: str
    """Of its draft: `task:12`, or `task:new`."""
    base: Mapping[str, Any]
    """The values that it began with."""
    task: Task | None

    @property
    def key(self) -> str:
        """The beginning of the keys of its widgets."""
        return f"{self.name}-{st.session_state.get(f'generation-{self.name}', 0)}"


def form_of(task: Task | None, like: Task | None = None) -> Form:
    """The form of a task, or of a new one."""
    if task:
        return Form(f"task:{task.id}", values_of(task), task)
    if like:
        values = {**values_of(like), "name": f"{like.name} (copy)"}
        return Form(f"copy:{like.id}", values, None)
    empty = NewTask("", "", "")
    return Form("task:new", values_of(empty), None)


def values_of(task: Any) -> dict[str, Any]:
    """The values of the form's fields, as a draft keeps them."""
    values = {name: getattr(task, name) for name in NAMES}
    listed = {name: list(value) for name, value in values.items() if isinstance(value, tuple)}
    return {**values, **listed}


def changed_fields(base: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a person changed."""
    return {name: values[name] for name in NAMES if values[name] != base.get(name)}


def stale_fields(
    base: Mapping[str, Any], values: Mapping[str, Any], now: Mapping[str, Any]
) -> list[str]:
    """The fields that a person changes and somebody else changed since, to something else."""
    changed = changed_fields(base, values)
    return [name for name in changed if now[name] not in (base.get(name), values[name])]
