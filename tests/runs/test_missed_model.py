"""PiTasker and an independent model of cron agree on missed runs.

The model steps through every minute. It has the crontab of each time, the times when machine and
cron ran, and what PiTasker could see. It shares no code with the tested modules. A long search:
`EXAMPLES=1000 .venv/bin/python -m pytest tests/runs/test_missed_model.py`.
"""

import os
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.crontab.schedule import parse
from pitasker_core.runs import machine
from pitasker_core.runs.cron_log.observed import Seen
from pitasker_core.runs.machine import Moment
from pitasker_core.runs.missed import catch_up, watch
from pitasker_core.runs.missed.definitions import Definition, Observation
from pitasker_core.runs.missed.offline_periods import Sign
from pitasker_core.runs.missed.rows import Judged

MINUTE = timedelta(minutes=1)
HOURS = 14
"""The length of a world. In the last three hours little happens, so that all is decided."""
QUIET = (HOURS - 3) * 60
BERLIN = ZoneInfo("Europe/Berlin")
BEGINNINGS = [
    datetime(2026, 11, 25, tzinfo=UTC),
    datetime(2026, 3, 28, 18, tzinfo=UTC),  # the night in which an hour is skipped
    datetime(2026, 10, 24, 18, tzinfo=UTC),  # the night in which an hour is repeated
]


@dataclass(frozen=True)
class Plan:
    """A schedule in the model."""

    minute: str
    minutes: frozenset
    hour: str
    hours: frozenset

    @property
    def text(self):
        return f"{self.minute} {self.hour} * * *"

    @property
    def is_wildcard(self):
        return self.minute.startswith("*") or self.hour.startswith("*")

    def says(self, local):
        return local.minute in self.minutes and local.hour in self.hours

    def is_due(self, moment):
        """Whether cron starts it in a minute. Clock changes follow cron's two kinds of jobs."""
        local = moment.astimezone(BERLIN)
        if self.is_wildcard:
            return self.says(local)
        before = (moment - MINUTE).astimezone(BERLIN)
        skipped = local.utcoffset() - before.utcoffset()
        if skipped > timedelta(0):
            wall = [before.replace(tzinfo=None) + n * MINUTE for n in range(1, 61)]
            return self.says(local) or any(self.says(time) for time in wall)
        return self.says(local) and not local.fold


