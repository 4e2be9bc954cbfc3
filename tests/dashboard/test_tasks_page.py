"""The table of tasks, and what a task's page says of its runs."""

from functools import partial

import pytest
from streamlit.runtime.scriptrunner import RerunData
from streamlit.testing.v1 import local_script_runner

from pitasker_core import database, tasks
from pitasker_core.crontab.program import CrontabProgram
from pitasker_core.dashboard.messages import Notice
from pitasker_core.database.tables import TaskRow
from pitasker_core.runs import history, manual, spool
from tests.helpers.databases import asked
from tests.helpers.eventful import fill
from tests.helpers.examples import ME, create
from tests.helpers.pages import cells, press, said
from tests.helpers.runs import observed, ran
from tests.helpers.waiting import until


def names(app):
    return cells(app, "name")


def test_a_failing_task_says_failed_in_its_row(open_page, environment, crontab):
    fill(environment, crontab)
    app = open_page("tasks")
    app.segmented_control(key="kind").set_value("Failing").run()
    assert names(app) == ["Weather map"]
    assert cells(app, "result") == [["failed"]]


def test_a_start_that_was_only_seen_reads_as_past(open_page, environment):
    task = create(environment)
    number = observed(environment, task, 28)
    with database.session(environment) as session:
        session.get_one(TaskRow, task.id).last_run = history.run(environment, number).started_at
    app = open_page("tasks")
    assert cells(app, "result") == [["ran"]]
    app.query_params["task"] = str(task.id)
    app.run()
    assert cells(app, "state") == [["ran"]]
    assert ":gray-badge[:material/play_arrow: ran]" in said(app)


def test_a_run_that_fails_at_once_says_so_on_the_page_of_its_task(open_page, environment):
    task = create(environment, command="echo broken; exit 3")
    manual.start(environment, ME, task)
    until(lambda: spool.collect(environment) or history.runs(environment))
    app = open_page("tasks")
    app.query_params["task"] = str(task.id)
    until(lambda: "failed" in said(app.run()))
    assert cells(app, "state") == [["failed"]]
    assert "broken" in "".join(part.body for part in app.get("html"))


def test_names_are_sorted_without_regard_to_case(open_page, environment):
    for name in ("Zebra", "aardvark", "Pump"):
        create(environment, name)
    assert names(open_page("tasks")) == ["aardvark", "Pump", "Zebra"]


def test_the_table_is_never_begun_anew_by_what_happens_to_its_tasks(
    open_page, environment, crontab
):
    task = create(environment)
    original = crontab.read()
    change = partial(tasks.change, environment, ME, task.id)
    app = open_page("tasks")
    table = app.dataframe[0].proto.id
    for happen in (
        lambda: ran(environment, task),
        lambda: change(labels=("web",)),
        lambda: change(name="Pump", schedule="*/5 * * * *", command="/nonexistent/pump"),
        lambda: crontab.write(crontab.read().replace(b"*/5", b"*/7")),
        lambda: crontab.write(original),
        lambda: change(paused=True),
        lambda: change(system_managed=False),
    ):
        happen()
        assert app.run().dataframe[0].proto.id == table


@pytest.mark.parametrize("words", ["paused", "00:00 daily", "WEB", "failed", "weather 30"])
def test_the_search_finds_what_the_row_shows(open_page, environment, crontab, words):
    fill(environment, crontab)
    shown = {
        "paused": ["Paused"],
        "00:00 daily": ["Paused"],
        "WEB": ["Weather map"],
        "failed": ["Weather map"],
        "weather 30": ["Weather map"],
    }
    app = open_page("tasks")
    app.text_input(key="words").set_value(words).run()
    assert names(app) == shown[words]
    assert "1 of 6" in said(app)


def test_selected_tasks_that_a_filter_hides_are_counted(open_page, environment):
    create(environment, "Zebra")
    create(environment, "Pump")
    app = open_page("tasks")
    press(app, "Select all 2")
    app.text_input(key="words").set_value("pump").run()
    assert "**2 tasks selected, 1 not shown**" in said(app)


def test_a_warning_names_its_tasks_and_goes_with_the_next_action(open_page, environment, crontab):
    create(environment, "Pump")
    crontab.write(crontab.read().replace(b"0 2 * * *", b"5 2 * * *"))
    app = open_page("tasks")
    press(app, "Select all 1")
    next(menu for menu in app.menu_button if menu.label == "Actions").click("Pause").run()
    warning = "Edited in the crontab too: “Pump”. Decide on the page Sync."
    assert warning in said(app)
    press(app, "Undo")
    assert warning not in said(app)


def test_many_warnings_are_one_short_list(open_page, environment):
    create(environment)
    app = open_page("tasks")
    app.session_state["notices"] = [Notice("warning", f"Warning {n}") for n in range(10)]
    app.run()
    assert not app.warning
    assert said(app).count("Warning ") == 4
    assert "and 6 more" in said(app)


def test_a_selection_draws_the_table_again_without_reading_anything(
    open_page, environment, crontab, monkeypatch
):
    create(environment)
    app = open_page("tasks")
    part = next(iter(app._fragment_storage._fragments))  # the first that is drawn
    monkeypatch.setattr(
        local_script_runner, "RerunData", partial(RerunData, fragment_id_queue=[part])
    )
    monkeypatch.setattr(CrontabProgram, "reading", None)
    with asked() as statements:
        press(app, "Select all 1")
    assert statements == []
    assert "1 task selected" in said(app)
    assert cells(app, "chosen") == [True]
