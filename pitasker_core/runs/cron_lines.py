"""What a line of cron's log says: which job it started, who changed the crontab, what went wrong.
Pure."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from pitasker_core.crontab.document import encode

JUMP = timedelta(seconds=60)
"""A clock that gains or loses more than that on the time that passed was set."""

_DAY = timedelta(days=1)


class Kind(StrEnum):
    """What cron says."""

    STARTED = "started"
    """It started a job: `text` is the command that the shell was given, `as_logged`, and the
    process is that shell."""
    REPLACED = "replaced"
    EDIT_BEGUN = "edit begun"
    EDIT_ENDED = "edit ended"
    REMOVED = "removed"
    """Of `crontab`: `text` is whose crontab, `user` who did it."""
    LISTED = "listed"
    CRON_UP = "cron started"
    ERROR = "error"
    """Something that kept it from its work, in its own words."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log. `boot` and `uptime` (seconds) are known from the journal only."""

    at: datetime
    pid: int
    message: str
    boot: str = ""
    uptime: float = 0.0


@dataclass(frozen=True, slots=True)
class Event:
    """What a line says. `at` is aware, in UTC."""

    at: datetime
    kind: Kind
    pid: int
    user: str
    text: str


_MESSAGE = re.compile(r"\((?P<user>[^)]*)\) (?P<what>[^(]*[^( ]) ?\((?P<text>.*)\)", re.DOTALL)
_WITH_PID = re.compile(r"\[(\d+)\] (.*)", re.DOTALL)
_BAD_FILE = re.compile(r"Error: (?P<text>.+)", re.DOTALL)
_KINDS = {
    "CMD": Kind.STARTED,
    "REPLACE": Kind.REPLACED,
    "BEGIN EDIT": Kind.EDIT_BEGUN,
    "END EDIT": Kind.EDIT_ENDED,
    "DELETE": Kind.REMOVED,
    "LIST": Kind.LISTED,
    "STARTUP": Kind.CRON_UP,
}
_OF_NO_INTEREST = {"INFO", "info", "RELOAD", "MAIL", "END", "CMDEND", "CMDOUT"}
# Debian's cron in the foreground, as systemd runs it, has no STARTUP: it says instead whether it
# runs the jobs of @reboot.
_UP = re.compile(r"(?:Running|Skipping) @reboot jobs.*")


def event(line: Line) -> Event | None:
    """What a line says; None for what is of no interest, as that a session was opened."""
    match = _MESSAGE.fullmatch(line.message)
    if match is None:
        bad = _BAD_FILE.fullmatch(line.message)
        return Event(line.at, Kind.ERROR, line.pid, "", bad["text"]) if bad else None
    user, what, text = match["user"], match["what"], match["text"]
    kind = _KINDS.get(what, Kind.ERROR)
    if what == "INFO" and _UP.fullmatch(text):
        kind = Kind.CRON_UP
    elif what in _OF_NO_INTEREST:
        return None
    pid = line.pid
    if kind is Kind.STARTED and (numbered := _WITH_PID.fullmatch(text)):
        # `cron -L 15`: the process that writes this is not the job's.
        pid, text = int(numbered[1]), numbered[2]
    if kind is Kind.ERROR:
        text = f"{what} ({text})"
    return Event(line.at, kind, pid, user, text)


def as_logged(command: str) -> str:
    """What a shell is given as cron writes it into its log (its `mkprints`): `^M`, `\\303\\251`.

    There is no way back: a command may hold the two characters `^M` itself.
    """
    return "".join(_printable(byte) for byte in encode(command))


def _printable(byte: int) -> str:
    if byte < 0x20:
        return f"^{chr(byte + 0x40)}"
    if byte == 0x7F:
        return "^?"
    return chr(byte) if byte < 0x7F else f"\\{byte:03o}"


_STAMP = r"(?P<full>\d{4}-\d\d-\d\dT\S+)|(?P<short>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)"
_SYSLOG = re.compile(
    rf"(?:{_STAMP}) \S+ (?:\S*/)?(?P<name>[A-Za-z]+)\[(?P<pid>\d+)\]: (?P<message>.*)", re.DOTALL
)


def from_syslog(lines: Iterable[bytes], now: datetime, zone: tzinfo) -> Iterator[Line]:
    """The lines of cron in a syslog file, with full stamps or the old ones without year and zone.

    A stamp without a year is of the last twelve months; one of the hour that autumn repeats is read
    so that time goes on.
    """
    before = datetime.min.replace(tzinfo=UTC)
    for raw in lines:
        if b"cron" not in raw and b"CRON" not in raw:
            continue
        match = _SYSLOG.fullmatch(_text(raw.rstrip(b"\r\n")))
        if match is None or match["name"].lower() not in ("cron", "crond", "crontab"):
            continue
        at = _full(match["full"]) if match["full"] else _short(match["short"], now, zone, before)
        if at is not None:
            before = at
            yield Line(at, int(match["pid"]), match["message"])


def _full(stamp: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else None


def _short(stamp: str, now: datetime, zone: tzinfo, before: datetime) -> datetime | None:
    this_year = now.astimezone(zone).year
    for year in (this_year + 1, this_year, this_year - 1):
        try:
            wall = datetime.strptime(f"{year} {stamp}", "%Y %b %d %H:%M:%S").replace(tzinfo=zone)
        except ValueError:
            continue  # 29 February
        at = wall.astimezone(UTC)
        if at <= now + _DAY:
            again = wall.replace(fold=1).astimezone(UTC)
            return again if at < before <= again else at
    return None


def from_journal(lines: Iterable[bytes]) -> Iterator[tuple[Line, str]]:
    """The lines of `journalctl -o json`, each with its cursor."""
    for raw in lines:
        try:
            told = json.loads(raw)
            message = told["MESSAGE"]
            line = Line(
                at=datetime.fromtimestamp(int(told["__REALTIME_TIMESTAMP"]) / 1e6, UTC),
                pid=int(told.get("SYSLOG_PID") or told.get("_PID") or 0),
                message=_text(bytes(message) if isinstance(message, list) else message.encode()),
                boot=told.get("_BOOT_ID", ""),
                uptime=int(told.get("__MONOTONIC_TIMESTAMP", 0)) / 1e6,
            )
            yield line, told["__CURSOR"]
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            continue  # one that is damaged says nothing


def jumped(before: Line, line: Line) -> bool:
    """Whether the clock was set, or the machine slept, between two lines of the journal."""
    if not line.boot or before.boot != line.boot:
        return False
    passed = timedelta(seconds=line.uptime - before.uptime)
    return abs(line.at - before.at - passed) > JUMP


def _text(data: bytes) -> str:
    """Text that PostgreSQL takes."""
    return data.decode("utf-8", "backslashreplace").replace("\0", "")
