"""Import the records that recorders leave in the spool folder into the run history."""

import logging
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, and_, delete, literal, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pitasker_core import database
from pitasker_core.base import clock, paths
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import DatabaseError, ExecutionError, PiTaskerError, explained
from pitasker_core.database.tables import RunRow, StateRow, TaskRow
from pitasker_core.runs import durations, records, run_events
from pitasker_core.runs.dedupe import same_start
from pitasker_core.runs.model import RunSource, RunState
from pitasker_core.runs.recorder import FORGOTTEN, KINDS
from pitasker_core.runs.records import Left
from pitasker_core.sync import store

LOST = "lost: its recorder was killed before it could write the result"
WENT_OFF = "lost: the machine went off or restarted during the run"
NOBODY_SAW = "lost: its recorder was killed; the job went on, but its result is unknown"
SKIPPED = "the previous run was still going on"

_log = logging.getLogger(__name__)

_SOURCES = {"hand": RunSource.BY_HAND, "catchup": RunSource.CAUGHT_UP}
"""The source of runs that cron did not start, by the recorder's option `--by`."""

_LEFT_OVER = 86400.0
"""Seconds after which files without a run are removed."""

_AT_ONCE = 50
"""Runs imported by one transaction. They and their output fit into memory."""

_HOLES = 20
"""How many periods with missing records are kept, newest first."""

_JUMP = 2.0
"""If a run's times and its duration differ by more seconds than this, the clock was set."""


def collect(environment: Environment) -> int:
    """Import new records and delete the files of ended runs. Returns the number of runs found.

    Several processes may do this at once. Raises ExecutionError and DatabaseError.
    """
    forgotten = _forgotten(environment)
    runs = records.left(environment)
    if forgotten is not None:
        _note_hole(environment, forgotten, runs)
    for start in range(0, len(runs), _AT_ONCE):
        batch = runs[start : start + _AT_ONCE]
        # Files are deleted only after their transaction was committed.
        for run in _import_readable(environment, batch):
            with explained(f"Files in {environment.spool} cannot be deleted"):
                for file in run.files():
                    file.unlink(missing_ok=True)
    return len(runs)


def holes(session: Session, crontab_row: int) -> list[tuple[datetime, datetime]]:
    """Periods with missing records: recorders dropped the oldest before they were imported."""
    row = session.get(StateRow, _holes_key(crontab_row))
    at = datetime.fromisoformat
    return [(at(first), at(last)) for first, last in row.value["holes"]] if row else []


def _holes_key(crontab_row: int) -> str:
    return f"spool:{crontab_row}"


def _forgotten(environment: Environment) -> datetime | None:
    """The start of the first run whose record was dropped before it was imported.

    The file is renamed first, so that later losses go to a new file.
    """
    file, aside = environment.spool / FORGOTTEN, environment.spool / f"{FORGOTTEN}.seen"
    try:
        if not paths.exists(aside):
            file.rename(aside)
        name = aside.read_bytes().decode("ascii", "replace")
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise ExecutionError(
            f"{environment.spool} cannot be read: {problem.strerror}."
        ) from problem
    # A power cut left it empty: any record may be missing.
    return records.start_in(name) if records.NAME.fullmatch(name) else records.time_of(0)


def _note_hole(environment: Environment, first: datetime, waiting: list[Left]) -> None:
    """Save a period in which records may be missing. It ends with the oldest waiting record.

    An even older waiting record was made while the clock was wrong, so it does not count.
    """
    starts = [records.start_in(run.name) for run in waiting if run.ended]
    last = min((start for start in starts if start >= first), default=clock.now())
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        earlier = [[a.isoformat(), b.isoformat()] for a, b in holes(session, crontab_row)]
        value = {"holes": [*earlier, [first.isoformat(), last.isoformat()]][-_HOLES:]}
        session.merge(StateRow(key=_holes_key(crontab_row), value=value, updated_at=clock.now()))
    with suppress(OSError):
        (environment.spool / f"{FORGOTTEN}.seen").unlink(missing_ok=True)


def sweep(environment: Environment) -> None:
    """Remove old files without a run, which a power cut can leave.

    Raises ExecutionError if the spool cannot be read.
    """
    begun = {run.name for run in records.left(environment)}
    for file in records.list_files(environment):
        name, _, kind = file.name.partition(".")
        is_part = records.NAME.fullmatch(name) and kind.removesuffix(".new") in KINDS
        with suppress(OSError):
            age = abs(clock.now().timestamp() - file.stat().st_mtime)
            if is_part and age > _LEFT_OVER and (name not in begun or kind.endswith(".new")):
                file.unlink()


def _import_readable(environment: Environment, batch: list[Left]) -> list[Left]:
    """Like `_import_runs`, but rename a record that cannot be stored, so it does not block others.

    Raises DatabaseError.
    """
    try:
        return _import_runs(environment, batch)
    except DatabaseError:
        raise
    except (PiTaskerError, ValueError, TypeError, OverflowError) as problem:
        if len(batch) > 1:
            return [done for run in batch for done in _import_readable(environment, [run])]
        (bad,) = batch
        _log.warning(
            "The record of run %s cannot be stored, and was renamed: %s", bad.name, problem
        )
        with suppress(OSError):
            for kind in ("json", "start"):
                file = bad.path.with_name(f"{bad.name}.{kind}")
                if paths.exists(file):
                    file.rename(f"{file}.unreadable")
        return []


