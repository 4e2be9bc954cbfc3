"""Runs in the history."""

from datetime import timedelta

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.database.tables import RunRow
from pitasker_core.sync import store


def ran(environment, task, minutes_ago=10.0, seconds=2.0, exit_code=0, output=b"", **more):
    """Add a run to the history. Returns its number."""
    at = clock.now() - timedelta(minutes=minutes_ago)
    values = {
        "source": "recorded",
        "started_at": at,
        "ended_at": at + timedelta(seconds=seconds),
        "exit_code": exit_code,
        "output": output or None,
        "bytes": len(output),
    }
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        row = RunRow(crontab_row=crontab_row, task=task.id if task else None, **{**values, **more})
        session.add(row)
        session.flush()
        return row.id


def observed(environment, task, minutes_ago, **more):
    return ran(
        environment, task, minutes_ago, source="observed", ended_at=None, exit_code=None, **more
    )


def missed(environment, task, minutes_ago, times=1, until_minutes_ago=None):
    last = minutes_ago if until_minutes_ago is None else until_minutes_ago
    return ran(
        environment,
        task,
        minutes_ago,
        source="missed",
        ended_at=clock.now() - timedelta(minutes=last),
        exit_code=None,
        missed=times,
        note="the machine was off",
    )
