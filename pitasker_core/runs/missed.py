"""Runs that did not happen: found, explained where that can be, told once, and made up if wanted.

What is expected comes from the schedule; what happened from cron's log and from recorders. `judge`
and what it needs are pure. `Watch` goes through time with them, in the process that does the
background work. Where nothing could have been seen nothing is claimed.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import ColumnElement, and_, literal_column, or_, select, true, update
from sqlalchemy.orm import Session

from pitasker_core import clock, cron_daemon, database, notices, tasks
from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.schedule import Dialect, InvalidSchedule, Schedule
from pitasker_core.database.tables import OperationRow, RunRow, SettingRow, TaskRow
from pitasker_core.runs import by_hand, machine
from pitasker_core.runs.cron_log import JUMP, Unreadable
from pitasker_core.runs.machine import Boot, Moment, Sign
from pitasker_core.runs.observed import Seen
from pitasker_core.settings import Settings
from pitasker_core.sync import service, store

MARGIN = timedelta(minutes=2)
"""What is younger is not judged: its start may still be on its way here."""

ON_TIME = timedelta(seconds=60)
"""After its minute began a start counts as late."""

LATE = timedelta(hours=1)
"""Later than that it is no late start but a miss."""

REACH = timedelta(days=7)
"""Older times are not judged any more, after PiTasker was away for long."""

CATCH_UP_AFTER = timedelta(minutes=2)
"""After a boot, until the first missed run is made up; one a minute, so that a small machine is not
overrun."""

_EARLY = timedelta(seconds=2)
"""Stamps in a log may be rounded down."""
_TAKES_UP = timedelta(minutes=1)
"""cron reads a crontab that was changed at the next minute."""
_REMEMBERED = timedelta(hours=1)
"""How much is judged again, at the most, when PiTasker was started anew."""
_NAMED = 5
"""Tasks that a notice names; more are counted."""


class Cause(StrEnum):
    """Why nothing started in a stretch of time."""

    OFF = "off"
    ASLEEP = "asleep"
    CRON_DOWN = "cron down"
    UNSEEN = "unseen"
    """Nobody can know: it could not be seen, or the clock was set."""


@dataclass(frozen=True)
class Stretch:
    """A time with a cause."""

    start: datetime
    end: datetime
    cause: Cause

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment <= self.end


@dataclass(frozen=True)
class Verdict:
    """What became of expected starts. Those after `decided` are to be judged again."""

    missed: list[tuple[datetime, Stretch | None]] = field(default_factory=list)
    late: list[tuple[datetime, datetime]] = field(default_factory=list)
    """Each expected time, and when it started."""
    waiting: list[datetime] = field(default_factory=list)
    """Expected times of which nothing can be said yet."""


# --- The judgement (pure) ---------------------------------------------------------------------


def expected(schedule: Schedule, after: datetime, until: datetime, zone: tzinfo) -> list[datetime]:
    """The times after one and up to another at which cron should have started a job."""
    found: list[datetime] = []
    count = 1
    while True:
        more = schedules.next_runs(schedule, found[-1] if found else after, zone, count)
        found += [at for at in more if at <= until]
        if not more or len(more) < count or more[-1] > until:
            return found
        count = min(2 * count, 256)


def judge(
    times: Sequence[datetime],
    starts: Sequence[datetime],
    stretches: Sequence[Stretch],
    until: datetime,
) -> Verdict:
    """What became of expected times, by the starts that were seen; both ascending.

    `stretches` explain what did not start, the first that fits. What nothing explains waits for
    an hour, in which it may still start, unless cron went on to a later time meanwhile.
    """
    verdict = Verdict()
    free = list(starts)
    open_times = [at for at in times if not _take(free, at - _EARLY, at + ON_TIME)]
    went_on = max(set(times) - set(open_times), default=None)
    for at in open_times:
        stretch = next((one for one in stretches if at in one), None)
        end = max(at, stretch.end) if stretch and stretch.cause is not Cause.UNSEEN else at
        if start := _take(free, at + ON_TIME, end + LATE):
            verdict.late.append((at, start))
        elif stretch and stretch.cause is Cause.UNSEEN:
            continue
        elif stretch or until >= at + LATE or (went_on and at < went_on):
            verdict.missed.append((at, stretch))
        else:
            verdict.waiting.append(at)
    return verdict


def _take(free: list[datetime], low: datetime, high: datetime) -> datetime | None:
    """The first start in a time that is no other's yet; it is nobody's any more then."""
    for place, start in enumerate(free):
        if low <= start < high:
            return free.pop(place)
        if start >= high:
            break
    return None


def offs(boots: Sequence[Boot], booted_at: datetime, sign: Sign | None) -> list[Stretch]:
    """When the machine was off: between the boots of its journal, or, where that has no more than
    this boot, since the last sign of life.

    Between that sign and the next that would have come, the machine may have been on or off.
    """
    if len(boots) > 1:
        between = [Stretch(a.end, b.start, Cause.OFF) for a, b in pairwise(boots)]
        return [one for one in between if one.start < one.end]
    if sign is None or sign.stopped or sign.at + machine.SIGN >= booted_at:
        return []
    return [
        Stretch(sign.at, sign.at + machine.SIGN, Cause.UNSEEN),
        Stretch(sign.at, booted_at, Cause.OFF),
    ]


def in_words(stretch: Stretch | None, zone: tzinfo) -> str:
    """Why something was missed."""
    if stretch is None:
        return "not started by cron, for no reason that shows"
    if stretch.cause is Cause.CRON_DOWN:
        return "cron was not running"
    start, end = stretch.start.astimezone(zone), stretch.end.astimezone(zone)
    day = "" if start.date() == end.date() else "%-d %b "
    state = "off" if stretch.cause is Cause.OFF else "asleep"
    return f"{_WAS}{state} from {start:{day}%H:%M} to {end:{day}%H:%M}"


_WAS = "the machine was "


def sentence(note: str, names: Sequence[str]) -> str:
    """A cause and the tasks that were missed by it."""
    if len(names) > _NAMED:
        names = [*names[: _NAMED - 1], f"{len(names) - _NAMED + 1} more"]
    listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    was = "was" if len(names) == 1 else "were"
    return f"{note[:1].upper()}{note[1:]}: {listed} {was} missed."


@dataclass(frozen=True)
class Gap:
    """Times in a row that one task missed, for one reason."""

    times: tuple[datetime, ...]
    note: str


def gaps(
    missed: Sequence[tuple[datetime, Stretch | None]], starts: Sequence[datetime], zone: tzinfo
) -> list[Gap]:
    """Misses in a row: a start in between, or another reason, begins a new one."""

    def row(miss: tuple[datetime, Stretch | None]) -> tuple[int, str]:
        return sum(1 for start in starts if start < miss[0]), in_words(miss[1], zone)

    grouped = groupby(missed, key=row)
    return [Gap(tuple(at for at, _ in group), note) for (_, note), group in grouped]


# --- Going through time -----------------------------------------------------------------------


@dataclass(frozen=True)
class _Judged:
    """A task that is to be judged: what its runs depend on, and what can be seen of them."""

    id: int
    name: str
    schedule: Schedule
    changed: datetime
    recorded: bool

    @property
    def key(self) -> tuple[str, datetime]:
        """What it is judged by; another one begins anew."""
        return self.schedule.text, self.changed


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
            until = min(until, seen.until - _EARLY)
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
                _keep_mark(session, crontab, self._mark)
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
        row = session.get(SettingRow, _key(crontab))
        self._mark = self._kept = datetime.fromisoformat(row.value["judged"]) if row else None
        known: list[Boot] = []
        since = moment.booted_at - ON_TIME
        if isinstance(seen, Seen) and seen.is_journal and (known := machine.boots()):
            since = min(since, known[-1].start)
            known = machine.with_true_starts(known, seen.jumps, moment.booted_at)
        off = offs(known, moment.booted_at, _last_sign(session, crontab, moment, self._sign))
        this_off = off[-1] if off and abs(off[-1].end - moment.booted_at) < JUMP else None
        if this_off:
            since = min(since, this_off.start)
        covered = known[0].start - ON_TIME if known else None
        self._boot = _ThisBoot(moment.booted_at, since, off, this_off, covered)

    def _due_tasks(
        self, session: Session, crontab: int, mark: datetime, until: datetime
    ) -> Iterator[_Judged]:
        """The tasks that should have started since they were judged last."""
        dialect = service.program(self._settings).dialect
        found = {task.id: task for task in _tasks(session, crontab, dialect)}
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
        due: Sequence[_Judged],
        seen: Seen | Unreadable,
        until: datetime,
    ) -> bool:
        """Judge these tasks and write down what was missed; whether anything was."""
        zone = clock.system_zone()
        told: dict[str, list[tuple[_Judged, int]]] = {}
        wrote = False
        for task in due:
            place = self._due[task.id]
            times, starts = self._facts(session, task, place.since, until)
            stretches = self._stretches(task, seen)
            verdict = judge(times, starts, stretches, until)
            if verdict.waiting and cron_daemon.is_alive() is False:
                stretches.append(Stretch(verdict.waiting[0], until, Cause.CRON_DOWN))
                verdict = judge(times, starts, stretches, until)
            for at, start in verdict.late:
                _tell_late(session, task.id, at, start)
            for gap in gaps(verdict.missed, starts, zone):
                wrote = True
                if (run := _write(session, crontab, task.id, gap)) is not None:
                    told.setdefault(gap.note, []).append((task, run))
            place.waits = bool(verdict.waiting)
            if verdict.waiting:
                place.since, place.following = verdict.waiting[0] - _EARLY, verdict.waiting[0]
            else:
                place.since, place.following = until, self._following(task.schedule, until)
        for note, missed in told.items():
            _tell(session, crontab, note, missed)
        return wrote

    def _facts(
        self, session: Session, task: _Judged, since: datetime, until: datetime
    ) -> tuple[list[datetime], list[datetime]]:
        """When a task should have started, as far as that is not judged yet, and when it did."""
        boot = self._boot
        if task.schedule.reboot and boot:
            # By the clock of that time, which may have been a wrong one.
            started = bool(_starts(session, task.id, boot.since))
            times, starts = [boot.at], [boot.at] if started else []
        else:
            times = expected(task.schedule, since, until, clock.system_zone())
            starts = _starts(session, task.id, since - _EARLY)
        known = _known(session, task.id, since - JUMP)
        return [at for at in times if not any(a <= at <= b for a, b in known)], starts

    def _stretches(self, task: _Judged, seen: Seen | Unreadable) -> list[Stretch]:
        """What may explain a miss of a task, what is surest first."""
        assert self._boot is not None  # noqa: S101 - judging has begun
        found = [] if task.schedule.reboot else [*self._boot.offs, *self._set_or_slept]
        long_ago = self._boot.at - 10 * REACH
        if isinstance(seen, Seen):
            if not task.recorded:
                unseen = max(seen.since, self._boot.covered or seen.since)
                found.append(Stretch(long_ago, unseen, Cause.UNSEEN))
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
        note = in_words(off, clock.system_zone())
        with database.session(self._settings) as session:
            crontab = store.own_crontab(session, self._settings)
            missed = _not_started(session, crontab, note, TaskRow.catch_up)
        wanted = [offer.task for offer in missed if offer.task not in self._made_up]
        self._is_made_up = not wanted
        if wanted:
            self._made_up.add(wanted[0])
            task = tasks.get(self._settings, wanted[0])
            by_hand.start(self._settings, "catch up", task, by="catchup")


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


def _key(crontab: int) -> str:
    return f"missed:{crontab}"


def _keep_mark(session: Session, crontab: int, mark: datetime) -> None:
    value = {"judged": mark.isoformat()}
    session.merge(SettingRow(key=_key(crontab), value=value, updated_at=clock.now()))


def _last_sign(session: Session, crontab: int, moment: Moment, said: Sign | None) -> Sign | None:
    """The last that is known of the machine before it was booted."""
    if said is None or said.stopped:
        return said
    last = [said.at]
    for column, mine in (
        (RunRow.started_at, and_(RunRow.crontab == crontab, RunRow.source != "missed")),
        (OperationRow.started_at, OperationRow.crontab == crontab),
    ):
        query = select(column).where(mine, column < moment.booted_at)
        if (found := session.scalar(query.order_by(column.desc()).limit(1))) is not None:
            last.append(found)
    return Sign(max(last), stopped=False)


def _tasks(session: Session, crontab: int, dialect: Dialect) -> Iterator[_Judged]:
    """The tasks that cron should run."""
    rows = session.execute(
        select(
            TaskRow.id,
            TaskRow.name,
            TaskRow.cron_schedule,
            TaskRow.updated_at,
            TaskRow.crontab_synced_at,
            TaskRow.record_runs,
        )
        .where(
            TaskRow.crontab == crontab,
            TaskRow.is_system_managed,
            TaskRow.synced_to_crontab,
            TaskRow.crontab_synced_at.is_not(None),
            TaskRow.paused.is_(False),
            TaskRow.deleted_at.is_(None),
        )
        .order_by(TaskRow.name, TaskRow.id)
    )
    for row in rows:
        with suppress(InvalidSchedule):
            meaning = schedules.parse(row.cron_schedule, dialect)
            changed = max(row.updated_at, row.crontab_synced_at)
            yield _Judged(row.id, row.name, meaning, changed, row.record_runs)


_BY_CRON = ("observed", "recorded")


def _starts(session: Session, task: int, since: datetime) -> list[datetime]:
    """When cron started a task, ascending."""
    query = select(RunRow.started_at).where(
        RunRow.task == task, RunRow.started_at >= since, RunRow.source.in_(_BY_CRON)
    )
    return list(session.scalars(query.order_by(RunRow.started_at)))


def _known(session: Session, task: int, since: datetime) -> list[tuple[datetime, datetime]]:
    """The times of which it is known already that they were missed."""
    query = select(RunRow.started_at, RunRow.ended_at).where(
        RunRow.task == task, RunRow.source == "missed", RunRow.ended_at >= since
    )
    return [(first, last) for first, last in session.execute(query) if last]


def _tell_late(session: Session, task: int, at: datetime, start: datetime) -> None:
    """Say of a run that it started late, where there is nothing else to say of it."""
    minutes = round((start - at) / timedelta(minutes=1))
    session.execute(
        update(RunRow)
        .where(RunRow.task == task, RunRow.started_at == start, RunRow.note == "")
        .where(RunRow.state.in_(("started", "success")))
        .values(note=f"started {minutes} min late")
        .execution_options(synchronize_session=False)
    )


def _write(session: Session, crontab: int, task: int, gap: Gap) -> int | None:
    """Keep what was missed; the new run's id, or None when an earlier gap only went on."""
    first, last = gap.times[0], gap.times[-1]
    session.execute(
        update(TaskRow)
        .where(TaskRow.id == task, or_(TaskRow.last_run.is_(None), TaskRow.last_run < last))
        .values(status="missed")
        .execution_options(synchronize_session=False)
    )
    mine = RunRow.task == task
    query = select(RunRow).where(mine, RunRow.started_at < first)
    before = session.scalar(query.order_by(RunRow.started_at.desc()).limit(1))
    if before and before.source == "missed" and before.note == gap.note:
        before.ended_at = last
        before.missed += len(gap.times)
        return None
    name = f"missed:{task}:{int(first.timestamp())}"
    if session.scalar(select(RunRow.id).where(RunRow.name == name)) is not None:
        return None
    row = RunRow(
        crontab=crontab,
        task=task,
        name=name,
        source="missed",
        started_at=first,
        ended_at=last,
        missed=len(gap.times),
        note=gap.note,
    )
    session.add(row)
    session.flush()
    return row.id