def steps(top, name):
    every = st.integers(2, top // 2).map(lambda n: (f"*/{n}", frozenset(range(0, top, n))))
    alone = st.integers(0, top - 1).map(lambda n: (str(n), frozenset({n})))
    two = st.tuples(st.integers(0, top - 1), st.integers(0, top - 1)).map(
        lambda pair: (",".join(map(str, pair)), frozenset(pair))
    )
    return st.one_of(
        every, alone, two, *([st.just(("*", frozenset(range(top))))] * (name == "hour"))
    )


plans = st.builds(lambda minute, hour: Plan(*minute, *hour), steps(60, "minute"), steps(24, "hour"))
moments = st.integers(10, QUIET)
spans = st.tuples(moments, st.integers(1, 300)).map(
    lambda pair: (pair[0], min(QUIET, pair[0] + pair[1]))
)


@dataclass(frozen=True)
class Edit:
    """A change of the crontab: by PiTasker, or by hand with or without a log line."""

    minute: int
    task: int
    plan: Plan | None
    how: str


edits = st.builds(
    Edit,
    moments,
    st.integers(0, 1),
    st.one_of(st.none(), plans),
    st.sampled_from(["pitasker", "logged", "unlogged"]),
)


@dataclass(frozen=True)
class Story:
    """The events of a world. Times are minutes since its beginning."""

    begin: datetime
    plans: tuple
    recorded: tuple
    edits: tuple = ()
    logged: bool = True
    """Whether cron's log has the edits by hand."""
    off: tuple | None = None
    """The times when the machine, and so PiTasker, is off."""
    away: tuple | None = None
    """The times when PiTasker is stopped and the machine is on."""
    hole: bool = False
    """Whether cron's log of the time without PiTasker is lost."""
    down: tuple | None = None
    """The times when cron does not run."""
    clock_set: tuple | None = None
    """The times when the clock is set, and by how many minutes."""
    every: int = 1
    """Minutes between two judgements."""
    lost: frozenset = frozenset()
    """Minutes in which cron starts nothing for an unknown reason."""

    def is_on(self, minute):
        return not inside(minute, self.off)

    def has_pitasker(self, minute):
        return self.is_on(minute) and not inside(minute, self.away)

    def wall(self, minute):
        """Return the time of the machine's clock."""
        is_set = self.clock_set is not None and minute >= self.clock_set[0]
        return self.begin + minute * MINUTE + (self.clock_set[1] if is_set else 0) * MINUTE


def inside(minute, span):
    return span is not None and span[0] <= minute < span[1]


def apart(story):
    """PiTasker is not stopped while the machine is off."""
    off, away = story.off, story.away
    return off is None or away is None or off[1] + 10 < away[0] or away[1] + 10 < off[0]


common = {
    "begin": st.sampled_from(BEGINNINGS),
    "plans": st.tuples(plans, plans),
    "recorded": st.tuples(st.booleans(), st.booleans()),
    "every": st.sampled_from([2, 5, 10]),
    "lost": st.frozensets(st.integers(0, HOURS * 60), max_size=300),
}
stories = st.one_of(
    st.builds(
        Story,
        **common,
        edits=st.lists(edits, max_size=3).map(
            lambda e: tuple(sorted(e, key=lambda edit: edit.minute))
        ),
        logged=st.booleans(),
        off=st.none() | spans,
        away=st.none() | spans,
        hole=st.booleans(),
        down=st.none() | spans,
    ).filter(apart),
    st.builds(
        Story,
        **common,
        clock_set=st.tuples(moments, st.sampled_from([-300, -90, 90, 300])),
    ),
)
TAGS = [UUID(int=1), UUID(int=2)]


@dataclass
class World:
    """A simulated story: the truth, what PiTasker can see, and what it calls missed."""

    story: Story
    called: set = field(default_factory=set)
    missed: set = field(default_factory=set)
    """Each task and time at which the crontab demanded a start, and nothing started."""
    unsure: list = field(default_factory=list)
    """Times of a task at which PiTasker may claim a missed run or not: (task, first, last)."""
    blind: list = field(default_factory=list)
    """Times of a task at which PiTasker must not claim a missed run."""
    starts: tuple = field(default_factory=lambda: ([], []))
    observations: list = field(default_factory=list)
    by_hand: list = field(default_factory=list)
    holes: tuple = ()
    ups: tuple = ()
    gaps: tuple = field(default_factory=lambda: ([], []))
    kept_mark: datetime | None = None
    sign: Sign | None = None
    minute: int = 0
    booted: int = -10_000
    heard: datetime | None = None

    def __post_init__(self):
        self.entries = dict(zip(TAGS, self.story.plans, strict=True))
        self.pending = []
        self.last_judged = -1
        self.observations = [self.observed(self.story.begin - timedelta(days=9), True)]

    @property
    def now(self):
        return self.story.wall(self.minute) + timedelta(seconds=45)

    def observed(self, at, is_written):
        recorded = dict(zip(TAGS, self.story.recorded, strict=True))
        entries = {
            tag: Definition(parse(plan.text), recorded[tag])
            for tag, plan in self.entries.items()
            if plan
        }
        return Observation(at, is_written, entries)

    # --- What happens in a minute ---

    def cron_works(self):
        story, at = self.story, self.story.wall(self.minute)
        is_up = story.is_on(self.minute) and not inside(self.minute, story.down)
        was_up = story.is_on(self.minute - 1) and not inside(self.minute - 1, story.down)
        if is_up and not was_up and self.heard:
            self.ups = (*self.ups, (self.heard, at))
        if is_up and (at.minute == 17 or self.heard is None):
            self.heard = at  # cron.hourly
        in_hole = story.hole and inside(self.minute, story.away)
        for task, tag in enumerate(TAGS):
            plan = self.entries[tag]
            if plan is None or not plan.is_due(at):
                continue
            if not is_up or self.minute in story.lost:
                self.missed.add((task, at))
                continue
            self.heard = at
            if self.story.recorded[task] or not in_hole:
                self.starts[task].append(at + timedelta(seconds=1))

    def people_edit(self):
        story, at = self.story, self.story.wall(self.minute) + timedelta(seconds=30)
        for edit in story.edits:
            tag = TAGS[edit.task]
            if edit.minute != self.minute or not story.is_on(self.minute):
                continue
            if edit.plan == self.entries[tag]:
                continue
            is_ours = edit.how == "pitasker" and story.has_pitasker(self.minute)
            if is_ours:
                self.sync(at)
            self.entries[tag] = edit.plan
            self.unsure.append((edit.task, at, at + MINUTE))
            if is_ours:
                self.observations.append(self.observed(at, True))
                continue
            in_hole = story.hole and inside(self.minute, story.away)
            if story.logged and not in_hole:
                self.by_hand.append(at)
            self.pending.append((edit.task, at, self.last_judged))

    def sync(self, at):
        """Import changes made by hand. Times of changes without a log line stay uncertain."""
        if not self.pending:
            return
        self.observations.append(self.observed(at, False))
        changes = [when for _, when, _ in self.pending]
        is_whole = all(when in self.by_hand for when in changes) and not self.holes
        for task, when, judged in self.pending:
            first = min(changes) if is_whole else self.story.wall(max(0, judged)) - 65 * MINUTE
            last = max(changes) if is_whole else at
            self.unsure.append((task, min(first, when), last + MINUTE))
        self.pending = []

    def pitasker_works(self):
        story, minute = self.story, self.minute
        if not story.has_pitasker(minute):
            if story.has_pitasker(minute - 1):
                self.leave(minute)
            return
        if minute == 0 or not story.has_pitasker(minute - 1):
            self.arrive(minute)
        if minute % story.every == 0:
            self.sync(self.now)
            self.watch.judge(self.seen())
            self.last_judged = minute

    def leave(self, minute):
        if inside(minute, self.story.away):
            self.watch.stop()

    def arrive(self, minute):
        story = self.story
        if minute and inside(minute - 1, story.off):
            self.booted = minute
            sign = self.sign
            for task in (0, 1):
                if sign:
                    self.unsure.append((task, sign.at, sign.at + timedelta(minutes=5)))
        if minute and inside(minute - 1, story.away) and story.hole:
            first, last = (story.wall(minute) for minute in story.away)
            self.holes = ((first, last),)
            self.blind += [(task, first, last) for task in (0, 1) if not story.recorded[task]]
        self.watch = watch.Watch(Environment(None, None, "crontab", demo=False), self.look)

    # --- What PiTasker sees ---

    def look(self):
        uptime = (self.minute - self.booted) * MINUTE
        return Moment(self.now, uptime, uptime)

    def seen(self):
        since = self.story.begin - timedelta(days=8)
        return Seen(since, self.now, False, (), self.ups, self.holes)

    def go(self):
        for self.minute in range(HOURS * 60):
            self.cron_works()
            self.people_edit()
            self.pitasker_works()


@contextmanager
def fakes(world):
    """A database, a crontab and a machine in memory."""
    rows = watch.rows
    story = world.story

    def write(_session, _crontab, task, gap):
        world.called |= {(task, at.astimezone(UTC)) for at in gap.times}
        world.gaps[task].append((gap.times[0], gap.times[-1]))
        return len(world.called)

    def say(at, stopped):
        if stopped or world.sign is None or world.sign.stopped or at - world.sign.at >= 5 * MINUTE:
            world.sign = Sign(at, stopped)

    replaced = {
        (watch.database, "session"): lambda _: nullcontext(),
        (watch.store, "own_crontab"): lambda *_: 1,
        (watch.spool, "holes"): lambda *_: [],
        (watch.cron_daemon, "is_alive"): lambda: not inside(world.minute, story.down),
        (watch.Watch, "_is_installed"): lambda _: not world.pending,
        (catch_up, "due_to_catch_up"): lambda *_: [],
        (machine, "last_sign"): lambda _: world.sign,
        (machine, "say_alive"): lambda _, at: say(at, False),
        (machine, "say_stopped"): lambda _: say(world.now, True),
        (clock, "now"): lambda: world.now,
        (clock, "system_zone"): lambda: BERLIN,
        (rows, "mark"): lambda *_: world.kept_mark,
        (rows, "keep_mark"): lambda _s, _c, at: setattr(world, "kept_mark", at),
        (rows, "last_sign"): lambda _s, _c, _at, sign: sign,
        (rows, "tasks"): lambda *_: [Judged(n, str(n), tag) for n, tag in enumerate(TAGS)],
        (rows, "newest_snapshot"): lambda *_: (len(world.observations), ""),
        (rows, "observations"): lambda *_: list(world.observations),
        (rows, "edits"): lambda _session, since: [at for at in world.by_hand if at > since],
        (rows, "starts"): lambda _s, n, since: [a for a in world.starts[n] if a >= since],
        (rows, "recorded_misses"): lambda _s, n, since: [g for g in world.gaps[n] if g[1] >= since],
        (rows, "note_late_start"): lambda *_: None,
        (rows, "write"): write,
        (rows, "add_notice"): lambda *_: None,
    }
    with pytest.MonkeyPatch.context() as patch:
        for (owner, name), value in replaced.items():
            patch.setattr(owner, name, value, raising=False)
        yield


def within(pair, spans):
    task, at = pair
    return any(task == other and first <= at <= last for other, first, last in spans)


@pytest.mark.slow
@settings(max_examples=int(os.environ.get("EXAMPLES", "15")))
@given(stories)
def test_what_is_called_missed_is_what_the_model_calls_missed(story):
    world = World(story)
    with fakes(world):
        world.go()
    end = story.wall(HOURS * 60) - timedelta(hours=1, minutes=20)
    if story.clock_set:
        minute, _ = story.clock_set
        both = sorted((story.wall(minute - 1), story.wall(minute)))
        world.unsure += [(n, both[0] - 65 * MINUTE, both[1] + 5 * MINUTE) for n in (0, 1)]
    called = {pair for pair in world.called if pair[1] <= end}
    must = {pair for pair in world.missed if story.begin < pair[1] <= end}
    must = {pair for pair in must if not within(pair, world.unsure + world.blind)}
    assert called <= world.missed
    assert must <= called
    assert not {pair for pair in called if within(pair, world.blind)}
