"""English phrases and their schedules. `phrases.csv` is the published table."""

import csv
import itertools
import subprocess
import time
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pitasker_core.crontab.phrases import LONGEST, Kind, read
from pitasker_core.crontab.phrases.vocabulary import MONTH_NAMES, WEEKDAY_NAMES, WORDS
from pitasker_core.crontab.schedule import Schedule, meaning, parse

TABLE = list(csv.DictReader((Path(__file__).parent / "phrases.csv").read_text().splitlines()))
OWN_KINDS = (Kind.EXACT, Kind.CORRECTED)


def starts(schedule: Schedule) -> set[tuple[int, int]]:
    return {(hour, minute) for hour in schedule.hours for minute in schedule.minutes}


def test_the_table_has_at_least_two_hundred_phrases_of_each_kind_some() -> None:
    assert len(TABLE) >= 200
    assert {row["kind"] for row in TABLE} == {kind.value for kind in Kind}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["phrase"])
def test_a_phrase_gets_the_schedules_of_the_table(row: dict[str, str]) -> None:
    reading = read(row["phrase"])
    schedules = reading.together or [offer.schedule for offer in reading.offers]
    assert (reading.kind.value, " | ".join(schedules), reading.place) == (
        row["kind"],
        row["schedules"],
        row["place"],
    )


def test_each_offer_is_a_schedule_without_warnings() -> None:
    readings = [read(row["phrase"]) for row in TABLE]
    for reading in readings:
        for schedule in [*reading.together, *(offer.schedule for offer in reading.offers)]:
            assert parse(schedule).warnings == ()


def test_what_is_no_exact_schedule_has_a_reason_and_mostly_a_way() -> None:
    for row in TABLE:
        reading = read(row["phrase"])
        assert bool(reading.reason) == (reading.kind not in OWN_KINDS), row
        if reading.kind in (Kind.SEVERAL, Kind.NEAREST, Kind.ONCE):
            assert reading.usual_way, row


@pytest.mark.parametrize("count", [40, 45, 90, 96, 160])
def test_several_schedules_together_run_at_an_interval_that_no_hour_divides(count: int) -> None:
    schedules = [parse(text) for text in read(f"every {count} minutes").together]
    expected = {divmod(minute, 60) for minute in range(0, 1440, count)}
    assert set().union(*map(starts, schedules)) == expected
    assert sum(len(starts(schedule)) for schedule in schedules) == len(expected)


def test_a_date_that_may_be_two_offers_both() -> None:
    reading = read("03/04")
    assert [offer.meaning for offer in reading.offers] == ["3 April", "4 March"]
    assert "3 April, or 4 March" in reading.reason


def test_every_second_tuesday_has_a_test_for_each_of_its_meanings() -> None:
    second, other = read("every second Tuesday").offers
    assert "-eq 2" in second.command_test
    assert "/ 7" in other.command_test


def test_a_correction_is_said() -> None:
    assert read("mondey at 9").notes == ("“mondey” is read as “Monday”.",)


def test_an_unknown_word_is_named() -> None:
    assert read("run backup at 3").reason == "“backup” is not understood here."


def test_at_1_is_given_its_time() -> None:
    assert read("in 10 minutes").usual_way.endswith("at now + 10 minutes")
    assert read("tomorrow at 5pm").usual_way.endswith("at 17:00 tomorrow")
    assert read("on 3 may 2027 at 8").usual_way.endswith("at 08:00 May 3 2027")


# --- Tests in the command, run by the real shell -------------------------------------------------

FAKE_DATE = """#!/bin/sh
case "$1" in
-ud) exec /bin/date "$@" ;;
-d) exec /bin/date -d "$TODAY $2" "$3" ;;
*) exec /bin/date -d "$TODAY 12:00" "$@" ;;
esac
"""
START = date(2027, 1, 25)


