"""Find runs by what they printed.

There is no index on output: it would be larger than the output. A search reads a limited amount
of the newest output instead, so a million runs cost as much as a thousand.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from pitasker_core import database
from pitasker_core.base.environment import Environment
from pitasker_core.sync import store

SHORTEST, LONGEST = 3, 100
"""Characters of a text that is searched for. A shorter one is in almost every output."""

RUNS = 5_000
"""The newest runs that are searched."""

BYTES = 4_000_000
"""Bytes of output that are searched, in a tenth of a second on a desktop computer."""

_LINE = 400
"""Bytes of a line that are returned."""

# `encode` gives text whatever the bytes are. It writes bytes outside ASCII in octal, so only the
# case of ASCII letters is ignored.
_QUERY = text("""
    with newest as (
        select id, started_at, bytes from runs where crontab = :crontab
        order by started_at desc, id desc limit :runs
    ), printed as (
        select id, sum(least(bytes, 131072)) over (order by started_at desc, id desc) as total
        from newest where bytes > 0
    )
    select runs.id, coalesce(tasks.name, runs.command, '') as task_name, runs.started_at,
        runs.state, runs.output
    from printed join runs on runs.id = printed.id left join tasks on tasks.id = runs.task
    where printed.total < :bytes
        and position(lower(encode(:words, 'escape')) in lower(encode(runs.output, 'escape'))) > 0
    order by runs.started_at desc, runs.id desc limit :limit
""")


@dataclass(frozen=True)
class Hit:
    """A run whose output has the text, and the first line with it."""

    run: int
    task_name: str
    started_at: datetime
    state: str
    line: bytes


def search_output(environment: Environment, words: str, limit: int = 5) -> list[Hit]:
    """The newest runs that printed a text, newest first. Empty if the text is too short or long."""
    if not SHORTEST <= len(words.strip()) <= LONGEST:
        return []
    sought = words.strip().encode(errors="surrogateescape")
    with database.session(environment) as session:
        values = {
            "crontab": store.own_crontab(session),
            "words": sought,
            "runs": RUNS,
            "bytes": BYTES,
            "limit": limit,
        }
        rows = session.execute(_QUERY, values).all()
    return [
        Hit(row.id, row.task_name, row.started_at, row.state, _line(bytes(row.output), sought))
        for row in rows
    ]


def _line(output: bytes, words: bytes) -> bytes:
    lines = output.splitlines()
    return next((line for line in lines if words.lower() in line.lower()), b"")[:_LINE]
