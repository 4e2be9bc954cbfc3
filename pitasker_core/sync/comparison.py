"""Compare the crontab with the database, and plan what a sync would do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from uuid import UUID

from sqlalchemy.orm import Session

from pitasker_core.base import paths
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.crontab.document import Document, parse
from pitasker_core.crontab.place import Place
from pitasker_core.crontab.recording import Recorder
from pitasker_core.sync import merge, recorder_copy, store
from pitasker_core.sync.ancestor import (
    Origin,
    find_ambiguous_entries,
    find_ancestor,
    is_older_text,
    trace_origin,
)
from pitasker_core.sync.merge import Change, Plan
from pitasker_core.sync.plan_writer import PlanOutcome, carry_out, removed_places
from pitasker_core.sync.request import Request
from pitasker_core.sync.sides import BaseEntry, CrontabReading, KnownTask, complete_plan, read
from pitasker_core.sync.stale_editor import put_back
from pitasker_core.sync.store import Earlier, Stored, SyncState


@dataclass(frozen=True)
class Comparison:
    """Both sides at a moment, and what a sync would do about them."""

    text: str | None
    document: Document
    tasks_by_tag: Mapping[UUID, KnownTask]
    base: Mapping[UUID, BaseEntry]
    reading: CrontabReading
    plan: Plan
    gone_recorders: frozenset[str] = frozenset()
    """The recorders that entries name and this user cannot start."""
    is_new: bool = False
    """Others wrote this text: it is not the newest snapshot."""
    origin: Origin | None = None
    """The text that this one was made from, if PiTasker has written another text since."""
    unclear: frozenset[UUID] = frozenset()
    """Missing entries that PiTasker wrote lately: deleted by hand, or unknown to an old editor. A
    person must decide which."""
    places: Mapping[UUID, int] = field(default_factory=dict)
    """The lines (indexes) of entries that are being imported."""
    old_places: Mapping[UUID, Place] = field(default_factory=dict)
    """The old places of removed entries, if one of them is back or may come back."""
    state: SyncState = field(default_factory=SyncState)
    """What the last sync left."""

    @cached_property
    def task_changes(self) -> dict[int, Change]:
        """The changes that are not in step, by task id."""
        return {
            self.tasks_by_tag[change.tag].task: change
            for change in self.plan.changes
            if change.tag in self.tasks_by_tag
        }


def compare(
    session: Session,
    crontab_row: int,
    text: str | None,
    document: Document,
    request: Request | None = None,
    stored: Stored | None = None,
) -> Comparison:
    """Compare a crontab that was read with the database. `stored` is what was loaded before.

    A confirmed request for all tags takes the crontab for a change of the newest snapshot. So does
    one whose `began_after` proves that the last edit by others began after PiTasker's last write.
    """
    request = request or Request(Actor.BACKGROUND)
    stored = stored or store.load(session, crontab_row)
    gone = _gone_recorders(document)
    reading = read(document, stored.tasks_by_tag, stored.base, request.places, gone)
    comparison = Comparison(
        text,
        document,
        stored.tasks_by_tag,
        stored.base,
        reading,
        Plan(),
        gone,
        is_new=not stored.state.is_newest(text),
        places=request.places,
        state=stored.state,
    )
    comparison = replace(comparison, plan=_plan(comparison))
    if comparison.is_new and (request.only is not None or not request.confirmed):
        comparison = _trace_back(session, crontab_row, comparison, request)
    return replace(comparison, old_places=_old_places(session, crontab_row, comparison))


def _gone_recorders(document: Document) -> frozenset[str]:
    """Return the recorders that entries name and this user cannot start."""
    recorders = {entry.recorder.path for _, entry in document.entries() if entry.recorder}
    return frozenset(path for path in recorders if not paths.is_program(path))


def _plan(comparison: Comparison) -> Plan:
    plan = merge.plan(
        {tag: entry.fields for tag, entry in comparison.base.items()},
        {tag: task.fields for tag, task in comparison.tasks_by_tag.items() if task.wants_entry},
        comparison.reading.theirs,
    )
    return complete_plan(plan, comparison.reading, comparison.tasks_by_tag)


def _trace_back(
    session: Session, crontab_row: int, comparison: Comparison, request: Request
) -> Comparison:
    """Compare with the origin of a text that others wrote, unless cron's log excludes that."""
    earlier = store.earlier_texts(session, crontab_row, comparison.text, comparison.state)
    if not earlier:
        return comparison
    traced = _compare_with_origin(comparison, earlier)
    if request.began_after and (traced.origin or traced.unclear):
        written = store.last_write(session, crontab_row)
        if written and request.began_after(written):
            return comparison
    return traced


