"""What a crontab says about each task, and the plan with what only its text can tell. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from pitasker_core.base.text import visible
from pitasker_core.crontab.document import Document, Entry, Invalid, Line, is_name
from pitasker_core.sync.merge import Change, ChangeKind, Fields, Plan, without


class BaseEntry(NamedTuple):
    """The base of one entry: its fields, and the comment that was above it."""

    fields: Fields
    comment: str | None
    comment_is_ours: bool
    above: tuple[str, ...] = ()
    """If the comment is ours: the texts of the comments directly above it, which a person wrote.
    Stand-ins replace what a database cannot hold."""


class KnownTask(NamedTuple):
    """A task that the database knows by its tag."""

    task: int
    fields: Fields
    wants_entry: bool
    """The task is system-managed and not deleted."""
    is_importing: bool
    """Its entry waits for its tag."""


@dataclass(frozen=True)
class CrontabReading:
    """A crontab read with the database's knowledge. Numbers are indexes of lines."""

    theirs: dict[UUID, Fields] = field(default_factory=dict)
    where: dict[UUID, int] = field(default_factory=dict)
    copies: list[int] = field(default_factory=list)
    """Entries with a copied tag, which belongs to another entry."""
    unknown: list[int] = field(default_factory=list)
    """Entries with a tag that the database does not know."""
    unmanaged: list[int] = field(default_factory=list)
    """Entries without a tag."""
    lost: dict[UUID, int] = field(default_factory=dict)
    """Tags that somebody deleted, with the one entry that each was on beyond doubt."""
    misplaced: set[UUID] = field(default_factory=set)
    """Tags in the standard input, and tags of entries whose recorder is missing or records for
    another task. Their lines are written again, with the same meaning."""
    broken: dict[UUID, int] = field(default_factory=dict)
    """Known tags on a line that is no entry, and on no other line."""

    @property
    def entries(self) -> dict[UUID, int]:
        """The entry of each task, also one that lost its tag."""
        return {**self.lost, **self.where} if self.lost else self.where

    def held(self, document: Document) -> dict[UUID, str]:
        """Return the tags that a sync must leave alone on both sides, with the reasons."""
        return {
            tag: _why_held(document.lines[index], index + 1) for tag, index in self.broken.items()
        }


def read(
    document: Document,
    tasks_by_tag: Mapping[UUID, KnownTask],
    base: Mapping[UUID, BaseEntry],
    places: Mapping[UUID, int] | None = None,
    gone_recorders: Collection[str] = (),
) -> CrontabReading:
    """Find the entry of each task.

    `gone_recorders` are paths of recorders that cannot be started. `places` holds the indexes of
    entries that are being imported: entries without a tag, or with a copied one. Without a place,
    such an entry is found by its text.
    """
    reader = _Reader(document, tasks_by_tag, base, places or {}, gone_recorders)
    reader.read_untagged()
    for tag, indexes in document.by_tag.items():
        reader.read_tag(tag, indexes)
    reader.find_lost()
    return reader.reading


_Content = tuple[str, str, bool]
"""The schedule and command of an entry, and whether it is paused."""


