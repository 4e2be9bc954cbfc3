"""Read what is new in cron's log."""

import bz2
import glob
import gzip
import hashlib
import lzma
import os
import subprocess
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from pitasker_core.base import clock
from pitasker_core.runs.cron_log import log_lines
from pitasker_core.runs.cron_log.log_lines import BY_CRONTAB, Event, Kind, Line, MalformedLine
from pitasker_core.runs.cron_log.log_source import Source

_IDENTIFIERS = ("CRON", "cron", "CROND", "crond", "crontab")
_PATIENCE = 120.0
"""The time limit of journalctl in seconds. A week of journal on an SD card is slow to read."""


@dataclass(frozen=True)
class Read:
    """The new part of a log. `place` is where to continue, as JSON."""

    events: list[Event]
    place: dict[str, Any]
    jumps: list[tuple[datetime, datetime]]
    """Periods in which the clock was set or the machine slept."""
    ups: list[tuple[datetime, datetime]]
    """Cron's starts, each with the last sign of life before it."""
    holes: list[tuple[datetime, datetime]]
    """Periods whose log is gone: deleted, or compressed in an unknown format."""
    skipped: int
    """The number of skipped lines: malformed, or not written by cron."""


def read(source: Source, place: dict[str, Any], since: datetime, user: str) -> Read:
    """The new events of this user and of cron itself, since a place, or since a time without one.

    Raises OSError if the log cannot be read.
    """
    new = _New(place, since, user)
    if source.file is None:
        _read_journal(place, since, new)
    else:
        _read_file(source.file, place, since, new)
    place = {**new.place, **new.last_heard()}
    return Read(new.events, place, new.jumps, new.ups, new.holes, new.skipped)


@dataclass
class _New:
    """The new part of a log, collected line by line."""

    place: dict[str, Any]
    since: datetime
    user: str
    events: list[Event] = field(default_factory=list)
    jumps: list[tuple[datetime, datetime]] = field(default_factory=list)
    ups: list[tuple[datetime, datetime]] = field(default_factory=list)
    holes: list[tuple[datetime, datetime]] = field(default_factory=list)
    skipped: int = 0

    def __post_init__(self) -> None:
        self._before: Line | None = None
        self._heard: datetime | None = None
        self.read_until: datetime | None = None
        if "at" in self.place:
            self._heard = self.read_until = datetime.fromisoformat(self.place["at"])
            if "boot" in self.place:
                boot, uptime = self.place["boot"], self.place["uptime"]
                self._before = Line(self._heard, 0, "", boot, uptime)
        self._heard_of_another = self._heard
        self._process = 0

    def add(self, line: Line | MalformedLine) -> None:
        """Add a line. If it is malformed or cron did not write it, only count it."""
        try:
            if isinstance(line, MalformedLine):
                raise line
            event = _authentic_event(line)
        except MalformedLine:
            self.skipped += 1
            return
        if self._before and log_lines.jumped(self._before, line):
            self.jumps.append((min(self._before.at, line.at), max(self._before.at, line.at)))
        self._before = line
        if line.at < self.since:
            event = None
        self._hear(line, event)
        if event is None:
            return
        if event.kind is Kind.CRON_UP and self._heard_of_another:
            self.ups.append((self._heard_of_another, line.at))
        if event.kind in (Kind.CRON_UP, Kind.ERROR) or self.user in _users(event):
            self.events.append(event)

    def _hear(self, line: Line, event: Event | None) -> None:
        """Take a line of cron as a sign of life."""
        if event and event.kind in BY_CRONTAB:
            return
        if line.pid != self._process:
            # A starting cron logs several lines. None of them is an earlier sign of life.
            self._process, self._heard_of_another = line.pid, self._heard
        self._heard = line.at

    def last_heard(self) -> dict[str, Any]:
        """The data about our last line that the next reading needs."""
        before = self._before
        if before is None:
            return {}
        if before.boot:
            return {"at": before.at.isoformat(), "boot": before.boot, "uptime": before.uptime}
        return {"at": self._heard.isoformat()} if self._heard else {}


def _users(event: Event) -> tuple[str, ...]:
    return (event.user,) if event.kind is Kind.STARTED else (event.user, event.text)


def _read_journal(place: dict[str, Any], since: datetime, new: _New) -> None:
    cursor = place.get("cursor")
    if cursor and _journalctl(["--after-cursor", cursor], new):
        return
    # There is no cursor yet, or the journal does not know it.
    if not _journalctl(["--since", f"@{int(since.timestamp())}"], new):
        raise OSError("journalctl could not read the journal")


