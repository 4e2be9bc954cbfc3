"""What recorders leave behind becomes history."""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, and_, delete, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pitasker_core import database
from pitasker_core.base import clock, paths
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import DatabaseError, ExecutionError, PiTaskerError
from pitasker_core.database.tables import RunRow, StateRow, TaskRow
from pitasker_core.runs import durations, run_events
from pitasker_core.runs.dedupe import same_start
from pitasker_core.runs.recorder import FORGOTTEN, KINDS
from pitasker_core.sync import store

LOST = "lost: its recorder was ended before it could tell more"
WENT_OFF = "lost: the machine went off, or was started anew, while it ran"
NOBODY_SAW = "lost: its recorder was killed; the job went on, and nobody saw how it ended"
SKIPPED = "the run before was still going on"

_log = logging.getLogger(__name__)

_NAME = re.compile(r"\d{1,10}-\d{1,19}-\d{1,9}", re.ASCII)
"""What a run is called: its task, its start in nanoseconds, its recorder's process."""

_SOURCES = {"hand": "by hand", "catchup": "caught up"}
"""Who else than cron starts a recorder."""

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_LEFT_OVER = 86400.0
"""Seconds after which parts of a run that belong to none go."""

_AT_ONCE = 50
"""Runs that are taken in by one transaction: with all that they printed, they fit into memory."""

_HOLES = 20
"""Times of which records are missing: the newest are kept."""

_TICKS_TO_START = 6000
"""A minute, in hundredths of a second: a job starts sooner on the most overloaded machine."""

_JUMP = 2.0
"""Seconds by which a run's times and its length may differ before the clock must have been set."""


@dataclass(frozen=True)
class Left:
    """One run's files. `ended` is None while it runs."""

    path: Path
    started: dict[str, Any]
    ended: dict[str, Any] | None

    @property
    def name(self) -> str:
        """What the run is called."""
        return self.path.name

    @property
    def task(self) -> int:
        """Which task's it is."""
        return int(self.name.split("-")[0])

    def files(self) -> Iterator[Path]:
        """Every file there may be; the record of its end last, without which it would seem lost."""
        return (self.path.with_name(f"{self.name}.{kind}") for kind in KINDS)


def left(environment: Environment) -> list[Left]:
    """All runs in the spool, oldest first. Raises ExecutionError when it cannot be read."""
    files = _files(environment)
    begun = {file.with_suffix("") for file in files if file.suffix in (".start", ".json")}
    runs = [path for path in begun if _NAME.fullmatch(path.name)]
    return [_left(path) for path in sorted(runs, key=lambda path: int(path.name.split("-")[1]))]


def collect(environment: Environment) -> int:
    """Take in what is new; the number of runs that were found. Files of runs that ended go.

    Any number of processes may do so at once. Raises ExecutionError, DatabaseError.
    """
    forgotten = _forgotten(environment)
    found = left(environment)
    if forgotten is not None:
        _note_hole(environment, forgotten, found)
    for start in range(0, len(found), _AT_ONCE):
        batch = found[start : start + _AT_ONCE]
        # Only what is in the database for good may go.
        for one in _take_in_readable(environment, batch):
            try:
                for file in one.files():
                    file.unlink(missing_ok=True)
            except OSError as problem:
                raise ExecutionError(
                    f"{environment.spool} cannot be tidied up: {problem.strerror}."
                ) from problem
    return len(found)


def holes(session: Session, crontab_row: int) -> list[tuple[datetime, datetime]]:
    """Times of which records are missing, because nobody took them in before the oldest went."""
    row = session.get(StateRow, _holes_key(crontab_row))
    at = datetime.fromisoformat
    return [(at(first), at(last)) for first, last in row.value["holes"]] if row else []


def _holes_key(crontab_row: int) -> str:
    return f"spool:{crontab_row}"


