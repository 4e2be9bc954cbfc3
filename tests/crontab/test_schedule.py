"""What a schedule means: its validity in words, its next runs over changes of the clock, and its
description. `test_schedule_against_cron.py` holds the grammar against the real cron."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from pitasker_core.crontab.calendar import next_runs
from pitasker_core.crontab.schedule import (
    Dialect,
    InvalidSchedule,
    Schedule,
    describe,
    parse,
    suggest,
)

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
NICKNAMES = "@reboot, @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly"
START = datetime(2026, 1, 1, tzinfo=UTC)


def refusal(text: str, dialect: Dialect = Dialect.DEBIAN) -> InvalidSchedule:
    with pytest.raises(InvalidSchedule) as caught:
        parse(text, dialect)
    return caught.value


def runs(text: str, after: str, zone: ZoneInfo, count: int) -> list[str]:
    """Return the runs after a local time as local times with their offset."""
    start = datetime.fromisoformat(after).replace(tzinfo=zone)
    return [f"{run:%d %H:%M %z}" for run in next_runs(parse(text), start, zone, count)]


@pytest.mark.parametrize(
    ("text", "message", "suggestion"),
    [
        ("61 * * * *", "minute must be 0 to 59", None),
        ("60 * * * *", "minute must be 0 to 59", "0 * * * *"),
        ("* * * *", "four fields: a schedule has five", "* * * * *"),
        ("* * * * * *", "six fields: a schedule has five", "* * * * *"),
        ("0 25 * * *", "hour must be 0 to 23", "25 0 * * *"),
        ("0 24 * * *", "hour must be 0 to 23", "0 0 * * *"),
        ("0 0 32 * *", "day of month must be 1 to 31", None),
        ("0 0 * 13 *", "month must be 1 to 12 or jan to dec", None),
        ("0 0 * * 8", "day of week must be 0 to 7 or sun to sat", None),
        ("0 9 * * monday", "day of week must be 0 to 7 or sun to sat, not 'monday'", "0 9 * * mon"),
        ("0 9 * * MONN", "day of week must be 0 to 7 or sun to sat, not 'MONN'", "0 9 * * mon"),
        ("5/10 * * * *", "minute: a step needs * or a range before it", "5-59/10 * * * *"),
        ("*/0 * * * *", "minute: a step cannot be 0", "* * * * *"),
        ("1,,2 * * * *", "minute: a value is missing next to a comma", "1,2 * * * *"),
        ("@daily x", "@daily stands alone: nothing may follow it", "@daily"),
        ("0 0 1 1 ? 2030", "six fields: a schedule has five", None),
        ("@noon", f"@noon is not one of cron's nicknames: {NICKNAMES}", "0 12 * * *"),
        ("@every 5m", f"@every is not one of cron's nicknames: {NICKNAMES}", "*/5 * * * *"),
        ("", "the schedule is empty", None),
        ("0 0 * * *\n* * * * *", "a schedule is one line", "0 0 * * *"),
        (" 0 0 * * *", "a schedule has no blanks before or after it", "0 0 * * *"),
    ],
)
def test_a_refusal_names_the_piece_and_suggests_what_was_probably_meant(
    text: str, message: str, suggestion: str | None
) -> None:
    problem = refusal(text)
    assert (problem.message, problem.suggestion) == (message, suggestion)


@pytest.mark.parametrize(
    ("words", "schedule"),
    [
        ("every day", "@daily"),
        ("every 5 minutes", "*/5 * * * *"),
        ("every monday at 9", "0 9 * * 1"),
        ("weekdays at 7:30", "30 7 * * 1-5"),
        ("at noon", "0 12 * * *"),
        ("at 11 pm", "0 23 * * *"),
        ("on the 15th of every month", "0 0 15 * *"),
        ("at reboot", "@reboot"),
        ("every 45 minutes", None),
        ("whenever it rains", None),
        ("at 9:00 in Tokyo", None),
    ],
)
def test_words_get_the_schedule_they_mean_or_none(words: str, schedule: str | None) -> None:
    assert refusal(words).message.startswith("cron does not read words")
    assert suggest(words) == schedule


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("22-2 * * * *", "minute: the range '22-2' runs backward and selects nothing"),
        ("0 0 * * sat-sun", "day of week: the range 'sat-sun' runs backward and selects nothing"),
        (
            "*/100 * * * *",
            "minute: the step of '*/100' is so large that it selects only 0",
        ),
        ("5~10 * * * *", "minute: cron ignores '~10' after '5'"),
        ("0 0 31 2 *", "31 February never comes"),
        ("0 0 31 4,6 *", "31 April or 31 June never comes"),
    ],
)
def test_what_cron_takes_but_nobody_means_is_a_warning(text: str, warning: str) -> None:
    assert parse(text).warnings == (warning,)


@pytest.mark.parametrize("text", ["4294967301 * * * *", "*/4294967297 * * * *"])
def test_a_number_that_wraps_in_cron_is_refused(text: str) -> None:
    assert refusal(text).field == "minute"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0 0 * * fri-sun", (0, 5, 6)),
        ("0 0 * * 5-0", (0, 5, 6)),
        ("0 0 * * fri-sun/2", ()),
        ("0 0 * * 1-5", (1, 2, 3, 4, 5)),
    ],
)
def test_cronie_ends_the_week_with_sunday(text: str, values: tuple[int, ...]) -> None:
    assert parse(text, Dialect.CRONIE).weekdays == values


def test_cronie_draws_times_at_random_so_none_is_foretold() -> None:
    schedule = parse("0~59 3 * * *", Dialect.CRONIE)
    assert schedule.random
    assert next_runs(schedule, START, UTC, 1) == []
    assert describe(schedule) == "At a time that cron picks at random"


@pytest.mark.parametrize("text", ["1:30 * * * *", "*5 * * * *", "0 0 * * 5#3", "0~9/2 * * * *"])
def test_cronie_refuses_junk_that_debian_skips(text: str) -> None:
    assert parse(text).warnings
    assert refusal(text, Dialect.CRONIE)


# --- Next runs -----------------------------------------------------------------------------------


def minutes_from(start: datetime) -> Iterator[datetime]:
    while True:
        start += timedelta(minutes=1)
        yield start


def cron_would_run(schedule: Schedule, at: datetime) -> bool:
    """Cron's test of a minute, as crontab(5) describes it."""
    weekday = (at.weekday() + 1) % 7
    day, week = at.day in schedule.days, weekday in schedule.weekdays
    return (
        at.minute in schedule.minutes
        and at.hour in schedule.hours
        and at.month in schedule.months
        and ((day and week) if schedule.both_must_match else (day or week))
    )


