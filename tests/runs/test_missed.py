"""Missed runs: what counts as missed, its explanations, and what is never claimed."""

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from pitasker_core import database, tasks
from pitasker_core.base import clock
from pitasker_core.base.actor import Actor
from pitasker_core.crontab.schedule import parse
from pitasker_core.database import notices
from pitasker_core.database.tables import EventRow, NoticeRow, RunRow, TaskRow
from pitasker_core.reports import audit
from pitasker_core.runs import history, machine, manual, recorder, spool
from pitasker_core.runs.cron_log.log_source import Unreadable
from pitasker_core.runs.cron_log.observed import Seen
from pitasker_core.runs.machine import Moment
from pitasker_core.runs.missed import catch_up, detection, offline_periods, watch
from pitasker_core.runs.missed.detection import Cause, Stretch
from pitasker_core.runs.missed.offline_periods import Boot, Sign
from pitasker_core.runs.missed.watch import Watch
from pitasker_core.sync import service, store
from tests.helpers.examples import ME, create
from tests.helpers.waiting import until

UTC_ZONE = ZoneInfo("UTC")
DAY = datetime(2026, 11, 25, tzinfo=UTC)
OFF, ASLEEP, DOWN, UNSEEN = Cause.OFF, Cause.ASLEEP, Cause.CRON_DOWN, Cause.UNSEEN


def at(clock_time, second=0):
    hour, minute = map(int, clock_time.split(":"))
    return DAY + timedelta(hours=hour, minutes=minute, seconds=second)


def stretch(first, last, cause):
    return Stretch(at(first), at(last), cause)


# --- The judgement ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("starts", "stretches", "until", "missed_at", "late", "waiting"),
    [
        pytest.param(["02:00", "03:00"], [], "04:00", {}, [], [], id="all on time"),
        pytest.param([], [], "02:30", {}, [], ["02:00"], id="it may still start"),
        pytest.param([], [], "03:00", {"02:00": None}, [], ["03:00"], id="an hour has passed"),
        pytest.param(["03:00"], [], "03:10", {"02:00": None}, [], [], id="cron went on"),
        pytest.param(["02:12", "03:00"], [], "03:10", {}, ["02:00"], [], id="late is not missed"),
        pytest.param(["02:12"], [], "02:20", {}, ["02:00"], [], id="late, told at once"),
        pytest.param(
            [], [("01:00", "02:30", OFF)], "02:30", {"02:00": OFF}, [], [], id="off, told at once"
        ),
        pytest.param(
            ["02:40", "03:00"],
            [("01:00", "02:30", ASLEEP)],
            "03:10",
            {},
            ["02:00"],
            [],
            id="made up by cron after a sleep",
        ),
        pytest.param(
            ["03:00"],
            [("01:00", "02:01", UNSEEN), ("01:00", "02:30", DOWN)],
            "04:00",
            {},
            [],
            [],
            id="nothing is claimed of what was not seen",
        ),
        pytest.param(
            ["03:00"],
            [("01:00", "02:30", OFF), ("01:00", "02:45", DOWN)],
            "04:00",
            {"02:00": OFF},
            [],
            [],
            id="the first that fits explains it",
        ),
        pytest.param(["02:00"], [("01:00", "04:00", OFF)], "02:50", {}, [], [], id="it did start"),
    ],
)
def test_what_became_of_two_oclock_and_three(starts, stretches, until, missed_at, late, waiting):
    times = [time for time in (at("02:00"), at("03:00")) if time <= at(until)]
    seen = [at(time, second=1) for time in starts]
    verdict = detection.judge(times, seen, [stretch(*time) for time in stretches], at(until))
    causes = {time: why and why.cause for time, why in verdict.missed}
    assert causes == {at(time): cause for time, cause in missed_at.items()}
    assert [time for time, _ in verdict.late] == [at(time) for time in late]
    assert verdict.waiting == [at(time) for time in waiting]


minutes = st.integers(0, 24 * 60).map(lambda n: DAY + timedelta(minutes=n))
spans = st.builds(
    lambda a, b, cause: Stretch(min(a, b), max(a, b), cause),
    minutes,
    minutes,
    st.sampled_from(Cause),
)


