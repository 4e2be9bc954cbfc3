"""The tables of the import page: the lines of the crontab, and the entries to choose. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pitasker_core.base.text import visible
from pitasker_core.crontab.doctor.finding import Severity
from pitasker_core.crontab.document import (
    Blank,
    Comment,
    Entry,
    EnvironmentLine,
    Invalid,
    suggest_names,
)
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.dashboard.cells import sentence
from pitasker_core.dashboard.task_grid import in_words
from pitasker_core.reports.doctor import Examined
from pitasker_core.sync import importing, validation
from pitasker_core.sync.importing import Import
from pitasker_core.sync.service import Comparison
from pitasker_core.tasks import Task


@dataclass(frozen=True)
class Choice:
    """An entry that can be imported."""

    item: Import
    name: str
    schedule: str
    command: str
    note: str
    """A reason against importing it. It is not chosen at first."""
    problems: str = ""
    """The doctor's findings, without those of low severity."""


def choices(comparison: Comparison, tasks: Sequence[Task], examined: Examined) -> list[Choice]:
    """Return the unmanaged entries, with notes on duplicates and problems."""
    present = {(task.schedule, task.command): task.name for task in tasks}
    notes: dict[int, str] = {}
    for finding in validation.validate(comparison).findings:
        if finding.line and finding.kind is not validation.Discrepancy.UNMANAGED_ENTRY:
            notes.setdefault(finding.line, finding.message)
    document, rows = comparison.document, []
    items = importing.importable(comparison)
    names = suggest_names(document, [item.line - 1 for item in items])
    for item in items:
        entry = document.entry(item.line - 1)
        name = item.name or names[item.line - 1]
        obstacle = importing.find_obstacle(comparison, item, name)
        here = f"the entry in line {item.line}"
        first = present.setdefault((entry.schedule, entry.command), here)
        duplicate = "" if first == here else f"A duplicate of {visible(first)}."
        rows.append(
            Choice(
                item,
                name,
                visible(entry.schedule),
                visible(entry.command),
                sentence(obstacle or notes.get(item.line) or duplicate),
                " ".join(
                    sentence(finding.message)
                    for finding in examined.of_line(item.line)
                    if finding.severity is not Severity.LOW
                ),
            )
        )
    return rows


def fingerprint(choices: Sequence[Choice]) -> int:
    """Return a number that changes with the lines of the choices."""
    return hash(tuple((choice.item.line, choice.item.raw) for choice in choices))


def frame(
    choices: Sequence[Choice], dialect: Dialect, chosen: bool | None = None, *, named: bool = True
) -> pd.DataFrame:
    """Return the table. At first all, none, or (None) the entries without a note are chosen."""
    return pd.DataFrame(
        {
            "chosen": pd.Series(
                [not choice.note if chosen is None else chosen for choice in choices], dtype=bool
            ),
            "line": [choice.item.line for choice in choices],
            "name": [choice.name if named else choice.command[:100].strip() for choice in choices],
            "schedule": [choice.schedule for choice in choices],
            "words": [in_words(choice.schedule, dialect) for choice in choices],
            "command": [choice.command for choice in choices],
            "note": [choice.note for choice in choices],
            "problems": [choice.problems for choice in choices],
        }
    )


def chosen_imports(choices: Sequence[Choice], table: pd.DataFrame) -> list[Import]:
    """Return the chosen entries, with the names in the table."""
    rows = zip(choices, table["chosen"], table["name"], strict=True)
    return [
        Import(choice.item.line, choice.item.raw, str(name))
        for choice, chosen, name in rows
        if chosen
    ]


def lines(comparison: Comparison) -> list[dict[str, Any]]:
    """Return every line of the crontab with its kind."""
    reading = comparison.reading
    managed = set(reading.where.values())
    special = dict.fromkeys(reading.unknown, "entry with an unknown tag")
    special |= dict.fromkeys(reading.copies, "entry with a copied tag")
    special |= dict.fromkeys(reading.lost.values(), "entry whose tag was removed")
    rows = []
    for index, line in enumerate(comparison.document.lines):
        match line:
            case Blank():
                kind = "blank"
            case Comment():
                kind = "comment"
            case EnvironmentLine():
                kind = "environment line"
            case Invalid():
                kind = f"invalid: {line.reason}"
            case Entry():
                state = "managed" if index in managed else "unmanaged"
                pause = ", paused" if line.paused else ""
                kind = special.get(index, f"{state} entry") + pause
        rows.append({"line": index + 1, "kind": kind, "text": visible(line.raw.removesuffix("\n"))})
    return rows
