"""Keep the tasks and the crontab in step.

Both sides are read and compared by `merge` and `sides`, and what the plan says is written by
`install` and `store`. An interrupted sync is repaired by the next one: the database says what is
wanted, and whatever the crontab already has counts as agreed.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from pitasker_core import database
from pitasker_core.base import clock, paths
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import (
    ConcurrentModification,
    CrontabReverted,
    ExecutionError,
    MassRemoval,
    NotFound,
    ParseError,
    PiTaskerError,
    Stale,
)
from pitasker_core.base.storable import is_storable
from pitasker_core.base.text import Code, Text
from pitasker_core.crontab.document import Document, parse
from pitasker_core.crontab.place import Place
from pitasker_core.crontab.program import CrontabProgram
from pitasker_core.crontab.recording import Recorder
from pitasker_core.database.tables import EventRow, TaskRow
from pitasker_core.sync import install, merge, recorder_copy, store
from pitasker_core.sync.ancestor import (
    Origin,
    find_ambiguous_entries,
    find_ancestor,
    is_older_text,
    trace_origin,
)
from pitasker_core.sync.install import Write
from pitasker_core.sync.merge import Change, ChangeKind, Choice, Plan, Policy
from pitasker_core.sync.plan_writer import PlanOutcome, carry_out, removed_places
from pitasker_core.sync.sides import BaseEntry, CrontabReading, KnownTask, complete_plan, read
from pitasker_core.sync.stale_editor import put_back
from pitasker_core.sync.store import Earlier

BACKGROUND = "background"
"""The actor that acts for nobody: what it finds in order leaves no record."""

_log = logging.getLogger(__name__)

_RETRY_PAUSES = (0.0, 0.05, 0.2)
"""Seconds before each further try when somebody else writes the crontab at the same time."""


@dataclass(frozen=True)
class Request:
    """What a person, or the background, asks of a sync."""

    actor: str
    kind: str = "sync"
    only: Collection[UUID] | None = None
    """The tags to sync; None for all."""
    choices: Mapping[UUID, Choice] = field(default_factory=dict)
    """Whose version to take, or which mix, for single tags."""
    seen: Collection[Change] = ()
    """What the person who chose was shown. What changed since is not theirs to overwrite: Stale."""
    shown: str | None = None
    """The digest of the crontab that the person was shown. Another one is refused: Stale."""
    policy: Policy = Policy.ASK
    """What to do about the other conflicts."""
    confirmed: bool = False
    """A mass removal, or a step back to an older crontab, is meant."""
    places: Mapping[UUID, int] = field(default_factory=dict)
    """The lines (indexes) of entries that are being imported."""
    write: Write | None = None
    """How the text of such an edit was installed."""
    edited: tuple[int | None, int | None] = (None, None)
    """The snapshots before and after a person's edit of the whole text, which this sync follows."""
    began_after: Callable[[datetime], bool] | None = None
    """Whether cron's log proves that the last edit by others began after a time."""


@dataclass(frozen=True)
class Comparison:
    """Both sides at a moment, and what a sync would do about them."""

    text: str | None
    document: Document
    known: dict[UUID, KnownTask]
    base: dict[UUID, BaseEntry]
    reading: CrontabReading
    plan: Plan
    gone_recorders: frozenset[str] = frozenset()
    """What entries name as their recorder, and this user cannot start."""
    is_new: bool = False
    """Others have written this text: it is not the newest that is kept."""
    origin: Origin | None = None
    unclear: frozenset[UUID] = frozenset()
    """Entries that PiTasker wrote lately and that are gone: deleted by hand, or not seen by an old
    editor. A person must say which."""
    """What it was made from, when PiTasker has written another text since."""
    places: Mapping[UUID, int] = field(default_factory=dict)
    """The lines (indexes) of entries that are being imported."""
    left: Mapping[UUID, Place] = field(default_factory=dict)
    """Where entries stood that were out of the crontab, if one of them is back or may come back."""

    @property
    def task_changes(self) -> dict[int, Change]:
        """What is not in step, by task id."""
        return {
            self.known[change.tag].task: change
            for change in self.plan.changes
            if change.tag in self.known
        }


