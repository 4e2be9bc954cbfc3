"""What a crontab says of each task, and a crontab with a plan carried out. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.base.storable import check_storable
from pitasker_core.base.text import visible
from pitasker_core.crontab.document import (
    Document,
    Entry,
    Line,
    check_command,
    check_name,
    is_name,
)
from pitasker_core.crontab.draft import Draft
from pitasker_core.crontab.place import Place, find_place, place_of, say_settings
from pitasker_core.crontab.recording import Recorder
from pitasker_core.sync.merge import Change, Fields, Kind, Plan


@dataclass(frozen=True, slots=True)
class Agreed:
    """The base of one entry: its fields, and the comment that stood above it."""

    fields: Fields
    comment: str | None
    comment_is_ours: bool
    above: tuple[str, ...] = ()
    """If it is ours: the texts of the comments directly above it, with stand-ins for what a
    database cannot hold. They are a person's."""


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
    """Tags that got into the standard input, and those of entries whose recorder is gone or records
    for another task: their lines are written anew, and mean the same."""
    broken: dict[UUID, int] = field(default_factory=dict)
    """Known tags that stand on a line that is no entry, and on no other."""

    @property
    def entries(self) -> dict[UUID, int]:
        """Each task's entry, also one that lost its tag."""
        return {**self.lost, **self.where}

    def held(self, document: Document) -> dict[UUID, str]:
        """Tags that a sync must leave alone on both sides, with the reason."""
        return {
            tag: _why_held(document.lines[index], index + 1) for tag, index in self.broken.items()
        }


