"""The contents of the overview: runs, figures and items that need attention."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from pitasker_core.base.actor import Actor
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.dashboard import activity, attention, figures, overview, timeline
from pitasker_core.dashboard.timeline import Bar, Planned
from pitasker_core.database.events import EventKind
from pitasker_core.reports.audit import Event
from pitasker_core.reports.status import Health
from pitasker_core.runs.run_statistics import Hour
from pitasker_core.runs.spans import Span
from pitasker_core.sync.store import OperationKind

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
START = NOW - timedelta(hours=12)
BERLIN = ZoneInfo("Europe/Berlin")


def span(minutes_ago, state="success", task=1, **values):
    at = NOW - timedelta(minutes=minutes_ago)
    more = {"ended_at": at, "missed": 0, "note": "", "command": None, **values}
    return Span(id=minutes_ago, task=task, started_at=at, state=state, **more)


def test_close_runs_of_one_state_are_one_band_with_their_number():
    spans = [span(minutes) for minutes in range(120, 0, -5)]
    (bar,) = timeline.past(spans, {1: "Often"}, START, NOW)
    assert (bar.count, bar.start, bar.end) == (24, spans[0].started_at, spans[-1].started_at)
    assert "24 × success" in timeline.hover(bar, BERLIN)


def test_a_failure_parts_a_band():
    spans = [span(15), span(10, "failed"), span(5)]
    bars = timeline.past(spans, {1: "Often"}, START, NOW)
    assert [bar.state for bar in bars] == ["success", "failed", "success"]
    assert [bar.run for bar in bars] == [15, 10, 5]


def test_a_running_run_reaches_until_now():
    (bar,) = timeline.past([span(30, "running", ended_at=None)], {1: "Long"}, START, NOW)
    assert bar.end == NOW


def test_a_frequent_schedule_is_one_band_and_a_rare_one_single_bars():
    planned = [Planned("Often", "*/5 * * * *", BERLIN), Planned("Rare", "0 15 * * *", BERLIN)]
    end = NOW + timedelta(hours=12)
    often, rare = timeline.future(planned, NOW, end, Dialect.DEBIAN)
    assert often.count > 30
    assert often.end == end
    assert (rare.count, rare.start.astimezone(UTC).hour) == (1, 14)


def test_rows_that_failed_come_first():
    bars = [Bar("b", NOW, NOW, "success"), Bar("a", NOW, NOW, "planned")]
    assert timeline.rows([*bars, Bar("z", NOW, NOW, "failed")], 2) == ["z", "a"]


def test_a_name_in_a_chart_is_text_and_stays_different_when_it_is_cut():
    names = [f"{'long ' * 10}{n}" for n in (1, 2)]
    bars = [Bar(name, NOW, NOW, "success") for name in [*names, "<a href=x>"]]
    drawn = timeline.figure(bars, START, NOW, NOW, BERLIN, 9)
    shown = drawn.layout.yaxis.categoryarray
    assert len(set(shown)) == 3
    assert "&lt;a href=x&gt;" in shown


def test_what_differs_between_two_commands_is_shown_with_one_word_before_it():
    assert overview.changed_words("read.py --bus 1 >> log", "read.py --bus 2 >> log") == (
        "--bus 1",
        "--bus 2",
    )
    assert overview.changed_words("a b", "a b c") == ("b", "b c")
    assert overview.changed_words("a", "b") == ("a", "b")


def test_the_trend_counts_today_and_compares_two_weeks():
    today = date(2026, 11, 26)
    week_ago = today - timedelta(days=8)
    hours = [Hour(today, 3, 8, 1, 1, 2), Hour(week_ago, 3, 10, 0, 0, 0)]
    trend = figures.trend(hours, today)
    assert (trend.today, trend.failed, trend.missed) == (11, 1, 1)
    assert figures.today_text(trend) == "1 failed · 1 missed"
    assert figures.percent(trend.rate) == "80.0 %"
    assert figures.change_text(trend) == "-20.0 %"


def test_a_rate_below_one_is_never_shown_as_all():
    assert figures.percent(0.99999) == "99.9 %"
    assert figures.percent(1.0) == "100 %"


def test_news_is_no_trouble_and_one_failure_is_a_problem():
    def item(color):
        return attention.Item(color, "edit", "Backup", "was edited")

    assert attention.health([item("blue")]) is Health.GREEN
    assert attention.health([item("blue"), item("orange")]) is Health.YELLOW
    assert attention.health([item("orange"), item("red")]) is Health.RED


def test_the_last_line_of_an_output_is_the_last_that_says_something():
    assert attention.last_line(b"one\ntwo \n\n") == "two"
    assert attention.last_line(b"\x1b[31mno space\x1b[0m\n\x1b[0m\n") == "no space"
    assert attention.last_line(b"x" * 200).endswith("…")
    assert attention.last_line(b"") == ""


def test_each_actor_and_each_kind_of_operation_has_words():
    assert set(Actor) == activity.ACTOR_WORDS.keys()
    assert set(OperationKind) == activity.OPERATION_WORDS.keys() | set(activity.TASK_KINDS)


def test_each_event_has_a_sentence_with_its_words():
    def words(kind, task):
        event = Event(1, NOW, Actor.COMMAND_LINE, kind, task, None, None)
        [item] = activity.list_activity([event], [], {1: "Backup"}, 9)
        assert item.actor == "by command line"
        return item.sentence

    assert words(EventKind.UNDELETED, 1) == "Backup: restored"
    assert words("of a later release", None) == "Of a later release"
    assert len({words(kind, 1) for kind in EventKind}) == len(EventKind)