@dataclass(frozen=True)
class SyncResult:
    """What a sync did. `failures` are the reasons by task id; `before` and `after` the texts."""

    plan: Plan
    before: str | None
    after: str | None
    tasks: dict[UUID, int] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)
    operation: int | None = None
    left_out: list[int] = field(default_factory=list)
    """Of an export of all: the tasks that are database-only."""
    in_step: list[int] = field(default_factory=list)
    """Of an export of some: those that are in the crontab as they are."""
    write: Write | None = None
    undone: Collection[UUID] | None = None
    """Tags of what PiTasker had changed since an editor was opened, where one was saved over it."""
    notes: dict[int, str] = field(default_factory=dict)
    """What a person must know of the entry that came back, by task id: which settings reach it."""

    def _done(self, changes: list[Change]) -> list[Change]:
        return [c for c in changes if self.tasks.get(c.tag) not in self.failures]

    @property
    def pushed(self) -> list[Change]:
        """What was written to the crontab."""
        return self._done(self.plan.pushes)

    @property
    def pulled(self) -> list[Change]:
        """What was taken from the crontab."""
        return self._done(self.plan.pulls)

    @property
    def put_back(self) -> list[int]:
        """The tasks whose changes an old editor had undone."""
        return [self.tasks[c.tag] for c in self.pushed if self.undone and c.tag in self.undone]

    @property
    def old_editor(self) -> str:
        """What there is to say when an old editor was saved; empty when none was."""
        if self.undone is None:
            return ""
        tasks = ", ".join(map(str, self.put_back))
        which = f" They are of the tasks {tasks}." if tasks else ""
        return (
            "The crontab was saved from an editor that was opened before PiTasker's last changes. "
            f"They are put back, beside what was changed in the editor.{which}"
        )


def program(environment: Environment) -> CrontabProgram:
    """The `crontab` program that the settings name."""
    return CrontabProgram(environment.crontab_program)


def read_crontab(environment: Environment) -> tuple[str | None, Document]:
    """The installed text (None: no crontab) and what its lines are. Needs no database."""
    crontab = program(environment)
    text = crontab.read()
    return text, parse(text or "", crontab.dialect)


def preview(environment: Environment) -> Comparison:
    """What a sync would do now. Takes no lock and writes nothing."""
    text, document = read_crontab(environment)
    with database.session(environment) as session:
        return compare(session, store.own_crontab(session), text, document)


def sync(environment: Environment, request: Request) -> SyncResult:
    """Bring the tasks and the crontab in step.

    Raises any PiTaskerError; then nothing was changed on either side.
    """
    with install.locked(environment):
        return sync_locked(environment, request)


def export(
    environment: Environment, actor: str, tasks: Collection[int] | None = None
) -> SyncResult:
    """Push tasks to the crontab: these, which become system-managed, or all that are already.

    What became system-managed is saved, also when the crontab does not follow: why is in the
    `failures`. Raises NotFound for a task that there is none of; then nothing was changed.
    """
    if tasks is None:
        pushes = {change.tag for change in preview(environment).plan.pushes}
        done = sync(environment, Request(actor, "export", pushes))
        with database.session(environment) as session:
            return replace(done, left_out=store.database_only(session))
    with database.session(environment) as session:
        found = store.edited_tasks(session, tasks)
        rows = {number: row for number, row in found.items() if row.deleted_at is None}
        if missing := [number for number in tasks if number not in rows]:
            raise NotFound(
                f"There is no task {missing[0]}.",
                Text(Code("./pitasker list"), " shows them all."),
            )
        new = [row.id for row in rows.values() if not row.is_system_managed]
        only = {want_entry(row) for row in rows.values()}
        store.write_tasks(session, [*rows.values()])
        for number in new:
            event = EventRow(actor=actor, kind="exported", task=number)
            event.before, event.after = {"system_managed": False}, {"system_managed": True}
            session.add(event)
    try:
        done = sync(environment, Request(actor, "export", only))
    except PiTaskerError as problem:
        if not new:
            raise
        failures: dict[int, str] = dict.fromkeys(new, problem.user_message)
        return SyncResult(Plan(), None, None, failures=failures)
    changed = {done.tasks[change.tag] for change in done.plan.changes} | done.failures.keys()
    return replace(done, in_step=[number for number in rows if number not in changed])


