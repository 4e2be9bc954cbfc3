"""The history of runs: its queries, and the words for each run."""

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.dashboard import run_charts, run_list
from pitasker_core.dashboard.times import lasted
from pitasker_core.database.tables import RunRow
from pitasker_core.runs import durations, history, live_output, run_statistics, spans
from pitasker_core.runs.model import RunState
from pitasker_core.sync import store
from tests.helpers.examples import create
from tests.helpers.runs import missed, observed, ran

UTC = ZoneInfo("UTC")


def test_of_very_many_tasks_each_shows_fewer_recent_runs(environment, monkeypatch):
    for task in (create(environment), create(environment, "Other")):
        for minutes_ago in range(1, 7):
            ran(environment, task, minutes_ago, seconds=minutes_ago)
    monkeypatch.setattr(spans, "_MOST_RECENT", 8)
    assert [recent.seconds for recent in spans.recent(environment).values()] == [(4, 3, 2, 1)] * 2
    assert {len(recent.states) for recent in spans.recent(environment, 3).values()} == {3}


def test_each_filter_shows_its_runs_and_no_others(environment):
    task, other = create(environment), create(environment, "Other")
    made = {
        "well": ran(environment, task, 1),
        "failed": ran(environment, task, 2, exit_code=3),
        "lost": ran(environment, task, 3, ended_at=None, exit_code=None, note="lost"),
        "slow": ran(environment, other, 4, slow=True),
        "missed": missed(environment, other, 5),
        "hand": ran(environment, task, 6, source="by hand"),
        "running": ran(environment, task, 7, ended_at=None, exit_code=None),
        "started": observed(environment, task, 8),
        "unmanaged": observed(environment, None, 9, command="/bin/nightly"),
    }
    shown = {
        kind: {
            name
            for run in history.runs(environment, kind=kind)
            for name in made
            if made[name] == run.id
        }
        for kind in history.FILTERS
    }
    assert shown == {
        "All": set(made),
        "Failed": {"failed", "lost"},
        "Slow": {"slow"},
        "Missed": {"missed"},
        "By hand": {"hand"},
        "Running": {"running"},
    }
    assert [run.id for run in history.runs(environment, task=other.id)] == [
        made["slow"],
        made["missed"],
    ]
    soon = clock.now() - timedelta(minutes=2.5)
    assert [run.id for run in history.runs(environment, since=soon)] == [
        made["well"],
        made["failed"],
    ]
    assert history.run(environment, made["unmanaged"]).task_name == "/bin/nightly"


@pytest.mark.parametrize(
    ("state", "code", "signal", "words"),
    [
        ("success", 0, None, "success"),
        ("failed", 1, None, "exit code 1"),
        ("failed", 126, None, "exit code 126: cannot be executed: check that it is executable "
         "and its first line is valid"),
        ("failed", 127, None, "exit code 127: command not found"),
        ("failed", 137, None, "exit code 137: killed"),
        ("failed", 143, None, "exit code 143: terminated"),
        ("failed", None, 9, "killed by signal 9"),
        ("failed", None, 35, "ended by signal 35"),
        ("started", None, None, "ran, result not recorded"),
    ],
)  # fmt: skip
def test_an_end_is_told_in_words(state, code, signal, words):
    assert history.in_words(state, code, signal) == words


def test_missed_runs_read_well(environment):
    task = create(environment)
    single, many = missed(environment, task, 5), missed(environment, task, 400, 72, 40)
    assert run_list.details(history.run(environment, single)) == "missed: the machine was off"
    run = history.run(environment, many)
    assert run_list.details(run) == "missed 72 times: the machine was off"
    assert run.duration is None
    assert ("Times", "72") in run_list.facts(run)


def test_slow_is_more_than_three_times_the_usual_and_a_second_more(environment):
    task = create(environment)
    for n in range(7):
        ran(environment, task, 100 - n, seconds=2 + n / 10)
    ran(environment, task, 50, seconds=500, exit_code=1)
    usual = durations.now(environment, task.id)
    assert usual.median == pytest.approx(2.3)
    assert usual.low < usual.median < usual.high < 2.7
    assert not usual.is_slow(6.8)
    assert usual.is_slow(7.0)
    assert not durations.Usual(0.01, 0.01, 0.01).is_slow(0.9)
    assert durations.now(environment, create(environment, "New").id) is None


