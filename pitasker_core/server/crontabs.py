"""The crontabs of a database, and a person's choice of ours after a rename."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Insert, insert, select, text

from pitasker_core import database
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import NotFound, ReadOnly, Stale
from pitasker_core.base.text import marked
from pitasker_core.database import owner
from pitasker_core.database.events import EventKind
from pitasker_core.database.owner import Known, Standing
from pitasker_core.database.tables import EventRow, TokenRow
from pitasker_core.server.auth import Role, digest
from pitasker_core.server.tokens import as_role


def listing(environment: Environment) -> list[Known]:
    """All crontabs of the database: ours first, or else those that may be ours."""
    with database.administer(environment) as connection:
        return owner.list_crontabs(connection, database.evidence(environment))


def continue_as(environment: Environment, actor: Actor, crontab_row: int) -> None:
    """Continue a known crontab as ours, with its tasks, runs and preferences.

    Raises NotFound if it cannot be ours, Stale if ours is known already, and ReadOnly.
    """
    with _deciding(environment) as (connection, candidates):
        before = next((crontab for crontab in candidates if crontab.id == crontab_row), None)
        if before is None:
            raise NotFound(
                f"Crontab {crontab_row} cannot be this one.",
                marked("`./pitasker crontabs list` shows them."),
            )
        owner.claim(connection, crontab_row, environment.identity)
        event = _event(environment, actor, crontab_row)
        connection.execute(event.values(kind=EventKind.CONTINUED, before={"crontab": str(before)}))


def start_new(environment: Environment, actor: Actor) -> None:
    """Start our crontab as a new one. Raises Stale if it is known already, and ReadOnly."""
    with _deciding(environment) as (connection, _):
        crontab_row = owner.add(connection, environment.identity)
        connection.execute(_event(environment, actor, crontab_row).values(kind=EventKind.BEGUN))


def _event(environment: Environment, actor: Actor, crontab_row: int) -> Insert:
    after = {"crontab": str(environment.identity)}
    return insert(EventRow).values(crontab_row=crontab_row, actor=actor, after=after)


def role_of(environment: Environment, token: str) -> Role | None:
    """The role of a token of any crontab that may be ours, while a person has not decided."""
    with database.administer(environment) as connection:
        crontabs = owner.list_crontabs(connection, database.evidence(environment))
        ids = [crontab.id for crontab in crontabs if crontab.standing is Standing.CANDIDATE]
        may_write = connection.scalar(
            select(TokenRow.may_write).where(
                TokenRow.sha256 == digest(token), TokenRow.crontab_row.in_(ids)
            )
        )
    return None if may_write is None else as_role(may_write)


@contextmanager
def _deciding(environment: Environment) -> Iterator[tuple[Connection, list[Known]]]:
    """A transaction for a person's decision, with the crontabs that may be ours."""
    if environment.read_only:
        raise ReadOnly
    with database.administer(environment) as connection:
        # If two people decide at once, the second one gets Stale.
        connection.execute(text("lock table crontabs in share row exclusive mode"))
        crontabs = owner.list_crontabs(connection, database.evidence(environment))
        if any(crontab.standing is Standing.OURS for crontab in crontabs):
            raise Stale(f"{environment.identity} is known already.", "Nothing was changed.")
        yield connection, [c for c in crontabs if c.standing is Standing.CANDIDATE]