def want_entry(row: TaskRow) -> UUID:
    """Make a task system-managed. Its tag is that which it had, by which its place is known."""
    if not row.is_system_managed or row.tag is None:
        row.tag = row.tag or uuid4()
        row.is_system_managed = True
        row.updated_at = clock.now()
    return row.tag


def compare(
    session: Session,
    crontab_row: int,
    text: str | None,
    document: Document,
    places: Mapping[UUID, int] | None = None,
    *,
    lock: bool = False,
    looks_back: bool = True,
    began_after: Callable[[datetime], bool] | None = None,
) -> Comparison:
    """Compare a crontab that was read with what the database holds.

    The crontab is taken for a change of the newest text that is kept unless it `looks_back`, and
    where the last edit by others `began_after` PiTasker's last write.
    """
    known = store.known_tasks(session, crontab_row, lock=lock)
    base = store.agreed(session, crontab_row)
    gone = frozenset(
        path
        for path in {entry.recorder.path for _, entry in document.entries() if entry.recorder}
        if not paths.is_program(path)
    )
    earlier = store.earlier_texts(session, crontab_row, text)
    compared = Comparison(
        text,
        document,
        known,
        base,
        read(document, known, base, places, gone),
        Plan(),
        gone,
        is_new=earlier is not None,
        places=places or {},
    )
    compared = replace(compared, plan=_planned(compared))
    if looks_back and earlier:
        traced = _traced_back(compared, earlier)
        asks = began_after and (traced.origin or traced.unclear)
        written = store.last_write(session, crontab_row) if asks else None
        if not (began_after and written and began_after(written)):
            compared = traced
    return replace(compared, left=_left(session, crontab_row, compared))


def _left(session: Session, crontab_row: int, compared: Comparison) -> dict[UUID, Place]:
    """Where entries stood that were out of the crontab, if one of them is back or may come back."""
    entries = compared.reading.entries
    missing = [c.tag for c in compared.plan.changes if c.ours and c.tag not in entries]
    are_back = any(c.theirs and c.tag not in compared.base for c in compared.plan.changes)
    if not missing and not are_back:
        return {}
    # What was agreed on until now stood in the crontab later than any place that is kept of it.
    agreed = [tag for tag in missing if tag in compared.base]
    kept = store.places(session, compared.document.dialect)
    return {**kept, **_last_places(session, crontab_row, compared, agreed)}


def _planned(compared: Comparison) -> Plan:
    plan = merge.plan(
        {tag: value.fields for tag, value in compared.base.items()},
        {tag: task.fields for tag, task in compared.known.items() if task.wants_entry},
        compared.reading.theirs,
    )
    return complete_plan(plan, compared.reading, compared.known)


def _traced_back(compared: Comparison, earlier: Sequence[Earlier]) -> Comparison:
    """Compare with the text that a crontab was made from, if that is older than our last write.

    Where a person must be asked, only the origin is named, and the plan stays as it was.
    """
    at = find_ancestor(compared.text or "", [one.text or "" for one in earlier])
    if not earlier[at].is_old:
        return compared
    document, dialect = compared.document, compared.document.dialect
    ancestor, newest = (parse(one.text or "", dialect) for one in (earlier[at], earlier[0]))
    if not is_older_text(compared.text or "", earlier[at].text or "", earlier[0].text or ""):
        return replace(compared, unclear=find_ambiguous_entries(document, ancestor, newest))
    origin = trace_origin(document, ancestor, newest, compared.known, compared.base)
    if origin.is_exact or (not origin.is_certain and _is_mass_removal(compared, compared.plan)):
        return replace(compared, origin=origin)
    return _based_on(compared, origin)


def _based_on(compared: Comparison, origin: Origin) -> Comparison:
    reading = read(
        compared.document, compared.known, origin.base, compared.places, compared.gone_recorders
    )
    older = replace(compared, base=origin.base, reading=reading, origin=origin)
    return replace(older, plan=_planned(older))