@given(
    st.lists(minutes, unique=True).map(sorted),
    st.lists(st.builds(lambda m, s: m + timedelta(seconds=s), minutes, st.integers(0, 59))).map(
        sorted
    ),
    st.lists(spans, max_size=3),
)
def test_each_time_has_one_fate_and_each_start_at_most_one_time(times, starts, stretches):
    until = DAY + timedelta(days=1)
    verdict = detection.judge(times, starts, stretches, until)
    late = [time for time, _ in verdict.late]
    fates = [*(time for time, _ in verdict.missed), *late, *verdict.waiting]
    assert len(fates) == len(set(fates))
    assert set(fates) <= set(times)
    taken = [start for _, start in verdict.late]
    assert all(taken.count(start) <= starts.count(start) for start in taken)
    for time, why in verdict.missed:
        # A time is missed if no start in its minute can belong to it.
        assert why is None or (time in why and why.cause is not UNSEEN)
    assert len(starts) >= len(times) - len(fates) - sum(
        any(time in span and span.cause is UNSEEN for span in stretches) for time in times
    )


@given(st.lists(minutes, unique=True).map(sorted))
def test_what_started_in_its_minute_is_never_missed(times):
    starts = [time + timedelta(seconds=5) for time in times]
    verdict = detection.judge(times, starts, [Stretch(DAY, DAY + timedelta(days=2), OFF)], DAY)
    assert (verdict.missed, verdict.late, verdict.waiting) == ([], [], [])


def test_the_repeated_hour_of_autumn_is_two_hours_of_expected_times():
    begin = datetime(2026, 10, 25, tzinfo=UTC)
    until = begin + timedelta(hours=2)
    runs = detection.expected(parse("*/30 * * * *"), begin, until, ZoneInfo("Europe/Berlin"))
    assert runs == [begin + timedelta(minutes=n) for n in (30, 60, 90, 120)]
    assert len(set(runs)) == 4


def test_a_start_of_a_time_that_is_not_due_yet_is_no_late_start_of_another():
    verdict = detection.judge([at("02:00")], [at("02:30", 1)], [], at("02:29"))
    assert (verdict.late, verdict.waiting) == ([], [at("02:00")])


@pytest.mark.parametrize(
    ("schedule", "after", "until", "count"),
    [
        ("*/5 * * * *", "00:00", "12:00", 144),
        ("0 2 * * *", "00:00", "23:00", 1),
        ("0 2 * * *", "02:00", "23:00", 0),
        ("0 0 29 2 *", "00:00", "23:00", 0),
        ("@reboot", "00:00", "23:00", 0),
        ("0 0 31 2 *", "00:00", "23:00", 0),
    ],
)
def test_expected_times_are_those_of_the_schedule(schedule, after, until, count):
    runs = detection.expected(parse(schedule), at(after), at(until), UTC_ZONE)
    assert len(runs) == count
    assert runs == sorted(set(runs))


def test_boots_of_the_journal_say_when_the_machine_was_off():
    boots = [Boot(at("00:00"), at("02:10")), Boot(at("07:40"), at("09:00"))]
    assert offline_periods.offs(boots, at("07:40"), None) == [stretch("02:10", "07:40", OFF)]


@pytest.mark.parametrize(
    ("sign", "periods"),
    [
        (None, []),
        (Sign(at("02:10"), stopped=True), []),
        (Sign(at("07:38"), stopped=False), []),
        (
            Sign(at("02:10"), stopped=False),
            [stretch("02:10", "02:15", UNSEEN), stretch("02:10", "07:40", OFF)],
        ),
    ],
)
def test_without_a_journal_the_last_sign_of_life_says_so_and_no_more_than_it_knows(sign, periods):
    assert offline_periods.offs([Boot(at("07:40"), at("09:00"))], at("07:40"), sign) == periods


