"""The form of a task without a browser: words, the builder, and what is saved."""

import pytest

from pitasker_core import tasks
from pitasker_core.crontab.builder import Mode
from pitasker_core.dashboard.task_draft import NAMES
from tests.helpers.databases import asked
from tests.helpers.examples import create
from tests.helpers.pages import said

SCHEDULE = "task:new-0-schedule"


@pytest.fixture
def form(open_page):
    """The form of a new task."""
    app = open_page("tasks")
    app.query_params["task"] = "new"
    return app.run()


def fill(app, label, text):
    next(field for field in app.text_input if field.label == label).set_value(text)
    return app.run()


def press(app, label):
    next(button for button in app.button if button.label.replace("`", "") == label).click()
    return app.run()


def schedule(app):
    return next(field.value for field in app.text_input if field.label == "Schedule")


def build(app):
    app.session_state[f"{SCHEDULE}-builder"] = True
    return app.run()


def test_words_are_explained_and_a_button_accepts_them(form):
    fill(form, "Schedule", "every weekday at 7:30")
    assert "Next: " in said(form)
    press(form, "Use 30 7 * * 1-5")
    assert schedule(form) == "30 7 * * 1-5"
    assert "Monday to Friday at 07" in said(form)


def test_words_with_one_meaning_are_saved_as_their_schedule(form, environment):
    fill(form, "Name", "Morning")
    fill(form, "Command", "/bin/true")
    fill(form, "Schedule", "every weekday at 7:30")
    press(form, "Save")
    assert [task.schedule for task in tasks.listing(environment).tasks] == ["30 7 * * 1-5"]


def test_words_that_only_several_entries_say_are_saved_as_a_task_for_each(form, environment):
    fill(form, "Name", "Doors")
    fill(form, "Command", "/bin/true")
    fill(form, "Schedule", "every day at 9 and 17:30")
    assert "Save makes 2 tasks: `0 9 * * *` · `30 17 * * *`" in said(form)
    press(form, "Save")
    saved = tasks.listing(environment).tasks
    assert [(task.name, task.schedule) for task in saved] == [
        ("Doors (1 of 2)", "0 9 * * *"),
        ("Doors (2 of 2)", "30 17 * * *"),
    ]


def test_words_with_two_meanings_are_not_saved(form, environment):
    fill(form, "Name", "Spring")
    fill(form, "Command", "/bin/true")
    fill(form, "Schedule", "03/04 at 10:00")
    press(form, "Save")
    assert tasks.listing(environment).tasks == []
    assert schedule(form) == "03/04 at 10:00"


def test_a_slip_in_the_fields_is_offered_and_never_corrected_by_saving(form, environment):
    fill(form, "Name", "Slip")
    fill(form, "Command", "/bin/true")
    fill(form, "Schedule", "0 2 * * monn")
    press(form, "Save")
    assert tasks.listing(environment).tasks == []
    press(form, "Use 0 2 * * mon")
    press(form, "Save")
    assert [task.schedule for task in tasks.listing(environment).tasks] == ["0 2 * * mon"]


def test_the_usual_way_puts_its_test_before_the_command_once(form):
    fill(form, "Command", "/bin/report")
    for _ in range(2):
        fill(form, "Schedule", "last day of the month at 23:00")
        press(form, "Use 0 23 28-31 * * and a test in the command")
    assert schedule(form) == "0 23 28-31 * *"
    command = next(field.value for field in form.text_input if field.label == "Command")
    assert command == '[ "$(date -d tomorrow +\\%d)" = 01 ] || exit 0; /bin/report'


def test_the_builder_is_closed_at_first(form):
    assert not [group for group in form.button_group if group.label == "Hour"]


def labels(app):
    return {field.label for field in [*app.toggle, *app.text_input]}


def test_fields_that_few_need_are_drawn_when_their_part_is_opened(form):
    assert labels(form) == {"Name", "Schedule", "Command", "In the crontab", "On"}
    for is_open in (True, False):  # once open, a closed part keeps what was typed
        form.session_state["task:new-0-runs-part"] = is_open
        assert {"Record runs", "Ping address"} <= labels(form.run())


