"""What a crontab says of each task, and a crontab with a plan carried out. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from pitasker_core.crontab.document import (
    Blank,
    Comment,
    Crontab,
    Entry,
    check_command,
    check_name,
    is_name,
)
from pitasker_core.crontab.draft import Draft
from pitasker_core.crontab.recording import Recorder
from pitasker_core.errors import InvalidSyntax
from pitasker_core.storable import check_storable
from pitasker_core.sync.merge import Change, Fields, Kind, Plan


@dataclass(frozen=True, slots=True)
class Agreed:
    """The base of one entry: its fields, and the comment that stood above it."""

    fields: Fields
    comment: str | None
    comment_is_ours: bool


@dataclass(frozen=True, slots=True)
class Known:
    """A task that the database knows by its tag."""

    task: int
    fields: Fields
    wanted: bool
    """System-managed and not deleted: it shall have an entry."""
    adopting: bool
    """Its entry is to be tagged, which has not happened yet."""


@dataclass(frozen=True)
class Reading:
    """A crontab seen with the database's knowledge. Numbers are indexes of lines."""

    theirs: dict[UUID, Fields] = field(default_factory=dict)
    where: dict[UUID, int] = field(default_factory=dict)
    copies: list[int] = field(default_factory=list)
    """Entries whose tag another entry carries with better right."""
    unknown: list[int] = field(default_factory=list)
    """Entries with a tag that the database does not know."""
    unmanaged: list[int] = field(default_factory=list)
    """Entries without a tag."""
    lost: dict[UUID, int] = field(default_factory=dict)
    """Tags that were deleted by hand, and the one entry each surely stood on."""
    misplaced: set[UUID] = field(default_factory=set)
    """Tags that something was written behind by hand, and those of entries whose recorder is gone
    or records for another task: their lines are written anew, and mean the same."""
    broken: dict[UUID, int] = field(default_factory=dict)
    """Known tags that stand on a line that is no entry, and on no other."""

    def held(self, document: Crontab) -> dict[UUID, str]:
        """Tags that a sync must leave alone on both sides, with the reason."""
        return {
            tag: f"Line {index + 1} has this task's tag but is not an entry: "
            f"{getattr(document.lines[index], 'reason', 'it is a comment or a setting')}."
            for tag, index in self.broken.items()
        }


def read(
    document: Crontab,
    known: Mapping[UUID, Known],
    base: Mapping[UUID, Agreed],
    places: Mapping[UUID, int] | None = None,
    gone_recorders: Collection[str] = (),
) -> Reading:
    """Find each task's entry. `gone_recorders` are paths of recorders that cannot be started.

    `places` names the entries that tasks being adopted came from, untagged ones or copies; without
    it they are found by their text.
    """
    reading = Reading()
    for index, entry in document.entries():
        if entry.tag is None:
            reading.unmanaged.append(index)
    for tag, indexes in document.by_tag.items():
        agreed = base.get(tag)
        own = next(
            (i for i in indexes if agreed and _says(document.entry(i), agreed.fields)), indexes[0]
        )
        reading.copies.extend(i for i in indexes if i != own)
        fields = _fields(document, own, agreed, known.get(tag))
        if tag not in known and (agreed is None or fields != agreed.fields):
            # Also one that was edited while its task is gone altogether: nobody can be asked.
            reading.unknown.append(own)
            continue
        reading.where[tag] = own
        reading.theirs[tag] = fields
        entry = document.entry(own)
        recorder = entry.recorder
        # The recorder of an entry that is being imported may be that of another home.
        misled = recorder and (
            recorder.path in gone_recorders
            or tag in (places or {})
            or (tag in known and recorder.task != known[tag].task)
        )
        if entry.misplaced_tag or misled:
            reading.misplaced.add(tag)
    gone = [tag for tag in base if tag not in reading.where]
    reading.broken.update({tag: document.mentions[tag] for tag in gone if tag in document.mentions})
    _find_lost(document, known, base, gone, places or {}, reading)
    return reading


def planned(compared: Plan, reading: Reading, known: Mapping[UUID, Known]) -> Plan:
    """The plan with what only the crontab's text can tell.

    A lost tag is no removal: it waits for a choice, or is put back when it was never written. A
    misplaced tag is a change even where both sides agree. What is broken is left alone.
    """

    def seen(change: Change) -> Change:
        if change.tag not in reading.lost or change.ours is None:
            return change
        if known[change.tag].adopting:
            return replace(change, kind=Kind.PUSH, result=change.ours)
        return replace(change, kind=Kind.CONFLICT, result=None)

    changes = {change.tag: seen(change) for change in compared.changes}
    for tag in reading.misplaced - changes.keys():
        same = reading.theirs[tag]
        changes[tag] = Change(tag, Kind.REBASE, same, same, same, same)
    return Plan(tuple(changes.values())).without(reading.broken)


@dataclass(frozen=True)
class Carried:
    """A crontab with a plan carried out, as far as it could be."""

    document: Crontab
    base: dict[UUID, Agreed | None]
    """What both sides now agree on, for each tag that was in the plan; None: no entry."""
    failures: dict[UUID, str]