@pytest.mark.parametrize(
    "text",
    [
        "0 0 */2 * 1",  # begins with a star: odd days that are Mondays
        "0 0 1-31/2 * 1",  # does not: odd days, and Mondays
        "0 0 5,* * 1",
        "0 0 *,5 * 1",
        "0 0 1-31 * 1",
        "0 0 13 * 5",
        "0 0 13 * 0-7",
        "0 0 13 * 6-5",
        "0 0 31 2 1",  # 31 February never comes, Mondays do
        "15 3 1-7 * *",
        "*/17 5 * * 1-5",
        "0-0 0 1 * *",
        "0 0 1 * 6-6",
        "007 01 * jan-mar sun,3",
        "@weekly",
        "@monthly",
    ],
)
def test_the_next_runs_are_the_minutes_that_cron_would_choose(text: str) -> None:
    schedule = parse(text)
    runs = next_runs(schedule, START, UTC, 8)
    expected = []
    for at in minutes_from(START):
        if cron_would_run(schedule, at):
            expected.append(at)
        if len(expected) == 8:
            break
    assert runs == expected


def test_the_next_runs_end_with_the_time_that_was_asked_for() -> None:
    schedule = parse("0 */6 * * *")
    runs = next_runs(schedule, START, UTC, 8)
    assert next_runs(schedule, START, UTC, 8, until=runs[2]) == runs[:3]
    assert next_runs(schedule, START, UTC, 2, until=runs[2]) == runs[:2]
    assert next_runs(schedule, START, UTC, 8, until=START) == []


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    # cronsim reads N-N as more than N: see the test above for those.
    span = (
        st.lists(number, min_size=2, max_size=2, unique=True)
        .map(sorted)
        .map(lambda two: f"{two[0]}-{two[1]}")
    )
    stepped = st.tuples(st.one_of(st.just("*"), span), st.integers(1, 12)).map(
        "{0[0]}/{0[1]}".format
    )
    return st.lists(
        st.one_of(number.map(str), span, stepped, st.just("*")), min_size=1, max_size=3
    ).map(",".join)


@given(
    st.tuples(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6)).map(" ".join),
    st.integers(0, 16 * 366 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes)),
)
def test_the_next_runs_agree_with_an_independent_calendar(text: str, start: datetime) -> None:
    schedule = parse(text)
    runs = next_runs(schedule, start, UTC, 5)
    calendar = CronSim(text, start)
    assert runs == [next(calendar) for _ in runs]
    assert len(runs) == 5


