"""Find missed runs as time goes on, notify about each once, and catch up if a task asks for it.

This runs in the process that does the background work.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from pitasker_core import database, tasks
from pitasker_core.base import clock, cron_daemon
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.crontab.calendar import next_runs
from pitasker_core.runs import machine, manual, spool
from pitasker_core.runs.cron_log.log_lines import JUMP
from pitasker_core.runs.cron_log.log_source import Unreadable
from pitasker_core.runs.cron_log.observed import Seen
from pitasker_core.runs.machine import Moment
from pitasker_core.runs.missed import catch_up, definitions, detection, rows
from pitasker_core.runs.missed.definitions import Definition, Observation, Span
from pitasker_core.runs.missed.detection import (
    EARLY,
    LATE,
    ON_TIME,
    REACH,
    Cause,
    Gap,
    Stretch,
    Verdict,
)
from pitasker_core.runs.missed.rows import Judged
from pitasker_core.runs.missed.this_boot import ThisBoot, find_this_boot
from pitasker_core.sync import install, service, store

MARGIN = timedelta(minutes=2)
"""Younger times are not judged, because their starts may not have arrived yet."""

CATCH_UP_AFTER = timedelta(minutes=2)
"""After a boot, the time before the first missed run is caught up. Then one a minute, to spare a
small machine."""

_REMEMBERED = timedelta(hours=1)
"""The longest period that is judged again after a restart of PiTasker."""


@dataclass(frozen=True)
class _Round:
    """One round of judging."""

    session: Session
    crontab_row: int
    seen: Seen | Unreadable
    until: datetime
    """Later times are not judged: their starts may not have arrived yet."""


@dataclass
class _Due:
    """How far a task has been judged, and when it is due next."""

    since: datetime
    span: Span | None = None
    """Its current definition; None if the crontab has no active entry for it."""
    following: datetime | None = None
    earlier: list[Span] = field(default_factory=list)
    """Ended spans that are not completely judged."""
    waits: bool = False
    """Whether an earlier time could not be judged yet."""

    @property
    def judged(self) -> datetime | None:
        """The time up to which everything is judged; None if nothing waits."""
        starts = [span.start for span in self.earlier]
        return min([*starts, *([self.since] if self.waits else [])], default=None)


class Watch:
    """Finds missed runs; one per process. Tests pass their own clock as `look`."""

    def __init__(self, environment: Environment, look: Callable[[], Moment] = machine.look) -> None:
        self._environment = environment
        self._look = look
        self._sign = machine.last_sign(environment)
        self._moment: Moment | None = None
        self._set_or_slept: list[Stretch] = []
        self._boot: ThisBoot | None = None
        self._mark: datetime | None = None
        self._kept: datetime | None = None
        self._due: dict[int, _Due] = {}
        self._snapshot: tuple[int, str] | None = None
        self._observations: list[Observation] = []
        self._edits: list[datetime] | None = None
        self._caught_up: set[int] = set()
        self._is_caught_up = False

    def judge(self, seen: Seen | Unreadable) -> None:
        """Judge the times that have become due. Writes only if runs were missed, or hourly.

        Raises DatabaseError, and ExecutionError if a missed run cannot be started.
        """
        moment = self._look()
        self._compare_clocks(moment)
        if self._environment.demo or not moment.is_trusted:
            return
        try:
            self._judge(moment, seen)
        except BaseException:
            # The transaction was rolled back, so forget its results. They would hide misses.
            self._boot = self._mark = self._kept = self._snapshot = None
            self._due = {}
            raise
        machine.say_alive(self._environment, moment.now)
        if moment.uptime >= CATCH_UP_AFTER:
            self._catch_up()

    def stop(self) -> None:
        """Record that PiTasker stops, so that it cannot know whether the machine stays on."""
        machine.say_stopped(self._environment)

    def _judge(self, moment: Moment, seen: Seen | Unreadable) -> None:
        until = moment.now - MARGIN
        if isinstance(seen, Seen):
            until = min(until, seen.until - EARLY)
        with database.session(self._environment) as session:
            crontab_row = store.own_crontab(session)
            present = _Round(session, crontab_row, seen, until)
            if self._boot is None:
                self._mark = self._kept = rows.mark(session, crontab_row)
                self._boot = find_this_boot(session, crontab_row, moment, seen, self._sign)
            mark = max(self._mark or moment.now, moment.now - REACH)
            due = list(self._due_tasks(present, mark))
            if due and not self._is_installed():
                return  # a sync must first read the current crontab
            has_notices = self._judge_all(present, due)
            waits = [at for state in self._due.values() if (at := state.judged)]
            self._mark = max(mark, min([until, *waits]))
            if has_notices or self._kept is None or self._mark - self._kept > _REMEMBERED:
                rows.keep_mark(session, crontab_row, self._mark)
                self._kept = self._mark

    def _compare_clocks(self, moment: Moment) -> None:
        """Detect that the machine slept or that its clock was set since the last call."""
        before, self._moment = self._moment, moment
        if before is None:
            return
        passed = moment.uptime - before.uptime
        asleep = passed - (moment.awake - before.awake)
        first, last = sorted((before.now, moment.now))
        if abs(moment.now - before.now - passed) > JUMP:
            stretch = Stretch(first - MARGIN, last + ON_TIME, Cause.UNSEEN)
            if self._mark is not None:
                # After a restart, PiTasker must not judge that time again.
                self._mark, self._kept = max(self._mark, stretch.end), None
        elif asleep > JUMP:
            stretch = Stretch(first, last, Cause.ASLEEP)
        else:
            return
        self._set_or_slept = [*self._set_or_slept[-20:], stretch]

    def _due_tasks(self, present: _Round, mark: datetime) -> Iterator[Judged]:
        """The tasks with start times that have become due."""
        changed = self._observe(present, mark)
        until = present.until
        by_id = {task.id: task for task in rows.tasks(present.session, present.crontab_row)}
        self._due = {number: due for number, due in self._due.items() if number in by_id}
        for task in by_id.values():
            due = self._due.get(task.id)
            if due is None or changed:
                due = self._due[task.id] = self._redefined(task, due or _Due(mark))
            is_ripe = due.earlier and _is_ripe(due.earlier[0], until)
            if is_ripe or (due.following and due.following <= until):
                yield task

    def _observe(self, present: _Round, mark: datetime) -> bool:
        """Load the crontab's contents since the mark. True if they changed since the last call."""
        session, crontab_row, seen = present.session, present.crontab_row, present.seen
        snapshot = rows.newest_snapshot(session, crontab_row)
        if snapshot == self._snapshot:
            return False
        self._snapshot = snapshot
        dialect = service.program(self._environment).dialect
        self._observations = rows.observations(session, crontab_row, mark, dialect)
        self._edits = None
        if isinstance(seen, Seen) and seen.since <= mark:
            is_whole = all(end <= mark for _, end in seen.holes)
            self._edits = rows.edits(session, mark) if is_whole else None
        return True

    def _redefined(self, task: Judged, due: _Due) -> _Due:
        """The state of a task after the crontab's contents changed."""
        spans = [
            replace(span, start=max(span.start, due.since))
            for span in definitions.spans(self._observations, self._edits, task.tag)
            if span.end is None or span.end > due.since
        ]
        ended = [span for span in spans if span.end]
        last = spans[-1] if spans and spans[-1].end is None else None
        if last and due.span and last.definition == due.span.definition and not ended:
            return due
        since = last.start if last else due.since
        following = self._following(last.definition, since) if last else None
        return _Due(since, last, following, [*due.earlier, *ended])

    def _is_installed(self) -> bool:
        """Whether the crontab equals the newest snapshot."""
        try:
            text = service.program(self._environment).read()
        except PiTaskerError:
            return False
        return self._snapshot is not None and self._snapshot[1] == install.digest(text)

    def _following(self, definition: Definition, since: datetime) -> datetime | None:
        schedule = definition.schedule
        if schedule.reboot:
            assert self._boot is not None  # noqa: S101 - judging has begun
            return self._boot.at if since < self._boot.at else None
        read_by = definition.clock(clock.system_zone())
        return next(iter(next_runs(schedule, since, read_by, 1)), None)

    def _judge_all(self, present: _Round, due: Sequence[Judged]) -> bool:
        """Judge these tasks and record their gaps. True if there were any."""
        news: dict[str, dict[int, tuple[Judged, int]]] = {}
        wrote = False
        # In the order of ids, in which a sync also locks tasks.
        for task in sorted(due, key=lambda task: task.id):
            for gap, run in self._judge_task(present, task):
                wrote = True
                if run is not None:
                    news.setdefault(gap.note, {})[task.id] = (task, run)
        for note, missed_tasks in news.items():
            in_order = [missed_tasks[task.id] for task in due if task.id in missed_tasks]
            rows.add_notice(present.session, present.crontab_row, note, in_order)
        return wrote

    def _judge_task(self, present: _Round, task: Judged) -> Iterator[tuple[Gap, int | None]]:
        """Judge one task. Yields each gap with the id of its new run, if any."""
        due, until = self._due[task.id], present.until
        while due.earlier and _is_ripe(due.earlier[0], until):
            span = due.earlier.pop(0)
            verdict, starts = self._verdict(present, task, span)
            yield from _write(present, task, verdict, starts)
        if due.span is None or due.following is None or due.following > until:
            return
        span = replace(due.span, start=due.since)
        verdict, starts = self._verdict(present, task, span)
        yield from _write(present, task, verdict, starts)
        due.waits = bool(verdict.waiting)
        if verdict.waiting:
            due.since, due.following = verdict.waiting[0] - EARLY, verdict.waiting[0]
        else:
            due.since, due.following = until, self._following(due.span.definition, until)

    def _verdict(self, present: _Round, task: Judged, span: Span) -> tuple[Verdict, list[datetime]]:
        """The verdict on the times of a span, and the actual starts."""
        until = present.until
        times, starts = self._facts(present, task, span)
        stretches = self._stretches(span.definition, present.seen)
        if span.definition.recorded:
            holes = spool.holes(present.session, present.crontab_row)
            stretches += [Stretch(a, b, Cause.UNSEEN) for a, b in holes]
        verdict = detection.judge(times, starts, stretches, until, span.end)
        if verdict.waiting and cron_daemon.is_alive() is False:
            stretches.append(Stretch(verdict.waiting[0], until, Cause.CRON_DOWN))
            verdict = detection.judge(times, starts, stretches, until, span.end)
        return verdict, starts

    def _facts(
        self, present: _Round, task: Judged, span: Span
    ) -> tuple[list[datetime], list[datetime]]:
        """The expected times that are not recorded as missed yet, and the actual starts."""
        session, until = present.session, present.until
        boot, schedule = self._boot, span.definition.schedule
        if schedule.reboot and boot:
            # By the clock of that time, which may have been wrong.
            started = bool(rows.starts(session, task.id, boot.since))
            times, starts = [boot.at], [boot.at] if started else []
        else:
            end = min(until, span.end or until)
            read_by = span.definition.clock(clock.system_zone())
            times = detection.expected(schedule, span.start, end, read_by)
            starts = rows.starts(session, task.id, span.start - EARLY)
            if span.end:
                starts = [start for start in starts if start < span.end + ON_TIME]
        recorded = rows.recorded_misses(session, task.id, span.start - JUMP)
        return [at for at in times if not any(a <= at <= b for a, b in recorded)], starts

    def _stretches(self, definition: Definition, seen: Seen | Unreadable) -> list[Stretch]:
        """The stretches that can explain a miss, most certain first."""
        assert self._boot is not None  # noqa: S101 - judging has begun
        reboot, recorded = definition.schedule.reboot, definition.recorded
        stretches = [] if reboot else [*self._boot.offs, *self._set_or_slept]
        long_ago = self._boot.at - 10 * REACH
        if isinstance(seen, Seen):
            if not recorded:
                unseen = max(seen.since, self._boot.covered or seen.since)
                stretches.append(Stretch(long_ago, unseen, Cause.UNSEEN))
                stretches += [Stretch(a, b, Cause.UNSEEN) for a, b in seen.holes]
            if not reboot:
                stretches += [Stretch(a, b, Cause.UNSEEN) for a, b in seen.jumps]
            stretches += [Stretch(a, b, Cause.CRON_DOWN) for a, b in seen.ups]
        elif not recorded:
            stretches.append(Stretch(long_ago, clock.now() + 10 * REACH, Cause.UNSEEN))
        return stretches

    def _catch_up(self) -> None:
        """Start one run that was missed while the machine was off, if a task asks for it."""
        off = self._boot.off if self._boot else None
        if off is None or self._is_caught_up:
            return
        note = detection.in_words(off, clock.system_zone())
        missed = catch_up.due_to_catch_up(self._environment, note)
        waiting = [task.task for task in missed if task.task not in self._caught_up]
        self._is_caught_up = not waiting
        if waiting:
            self._caught_up.add(waiting[0])
            task = tasks.get(self._environment, waiting[0])
            manual.start(self._environment, Actor.CATCH_UP, task, by="catchup")


def _write(
    present: _Round, task: Judged, verdict: Verdict, starts: Sequence[datetime]
) -> Iterator[tuple[Gap, int | None]]:
    """Write a verdict. Yields each gap with the id of its new run, if any."""
    for at, start in verdict.late:
        rows.note_late_start(present.session, task.id, at, start)
    for gap in detection.gaps(verdict.missed, starts, clock.system_zone()):
        yield gap, rows.write(present.session, present.crontab_row, task.id, gap)


def _is_ripe(span: Span, until: datetime) -> bool:
    """Whether an ended span can have no more late starts."""
    return span.end is not None and until >= span.end + LATE
