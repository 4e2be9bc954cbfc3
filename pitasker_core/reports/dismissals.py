"""What a person has dismissed on the overview: runs that no longer need attention."""

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.database.tables import StateRow

_KEY = "dismissed runs"

_MOST = 500
"""Runs that are remembered: the newest."""


def dismissed(environment: Environment) -> frozenset[int]:
    """The ids of the runs that were dismissed."""
    with database.session(environment) as session:
        row = session.get(StateRow, _KEY)
        return frozenset(row.value.get("runs", [])) if row else frozenset()


def dismiss(environment: Environment, *runs: int) -> None:
    """Remember that runs need no attention. Raises ReadOnly, DatabaseError."""
    with database.session(environment) as session:
        row = session.get(StateRow, _KEY)
        earlier = row.value.get("runs", []) if row else []
        newest = sorted({*earlier, *runs})[-_MOST:]
        session.merge(StateRow(key=_KEY, value={"runs": newest}, updated_at=clock.now()))
