"""A page shows every change that was made before it was drawn, and notices each later one."""

import pytest

from pitasker_core import tasks
from pitasker_core.dashboard import live, shell
from pitasker_core.tasks import view
from tests.helpers.examples import EXISTING, create


@pytest.fixture(autouse=True)
def _answers_hold_for_an_hour(monkeypatch):
    monkeypatch.setattr(view, "DISPLAY_SECONDS", 3600.0)


def test_after_a_new_version_no_page_gets_tasks_from_before(environment, crontab, monkeypatch):
    monkeypatch.setattr(live, "FRESH", 0.0)
    create(environment)
    live.version(environment)
    assert tasks.current(environment).comparison.document.size == 1
    crontab.write(crontab.read() + EXISTING)  # as another program does
    live.version(environment)
    assert tasks.current(environment).comparison.document.size > 1


def test_a_change_while_a_page_is_drawn_draws_it_again(
    open_page, environment, crontab, monkeypatch
):
    create(environment)
    app = open_page("tasks")
    draws = []

    def change_elsewhere():
        draws.append(crontab.read())
        if len(draws) == 1:
            crontab.write(crontab.read() + EXISTING)

    monkeypatch.setattr(shell, "show_messages", change_elsewhere)
    app.run()
    assert len(draws) == 2


def test_a_page_that_is_asked_for_while_the_version_is_read_is_drawn(monkeypatch):
    steps = []

    class State(dict):
        """Streamlit draws a page that was asked for when the session's state is read."""

        def get(self, *words):
            steps.append("other page is drawn")
            return super().get(*words)

    def read_version():
        steps.append("version is read")
        return "new", 0

    monkeypatch.setattr(live, "login", lambda: "somebody")
    monkeypatch.setattr(live, "_now", read_version)
    monkeypatch.setattr(live.st, "session_state", State(drawn_version=("old", 0)))
    monkeypatch.setattr(live.st, "rerun", lambda: steps.append("this page is drawn"))
    live.watch.__wrapped__()
    assert steps[0] == "version is read"
    assert steps[-2:] == ["other page is drawn", "this page is drawn"]