def put_back_first(environment: Environment) -> None:
    """Let what an old editor undid be put back before a whole text is made of the crontab.

    Without that the new text would hide what it was made from. The caller holds the lock. Raises
    CrontabReverted when a person must decide first.
    """
    try:
        compared = preview(environment)
        if compared.origin or compared.unclear:
            sync_locked(environment, Request(BACKGROUND))
    except CrontabReverted:
        raise
    except PiTaskerError as problem:
        _log.info("nothing put back: %s", problem.user_message)


def recorders(environment: Environment, compared: Comparison) -> dict[UUID, Recorder]:
    """Who records the runs of each task that the database knows."""
    path = str(recorder_copy.path(environment))
    return {tag: Recorder(path, known.task) for tag, known in compared.known.items()}


def sync_locked(environment: Environment, request: Request) -> SyncResult:
    """As `sync`, for a caller that holds the lock."""
    started = _Started()
    pauses = iter(_RETRY_PAUSES)
    while True:
        try:
            result = _try_sync(environment, request, started)
        except PiTaskerError as problem:
            again = isinstance(problem, ConcurrentModification)
            pause = next(pauses, None) if again else None
            if pause is None:
                _record_failure(environment, request, started, problem)
                raise
            time.sleep(pause)
        else:
            _tell_log(request, started, result)
            return result


def _tell_log(request: Request, started: "_Started", result: SyncResult) -> None:
    if result.operation is not None:
        _log.info(
            "%s by %s",
            request.kind,
            request.actor,
            extra={
                "operation": result.operation,
                "pushed": len(result.pushed),
                "pulled": len(result.pulled),
                "conflicts": len(result.plan.conflicts),
                "failed": len(result.failures),
                "duration_ms": round(started.milliseconds(), 1),
            },
        )


class _Started:
    """When an operation began: the time, and a clock for its duration."""

    def __init__(self) -> None:
        self.at = clock.now()
        self._ticks = time.perf_counter()

    def milliseconds(self) -> float:
        return 1000 * (time.perf_counter() - self._ticks)


def _try_sync(environment: Environment, request: Request, started: _Started) -> SyncResult:
    """One try, in the order that makes a crash at any line harmless."""
    crontab = program(environment)
    written: Document | None = None
    write = request.write
    try:
        while True:
            with database.session(environment) as session:
                # 1. Both sides as they are, with the rows locked against other writers.
                number = store.own_crontab(session, lock=True)
                text, document = read_crontab(environment)
                if request.shown not in (None, install.digest(text)):
                    raise Stale(
                        "The crontab was changed again since it was shown.",
                        "Look at it again, then choose.",
                    )
                compared = compare(
                    session,
                    number,
                    text,
                    document,
                    request.places,
                    lock=True,
                    looks_back=request.only is not None or not request.confirmed,
                    began_after=request.began_after,
                )
                # 2. What to do about it.
                plan = _resolved(compared, request)
                if not request.confirmed:
                    _guard(compared, plan, request)
                if compared.origin:
                    compared = _based_on(compared, compared.origin)
                    if _keep_conflicts(session, number, compared):
                        continue  # and commit, before anything else
                    plan = _resolved(compared, request)
                carried = _carried(environment, compared, plan)
                new_text = str(carried.document)
                writes = new_text != str(document)
                # 3. The old bytes, kept where no database is needed to read them.
                before, after = request.edited
                if compared.is_new or (writes and before is None):
                    before = store.take_snapshot(session, number, text, "found", document.size)
                if writes:
                    refuse_nul(document)
                    install.back_up(environment, text, started.at)
                    # 4. The crontab; from here on the database only follows.
                    write = install.install(environment, crontab, text, carried.document)
                    written = carried.document
                    after = store.take_snapshot(
                        session, number, new_text, request.kind, carried.document.size
                    )
                # 5. The database, in the same transaction as what it was planned on.
                if compared.origin:
                    changed = compared.origin.changed
                    _move_base(session, number, {t: compared.base.get(t) for t in changed})
                result = _settle(session, number, compared, plan, carried, request)
                news = store.mark_failed(session, result.failures)
                news = store.keep_conflicts(session, plan.conflicts, request.only) or news
                news = news or writes or bool(plan.decided)
                if news or request.actor != BACKGROUND:
                    counts = _counts(session, number, compared, carried, result)
                    result = _recorded(
                        session,
                        number,
                        replace(result, write=write),
                        request,
                        started,
                        before,
                        after,
                        counts,
                    )
                store.mark_synced(session, number, started.at)
                return result
    except BaseException:
        # The database does not know of it: put the old text back, if nobody changed it since.
        if written is not None:
            with suppress(PiTaskerError):
                old = document if text is not None else None
                install.install(environment, crontab, str(written), old)
        raise


