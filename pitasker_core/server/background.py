"""Background work: sync, validation, ending pauses, notifications and pruning.

Any number of servers may share a database. For each crontab only one of them works, the leader. It
holds an advisory lock in PostgreSQL, on the connection that also listens for notifications. So
nobody leads without the database, and a new leader is found when it returns.
"""

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import psycopg
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from pitasker_core import database, tasks
from pitasker_core.base import clock
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.database import notices, preferences
from pitasker_core.database.notices import NoticeKind
from pitasker_core.database.preferences import Preferences
from pitasker_core.database.tables import StateRow, TaskRow
from pitasker_core.notifications import delivery, finding_notices
from pitasker_core.runs import pings, spool
from pitasker_core.runs.cron_log import edits, observed
from pitasker_core.runs.cron_log.log_source import Unreadable
from pitasker_core.runs.cron_log.observed import Seen
from pitasker_core.runs.missed.watch import Watch
from pitasker_core.server import job_states, pruning
from pitasker_core.sync import importing, recorder_copy, service, store, validation
from pitasker_core.sync.service import Request, SyncResult

CHANNEL = "pitasker"
"""The channel of PostgreSQL's notifications about tasks that something else changed."""

_LOCK = 0x7069_7462
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0
"""Seconds before a failed job is retried. Doubles after each failure, up to the second value."""
_FIRST_ABSENCE, _LONGEST_ABSENCE = 1.0, 30.0
"""Seconds before the next attempt to reach the database. Doubles likewise."""

_HOWEVER_LATE = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
"""After sleep or overload a job runs once, however late. It is never skipped."""

_log = logging.getLogger(__name__)


class Background:
    """The background work of one process. `minute` is its length in seconds, for tests."""

    def __init__(self, environment: Environment, minute: float = 60.0) -> None:
        self._environment = environment
        self._minute = minute
        self._scheduler = BackgroundScheduler(timezone="UTC", job_defaults=_HOWEVER_LATE)
        self._stopping = threading.Event()
        self._leads = threading.Event()
        self._listener = threading.Thread(target=self._listen, name="listener", daemon=True)
        self._idle = threading.Condition()
        self._working = 0
        self._failures: dict[str, int] = {}
        self._absence = _FIRST_ABSENCE
        self._reason = ""
        self._not_saved = ""
        self._preferences = Preferences()
        self._watch = Watch(environment)
        self._seen: Seen | Unreadable | None = None

    def start(self) -> None:
        """Start the work and return at once. The database may be away."""
        try:
            recorder_copy.refresh(self._environment)  # it may be from an older version
        except PiTaskerError as problem:
            _log.warning("%s", problem.user_message)
        for name, job, minutes in (
            ("sync", self._sync, self._preferences.sync_minutes),
            ("validate", self._validate, self._preferences.validate_minutes),
            ("resume", self._resume, 0.5),
            ("prune", self._prune, 60),  # hourly: some machines are on for less than a day
            ("runs", self._runs, 0.1),
            ("observe", self._observe, 1),
            ("missed", self._missed, 1),
            ("notices", self._notices, 0.25),
            ("pings", self._pings, 0.25),
        ):
            self._scheduler.add_job(
                self._run, "interval", (name, job), id=name, seconds=minutes * self._minute
            )
        self._scheduler.start()
        self._listener.start()

    def stop(self) -> None:
        """Stop the work. Jobs that have begun are finished."""
        self._stopping.set()
        # With wait=True, APScheduler would hold a lock that a job may need, and wait for ever.
        self._scheduler.shutdown(wait=False)
        with self._idle:
            self._idle.wait_for(lambda: not self._working)
        self._listener.join(timeout=10)
        self._watch.stop()

    @property
    def leads(self) -> bool:
        """Whether this process is the leader for its crontab."""
        return self._leads.is_set()

    # --- Leading, and being woken ---

    def _listen(self) -> None:
        """Hold the leader lock and listen for notifications. Reconnect after any error."""
        while not self._stopping.is_set():
            try:
                with database.connect(self._environment).connect() as connection:
                    try:
                        self._lead(connection)
                    finally:
                        connection.invalidate()  # already closed: nothing to roll back
            except Exception as problem:
                self._log_absence(problem)
                self._leads.clear()
                self._stopping.wait(self._absence * self._minute / 60)
                self._absence = min(2 * self._absence, _LONGEST_ABSENCE)

    def _log_absence(self, problem: Exception) -> None:
        """Log why the database cannot be used, once for each reason."""
        reason = _reason(problem)
        if reason == self._reason:
            return
        self._reason = reason
        is_ours = not isinstance(problem, PiTaskerError | SQLAlchemyError | psycopg.Error)
        _log.warning(
            "The background work waits for the database: %s",
            reason,
            exc_info=problem if is_ours else None,
        )

    def _lead(self, connection: Connection) -> None:
        with database.session(self._environment) as session:
            number = store.own_crontab(session)
        raw = connection.connection.driver_connection
        assert isinstance(raw, psycopg.Connection)  # noqa: S101 - our driver
        connection.detach()  # out of the pool: we keep this connection
        with raw:
            raw.set_autocommit(True)
            while not self._stopping.is_set():
                row = raw.execute("select pg_try_advisory_lock(%s, %s)", (_LOCK, number)).fetchone()
                self._absence = _FIRST_ABSENCE
                if self._reason:
                    _log.warning("The database can be used again.")
                    self._reason = ""
                if row and row[0]:
                    break
                self._stopping.wait(min(5.0, self._minute))
            else:
                return  # stopped before we got the lock
            raw.execute(f"listen {CHANNEL}")
            self._take_preferences()
            # Sync before anything else: it finishes what a killed process began, and takes in
            # edits by hand from before the start.
            if self._preferences.sync_minutes:
                self._work("sync", self._sync)
            self._leads.set()
            _log.info("This process does the background work.")
            while not self._stopping.is_set():
                for _ in raw.notifies(timeout=1.0, stop_after=1):
                    self._soon("sync", 0.2)
                    self._take_preferences()

    def _soon(self, name: str, seconds: float) -> None:
        job = self._scheduler.get_job(name)
        if job and job.next_run_time:  # None while the job is switched off
            job.modify(next_run_time=clock.now() + timedelta(seconds=seconds))

    def _take_preferences(self) -> None:
        now = preferences.read(self._environment)
        for job, minutes, before in (
            ("sync", now.sync_minutes, self._preferences.sync_minutes),
            ("validate", now.validate_minutes, self._preferences.validate_minutes),
        ):
            if minutes == 0:
                self._scheduler.pause_job(job)
            elif minutes != before:
                self._scheduler.reschedule_job(
                    job, trigger="interval", seconds=minutes * self._minute
                )
        self._preferences = now

    # --- The jobs ---

    def _run(self, name: str, job: Callable[[], str | None]) -> None:
        """Run a job if this process leads."""
        if self._leads.is_set():
            self._work(name, job)

    def _work(self, name: str, job: Callable[[], str | None]) -> None:
        """Run a job unless this process is stopping."""
        with self._idle:
            if self._stopping.is_set():
                return
            self._working += 1
        try:
            self._try(name, job)
        finally:
            with self._idle:
                self._working -= 1
                self._idle.notify_all()

    def _try(self, name: str, job: Callable[[], str | None]) -> None:
        """Run a job and record its result. An error stops nothing else."""
        try:
            message, ok = job() or "", True
        except PiTaskerError as problem:
            message, ok = problem.user_message, False
            _log.warning("%s: %s", name, message)
        except Exception as problem:
            message, ok = _reason(problem), False
            _log.exception("%s failed", name)
        if ok:
            self._failures.pop(name, None)
        else:
            self._failures[name] = self._failures.get(name, 0) + 1
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (self._failures[name] - 1))
            self._soon(name, pause * self._minute / 60)
        try:
            job_states.save(self._environment, name, ok, message)
            self._not_saved = ""
        except Exception as problem:
            if (reason := _reason(problem)) != self._not_saved:
                _log.warning("The result of %s cannot be saved: %s", name, reason)
            self._not_saved = reason

    def _sync(self) -> str:
        began_after = partial(edits.began_after, self._environment)
        done = service.sync(self._environment, Request(Actor.BACKGROUND, began_after=began_after))
        _notify_of_conflicts(self._environment, done)
        imported = (
            importing.import_entries(self._environment, Actor.BACKGROUND)
            if self._preferences.import_new
            else None
        )
        if imported and imported.problem:
            raise imported.problem
        if conflicts := len(done.plan.conflicts):
            return f"{conflicts} conflict{'' if conflicts == 1 else 's'} to resolve."
        return ""

    def _validate(self) -> str:
        report = validation.validate(service.preview(self._environment))
        finding_notices.notify(self._environment, report)
        faults = [f for f in report.findings if f.kind not in validation.NOT_A_FAULT]
        return f"{len(faults)} to check under Sync." if faults else ""

    def _resume(self) -> None:
        self._take_preferences()
        tasks.resume_due(self._environment)

    def _runs(self) -> None:
        spool.collect(self._environment)

    def _observe(self) -> None:
        self._seen = observed.collect(self._environment)

    def _missed(self) -> None:
        if self._seen is not None:
            self._watch.judge(self._seen)

    def _notices(self) -> str:
        return delivery.deliver(self._environment)

    def _pings(self) -> None:
        pings.send(self._environment)

    def _prune(self) -> None:
        pruning.prune(self._environment, self._preferences)


