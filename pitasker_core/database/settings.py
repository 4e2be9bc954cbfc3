"""Settings of a crontab: a frozen dataclass for each key."""

from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.orm import Session

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.stale_check import changes
from pitasker_core.database.events import EventKind, add_event
from pitasker_core.database.tables import SettingRow

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

S = TypeVar("S", bound="DataclassInstance")


def read(environment: Environment, key: str, settings: type[S]) -> S:
    """Return the stored settings. Values that this version does not know are left out."""
    with database.session(environment) as session:
        row = session.get(SettingRow, key)
        stored: dict[str, Any] = row.value if row else {}
        names = {field.name for field in fields(settings)}
        return settings(**{name: value for name, value in stored.items() if name in names})


def apply(before: S, shown: S | None, new: dict[str, Any]) -> S:
    """Return settings with new values. Raises Stale if one of them is not as it was `shown`."""
    return replace(before, **changes(asdict(before), asdict(shown) if shown else None, new))


def save(session: Session, key: str, actor: Actor, kind: EventKind, before: S, after: S) -> None:
    """Store changed settings, with an event."""
    old, new = asdict(before), asdict(after)
    session.merge(SettingRow(key=key, value=new, updated_at=clock.now()))
    changed = {name: value for name, value in new.items() if value != old[name]}
    add_event(session, actor, kind, before={name: old[name] for name in changed}, after=changed)