def _resolved(compared: Comparison, request: Request) -> Plan:
    """What a request wants of a plan. What an old editor undid is never left for another time."""
    plan = compared.plan
    if request.only is not None:
        changed = compared.origin.changed if compared.origin else frozenset()
        undone = {c.tag for c in plan.changes if c.kind is ChangeKind.PUSH and c.tag in changed}
        plan = plan.only({*request.only, *undone})
    _refuse_unseen(plan, request.seen)
    return merge.resolve(plan, request.choices, request.policy)


def _keep_conflicts(session: Session, crontab_row: int, compared: Comparison) -> bool:
    """Let the base of what is in conflict be that of the origin; False when it is.

    A later sync, after a crash too, could not tell such a conflict from a change by hand.
    """
    conflicts = {c.tag: compared.base.get(c.tag) for c in compared.plan.conflicts}
    return _move_base(session, crontab_row, conflicts)


def _move_base(session: Session, crontab_row: int, wanted: Mapping[UUID, BaseEntry | None]) -> bool:
    """Let the base be what is wanted; False when it is."""
    now = store.agreed(session, crontab_row)
    moved = {tag: value for tag, value in wanted.items() if value != now.get(tag)}
    store.move_base(session, crontab_row, moved)
    return bool(moved)


def carry(environment: Environment, compared: Comparison, plan: Plan) -> PlanOutcome:
    """The crontab with a plan carried out, on top of what an old editor undid."""
    document, reading = _with_our_changes(compared, plan)
    return carry_out(
        document, plan, reading, compared.base, recorders(environment, compared), compared.left
    )


def _carried(environment: Environment, compared: Comparison, plan: Plan) -> PlanOutcome:
    """As `carry`. Without a recorder, what needs one fails alone."""
    needy = {c.tag for c in plan.changes if c.result and c.result.recording.on}
    failures: dict[UUID, str] = {}
    if needy:
        try:
            recorder_copy.put_in_place(environment)
        except ExecutionError as problem:
            failures = dict.fromkeys(needy, problem.user_message)
    carried = carry(environment, compared, plan.without(failures))
    return replace(carried, failures={**carried.failures, **failures})


def _with_our_changes(compared: Comparison, plan: Plan) -> tuple[Document, CrontabReading]:
    """The crontab, and what is read in it, with the lines that an old editor had not seen."""
    if compared.origin is None:
        return compared.document, compared.reading
    added = {change.tag for change in plan.pushes if change.result}
    done = put_back(compared.document, compared.origin, added)
    if done.document is compared.document:
        return compared.document, compared.reading
    lines = {source: index for index, source in enumerate(done.sources)}
    places = {tag: lines[at] for tag, at in compared.places.items() if at in lines}
    return done.document, read(
        done.document, compared.known, compared.base, places, compared.gone_recorders
    )


def _settle(
    session: Session,
    crontab_row: int,
    compared: Comparison,
    plan: Plan,
    carried: PlanOutcome,
    request: Request,
) -> SyncResult:
    """Write to the database what was carried out, and gather what was not."""
    now = clock.now()
    tasks = {tag: known.task for tag, known in compared.known.items()}
    done = [c for c in plan.changes if c.tag in carried.base]
    pulls = [
        (tasks[c.tag], c.ours, c.result) for c in done if c.result != c.ours and c.tag in tasks
    ]
    if pulls:
        store.pull(session, crontab_row, pulls, now)
    if carried.base:
        removed = [tag for tag, value in carried.base.items() if not value and tag in compared.base]
        store.keep_places(session, crontab_row, _places(session, crontab_row, compared, removed))
        store.move_base(session, crontab_row, carried.base)
        store.mark(
            session,
            [tasks[c.tag] for c in done if c.result and c.tag in tasks],
            [tasks[c.tag] for c in done if not c.result and c.tag in tasks],
            now,
        )
    held = compared.reading.held(compared.document)
    text = str(carried.document)
    return SyncResult(
        plan=plan,
        before=compared.text,
        after=None if compared.text is None and not text else text,
        tasks=tasks,
        failures={
            tasks[tag]: reason
            for tag, reason in {**held, **carried.failures}.items()
            if tag in tasks and (request.only is None or tag in request.only)
        },
        undone=compared.origin.changed if compared.origin else None,
        notes={tasks[tag]: note for tag, note in carried.notes.items() if tag in tasks},
    )


