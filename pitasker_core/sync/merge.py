"""The three-way merge, as pure functions on values.

A side maps a tag to the fields of its task; a tag that is missing is a value too: "no such entry".
`ours` is what the database wants in the crontab, `theirs` what the crontab has, `base` what both
last agreed on. Additions, changes, removals and recovery after a crash all follow from the four
cases in `plan`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from pitasker_core.crontab.recording import PLAIN, Recording, from_dict


@dataclass(frozen=True, slots=True)
class Fields:
    """What a managed entry and its task have in common."""

    name: str
    schedule: str
    command: str
    paused: bool = False
    recording: Recording = PLAIN

    @property
    def text(self) -> str:
        """All of it that is free text."""
        return f"{self.name}{self.schedule}{self.command}"

    def as_dict(self) -> dict[str, Any]:
        """For the database and for JSON. (`dataclasses.asdict` takes ten times as long.)"""
        return {
            "name": self.name,
            "schedule": self.schedule,
            "command": self.command,
            "paused": self.paused,
            "recording": self.recording.as_dict(),
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> "Fields":
        """What `as_dict` made, back; also from before there was recording."""
        recording = from_dict(kept.get("recording"))
        return cls(kept["name"], kept["schedule"], kept["command"], kept["paused"], recording)


Side = Mapping[UUID, Fields]


class ChangeKind(StrEnum):
    """What a sync does about one tag."""

    PUSH = "push"  # to the crontab
    PULL = "pull"  # to the database
    REBASE = "rebase"  # both agree, only the base is behind
    CONFLICT = "conflict"  # both changed, differently: nothing until a person chooses


class Policy(StrEnum):
    """What to do about conflicts that nobody chose for."""

    ASK = "ask"
    DATABASE = "database"
    CRONTAB = "crontab"


@dataclass(frozen=True, slots=True)
class Change:
    """One tag that is not in step. `None` means that the side has no such entry.

    `result` is what both sides shall be after the change; for a conflict it has no meaning.
    """

    tag: UUID
    kind: ChangeKind
    base: Fields | None
    ours: Fields | None
    theirs: Fields | None
    result: Fields | None

    @property
    def fingerprint(self) -> str:
        """The same for the same two sides, and short."""
        return sha256(repr((self.ours, self.theirs)).encode(errors="replace")).hexdigest()


@dataclass(frozen=True)
class Plan:
    """What a sync would do, in the order of `ours`, then of what only the others know."""

    changes: tuple[Change, ...] = ()

    def of(self, kind: ChangeKind) -> list[Change]:
        """The changes of one kind."""
        return [change for change in self.changes if change.kind is kind]

    @property
    def decided(self) -> list[Change]:
        """All changes but conflicts."""
        return [change for change in self.changes if change.kind is not ChangeKind.CONFLICT]

    @property
    def pushes(self) -> list[Change]:
        """What the crontab lacks. A conflict decided by a mix is pushed and pulled."""
        return [change for change in self.decided if change.result != change.theirs]

    @property
    def pulls(self) -> list[Change]:
        """What the database lacks."""
        return [change for change in self.decided if change.result != change.ours]

    @property
    def conflicts(self) -> list[Change]:
        """What waits for a choice."""
        return self.of(ChangeKind.CONFLICT)

    def without(self, tags: Collection[UUID]) -> "Plan":
        """The plan without some tags, which then stay as they are on both sides."""
        return Plan(tuple(change for change in self.changes if change.tag not in tags))

    def only(self, tags: Collection[UUID]) -> "Plan":
        """The plan for some tags alone."""
        return Plan(tuple(change for change in self.changes if change.tag in tags))


Choice = Policy | Fields
"""Whose version to take for one conflict, or an explicit mix of both."""


def plan(base: Side, ours: Side, theirs: Side) -> Plan:
    """Compare the three sides, tag by tag."""
    changes = []
    for tag in dict.fromkeys([*ours, *theirs, *base]):
        b, o, t = base.get(tag), ours.get(tag), theirs.get(tag)
        if b == o == t:
            continue
        if o == t:
            changes.append(Change(tag, ChangeKind.REBASE, b, o, t, o))
        elif o == b:
            changes.append(Change(tag, ChangeKind.PULL, b, o, t, t))
        elif t == b:
            changes.append(Change(tag, ChangeKind.PUSH, b, o, t, o))
        else:
            changes.append(Change(tag, ChangeKind.CONFLICT, b, o, t, None))
    return Plan(tuple(changes))


def resolve(planned: Plan, choices: Mapping[UUID, Choice], policy: Policy = Policy.ASK) -> Plan:
    """The plan with a person's choices, and its other conflicts decided by the policy.

    A choice may also turn around what only one side changed: the database's version then
    overwrites a hand edit, or the crontab's an edit of the task.
    """

    def decided(change: Change) -> Change:
        is_conflict = change.kind is ChangeKind.CONFLICT
        choice = choices.get(change.tag, policy if is_conflict else Policy.ASK)
        if isinstance(choice, Fields):
            return replace(change, kind=ChangeKind.PUSH, result=choice)
        if choice is Policy.DATABASE:
            return replace(change, kind=ChangeKind.PUSH, result=change.ours)
        if choice is Policy.CRONTAB:
            return replace(change, kind=ChangeKind.PULL, result=change.theirs)
        return change

    return Plan(tuple(decided(change) for change in planned.changes))


def is_mass_removal(planned: Plan, base: Side, *, emptied: bool) -> bool:
    """Whether the crontab lost so much at once that a person must confirm.

    That is: a managed entry from a crontab that now has no entries at all (`emptied`), or at least
    three managed entries and more than half of them.
    """
    removed = sum(1 for change in planned.pulls if change.result is None)
    return removed > 0 and (emptied or (removed >= 3 and 2 * removed > len(base)))