def is_last(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1


def days_by_test(phrase: str, folder: Path, index: int = 0) -> list[date]:
    """Return the days on which the schedule runs and its test lets the command run."""
    offer = read(phrase).offers[index]
    schedule = parse(offer.schedule)
    days = [START + timedelta(days=number) for number in range(70)]
    days = [
        day
        for day in days
        if day.month in schedule.months
        and day.day in schedule.days
        and day.isoweekday() % 7 in schedule.weekdays
    ]
    assert offer.command_test
    program = folder / "date"
    program.write_text(FAKE_DATE)
    program.chmod(0o700)
    test = offer.command_test.replace("\\%", "%")
    loop = "\n".join(f"(TODAY={day}; export TODAY; {test}echo {day})" for day in days)
    done = subprocess.run(
        ["/bin/sh", "-c", f"PATH={folder}:$PATH\n{loop}"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [date.fromisoformat(line) for line in done.stdout.split()]


@pytest.mark.parametrize(
    ("phrase", "is_meant"),
    [
        ("last day of the month", is_last),
        ("second Tuesday of the month", lambda day: day.weekday() == 1 and 7 < day.day < 15),
        ("last Friday", lambda day: day.weekday() == 4 and (day + timedelta(days=7)).day < 8),
        (
            "first working day of the month",
            lambda day: (
                day.weekday() < 5
                and all((day - timedelta(n)).weekday() > 4 for n in range(1, day.day))
            ),
        ),
        (
            "last working day of the month",
            lambda day: (
                day.weekday() < 5
                and not any(
                    (day + timedelta(n)).month == day.month and (day + timedelta(n)).weekday() < 5
                    for n in range(1, 4)
                )
            ),
        ),
        ("friday the 13th", lambda day: day.weekday() == 4 and day.day == 13),
    ],
)
def test_the_test_in_the_command_picks_the_days_that_are_meant(
    phrase: str, is_meant: object, tmp_path: Path
) -> None:
    assert callable(is_meant)
    expected = [day for number in range(70) if is_meant(day := START + timedelta(days=number))]
    assert days_by_test(phrase, tmp_path) == expected


def test_every_other_monday_is_fourteen_days_apart(tmp_path: Path) -> None:
    days = days_by_test("every other monday", tmp_path)
    assert {later - earlier for earlier, later in itertools.pairwise(days)} == {timedelta(days=14)}
    assert {day.weekday() for day in days} == {0}


# --- Any text -------------------------------------------------------------------------------------

WORD_LIST = sorted(WORDS)


@given(
    st.one_of(
        st.text(max_size=300),
        st.lists(st.one_of(st.sampled_from(WORD_LIST), st.from_regex(r"[0-9:/.,-]{1,5}"))).map(
            " ".join
        ),
    )
)
def test_any_text_gets_valid_schedules_or_a_reason(text: str) -> None:
    reading = read(text)
    assert reading.offers or reading.reason
    for schedule in [*reading.together, *(offer.schedule for offer in reading.offers)]:
        assert parse(schedule).warnings == ()


@pytest.mark.parametrize(
    "piece",
    [
        "every ",
        "1,",
        "1-",
        "at ",
        "the a ",
        "in the ",
        "between 1 ",
        "monn tusday ",
        "9 to ",
        "1st and ",
        "1, 2, … ",
        "03/04 ",
        "mondays, 1st, ",
        "xxxxx ",
        "half past ",
        "@",
        "5 5",
    ],
)
def test_a_text_of_the_greatest_length_takes_no_time(piece: str) -> None:
    text = (piece * LONGEST)[:LONGEST]
    start = time.process_time()
    assert read(text)
    assert time.process_time() - start < 0.2


def test_a_longer_text_is_not_read() -> None:
    assert read("a" * 1_000_000).kind is Kind.UNKNOWN


# --- The same parts in other words and in another order -------------------------------------------

TIME_FORMS = [
    lambda hour, minute: f"at {hour}:{minute:02}",
    lambda hour, minute: f"at {hour:02}.{minute:02}",
    lambda hour, minute: f"{hour:02}:{minute:02}",
    lambda hour, minute: f"{hour % 12 or 12}:{minute:02}{'am' if hour < 12 else 'pm'}",
    lambda hour, minute: f"at {hour % 12 or 12}:{minute:02} {'a.m.' if hour < 12 else 'p.m.'}",
]
NAME_FORMS = [
    lambda name: name,
    lambda name: name.lower(),
    lambda name: name[:3].upper(),
    lambda name: name + "s",
]


@st.composite
def parts(draw: st.DrawFn) -> tuple[list[str], str]:
    """Parts of a phrase, and the schedule that they mean in every order."""
    hour, minute = draw(st.integers(0, 23)), draw(st.integers(0, 59))
    weekdays = sorted(draw(st.sets(st.integers(1, 7), min_size=1, max_size=3)))
    form = draw(st.sampled_from(NAME_FORMS))
    names = [form(WEEKDAY_NAMES[day % 7]) for day in weekdays]
    listed = ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]
    pieces = [draw(st.sampled_from(TIME_FORMS))(hour, minute)]
    pieces.append(draw(st.sampled_from(["on ", "every ", ""])) + listed)
    months = sorted(draw(st.sets(st.integers(1, 12), max_size=2)))
    if months:
        pieces.append("in " + " and ".join(MONTH_NAMES[month - 1] for month in months))
    month_field = ",".join(map(str, months)) or "*"
    weekday_field = ",".join(str(day % 7) for day in weekdays)
    order = draw(st.permutations(pieces))
    return list(order), f"{minute} {hour} * {month_field} {weekday_field}"


@settings(deadline=None)
@given(parts())
def test_the_order_of_the_parts_does_not_matter(example: tuple[list[str], str]) -> None:
    pieces, schedule = example
    reading = read(" ".join(pieces))
    assert reading.kind is Kind.EXACT, reading
    assert meaning(parse(reading.offers[0].schedule)) == meaning(parse(schedule))