def test_a_boot_that_began_with_a_wrong_clock_is_put_right():
    """A machine without a battery clock continues at the time at which it was switched off."""
    boots = [
        Boot(at("00:00"), at("02:10")),
        Boot(at("02:10"), at("08:00")),
        Boot(at("08:00"), at("12:00")),
    ]
    jumps = [(at("02:11"), at("07:41"))]
    right = offline_periods.correct_starts(boots, jumps, at("11:00"))
    assert [boot.start for boot in right] == [at("00:00"), at("07:40"), at("11:00")]
    assert [
        (period.start, period.end) for period in offline_periods.offs(right, at("11:00"), None)
    ] == [
        (at("02:10"), at("07:40")),
        (at("08:00"), at("11:00")),
    ]


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (stretch("02:10", "07:40", OFF), "the machine was off from 03:10 to 08:40"),
        (
            Stretch(at("02:10"), at("02:10") + timedelta(days=1), ASLEEP),
            "the machine was asleep from 25 Nov 03:10 to 26 Nov 03:10",
        ),
        (stretch("02:10", "07:40", DOWN), "cron was not running"),
        (None, "not started by cron, for an unknown reason"),
    ],
)
def test_a_cause_is_told_in_words_and_in_the_machines_zone(why, words):
    assert detection.in_words(why, ZoneInfo("Europe/Berlin")) == words


@example(timedelta(days=261), timedelta(days=200), Cause.OFF, 0.5)  # it ends on a leap day
@example(timedelta(days=461), timedelta(days=800), Cause.OFF, 0.9)  # it begins on one
@given(
    st.timedeltas(timedelta(0), timedelta(days=4000)),
    st.timedeltas(timedelta(minutes=2), timedelta(days=200)),
    st.sampled_from([Cause.OFF, Cause.ASLEEP]),
    st.floats(0.1, 0.9),
)
def test_the_period_of_a_note_can_be_read_again(later, length, cause, place):
    start = DAY + timedelta(minutes=later // timedelta(minutes=1))
    minutes = timedelta(minutes=length // timedelta(minutes=1))
    period = Stretch(start, start + minutes, cause)
    note = detection.in_words(period, UTC_ZONE)
    assert detection.read_period(note, start + place * minutes, UTC_ZONE) == period


def test_a_note_with_another_cause_has_no_period():
    assert detection.read_period(detection.in_words(None, UTC_ZONE), DAY, UTC_ZONE) is None
    down = Stretch(DAY, DAY, DOWN)
    assert detection.read_period(detection.in_words(down, UTC_ZONE), DAY, UTC_ZONE) is None


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["A"], "Cron was not running: A was missed."),
        (["A", "B"], "Cron was not running: A and B were missed."),
        (["A", "B", "C"], "Cron was not running: A, B and C were missed."),
        (list("ABCDEFG"), "Cron was not running: A, B, C, D and 3 more were missed."),
    ],
)
def test_one_sentence_tells_all_that_was_missed_for_one_reason(names, expected):
    assert detection.sentence("cron was not running", names) == expected


# --- Going through time -----------------------------------------------------------------------


@dataclass
class World:
    """A machine with clocks that the test sets."""

    environment: object
    now: datetime
    booted_at: datetime
    asleep: timedelta = timedelta(0)
    error: timedelta = timedelta(0)
    trusted: bool = True
    seen_since: datetime | None = None
    jumps: tuple = ()
    ups: tuple = ()
    holes: tuple = ()
    watch: Watch = field(init=False)

    def __post_init__(self):
        self.seen_since = self.seen_since or self.now
        self.start()

    def start(self):
        self.watch = Watch(self.environment, self.look)

    def look(self):
        uptime = self.now - self.booted_at
        return Moment(self.now + self.error, uptime, uptime - self.asleep, self.trusted)

    @contextmanager
    def at(self, moment):
        """Return a time relative to now."""
        now, self.now = self.now, moment
        yield
        self.now = now

    def seen(self):
        until = self.now + self.error
        return Seen(self.seen_since, until, False, self.jumps, self.ups, self.holes)

    def judge(self, minutes=0, log=True):
        self.now += timedelta(minutes=minutes)
        self.watch.judge(self.seen() if log else Unreadable("no log"))

    def boot(self, minutes=0):
        """Restart the machine and PiTasker `minutes` from now."""
        self.now += timedelta(minutes=minutes)
        self.booted_at = self.now
        self.start()

    def ran(self, task, when, *, source="observed", **more):
        with database.session(self.environment) as session:
            crontab_row = store.own_crontab(session)
            row = RunRow(
                crontab_row=crontab_row, task=task.id, source=source, started_at=when, **more
            )
            session.add(row)
            last = {"last_run": when, "status": "pending"}
            session.execute(update(TaskRow).where(TaskRow.id == task.id).values(**last))


