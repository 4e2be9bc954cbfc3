"""What the form says about a text typed as a schedule."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from streamlit.runtime.context import ContextProxy

from pitasker_core.crontab.schedule import Dialect
from pitasker_core.dashboard.schedule_answer import answer
from pitasker_core.dashboard.session import browser_zone

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)


def say(text, **more):
    return answer(text, BERLIN, NOW, **more)


def offered(text):
    return [(offer.schedule, bool(offer.command_test)) for offer in say(text).offers]


def test_a_schedule_is_explained_with_its_next_five_runs():
    shown = say("30 7 * * 1-5")
    assert (shown.problem, shown.offers, shown.accepted) == ("", (), None)
    assert shown.description == "Monday to Friday at 07:30"
    assert shown.runs == (
        "Next: Mon 07:30 · Tue 07:30 · Wed 07:30 · Thu 07:30 · Fri 4 Dec 07:30 "
        "(Europe/Berlin), the first in 2 d"
    )


def test_the_runs_are_also_shown_by_another_clock_of_the_browser():
    shown = say("30 7 * * 1", browser=NEW_YORK)
    assert shown.browser_runs.startswith("By the clock of your browser: Mon 01:30 ·")
    assert shown.browser_runs.endswith("(America/New_York)")


@pytest.mark.parametrize("browser", [None, BERLIN, ZoneInfo("Europe/Paris")])
def test_a_browser_with_the_same_clock_adds_nothing(browser):
    assert say("30 7 * * 1", browser=browser).browser_runs == ""


def test_words_with_one_meaning_are_offered_and_accepted_by_enter():
    shown = say("every weekday at 7:30")
    assert [offer.schedule for offer in shown.offers] == ["30 7 * * 1-5"]
    assert (shown.accepted, shown.problem) == ("30 7 * * 1-5", "")
    assert shown.runs.startswith("Next: Mon 07:30")


def test_enter_accepts_the_first_of_meanings_that_differ_in_hours_alone():
    shown = say("every 15 minutes between 9 and 17")
    assert [offer.schedule for offer in shown.offers] == ["*/15 9-16 * * *", "*/15 9-17 * * *"]
    assert shown.accepted == "*/15 9-16 * * *"


@pytest.mark.parametrize(
    ("text", "schedule"), [("@dayly", "@daily"), ("MONN", "0 0 * * 1"), ("0 0 * * MONN", None)]
)
def test_a_slip_is_accepted_as_what_was_meant(text, schedule):
    shown = say(text)
    assert shown.accepted == (schedule or shown.offers[0].schedule)


@pytest.mark.parametrize(
    "text", ["03/04 at 10:00", "every second tuesday", "every 45 minutes", "at 6am and 6:30pm"]
)
def test_enter_accepts_nothing_where_the_words_do_not_mean_one_schedule(text):
    shown = say(text)
    assert shown.accepted is None
    assert shown.problem
    assert shown.runs == ""


def test_what_cron_cannot_say_is_offered_as_the_nearest_and_with_a_test():
    shown = say("last day of the month at 23:00")
    assert offered("last day of the month at 23:00") == [
        ("0 23 28-31 * *", False),
        ("0 23 28-31 * *", True),
    ]
    assert "date -d tomorrow" in shown.offers[1].command_test
    assert shown.offers[0].words.endswith("the nearest")


def test_a_schedule_that_runs_too_often_is_only_offered_with_its_test():
    assert offered("every 45 minutes") == [
        ("*/30 * * * *", False),
        ("* * * * *", True),
        ("0,45 */3 * * *", False),
        ("30 1-22/3 * * *", False),
        ("15 2-23/3 * * *", False),
    ]


def test_each_meaning_of_two_has_its_own_test():
    first, second, third = say("every second tuesday").offers
    assert {first.schedule, second.schedule, third.schedule} == {"0 0 * * 2"}
    assert (first.command_test, second.words) == ("", "the second in each month")
    assert second.command_test != third.command_test


def test_a_new_schedule_that_never_runs_is_refused_and_an_old_one_is_explained():
    assert say("0 22-2 * * *").problem
    assert [offer.schedule for offer in say("0 22-2 * * *").offers] == ["0 22-23,0-2 * * *"]
    old = say("0 22-2 * * *", is_new=False)
    assert (old.problem, old.description) == ("", "Never")


def test_cronies_random_values_are_a_schedule_where_cron_is_cronie():
    assert say("5~10 * * * *", dialect=Dialect.CRONIE).problem == ""


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Europe/Berlin", BERLIN),
        *((name, None) for name in (None, "", "Mars/Base", "Europe", "../../etc/passwd", "a\0b")),
        ("x" * 5000, None),
    ],
)
def test_the_zone_of_the_browser_is_taken_only_where_it_is_one(name, zone, monkeypatch):
    monkeypatch.setattr(ContextProxy, "timezone", name)
    assert browser_zone() == zone