class _Reader:
    """Find the entries of tasks."""

    def __init__(
        self,
        document: Document,
        tasks_by_tag: Mapping[UUID, KnownTask],
        base: Mapping[UUID, BaseEntry],
        places: Mapping[UUID, int],
        gone_recorders: Collection[str],
    ) -> None:
        self.document, self.tasks_by_tag, self.base = document, tasks_by_tag, base
        self.places, self.gone_recorders = places, gone_recorders
        self.reading = CrontabReading()

    def read_untagged(self) -> None:
        """List the entries that no task can manage by a tag."""
        for index, entry in self.document.entries():
            if entry.tag is None and entry.swallowed_tag is None:
                self.reading.unmanaged.append(index)

    def read_tag(self, tag: UUID, indexes: Sequence[int]) -> None:
        """Choose which of the entries with a tag is the task's."""
        base, task = self.base.get(tag), self.tasks_by_tag.get(tag)
        own = indexes[0]
        if len(indexes) > 1:
            own = self._own_index(base, indexes)
            self.reading.copies.extend(index for index in indexes if index != own)
        entry = self.document.lines[own]
        assert isinstance(entry, Entry)  # noqa: S101 - it has a tag
        fields = _fields(self.document, own, entry, base, task)
        if task is None and (base is None or fields != base.fields):
            # Also an entry that was edited after its task was deleted: nobody can be asked.
            self.reading.unknown.append(own)
            return
        self.reading.where[tag] = own
        self.reading.theirs[tag] = fields
        if entry.misplaced_tag or self._has_wrong_recorder(tag, entry, task):
            self.reading.misplaced.add(tag)

    def _own_index(self, base: BaseEntry | None, indexes: Sequence[int]) -> int:
        if base is None:
            return indexes[0]
        equal = (index for index in indexes if says(self.document.entry(index), base.fields))
        return next(equal, indexes[0])

    def _has_wrong_recorder(self, tag: UUID, entry: Entry, task: KnownTask | None) -> bool:
        recorder = entry.recorder
        if recorder is None:
            return False
        # The recorder of an entry that is being imported may belong to another installation.
        is_foreign = recorder.path in self.gone_recorders or tag in self.places
        return is_foreign or (task is not None and recorder.task != task.task)

    def find_lost(self) -> None:
        """Find the entries whose tag is gone, and the lines that somebody broke."""
        gone = without(self.base, self.reading.where)
        if not gone:
            return
        mentions = self.document.mentions
        self.reading.broken.update({tag: mentions[tag] for tag in gone if tag in mentions})
        untagged: dict[_Content, list[int]] = {}
        for index in self.reading.unmanaged:
            entry = self.document.entry(index)
            content = (entry.schedule, entry.command, entry.paused)
            untagged.setdefault(content, []).append(index)
        for tag in gone:
            task = self.tasks_by_tag.get(tag)
            if tag not in self.reading.broken and task and task.wants_entry:
                self._find_lost_entry(tag, task, untagged)

    def _find_lost_entry(
        self, tag: UUID, task: KnownTask, untagged: dict[_Content, list[int]]
    ) -> None:
        fields = self.base[tag].fields
        free = untagged.get((fields.schedule, fields.command, fields.paused), [])
        # The import of an entry with a copied tag gives the entry a tag of its own.
        copies = self.reading.copies if task.is_importing else []
        equal = [*free, *(i for i in copies if says(self.document.entry(i), fields))]
        if self.places.get(tag) in equal:
            equal = [self.places[tag]]
        # An entry that a person untagged must be beyond doubt. An import that was interrupted may
        # take any of several equal lines.
        if len(equal) == 1 or (equal and task.is_importing):
            self.reading.lost[tag] = equal[0]
            if equal[0] in free:
                free.remove(equal[0])
            else:
                copies.remove(equal[0])


def complete_plan(
    plan: Plan, reading: CrontabReading, tasks_by_tag: Mapping[UUID, KnownTask]
) -> Plan:
    """Return the plan with what only the crontab's text can tell.

    A lost tag is no removal: it is a conflict, or the tag is written again if it never was. A
    misplaced tag is a change even where both sides agree. A broken line is left alone.
    """

    def complete(change: Change) -> Change:
        if change.tag not in reading.lost or change.ours is None:
            return change
        if tasks_by_tag[change.tag].is_importing:
            return change._replace(kind=ChangeKind.PUSH, result=change.ours)
        return change._replace(kind=ChangeKind.CONFLICT, result=None)

    changes = {change.tag: complete(change) for change in plan.changes}
    for tag in reading.misplaced - changes.keys():
        fields = reading.theirs[tag]
        changes[tag] = Change(tag, ChangeKind.REBASE, fields, fields, fields, fields)
    return Plan(tuple(changes.values())).without(reading.broken)


def says(entry: Entry, fields: Fields) -> bool:
    """Return whether an entry runs the same command at the same times as a task."""
    return (
        entry.schedule == fields.schedule
        and entry.command == fields.command
        and entry.paused == fields.paused
    )


def comments_further_up(document: Document, index: int) -> tuple[str, ...]:
    """Return the comments above the comment of an entry, as a `BaseEntry` keeps them."""
    return tuple(map(visible, comments_above(document, index)[1:]))


def comments_above(document: Document, index: int) -> list[str]:
    """Return the texts of the comments directly above a line, the nearest first."""
    texts = []
    while (text := document.comment_above(index)) is not None:
        texts.append(text)
        index -= 1
    return texts


def _why_held(line: Line, number: int) -> str:
    if isinstance(line, Entry):
        return f"In line {number} the shell reads this task's tag as a part of the command."
    reason = line.reason if isinstance(line, Invalid) else "it is a comment or an environment line"
    return f"Line {number} has this task's tag but is not an entry: {reason}."


def _fields(
    document: Document, index: int, entry: Entry, base: BaseEntry | None, task: KnownTask | None
) -> Fields:
    if base:
        new_name = _new_name(document, index, base) if base.comment_is_ours else None
        name = base.fields.name if new_name is None else new_name
    else:
        name = task.fields.name if task else entry.command
    fields = Fields(name, entry.schedule, entry.command, entry.paused, entry.recording)
    # The same object where nothing changed: what follows then compares no texts.
    return base.fields if base and fields == base.fields else fields


def _new_name(document: Document, index: int, base: BaseEntry) -> str | None:
    """Return the new name that somebody wrote into the comment that we wrote above an entry.

    A comment that somebody put between, or that was above ours before, is not the name.
    """
    comment = document.comment_above(index)
    if comment is None or comment == base.comment or not is_name(comment):
        return None
    is_other = visible(comment) in base.above or base.comment in comments_above(document, index)
    return None if is_other else comment
