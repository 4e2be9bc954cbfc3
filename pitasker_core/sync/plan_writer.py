"""A crontab with a plan carried out. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from pitasker_core.crontab.document import Document
from pitasker_core.crontab.draft import Draft
from pitasker_core.crontab.entry_spec import EntrySpec, check_entry
from pitasker_core.crontab.place import Place, PlaceFinder, describe_environment, place_of
from pitasker_core.crontab.recording import Recorder
from pitasker_core.crontab.rejection import Rejection, to_error
from pitasker_core.sync.merge import Change, Fields, Plan
from pitasker_core.sync.sides import BaseEntry, CrontabReading, comments_further_up, says


@dataclass(frozen=True)
class PlanOutcome:
    """A crontab with a plan carried out, as far as that is possible."""

    document: Document
    base: dict[UUID, BaseEntry | None]
    """The new base of each tag in the plan; None when both sides have no entry."""
    failures: dict[UUID, str]
    notes: dict[UUID, str] = field(default_factory=dict)
    """What a person must know about an entry that came back into the crontab."""


def carry_out(
    document: Document,
    plan: Plan,
    reading: CrontabReading,
    base: Mapping[UUID, BaseEntry],
    recorders: Mapping[UUID, Recorder],
    places: Mapping[UUID, Place] | None = None,
) -> PlanOutcome:
    """Change the document as planned. An entry that cannot be written fails alone, with a reason.

    `recorders` holds the recorder of each task. `places` holds the old places of entries that were
    in the crontab before and are not now.
    """
    writer = _PlanWriter(document, reading, base, recorders, places or {})
    for change in plan.decided:
        writer.write(change)
    return writer.finish(plan.decided)


class _PlanWriter:
    """Write the changes of a plan one by one."""

    def __init__(
        self,
        document: Document,
        reading: CrontabReading,
        base: Mapping[UUID, BaseEntry],
        recorders: Mapping[UUID, Recorder],
        places: Mapping[UUID, Place],
    ) -> None:
        self.document, self.reading, self.base = document, reading, base
        self.entries = reading.entries
        self.recorders, self.places = recorders, places
        self.draft = Draft(document)
        self.failures: dict[UUID, str] = {}
        self.owns_comment: dict[UUID, bool] = {}
        """Whether PiTasker wrote the comment above each new entry."""
        self.returning: list[tuple[UUID, Fields]] = []
        """Entries that come back. They are written last, between the entries around them."""

    def write(self, change: Change) -> None:
        """Write one change to the draft, or keep the reason why that is impossible."""
        rejections = self._check_pull(change) or self._push(change) or self._restore_tag(change)
        if rejections:
            self._fail(change.tag, rejections)

    def finish(self, changes: Collection[Change]) -> PlanOutcome:
        """Return the document with all changes, and the new base."""
        document, has_old_place = self._bring_back(self.draft.done())
        notes = {}
        for tag, is_back in has_old_place.items():
            index = document.by_tag[tag][0]
            note = describe_environment(document, index, self.places[tag], is_back=is_back)
            if note:
                notes[tag] = note
        if document is not self.document:
            document = document.with_end()
        base = {
            change.tag: self._new_base(document, change)
            for change in changes
            if change.tag not in self.failures
        }
        return PlanOutcome(document, base, self.failures, notes)

    def _fail(self, tag: UUID, rejections: list[Rejection]) -> None:
        self.failures[tag] = to_error(rejections).user_message

    def _spec(self, tag: UUID, fields: Fields, name: str | None) -> EntrySpec:
        return EntrySpec(
            name,
            fields.schedule,
            fields.command,
            tag,
            fields.paused,
            fields.recording,
            self.recorders.get(tag),
        )

    def _check_pull(self, change: Change) -> list[Rejection]:
        """Return why a task cannot have the fields of its entry."""
        fields = change.result
        if fields is None or fields == change.ours:
            return []
        spec = EntrySpec(fields.name, fields.schedule, fields.command, change.tag, fields.paused)
        return check_entry(spec, self.document, self.reading.where.get(change.tag))

    def _push(self, change: Change) -> list[Rejection]:
        """Write to the crontab what the task wants."""
        tag, fields = change.tag, change.result
        if fields == change.theirs:
            return []
        index = self.entries.get(tag)
        if fields is None:
            self._remove(tag, index)
            return []
        if index is not None:
            comment = self._own_comment(tag)
            name = None if comment is None else fields.name
            return self.draft.put(self._spec(tag, fields, name), index, comment=comment)
        if tag in self.places:
            self.returning.append((tag, fields))
            return []
        self.owns_comment[tag] = True
        return self.draft.add(self._spec(tag, fields, fields.name))

    def _remove(self, tag: UUID, index: int | None) -> None:
        if index is not None:
            self.draft.remove(index, self._own_comment(tag))
        # A copy never was the task's entry. If it kept the tag, it would bring the task back.
        for copy in self.reading.copies:
            if self.document.entry(copy).tag == tag:
                self.draft.untag(copy)

    def _own_comment(self, tag: UUID) -> str | None:
        """Return the comment that PiTasker wrote above an entry."""
        base = self.base.get(tag)
        return base.comment if base and base.comment_is_ours else None

    def _restore_tag(self, change: Change) -> list[Rejection]:
        """Move a tag out of the standard input, and replace a recorder that is missing."""
        tag = change.tag
        if change.result is None or tag not in self.reading.misplaced:
            return []
        index = self.reading.where[tag]
        spec = self.draft.spec(index)
        recorder = self.recorders.get(tag) or spec.recorder
        return self.draft.rewrite(replace(spec, recorder=recorder), index)

    def _bring_back(self, document: Document) -> tuple[Document, dict[UUID, bool]]:
        """Write the entries that come back, and return which of them got their old place."""
        if not self.returning:
            return document, {}
        finder = PlaceFinder(document, self.places)
        has_old_place: dict[UUID, bool] = {}
        for tag, fields in sorted(self.returning, key=lambda item: self.places[item[0]].index):
            place = self.places[tag]
            above = finder.find(place)
            own = place.document.comment_above(place.index) if place.comment_is_ours else None
            has_comment = own is not None or above is None
            spec = self._spec(tag, fields, fields.name if has_comment else None)
            draft = Draft(document)
            # If somebody removed the entry alone, our comment waits for it.
            waiting = None if above is None else own
            rejections = draft.add(spec, above=above, like=place.entry, waiting_comment=waiting)
            if rejections:
                self._fail(tag, rejections)
                continue
            document = draft.done()
            finder.follow(document, tag, above)
            self.owns_comment[tag] = has_comment
            has_old_place[tag] = above is not None
        return document, has_old_place

    def _new_base(self, document: Document, change: Change) -> BaseEntry | None:
        fields, tag = change.result, change.tag
        if fields is None:
            return None
        indexes = document.by_tag[tag]
        index = next((i for i in indexes if says(document.entry(i), fields)), indexes[0])
        comment = document.comment_above(index)
        is_ours = self._is_own_comment(change, comment)
        above = comments_further_up(document, index) if is_ours else ()
        return BaseEntry(fields, comment, is_ours, above)

    def _is_own_comment(self, change: Change, comment: str | None) -> bool:
        """Return whether PiTasker wrote the comment above an entry."""
        tag, before = change.tag, self.base.get(change.tag)
        name = change.result.name if change.result else None
        if tag in self.owns_comment:
            return self.owns_comment[tag]
        if before is None:
            # Both sides have the entry, and there is no base. The process that wrote it died before
            # it recorded that, or somebody put the entry back.
            place = self.places.get(tag)
            return comment == name and (place is None or place.comment_is_ours)
        if change.theirs and change.theirs.name != before.fields.name:
            return False  # renamed by hand: a person wrote the words above the entry
        return before.comment_is_ours and comment in (before.comment, name)


def removed_places(
    document: Document,
    indexes: Mapping[UUID, int],
    base: Mapping[UUID, BaseEntry],
    tags: Collection[UUID],
) -> dict[UUID, Place]:
    """Return the places of entries that leave a crontab. `indexes` are those of all entries."""
    places = {}
    for tag in tags:
        index = indexes.get(tag)
        if index is not None:
            is_ours = _owns_comment(base.get(tag), document.comment_above(index))
            places[tag] = place_of(document, index, comment_is_ours=is_ours)
    return places


def _owns_comment(base: BaseEntry | None, comment: str | None) -> bool:
    return bool(base and base.comment_is_ours and base.comment == comment)
