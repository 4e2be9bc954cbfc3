"""Tasks as JSON and as YAML, in one schema. Pure.

{"format": "pitasker-tasks", "version": 1, "tasks": [{"name": …, "cronSchedule": …, …}]}
"""

import json
from typing import Any

from pitasker_core.base.errors import ParseError
from pitasker_core.formats import node as nodes
from pitasker_core.formats.fields import read_record, record_name, write_record
from pitasker_core.formats.json_document import read_json
from pitasker_core.formats.node import Node, NodeError
from pitasker_core.formats.record import (
    MOST_RECORDS,
    Remark,
    TaskFile,
    TaskRecord,
    too_many_records,
)
from pitasker_core.formats.yaml_document import read_yaml, write_yaml

FORMAT = "pitasker-tasks"
VERSION = 1


def read_json_tasks(text: str) -> TaskFile:
    """The tasks of a JSON file. Raises ParseError."""
    return _read(read_json(text))


def read_yaml_tasks(text: str) -> TaskFile:
    """The tasks of a YAML file. Raises ParseError."""
    return _read(read_yaml(text))


def write_json_tasks(records: "tuple[TaskRecord, ...]") -> str:
    """Tasks as JSON."""
    return json.dumps(_written(records), indent=2, ensure_ascii=False) + "\n"


def write_yaml_tasks(records: "tuple[TaskRecord, ...]") -> str:
    """Tasks as YAML."""
    return write_yaml(_written(records))


def _written(records: "tuple[TaskRecord, ...]") -> dict[str, Any]:
    return {"format": FORMAT, "version": VERSION, "tasks": [write_record(r) for r in records]}


def _read(node: Node) -> TaskFile:
    try:
        tasks = _tasks(node)
    except NodeError as problem:
        place = f"Line {problem.line}: " if problem.line else ""
        raise ParseError(
            f"{place}{problem.message}.", f"A file of tasks begins with the format {FORMAT}."
        ) from None
    if len(tasks) > MOST_RECORDS:
        raise too_many_records()
    records: list[TaskRecord] = []
    problems: list[Remark] = []
    for task in tasks:
        try:
            records.append(read_record(task))
        except NodeError as problem:
            problems.append(Remark(f"{problem.message}.", problem.line, record_name(task)))
    return TaskFile(tuple(records), tuple(problems))


def _tasks(node: Node) -> list[Node]:
    values = nodes.mapping(node, "the file", frozenset({"format", "version", "tasks"}))
    nodes.check_head(node, values, FORMAT, VERSION)
    if "tasks" not in values:
        raise NodeError("tasks is missing", node.line)
    return nodes.items(values["tasks"], "tasks")
