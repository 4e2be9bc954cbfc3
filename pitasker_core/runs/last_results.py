"""How each task ran last, for those who watch from outside."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from pitasker_core import database
from pitasker_core.base.environment import Environment
from pitasker_core.sync import store

# Of some tasks only starts are seen, so an end is looked for among the newest ten runs, not all.
_QUERY = text("""
    select tasks.id as task, tasks.name,
        max(newest.started_at) filter (where newest.state <> 'missed') as started_at,
        (array_agg(newest.state = 'success' order by newest.started_at desc)
            filter (where newest.state in ('success', 'failed')))[1] as succeeded,
        (array_agg(extract(epoch from newest.ended_at - newest.started_at)::float
            order by newest.started_at desc)
            filter (where newest.state in ('success', 'failed')))[1] as seconds
    from tasks left join lateral (
        select started_at, ended_at, state from runs where runs.task = tasks.id
        order by started_at desc limit 10
    ) as newest on true
    where tasks.deleted_at is null and tasks.crontab = :crontab
    group by tasks.id order by tasks.id
""")


@dataclass(frozen=True)
class Last:
    """A task's newest run, and how the newest one ended whose end is known: None where there is
    none. `seconds` is how long that one took."""

    task: int
    name: str
    started_at: datetime | None
    succeeded: bool | None
    seconds: float | None


def last(environment: Environment) -> list[Last]:
    """How each task of this crontab ran last, in the order of their ids."""
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        return [Last(**row._mapping) for row in session.execute(_QUERY, {"crontab": crontab_row})]
