"""The table of tasks: its filters, rows and cells. Pure."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from pitasker_core.base import clock
from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.calendar import Clock, next_runs
from pitasker_core.crontab.schedule import Dialect, InvalidSchedule
from pitasker_core.dashboard.cells import NUMBERS, TEXTS, sentence
from pitasker_core.dashboard.staging import FIELDS, Staging, cell
from pitasker_core.dashboard.states import RUN, Badge, sync_chip
from pitasker_core.dashboard.times import ago
from pitasker_core.runs.model import RunState
from pitasker_core.runs.spans import Recent
from pitasker_core.sync.merge import ChangeKind
from pitasker_core.tasks import Listing, State, Task

SOURCES = {"pitasker": "PiTasker", "crontab": "crontab", "imported": "imported"}

NEVER_RAN = "never ran"

HISTORY = 20
"""The number of runs in the history of a task."""

WHY = "Why didn't it run?"

TRY = "What would cron run?"

OPEN, RUN_NOW, RUNS, DUPLICATE, DELETE = "Open", "Run now", "Runs", "Duplicate", "Delete"
TEMPLATE = "Save as template"

MENU = [OPEN, RUN_NOW, RUNS, WHY, TRY, DUPLICATE, TEMPLATE, DELETE]
LOOKING = [OPEN, RUNS, WHY, TRY]
"""The part of the menu for read-only sessions."""

_WAITING = (State.PENDING, State.FAILED, State.CONFLICT)

_RESULTS = frozenset(RunState) - {RunState.STARTED}

FILTERS: dict[str, Callable[[Task, State], bool]] = {
    "All": lambda task, state: True,
    "Failing": lambda task, state: (
        task.status in (RunState.FAILED, RunState.MISSED) and not task.paused
    ),
    "Needs sync": lambda task, state: state in _WAITING,
    "Paused": lambda task, state: task.paused,
    "Database only": lambda task, state: not task.system_managed,
}


@dataclass(frozen=True)
class Shown:
    """The data of the table."""

    listing: Listing
    staging: Staging
    recent: Mapping[int, Recent]
    now: datetime
    zone: ZoneInfo

    def chip(self, task: Task) -> str:
        """Return the task's sync state in words."""
        return sync_chip(
            self.listing.states[task.id],
            paused=task.paused,
            edited=task.id in self.staging,
            pulled=self._is_pulled(task),
        )

    def _is_pulled(self, task: Task) -> bool:
        compared = self.listing.comparison
        change = compared.task_changes.get(task.id) if compared else None
        return change is not None and change.kind is ChangeKind.PULL

    def result(self, task: Task) -> Badge:
        """Return the result of the last run. Only the start of an unrecorded run is known."""
        if task.status in _RESULTS:
            return RUN[task.status]
        return RUN[RunState.STARTED] if task.last_run else (NEVER_RAN, "gray", "")

    def detail(self, task: Task) -> str:
        """Return why a task is not in sync, or until when it is paused."""
        if self.listing.details[task.id]:
            return self.listing.details[task.id]
        if task.paused and task.paused_until:
            return f"until {task.paused_until.astimezone(self.zone):%a %d %b, %H:%M}"
        return ""

    def words(self, task: Task) -> str:
        """Return the schedule in words, including an edit that is not applied yet."""
        return in_words(self.value(task, "schedule"), self.listing.dialect)

    def value(self, task: Task, column: str) -> Any:
        """Return a cell's value, including an edit that is not applied yet."""
        staged = self.staging.get(task.id, {}).get(column)
        value: Any = staged.after if staged else cell(task, column)
        return value

    def text(self, task: Task) -> str:
        """Return all texts of the row, for the search."""
        parts = [
            *(self.value(task, column) for column in ("name", "schedule", "command")),
            self.words(task),
            self.chip(task),
            self.result(task)[0],
            self.detail(task),
            SOURCES.get(task.source, task.source),
            *task.labels,
        ]
        return " ".join(parts).casefold()


def rows(
    shown: Shown, words: str = "", kind: str = "All", only: Collection[int] = ()
) -> list[Task]:
    """Return the tasks of a filter whose rows contain all words, sorted by name.

    `only` limits the tasks to these ids, if it is not empty.
    """
    terms = words.casefold().split()
    listing, fits = shown.listing, FILTERS[kind]
    matching = [
        task
        for task in listing.tasks
        if fits(task, listing.states[task.id])
        and (not only or task.id in only)
        and (not terms or all(term in shown.text(task) for term in terms))
    ]
    return sorted(matching, key=lambda task: (task.name.casefold(), task.id))


