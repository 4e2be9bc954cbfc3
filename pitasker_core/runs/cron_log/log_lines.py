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

_LARGEST_PROCESS = 1 << 22
"""Linux numbers processes up to this (proc(5), pid_max)."""


class MalformedLine(ValueError):
    """A line that cron cannot have written."""


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


BY_CRONTAB = {Kind.REPLACED, Kind.EDIT_BEGUN, Kind.EDIT_ENDED, Kind.REMOVED, Kind.LISTED}
"""What `crontab` says, which runs as the user who called it; all else is said by the daemon."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log. `boot`, `uptime` (seconds) and `uid` are known from the journal only.

    `uid` is the user whose process wrote the line, as the kernel told the journal.
    """

    at: datetime
    pid: int
    message: str
    boot: str = ""
    uptime: float = 0.0
    uid: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What a line says. `at` is aware, in UTC."""

    at: datetime
    kind: Kind
    pid: int
    user: str
    text: str
    is_verified: bool = False
    """Whether the log tells that cron, or `crontab`, wrote the line. A file does not: there any
    user of the machine may have written it."""


_MESSAGE = re.compile(r"\((?P<user>[^)]*)\) (?P<what>[^(]*[^( ]) ?\((?P<text>.*)\)", re.DOTALL)
_WITH_PID = re.compile(r"\[(\d+)\] (.*)", re.DOTALL | re.ASCII)
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
    """What a line says; None for what is of no interest, as that a session was opened.

    Raises MalformedLine for what cron cannot have written.
    """
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
        pid, text = _process(numbered[1]), numbered[2]
    if kind is Kind.ERROR:
        text = f"{what} ({text})"
    return Event(line.at, kind, pid, user, text)


def is_authentic(line: Line, said: Event, reader: int) -> bool | None:
    """Whether the right process wrote a line: cron as root, or `crontab` as who is named.

    Any user can write to syslog under cron's name. `reader` is the id of the user who asks: that
    one can forge lines about its own crontab, and would fool nobody else. None where the log, a
    file, does not tell who wrote the line.
    """
    if line.uid is None:
        return None
    is_own = said.kind in BY_CRONTAB and said.user == said.text
    return line.uid == 0 or (is_own and line.uid == reader)


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
_ANY_STAMP = re.compile(rf"(?:{_STAMP}) ")
_SYSLOG = re.compile(
    rf"(?:{_STAMP}) \S+ (?:\S*/)?(?P<name>[A-Za-z]+)\[(?P<pid>\d+)\]: (?P<message>.*)",
    re.DOTALL | re.ASCII,
)


def from_syslog(
    lines: Iterable[bytes], now: datetime, zone: tzinfo
) -> Iterator[Line | MalformedLine]:
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
        try:
            at = (
                _full(match["full"]) if match["full"] else _short(match["short"], now, zone, before)
            )
            line = Line(at, _process(match["pid"]), match["message"])
        except MalformedLine as problem:
            yield problem
        else:
            before = at
            yield line


def first_stamp(lines: Iterable[bytes], now: datetime, zone: tzinfo) -> datetime | None:
    """When the first line of a syslog file was written, whoever wrote it; None without a stamp."""
    for raw in lines:
        if match := _ANY_STAMP.match(_text(raw)):
            try:
                if match["full"]:
                    return _full(match["full"])
                return _short(match["short"], now, zone, datetime.min.replace(tzinfo=UTC))
            except MalformedLine:
                continue
    return None


def _process(digits: str) -> int:
    if not digits.isdecimal() or len(digits) > 7 or int(digits) > _LARGEST_PROCESS:
        raise MalformedLine("no process has this number")
    return int(digits)


def _full(stamp: str) -> datetime:
    try:
        at = datetime.fromisoformat(stamp)
        if at.tzinfo:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise MalformedLine("not a time with a zone")


def _short(stamp: str, now: datetime, zone: tzinfo, before: datetime) -> datetime:
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
    raise MalformedLine("no time of the last twelve months")


def from_journal(lines: Iterable[bytes]) -> Iterator[tuple[Line | MalformedLine, str]]:
    """The lines of `journalctl -o json`, each with its cursor (empty where there is none)."""
    for raw in lines:
        cursor = ""
        try:
            fields = json.loads(raw)
            cursor = str(fields["__CURSOR"])
            message = fields["MESSAGE"]
            line = Line(
                at=datetime.fromtimestamp(_number(fields["__REALTIME_TIMESTAMP"]) / 1e6, UTC),
                pid=_process(str(fields.get("SYSLOG_PID") or fields.get("_PID") or 0)),
                message=_text(bytes(message) if isinstance(message, list) else message.encode()),
                boot=str(fields.get("_BOOT_ID", "")),
                uptime=_number(fields.get("__MONOTONIC_TIMESTAMP", 0)) / 1e6,
                uid=_number(fields["_UID"]),
            )
            yield line, cursor
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            yield MalformedLine("a damaged entry"), cursor


def _number(digits: object) -> int:
    """A number of the journal's own fields, which are 64 bits wide."""
    text = str(digits)
    if len(text) > 20:
        raise MalformedLine("a number too large")
    return int(text)


def jumped(before: Line, line: Line) -> bool:
    """Whether the clock was set, or the machine slept, between two lines of the journal."""
    if not line.boot or before.boot != line.boot:
        return False
    passed = timedelta(seconds=line.uptime - before.uptime)
    return abs(line.at - before.at - passed) > JUMP


def _text(data: bytes) -> str:
    """Text that PostgreSQL takes."""
    return data.decode("utf-8", "backslashreplace").replace("\0", "")