def _forgotten(environment: Environment) -> datetime | None:
    """When the first run started whose record went before it was taken in.

    The file is put aside first: what goes from now on is told by another one.
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
    # An empty one was cut off by a power cut: any record may be missing.
    return _start_in(name) if _NAME.fullmatch(name) else _time(0)


def _start_in(name: str) -> datetime:
    """When a run started, by its name. What its record says may be any number."""
    return _time(int(name.split("-")[1]) / 1e9)


def _note_hole(environment: Environment, first: datetime, waiting: list[Left]) -> None:
    """Keep from when to when records may be missing: none is older than those that wait.

    A waiting record that is older was made while the clock was wrong, and says nothing of this.
    """
    starts = [_start_in(one.name) for one in waiting if one.ended]
    last = min((start for start in starts if start >= first), default=clock.now())
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        known = [[a.isoformat(), b.isoformat()] for a, b in holes(session, crontab_row)]
        value = {"holes": [*known, [first.isoformat(), last.isoformat()]][-_HOLES:]}
        session.merge(StateRow(key=_holes_key(crontab_row), value=value, updated_at=clock.now()))
    with suppress(OSError):
        (environment.spool / f"{FORGOTTEN}.seen").unlink(missing_ok=True)


def sweep(environment: Environment) -> None:
    """Remove parts of runs that belong to none, as a power cut leaves them.

    Raises ExecutionError when the spool cannot be read.
    """
    begun = {one.name for one in left(environment)}
    for file in _files(environment):
        name, _, kind = file.name.partition(".")
        is_part = _NAME.fullmatch(name) and kind.removesuffix(".new") in KINDS
        with suppress(OSError):
            age = abs(clock.now().timestamp() - file.stat().st_mtime)
            if is_part and age > _LEFT_OVER and (name not in begun or kind.endswith(".new")):
                file.unlink()


def _files(environment: Environment) -> list[Path]:
    try:
        return list(environment.spool.iterdir())
    except FileNotFoundError:
        return []
    except OSError as problem:
        raise ExecutionError(
            f"{environment.spool} cannot be read: {problem.strerror}."
        ) from problem


def _take_in_readable(environment: Environment, batch: list[Left]) -> list[Left]:
    """As `_take_in`; a record that cannot be kept is put aside and holds up no other.

    Raises DatabaseError.
    """
    try:
        return _take_in(environment, batch)
    except DatabaseError:
        raise
    except (PiTaskerError, ValueError, TypeError, OverflowError) as problem:
        if len(batch) > 1:
            return [one for each in batch for one in _take_in_readable(environment, [each])]
        (bad,) = batch
        _log.warning("The record of run %s cannot be kept, and is put aside: %s", bad.name, problem)
        with suppress(OSError):
            for kind in ("json", "start"):
                file = bad.path.with_name(f"{bad.name}.{kind}")
                if paths.exists(file):
                    file.rename(f"{file}.unreadable")
        return []


def _take_in(environment: Environment, found: list[Left]) -> list[Left]:
    """Bring rows up to what was found; those runs of which nothing more will be told."""
    done = []
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        numbers = {one.task for one in found}
        tasks = set(session.scalars(select(TaskRow.id).where(TaskRow.id.in_(numbers))))
        query = select(RunRow.name, RunRow.ended_at).where(RunRow.name.in_([o.name for o in found]))
        known = {row.name: row.ended_at for row in session.execute(query)}
        news = []
        for one in found:
            if one.task not in tasks or known.get(one.name):
                done.append(one)  # deleted for good, or taken in already
                continue
            note = _note(one)
            if one.ended or note:
                done.append(one)
            elif one.name in known:
                continue  # it runs, as it did
            news.append((one, note))
        store.lock_tasks(session, {one.task for one, _ in news})
        for one, note in news:
            values = {"crontab_row": crontab_row, **_values(one, note)}
            values["slow"] = _is_slow(session, values)
            _keep(session, values)
            if values["source"] == "recorded":
                # cron's log may have been read first: what is recorded says more.
                processes = [pid for pid in (values["pid"], one.started.get("ppid")) if pid]
                twin = same_start("observed", one.task, values["started_at"], processes)
                session.execute(delete(RunRow).where(twin))
    return done


def printed(path: Path) -> tuple[bytes, int]:
    """What a run has printed so far, and how much that is in all."""
    head = _bytes(path.with_name(f"{path.name}.head"))
    header, _, ring = _bytes(path.with_name(f"{path.name}.tail")).partition(b"\n")
    numbers = header.split()
    if len(numbers) != 2 or not all(number.isdigit() for number in numbers):
        return head, len(head)
    count, past = map(int, numbers)
    at = past % len(ring) if ring and past > len(ring) else 0
    tail = ring[at:] + ring[:at]
    cut = count - len(head) - len(tail)
    if cut > 0:
        return b"%s\n... %d bytes are left out here ...\n%s" % (head, cut, tail), count
    return head + tail, count


def process(started: dict[str, Any]) -> int | None:
    """Whom to signal to reach a run: its recorder; the group of its job, as a negative number, when
    the recorder was killed; None when it is over."""
    with suppress(OSError, ValueError, TypeError):
        if _boot().startswith(str(started.get("boot"))):
            began = int(started["ticks"])
            if _began(int(started["pid"])) == began:
                return int(started["pid"])
            # Started by the recorder, so at once after it: no later one with the same number.
            if 0 <= (_began(int(started["job"])) or 0) - began < _TICKS_TO_START:
                return -int(started["job"])
    return None


def is_alive(started: dict[str, Any]) -> bool:
    """Whether a run goes on."""
    return process(started) is not None


def _left(path: Path) -> Left:
    """What is told of a run. What cannot be read (after a power cut files may be empty) is not."""
    _, began, pid = path.name.split("-")
    known = {"started": int(began) / 1e9, "pid": int(pid)}
    ended = _object(path.with_name(f"{path.name}.json"))
    started = _object(path.with_name(f"{path.name}.start")) or ended or {}
    return Left(path, {**known, **started}, ended)


def _object(file: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    is_ours = isinstance(found, dict) and isinstance(found.get("started"), int | float)
    return found if is_ours else None


def _note(one: Left) -> str:
    """What there is to say of a run beside its exit code."""
    if one.ended is None:
        if is_alive(one.started):
            return ""
        if _left(one.path).ended:
            return ""  # it ended just now: the next time
        # A start that cannot be read was cut off: it is written whole or not at all.
        boot = str(one.started.get("boot"))
        return LOST if _boot().startswith(boot) else WENT_OFF
    if one.ended.get("lost"):
        return NOBODY_SAW
    if one.ended.get("timed_out"):
        return "timed out"
    return SKIPPED if one.ended.get("overlapped") else ""


def _values(one: Left, note: str) -> dict[str, Any]:
    output, count = printed(one.path)
    ended = one.ended or {}
    started, at_end = float(one.started["started"]), float(ended.get("ended", 0))
    seconds = ended.get("seconds")
    if seconds is not None and abs(at_end - started - seconds) > _JUMP:
        started = at_end - seconds  # the clock was set meanwhile; the later time is the better one
    is_over = bool(ended or note)
    return {
        "name": one.name,
        "task": one.task,
        "started_at": _time(started),
        "ended_at": _time(at_end) if ended else None,
        "exit_code": ended.get("exit_code"),
        "signal": ended.get("signal"),
        "user_seconds": ended.get("user"),
        "system_seconds": ended.get("system"),
        "pid": one.started.get("pid"),
        "peak_kb": ended.get("peak_kb"),
        "output": output if is_over and output else None,
        "bytes": count if is_over else 0,
        "source": _SOURCES.get(str(one.started.get("by")), "recorded"),
        "note": note,
        "missed": int(note == SKIPPED),
    }


def _is_slow(session: Session, values: dict[str, Any]) -> bool:
    """Whether a run that has ended took much longer than its task's runs before it."""
    if values["ended_at"] is None:
        return False
    took = values["ended_at"] - values["started_at"]
    known = durations.usual(session, values["task"], values["started_at"])
    return known is not None and known.is_slow(took.total_seconds())