def read(
    document: Document,
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
        if entry.tag is None and entry.swallowed_tag is None:
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

    document: Document
    base: dict[UUID, Agreed | None]
    """What both sides now agree on, for each tag that was in the plan; None: no entry."""
    failures: dict[UUID, str]
    notes: dict[UUID, str] = field(default_factory=dict)
    """What a person must know of an entry that came back into the crontab."""


def carry_out(
    document: Document,
    plan: Plan,
    reading: Reading,
    base: Mapping[UUID, Agreed],
    recorders: Mapping[UUID, Recorder],
    places: Mapping[UUID, Place] | None = None,
) -> Carried:
    """Change the document as the plan wants. What cannot be written fails alone, with a reason.

    `recorders` says for each tag who would record its runs, `places` where the entries stood that
    were in the crontab before and are not now.
    """
    places = places or {}
    failures: dict[UUID, str] = {}
    notes: dict[UUID, str] = {}
    named: dict[UUID, bool] = {}  # of what came into the crontab: whether its comment is ours
    returns: list[tuple[UUID, Fields]] = []
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
                elif index is None and tag in places:
                    returns.append((tag, result))
                elif index is None:
                    named[tag] = True
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
            # A tag that got into the standard input goes back to where the shell drops it.
            if result and tag in reading.misplaced:
                draft.change(reading.where[tag], recorder=recorders.get(tag))
        except InvalidSyntax as problem:
            failures[tag] = problem.user_message
    changed = draft.done()
    are_back: dict[UUID, bool] = {}
    for tag, result in sorted(returns, key=lambda item: places[item[0]].index):
        above = find_place(changed, places[tag], places)
        try:
            changed, named[tag] = _return(changed, tag, result, places[tag], above, recorders)
            are_back[tag] = above is not None
        except InvalidSyntax as problem:
            failures[tag] = problem.user_message
    for tag, is_back in are_back.items():
        index = changed.by_tag[tag][0]
        if note := say_settings(changed, index, places[tag], is_back=is_back):
            notes[tag] = note
    if changed is not document:
        changed = changed.with_end()
    agreed_now = {
        change.tag: _agreed(changed, change, base.get(change.tag), places.get(change.tag), named)
        for change in plan.changes
        if change.kind is not Kind.CONFLICT and change.tag not in failures
    }
    return Carried(changed, agreed_now, failures, notes)


def removed_places(
    document: Document,
    where: Mapping[UUID, int],
    base: Mapping[UUID, Agreed],
    tags: Collection[UUID],
) -> dict[UUID, Place]:
    """The places of entries that are taken out of a crontab. `where` are their indexes in it."""
    places = {}
    for tag in tags:
        index = where.get(tag)
        if index is not None:
            ours = _owns_comment(base.get(tag), document.comment_above(index))
            places[tag] = place_of(document, index, comment_is_ours=ours)
    return places


def _owns_comment(agreed: Agreed | None, comment: str | None) -> bool:
    return bool(agreed and agreed.comment_is_ours and agreed.comment == comment)


def _return(
    document: Document,
    tag: UUID,
    result: Fields,
    place: Place,
    above: int | None,
    recorders: Mapping[UUID, Recorder],
) -> tuple[Document, bool]:
    """The crontab with an entry that comes back, and whether the comment above it is ours.

    `above` is the index of the line above which it belongs; None when its place is gone.
    """
    draft = Draft(document)
    own = place.document.comment_above(place.index) if place.comment_is_ours else None
    has_own = own is not None
    if above is None:
        own, has_own = result.name, True
    elif own is not None and document.comment_above(above) == own:
        # Somebody took the entry alone, and our comment waited for it.
        draft.rename(above, own, result.name)
        own = None
    draft.add(
        None if own is None else result.name,
        result.schedule,
        result.command,
        tag,
        result.paused,
        result.recording,
        recorders.get(tag),
        above=above,
        like=place.entry,
    )
    return draft.done(), has_own


def _why_held(line: Line, number: int) -> str:
    if isinstance(line, Entry):
        return f"In line {number} the shell takes this task's tag for a part of the command."
    reason = getattr(line, "reason", "it is a comment or a setting")
    return f"Line {number} has this task's tag but is not an entry: {reason}."


def _says(entry: Entry, fields: Fields) -> bool:
    return (entry.schedule, entry.command, entry.paused) == (
        fields.schedule,
        fields.command,
        fields.paused,
    )


def _fields(document: Document, index: int, agreed: Agreed | None, known: Known | None) -> Fields:
    entry = document.entry(index)
    comment = document.comment_above(index)
    if agreed:
        name = agreed.fields.name
        if comment is not None and _is_new_name(document, index, comment, agreed):
            name = comment
    else:
        name = known.fields.name if known else entry.command
    return Fields(name, entry.schedule, entry.command, entry.paused, entry.recording)


def _is_new_name(document: Document, index: int, comment: str, agreed: Agreed) -> bool:
    """Whether somebody wrote a new name into the comment that we wrote above an entry.

    A comment that was put between, or that was above ours before, is not the name.
    """
    if not agreed.comment_is_ours or comment == agreed.comment or not is_name(comment):
        return False
    return visible(comment) not in agreed.above and agreed.comment not in comments_above(
        document, index
    )


def _find_lost(
    document: Document,
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


def _agreed(
    document: Document,
    change: Change,
    before: Agreed | None,
    place: Place | None,
    named: Mapping[UUID, bool],
) -> Agreed | None:
    if change.result is None:
        return None
    result = change.result
    index = next(
        (i for i in document.by_tag[change.tag] if _says(document.entry(i), result)),
        document.by_tag[change.tag][0],
    )
    comment = document.comment_above(index)
    if change.tag in named:
        ours = named[change.tag]
    elif before is None:
        # Both sides have it and no base: a write of ours whose end was never recorded, or an entry
        # that somebody put back.
        ours = comment == result.name and (place is None or place.comment_is_ours)
    else:
        ours = before.comment_is_ours and comment in (before.comment, result.name)
        if change.theirs and change.theirs.name != before.fields.name:
            ours = False  # renamed by hand: the words above the entry are a person's now
    return Agreed(result, comment, ours, others_above(document, index) if ours else ())


def others_above(document: Document, index: int) -> tuple[str, ...]:
    """The texts of the comments above the comment of an entry, as `Agreed` keeps them."""
    return tuple(map(visible, comments_above(document, index)[1:]))


def comments_above(document: Document, index: int) -> list[str]:
    """The texts of the comments that stand directly above a line, the nearest first."""
    texts = []
    while (text := document.comment_above(index)) is not None:
        texts.append(text)
        index -= 1
    return texts