def _places(
    session: Session, crontab_row: int, compared: Comparison, removed: Collection[UUID]
) -> dict[UUID, Place]:
    """Where entries stood that both sides agree are gone."""
    places = removed_places(compared.document, compared.reading.entries, compared.base, removed)
    others = [tag for tag in removed if tag not in places]
    return {**places, **_last_places(session, crontab_row, compared, others)}


def _last_places(
    session: Session, crontab_row: int, compared: Comparison, tags: Collection[UUID]
) -> dict[UUID, Place]:
    """Where entries stood that somebody took out by hand, as far as that is kept."""
    newest = store.newest_with(session, crontab_row, tags, compared.document.dialect)
    places: dict[UUID, Place] = {}
    for tag, before in newest.items():
        where = {tag: before.by_tag[tag][0]}
        places |= removed_places(before, where, compared.base, [tag])
    return places


def _recorded(
    session: Session,
    crontab_row: int,
    result: SyncResult,
    request: Request,
    started: _Started,
    before: int | None,
    after: int | None,
    counts: dict[str, object],
) -> SyncResult:
    conflicts = len(result.plan.conflicts)
    number = store.record(
        session,
        crontab_row=crontab_row,
        kind=request.kind,
        actor=request.actor,
        started_at=started.at,
        duration_ms=started.milliseconds(),
        outcome="partial" if conflicts or result.failures else "success",
        pushed=len(result.pushed),
        pulled=len(result.pulled),
        conflicts=conflicts,
        failed=len(result.failures),
        details={**_details(result), "counts": counts},
        before=before,
        after=after,
    )
    return replace(result, operation=number)


def _counts(
    session: Session,
    crontab_row: int,
    compared: Comparison,
    carried: PlanOutcome,
    result: SyncResult,
) -> dict[str, object]:
    """How many tasks are in each state now, and how many entries are managed, for the charts."""
    tasks, managed, paused = store.task_counts(session, crontab_row)
    open_tags = {c.tag for c in compared.plan.changes if c.tag not in carried.base}
    conflicts = len(compared.plan.conflicts)
    failed = len(result.failures)
    pending = max(0, len(open_tags) - conflicts - failed)
    by_tag = carried.document.by_tag
    return {
        "states": {
            "synced": max(0, managed - paused - conflicts - failed - pending),
            "paused": paused,
            "pending": pending,
            "conflict": conflicts,
            "failed": failed,
            "database only": tasks - managed,
        },
        "entries": carried.document.size,
        "managed": sum(1 for tag in by_tag if tag in compared.known),
    }


def _details(result: SyncResult) -> dict[str, object]:
    """What an operation did, for its history: changes by task with both sides' values."""

    def told(change: Change) -> dict[str, object]:
        sides = {"base": change.base, "database": change.ours, "crontab": change.theirs}
        return {
            "task": result.tasks.get(change.tag),
            "tag": str(change.tag),
            **{side: value.as_dict() if value else None for side, value in sides.items()},
            # What is kept of such a side is not what it said: it cannot be put back from here.
            "inexact": not all(is_storable(value.text) for value in sides.values() if value),
        }

    return {
        "pushed": [told(change) for change in result.pushed],
        "pulled": [told(change) for change in result.pulled],
        "conflicts": [told(change) for change in result.plan.conflicts],
        "failed": {str(task): reason for task, reason in result.failures.items()},
        **({} if result.undone is None else {"putBack": result.put_back}),
        **({} if result.write is None else {"write": result.write.as_dict()}),
        **(
            {"notes": {str(task): note for task, note in result.notes.items()}}
            if result.notes
            else {}
        ),
    }


