"""What the home page says at a glance. Pure."""

import heapq
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from pitasker_core.base.text import visible
from pitasker_core.crontab.document import Document
from pitasker_core.dashboard.task_grid import in_words, next_run
from pitasker_core.sync.merge import Change, Fields, Kind
from pitasker_core.sync.operation_history import Operation
from pitasker_core.sync.service import Comparison
from pitasker_core.tasks import Listing, Task


def found_entries(document: Document, now: datetime, zone: ZoneInfo) -> pd.DataFrame:
    """The entries of a crontab that nobody has imported yet, as they stand."""
    minute = now.replace(second=0, microsecond=0)
    found = []
    for index, entry in document.entries():
        run = None if entry.paused else next_run(entry.schedule, minute, zone, document.dialect)
        found.append(
            {
                "line": index + 1,
                "schedule": entry.schedule,
                "words": in_words(entry.schedule, document.dialect),
                "command": visible(entry.command),
                "next_run": f"{run:%a %d %b, %H:%M}" if run else "",
            }
        )
    return pd.DataFrame(found)


def hand_edits(compared: Comparison) -> list[str]:
    """What was changed in the crontab by hand since the last sync, in a sentence each."""
    return [
        _told(change, compared)
        for change in compared.plan.changes
        if change.tag in compared.known
        and change.kind in (Kind.PULL, Kind.CONFLICT)
        and change.theirs != change.base
    ]


def _told(change: Change, compared: Comparison) -> str:
    name = compared.known[change.tag].fields.name
    if change.tag in compared.reading.lost:
        return f"{name}: its tag was removed"
    if change.theirs is None:
        return f"{name}: the entry was removed"
    if change.base is None:
        return f"{name}: the entry came back"
    parts = _differences(change.base, change.theirs)
    conflict = ", and changed here too" if change.kind is Kind.CONFLICT else ""
    return f"{name}: {', '.join(parts)}{conflict}"


def _differences(before: Fields, after: Fields) -> list[str]:
    parts = []
    for what in ("name", "schedule", "command"):
        old, new = getattr(before, what), getattr(after, what)
        if old != new:
            parts.append(f"{what} {visible(old)} → {visible(new)}")
    if before.paused != after.paused:
        parts.append("paused" if after.paused else "resumed")
    if before.recording != after.recording:
        parts.append(f"runs {after.recording}")
    return parts


def next_runs(
    listing: Listing, now: datetime, zone: ZoneInfo, count: int
) -> list[tuple[datetime, Task]]:
    """The first runs to come, by what the crontab says now, soonest first."""
    minute = now.replace(second=0, microsecond=0)
    runs = [
        (run, task)
        for task in listing.tasks
        if (schedule := listing.cron_schedule(task))
        and (run := next_run(schedule, minute, zone, listing.dialect))
    ]
    return heapq.nsmallest(count, runs, key=lambda pair: pair[0])


def outcome(operation: Operation) -> str:
    """What an operation did, in a few words."""
    parts = [
        f"{count} {what}"
        for count, what in (
            (operation.pushed, "to the crontab"),
            (operation.pulled, "from it"),
            (operation.conflicts, "in conflict"),
            (operation.failed, "failed"),
        )
        if count
    ]
    if not parts and operation.after is not None and operation.after != operation.before:
        parts.append("the text was changed")
    return ", ".join(parts) or "the crontab is as it was"