def _tell(session: Session, crontab: int, note: str, missed: Sequence[tuple[_Judged, int]]) -> None:
    """One notice for all that was missed for one reason."""
    message = sentence(note, [task.name for task, _ in missed])
    alone = missed[0] if len(missed) == 1 else None
    task, run = (alone[0].id, alone[1]) if alone else (None, None)
    notices.add(session, crontab, notices.Kind.MISSED, message, task, run)


# --- What can be made up ----------------------------------------------------------------------


@dataclass(frozen=True)
class Missed:
    """A task that was missed while the machine was off or asleep, and has not run since."""

    task: int
    name: str
    times: int


@dataclass(frozen=True)
class Offer:
    """What a person may want to run now."""

    message: str
    """In a sentence: when the machine was off, and what was missed."""
    missed: list[Missed]


def offers(settings: Settings) -> Offer | None:
    """The tasks that were missed when the machine was last off, and have not run since.

    None when there are none, or when it was longer ago than a week.
    """
    with database.session(settings) as session:
        crontab = store.own_crontab(session, settings)
        query = select(RunRow.note).where(
            RunRow.crontab == crontab,
            RunRow.state == literal_column("'missed'"),
            RunRow.started_at > clock.now() - REACH,
            RunRow.note.startswith(_WAS),
        )
        note = session.scalar(query.order_by(RunRow.started_at.desc()).limit(1))
        missed = _not_started(session, crontab, note, true()) if note else []
    return Offer(sentence(note, [one.name for one in missed]), missed) if note and missed else None


def _not_started(
    session: Session, crontab: int, note: str, which: ColumnElement[bool] | Any
) -> list[Missed]:
    """Those tasks of a stretch that have not started since, in the order of their names."""
    query = (
        select(RunRow.task, TaskRow.name, RunRow.missed)
        .join(TaskRow, TaskRow.id == RunRow.task)
        .where(
            RunRow.crontab == crontab,
            RunRow.state == literal_column("'missed'"),
            RunRow.started_at > clock.now() - 2 * REACH,
            RunRow.note == note,
            TaskRow.deleted_at.is_(None),
            TaskRow.paused.is_(False),
            or_(TaskRow.last_run.is_(None), TaskRow.last_run < RunRow.ended_at),
            which,
        )
        .order_by(TaskRow.name, TaskRow.id)
    )
    return [Missed(task or 0, name, times) for task, name, times in session.execute(query)]