def _import_runs(environment: Environment, runs: list[Left]) -> list[Left]:
    """Write the rows of these runs. Returns the runs whose files are no longer needed."""
    done = []
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        numbers = {run.task for run in runs}
        tasks = set(session.scalars(select(TaskRow.id).where(TaskRow.id.in_(numbers))))
        names = [run.name for run in runs]
        # The index of names begins with the crontab.
        mine = RunRow.crontab_row == crontab_row, RunRow.name.in_(names)
        query = select(RunRow.name, RunRow.ended_at).where(*mine)
        ended = {row.name: row.ended_at for row in session.execute(query)}
        changed = []
        for run in runs:
            if run.task not in tasks or ended.get(run.name):
                done.append(run)  # its task was deleted for good, or it was imported already
                continue
            note = _note(run)
            if run.ended or note:
                done.append(run)
            elif run.name in ended:
                continue  # it still runs
            changed.append((run, note))
        store.lock_tasks(session, {run.task for run, _ in changed})
        for run, note in changed:
            values = {"crontab_row": crontab_row, **_values(run, note)}
            values["slow"] = _is_slow(session, values)
            _save(session, values, exists=run.name in ended)
            if values["source"] == RunSource.RECORDED:
                # If cron's log was read first, its row goes: the record holds more.
                processes = [pid for pid in (values["pid"], run.started.get("ppid")) if pid]
                duplicate = same_start(
                    RunSource.OBSERVED, run.task, values["started_at"], processes
                )
                session.execute(delete(RunRow).where(duplicate))
    return done


def _note(run: Left) -> str:
    """A note on how a run ended, besides its exit code."""
    if run.ended is None:
        if records.is_alive(run.started):
            return ""
        if records.read_left(run.path).ended:
            return ""  # it has just ended: the next call imports it
        # The start record is written whole or not at all. An unreadable one was cut off.
        boot = str(run.started.get("boot"))
        return LOST if records.boot_id().startswith(boot) else WENT_OFF
    if run.ended.get("lost"):
        return NOBODY_SAW
    if run.ended.get("timed_out"):
        return "timed out"
    return SKIPPED if run.ended.get("overlapped") else ""


def _values(run: Left, note: str) -> dict[str, Any]:
    output, count = records.printed(run.path)
    ended = run.ended or {}
    started, at_end = float(run.started["started"]), float(ended.get("ended", 0))
    seconds = ended.get("seconds")
    if seconds is not None and abs(at_end - started - seconds) > _JUMP:
        started = at_end - seconds  # the clock was set during the run; the later time is right
    is_over = bool(ended or note)
    return {
        "name": run.name,
        "task": run.task,
        "started_at": records.time_of(started),
        "ended_at": records.time_of(at_end) if ended else None,
        "exit_code": ended.get("exit_code"),
        "signal": ended.get("signal"),
        "user_seconds": ended.get("user"),
        "system_seconds": ended.get("system"),
        "pid": run.started.get("pid"),
        "peak_kb": ended.get("peak_kb"),
        "output": output if is_over and output else None,
        "bytes": count if is_over else 0,
        "source": _SOURCES.get(str(run.started.get("by")), RunSource.RECORDED),
        "note": note,
        "missed": int(note == SKIPPED),
    }


def _is_slow(session: Session, values: dict[str, Any]) -> bool:
    """Whether an ended run took much longer than the earlier runs of its task."""
    if values["ended_at"] is None:
        return False
    duration = values["ended_at"] - values["started_at"]
    usual = durations.usual(session, values["task"], values["started_at"])
    return usual is not None and usual.is_slow(duration.total_seconds())


def _save(session: Session, values: dict[str, Any], *, exists: bool) -> None:
    """Write the row of a run, unless another process has already written its end.

    A row that exists is updated: an upsert would use up a number, which no run then has.
    """
    has_ended = literal(values["ended_at"] is not None)
    is_news = and_(RunRow.ended_at.is_(None), or_(RunRow.note == "", has_ended))
    returned = RunRow.id, RunRow.state
    if exists:
        mine = RunRow.crontab_row == values["crontab_row"], RunRow.name == values["name"]
        row = update(RunRow).where(*mine, is_news).values(**values)
        saved = session.execute(row.returning(*returned, literal(False).label("is_new"))).first()
    else:
        upsert = insert(RunRow).values(**values)
        upsert = upsert.on_conflict_do_update(
            index_elements=["crontab", "name"], set_=values, where=is_news
        )
        # xmax is 0 for a row that was inserted, not updated.
        is_new = literal_column("(xmax = 0)", Boolean)
        saved = session.execute(upsert.returning(*returned, is_new.label("is_new"))).first()
    if saved is None or saved.state == RunState.MISSED:
        return  # written already; or skipped because of a running one, whose result counts
    run_events.add(session, saved.id, values, saved.state, is_new=saved.is_new)
    at, last = values["started_at"], TaskRow.last_run
    session.execute(
        update(TaskRow)
        .where(TaskRow.id == values["task"])
        # A last run in the future comes from a wrong clock.
        .where(or_(last.is_(None), last <= at, last > clock.now()))
        .values(last_run=at, status=saved.state)
        .execution_options(synchronize_session=False)
    )
