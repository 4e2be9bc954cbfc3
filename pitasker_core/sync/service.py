"""Keep the tasks and the crontab in step.

Both sides are read and compared by `merge` and `sides`, and what the plan says is written by
`install` and `store`. An interrupted sync is repaired by the next one: the database says what is
wanted, and whatever the crontab already has counts as agreed.
"""

import logging
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from pitasker_core import clock, database, recorder_copy
from pitasker_core.crontab.document import Crontab, parse
from pitasker_core.crontab.program import CrontabProgram
from pitasker_core.crontab.recording import Recorder
from pitasker_core.database.tables import BaseRow, TaskRow
from pitasker_core.errors import (
    ConcurrentModification,
    CrontabReverted,
    ExecutionError,
    MassRemoval,
    ParseError,
    PiTaskerError,
    Stale,
)
from pitasker_core.settings import Settings
from pitasker_core.sync import install, merge, store
from pitasker_core.sync.merge import Change, Choice, Plan, Policy
from pitasker_core.sync.sides import Agreed, Carried, Known, Reading, carry_out, planned, read

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
    policy: Policy = Policy.ASK
    """What to do about the other conflicts."""
    confirmed: bool = False
    """A mass removal, or a step back to an older crontab, is meant."""
    places: Mapping[UUID, int] = field(default_factory=dict)
    """The lines (indexes) of entries that are being imported."""
    edited: tuple[int | None, int | None] = (None, None)
    """The snapshots before and after a person's edit of the whole text, which this sync follows."""


@dataclass(frozen=True)
class Comparison:
    """Both sides at a moment, and what a sync would do about them."""

    text: str | None
    document: Crontab
    known: dict[UUID, Known]
    base: dict[UUID, Agreed]
    reading: Reading
    plan: Plan
    gone_recorders: frozenset[str] = frozenset()
    """What entries name as their recorder, and is not there."""

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


def program(settings: Settings) -> CrontabProgram:
    """The `crontab` program that the settings name."""
    return CrontabProgram(settings.crontab_program)


def read_crontab(settings: Settings) -> tuple[str | None, Crontab]:
    """The installed text (None: no crontab) and what its lines are. Needs no database."""
    crontab = program(settings)
    text = crontab.read()
    return text, parse(text or "", crontab.dialect)


def preview(settings: Settings) -> Comparison:
    """What a sync would do now. Takes no lock and writes nothing."""
    text, document = read_crontab(settings)
    with database.session(settings) as session:
        return compare(session, store.own_crontab(session), text, document)


def sync(settings: Settings, request: Request) -> SyncResult:
    """Bring the tasks and the crontab in step.

    Raises any PiTaskerError; then nothing was changed on either side.
    """
    with install.locked(settings):
        return sync_locked(settings, request)


def export(settings: Settings, actor: str, tasks: Collection[int] | None = None) -> SyncResult:
    """Push tasks to the crontab: these, which become system-managed, or all that are already."""
    if tasks is not None:
        with database.session(settings) as session:
            crontab = store.own_crontab(session)
            rows = session.scalars(select(TaskRow).where(TaskRow.id.in_(tasks)))
            only = {want_entry(session, row, crontab) for row in rows if row.deleted_at is None}
    else:
        compared = preview(settings)
        only = {change.tag for change in compared.plan.pushes}
    return sync(settings, Request(actor, "export", only))


def want_entry(session: Session, row: TaskRow, crontab: int) -> UUID:
    """Make a task system-managed, with a tag: a new one unless its old entry is still there."""
    if not row.is_system_managed or row.crontab_id is None:
        if row.crontab_id is None or session.get(BaseRow, row.crontab_id) is None:
            row.crontab_id = uuid4()
        row.is_system_managed = True
        row.crontab = crontab
        row.updated_at = clock.now()
    return row.crontab_id


def compare(
    session: Session,
    crontab: int,
    text: str | None,
    document: Crontab,
    places: Mapping[UUID, int] | None = None,
    *,
    lock: bool = False,
) -> Comparison:
    """Compare a crontab that was read with what the database holds."""
    known = store.known_tasks(session, crontab, lock=lock)
    base = store.agreed(session, crontab)
    gone = frozenset(
        path
        for path in {entry.recorder.path for _, entry in document.entries() if entry.recorder}
        if not Path(path).exists()
    )
    reading = read(document, known, base, places, gone)
    compared = merge.plan(
        {tag: value.fields for tag, value in base.items()},
        {tag: task.fields for tag, task in known.items() if task.wanted},
        reading.theirs,
    )
    plan = planned(compared, reading, known)
    return Comparison(text, document, known, base, reading, plan, gone)


def recorders(settings: Settings, compared: Comparison) -> dict[UUID, Recorder]:
    """Who records the runs of each task that the database knows."""
    path = str(recorder_copy.path(settings))
    return {tag: Recorder(path, known.task) for tag, known in compared.known.items()}


def sync_locked(settings: Settings, request: Request) -> SyncResult:
    """As `sync`, for a caller that holds the lock."""
    started = _Started()
    pauses = iter(_RETRY_PAUSES)
    while True:
        try:
            result = _try_sync(settings, request, started)
        except PiTaskerError as problem:
            again = isinstance(problem, ConcurrentModification)
            pause = next(pauses, None) if again else None
            if pause is None:
                _record_failure(settings, request, started, problem)
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


