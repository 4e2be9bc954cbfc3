"""Tasks as a plain crontab, which any cron takes. Pure.

    # Nightly backup
    # pitasker: {"labels": ["nas"], "recordRuns": true}
    0 2 * * * /home/pi/backup.sh

The second comment holds what a crontab cannot say; it is left out where there is nothing to say.
Commands are plain, without tags and recorders. A paused task is a comment.
"""

import json
from typing import Any

from pitasker_core.base.errors import ParseError
from pitasker_core.crontab.document import (
    Comment,
    Document,
    Entry,
    EnvironmentLine,
    Invalid,
    parse,
    parse_line,
    suggest_names,
)
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.formats import node as nodes
from pitasker_core.formats.fields import FIELDS, REQUIRED, read_optional, write_record
from pitasker_core.formats.json_document import read_json
from pitasker_core.formats.node import NodeError
from pitasker_core.formats.record import Remark, TaskFile, TaskRecord, checked

_MARK = "# pitasker: "
_KEYS = frozenset(field.key for field in FIELDS if field.key not in REQUIRED)


def write_crontab_tasks(
    records: "tuple[TaskRecord, ...]", dialect: Dialect = Dialect.DEBIAN
) -> tuple[str, tuple[Remark, ...]]:
    """Tasks as a crontab, and those that cannot stand in one."""
    texts: list[str] = []
    notes: list[Remark] = []
    for record in records:
        text = _written(record, dialect)
        if read_crontab_tasks(text, dialect).records == (record,):
            texts.append(text)
        else:
            notes.append(
                Remark("It is left out: cron would not take it as it is.", name=record.name)
            )
    return "\n".join(texts), tuple(notes)


def read_crontab_tasks(text: str, dialect: Dialect = Dialect.DEBIAN) -> TaskFile:
    """The entries of a crontab. Settings are not taken over; invalid lines are problems."""
    document = parse(text, dialect)
    records: list[TaskRecord] = []
    problems: list[Remark] = []
    notes: list[Remark] = []
    names = suggest_names(document, [index for index, _ in document.entries()])
    for index, line in enumerate(document.lines):
        if isinstance(line, Entry):
            _read_entry(document, index, line, names[index], records, problems)
        elif isinstance(line, Comment) and (entry := _paused_entry(document, index)):
            _read_entry(document, index, entry, "", records, problems)
        elif isinstance(line, Invalid):
            problems.append(Remark(f"{line.reason}.", index + 1))
        elif isinstance(line, EnvironmentLine):
            notes.append(setting_note(line.name, index + 1))
    return checked(TaskFile(tuple(records), tuple(problems), tuple(notes)))


def setting_note(name: str, line: int | None) -> Remark:
    """The remark on an environment line, which belongs to the crontab and not to a task."""
    return Remark(f"The environment line {name[:100]} is not taken over.", line)


def _written(record: TaskRecord, dialect: Dialect) -> str:
    values = {key: value for key, value in write_record(record).items() if key not in REQUIRED}
    entry = f"{record.schedule} {record.command}\n"
    if record.paused:
        entry = f"# {entry}"
    plain = f"# {record.name}\n{entry}"
    if not values and read_crontab_tasks(plain, dialect).records == (record,):
        return plain
    return f"# {record.name}\n{_MARK}{json.dumps(values, ensure_ascii=False)}\n{entry}"


def _read_entry(
    document: Document,
    index: int,
    entry: Entry,
    suggested: str,
    records: list[TaskRecord],
    problems: list[Remark],
) -> None:
    try:
        records.append(_record(document, index, entry, suggested))
    except NodeError as problem:
        problems.append(Remark(f"{problem.message}.", problem.line))


def _record(document: Document, index: int, entry: Entry, suggested: str) -> TaskRecord:
    """Return an entry's record. Without a comment of ours above it, it gets the suggested name."""
    how = entry.recording
    fields: dict[str, Any] = {"paused": entry.paused, "record_runs": how.on}
    if how.on:
        fields |= {"timeout_seconds": how.timeout_seconds, "no_overlap": how.no_overlap}
    values = _values_above(document, index)
    if values is None:
        name = suggested
    else:
        name = document.comment_above(index - 1) or ""
        fields |= values
    return TaskRecord(name, entry.schedule, entry.command, **fields, line=index + 1)


def _values_above(document: Document, index: int) -> dict[str, Any] | None:
    """The fields in the comment above a line; None where that is no comment of ours."""
    line = document.lines[index - 1] if index else None
    if not isinstance(line, Comment) or not line.raw.startswith(_MARK):
        return None
    try:
        node = read_json(line.raw.removeprefix(_MARK))
        return read_optional(nodes.mapping(node, "the comment above", _KEYS))
    except ParseError:
        return None
    except NodeError as problem:
        raise NodeError(problem.message, index) from None


def _paused_entry(document: Document, index: int) -> Entry | None:
    """The entry in a comment, if the comment above says that it is one."""
    try:
        values = _values_above(document, index)
    except NodeError:
        return None
    raw = document.lines[index].raw
    if not values or not values.get("paused") or not raw.startswith("# "):
        return None
    line = parse_line(raw.removeprefix("# "), document.dialect)
    return line if isinstance(line, Entry) else None