def _compare_with_origin(comparison: Comparison, earlier: Sequence[Earlier]) -> Comparison:
    """Compare with the text that a crontab was made from, if PiTasker has written since.

    Where a person must decide, only the origin is set, and the plan stays as it was.
    """
    crontab_text = comparison.text or ""
    at = find_ancestor(crontab_text, [text.text or "" for text in earlier])
    if not earlier[at].is_old:
        return comparison
    document, dialect = comparison.document, comparison.document.dialect
    ancestor, newest = (parse(text.text or "", dialect) for text in (earlier[at], earlier[0]))
    if not is_older_text(crontab_text, earlier[at].text or "", earlier[0].text or ""):
        return replace(comparison, unclear=find_ambiguous_entries(document, ancestor, newest))
    origin = trace_origin(document, ancestor, newest, comparison.tasks_by_tag, comparison.base)
    if origin.is_exact or (not origin.is_certain and is_mass_removal(comparison, comparison.plan)):
        return replace(comparison, origin=origin)
    return with_origin(comparison, origin)


def with_origin(comparison: Comparison, origin: Origin) -> Comparison:
    """Return the comparison with the base of an origin in place of the newest base."""
    reading = read(
        comparison.document,
        comparison.tasks_by_tag,
        origin.base,
        comparison.places,
        comparison.gone_recorders,
    )
    older = replace(comparison, base=origin.base, reading=reading, origin=origin)
    return replace(older, plan=_plan(older))


def is_mass_removal(comparison: Comparison, plan: Plan) -> bool:
    """Return whether a plan takes over the removal of most managed entries at once."""
    return merge.is_mass_removal(plan, comparison.base, emptied=not comparison.document.size)


def _old_places(session: Session, crontab_row: int, comparison: Comparison) -> dict[UUID, Place]:
    entries = comparison.reading.entries
    changes = comparison.plan.changes
    missing = [c.tag for c in changes if c.ours and c.tag not in entries]
    are_back = any(c.theirs and c.tag not in comparison.base for c in changes)
    if not missing and not are_back:
        return {}
    # An entry of the base was in the crontab later than at its saved place.
    in_base = [tag for tag in missing if tag in comparison.base]
    saved = store.load_places(session, comparison.document.dialect)
    return {**saved, **_last_places(session, crontab_row, comparison, in_base)}


def places_of_removed(
    session: Session, crontab_row: int, comparison: Comparison, removed: Sequence[UUID]
) -> dict[UUID, Place]:
    """Return the last places of entries that both sides agree are gone."""
    places = removed_places(
        comparison.document, comparison.reading.entries, comparison.base, removed
    )
    others = [tag for tag in removed if tag not in places]
    return {**places, **_last_places(session, crontab_row, comparison, others)}


def _last_places(
    session: Session, crontab_row: int, comparison: Comparison, tags: Sequence[UUID]
) -> dict[UUID, Place]:
    """Return the last places, in recent snapshots, of entries that somebody removed by hand."""
    newest = store.newest_with(session, crontab_row, tags, comparison.document.dialect)
    places: dict[UUID, Place] = {}
    for tag, before in newest.items():
        index = {tag: before.by_tag[tag][0]}
        places |= removed_places(before, index, comparison.base, [tag])
    return places


def carry(environment: Environment, comparison: Comparison, plan: Plan) -> PlanOutcome:
    """Return the crontab with a plan carried out, and with the lines that an old editor lost."""
    document, reading = _with_lost_lines(comparison, plan)
    path = str(recorder_copy.path(environment))
    tasks = comparison.tasks_by_tag
    recorders = {
        change.tag: Recorder(path, tasks[change.tag].task)
        for change in plan.changes
        if change.tag in tasks
    }
    return carry_out(document, plan, reading, comparison.base, recorders, comparison.old_places)


def _with_lost_lines(comparison: Comparison, plan: Plan) -> tuple[Document, CrontabReading]:
    """Return the crontab, read again, with the lines that an old editor had not seen."""
    if comparison.origin is None:
        return comparison.document, comparison.reading
    added = {change.tag for change in plan.pushes if change.result}
    restored = put_back(comparison.document, comparison.origin, added)
    if restored.document is comparison.document:
        return comparison.document, comparison.reading
    lines = {source: index for index, source in enumerate(restored.sources)}
    places = {tag: lines[at] for tag, at in comparison.places.items() if at in lines}
    return restored.document, read(
        restored.document,
        comparison.tasks_by_tag,
        comparison.base,
        places,
        comparison.gone_recorders,
    )