def _try_sync(settings: Settings, request: Request, started: _Started) -> SyncResult:
    """One try, in the order that makes a crash at any line harmless."""
    crontab = program(settings)
    written: Crontab | None = None
    try:
        with database.session(settings) as session:
            # 1. Both sides as they are, with the rows locked against other writers.
            number = store.own_crontab(session, lock=True)
            text, document = read_crontab(settings)
            compared = compare(session, number, text, document, request.places, lock=True)
            # 2. What to do about it.
            plan = compared.plan if request.only is None else compared.plan.only(request.only)
            _refuse_unseen(plan, request.seen)
            plan = merge.resolve(plan, request.choices, request.policy)
            is_new, is_older = store.is_new_text(session, number, text)
            if not request.confirmed:
                _guard(compared, plan, is_older)
            carried = _carried(settings, compared, plan)
            new_text = str(carried.document)
            writes = new_text != str(document)
            # 3. The old bytes, kept where no database is needed to read them.
            before, after = request.edited
            if is_new or (writes and before is None):
                before = store.take_snapshot(session, number, text, "found", document.size)
            if writes:
                refuse_nul(document)
                install.back_up(settings, text, started.at)
                # 4. The crontab; from here on the database only follows.
                install.install(settings, crontab, text, carried.document)
                written = carried.document
                after = store.take_snapshot(
                    session, number, new_text, request.kind, carried.document.size
                )
            # 5. The database, in the same transaction as what it was planned on.
            result = _settle(session, number, compared, plan, carried, request)
            news = store.mark_failed(session, result.failures)
            if plan.changes or writes or news or request.actor != BACKGROUND:
                counts = _counts(session, number, compared, carried, result)
                result = _recorded(session, number, result, request, started, before, after, counts)
            store.mark_synced(session, number, started.at)
            return result
    except BaseException:
        # The database does not know of it: put the old text back, if nobody changed it since.
        if written is not None:
            with suppress(PiTaskerError):
                old = document if text is not None else None
                install.install(settings, crontab, str(written), old)
        raise


def _carried(settings: Settings, compared: Comparison, plan: Plan) -> Carried:
    """The crontab with the plan carried out. Without a recorder, what needs one fails alone."""
    needy = {c.tag for c in plan.changes if c.result and c.result.recording.on}
    failures: dict[UUID, str] = {}
    if needy:
        try:
            recorder_copy.put_in_place(settings)
        except ExecutionError as problem:
            failures = dict.fromkeys(needy, problem.user_message)
    carried = carry_out(
        compared.document,
        plan.without(failures),
        compared.reading,
        compared.base,
        recorders(settings, compared),
    )
    return replace(carried, failures={**carried.failures, **failures})


def _settle(
    session: Session,
    crontab: int,
    compared: Comparison,
    plan: Plan,
    carried: Carried,
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
        store.pull(session, crontab, pulls, now)
    if carried.base:
        store.move_base(session, crontab, carried.base)
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
    )


def _recorded(
    session: Session,
    crontab: int,
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
        crontab=crontab,
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
    session: Session, crontab: int, compared: Comparison, carried: Carried, result: SyncResult
) -> dict[str, object]:
    """How many tasks are in each state now, and how many entries are managed, for the charts."""
    tasks, managed, paused = store.task_counts(session, crontab)
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
        }

    return {
        "pushed": [told(change) for change in result.pushed],
        "pulled": [told(change) for change in result.pulled],
        "conflicts": [told(change) for change in result.plan.conflicts],
        "failed": {str(task): reason for task, reason in result.failures.items()},
    }


def _record_failure(
    settings: Settings, request: Request, started: _Started, problem: PiTaskerError
) -> None:
    """Record that an operation failed, if the database is there to record it."""
    operation = None
    with suppress(PiTaskerError), database.session(settings) as session:
        crontab = store.own_crontab(session)
        if request.actor == BACKGROUND and store.failed_last_by(
            session, crontab, problem.code, problem.user_message
        ):
            return  # tried every few minutes: once is enough to say it
        operation = store.record(
            session,
            crontab=crontab,
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


def _guard(compared: Comparison, plan: Plan, is_older: bool) -> None:
    """Stop before taking over what a person may not have meant."""
    base = {tag: value.fields for tag, value in compared.base.items()}
    removals = [c for c in plan.pulls if c.result is None]
    if merge.is_mass_removal(plan, base, emptied=not compared.document.size):
        raise MassRemoval(
            f"{len(removals)} of {len(base)} managed entries are gone from the crontab.",
            "If that was meant, confirm, and their tasks stay as database-only. "
            "Else restore a snapshot, or let the database's version win.",
        )
    if is_older and plan.pulls:
        raise CrontabReverted(
            "The crontab is back at an older text, from before PiTasker's last change to it.",
            "If that was meant, confirm to take it over; else let the database's version win.",
        )


def _refuse_unseen(plan: Plan, seen: Collection[Change]) -> None:
    """Raise Stale when a side has moved on since a person was shown what to choose from."""
    shown = {change.tag: (change.ours, change.theirs) for change in seen}
    for change in plan.changes:
        if shown.get(change.tag, (change.ours, change.theirs)) != (change.ours, change.theirs):
            raise Stale(
                "One side was changed again since it was shown.",
                "Nothing was done. Look at both sides again, then choose.",
            )


def refuse_nul(document: Crontab) -> None:
    """Raise ParseError for a crontab whose lines are not what cron sees."""
    for number, line in enumerate(document.lines, 1):
        if "\0" in line.raw:
            raise ParseError(
                f"Line {number} of the crontab holds a NUL byte, which makes cron read it as two.",
                "PiTasker leaves this crontab alone until that line is mended with `crontab -e`.",
            )
