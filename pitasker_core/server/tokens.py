"""Tokens for scripts that use the API. Only their hashes are stored."""

import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import bindparam, delete, select, update

from pitasker_core import database
from pitasker_core.base import clock, local_changes
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax, NotFound
from pitasker_core.base.storable import check_storable
from pitasker_core.base.text import marked
from pitasker_core.database.events import EventKind, add_event
from pitasker_core.database.tables import TokenRow
from pitasker_core.server.auth import Role, digest

PREFIX = "pitasker_"
"""Makes a leaked token recognisable."""
LONGEST_NAME = 100

_USED_STEP = timedelta(minutes=5)
"""The resolution of the time of last use, so that not every request causes a write."""


MEMORY_SECONDS = 1.0
"""How long a token's role is remembered for requests that only read."""

_MOST_REMEMBERED = 100


@dataclass(frozen=True)
class Token:
    """A token in a list, without its secret."""

    id: int
    name: str
    role: Role
    created_at: datetime
    used_at: datetime | None


def create(environment: Environment, actor: Actor, name: str, role: Role) -> str:
    """Create a token and return its secret, which is shown only once.

    Raises InvalidSyntax if the name is empty or too long.
    """
    if not (name := name.strip()):
        raise InvalidSyntax(
            "A token needs a name.", marked("Name what uses it, for example `phone`.")
        )
    if len(name) > LONGEST_NAME:
        raise InvalidSyntax(f"A token's name has at most {LONGEST_NAME} characters.")
    check_storable("A token's name", name)
    token = PREFIX + secrets.token_urlsafe(32)
    with database.session(environment) as session:
        session.add(TokenRow(name=name, sha256=digest(token), may_write=role is Role.WRITE))
        after = {"name": name, "role": role.value}
        add_event(session, actor, EventKind.TOKEN_CREATED, after=after)
    return token


def listing(environment: Environment) -> list[Token]:
    """All tokens, newest first."""
    with database.session(environment) as session:
        rows = session.scalars(select(TokenRow).order_by(TokenRow.id.desc()))
        return [
            Token(row.id, row.name, as_role(row.may_write), row.created_at, row.used_at)
            for row in rows
        ]


def role_of(environment: Environment, token: str) -> Role | None:
    """What a token may do; None if it is unknown or revoked."""
    if not token.startswith(PREFIX):
        return None
    rows = database.fetch(environment, _TOKEN, {"sha256": digest(token)})
    if not rows:
        return None
    (row,), now = rows, clock.now()
    if row.used_at is None or row.used_at < now - _USED_STEP:
        with database.session(environment) as session:
            session.execute(update(TokenRow).where(TokenRow.id == row.id).values(used_at=now))
    return as_role(row.may_write)


# Built once, of columns: every change by the API asks for its token.
_TOKEN = select(TokenRow.id, TokenRow.used_at, TokenRow.may_write).where(
    TokenRow.sha256 == bindparam("sha256")
)


def remembered_role(environment: Environment, token: str) -> Role | None:
    """Return what `role_of` returned within the last second; None when it must be asked.

    For requests that only read. It is not older than a change by this process, such as the
    token's revocation.
    """
    memory = _roles.get((environment.home, environment.database_url, digest(token)))
    if memory is None:
        return None
    role, at, changes = memory
    is_young = time.monotonic() <= at + MEMORY_SECONDS and changes == local_changes.count()
    return role if is_young else None


def remember_role(environment: Environment, token: str) -> Role | None:
    """Return `role_of`, and remember it."""
    at, changes = time.monotonic(), local_changes.count()
    role = role_of(environment, token)
    if role is not None:
        if len(_roles) >= _MOST_REMEMBERED:
            _roles.clear()
        _roles[environment.home, environment.database_url, digest(token)] = (role, at, changes)
    return role


_roles: dict[tuple[Path, str | None, str], tuple[Role, float, int]] = {}


def revoke(environment: Environment, actor: Actor, token: int) -> None:
    """Revoke a token. Raises NotFound."""
    with database.session(environment) as session:
        name = session.scalar(delete(TokenRow).where(TokenRow.id == token).returning(TokenRow.name))
        if name is None:
            raise NotFound(f"There is no token {token}.")
        add_event(session, actor, EventKind.TOKEN_REVOKED, before={"name": name})


def as_role(may_write: bool) -> Role:
    """The role of a token, of what the database stores."""
    return Role.WRITE if may_write else Role.READ
