"""Actions on tasks report what was done, not what was asked for."""

import pytest

from pitasker_core.base.errors import ExecutionError
from pitasker_core.dashboard import bulk, messages, task_actions
from tests.helpers.examples import create


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_message_counts_only_tasks_that_started(environment, cli_environment, monkeypatch):
    for name, value in cli_environment.items():
        monkeypatch.setenv(name, value)
    good, bad = create(environment, "Good"), create(environment, "Bad")

    def start(_environment, _actor, task, _by):
        if task.id == bad.id:
            raise ExecutionError("No free process.")
        return task.id

    notices = []
    monkeypatch.setattr(task_actions.manual, "start", start)
    for module in (messages, bulk):
        monkeypatch.setattr(
            module, "add_notice", lambda kind, text: notices.append((kind, str(text)))
        )
    monkeypatch.setattr(bulk.st, "rerun", lambda: None)
    bulk._run([good, bad])
    assert ("done", "Started 1 task.") in notices
