"""The times of the last change of a definition and of the last sync."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from pitasker_core import database, tasks
from pitasker_core.base.actor import Actor
from pitasker_core.base.errors import MassRemoval
from pitasker_core.database.tables import OperationRow
from pitasker_core.reports import status
from pitasker_core.server.web import prometheus
from pitasker_core.sync import service
from pitasker_core.sync.service import Request

ME = "test"


@pytest.fixture
def task(environment):
    return tasks.create(environment, ME, tasks.NewTask("Backup", "0 3 * * *", "/bin/true")).tasks[0]


@pytest.mark.parametrize(
    "fields",
    [{"notes": "ask first"}, {"labels": ["nas"]}, {"name": "Save"}, {"record_runs": True}],
    ids=lambda fields: next(iter(fields)),
)
def test_an_edit_of_what_cron_does_not_run_by_is_no_change_of_the_definition(
    environment, task, fields
):
    tasks.change(environment, ME, task.id, **fields)
    assert tasks.get(environment, task.id).definition_changed_at == task.definition_changed_at


@pytest.mark.parametrize(
    "fields",
    [
        {"schedule": "0 4 * * *"},
        {"command": "/bin/false"},
        {"paused": True},
        {"system_managed": False},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_another_schedule_or_command_and_on_or_off_change_the_definition(environment, task, fields):
    tasks.change(environment, ME, task.id, **fields)
    assert tasks.get(environment, task.id).definition_changed_at > task.definition_changed_at


def test_a_schedule_changed_by_hand_changes_the_definition(environment, crontab, task):
    crontab.write(crontab.read().replace(b"0 3", b"0 5"))
    service.sync(environment, Request(Actor.BACKGROUND))
    changed = tasks.get(environment, task.id)
    assert (changed.schedule, changed.definition_changed_at > task.definition_changed_at) == (
        "0 5 * * *",
        True,
    )


def test_a_quiet_sync_is_the_last_sync_and_adds_no_row(environment, task):
    long_ago = datetime.now(UTC) - timedelta(days=3)
    with database.session(environment) as session:
        session.execute(text("update sync_operations set started_at = :at"), {"at": long_ago})
        session.execute(text("update crontabs set synced_at = :at"), {"at": long_ago})
    assert status.status(environment).last_sync == long_ago
    assert service.sync(environment, Request(Actor.BACKGROUND)).operation is None
    last_sync = status.status(environment).last_sync
    assert last_sync > long_ago + timedelta(days=2)
    gauge = next(
        line
        for line in prometheus._text(environment).decode().splitlines()
        if line.startswith("pitasker_last_sync_timestamp_seconds")
    )
    assert float(gauge.split()[1]) == pytest.approx(last_sync.timestamp(), abs=1)
    with database.session(environment) as session:
        assert session.scalar(select(func.count()).select_from(OperationRow)) == 1


def test_a_sync_that_failed_is_not_the_last_sync(environment, crontab, task):
    before = status.status(environment).last_sync
    crontab.write(b"# all gone\n")
    with pytest.raises(MassRemoval):
        service.sync(environment, Request(Actor.BACKGROUND))
    assert status.status(environment).last_sync == before
