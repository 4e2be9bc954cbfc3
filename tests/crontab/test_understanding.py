"""The answer to a text that a person typed as a schedule."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pitasker_core.crontab.schedule import Dialect, parse
from pitasker_core.crontab.understanding import understand
from tests.crontab.test_phrases import TABLE

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 26, 21, 30, tzinfo=UTC)


def test_words_get_a_schedule_its_description_and_the_next_five_runs() -> None:
    answer = understand("every weekday at 7:30", BERLIN, NOW)
    assert (answer.schedule, answer.is_schedule) == ("30 7 * * 1-5", False)
    assert answer.description == "Monday to Friday at 07:30"
    assert [f"{run:%a %d %H:%M %Z}" for run in answer.runs] == [
        "Fri 27 07:30 CET",
        "Mon 30 07:30 CET",
        "Tue 01 07:30 CET",
        "Wed 02 07:30 CET",
        "Thu 03 07:30 CET",
    ]


def test_a_schedule_is_described_as_it_is() -> None:
    answer = understand(" 007 3 * * mon ", BERLIN, NOW)
    assert (answer.schedule, answer.is_schedule) == ("007 3 * * mon", True)
    assert (answer.description, answer.suggestions) == ("Mondays at 03:07", ())


def test_what_cron_cannot_say_has_no_schedule_but_the_nearest_and_its_test() -> None:
    answer = understand("last day of the month at 23:00", BERLIN, NOW)
    assert (answer.schedule, answer.runs) == (None, ())
    [nearest] = answer.suggestions
    assert (nearest.schedule, "date -d tomorrow" in nearest.command_test) == (
        "0 23 28-31 * *",
        True,
    )
    assert answer.reason
    assert nearest.command_test in answer.usual_way


def test_several_meanings_are_suggestions_with_their_names() -> None:
    answer = understand("03/04 at 10:00", BERLIN, NOW)
    assert [(s.schedule, s.meaning) for s in answer.suggestions] == [
        ("0 10 3 4 *", "3 April"),
        ("0 10 4 3 *", "4 March"),
    ]


@pytest.mark.parametrize(
    ("text", "reason", "suggestion"),
    [
        ("0 25 * * *", "hour must be 0 to 23", "25 0 * * *"),
        ("0 9 * * MONN", "day of week must be", "0 9 * * mon"),
        ("61 * * * *", "minute must be 0 to 59", None),
        ("", "the schedule is empty", None),
        ("run backup at 3", "“backup” is not understood here.", None),
    ],
)
def test_what_is_not_understood_has_a_reason_and_perhaps_a_suggestion(
    text: str, reason: str, suggestion: str | None
) -> None:
    answer = understand(text, BERLIN, NOW)
    assert answer.schedule is None
    assert reason in answer.reason
    assert [s.schedule for s in answer.suggestions] == ([suggestion] if suggestion else [])


def test_a_backward_range_is_warned_of_with_a_better_schedule() -> None:
    answer = understand("0 22-2 * * *", BERLIN, NOW)
    assert "runs backward" in answer.warnings[0]
    assert [s.schedule for s in answer.suggestions] == ["0 22-23,0-2 * * *"]


def test_a_time_that_the_clock_skips_is_warned_of() -> None:
    answer = understand("every day at 2:30", BERLIN, NOW)
    assert answer.warnings == ("On 28 March the clock skips 02:30, and cron runs it at 03:00.",)


def test_two_fields_of_days_are_explained() -> None:
    [warning] = understand("on the 13th and every friday at 9", BERLIN, NOW).warnings
    assert warning.startswith("Cron runs this on the 13th and on every Friday")


def test_times_of_another_place_are_those_of_the_machine_with_a_caveat() -> None:
    answer = understand("weekdays at 9 in Tokyo", BERLIN, NOW)
    assert answer.schedule == "0 1 * * 1-5"
    assert "28 March 2027" in answer.warnings[0]
    assert "Debian's cron ignores CRON_TZ" in answer.notes[0]
    assert "CRON_TZ=Asia/Tokyo" in understand("at 9 in Tokyo", BERLIN, NOW, Dialect.CRONIE).notes[0]


def test_times_that_fall_on_two_days_here_are_several_schedules() -> None:
    answer = understand("mondays at 6 and 9:30 in Tokyo", BERLIN, NOW)
    assert (answer.schedule, answer.together) == (None, ("0 22 * * 0", "30 1 * * 1"))
    assert "Asia/Tokyo" in answer.notes[0]


def test_an_unknown_place_is_named() -> None:
    assert understand("at 9 in summer", BERLIN, NOW).reason.startswith("“summer” is no time zone")


@settings(deadline=None, max_examples=60)
@given(st.one_of(st.text(max_size=250), st.sampled_from([row["phrase"] for row in TABLE])))
def test_any_text_is_answered_and_a_schedule_is_one_for_cron(text: str) -> None:
    answer = understand(text, BERLIN, NOW)
    assert answer.schedule or answer.reason
    if answer.schedule:
        assert parse(answer.schedule)
        assert answer.description