def is_running(environment: Environment) -> bool:
    """Whether any process does the background work for this crontab."""
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        count = session.scalar(
            text(
                "select count(*) from pg_locks where locktype = 'advisory' and granted "
                "and database = (select oid from pg_database where datname = current_database()) "
                "and classid = :lock and objid = :crontab"
            ),
            {"lock": _LOCK, "crontab": crontab_row},
        )
        return bool(count)


def _notify_of_conflicts(environment: Environment, done: SyncResult) -> None:
    """Add a notice for conflicts that are new or different since the previous sync."""
    conflicts = {str(c.tag): c.fingerprint for c in done.plan.conflicts}
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        key = f"conflicts:{crontab_row}"
        row = session.get(StateRow, key)
        before = row.value if row else {}
        if conflicts == before:
            return
        session.merge(StateRow(key=key, value=conflicts, updated_at=clock.now()))
        new = [c for c in done.plan.conflicts if before.get(str(c.tag)) != conflicts[str(c.tag)]]
        if not new:
            return
        ids = {done.tasks[c.tag] for c in new if c.tag in done.tasks}
        names = session.scalars(select(TaskRow.name).where(TaskRow.id.in_(ids)))
        message = (
            f"Changed both in PiTasker and in the crontab: {', '.join(sorted(names))}. "
            "Resolve this under Sync. Until then neither side changes."
        )
        task = next(iter(ids)) if len(ids) == 1 else None
        notices.add(session, crontab_row, NoticeKind.CONFLICT, message, task)


def _reason(problem: Exception) -> str:
    """An error on one line: our message, or the class and first line of another error."""
    if isinstance(problem, PiTaskerError):
        return problem.user_message
    first = str(problem).strip().split("\n", 1)[0]
    return f"{type(problem).__name__}: {first}"