def counts(listing: Listing) -> dict[str, int]:
    """Return the number of tasks of each filter."""
    return {
        kind: sum(fits(task, listing.states[task.id]) for task in listing.tasks)
        for kind, fits in FILTERS.items()
    }


def frame(tasks: Sequence[Task], shown: Shown, menu: Sequence[str] = MENU) -> pd.DataFrame:
    """Return the table's rows, including edits. Next runs are in the machine's zone.

    No row is selected. The index has the tasks' ids, by which the table recognises moved rows.
    The types of the columns do not depend on the tasks.
    """
    ids = pd.Index([task.id for task in tasks], dtype="int64")
    columns: dict[str, object] = {
        "chosen": [False for _ in tasks],
        **{column: [shown.value(task, column) for task in tasks] for column in FIELDS},
        "sync": [[shown.chip(task)] for task in tasks],
        "detail": [sentence(shown.detail(task)) for task in tasks],
        "words": [shown.words(task) for task in tasks],
        "next_run": pd.array(
            [_next_run(task, shown) for task in tasks],
            dtype=pd.DatetimeTZDtype("ns", shown.zone),
        ),
        "result": [[shown.result(task)[0]] for task in tasks],
        "last_run": [ago(task.last_run, shown.now) if task.last_run else "" for task in tasks],
        "history": pd.Series(
            [bars(shown.recent.get(task.id)) for task in tasks], ids, dtype=NUMBERS
        ),
        "labels": pd.Series([list(task.labels) for task in tasks], ids, dtype=TEXTS),
        "source": [SOURCES.get(task.source, task.source) for task in tasks],
        "number": ids,
        "menu": [list(menu) for _ in tasks],
    }
    table = pd.DataFrame(columns, index=ids)
    booleans = ["chosen", "on", "in_crontab"]
    return table.astype({**dict.fromkeys(booleans, bool), "name": object, "command": object})


def _next_run(task: Task, shown: Shown) -> datetime | None:
    # Cron runs what is in the crontab. Only an edit in this table is shown before it is applied.
    listing = shown.listing
    staged = task.id in shown.staging and task.system_managed
    schedule = shown.value(task, "schedule") if staged else listing.cron_schedule(task)
    if not schedule or task.paused:
        return None
    minute = shown.now.replace(second=0, microsecond=0)
    return next_run(schedule, minute, listing.cron_clock(task, shown.zone), listing.dialect)


def bars(recent: Recent | None) -> list[float]:
    """Return the seconds of the newest runs. A run of unknown duration gets a low bar."""
    if recent is None:
        return []
    low = 0.1 * max((seconds for seconds in recent.seconds if seconds), default=1.0)
    return [seconds or low for seconds in recent.seconds]


def runs_of(task: Task, listing: Listing, count: int) -> list[datetime]:
    """Return the next runs of a task by its schedule in the crontab."""
    text = listing.cron_schedule(task)
    try:
        schedule = schedules.parse(text or "", listing.dialect)
    except InvalidSchedule:
        return []
    read_by = listing.cron_clock(task, clock.system_zone())
    return next_runs(schedule, clock.now(), read_by, count)


@lru_cache(maxsize=4096)
def in_words(schedule: str, dialect: Dialect) -> str:
    """Return a schedule in words, or "" for an invalid schedule."""
    try:
        return schedules.describe(schedules.parse(schedule, dialect))
    except InvalidSchedule:
        return ""


_NEXT: dict[tuple[str, Clock, Dialect], tuple[datetime, datetime | None]] = {}
"""Results of `next_run`, with the time they are for. Computing a thousand takes 0.4 s."""


def next_run(schedule: str, after: datetime, clock: Clock, dialect: Dialect) -> datetime | None:
    """Return the next run of a schedule. None for never, `@reboot` or an invalid schedule."""
    key = (schedule, clock, dialect)
    if key in _NEXT:
        earlier, run = _NEXT[key]
        # The first run after an earlier time is still the next run until it comes.
        if earlier <= after and (run is None or after < run):
            return run
    try:
        runs = next_runs(schedules.parse(schedule, dialect), after, clock, 1)
    except InvalidSchedule:
        runs = []
    if len(_NEXT) > 10_000:
        _NEXT.clear()
    _NEXT[key] = (after, runs[0] if runs else None)
    return _NEXT[key][1]