@pytest.mark.parametrize(
    ("text", "after", "zone", "expected"),
    [
        # The clock jumps from 02:00 to 03:00. A fixed time in the lost hour runs right after it.
        (
            "30 2 * * *",
            "2026-03-28 12:00",
            BERLIN,
            ["29 03:00 +0200", "30 02:30 +0200"],
        ),
        ("30 2 * * *", "2026-03-07 12:00", NEW_YORK, ["08 03:00 -0400", "09 02:30 -0400"]),
        # A wildcard job in the lost hour does not run that day.
        ("*/30 2 * * *", "2026-03-28 12:00", BERLIN, ["30 02:00 +0200", "30 02:30 +0200"]),
        # `30 0-23` is fixed and catches up. `30 *` is not fixed and does not catch up.
        (
            "30 0-23 * * *",
            "2026-03-29 01:00",
            BERLIN,
            ["29 01:30 +0100", "29 03:00 +0200", "29 03:30 +0200"],
        ),
        ("30 * * * *", "2026-03-29 01:00", BERLIN, ["29 01:30 +0100", "29 03:30 +0200"]),
        # The hour from 02:00 comes twice. A fixed time runs once, a wildcard job twice.
        ("30 2 * * *", "2026-10-24 12:00", BERLIN, ["25 02:30 +0200", "26 02:30 +0100"]),
        ("30 1 * * *", "2026-10-31 12:00", NEW_YORK, ["01 01:30 -0400", "02 01:30 -0500"]),
        (
            "*/30 2 * * *",
            "2026-10-24 12:00",
            BERLIN,
            ["25 02:00 +0200", "25 02:30 +0200", "25 02:00 +0100", "25 02:30 +0100"],
        ),
        (
            "@hourly",
            "2026-10-25 01:30",
            BERLIN,
            ["25 02:00 +0200", "25 02:00 +0100", "25 03:00 +0100"],
        ),
    ],
)
def test_over_a_change_of_the_clock_the_runs_are_those_cron_makes(
    text: str, after: str, zone: ZoneInfo, expected: list[str]
) -> None:
    assert runs(text, after, zone, len(expected)) == expected


def test_inside_the_second_pass_of_an_hour_the_first_pass_is_over() -> None:
    after = datetime(2026, 10, 25, 2, 10, tzinfo=BERLIN, fold=1)
    assert next_runs(parse("*/30 2 * * *"), after, BERLIN, 1) == [
        datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1)
    ]


@pytest.mark.parametrize("text", ["@reboot", "0 0 31 2 *", "22-2 * * * *", "0 0 */2 * 6-5"])
def test_what_never_comes_by_the_clock_has_no_next_run(text: str) -> None:
    assert next_runs(parse(text), START, UTC, 3) == []


def test_a_leap_day_is_found_years_ahead() -> None:
    assert next_runs(parse("0 0 29 2 *"), START, UTC, 2) == [
        datetime(2028, 2, 29, tzinfo=UTC),
        datetime(2032, 2, 29, tzinfo=UTC),
    ]


# --- In words ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 2 * * *", "Every day at 02:00"),
        ("17 3 * * 1", "Mondays at 03:17"),
        ("*/15 * * * *", "Every 15 minutes"),
        ("0 9 * * 1-5", "Monday to Friday at 09:00"),
        ("@reboot", "At system start"),
        ("@daily", "Every day at 00:00"),
        ("22-2 * * * *", "Never"),
        # Schedules that cron-descriptor would describe wrongly.
        ("0 0 */2 * 1", "but only on Mondays"),
        ("0 0 13 * 5", "On the 13th of every month and on every Friday at 00:00"),
        ("*/100 * * * *", "Every hour"),
    ],
)
def test_a_schedule_in_words_says_what_happens(text: str, words: str) -> None:
    assert words in describe(parse(text))


def test_uneven_steps_are_not_called_every() -> None:
    assert "Every 7 minutes" not in describe(parse("*/7 * * * *"))


@given(st.text(alphabet=" \t0123456789*/,-~@#?LabcmonjanMTW\n\0é", max_size=60))
def test_any_text_is_a_schedule_or_gets_a_reason(text: str) -> None:
    for dialect in Dialect:
        try:
            schedule = parse(text, dialect)
        except InvalidSchedule as problem:
            said, better = problem.message, problem.suggestion
        else:
            said, better = describe(schedule), None
        assert said
        assert better is None or parse(better)


@pytest.mark.parametrize(
    "text", ["1" * 100_000 + " * * * *", "a" * 100_000, "1," * 50_000 + " * * * *", "* " * 50_000]
)
def test_an_absurdly_long_text_is_refused(text: str) -> None:
    assert refusal(text).message
