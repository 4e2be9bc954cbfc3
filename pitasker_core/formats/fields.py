"""The fields of a task as files name them: the names of the API. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pitasker_core.formats import node as nodes
from pitasker_core.formats.node import Node, NodeError
from pitasker_core.formats.record import TaskRecord


@dataclass(frozen=True)
class Field:
    """One field: its name in a record and in a file, and how its value is read."""

    attribute: str
    key: str
    read: Callable[[Node, str], Any]
    nullable: bool = False


FIELDS = (
    Field("name", "name", nodes.text),
    Field("schedule", "cronSchedule", nodes.text),
    Field("command", "command", nodes.text),
    Field("paused", "paused", nodes.flag),
    Field("system_managed", "isSystemManaged", nodes.flag),
    Field("notes", "notes", nodes.text),
    Field("labels", "labels", nodes.texts),
    Field("record_runs", "recordRuns", nodes.flag),
    Field("timeout_seconds", "timeoutSeconds", nodes.number, nullable=True),
    Field("no_overlap", "noOverlap", nodes.flag),
    Field("catch_up", "catchUp", nodes.flag),
    Field("ping_url", "pingUrl", nodes.text),
    Field("notify", "notify", nodes.texts, nullable=True),
)
REQUIRED = ("name", "cronSchedule", "command")

_KEYS = frozenset(field.key for field in FIELDS)
_DEFAULTS = TaskRecord("", "", "")


def read_record(node: Node) -> TaskRecord:
    """The task of a mapping. Raises NodeError."""
    values = nodes.mapping(node, "a task", _KEYS)
    if missing := [key for key in REQUIRED if key not in values]:
        raise NodeError(f"{missing[0]} is missing", node.line)
    return TaskRecord(**read_optional(values), line=node.line)


def read_optional(values: Mapping[str, Node]) -> dict[str, Any]:
    """The values of the fields that are there, by attribute. Raises NodeError."""
    result: dict[str, Any] = {}
    for field in FIELDS:
        node = values.get(field.key)
        if node is None:
            continue
        is_null = field.nullable and nodes.is_null(node)
        result[field.attribute] = None if is_null else field.read(node, field.key)
    return result


def record_name(node: Node) -> str:
    """The name in the mapping of a task that cannot be read; empty where there is none."""
    name = node.value.get("name") if isinstance(node.value, dict) else None
    return name.value[:200] if name and isinstance(name.value, str) else ""


def write_record(record: TaskRecord) -> dict[str, Any]:
    """A task as plain data: the required fields, and the others that are not as usual."""
    result: dict[str, Any] = {}
    for field in FIELDS:
        value = getattr(record, field.attribute)
        if field.key in REQUIRED or value != getattr(_DEFAULTS, field.attribute):
            result[field.key] = list(value) if isinstance(value, tuple) else value
    return result
