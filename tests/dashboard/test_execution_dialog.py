"""What would cron run: the dialog, from a task, a row's menu and any entry."""

import pytest

from pitasker_core.base.errors import ExecutionError
from pitasker_core.crontab.execution import Difference
from pitasker_core.dashboard import execution_dialog
from pitasker_core.dashboard.execution_dialog import differences_table
from pitasker_core.server.auth import Role
from tests.helpers.examples import EXISTING, create
from tests.helpers.pages import said

TRY = "What would cron run?"


def press(app, label):
    next(button for button in app.button if button.label == label).click()
    return app.run()


def shown_code(app):
    return [block.value for block in app.code]


@pytest.fixture
def explained(open_page, environment):
    """The dialog of a task."""

    def go(role=Role.WRITE, **task):
        number = create(environment, **task).id
        app = open_page("tasks", role)
        app.query_params["task"] = str(number)
        return press(app.run(), TRY)

    return go


def test_a_task_shows_command_input_shell_folder_and_environment(explained):
    app = explained(command="cat /tmp/a\\%b%one%two")
    command, stdin, variables, terminal = shown_code(app)[-4:]
    assert (command, stdin) == ("cat /tmp/a%b", "one\ntwo")
    assert "PATH=/usr/bin:/bin" in variables.splitlines()
    assert terminal.startswith("(cd ")
    assert "**Shell**: `/bin/sh`" in said(app)


def test_a_task_without_an_entry_says_that_cron_runs_nothing(explained):
    app = explained(system_managed=False)
    assert "cron runs nothing for it" in said(app)


def test_any_entry_can_be_chosen_also_one_that_nobody_manages(open_page, crontab):
    crontab.write(EXISTING)
    app = open_page("import_entries")
    entries = next(box for box in app.selectbox if box.label == TRY)
    entries.set_value(6).run()
    assert shown_code(app)[:2] == ["cat >> /tmp/log", "a line of input"]


def test_who_may_only_look_cannot_import_and_run(open_page, crontab):
    crontab.write(EXISTING)
    app = open_page("import_entries", Role.READ)
    next(box for box in app.selectbox if box.label == TRY).set_value(6).run()
    assert next(b for b in app.button if b.label == "Import and run now").disabled


def test_a_newcomer_finds_it_on_the_overview(open_page, crontab):
    crontab.write(EXISTING)
    app = open_page("overview")
    next(box for box in app.selectbox if box.label == TRY).set_value(8).run()
    assert shown_code(app)[0] == "/home/pi/hello.sh"


def test_the_login_shell_is_only_asked_by_a_button_and_its_folders_are_named(
    explained, monkeypatch
):
    login = {"PATH": "/home/pi/bin:/usr/bin:/bin", "LANG": "de"}
    asked = []
    monkeypatch.setattr(
        execution_dialog, "read_login_environment", lambda: asked.append(1) or login
    )
    app = explained()
    assert asked == []
    press(press(app, "Compare with my terminal"), TRY)
    assert "Not on cron's PATH: /home/pi/bin" in said(app)


def test_a_login_shell_that_fails_is_said(explained, monkeypatch):
    def fail():
        raise ExecutionError("The shell printed no environment.")

    monkeypatch.setattr(execution_dialog, "read_login_environment", fail)
    app = press(press(explained(), "Compare with my terminal"), TRY)
    assert "The shell printed no environment" in said(app)


def test_who_may_only_look_runs_neither_the_login_files_nor_the_task(explained):
    app = explained(Role.READ)
    buttons = {button.label: button.disabled for button in app.button}
    assert buttons["Compare with my terminal"]
    assert buttons["Run now"]


def test_a_variable_that_is_not_set_says_so():
    table = differences_table([Difference("LANG", None, "de"), Difference("MAILTO", "pi", None)])
    assert table.to_numpy().tolist() == [
        ["LANG", "(not set)", "de"],
        ["MAILTO", "pi", "(not set)"],
    ]
