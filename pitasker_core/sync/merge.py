"""The three-way merge, as pure functions on values.

A side maps a tag to the fields of its task. A missing tag is a value too: there is no such entry.
`ours` is what the database wants in the crontab, `theirs` is what the crontab has, and `base` is
the last state in which both agreed. Additions, changes, removals and the recovery after a crash all
follow from the four cases in `plan`.
"""

from collections.abc import Collection, Iterator, Mapping, Sized
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from pitasker_core.crontab.recording import PLAIN, Recording, from_dict


class Fields(NamedTuple):
    """The fields that a managed entry shares with its task.

    A sync makes several for each task. Frozen dataclasses would take five times as long.
    """

    name: str
    schedule: str
    command: str
    paused: bool = False
    recording: Recording = PLAIN

    @property
    def text(self) -> str:
        """All the free text."""
        return f"{self.name}{self.schedule}{self.command}"

    def as_dict(self) -> dict[str, Any]:
        """Return the values for the database and for JSON.

        `dataclasses.asdict` takes ten times as long.
        """
        return {
            "name": self.name,
            "schedule": self.schedule,
            "command": self.command,
            "paused": self.paused,
            "recording": self.recording.as_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Fields":
        """Return the fields that `as_dict` made the values of; old values have no recording."""
        recording = from_dict(values.get("recording"))
        return cls(
            values["name"], values["schedule"], values["command"], values["paused"], recording
        )


Side = Mapping[UUID, Fields]


class ChangeKind(StrEnum):
    """What a sync does about one tag."""

    PUSH = "push"  # to the crontab
    PULL = "pull"  # to the database
    REBASE = "rebase"  # both sides agree, and the base is old
    CONFLICT = "conflict"  # both changed, differently: a person must choose


class Policy(StrEnum):
    """What to do about conflicts without a choice."""

    ASK = "ask"
    DATABASE = "database"
    CRONTAB = "crontab"


class Change(NamedTuple):
    """A tag that is out of sync. `None` means that the side has no such entry.

    `result` is the value of both sides after the change. A conflict has none.
    """

    tag: UUID
    kind: ChangeKind
    base: Fields | None
    ours: Fields | None
    theirs: Fields | None
    result: Fields | None

    @property
    def fingerprint(self) -> str:
        """A short text that is equal for equal sides."""
        return sha256(repr((self.ours, self.theirs)).encode(errors="replace")).hexdigest()


@dataclass(frozen=True)
class Plan:
    """What a sync would do: tags in the order of `ours`, then those of the other sides."""

    changes: tuple[Change, ...] = ()

    def of(self, kind: ChangeKind) -> list[Change]:
        """Return the changes of a kind."""
        return [change for change in self.changes if change.kind is kind]

    @property
    def decided(self) -> list[Change]:
        """All changes but conflicts."""
        return [change for change in self.changes if change.kind is not ChangeKind.CONFLICT]

    @property
    def pushes(self) -> list[Change]:
        """The changes of the crontab. A conflict decided by a mix is pushed and pulled."""
        return [change for change in self.decided if change.result != change.theirs]

    @property
    def pulls(self) -> list[Change]:
        """The changes of the database."""
        return [change for change in self.decided if change.result != change.ours]

    @property
    def conflicts(self) -> list[Change]:
        """The changes that wait for a choice."""
        return self.of(ChangeKind.CONFLICT)

    def without(self, tags: Collection[UUID]) -> "Plan":
        """Return the plan without some tags. They stay as they are on both sides."""
        return Plan(tuple(change for change in self.changes if change.tag not in tags))

    def only(self, tags: Collection[UUID]) -> "Plan":
        """Return the plan for some tags only."""
        return Plan(tuple(change for change in self.changes if change.tag in tags))


Choice = Policy | Fields
"""The side whose version wins a conflict, or an explicit mix of both."""


def plan(base: Side, ours: Side, theirs: Side) -> Plan:
    """Compare the three sides tag by tag."""
    changes = []
    for tag, b, o, t in _by_tag(base, ours, theirs):
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


def _by_tag(
    base: Side, ours: Side, theirs: Side
) -> Iterator[tuple[UUID, Fields | None, Fields | None, Fields | None]]:
    """Yield each tag with what the three sides have."""
    for tag, o in ours.items():
        yield tag, base.get(tag), o, theirs.get(tag)
    for tag in without(theirs, ours):
        yield tag, base.get(tag), None, theirs[tag]
    for tag in without(base, {**ours, **theirs}):
        yield tag, base[tag], None, None


def without(some: Mapping[UUID, object], others: Mapping[UUID, object]) -> list[UUID]:
    """Return the tags of some that others have not, in their order.

    A Python function computes the hash of a tag. The sets take the hashes that the dictionaries
    keep.
    """
    rest = set(some).difference(set(others))
    return [tag for tag in some if tag in rest] if rest else []


def resolve(unresolved: Plan, choices: Mapping[UUID, Choice], policy: Policy = Policy.ASK) -> Plan:
    """Return the plan with a person's choices. The policy decides the other conflicts.

    A choice may also reverse a change of one side: the database's version then overwrites an edit
    by hand, or the crontab's version overwrites an edit of the task.
    """

    def decide(change: Change) -> Change:
        is_conflict = change.kind is ChangeKind.CONFLICT
        choice = choices.get(change.tag, policy if is_conflict else Policy.ASK)
        if isinstance(choice, Fields):
            return change._replace(kind=ChangeKind.PUSH, result=choice)
        if choice is Policy.DATABASE:
            return change._replace(kind=ChangeKind.PUSH, result=change.ours)
        if choice is Policy.CRONTAB:
            return change._replace(kind=ChangeKind.PULL, result=change.theirs)
        return change

    return Plan(tuple(decide(change) for change in unresolved.changes))


def is_mass_removal(compared: Plan, base: Sized, *, emptied: bool) -> bool:
    """Return whether the crontab lost so many managed entries that a person must confirm.

    The limit is one entry if the crontab now has no entries at all (`emptied`). Otherwise it is
    three entries and more than half of them.
    """
    removed = sum(1 for change in compared.pulls if change.result is None)
    return removed > 0 and (emptied or (removed >= 3 and 2 * removed > len(base)))
