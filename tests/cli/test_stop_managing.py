"""Stop managing a task, on the command line and by the API."""

import pytest

from pitasker_core import tasks
from pitasker_core.cli import main
from tests.helpers.examples import create


@pytest.fixture
def task(environment, crontab):
    return create(environment)


def test_the_command_leaves_the_entry_without_a_tag(environment, crontab, task, monkeypatch):
    monkeypatch.setattr(
        "pitasker_core.base.environment.Environment.from_environment", lambda: environment
    )
    assert main(["stop-managing", str(task.id)]) == 0
    assert b"0 2 * * * /home/pi/backup.sh\n" in crontab.read()
    assert tasks.listing(environment).tasks == []