def _record_failure(
    environment: Environment, request: Request, started: _Started, problem: PiTaskerError
) -> None:
    """Record that an operation failed, if the database is there to record it."""
    operation = None
    with suppress(PiTaskerError), database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        if request.actor == BACKGROUND and store.failed_last_by(
            session, crontab_row, problem.code, problem.user_message
        ):
            return  # tried every few minutes: once is enough to say it
        operation = store.record(
            session,
            crontab_row=crontab_row,
            kind=request.kind,
            actor=request.actor,
            started_at=started.at,
            duration_ms=started.milliseconds(),
            outcome="failed",
            error_code=problem.code,
            error_message=problem.user_message,
        )
    _log.warning(
        "%s by %s: %s",
        request.kind,
        request.actor,
        problem.user_message,
        extra={"operation": operation, "code": problem.code},
    )


def _guard(compared: Comparison, plan: Plan, request: Request) -> None:
    """Stop before taking over what a person may not have meant."""
    removals = [c for c in plan.pulls if c.result is None]
    if _is_mass_removal(compared, plan):
        raise MassRemoval(
            f"{len(removals)} of {len(compared.base)} managed entries are gone from the crontab.",
            "If that was meant, confirm, and their tasks stay as database-only. "
            "Else restore a snapshot, or let the database's version win.",
        )
    # A part of the plan is not all that came back, and what is written next hides that it did.
    pulls = plan.pulls if request.choices else compared.plan.pulls
    gone = [c for c in pulls if c.result is None and c.tag in compared.unclear]
    if gone:
        raise CrontabReverted(
            f"An entry that PiTasker wrote lately is gone from the crontab: {_names(gone)}. It was "
            "deleted by hand, or an editor was saved that was opened before PiTasker wrote it.",
            "If it was deleted, confirm, and its task stays as database-only; else let the "
            "database's version win, and the entry is put back.",
        )
    origin = compared.origin
    if origin is None:
        return
    if origin.is_exact and pulls:
        raise CrontabReverted(
            "The crontab is back at an older text, from before PiTasker's last change to it.",
            "If that was meant, confirm to take it over; else let the database's version win.",
        )
    tags = [change.tag for change in compared.plan.pushes]
    clashes = [line for line in put_back(compared.document, origin, tags).clashes if line.strip()]
    if clashes and not request.choices and not origin.is_exact:
        raise CrontabReverted(
            "The crontab was saved from an editor that was opened before PiTasker's last change, "
            f"and both changed the same lines, which no task manages: {_quoted(clashes)}.",
            "Write them as you want them in the raw editor, or confirm to take the crontab over as "
            "it is.",
        )


def _is_mass_removal(compared: Comparison, plan: Plan) -> bool:
    base = {tag: value.fields for tag, value in compared.base.items()}
    return merge.is_mass_removal(plan, base, emptied=not compared.document.size)


def _names(changes: Sequence[Change]) -> str:
    return _quoted([change.ours.name for change in changes if change.ours])


def _quoted(lines: Sequence[str]) -> str:
    shown = ", ".join(f"“{line[:80]}”" for line in lines[:3])
    return f"{shown} and {len(lines) - 3} more" if len(lines) > 3 else shown


def _refuse_unseen(plan: Plan, seen: Collection[Change]) -> None:
    """Raise Stale when a side has moved on since a person was shown what to choose from."""
    shown = {change.tag: (change.ours, change.theirs) for change in seen}
    for change in plan.changes:
        if shown.get(change.tag, (change.ours, change.theirs)) != (change.ours, change.theirs):
            raise Stale(
                "One side was changed again since it was shown.",
                "Nothing was done. Look at both sides again, then choose.",
            )


def refuse_nul(document: Document) -> None:
    """Raise ParseError for a crontab whose lines are not what cron sees."""
    for number, line in enumerate(document.lines, 1):
        if "\0" in line.raw:
            raise ParseError(
                f"Line {number} of the crontab holds a NUL byte, which makes cron read it as two.",
                Text(
                    "PiTasker leaves this crontab alone until that line is mended with ",
                    Code("crontab -e"),
                    ".",
                ),
            )
