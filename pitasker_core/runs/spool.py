"""What recorders leave behind becomes history."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from pitasker_core import clock, database
from pitasker_core.database.tables import RunRow, TaskRow
from pitasker_core.settings import Settings

_GIVEN_UP = 10.0
"""Seconds after which a run whose recorder is gone, without a word, counts as lost."""


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

    def files(self) -> Iterator[Path]:
        """Every file there may be."""
        return (self.path.with_name(f"{self.name}.{kind}") for kind in _KINDS)


_KINDS = ("start", "head", "tail", "json")


def left(settings: Settings) -> list[Left]:
    """All runs in the spool, oldest first."""
    found = []
    for start in sorted(settings.spool.glob("*.start")):
        path = start.with_suffix("")
        with suppress(OSError, ValueError):
            started = json.loads(start.read_bytes())
            end = path.with_name(f"{path.name}.json")
            ended = json.loads(end.read_bytes()) if end.exists() else None
            found.append(Left(path, started, ended))
    return found


def collect(settings: Settings) -> int:
    """Take in what is new; the number of runs that were found. Files of runs that ended go."""
    found = left(settings)
    if not found:
        return 0
    done = []
    with database.session(settings) as session:
        known = set(session.scalars(select(TaskRow.id)))
        for one in found:
            task = int(one.started["task"]) if str(one.started["task"]).isdecimal() else 0
            if task not in known:
                done.append(one)
                continue
            values = _values(one, task)
            _keep(session, values)
            if values["ended_at"] or values["note"] == "lost":
                done.append(one)
    for one in done:
        for file in one.files():
            file.unlink(missing_ok=True)
    return len(found)


def printed(path: Path) -> tuple[bytes, int]:
    """What a run has printed so far, and how much that is in all."""
    head = _bytes(path.with_name(f"{path.name}.head"))
    total, _, tail = _bytes(path.with_name(f"{path.name}.tail")).partition(b"\n")
    count = int(total) if total.isdigit() else len(head)
    cut = count - len(head) - len(tail)
    if cut > 0:
        return b"%s\n... %d bytes are left out here ...\n%s" % (head, cut, tail), count
    return head + tail, count


def is_alive(started: dict[str, Any]) -> bool:
    """Whether the recorder of a run is still there."""
    with suppress(OSError):
        words = Path(f"/proc/{int(started.get('pid', 0))}/cmdline").read_bytes()
        return b"recorder" in words and str(started["task"]).encode() in words
    return False


def _values(one: Left, task: int) -> dict[str, Any]:
    output, count = printed(one.path)
    ended = one.ended or {}
    note = ""
    if one.ended is None:
        age = clock.now().timestamp() - one.started["started"]
        note = "lost" if age > _GIVEN_UP and not is_alive(one.started) else ""
    elif ended.get("timed_out"):
        note = "timed out"
    elif ended.get("overlapped"):
        note = "skipped: it was still running"
    return {
        "name": one.name,
        "task": task,
        "started_at": _time(one.started["started"]),
        "ended_at": _time(ended["ended"]) if one.ended else None,
        "exit_code": ended.get("exit_code"),
        "signal": ended.get("signal"),
        "user_seconds": ended.get("user"),
        "system_seconds": ended.get("system"),
        "pid": one.started.get("pid"),
        "peak_kb": ended.get("peak_kb"),
        "output": output if one.ended or note else None,
        "bytes": count,
        "source": "by hand" if one.started.get("by") == "hand" else "recorded",
        "note": note,
    }


def _keep(session: Session, values: dict[str, Any]) -> None:
    row = insert(RunRow).values(**values)
    session.execute(row.on_conflict_do_update(index_elements=["name"], set_=values))
    at = values["started_at"]
    session.execute(
        update(TaskRow)
        .where(TaskRow.id == values["task"])
        .where(or_(TaskRow.last_run.is_(None), TaskRow.last_run <= at))
        .values(last_run=at, status=_status(values))
        .execution_options(synchronize_session=False)
    )


def _status(values: dict[str, Any]) -> str:
    if values["ended_at"] is None:
        return "failed" if values["note"] else "running"
    return "success" if values["exit_code"] == 0 else "failed"


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
