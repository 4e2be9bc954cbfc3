"""Looks again and again, as time goes on, for runs that were missed, tells of them once, and makes
them up if that is wanted. It lives in the process that does the background work."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from pitasker_core import clock, cron_daemon, database, tasks
from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.schedule import Schedule
from pitasker_core.runs import boots, by_hand, machine, missed, missed_rows, offers, spool
from pitasker_core.runs.boots import Boot
from pitasker_core.runs.cron_lines import JUMP
from pitasker_core.runs.cron_log import Unreadable
from pitasker_core.runs.machine import Moment
from pitasker_core.runs.missed import EARLY, ON_TIME, REACH, Cause, Stretch
from pitasker_core.runs.missed_rows import Judged
from pitasker_core.runs.observed import Seen
from pitasker_core.settings import Settings
from pitasker_core.sync import service, store

MARGIN = timedelta(minutes=2)
"""What is younger is not judged: its start may still be on its way here."""

CATCH_UP_AFTER = timedelta(minutes=2)
"""After a boot, until the first missed run is made up; one a minute, so that a small machine is not
overrun."""

_TAKES_UP = timedelta(minutes=1)
"""cron reads a crontab that was changed at the next minute."""
_REMEMBERED = timedelta(hours=1)
"""How much is judged again, at the most, when PiTasker was started anew."""


@dataclass(frozen=True)
class _ThisBoot:
    at: datetime
    """By the clock as it is now."""
    since: datetime
    """By the clock as it was then, or a little before."""
    offs: list[Stretch]
    off: Stretch | None
    """When the machine was off just before."""
    covered: datetime | None
    """From when on the journal has everything."""


@dataclass
class _Due:
    """How far a task has been judged, and what comes next; anew when `key` is another."""

    key: tuple[str, datetime]
    since: datetime
    following: datetime | None
    waits: bool = False
    """Whether something before `until` could not be judged yet."""


class Watch:
    """Judges again and again as time goes on; one per process. Tests bring their own clocks."""

    def __init__(self, settings: Settings, look: Callable[[], Moment] = machine.look) -> None:
        self._settings = settings
        self._look = look
        self._sign = machine.last_sign(settings)
        self._moment: Moment | None = None
        self._set_or_slept: list[Stretch] = []
        self._boot: _ThisBoot | None = None
        self._mark: datetime | None = None
        self._kept: datetime | None = None
        self._due: dict[int, _Due] = {}
        self._made_up: set[int] = set()
        self._is_made_up = False

    def judge(self, seen: Seen | Unreadable) -> None:
        """Judge what has become due. Writes only when there is something to tell, or hourly.

        Raises DatabaseError, and ExecutionError when a missed run cannot be made up.
        """
        moment = self._look()
        self._compare_clocks(moment)
        if self._settings.demo or not moment.is_trusted:
            return
        try:
            self._judge(moment, seen)
        except BaseException:
            # Nothing of it was written: what was kept of it here would hide it for ever.
            self._boot = self._mark = self._kept = None
            self._due = {}
            raise
        machine.say_alive(self._settings, moment.now)
        if moment.uptime >= CATCH_UP_AFTER:
            self._make_up()

    def stop(self) -> None:
        """PiTasker ends: from now on nobody knows whether the machine is on."""
        machine.say_stopped(self._settings)

    def _judge(self, moment: Moment, seen: Seen | Unreadable) -> None:
        until = moment.now - MARGIN
        if isinstance(seen, Seen):
            until = min(until, seen.until - EARLY)
        with database.session(self._settings) as session:
            crontab = store.own_crontab(session, self._settings)
            if self._boot is None:
                self._begin(session, crontab, moment, seen)
            mark = max(self._mark or moment.now, moment.now - REACH)
            due = list(self._due_tasks(session, crontab, mark, until))
            told = self._judge_all(session, crontab, due, seen, until)
            waits = [one.since for one in self._due.values() if one.waits]
            self._mark = max(mark, min([until, *waits]))
            if told or self._kept is None or self._mark - self._kept > _REMEMBERED:
                missed_rows.keep_mark(session, crontab, self._mark)
                self._kept = self._mark

    def _compare_clocks(self, moment: Moment) -> None:
        """Notice that the machine slept, or that its clock was set, since the last time."""
        before, self._moment = self._moment, moment
        if before is None:
            return
        passed = moment.uptime - before.uptime
        asleep = passed - (moment.awake - before.awake)
        first, last = sorted((before.now, moment.now))
        if abs(moment.now - before.now - passed) > JUMP:
            found = Stretch(first - MARGIN, last + ON_TIME, Cause.UNSEEN)
            if self._mark is not None:
                # A PiTasker that starts anew shall not judge that time again.
                self._mark, self._kept = max(self._mark, found.end), None
        elif asleep > JUMP:
            found = Stretch(first, last, Cause.ASLEEP)
        else:
            return
        self._set_or_slept = [*self._set_or_slept[-20:], found]

    def _begin(
        self, session: Session, crontab: int, moment: Moment, seen: Seen | Unreadable
    ) -> None:
        """Find out how far was judged, and what is known of this boot: it takes a process, once."""
        self._mark = self._kept = missed_rows.mark(session, crontab)
        known: list[Boot] = []
        since = moment.booted_at - ON_TIME
        if isinstance(seen, Seen) and seen.is_journal and (known := machine.boots()):
            since = min(since, known[-1].start)
            known = boots.with_true_starts(known, seen.jumps, moment.booted_at)
        off = boots.offs(
            known,
            moment.booted_at,
            missed_rows.last_sign(session, crontab, moment.booted_at, self._sign),
        )
        this_off = off[-1] if off and abs(off[-1].end - moment.booted_at) < JUMP else None
        if this_off:
            since = min(since, this_off.start)
        covered = known[0].start - ON_TIME if known else None
        self._boot = _ThisBoot(moment.booted_at, since, off, this_off, covered)

    def _due_tasks(
        self, session: Session, crontab: int, mark: datetime, until: datetime
    ) -> Iterator[Judged]:
        """The tasks that should have started since they were judged last."""
        dialect = service.program(self._settings).dialect
        found = {task.id: task for task in missed_rows.tasks(session, crontab, dialect)}
        self._due = {number: due for number, due in self._due.items() if number in found}
        for task in found.values():
            due = self._due.get(task.id)
            if due is None or due.key != task.key:
                since = max(mark, task.changed + _TAKES_UP)
                following = self._following(task.schedule, since)
                due = self._due[task.id] = _Due(task.key, since, following)
            if due.following and due.following <= until:
                yield task

    def _following(self, schedule: Schedule, since: datetime) -> datetime | None:
        if schedule.reboot:
            assert self._boot is not None  # noqa: S101 - judging has begun
            return self._boot.at if since < self._boot.at else None
        return next(iter(schedules.next_runs(schedule, since, clock.system_zone(), 1)), None)

    def _judge_all(
        self,
        session: Session,
        crontab: int,
        due: Sequence[Judged],
        seen: Seen | Unreadable,
        until: datetime,
    ) -> bool:
        """Judge these tasks and write down what was missed; whether anything was."""
        zone = clock.system_zone()
        told: dict[str, list[tuple[Judged, int]]] = {}
        wrote = False
        for task in due:
            place = self._due[task.id]
            times, starts = self._facts(session, task, place.since, until)
            stretches = self._stretches(task, seen)
            if task.recorded:
                gone = spool.holes(session, crontab)
                stretches += [Stretch(a, b, Cause.UNSEEN) for a, b in gone]
            verdict = missed.judge(times, starts, stretches, until)
            if verdict.waiting and cron_daemon.is_alive() is False:
                stretches.append(Stretch(verdict.waiting[0], until, Cause.CRON_DOWN))
                verdict = missed.judge(times, starts, stretches, until)
            for at, start in verdict.late:
                missed_rows.tell_late(session, task.id, at, start)
            for gap in missed.gaps(verdict.missed, starts, zone):
                wrote = True
                if (run := missed_rows.write(session, crontab, task.id, gap)) is not None:
                    told.setdefault(gap.note, []).append((task, run))
            place.waits = bool(verdict.waiting)
            if verdict.waiting:
                place.since, place.following = verdict.waiting[0] - EARLY, verdict.waiting[0]
            else:
                place.since, place.following = until, self._following(task.schedule, until)
        for note, which in told.items():
            missed_rows.tell(session, crontab, note, which)
        return wrote

    def _facts(
        self, session: Session, task: Judged, since: datetime, until: datetime
    ) -> tuple[list[datetime], list[datetime]]:
        """When a task should have started, as far as that is not judged yet, and when it did."""
        boot = self._boot
        if task.schedule.reboot and boot:
            # By the clock of that time, which may have been a wrong one.
            started = bool(missed_rows.starts(session, task.id, boot.since))
            times, starts = [boot.at], [boot.at] if started else []
        else:
            times = missed.expected(task.schedule, since, until, clock.system_zone())
            starts = missed_rows.starts(session, task.id, since - EARLY)
        known = missed_rows.known(session, task.id, since - JUMP)
        return [at for at in times if not any(a <= at <= b for a, b in known)], starts

    def _stretches(self, task: Judged, seen: Seen | Unreadable) -> list[Stretch]:
        """What may explain a miss of a task, what is surest first."""
        assert self._boot is not None  # noqa: S101 - judging has begun
        found = [] if task.schedule.reboot else [*self._boot.offs, *self._set_or_slept]
        long_ago = self._boot.at - 10 * REACH
        if isinstance(seen, Seen):
            if not task.recorded:
                unseen = max(seen.since, self._boot.covered or seen.since)
                found.append(Stretch(long_ago, unseen, Cause.UNSEEN))
                found += [Stretch(a, b, Cause.UNSEEN) for a, b in seen.holes]
            if not task.schedule.reboot:
                found += [Stretch(a, b, Cause.UNSEEN) for a, b in seen.jumps]
            found += [Stretch(a, b, Cause.CRON_DOWN) for a, b in seen.ups]
        elif not task.recorded:
            found.append(Stretch(long_ago, clock.now() + 10 * REACH, Cause.UNSEEN))
        return found

    def _make_up(self) -> None:
        """Make up one run that was missed while the machine was off, if one is wanted."""
        off = self._boot.off if self._boot else None
        if off is None or self._is_made_up:
            return
        note = missed.in_words(off, clock.system_zone())
        found = offers.to_make_up(self._settings, note)
        wanted = [one.task for one in found if one.task not in self._made_up]
        self._is_made_up = not wanted
        if wanted:
            self._made_up.add(wanted[0])
            task = tasks.get(self._settings, wanted[0])
            by_hand.start(self._settings, "catch up", task, by="catchup")