@pytest.fixture
def world(environment, crontab, monkeypatch):
    """Midnight of a day. All earlier times were judged, and the machine was on."""
    monkeypatch.setattr(clock, "system_zone", lambda: UTC_ZONE)
    monkeypatch.setattr(watch.cron_daemon, "is_alive", lambda: True)
    world = World(environment, DAY, DAY - timedelta(days=30))
    monkeypatch.setattr(clock, "now", lambda: world.now + world.error)
    return world


def hourly(world, name="Backup", schedule="0 * * * *", **more):
    """A task that has been in the crontab for a long time."""
    with world.at(DAY - timedelta(days=9)):
        return create(world.environment, name, schedule, **more)


def misses(world):
    return [
        (run.task_name, run.started_at, run.ended_at, run.missed, run.note)
        for run in reversed(history.runs(world.environment, kind="Missed"))
    ]


def notices_of(world):
    with database.session(world.environment) as session:
        return list(session.scalars(select(NoticeRow.message).order_by(NoticeRow.id)))


def test_what_ran_is_not_missed_and_a_quiet_minute_writes_nothing(world):
    task = hourly(world)
    world.judge()
    world.ran(task, at("01:00", 1))
    world.judge(minutes=65)
    with database.session(world.environment) as session:
        before = session.scalar(text("select max(xmin::text::bigint) from state"))
    for _ in range(20):
        world.judge(minutes=1)
    with database.session(world.environment) as session:
        assert session.scalar(text("select max(xmin::text::bigint) from state")) == before
    assert misses(world) == notices_of(world) == []


def test_misses_in_a_row_are_one_run_one_notice_and_the_tasks_status(world):
    task = hourly(world)
    world.judge()
    world.ran(task, at("01:00", 1))
    for _ in range(5 * 6):
        world.judge(minutes=10)
    note = "not started by cron, for an unknown reason"
    assert misses(world) == [("Backup", at("02:00"), at("03:00"), 2, note)]
    assert notices_of(world) == ["Not started by cron, for an unknown reason: Backup was missed."]
    assert tasks.get(world.environment, task.id).status == "missed"


def test_a_pitasker_that_starts_anew_tells_nothing_twice(world):
    hourly(world)
    world.judge()
    world.judge(minutes=250)
    before = misses(world)
    assert before[0][3] == 4 - 1
    for _ in range(3):
        world.start()
        world.judge()
    assert misses(world) == before
    assert len(notices_of(world)) == 1


