"""Actions on tasks report what was done, not what was asked for."""

import pytest

from pitasker_core import tasks
from pitasker_core.base.errors import ExecutionError
from pitasker_core.dashboard import bulk, messages, task_actions
from pitasker_core.sync import importing
from tests.helpers.examples import create

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(autouse=True)
def _signed_in(environment, cli_environment, monkeypatch):
    for name, value in cli_environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(task_actions, "environment", lambda: environment)


def test_the_message_counts_only_tasks_that_started(environment, monkeypatch):
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


def test_an_entry_equal_to_a_task_is_imported_before_it_is_run(environment, crontab):
    create(environment, schedule="0 3 * * *", command="true")
    crontab.write(crontab.read() + b"0 3 * * * true\n")
    (entry,) = importing.importable(tasks.listing(environment).comparison)
    number = task_actions.import_entry(entry)
    assert tasks.get(environment, number).command == "true"
    assert crontab.read().count(b"# PITASKER_ID:") == 2


def test_an_entry_that_changed_is_not_imported(environment, crontab):
    crontab.write(b"0 3 * * * true\n")
    (entry,) = importing.importable(tasks.listing(environment).comparison)
    crontab.write(b"0 3 * * * rm -rf /\n")
    assert task_actions.import_entry(entry) is None
    assert crontab.read() == b"0 3 * * * rm -rf /\n"
