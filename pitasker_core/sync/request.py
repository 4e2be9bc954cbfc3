"""A request for a sync, and its result."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pitasker_core.base.actor import Actor
from pitasker_core.crontab.document import Document
from pitasker_core.database.direct import Statement
from pitasker_core.sync.install import Write
from pitasker_core.sync.merge import Change, Choice, Plan, Policy
from pitasker_core.sync.store.operations import OperationKind


@dataclass(frozen=True)
class Request:
    """A request for a sync, by a person or by the background."""

    actor: Actor
    kind: OperationKind = OperationKind.SYNC
    only: Collection[UUID] | None = None
    """The tags to sync; None for all."""
    choices: Mapping[UUID, Choice] = field(default_factory=dict)
    """For single tags, the side that wins, or a mix of both."""
    seen: Collection[Change] = ()
    """The changes that the person chose from. If a side changed since, the sync raises Stale."""
    shown: str | None = None
    """The digest of the crontab that the person saw. If it is another one now: Stale."""
    policy: Policy = Policy.ASK
    """What to do about the other conflicts."""
    confirmed: bool = False
    """A person confirmed a mass removal, or a step back to an older crontab."""
    places: Mapping[UUID, int] = field(default_factory=dict)
    """The lines (indexes) of entries that are being imported."""
    write: Write | None = None
    """How the text was installed that this sync follows."""
    edited: tuple[int | None, int | None] = (None, None)
    """The snapshots before and after a person's edit of the whole text that this sync follows."""
    began_after: Callable[[datetime], bool] | None = None
    """Whether cron's log proves that the last edit by others began after a time."""
    crontab: tuple[str | None, Document] | None = None
    """A crontab that the caller read just now. It saves a read if it is the newest snapshot."""
    query: Statement | None = None
    """Asks for what the caller needs after the sync, in the sync's own transaction."""


@dataclass(frozen=True)
class SyncResult:
    """What a sync did. `failures` holds the reasons by task id. `before` and `after` are texts."""

    plan: Plan
    before: str | None
    after: str | None
    tasks: dict[UUID, int] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)
    operation: int | None = None
    left_out: list[int] = field(default_factory=list)
    """The database-only tasks that an export of all left out."""
    in_step: list[int] = field(default_factory=list)
    """The tasks of an export that needed no change."""
    write: Write | None = None
    undone: Collection[UUID] | None = None
    """After an old editor was saved: the tags that PiTasker changed since it was opened."""
    notes: dict[int, str] = field(default_factory=dict)
    """By task id, which environment lines reach an entry that came back."""
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    """The answer to the `query` of the request."""

    def _done(self, changes: list[Change]) -> list[Change]:
        return [c for c in changes if self.tasks.get(c.tag) not in self.failures]

    @property
    def pushed(self) -> list[Change]:
        """The changes written to the crontab."""
        return self._done(self.plan.pushes)

    @property
    def pulled(self) -> list[Change]:
        """The changes taken from the crontab."""
        return self._done(self.plan.pulls)

    @property
    def put_back(self) -> list[int]:
        """The tasks whose changes an old editor had undone."""
        return [self.tasks[c.tag] for c in self.pushed if self.undone and c.tag in self.undone]

    @property
    def old_editor(self) -> str:
        """What to say after an old editor was saved; empty when none was."""
        if self.undone is None:
            return ""
        tasks = ", ".join(map(str, self.put_back))
        which = f" They are of the tasks {tasks}." if tasks else ""
        return (
            "The crontab was saved from an editor that was opened before PiTasker's last changes. "
            f"They are put back, beside what was changed in the editor.{which}"
        )
