"""The dialogs of the actions on selected tasks."""

from datetime import datetime, time, timedelta

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.dashboard import bulk, write_button
from tests.helpers.examples import create
from tests.helpers.pages import said, scan_packages
from tests.helpers.waiting import patience


@pytest.fixture
def dialog(environment, crontab, monkeypatch):
    """Open a dialog for two tasks."""
    for name, labels in (("One", ("old", "web")), ("Two", ("web",))):
        create(environment, name, labels=labels)
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", scan_packages)
    for module in (bulk, write_button):
        monkeypatch.setattr(module, "environment", lambda: environment)

    def draw(name, *words):
        from pitasker_core import tasks
        from pitasker_core.dashboard import bulk

        getattr(bulk, name)(tasks.listing(bulk.environment()).tasks, *words)

    def go(name, *words):
        app = AppTest.from_function(draw, default_timeout=patience(), args=(name, *words))
        return app.run()

    return go


def press(app, label):
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception, app.exception[0].message


def test_labels_are_added_and_removed_for_all_selected_tasks(dialog, environment):
    app = dialog("_label", ["web", "new"])
    add, remove = app.multiselect
    add.set_value(["new", "web"])
    remove.set_value(["old"])
    press(app.run(), "Label")
    labels = [task.labels for task in tasks.listing(environment).tasks]
    assert labels == [("web", "new")] * 2


def test_all_selected_tasks_are_paused_until_a_time(dialog, environment, crontab):
    app = dialog("_pause_until")
    app.radio[0].set_value("Tomorrow morning").run()
    assert "2 tasks: no runs until" in said(app)
    press(app, "Pause")
    zone = clock.system_zone()
    tomorrow = clock.now().astimezone(zone).date() + timedelta(days=1)
    until = {task.paused_until for task in tasks.listing(environment).tasks}
    assert until == {datetime.combine(tomorrow, time(8), zone)}
    assert crontab.read().count(b"# 0 2 * * *") == 2


def test_selected_tasks_are_no_longer_managed_after_a_question(dialog, environment, crontab):
    app = dialog("_confirm_stop_managing")
    assert "**One**, **Two**: the entries stay in the crontab" in said(app)
    assert len(tasks.listing(environment).tasks) == 2
    press(app, "Stop managing")
    assert tasks.listing(environment).tasks == []
    assert crontab.read().count(b"0 2 * * * /home/pi/backup.sh\n") == 2


def test_selected_tasks_are_deleted_only_by_the_button_that_says_so(dialog, environment):
    app = dialog("_confirm_delete")
    press(app, "Keep")
    assert len(tasks.listing(environment).tasks) == 2
    press(app, "Delete")
    assert tasks.listing(environment).tasks == []
