"""Runs: the chosen run stands beside the list, with what can be done about it."""

from pitasker_core import tasks
from pitasker_core.runs import history
from tests.helpers.examples import create
from tests.helpers.pages import said
from tests.helpers.runs import missed, observed, ran
from tests.helpers.waiting import until


def labels(app):
    return {button.label for button in app.button}


def choose(app, run):
    app.query_params["run"] = str(run)
    return app.run()


def press(app, label):
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def test_the_place_of_a_run_says_how_to_choose_one(open_page, environment):
    ran(environment, create(environment))
    assert "Choose a run to see its output" in said(open_page("runs"))


def test_a_chosen_run_shows_its_result_and_output_beside_the_list(open_page, environment):
    run = ran(environment, create(environment), exit_code=3, output=b"disk full")
    app = choose(open_page("runs"), run)
    assert f"**Backup**, run {run}: exit code 3" in said(app)
    assert any("disk full" in str(element.proto) for element in app.get("html"))
    assert app.dataframe[0].value["number"].tolist() == [run]


def test_a_failed_run_can_be_run_again_and_the_new_run_is_chosen(open_page, environment):
    task = create(environment, command="true")
    run = ran(environment, task, exit_code=1)
    app = choose(open_page("runs"), run)
    press(app, "Run again")
    new = int("".join(app.query_params["run"]))
    assert new != run
    assert history.run(environment, new).source == "by hand"
    until(lambda: app.run() and history.run(environment, new).state == "success")


def test_why_opens_over_a_failed_run(open_page, environment):
    run = ran(environment, create(environment), exit_code=1)
    app = choose(open_page("runs"), run)
    press(app, "Why didn't it run?")
    assert "Passed" in said(app)
    assert str(run) in app.query_params["run"]


def test_a_run_that_succeeded_is_not_asked_why_it_did_not_run(open_page, environment):
    app = choose(open_page("runs"), ran(environment, create(environment)))
    assert "Run again" in labels(app)
    assert "Why didn't it run?" not in labels(app)


def test_a_missed_run_can_be_run_now(open_page, environment):
    app = choose(open_page("runs"), missed(environment, create(environment), 60))
    assert {"Run now", "Why didn't it run?"} <= labels(app)


def test_a_failed_run_offers_the_fix_of_its_command(open_page, environment):
    task = create(environment, command="/usr/loca/bin/env true")
    app = choose(open_page("runs"), ran(environment, task, exit_code=127))
    assert "There is no file /usr/loca/bin/env" in said(app)


def test_an_observed_run_offers_to_record_the_next_ones(open_page, environment):
    task = create(environment, command="true")
    app = choose(open_page("runs"), observed(environment, task, 10))
    press(app, "Record its runs")
    assert tasks.get(environment, task.id).record_runs
    assert "The next runs are recorded" in said(app)


def test_a_run_of_a_deleted_task_offers_nothing_to_run(open_page, environment):
    task = create(environment)
    run = ran(environment, task)
    ran(environment, None, command="other")
    tasks.delete(environment, "test", task.id)
    app = choose(open_page("runs"), run)
    assert "Run again" not in labels(app)


def test_the_list_stays_when_a_run_is_closed(open_page, environment):
    run = ran(environment, create(environment))
    app = choose(open_page("runs"), run)
    press(app, "Close")
    assert "run" not in app.query_params
    assert "Choose a run to see its output" in said(app)
    assert len(app.dataframe) == 1