def _keep(session: Session, values: dict[str, Any]) -> None:
    """Write what is known of a run, unless another process has written its end already."""
    row = insert(RunRow).values(**values)
    is_news = and_(
        RunRow.ended_at.is_(None), or_(RunRow.note == "", row.excluded.ended_at.is_not(None))
    )
    kept = row.on_conflict_do_update(index_elements=["crontab", "name"], set_=values, where=is_news)
    # PostgreSQL's own mark of a row that was not there before.
    is_new = literal_column("(xmax = 0)", Boolean)
    told = session.execute(kept.returning(RunRow.id, RunRow.state, is_new.label("is_new"))).first()
    if told is None or told.state == "missed":
        return  # known already; or it was not to start beside another, which says how it goes
    run_events.tell(session, told.id, values, told.state, is_new=told.is_new)
    at, last = values["started_at"], TaskRow.last_run
    session.execute(
        update(TaskRow)
        .where(TaskRow.id == values["task"])
        # A last run in the future is one of a clock that was wrong.
        .where(or_(last.is_(None), last <= at, last > clock.now()))
        .values(last_run=at, status=told.state)
        .execution_options(synchronize_session=False)
    )


def _boot() -> str:
    """What this boot of the machine is called."""
    return _BOOT.read_text()


def _began(pid: int) -> int | None:
    """When a process started, in ticks of the kernel; None when there is none, or a dead one."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except (OSError, ValueError):
        return None
    return None if state in (b"Z", b"X") else int(rest[18])


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
