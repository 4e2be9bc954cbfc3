"""The facts about a task, its entry and the machine, and their direct consequences. Pure.

`gathering.py` gathers them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from pitasker_core.crontab import environment_lines
from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.calendar import Clock, last_run, next_runs
from pitasker_core.crontab.doctor.examination import make_subject
from pitasker_core.crontab.doctor.facts import NOTHING_KNOWN, FileFacts, MachineFacts
from pitasker_core.crontab.doctor.subject import Subject
from pitasker_core.crontab.document import Document, Entry, parse_line
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.crontab.zones import cron_clock
from pitasker_core.runs.history import Run
from pitasker_core.runs.model import RunSource
from pitasker_core.runs.why.answer import Result
from pitasker_core.tasks import Task

LATE = timedelta(minutes=2)
"""How long after its time a start may appear in cron's log, because cron may be catching up."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system that the job uses. `name` is its mount point."""

    name: str
    free_bytes: int
    free_files: int
    read_only: bool


@dataclass(frozen=True, slots=True)
class Spooled:
    """The crontab's file in the spool folder of cron."""

    path: str
    mode: int
    owner: str
    is_link: bool
    links: int


@dataclass(frozen=True)
class Facts:
    """The facts about a task and what it needs. None means unknown."""

    task: Task
    user: str
    now: datetime
    zone: ZoneInfo
    """The machine's zone, in which cron reads schedules."""
    document: Document | None
    """The installed crontab; None if it cannot be read."""
    unreadable: str = ""
    """Why the crontab cannot be read."""
    is_demo: bool = False
    cron_alive: bool | None = True
    may_use_crontab: bool | None = True
    """According to /etc/cron.allow and /etc/cron.deny."""
    spooled: Spooled | None = None
    account_problem: str | None = ""
    """Why the account cannot be used; empty if it can."""
    clock_synchronised: bool | None = True
    booted_at: datetime | None = None
    last_start: Run | None = None
    """The last run that cron started, or PiTasker to catch up."""
    by_hand: Run | None = None
    """The last run that a person started."""
    running: Run | None = None
    """The newest run that is still running, by cron or by hand."""
    missed: Run | None = None
    """The last times at which it should have run and did not."""
    logged_start: datetime | None = None
    """The last start of its entry in cron's log."""
    log_is_seen: bool = False
    """Whether cron's log was read since the task was due: a start would have been found."""
    log_problem: str = ""
    """Why cron's log cannot be read, and what to do about it."""
    log_advice: str = ""
    complaint: tuple[datetime, str] | None = None
    """The last thing that cron logged since then of what kept it from this user's jobs."""
    recorder: FileFacts | None = None
    """The recorder that the entry's command is given to."""
    disks: tuple[Disk, ...] = ()
    machine: MachineFacts = NOTHING_KNOWN
    """What the rules of the doctor need to know about the command's programs and files."""

    @cached_property
    def index(self) -> int | None:
        """The index of the task's entry in the crontab."""
        if self.document is None or self.task.tag is None:
            return None
        return next(iter(self.document.by_tag.get(self.task.tag, [])), None)

    @cached_property
    def entry(self) -> Entry | None:
        """The task's entry, which cron follows, not the task."""
        index = self.index
        return None if index is None or self.document is None else self.document.entry(index)

    @cached_property
    def subject(self) -> Subject | None:
        """The command as the rules of the doctor see it; None for one that no crontab can hold."""
        entry = self.entry or drafted_entry(self.task, self.dialect)
        if entry is None:
            return None
        settings = self.document.environment(self.index) if self.document else {}
        return make_subject(entry, settings, self.machine, self.dialect)

    @property
    def folder(self) -> str | None:
        """The folder in which the program starts; None when it is not known."""
        if self.subject is None:
            return None
        folders = self.subject.calls.folders
        return folders[0].path if folders else self.subject.variables.get("HOME")

    def file(self, path: str | None) -> FileFacts | None:
        """What is known of the file at a path."""
        return self.machine.files.get(path) if path else None

    @property
    def dialect(self) -> Dialect:
        """The dialect of this machine's cron."""
        return self.document.dialect if self.document else Dialect.DEBIAN

    @property
    def unit(self) -> str:
        """The name of cron's systemd unit."""
        return "crond" if self.dialect is Dialect.CRONIE else "cron"

    @cached_property
    def meaning(self) -> schedules.Schedule | None:
        """The schedule that cron follows; None if the task's schedule is invalid."""
        if self.entry:
            return self.entry.meaning
        try:
            return schedules.parse(self.task.schedule, self.dialect)
        except schedules.InvalidSchedule:
            return None

    @cached_property
    def cron_clock(self) -> Clock:
        """The clock by which cron reads the schedule."""
        return cron_clock(self.zone_settings, self.dialect, self.zone)

    @cached_property
    def zone_settings(self) -> dict[str, str]:
        """The environment lines with a time zone that apply to the entry."""
        if self.document is None or self.index is None:
            return {}
        reaching = environment_lines.lines_for(self.document, self.index)
        return {s.name: s.value for _, s in reaching if s.name in ("TZ", "CRON_TZ")}

    @property
    def changed_at(self) -> datetime:
        """When the task's definition last changed. Earlier times do not count."""
        return max(self.task.created_at, self.task.definition_changed_at)

    @cached_property
    def due(self) -> datetime | None:
        """When the task, as it is now, was last due; None if it was never due.

        Prefers the last time whose start must be in cron's log by now.
        """
        meaning = self.meaning
        if meaning is None:
            return None
        if meaning.reboot:
            times = [self.booted_at]
        else:
            ends = (self.now - LATE, self.now)
            times = [last_run(meaning, end, self.cron_clock) for end in ends]
        # In UTC, because times in a zone compare wrongly in the hour that is repeated in autumn.
        due = next((due for due in times if due and due > self.changed_at), None)
        return due.astimezone(UTC) if due else None

    @cached_property
    def next(self) -> datetime | None:
        """The next run."""
        meaning = self.meaning
        runs = next_runs(meaning, self.now, self.cron_clock, 1) if meaning else []
        return runs[0] if runs else None

    @cached_property
    def ran(self) -> Run | None:
        """The run of the last time that the task was due, if it is known."""
        run = self.last_start
        return run if run and self._answers(run.started_at) else None

    @property
    def newer_by_hand(self) -> Run | None:
        """The last run by hand, if it is newer than cron's and than the last change."""
        run, last = self.by_hand, self.last_start
        if run is None or run.started_at < self.changed_at:
            return None
        return run if last is None or last.started_at < run.started_at else None

    @property
    def caught_up(self) -> bool:
        """Whether that run was missed and caught up."""
        return self.ran is not None and self.ran.source == RunSource.CAUGHT_UP

    @property
    def ran_before_change(self) -> Run | None:
        """The last run, if the task was changed since then and was not due yet."""
        return self.last_start if self.due is None and self.ran is None else None

    @cached_property
    def started_at(self) -> datetime | None:
        """The start of the last time that it was due; None if unknown."""
        if self.ran:
            return self.ran.started_at
        return self.logged_start if self.logged_start and self._answers(self.logged_start) else None

    def _answers(self, start: datetime) -> bool:
        """Whether a start belongs to the last time that it was due, or a later one."""
        return start >= (self.due - timedelta(minutes=1) if self.due else self.changed_at)

    def local(self, moment: datetime) -> datetime:
        """A moment in the machine's zone."""
        return moment.astimezone(self.zone)

    def time(self, moment: datetime) -> str:
        """A moment in the machine's zone, with its day unless it is today."""
        local = self.local(moment)
        return f"{local:%H:%M}" if self._is_today(local) else f"{local:%a %d %b, %H:%M}"

    def when(self, moment: datetime) -> str:
        """The same as an adverbial: "at 02:00", "on Mon 02 Feb at 02:00"."""
        local = self.local(moment)
        return f"at {local:%H:%M}" if self._is_today(local) else f"on {local:%a %d %b at %H:%M}"

    def _is_today(self, local: datetime) -> bool:
        return local.date() == self.local(self.now).date()


Checks = Mapping[str, Callable[[Facts], Result | None]]
"""Checks by their names. None is no result: the check does not matter here."""


def drafted_entry(task: Task, dialect: Dialect) -> Entry | None:
    """The entry that a task would have; None when no crontab can hold its command."""
    for schedule in (task.schedule, "@daily"):
        line = parse_line(f"{schedule} {task.command}\n", dialect)
        if isinstance(line, Entry) and line.command == task.command:
            return line
    return None
