"""The tables of the import page: lines with what each is, and entries to choose from. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from pitasker_core.base.text import visible
from pitasker_core.crontab.document import (
    Blank,
    Comment,
    Entry,
    EnvironmentLine,
    Invalid,
    suggest_name,
)
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.dashboard.task_grid import in_words
from pitasker_core.sync import importing, validation
from pitasker_core.sync.importing import Import
from pitasker_core.sync.service import Comparison
from pitasker_core.tasks import Task


@dataclass(frozen=True)
class Choice:
    """An entry that can be imported. `note` is what a person should know before."""

    item: Import
    name: str
    schedule: str
    command: str
    note: str


def choices(compared: Comparison, tasks: Sequence[Task]) -> list[Choice]:
    """The entries that no task manages yet, those that are duplicates marked."""
    present = {(task.schedule, task.command): task.name for task in tasks}
    notes: dict[int, str] = {}
    for finding in validation.validate(compared).findings:
        if finding.line and finding.kind is not validation.Discrepancy.UNMANAGED_ENTRY:
            notes.setdefault(finding.line, finding.message)
    found = []
    for item in importing.importable(compared):
        entry = compared.document.entry(item.line - 1)
        name = item.name or suggest_name(compared.document, item.line - 1)
        same = present.setdefault((entry.schedule, entry.command), f"the entry in line {item.line}")
        note = notes.get(item.line, "")
        if same != f"the entry in line {item.line}":
            note = note or f"A duplicate of {visible(same)}."
        found.append(Choice(item, name, visible(entry.schedule), visible(entry.command), note))
    return found


def frame(
    found: Sequence[Choice], dialect: Dialect, chosen: bool | None = None, *, named: bool = True
) -> pd.DataFrame:
    """The table to choose in: all, none, or (None) everything that has no drawback is chosen."""
    return pd.DataFrame(
        {
            "chosen": pd.Series(
                [not choice.note if chosen is None else chosen for choice in found], dtype=bool
            ),
            "line": [choice.item.line for choice in found],
            "name": [choice.name if named else choice.command[:100].strip() for choice in found],
            "schedule": [choice.schedule for choice in found],
            "words": [in_words(choice.schedule, dialect) for choice in found],
            "command": [choice.command for choice in found],
            "note": [choice.note for choice in found],
        }
    )


def wanted(found: Sequence[Choice], table: pd.DataFrame) -> list[Import]:
    """What was chosen, with the names that were given."""
    rows = zip(found, table["chosen"], table["name"], strict=True)
    return [
        Import(choice.item.line, choice.item.raw, str(name))
        for choice, chosen, name in rows
        if chosen
    ]


def lines(compared: Comparison) -> list[dict[str, Any]]:
    """Every line of the crontab, with what it is."""
    reading = compared.reading
    managed = set(reading.where.values())
    special = dict.fromkeys(reading.unknown, "entry with a tag nobody knows")
    special |= dict.fromkeys(reading.copies, "entry with a copied tag")
    special |= dict.fromkeys(reading.lost.values(), "entry whose tag was removed")
    found = []
    for index, line in enumerate(compared.document.lines):
        match line:
            case Blank():
                kind = "blank"
            case Comment():
                kind = "comment"
            case EnvironmentLine():
                kind = "setting"
            case Invalid():
                kind = f"invalid: {line.reason}"
            case Entry():
                state = "managed" if index in managed else "unmanaged"
                pause = ", paused" if line.paused else ""
                kind = special.get(index, f"{state} entry") + pause
        found.append(
            {"line": index + 1, "kind": kind, "text": visible(line.raw.removesuffix("\n"))}
        )
    return found
