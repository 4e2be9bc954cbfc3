"""One attempt of a sync, in an order that makes a crash at any line harmless."""

import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from uuid import UUID

from sqlalchemy.orm import Session

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import ExecutionError, PiTaskerError, Stale
from pitasker_core.crontab.document import Document, parse
from pitasker_core.database import direct
from pitasker_core.database.direct import Rows, Statement
from pitasker_core.sync import install, recorder_copy, store
from pitasker_core.sync.comparison import Comparison, carry, compare, places_of_removed, with_origin
from pitasker_core.sync.crontab_text import program, read_crontab
from pitasker_core.sync.guards import refuse_nul, refuse_unconfirmed, resolve
from pitasker_core.sync.merge import Plan
from pitasker_core.sync.operation_details import pack_details
from pitasker_core.sync.plan_writer import PlanOutcome
from pitasker_core.sync.request import Request, SyncResult
from pitasker_core.sync.sides import BaseEntry
from pitasker_core.sync.store import BaseMove, SyncRecord, SyncState


class Stopwatch:
    """When an operation began, and how long it takes."""

    def __init__(self) -> None:
        self.started_at = clock.now()
        self._ticks = time.perf_counter()

    def milliseconds(self) -> float:
        """Return the time since the start."""
        return 1000 * (time.perf_counter() - self._ticks)


