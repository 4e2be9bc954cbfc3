"""The records that recorders leave in the spool folder."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import ExecutionError
from pitasker_core.runs.recorder import KINDS

NAME = re.compile(r"\d{1,10}-\d{1,19}-\d{1,9}", re.ASCII)
"""The name of a run: its task, its start in nanoseconds, its recorder's process id."""

_BOOT = Path("/proc/sys/kernel/random/boot_id")

_TICKS_TO_START = 6000
"""One minute in ticks of 10 ms. Even on an overloaded machine a job starts within this time."""


@dataclass(frozen=True)
class Left:
    """One run's files. `ended` is None while it runs."""

    path: Path
    started: dict[str, Any]
    ended: dict[str, Any] | None

    @property
    def name(self) -> str:
        """The name of the run."""
        return self.path.name

    @property
    def task(self) -> int:
        """The id of its task."""
        return int(self.name.split("-")[0])

    def files(self) -> Iterator[Path]:
        """All files it can have. The final record is last: without it the run would seem lost."""
        return (self.path.with_name(f"{self.name}.{kind}") for kind in KINDS)


def left(environment: Environment) -> list[Left]:
    """All runs in the spool, oldest first. Raises ExecutionError if it cannot be read."""
    files = list_files(environment)
    begun = {file.with_suffix("") for file in files if file.suffix in (".start", ".json")}
    runs = [path for path in begun if NAME.fullmatch(path.name)]
    return [read_left(path) for path in sorted(runs, key=lambda path: int(path.name.split("-")[1]))]


def start_in(name: str) -> datetime:
    """The start of a run from its name. The number in its record can be wrong."""
    return time_of(int(name.split("-")[1]) / 1e9)


def list_files(environment: Environment) -> list[Path]:
    """All files in the spool folder. Raises ExecutionError if it cannot be read."""
    try:
        return list(environment.spool.iterdir())
    except FileNotFoundError:
        return []
    except OSError as problem:
        raise ExecutionError(
            f"{environment.spool} cannot be read: {problem.strerror}."
        ) from problem


def printed(path: Path) -> tuple[bytes, int]:
    """The output of a run so far, and its total size in bytes."""
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
    """The process id to signal for a run: its recorder's. If the recorder was killed, the negative
    id of the job's process group. None if the run is over."""
    with suppress(OSError, ValueError, TypeError):
        if boot_id().startswith(str(started.get("boot"))):
            began = int(started["ticks"])
            if _began(int(started["pid"])) == began:
                return int(started["pid"])
            # The recorder started it at once, so a later process with this id does not count.
            if 0 <= (_began(int(started["job"])) or 0) - began < _TICKS_TO_START:
                return -int(started["job"])
    return None


def is_alive(started: dict[str, Any]) -> bool:
    """Whether a run is still going on."""
    return process(started) is not None


def read_left(path: Path) -> Left:
    """The files of a run. Unreadable ones, as after a power cut, count as missing."""
    _, began, pid = path.name.split("-")
    from_name = {"started": int(began) / 1e9, "pid": int(pid)}
    ended = _object(path.with_name(f"{path.name}.json"))
    started = _object(path.with_name(f"{path.name}.start")) or ended or {}
    return Left(path, {**from_name, **started}, ended)


def _object(file: Path) -> dict[str, Any] | None:
    try:
        record = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    is_ours = isinstance(record, dict) and isinstance(record.get("started"), int | float)
    return record if is_ours else None


def boot_id() -> str:
    """The id of this boot."""
    return _BOOT.read_text()


def _began(pid: int) -> int | None:
    """The start of a process in kernel ticks; None if it does not exist or is dead."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except (OSError, ValueError):
        return None
    return None if state in (b"Z", b"X") else int(rest[18])


def time_of(seconds: float) -> datetime:
    """A time of a record, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