def test_what_could_not_be_written_is_judged_again(world, monkeypatch):
    hourly(world)
    world.judge()
    with monkeypatch.context() as broken:
        broken.setattr(notices, "add", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            world.judge(minutes=130)
    assert misses(world) == []
    world.judge(minutes=1)
    assert misses(world)[0][1] == at("01:00")
    assert len(notices_of(world)) == 1


def test_a_dead_cron_is_the_reason_at_once(world, monkeypatch):
    hourly(world)
    world.judge()
    monkeypatch.setattr(watch.cron_daemon, "is_alive", lambda: False)
    world.judge(minutes=63)
    world.judge(minutes=60)
    assert misses(world) == [("Backup", at("01:00"), at("02:00"), 2, "cron was not running")]


def test_a_cron_that_started_long_after_the_boot_was_not_running_until_then(world):
    hourly(world)
    world.judge()
    world.ups = ((at("00:30"), at("01:15")),)
    world.judge(minutes=80)
    assert misses(world) == [("Backup", at("01:00"), at("01:00"), 1, "cron was not running")]


def test_a_late_start_is_told_as_late_with_its_run(world):
    task = hourly(world)
    world.judge()
    world.judge(minutes=10)
    world.ran(task, at("01:12", 1))
    world.judge(minutes=65)
    (run,) = history.runs(world.environment)
    assert (run.state, run.result) == ("started", "started 12 min late")


def test_a_run_that_starts_beside_the_one_before_it_is_told_so(world):
    task = hourly(world)
    ends = {"source": "recorded", "exit_code": 0}
    world.ran(task, at("01:00"), ended_at=at("02:20"), **ends)
    world.ran(task, at("02:00"), ended_at=at("02:10"), **ends)
    skipped = {"exit_code": recorder.OVERLAPS, "note": spool.SKIPPED, "missed": 1}
    world.ran(task, at("02:01"), ended_at=at("02:01"), **ends | skipped)
    world.ran(task, at("03:00"), **ends | {"exit_code": None})
    world.ran(task, at("04:00"), source="observed")
    results = [(run.overlaps, run.result) for run in reversed(history.runs(world.environment))]
    assert results == [
        (False, "success"),
        (True, "success, overlapping the previous run"),
        (False, f"missed: {spool.SKIPPED}"),
        (False, "running"),
        (True, "ran, result not recorded, overlapping the previous run"),
    ]


def test_nothing_is_claimed_of_a_time_of_which_the_log_is_gone(world):
    hourly(world)
    world.judge()
    world.holes = ((at("00:30"), at("03:30")),)
    world.judge(minutes=330)
    assert [(first, last) for _, first, last, _, _ in misses(world)] == [(at("04:00"), at("04:00"))]


def test_nothing_is_claimed_of_a_time_of_which_records_are_gone(world, monkeypatch):
    hourly(world, record_runs=True)
    world.judge()
    monkeypatch.setattr(spool, "holes", lambda *_: [(at("00:30"), at("03:30"))])
    world.judge(minutes=330)
    assert [(first, last) for _, first, last, _, _ in misses(world)] == [(at("04:00"), at("04:00"))]


def test_one_off_time_is_one_notice_and_what_was_missed_by_it_is_offered(world):
    task, other = hourly(world), hourly(world, "Update", "30 5 * * *")
    hourly(world, "Paused", "30 5 * * *", paused=True)
    hourly(world, "Weekly", "0 12 * * 0")
    world.judge()
    for hour in (1, 2):
        world.ran(task, at(f"0{hour}:00", 1))
    for _ in range(13):
        world.judge(minutes=10)
    world.boot(minutes=330)
    world.judge(minutes=3)
    note = "the machine was off from 02:10 to 07:40"
    assert sorted(misses(world)) == [
        ("Backup", at("03:00"), at("07:00"), 5, note),
        ("Update", at("05:30"), at("05:30"), 1, note),
    ]
    message = "The machine was off from 02:10 to 07:40: Backup and Update were missed."
    assert notices_of(world) == [message]
    offer = catch_up.offers(world.environment)
    assert offer.message == message
    assert [(missed.task, missed.times) for missed in offer.missed] == [(task.id, 5), (other.id, 1)]
    world.ran(task, at("08:00", 1))
    world.judge(minutes=20)
    assert [missed.name for missed in catch_up.offers(world.environment).missed] == ["Update"]
    assert len(misses(world)) == 2


def test_what_was_missed_on_another_day_is_offered_with_its_weekday(world):
    task = hourly(world)
    world.judge()
    world.ran(task, at("01:00", 1))
    for _ in range(7):
        world.judge(minutes=10)
    world.boot(minutes=330)
    world.judge(minutes=3)
    world.now += timedelta(days=1)
    message = catch_up.offers(world.environment).message
    assert message.startswith(f"On {at('03:00'):%A}, the machine was off from ")


def test_nothing_is_claimed_of_a_time_that_nobody_saw(world):
    hourly(world)
    recorded = hourly(world, "Recorded", record_runs=True)
    world.judge(log=False)
    world.judge(minutes=130, log=False)
    assert [name for name, *_ in misses(world)] == ["Recorded"]
    world.seen_since = world.now
    world.judge(minutes=1)
    assert [name for name, *_ in misses(world)] == [recorded.name]


def test_a_pitasker_that_was_stopped_does_not_know_when_the_machine_went_off(world, monkeypatch):
    monkeypatch.setattr(machine, "_is_going_off", lambda: False)
    hourly(world)
    world.judge()
    world.watch.stop()
    world.boot(minutes=400)
    world.seen_since = world.now
    world.judge(minutes=3)
    assert misses(world) == []


def test_what_was_changed_since_is_judged_from_then_on(world):
    hourly(world)
    with world.at(at("00:50")):
        create(world.environment, "New", "*/5 * * * *")
    world.judge()
    world.judge(minutes=125)
    assert next(miss for miss in misses(world) if miss[0] == "New")[1] == at("00:55")


def edit_by_hand(world, crontab, old, new, when=None):
    """Change the crontab with `crontab -e`. `when` is the time in cron's log."""
    crontab.write(crontab.read().replace(old, new))
    if when:
        with database.session(world.environment) as session:
            session.add(EventRow(at=when, actor=Actor.CRON_LOG, kind="edited by crontab -e"))


def sync(world):
    return service.sync(world.environment, service.Request(Actor.BACKGROUND))


@pytest.mark.parametrize(
    ("logged", "times"),
    [
        (at("03:40"), ["01:00", "02:00", "03:00", "04:30", "05:30", "06:30"]),
        (None, ["06:30"]),
    ],
)
def test_a_schedule_changed_while_pitasker_was_off_is_judged_by_what_the_crontab_said_then(
    world, crontab, logged, times
):
    hourly(world)
    world.judge()
    edit_by_hand(world, crontab, b"0 * * * *", b"30 * * * *", logged)
    world.start()
    world.now = at("06:00")
    sync(world)
    world.judge()
    world.judge(minutes=100)
    assert [time for run in misses(world) for time in (run[1], run[2])] == [
        at(time) for time in ([times[0], times[-1]] if logged else [times[0]] * 2)
    ]
    assert sum(run[3] for run in misses(world)) == len(times)


def test_a_miss_is_told_although_the_task_was_changed_before_it_was_certain(world):
    task = hourly(world)
    world.judge()
    world.judge(minutes=70)
    tasks.change(world.environment, ME, task.id, schedule="*/30 * * * *")
    world.ran(task, at("01:30", 1))
    world.judge(minutes=70)
    assert [(run[1], run[2]) for run in misses(world)] == [(at("01:00"), at("01:00"))]


def test_an_entry_that_another_tool_rewrote_without_its_tag_is_not_missed(world, crontab):
    task = hourly(world)
    world.judge()
    tag = f" # PITASKER_ID:{task.tag}".encode()
    edit_by_hand(world, crontab, tag, b"")
    assert sync(world).plan.conflicts
    world.judge(minutes=1)
    world.judge(minutes=300)
    assert misses(world) == notices_of(world) == []


def test_while_a_conflict_waits_the_crontabs_schedule_counts(world, crontab):
    task = hourly(world, schedule="0 9 * * *")
    world.judge()
    edit_by_hand(world, crontab, b"0 9 * * *", b"0 2 * * *")
    with database.session(world.environment) as session:
        session.execute(
            update(TaskRow).where(TaskRow.id == task.id).values(cron_schedule="0 1 * * *")
        )
    assert sync(world).plan.conflicts
    world.judge(minutes=1)
    world.judge(minutes=240)
    assert [(run[1], run[2]) for run in misses(world)] == [(at("02:00"), at("02:00"))]


def test_nothing_is_claimed_while_the_crontab_is_another_than_the_one_that_was_synced(
    world, crontab
):
    hourly(world)
    world.judge()
    edit_by_hand(world, crontab, b"0 * * * *", b"30 * * * *")
    world.judge(minutes=300)
    assert misses(world) == []


def test_one_notice_names_a_task_once(world):
    task = hourly(world)
    world.judge()
    world.ran(task, at("02:00", 1))
    world.judge(minutes=310)
    assert len(misses(world)) == 2
    assert notices_of(world) == ["Not started by cron, for an unknown reason: Backup was missed."]


@pytest.mark.parametrize("hours", [5, -5])
def test_a_clock_that_is_set_is_no_storm_of_misses(world, hours):
    hourly(world, schedule="* * * * *")
    world.judge()
    world.error = timedelta(hours=hours)
    world.judge(minutes=1)
    world.ran(tasks.listing(world.environment).tasks[0], world.now + world.error)
    world.judge(minutes=1)
    world.start()
    world.judge(minutes=1)
    assert misses(world) == []


def test_nothing_is_judged_until_a_machine_without_a_battery_clock_knows_the_time(world):
    task = hourly(world)
    world.judge()
    for _ in range(13):
        world.judge(minutes=10)
        if world.now in (at("01:10"), at("02:10")):
            world.ran(task, world.now - timedelta(minutes=10))
    # Switch off for 5.5 hours. The clock continues where it stopped until it is set.
    world.boot(minutes=330)
    world.error, world.trusted = -timedelta(minutes=330), False
    for _ in range(3):
        world.judge(minutes=1)
    world.error, world.trusted = timedelta(0), True
    world.judge(minutes=1)
    assert misses(world) == [
        ("Backup", at("03:00"), at("07:00"), 5, "the machine was off from 02:10 to 07:40")
    ]
    world.judge(minutes=2)
    assert len(notices_of(world)) == 1


def test_sleep_is_told_as_sleep(world):
    hourly(world)
    world.judge()
    world.asleep = timedelta(hours=3)
    world.judge(minutes=185)
    ((_, first, last, count, note),) = misses(world)
    assert (first, last, count) == (at("01:00"), at("03:00"), 3)
    assert note == "the machine was asleep from 00:00 to 03:05"


@pytest.mark.parametrize("starts", [True, False])
def test_a_task_of_reboot_is_expected_once_a_boot(world, starts):
    task = hourly(world, schedule="@reboot")
    world.judge()
    world.boot(minutes=60)
    if starts:
        world.ran(task, world.now + timedelta(seconds=20))
    for _ in range(14):
        world.judge(minutes=5)
    world.start()
    world.judge(minutes=60)
    assert [(name, first) for name, first, *_ in misses(world)] == (
        [] if starts else [("Backup", at("01:00"))]
    )


@pytest.mark.parametrize(("catch_up", "count"), [(True, 1), (False, 0)])
def test_runs_missed_while_off_are_caught_up_once_if_the_task_asks_for_it(
    world, monkeypatch, catch_up, count
):
    started = []
    monkeypatch.setattr(
        manual, "start", lambda _, actor, task, by: started.append((actor, task.name, by))
    )
    hourly(world, catch_up=catch_up)
    reboot = hourly(world, "Hello", "@reboot", catch_up=True)
    world.judge()
    world.boot(minutes=400)
    world.ran(reboot, world.now + timedelta(seconds=20))
    world.judge(minutes=1)
    assert started == []
    for _ in range(5):
        world.judge(minutes=2)
    assert started == count * [("catch up", "Backup", "catchup")]


def test_a_caught_up_run_is_called_so(environment, crontab):
    task = create(environment, command="echo made up")
    name = manual.start(environment, "catch up", task, by="catchup")

    def ended():
        spool.collect(environment)
        return (run := history.named(environment, name)) and run.state != "running"

    until(ended)
    run = history.named(environment, name)
    assert (run.source, run.state) == ("caught up", "success")
    assert audit.listing(environment, 1)[0].kind == "caught up"


def test_what_has_run_again_since_needs_no_making_up(world, monkeypatch):
    monkeypatch.setattr(manual, "start", lambda *_, **__: pytest.fail("started"))
    task = hourly(world, catch_up=True)
    world.judge()
    world.boot(minutes=419)
    world.ran(task, at("07:00", 1))
    for _ in range(5):
        world.judge(minutes=1)
    assert misses(world)


def test_a_demo_is_not_run_by_cron(world):
    hourly(world)
    world.environment = replace(world.environment, demo=True)
    world.start()
    world.judge()
    world.judge(minutes=200)
    assert misses(world) == []