class Attempt:
    """One attempt of a sync. The caller holds the lock."""

    def __init__(self, environment: Environment, request: Request, stopwatch: Stopwatch) -> None:
        self._environment, self._request, self._stopwatch = environment, request, stopwatch
        self._program = program(environment)
        self._crontab = request.crontab
        self._written: tuple[Document, Document | None] | None = None
        """The crontab that was installed, and the one before."""
        self._write = request.write
        self._statements: list[Statement] = []
        """They are sent together with the record of the operation."""

    def run(self) -> SyncResult:
        """Sync once. Raises any PiTaskerError; then nothing was changed on either side."""
        try:
            result = None
            while result is None:
                with database.session(self._environment) as session:
                    result = self._sync(session)
            return result
        except BaseException:
            self._put_back()
            raise

    def _put_back(self) -> None:
        """Install the old text after a failed commit, unless somebody changed the crontab."""
        if self._written is not None:
            new, old = self._written
            with suppress(PiTaskerError):
                install.install(self._environment, self._program, str(new), old)

    def _sync(self, session: Session) -> SyncResult | None:
        """Sync in one transaction. None if it must be committed before the sync can go on."""
        self._statements = []
        # 1. Both sides as they are, with the rows locked against other writers.
        crontab_row = store.own_crontab(session)
        comparison = self._compare(session, crontab_row)
        # 2. What to do about it.
        plan = resolve(comparison, self._request)
        if not self._request.confirmed:
            refuse_unconfirmed(comparison, plan, self._request)
        if comparison.origin:
            comparison = with_origin(comparison, comparison.origin)
            if self._save_base_of_conflicts(session, crontab_row, comparison):
                return None
            plan = resolve(comparison, self._request)
        outcome = self._carry_out(comparison, plan)
        # 3. The crontab; from here on the database only follows. The block ends with the check of
        # the installed text, which is read back meanwhile.
        with ExitStack() as check:
            snapshots = self._write_crontab(session, crontab_row, comparison, outcome, check)
            # 4. The database, in the same transaction as what it was planned on.
            result = self._result(comparison, plan, outcome)
            self._write_database(session, crontab_row, comparison, plan, outcome)
            return self._record(session, crontab_row, comparison, outcome, result, snapshots)

    def _compare(self, session: Session, crontab_row: int) -> Comparison:
        stored = store.load(session, crontab_row, lock=True)
        text, document = self._read(stored.state)
        if self._request.shown not in (None, install.digest(text)):
            raise Stale(
                "The crontab was changed again since it was shown.",
                "Look at it again, then choose.",
            )
        return compare(session, crontab_row, text, document, self._request, stored)

    def _read(self, state: SyncState) -> tuple[str | None, Document]:
        """Read the crontab, or take the one that the caller read.

        The caller's is used only if it is the newest snapshot: then no other process wrote it since
        then. Before a write, the installed text is compared in any case.
        """
        crontab, self._crontab = self._crontab, None
        if crontab and state.is_newest(crontab[0]):
            return crontab
        return read_crontab(self._environment)

    def _save_base_of_conflicts(
        self, session: Session, crontab_row: int, comparison: Comparison
    ) -> bool:
        """Give conflicts the base of the origin. Return whether it was another one.

        Without that, a later sync would take such a conflict for a change by hand.
        """
        base = {c.tag: comparison.base.get(c.tag) for c in comparison.plan.conflicts}
        return self._move_base(session, crontab_row, base)

    def _move_base(
        self, session: Session, crontab_row: int, base: Mapping[UUID, BaseEntry | None]
    ) -> bool:
        before = store.load_base(session, crontab_row)
        moved = {tag: entry for tag, entry in base.items() if entry != before.get(tag)}
        store.move_base(session, crontab_row, BaseMove(moved), clock.now())
        return bool(moved)

    def _carry_out(self, comparison: Comparison, plan: Plan) -> PlanOutcome:
        """Carry out the plan. If the recorder cannot be copied, the entries that need it fail."""
        recorded = {c.tag for c in plan.changes if c.result and c.result.recording.on}
        failures: dict[UUID, str] = {}
        if recorded:
            try:
                recorder_copy.put_in_place(self._environment)
            except ExecutionError as problem:
                failures = dict.fromkeys(recorded, problem.user_message)
        outcome = carry(self._environment, comparison, plan.without(failures))
        return replace(outcome, failures={**outcome.failures, **failures})

    def _write_crontab(
        self,
        session: Session,
        crontab_row: int,
        comparison: Comparison,
        outcome: PlanOutcome,
        check: ExitStack,
    ) -> tuple[int | None, int | None]:
        """Install the crontab if it changes. Return the snapshots before and after.

        The snapshot of an installed text gets its id with the record.
        """
        before, after = self._request.edited
        document, new = comparison.document, outcome.document
        writes = new is not document and str(new) != (comparison.text or "")
        if comparison.is_new:
            before = store.take_snapshot(
                session, crontab_row, comparison.text, store.BY_OTHERS, document.size
            )
        elif writes and before is None:
            before = comparison.state.snapshot
        if not writes:
            return before, after
        refuse_nul(document)
        # The old bytes, where they can be read without a database.
        install.back_up(self._environment, comparison.text, self._stopwatch.started_at)
        installed = install.installed(self._environment, self._program, comparison.text, new)
        self._write = check.enter_context(installed)
        self._written = (new, None if comparison.text is None else document)
        kind = self._request.kind
        self._statements.append(store.snapshot_statement(crontab_row, str(new), kind, new.size))
        return before, None

    def _write_database(
        self,
        session: Session,
        crontab_row: int,
        comparison: Comparison,
        plan: Plan,
        outcome: PlanOutcome,
    ) -> None:
        if comparison.origin:
            changed = comparison.origin.changed
            base = {tag: comparison.base.get(tag) for tag in changed}
            self._move_base(session, crontab_row, base)
        done = [c for c in plan.changes if c.tag in outcome.base]
        tasks = {
            c.tag: comparison.tasks_by_tag[c.tag].task
            for c in done
            if c.tag in comparison.tasks_by_tag
        }
        now = clock.now()
        pulls = [
            (tasks[c.tag], c.ours, c.result) for c in done if c.result != c.ours and c.tag in tasks
        ]
        store.pull(session, pulls, now)
        removed = [
            tag for tag, entry in outcome.base.items() if not entry and tag in comparison.base
        ]
        if removed:
            places = places_of_removed(session, crontab_row, comparison, removed)
            store.save_places(session, crontab_row, places)
        synced = {tasks[c.tag]: c.result is not None for c in done if c.tag in tasks}
        # An import saves the base itself. To write 1,000 equal rows again would take 40 ms.
        moved = {
            tag: entry for tag, entry in outcome.base.items() if entry != comparison.base.get(tag)
        }
        if move := BaseMove(moved, synced):
            self._statements.append(store.base_statement(crontab_row, move, now))

    def _result(self, comparison: Comparison, plan: Plan, outcome: PlanOutcome) -> SyncResult:
        tasks = {tag: task.task for tag, task in comparison.tasks_by_tag.items()}
        reasons = {**comparison.reading.held(comparison.document), **outcome.failures}
        only = self._request.only
        text = str(outcome.document)
        return SyncResult(
            plan=plan,
            before=comparison.text,
            after=None if comparison.text is None and not text else text,
            tasks=tasks,
            failures={
                tasks[tag]: reason
                for tag, reason in reasons.items()
                if tag in tasks and (only is None or tag in only)
            },
            undone=comparison.origin.changed if comparison.origin else None,
            notes={tasks[tag]: note for tag, note in outcome.notes.items() if tag in tasks},
            write=self._write,
        )

    def _record(
        self,
        session: Session,
        crontab_row: int,
        comparison: Comparison,
        outcome: PlanOutcome,
        result: SyncResult,
        snapshots: tuple[int | None, int | None],
    ) -> SyncResult:
        """Record the operation, unless it is one of the background that found nothing new."""
        only, plan = self._request.only, result.plan
        has_news = store.mark_failed(session, result.failures)
        has_news |= store.save_conflicts(session, comparison.state, plan.conflicts, only)
        has_news |= self._written is not None or bool(plan.decided)
        if not has_news and self._request.actor == Actor.BACKGROUND:
            mark = store.synced_statement(crontab_row, self._stopwatch.started_at)
            _, rows = self._send(session, mark)
            return replace(result, write=None, rows=rows)
        conflicts, failed = len(plan.conflicts), len(result.failures)
        open_changes = sum(1 for c in comparison.plan.changes if c.tag not in outcome.base)
        all_conflicts = len(comparison.plan.conflicts)
        before, after = snapshots
        # The next edit reads this text: then its lines and their tags are known already.
        document = parse(str(outcome.document), outcome.document.dialect)
        record = SyncRecord(
            kind=self._request.kind,
            actor=self._request.actor,
            started_at=self._stopwatch.started_at,
            duration_ms=self._stopwatch.milliseconds(),
            pushed=len(result.pushed),
            pulled=len(result.pulled),
            conflicts=conflicts,
            failed=failed,
            open_conflicts=all_conflicts,
            pending=max(0, open_changes - all_conflicts - failed),
            entries=document.size,
            managed=len(set(document.by_tag).intersection(set(comparison.tasks_by_tag))),
            before=before,
            after=after,
            is_written=self._written is not None,
            details=pack_details(result),
        )
        ((operation,),), rows = self._send(session, store.record_statement(crontab_row, record))
        return replace(result, operation=int(operation), rows=rows)

    def _send(self, session: Session, last: Statement) -> tuple[Rows, Rows]:
        """Send all statements. Return the rows of the last one and of the caller's query."""
        query = [self._request.query] if self._request.query else []
        answers = direct.execute_together(session, [*self._statements, last, *query])
        number = len(self._statements)
        return answers[number], answers[-1] if query else []