def _journalctl(words: list[str], new: _New) -> bool:
    # Lines that other users log under cron's name are not read at all.
    names = [word for name in _IDENTIFIERS for word in ("-t", name)]
    names += ["_UID=0", f"_UID={os.getuid()}"]
    fields = "MESSAGE,SYSLOG_PID,_PID,_UID,_BOOT_ID"
    command = ["journalctl", "-q", "--no-pager", "-o", "json", f"--output-fields={fields}"]
    with subprocess.Popen(
        ["timeout", str(_PATIENCE), *command, *names, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        for line, cursor in log_lines.from_journal(process.stdout):
            new.add(line)
            if cursor:
                new.place = {"cursor": cursor}
    return process.returncode == 0


# --- A file, which is rotated -------------------------------------------------------------------

_LONGEST_LINE = 64 * 1024
"""The maximum size of a line. Syslog daemons cut lines at 8 KiB."""

_SLACK = timedelta(minutes=1)
"""How much later than its time stamp a line may be written."""

_HEAD = 256
"""Bytes at the beginning of a file that identify it."""

_OPENERS: dict[str, Callable[[Path], Any]] = {
    ".gz": gzip.GzipFile,
    ".xz": lzma.LZMAFile,
    ".bz2": bz2.BZ2File,
}
_UNREADABLE_PACKING = {".zst", ".lz4", ".Z"}


def _read_file(path: Path, place: dict[str, Any], since: datetime, new: _New) -> None:
    place = place if place.get("file") == str(path) else {}
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if _is_continued(file, status, place):
            position = place["position"]
        else:
            position = 0
            _read_rotated(path, place, since, new)
        end = _add_lines(file, position, new)
        new.place = {
            "file": str(path),
            "inode": status.st_ino,
            "position": end,
            "head": _fingerprint(file, end),
        }


def _is_continued(file: IO[bytes], status: os.stat_result, place: dict[str, Any]) -> bool:
    """Whether this is the file that was read before, possibly longer.

    A file that was emptied is shorter, or its beginning differs. A new file can get the inode of a
    deleted one.
    """
    if place.get("inode") != status.st_ino or place["position"] > status.st_size:
        return False
    return "head" not in place or place["head"] == _fingerprint(file, place["position"])


def _fingerprint(file: IO[bytes], position: int) -> str:
    """A digest of a file's beginning, up to a position."""
    file.seek(0)
    return hashlib.sha256(file.read(min(position, _HEAD))).hexdigest()


def _read_rotated(path: Path, place: dict[str, Any], since: datetime, new: _New) -> None:
    """Read rotated files, oldest first, and note periods whose file is gone.

    Lines that were read before do no harm: a start is identified by its time and process.
    """
    gap_from = new.read_until
    if gap_from:
        since = max(since, gap_from - _SLACK)
    last_written = since
    for older, status in sorted(_rotated(path, since), key=lambda file: file[1].st_mtime):
        try:
            with _open(older) as file:
                if not _is_continued(file, status, place):
                    _note_hole(file, gap_from, new)
                    _add_lines(file, 0, new)
                else:
                    _add_lines(file, place["position"], new)
            gap_from = None
        except (OSError, EOFError, lzma.LZMAError, zlib.error):
            gap_from = gap_from or last_written
        last_written = datetime.fromtimestamp(status.st_mtime, UTC)
    with path.open("rb") as file:
        _note_hole(file, gap_from, new)


def _note_hole(file: IO[bytes], gap_from: datetime | None, new: _New) -> None:
    """Note the gap between the last line that was read and the first line of a file."""
    if gap_from is None:
        return
    first = log_lines.first_stamp(_lines(file), clock.now(), clock.system_zone())
    end = first or clock.now()
    if end > gap_from:
        new.holes.append((gap_from, end))


def _open(path: Path) -> Any:
    """Open a rotated file, decompressed. Raises OSError for a format that Python cannot read."""
    if path.suffix in _UNREADABLE_PACKING:
        raise OSError(f"{path} cannot be unpacked")
    return _OPENERS.get(path.suffix, _plain)(path)


def _plain(path: Path) -> IO[bytes]:
    return path.open("rb")


def _rotated(path: Path, since: datetime) -> Iterator[tuple[Path, os.stat_result]]:
    for older in path.parent.glob(f"{glob.escape(path.name)}[.-]*"):
        try:
            status = older.stat()
        except OSError:
            continue
        if status.st_mtime >= since.timestamp():
            yield older, status


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """The following lines. A line that is too long comes in parts."""
    while raw := file.readline(_LONGEST_LINE):
        yield raw


def _add_lines(file: IO[bytes], position: int, new: _New) -> int:
    """Add the complete lines after a position. Returns the position after them."""
    file.seek(position)
    end = position

    def whole() -> Iterator[bytes]:
        nonlocal end
        for raw in _lines(file):
            if not raw.endswith(b"\n") and len(raw) < _LONGEST_LINE:
                return  # syslog has not written the rest yet
            end += len(raw)
            yield raw

    for line in log_lines.from_syslog(whole(), clock.now(), clock.system_zone()):
        new.add(line)
    return end


def _authentic_event(line: Line) -> Event | None:
    """The event of a line. Raises MalformedLine if cron did not write it."""
    event = log_lines.event(line)
    is_authentic = event and log_lines.is_authentic(line, event, os.getuid())
    if is_authentic is False:
        raise MalformedLine("not written by cron")
    return replace(event, is_verified=bool(is_authentic)) if event else None