def test_figures_count_each_time_that_a_run_was_missed(environment):
    task = create(environment)
    for n in range(6):
        ran(environment, task, n + 1)
    ran(environment, task, 8, exit_code=1)
    missed(environment, task, 60, 3, 20)
    observed(environment, task, 9)
    figures = run_statistics.figures(environment, task.id, None)
    assert (figures.success, figures.failed, figures.missed, figures.started) == (6, 1, 3, 1)
    assert run_list.success_text(figures) == "60.0 %"
    (row,) = run_statistics.by_task(environment, None)
    assert (row.name, row.success, row.failed, row.missed) == ("Backup", 6, 1, 3)


def test_what_a_task_prints_a_day_is_told(environment):
    task = create(environment)
    for days in (1, 2, 3, 4):
        ran(environment, task, days * 24 * 60, bytes=100_000_000)
    assert run_statistics.bytes_per_day(environment, task.id) == pytest.approx(
        100_000_000, rel=0.01
    )
    assert "prints 100 MB a day" in run_list.much_output(
        run_statistics.bytes_per_day(environment, task.id)
    )
    assert run_statistics.bytes_per_day(environment, create(environment, "Other").id) == 0


def test_outputs_to_compare_with_are_those_before_first(environment):
    task = create(environment)
    numbers = [ran(environment, task, n, output=b"x") for n in (5, 4, 3, 2, 1)]
    ran(environment, task, 6)
    middle = history.run(environment, numbers[2])
    others = [run.id for run in history.others(environment, middle)]
    assert others == [numbers[1], numbers[0], numbers[3], numbers[4]]


HEAD, TAIL = b"a" * 8, b"z" * 8
FALSE_CUT = b"x\n... 7 bytes are left out here ...\ny"
CUT = HEAD + b"\n... 100 bytes are left out here ...\n" + TAIL


@pytest.mark.parametrize(
    ("output", "count", "seen", "new"),
    [
        (b"abc", 3, 0, b"abc"),
        (b"abcdef", 6, 3, b"def"),
        (b"abc", 3, 3, b""),
        (CUT, 116, 0, CUT),
        (CUT, 116, 6, b"aa\n... 100 bytes are left out here ...\n" + TAIL),
        (CUT, 116, 50, b"\n... 58 bytes are left out here ...\n" + TAIL),
        (CUT, 116, 113, b"zzz"),
        (FALSE_CUT, 37, 0, FALSE_CUT),
    ],
)  # fmt: skip
def test_who_follows_a_run_gets_each_byte_once(output, count, seen, new):
    assert live_output.since(output, count, seen) == new


def test_the_calendar_has_a_field_for_each_hour_and_spreads_what_was_missed(environment):
    task = create(environment)
    at = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        for values in (
            {
                "source": "missed",
                "started_at": at,
                "ended_at": at + timedelta(hours=4),
                "missed": 9,
            },
            {"source": "recorded", "started_at": at - timedelta(hours=1), "exit_code": 0}
            | {"ended_at": at},
        ):
            session.add(RunRow(crontab_row=crontab_row, task=task.id, **values))
    hours = run_statistics.hours(environment, task.id, None, UTC)
    assert [(hour.hour, hour.success, hour.missed) for hour in hours] == [
        (0, 1, 0), (1, 0, 1), (2, 0, 2), (3, 0, 2), (4, 0, 2), (5, 0, 2),
    ]  # fmt: skip
    (drawn,) = run_charts.calendar(hours, date(2026, 3, 3)).data
    assert [list(row)[:7] for row in drawn.z] == [[2, 3, 3, 3, 3, 3, 0], [0] * 7]
    (weeks,) = run_charts.calendar(hours, date(2026, 5, 3)).data
    assert (len(weeks.x), list(weeks.y)) == (9, ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])
    assert weeks.z[0][0] == 3
    assert "1 success, 9 missed" in weeks.customdata[0][0]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "40 ms"), (3.21, "3.2 s"), (250, "4 min 10 s"), (7500, "2 h 5 min"), (-1, "0 ms")],
)
def test_how_long_something_took_reads_well(seconds, text):
    assert lasted(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (4200, "4.2 kB"), (999_900, "1.0 MB"), (400_000_000, "400 MB")],
)
def test_sizes_read_as_disks_are_sold(count, text):
    assert run_list.size(count) == text


def test_the_states_of_runs_are_those_that_the_database_computes():
    expression = str(RunRow.__table__.c.state.computed.sqltext)
    computed = set(re.findall(r"(?:then|else) '(\w+)'", expression))
    assert computed == set(RunState)
