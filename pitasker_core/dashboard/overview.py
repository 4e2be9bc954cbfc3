"""The contents of the overview: entries, hand edits, upcoming runs, outcomes. Pure."""

import heapq
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from pitasker_core.base.text import Code, Text, counted, visible
from pitasker_core.crontab.document import Document, suggest_names
from pitasker_core.crontab.zones import entry_clock
from pitasker_core.dashboard.task_grid import in_words, next_run
from pitasker_core.dashboard.timeline import Planned, row_names
from pitasker_core.sync.merge import Change, ChangeKind, Fields
from pitasker_core.sync.operation_history import Operation
from pitasker_core.sync.service import Comparison
from pitasker_core.tasks import Listing


def entries_table(document: Document, now: datetime, zone: ZoneInfo) -> pd.DataFrame:
    """Return the entries of a crontab before an import, with their next runs."""
    minute = now.replace(second=0, microsecond=0)
    rows = []
    for index, entry in document.entries():
        there = entry_clock(document, index, zone)
        run = None if entry.paused else next_run(entry.schedule, minute, there, document.dialect)
        rows.append(
            {
                "line": index + 1,
                "schedule": entry.schedule,
                "words": in_words(entry.schedule, document.dialect),
                "command": visible(entry.command),
                "next_run": f"{run.astimezone(zone):%a %d %b, %H:%M}" if run else "",
            }
        )
    return pd.DataFrame(rows)


def hand_edit(change: Change, compared: Comparison) -> str:
    """Describe what was edited in an entry outside PiTasker."""
    if change.tag in compared.reading.lost:
        return "its tag was removed"
    if change.theirs is None:
        return "the entry was removed"
    if change.base is None:
        return "the entry came back"
    conflict = ", and changed here too" if change.kind is ChangeKind.CONFLICT else ""
    return Text(*_differences(change.base, change.theirs), conflict)


def _differences(before: Fields, after: Fields) -> list[str]:
    parts: list[str] = []
    for what in ("name", "schedule", "command"):
        old, new = getattr(before, what), getattr(after, what)
        if old != new:
            # A schedule is short, so it is shown whole.
            removed, added = (old, new) if what == "schedule" else changed_words(old, new)
            comma = ", " if parts else ""
            parts += [f"{comma}{what} ", Code(visible(removed)), " → ", Code(visible(added))]
    comma = ", " if parts else ""
    if before.paused != after.paused:
        parts.append(f"{comma}{'paused' if after.paused else 'resumed'}")
    elif before.recording != after.recording:
        parts.append(f"{comma}runs {after.recording}")
    return parts


def changed_words(before: str, after: str) -> tuple[str, str]:
    """Return the differing words of two texts, with the word before them as context."""
    old, new = before.split(), after.split()
    start = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), None)
    start = min(len(old), len(new)) if start is None else start
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    first = max(start - 1, 0)
    parts = [" ".join(words[first : len(words) - end]) for words in (old, new)]
    return parts[0] or "nothing", parts[1] or "nothing"


@dataclass(frozen=True)
class Upcoming:
    """The next run of an entry of the crontab. `task` is None for an unmanaged entry."""

    at: datetime
    name: str
    task: int | None


def upcoming(listing: Listing, now: datetime, zone: ZoneInfo, count: int) -> list[Upcoming]:
    """Return the next runs of all entries in the present crontab, soonest first."""
    compared = listing.comparison
    minute = now.replace(second=0, microsecond=0)
    runs: list[Upcoming] = []
    if compared is None:
        for task in listing.tasks:
            schedule = listing.cron_schedule(task)
            run = next_run(schedule, minute, zone, listing.dialect) if schedule else None
            if run:
                runs.append(Upcoming(run, task.name, task.id))
        return heapq.nsmallest(count, runs, key=lambda run: run.at)
    owners = {
        index: compared.tasks_by_tag[tag]
        for tag, index in compared.reading.entries.items()
        if tag in compared.tasks_by_tag
    }
    entries = dict(compared.document.entries())
    names = suggest_names(compared.document, entries.keys() - owners.keys())
    for index, entry in entries.items():
        there = entry_clock(compared.document, index, zone)
        run = None if entry.paused else next_run(entry.schedule, minute, there, listing.dialect)
        if run is None:
            continue
        owner = owners.get(index)
        name = owner.fields.name if owner else names[index]
        runs.append(Upcoming(run.astimezone(zone), name, owner.task if owner else None))
    return heapq.nsmallest(count, runs, key=lambda run: run.at)


def schedules_in_force(listing: Listing, machine: ZoneInfo) -> dict[int, Planned]:
    """Return the schedules of managed tasks in the present crontab, by task id."""
    names = row_names({task.id: task.name for task in listing.tasks})
    return {
        task.id: Planned(names[task.id], schedule, listing.cron_clock(task, machine))
        for task in listing.tasks
        if (schedule := listing.cron_schedule(task))
    }


def outcome(operation: Operation) -> str:
    """Describe what an operation did."""
    if operation.pushed or operation.pulled:
        written = f"{counted(operation.pushed, 'change')} written to the crontab"
        parts = [f"{written}, {operation.pulled} imported from it"]
    else:
        parts = []
    if operation.conflicts:
        parts.append(counted(operation.conflicts, "conflict"))
    if operation.failed:
        parts.append(f"{operation.failed} failed")
    if not parts and operation.after is not None and operation.after != operation.before:
        parts.append("the text was changed")
    return ", ".join(parts) or "no change"