def choose(app, field, mode):
    app.button_group(key=f"{SCHEDULE}-{field}-mode").set_value(mode)
    return app.run()


def values(app, field):
    return app.multiselect(key=f"{SCHEDULE}-{field}-values").value


def test_an_empty_schedule_gets_one_to_begin_with(form):
    build(form)
    press(form, "Begin with 0 2 * * *")
    assert schedule(form) == "0 2 * * *"


def test_a_mode_chosen_in_the_builder_changes_its_field_of_the_text(form):
    fill(form, "Schedule", "0  2 * * *")
    build(form)
    choose(form, "day of week", Mode.RANGE)
    assert schedule(form) == "0  2 * * 1-5"
    choose(form, "minute", Mode.STEP)
    assert schedule(form) == "*/15  2 * * 1-5"


def test_values_chosen_in_the_builder_change_the_text_and_none_means_every(form):
    fill(form, "Schedule", "0 2 * * *")
    build(form)
    form.multiselect(key=f"{SCHEDULE}-hour-values").set_value([14, 2]).run()
    assert schedule(form) == "0 2,14 * * *"
    form.multiselect(key=f"{SCHEDULE}-hour-values").set_value([]).run()
    assert schedule(form) == "0 * * * *"


def test_the_builder_follows_the_text(form):
    fill(form, "Schedule", "0 2 * * *")
    build(form)
    fill(form, "Schedule", "15,45 7 * * *")
    assert (values(form, "minute"), values(form, "hour")) == ([15, 45], [7])
    fill(form, "Schedule", "15,45 9-17 * * *")
    ends = [form.selectbox(key=f"{SCHEDULE}-hour-{end}").value for end in ("first", "last")]
    assert ends == [9, 17]


def test_the_calendar_says_when_it_runs(form):
    fill(form, "Schedule", "0 2,14 * * *")
    build(form)
    assert "Twice a day" in said(form)


def test_a_field_that_the_builder_has_no_form_for_is_kept(form):
    fill(form, "Schedule", "0 1-5,9 * * *")
    build(form)
    choose(form, "minute", Mode.AT)
    assert schedule(form) == "0 1-5,9 * * *"


def test_the_fields_begin_with_the_values_of_the_task_also_if_the_page_is_drawn_twice(
    open_page, environment
):
    task = create(environment)
    app = open_page("tasks")
    app.query_params["task"] = str(task.id)
    app.run()
    defaults = {field.label: field.proto.default for field in app.text_input}
    assert (defaults["Schedule"], defaults["Command"]) == (task.schedule, task.command)


def test_only_a_form_with_a_draft_deletes_it(form):
    with asked() as unchanged:
        form.run()
    fill(form, "Name", "Morning")
    with asked() as undone:
        fill(form, "Name", "")
    assert not [sent for sent in unchanged if sent.startswith("DELETE")]
    assert len([sent for sent in undone if sent.startswith("DELETE")]) == 1


def test_a_form_shows_what_was_changed_elsewhere_in_the_same_fields(open_page, environment):
    # New fields would lose what a person types at that moment.
    task = create(environment)
    app = open_page("tasks")
    app.query_params["task"] = str(task.id)
    app.run()
    new = {
        "name": "Other",
        "schedule": "1 1 * * *",
        "command": "/bin/other",
        "system_managed": False,
        "paused": True,
        "notes": "Why",
        "labels": ("new",),
        "record_runs": True,
        "timeout_seconds": 600,
        "no_overlap": True,
        "catch_up": True,
        "ping_url": "https://hc-ping.com/1",
        "notify": ("failed",),
    }
    assert set(new) == set(NAMES)
    keys = {field.key for field in app.text_input}
    tasks.change(environment, "test", task.id, task.version, **new)
    app.run()
    assert schedule(app) == "1 1 * * *"
    # Nothing that is shown differs from the task.
    assert "Close" in {button.label for button in app.button}
    assert keys <= {field.key for field in app.text_input}
