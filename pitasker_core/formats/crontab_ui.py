"""The tasks of crontab-ui, of its file `crontab.db`. Pure.

That is a data file of NeDB: a document in JSON a line, as text appended in the order of events. A
later line replaces an earlier one with its `_id`; `{"$$deleted":true,"_id":…}` removes it, and
`{"$$indexCreated":…}` is about the database.
"""

from typing import Any

from pitasker_core.base.errors import ParseError
from pitasker_core.crontab.command import main_program
from pitasker_core.formats import node as nodes
from pitasker_core.formats.crontab_file import setting_note
from pitasker_core.formats.json_document import read_json
from pitasker_core.formats.node import Node, NodeError
from pitasker_core.formats.record import LONGEST_TEXT, Remark, TaskFile, TaskRecord, checked


def read_crontab_ui(text: str) -> TaskFile:
    """The jobs of a `crontab.db`, in the order in which they were made. Raises ParseError."""
    documents: dict[str, Node] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        node = _document(line, number)
        values = nodes.free_mapping(node, "a line")
        if "$$indexCreated" in values or "$$indexRemoved" in values:
            continue
        identity = nodes.text(values["_id"], "_id", 100) if "_id" in values else ""
        if not identity:
            raise _error(number, "there is no _id.")
        if "$$deleted" in values:
            documents.pop(identity, None)
        else:
            documents[identity] = node
    return _file(documents)


def read_environment(text: str) -> tuple[Remark, ...]:
    """What an `env.db` sets: crontab-ui writes it above all jobs."""
    lines = [line for line in text.split("\n") if "=" in line]
    return tuple(setting_note(f"{line.split('=')[0].strip()} of env.db", None) for line in lines)


def _document(line: str, number: int) -> Node:
    try:
        node = read_json(line)
    except ParseError as problem:
        raise _error(number, problem.message.removeprefix("Line 1: ")) from None
    if not isinstance(node.value, dict):
        raise _error(number, "there is no job.")
    return Node(node.value, number)


def _error(line: int, message: str) -> ParseError:
    return ParseError(f"Line {line}: {message}", "This is not a crontab.db of crontab-ui.")


def _file(documents: dict[str, Node]) -> TaskFile:
    records: list[TaskRecord] = []
    problems: list[Remark] = []
    notes: list[Remark] = []
    for node in documents.values():
        values = nodes.free_mapping(node, "a job")
        try:
            record = _record(values, node.line)
        except NodeError as problem:
            problems.append(Remark(f"{problem.message}.", node.line))
            continue
        records.append(record)
        notes += [Remark(text, node.line, record.name) for text in _left_out(values)]
    return checked(TaskFile(tuple(records), tuple(problems), tuple(notes)))


def _record(values: dict[str, Node], line: int | None) -> TaskRecord:
    texts = {key: _text(values, key, line) for key in ("name", "command", "schedule")}
    name = texts["name"].strip() or main_program(texts["command"]) or f"Job in line {line}"
    stopped = values.get("stopped")
    logging = values.get("logging")
    return TaskRecord(
        name,
        texts["schedule"].strip(),
        texts["command"].strip(),
        paused=bool(stopped and stopped.value is True),
        # A text in the forms of crontab-ui, true in files that other programs wrote.
        record_runs=bool(logging and logging.value in (True, "true")),
        line=line,
    )


def _text(values: dict[str, Node], key: str, line: int | None) -> str:
    node = values.get(key)
    if node is None and key != "name":
        raise NodeError(f"{key} is missing", line)
    if node is None or node.value is None:
        return ""
    return nodes.text(node, key, LONGEST_TEXT)


def _left_out(values: dict[str, Any]) -> list[str]:
    left = []
    if (mailing := values.get("mailing")) and mailing.value:
        left.append("Its mail after each run is not taken over: choose what notifies you.")
    if (hook := values.get("hook")) and hook.value:
        left.append("Its hook after each run is not taken over.")
    return left