def carry_out(
    document: Crontab,
    plan: Plan,
    reading: Reading,
    base: Mapping[UUID, Agreed],
    recorders: Mapping[UUID, Recorder],
) -> Carried:
    """Change the document as the plan wants. What cannot be written fails alone, with a reason.

    `recorders` says for each tag who would record its runs.
    """
    failures: dict[UUID, str] = {}
    draft = Draft(document)
    pulled = {change.tag for change in plan.pulls}
    pushed = {change.tag for change in plan.pushes}
    for change in plan.changes:
        tag, result, agreed = change.tag, change.result, base.get(change.tag)
        if change.kind is Kind.CONFLICT:
            continue
        try:
            if tag in pulled and result:
                check_name(result.name)
                check_command(result.command)
                check_storable("The schedule of a task", result.schedule)
                if reason := document.why_not_tagged(reading.where.get(tag), result.command):
                    raise InvalidSyntax(reason)
            if tag in pushed:
                index = reading.where.get(tag, reading.lost.get(tag))
                if result is None:
                    if index is not None:
                        ours = agreed.comment if agreed and agreed.comment_is_ours else None
                        draft.remove(index, ours)
                    # A copy never was the task's entry. With the tag it would bring the task back.
                    for copy in reading.copies:
                        if document.entry(copy).tag == tag:
                            draft.untag(copy)
                elif index is None:
                    draft.add(
                        result.name,
                        result.schedule,
                        result.command,
                        tag,
                        result.paused,
                        result.recording,
                        recorders.get(tag),
                    )
                else:
                    entry = document.entry(index)
                    _change(draft, entry, index, tag, result, agreed, recorders.get(tag))
            # A tag that something was written behind goes back to its place, so that all of it
            # acts.
            if result and tag in reading.misplaced:
                draft.change(reading.where[tag], recorder=recorders.get(tag))
        except InvalidSyntax as problem:
            failures[tag] = problem.user_message
    changed = draft.done()
    last = changed.lines[-1] if changed.lines else None
    if changed is not document and not isinstance(last, Blank | Comment):
        changed = changed.ended()
    added = len(changed.lines) - draft.added
    agreed_now = {
        change.tag: _agreed(changed, change, base.get(change.tag), added)
        for change in plan.changes
        if change.kind is not Kind.CONFLICT and change.tag not in failures
    }
    return Carried(changed, agreed_now, failures)


def _says(entry: Entry, fields: Fields) -> bool:
    return (entry.schedule, entry.command, entry.paused) == (
        fields.schedule,
        fields.command,
        fields.paused,
    )


def _fields(document: Crontab, index: int, agreed: Agreed | None, known: Known | None) -> Fields:
    entry = document.entry(index)
    comment = document.comment_above(index)
    if agreed:
        # A comment is the name only where it was the name: one that an import left as it stood
        # may say anything.
        follows = agreed.comment == agreed.fields.name and comment not in (None, agreed.comment)
        name = comment if follows and comment and is_name(comment) else agreed.fields.name
    elif comment and is_name(comment):
        name = comment
    else:
        name = known.fields.name if known else entry.command
    return Fields(name, entry.schedule, entry.command, entry.paused, entry.recording)


def _find_lost(
    document: Crontab,
    known: Mapping[UUID, Known],
    base: Mapping[UUID, Agreed],
    gone: list[UUID],
    places: Mapping[UUID, int],
    reading: Reading,
) -> None:
    free = dict.fromkeys(reading.unmanaged)
    for tag in gone:
        if tag in reading.broken or tag not in known or not known[tag].wanted:
            continue
        # An import may also have been of an entry with a copied tag, which gets one of its own.
        copies = reading.copies if known[tag].adopting else []
        equal = [i for i in (*free, *copies) if _says(document.entry(i), base[tag].fields)]
        if places.get(tag) in equal:
            equal = [places[tag]]
        # One that a person untagged must be beyond doubt; an adoption that was cut short may take
        # any of several equal lines.
        if len(equal) == 1 or (equal and known[tag].adopting):
            reading.lost[tag] = equal[0]
            free.pop(equal[0], None)
            if equal[0] in copies:
                copies.remove(equal[0])


def _change(
    draft: Draft,
    entry: Entry,
    index: int,
    tag: UUID,
    result: Fields,
    agreed: Agreed | None,
    recorder: Recorder | None,
) -> None:
    comment = agreed.comment if agreed and agreed.comment_is_ours else None
    if comment is not None:
        check_name(result.name)  # before anything is changed: all of it, or nothing
    wanted = (result.schedule, result.command, result.paused, result.recording, tag)
    if (entry.schedule, entry.command, entry.paused, entry.recording, entry.tag) != wanted:
        draft.change(
            index,
            schedule=result.schedule,
            command=result.command,
            paused=result.paused,
            tag=tag,
            recording=result.recording,
            recorder=recorder,
        )
    if comment is not None:
        draft.rename(index, comment, result.name)


def _agreed(document: Crontab, change: Change, before: Agreed | None, added: int) -> Agreed | None:
    if change.result is None:
        return None
    result = change.result
    index = next(
        (i for i in document.by_tag[change.tag] if _says(document.entry(i), result)),
        document.by_tag[change.tag][0],
    )
    comment = document.comment_above(index)
    if index >= added:
        ours = True
    elif before is None:
        # Both sides have it and no base: a write of ours whose end was never recorded.
        ours = comment == change.result.name
    else:
        ours = before.comment_is_ours and comment in (before.comment, change.result.name)
        if change.theirs and change.theirs.name != before.fields.name:
            ours = False  # renamed by hand: the words above the entry are a person's now
    return Agreed(change.result, comment, ours)
