"""Tasks as CSV for spreadsheets, in which no cell becomes a formula. Pure.

A spreadsheet calculates a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return
(OWASP, "CSV Injection"). Such a cell is written with an apostrophe before it, which is taken off
when the file is read. That is reversible: an apostrophe that could be mistaken for ours gets one
of its own.
"""

import csv
import io
import re
from typing import Any

from pitasker_core.base.errors import ParseError
from pitasker_core.formats import node as nodes
from pitasker_core.formats.fields import FIELDS, REQUIRED, Field, read_record
from pitasker_core.formats.node import Node, NodeError, Plain
from pitasker_core.formats.record import (
    LONGEST_TEXT,
    MOST_RECORDS,
    Remark,
    TaskFile,
    TaskRecord,
    too_many_records,
)

_FORMULA = re.compile(r"[=+\-@\t\r＝＋－＠]|'[=+\-@\t\r＝＋－＠']")
_SEPARATORS = (",", ";", "\t")
_ITEM = re.compile(r"((?:[^\\;]|\\.)*)(?:;|$)", re.DOTALL)
_NONE = "none"


def write_csv_tasks(records: "tuple[TaskRecord, ...]") -> str:
    """Tasks as CSV, one a row, with the names of the fields as the first row (RFC 4180)."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow([field.key for field in FIELDS])
    for record in records:
        values = [_written(field, getattr(record, field.attribute)) for field in FIELDS]
        writer.writerow([_guarded(value) for value in values])
    return file.getvalue()


def read_csv_tasks(text: str) -> TaskFile:
    """The tasks of a CSV file. Raises ParseError.

    The separator is the one of the first row: a comma, or what a spreadsheet made of it.
    """
    head = text.split("\n", 1)[0]
    separator = max(_SEPARATORS, key=head.count)
    csv.field_size_limit(LONGEST_TEXT)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        columns = _columns(next(rows, []))
        return _read(rows, columns)
    except csv.Error as problem:
        raise ParseError(
            f"Line {rows.line_num}: {problem}.", "The file is not valid CSV."
        ) from None


def _columns(head: list[str]) -> list[str]:
    by_name = {field.key.lower(): field.key for field in FIELDS}
    columns = []
    for name in head:
        key = by_name.get(name.strip().lower())
        if key is None:
            raise ParseError(
                f"Line 1: there is no column {name[:100]!r}.",
                f"The columns are {', '.join(field.key for field in FIELDS)}.",
            )
        if key in columns:
            raise ParseError(f"Line 1: the column {key} stands twice.")
        columns.append(key)
    if missing := [key for key in REQUIRED if key not in columns]:
        raise ParseError(f"Line 1: the column {missing[0]} is missing.")
    return columns


def _read(rows: Any, columns: list[str]) -> TaskFile:
    records: list[TaskRecord] = []
    problems: list[Remark] = []
    line = rows.line_num + 1
    for row in rows:
        if len(records) + len(problems) >= MOST_RECORDS:
            raise too_many_records()
        if any(row):
            try:
                records.append(_record(row, columns, line))
            except NodeError as problem:
                problems.append(Remark(f"{problem.message}.", line))
        line = rows.line_num + 1
    return TaskFile(tuple(records), tuple(problems))


def _record(row: list[str], columns: list[str], line: int) -> TaskRecord:
    if len(row) != len(columns):
        raise NodeError(f"there are {len(row)} cells, and {len(columns)} columns", line)
    cells = {key: _unguarded(cell) for key, cell in zip(columns, row, strict=True)}
    values: dict[str, Node] = {}
    for field in FIELDS:
        cell = cells.get(field.key)
        if cell or field.key in REQUIRED:
            values[field.key] = Node(_cell_value(field, cell or "", line), line)
    return read_record(Node(values, line))


def _cell_value(field: Field, cell: str, line: int) -> nodes.Value:
    if field.read is not nodes.texts:
        return Plain(cell)
    if field.nullable and cell == _NONE:
        return []
    return [Node(item, line) for item in _split(cell)]


def _written(field: Field, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return _join(value) if value or not field.nullable else _NONE
    return str(value)


def _join(items: tuple[str, ...]) -> str:
    return ";".join(re.sub(r"[\\;]", r"\\\g<0>", item) for item in items)


def _split(cell: str) -> list[str]:
    items: list[str] = []
    at = 0
    while match := _ITEM.match(cell, at):
        items.append(re.sub(r"\\(.)", r"\1", match[1], flags=re.DOTALL))
        at = match.end()
        if not match[0].endswith(";") or match.end(1) == match.end():
            break
    return items


def _guarded(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell
