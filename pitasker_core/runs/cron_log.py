"""Where cron's log is, and reading on in it.

cron tells syslog; that ends up in systemd's journal, in a file, or in both. Whoever may read one of
them sees every start of every job without a change to the crontab.
"""

import grp
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from pitasker_core import clock
from pitasker_core.runs import cron_lines
from pitasker_core.runs.cron_lines import Event, Kind, Line
from pitasker_core.settings import Settings

JOURNALS = (Path("/var/log/journal"), Path("/run/log/journal"))
FILES = (Path("/var/log/cron.log"), Path("/var/log/cron"), Path("/var/log/syslog"))
"""Where distributions let syslog write what cron says; the first that is in use counts."""

_IDENTIFIERS = ("CRON", "cron", "CROND", "crond", "crontab")
_STALE = timedelta(days=2)
"""A file to which nobody has written for so long belongs to a syslog that was set up once."""

_PATIENCE = 120.0
"""Seconds that journalctl may take: a week of an SD card's journal is slow to read."""


@dataclass(frozen=True)
class Source:
    """A log that can be read: a file, or the journal when there is no file."""

    file: Path | None = None

    def __str__(self) -> str:
        return str(self.file or "the journal")


@dataclass(frozen=True)
class Unreadable:
    """Why cron's log cannot be read, and what to do about it."""

    message: str
    advice: str = ""


@dataclass(frozen=True)
class Read:
    """What was new. `place` is where to go on, as JSON."""

    events: list[Event]
    place: dict[str, Any]
    jumps: list[tuple[datetime, datetime]]
    """Between which times the clock was set, or the machine slept."""
    ups: list[tuple[datetime, datetime]]
    """cron's starts, each with the last that was heard of it before."""


def find(settings: Settings) -> Source | Unreadable:
    """The log of this machine's cron that this user may read, if there is one."""
    if settings.cron_log:
        if os.access(settings.cron_log, os.R_OK):
            return Source(settings.cron_log)
        return Unreadable(
            f"{settings.cron_log} cannot be read.",
            "PITASKER_CRON_LOG names it: make it a file that this user may read.",
        )
    if settings.demo:
        return Unreadable("cron does not run the demo's crontab.")
    closed: list[Path] = []
    if shutil.which("journalctl"):
        for journal in _journals():
            if os.access(journal / "system.journal", os.R_OK):
                return Source()
            closed.append(journal)
    for file in FILES:
        if _in_use(file):
            if os.access(file, os.R_OK):
                return Source(file)
            closed.append(file)
    return _closed(closed)


def _journals() -> Iterator[Path]:
    """The folders of this machine's journal; others' may lie beside them."""
    try:
        machine = Path("/etc/machine-id").read_text().strip()
    except OSError:
        return
    yield from (folder / machine for folder in JOURNALS if machine and (folder / machine).exists())


def _in_use(file: Path) -> bool:
    try:
        return file.stat().st_mtime > (clock.now() - _STALE).timestamp()
    except OSError:
        return False


def _closed(logs: list[Path]) -> Unreadable:
    if not logs:
        return Unreadable(
            "This machine keeps no log of cron.",
            "Install rsyslog (`sudo apt install rsyslog`), or let runs be recorded.",
        )
    groups = {_group(log) for log in logs} - {"root", ""}
    if not groups:
        return Unreadable(
            f"Only root may read {logs[0]}, where cron's log is.", "Let runs be recorded instead."
        )
    group = "adm" if "adm" in groups else sorted(groups)[0]
    return Unreadable(
        f"Only members of the group {group} may read cron's log.",
        f"`sudo usermod -aG {group} $USER`, then log in again and start PiTasker again.",
    )


def _group(log: Path) -> str:
    try:
        return grp.getgrgid(log.stat().st_gid).gr_name
    except (OSError, KeyError):
        return ""


# --- Reading it -------------------------------------------------------------------------------


def read(source: Source, place: dict[str, Any], since: datetime, user: str) -> Read:
    """What is new of this user, and of cron as a whole: since a place, or since a time without one.

    Raises OSError when the log cannot be read after all.
    """
    taken = _Taken(place, since, user)
    if source.file is None:
        _read_journal(place, since, taken)
    else:
        _read_file(source.file, place, since, taken)
    return Read(taken.events, {**taken.place, **taken.heard()}, taken.jumps, taken.ups)


class _Taken:
    """What has been taken in of a log so far."""

    def __init__(self, place: dict[str, Any], since: datetime, user: str) -> None:
        self.place = dict(place)
        self.events: list[Event] = []
        self.jumps: list[tuple[datetime, datetime]] = []
        self.ups: list[tuple[datetime, datetime]] = []
        self._since, self._user = since, user
        self._before: Line | None = None
        self._heard: datetime | None = None
        if "at" in place:
            self._heard = datetime.fromisoformat(place["at"])
            if "boot" in place:
                self._before = Line(self._heard, 0, "", place["boot"], place["uptime"])
        self._heard_of_another = self._heard
        self._process = 0

    def take(self, line: Line) -> None:
        if self._before and cron_lines.jumped(self._before, line):
            self.jumps.append((min(self._before.at, line.at), max(self._before.at, line.at)))
        self._before = line
        found = cron_lines.event(line) if line.at >= self._since else None
        if found is None or found.kind not in _BY_CRONTAB:
            if line.pid != self._process:
                # A cron that starts says several things: the first of them is no sign of life.
                self._process, self._heard_of_another = line.pid, self._heard
            self._heard = line.at
        if found is None:
            return
        if found.kind is Kind.CRON_UP and self._heard_of_another:
            self.ups.append((self._heard_of_another, line.at))
        if found.kind in (Kind.CRON_UP, Kind.ERROR) or self._user in _whose(found):
            self.events.append(found)

    def heard(self) -> dict[str, Any]:
        """What the next reading has to know of this one's last line."""
        before = self._before
        if before is None:
            return {}
        if before.boot:
            return {"at": before.at.isoformat(), "boot": before.boot, "uptime": before.uptime}
        return {"at": self._heard.isoformat()} if self._heard else {}


_BY_CRONTAB = {Kind.REPLACED, Kind.EDIT_BEGUN, Kind.EDIT_ENDED, Kind.REMOVED, Kind.LISTED}


def _whose(found: Event) -> tuple[str, ...]:
    return (found.user,) if found.kind is Kind.STARTED else (found.user, found.text)


def _read_journal(place: dict[str, Any], since: datetime, taken: _Taken) -> None:
    cursor = place.get("cursor")
    if cursor and _journalctl(["--after-cursor", cursor], taken):
        return
    # No cursor yet, or one that this journal does not understand.
    if not _journalctl(["--since", f"@{int(since.timestamp())}"], taken):
        raise OSError("journalctl could not read the journal")


def _journalctl(words: list[str], taken: _Taken) -> bool:
    names = [word for name in _IDENTIFIERS for word in ("-t", name)]
    fields = "MESSAGE,SYSLOG_PID,_PID,_BOOT_ID"
    command = ["journalctl", "-q", "--no-pager", "-o", "json", f"--output-fields={fields}"]
    with subprocess.Popen(
        ["timeout", str(_PATIENCE), *command, *names, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        for line, cursor in cron_lines.from_journal(process.stdout):
            taken.take(line)
            taken.place = {"cursor": cursor}
    return process.returncode == 0


def _read_file(path: Path, place: dict[str, Any], since: datetime, taken: _Taken) -> None:
    known = place.get("inode") if place.get("file") == str(path) else None
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        at = 0
        if known == found.st_ino:
            # A file that became shorter was emptied in its place, and is new from its beginning.
            at = place["position"] if place["position"] <= found.st_size else 0
        else:
            for older, start in _rotated(path, known, place.get("position", 0), since):
                with older.open("rb") as rest:
                    _take_lines(rest, start, taken)
        end = _take_lines(file, at, taken)
    taken.place = {"file": str(path), "inode": found.st_ino, "position": end}


def _rotated(
    path: Path, known: int | None, position: int, since: datetime
) -> Iterator[tuple[Path, int]]:
    """The files that this one was before, oldest first, and where to go on in each."""
    files = [
        (stat.st_mtime, stat.st_ino, other)
        for other in path.parent.glob(f"{path.name}[.-]*")
        if other.suffix not in _PACKED and (stat := other.stat()).st_mtime >= since.timestamp()
    ]
    for _, inode, other in sorted(files):
        yield other, position if inode == known else 0


_PACKED = {".gz", ".xz", ".bz2", ".zst"}


def _take_lines(file: BinaryIO, at: int, taken: _Taken) -> int:
    """Take in whole lines from a position on; the position after them."""
    file.seek(at)
    end = at

    def whole() -> Iterator[bytes]:
        nonlocal end
        for raw in file:
            if not raw.endswith(b"\n"):
                return  # syslog is about to write the rest
            end += len(raw)
            yield raw

    for line in cron_lines.from_syslog(whole(), clock.now(), clock.system_zone()):
        taken.take(line)
    return end
