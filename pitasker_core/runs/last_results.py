"""The last result of each task, for monitoring from outside."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, text

from pitasker_core import database
from pitasker_core.base.environment import Environment
from pitasker_core.runs.model import FINISHED, RunState
from pitasker_core.sync import store

# Some tasks have only starts without results, so the search is limited to the newest ten runs.
_QUERY = text("""
    select tasks.id as task, tasks.name,
        max(newest.started_at) filter (where newest.state <> :missed) as started_at,
        (array_agg(newest.state = :success order by newest.started_at desc)
            filter (where newest.state in :finished))[1] as succeeded,
        (array_agg(extract(epoch from newest.ended_at - newest.started_at)::float
            order by newest.started_at desc)
            filter (where newest.state in :finished))[1] as seconds
    from tasks left join lateral (
        select started_at, ended_at, state from runs where runs.task = tasks.id
        order by started_at desc limit 10
    ) as newest on true
    where tasks.deleted_at is null and tasks.crontab = :crontab
    group by tasks.id order by tasks.id
""").bindparams(
    bindparam("finished", FINISHED, expanding=True),
    success=RunState.SUCCESS,
    missed=RunState.MISSED,
)


@dataclass(frozen=True)
class Last:
    """The start of a task's newest run, and the result and duration in seconds of the newest run
    with a known result. None if there is none."""

    task: int
    name: str
    started_at: datetime | None
    succeeded: bool | None
    seconds: float | None


def last(environment: Environment) -> list[Last]:
    """The last result of each task of this crontab, sorted by id."""
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        return [Last(**row._mapping) for row in session.execute(_QUERY, {"crontab": crontab_row})]
