"""Edits that wait in the table of tasks, and drafts of a task, without a browser."""

import pytest

from pitasker_core import tasks
from pitasker_core.dashboard.staging import Staged
from tests.helpers.examples import ME, create
from tests.helpers.pages import button, open_in_new_tab, press, said


def edit(app, *edits):
    """Edit cells of the table. Each edit is a task, a column and a value."""
    app.session_state["staged"] = {
        task.id: {column: Staged(getattr(task, column), value)} for task, column, value in edits
    }
    app.run()


def field(app, label):
    return next(field for field in app.text_input if field.label == label)


def test_an_edit_waits_for_apply_shows_its_proof_and_can_be_undone(open_page, crontab, environment):
    task = create(environment)
    create(environment, "Other")
    before = crontab.read()
    app = open_page("tasks")
    edit(app, (task, "schedule", "30 6 * * *"))
    assert "1 change in 1 task" in said(app)
    assert crontab.read() == before
    press(app, "Apply")
    assert b"30 6 * * * /home/pi/backup.sh # PITASKER_ID:" in crontab.read()
    assert "1 line changed, 3 identical" in said(app)
    press(app, "Undo")
    assert crontab.read() == before


def test_a_wrong_cell_is_named_and_the_right_ones_can_be_applied(open_page, crontab, environment):
    right, wrong = create(environment, "Right"), create(environment, "Wrong")
    app = open_page("tasks")
    edit(app, (right, "schedule", "30 6 * * *"), (wrong, "schedule", "every 45 minutes"))
    assert "2 changes in 2 tasks" in said(app)
    press(app, "Apply 1 valid")
    assert b"30 6 * * * /home/pi/backup.sh" in crontab.read()
    assert "1 change in 1 task" in said(app)
    press(app, "Use `*/30 * * * *`")
    press(app, "Apply")
    assert b"*/30 * * * * /home/pi/backup.sh" in crontab.read()


def test_an_edit_of_what_somebody_else_changed_shows_both_values(open_page, crontab, environment):
    task = create(environment)
    app = open_page("tasks")
    edit(app, (task, "name", "Mine"))
    tasks.change(environment, ME, task.id, name="Theirs")
    app.run()
    assert "somebody else to “Theirs”" in said(app)
    press(app, "Keep mine")
    press(app, "Apply")
    assert b"# Mine\n" in crontab.read()


def test_many_tasks_are_paused_at_once_stay_selected_and_it_can_be_undone(
    open_page, crontab, environment
):
    for name in ("Pump one", "Lamp", "Pump two"):
        create(environment, name)
    before = crontab.read()
    app = open_page("tasks")
    app.text_input(key="words").set_value("pump").run()
    press(app, "Select all 2")
    assert "2 tasks selected" in said(app)
    next(menu for menu in app.menu_button if menu.label == "Actions").click("Pause").run()
    assert crontab.read().count(b"\n# 0 2 * * *") == 2
    assert "2 tasks selected" in said(app)
    press(app, "Undo")
    assert crontab.read() == before


def choose_delete(app, task, act=lambda: None):
    """Choose *Delete* from the menu of a row. `act` is done in the dialog.

    AppTest runs the whole page for a button in a dialog, which closes it. So the dialog opens anew.
    """
    app.session_state["menu"] = ("Delete", task.id)
    act()
    app.run()


@pytest.mark.parametrize("managed", [True, False], ids=["managed", "not managed"])
def test_a_deletion_asks_and_can_be_undone(open_page, crontab, environment, managed):
    task = create(environment, system_managed=managed)
    create(environment, "Other")
    before = crontab.read()
    app = open_page("tasks")
    choose_delete(app, task)
    assert tasks.get(environment, task.id).deleted_at is None
    choose_delete(app, task, lambda: button(app, "Delete").click())
    assert tasks.get(environment, task.id).deleted_at is not None
    assert (crontab.read() == before) is not managed
    assert managed or "The crontab has not changed" in said(app)
    press(app, "Undo")
    assert tasks.get(environment, task.id).deleted_at is None
    assert crontab.read() == before


def open_task(open_page, task):
    app = open_page("tasks")
    app.query_params["task"] = str(task.id)
    return app.run()


def test_what_is_typed_on_a_task_is_a_draft_over_reload_until_it_is_discarded(
    open_page, environment
):
    task = create(environment)
    app = open_task(open_page, task)
    field(app, "Command").set_value("/bin/half-typed").run()
    assert "kept as a draft" in said(app)
    again = open_in_new_tab("tasks")
    assert "Draft: **Backup**" in said(again)
    press(again, "Continue")
    assert field(again, "Command").value == "/bin/half-typed"
    press(again, "Discard changes")
    assert len(again.dataframe) == 1
    assert "Draft: **Backup**" not in said(again)
    assert tasks.get(environment, task.id).command == "/home/pi/backup.sh"


def test_a_draft_saves_only_what_a_person_changed(open_page, environment):
    task = create(environment)
    field(open_task(open_page, task), "Command").set_value("/bin/mine").run()
    tasks.change(environment, ME, task.id, schedule="@weekly")
    again = open_task(open_in_new_tab, task)
    assert field(again, "Command").value == "/bin/mine"
    press(again, "Save")
    saved = tasks.get(environment, task.id)
    assert (saved.command, saved.schedule) == ("/bin/mine", "@weekly")
