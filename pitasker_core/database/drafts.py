"""What a person began to edit in a browser and has not saved: kept over reload and sign-in.

A draft belongs to one signed-in browser. It keeps what it was based on, so that a change made by
somebody else in between shows.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.database.tables import StateRow

KEPT = timedelta(days=30)
"""How long a draft is kept that nobody touches."""

_LONGEST = 300_000
"""Characters of a draft: more than a crontab has, and its base."""

_MOST = 100
"""Drafts of a browser. The oldest gives way."""


@dataclass(frozen=True)
class Draft:
    """One draft. `name` says what it is of."""

    name: str
    value: dict[str, Any]
    updated_at: datetime


def read_drafts(environment: Environment, browser: str, prefix: str = "") -> list[Draft]:
    """The drafts of a browser whose names begin with a prefix, newest first."""
    begin = _key(browser, prefix)
    with database.session(environment) as session:
        query = select(StateRow.key, StateRow.value, StateRow.updated_at)
        query = query.where(StateRow.key.startswith(begin, autoescape=True))
        rows = session.execute(query.order_by(StateRow.updated_at.desc())).all()
    own = len(_key(browser, ""))
    return [Draft(row.key[own:], row.value, row.updated_at) for row in rows]


def save_draft(environment: Environment, browser: str, name: str, value: dict[str, Any]) -> None:
    """Keep a draft. Raises InvalidSyntax for one that is too long, ReadOnly, DatabaseError."""
    if len(str(value)) > _LONGEST:
        raise InvalidSyntax("This is too long to be kept as a draft.", "Save it soon.")
    with database.session(environment) as session:
        session.merge(StateRow(key=_key(browser, name), value=value, updated_at=clock.now()))
        newest = (
            select(StateRow.key)
            .where(StateRow.key.startswith(_key(browser, ""), autoescape=True))
            .order_by(StateRow.updated_at.desc())
            .offset(_MOST)
        )
        session.execute(delete(StateRow).where(StateRow.key.in_(newest)))


def discard_draft(environment: Environment, browser: str, name: str) -> None:
    """Forget a draft, if there is one."""
    with database.session(environment) as session:
        session.execute(delete(StateRow).where(StateRow.key == _key(browser, name)))


def prune_drafts(environment: Environment) -> None:
    """Forget the drafts of all browsers that nobody touched for long."""
    with database.session(environment) as session:
        session.execute(
            delete(StateRow)
            .where(StateRow.key.startswith("draft:", autoescape=True))
            .where(StateRow.updated_at < clock.now() - KEPT)
        )


def _key(browser: str, name: str) -> str:
    return f"draft:{browser}:{name}"
