"""Parse lines of cron's log: started jobs, changes of the crontab, errors. Pure."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from pitasker_core.crontab.document import encode

JUMP = timedelta(seconds=60)
"""If the clock differs from the elapsed time by more than this, it was set."""

_DAY = timedelta(days=1)

_LARGEST_PROCESS = 1 << 22
"""The largest process id of Linux (proc(5), pid_max)."""


class MalformedLine(ValueError):
    """A line that cron cannot have written."""


class Kind(StrEnum):
    """What a line of cron's log reports."""

    STARTED = "started"
    """A job was started: `text` is the command for the shell, `as_logged`, and the process is that
    shell."""
    REPLACED = "replaced"
    EDIT_BEGUN = "edit begun"
    EDIT_ENDED = "edit ended"
    REMOVED = "removed"
    """By `crontab`: `text` is the owner of the crontab, `user` is who changed it."""
    LISTED = "listed"
    CRON_UP = "cron started"
    ERROR = "error"
    """An error, in cron's own words."""


BY_CRONTAB = {Kind.REPLACED, Kind.EDIT_BEGUN, Kind.EDIT_ENDED, Kind.REMOVED, Kind.LISTED}
"""Lines of `crontab`, which runs as its caller. All others come from the daemon."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log. Only the journal has `boot`, `uptime` (seconds) and `uid`.

    `uid` is the user whose process wrote the line, from the kernel.
    """

    at: datetime
    pid: int
    message: str
    boot: str = ""
    uptime: float = 0.0
    uid: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """The content of a line. `at` is aware, in UTC."""

    at: datetime
    kind: Kind
    pid: int
    user: str
    text: str
    is_verified: bool = False
    """Whether the log proves that cron or `crontab` wrote the line. A file proves nothing, because
    any user of the machine can write to syslog."""


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
_IGNORED = {"INFO", "info", "RELOAD", "MAIL", "END", "CMDEND", "CMDOUT"}
# Under systemd, Debian's cron runs in the foreground and logs no STARTUP. Instead it logs whether
# it runs the @reboot jobs.
_UP = re.compile(r"(?:Running|Skipping) @reboot jobs.*")


def event(line: Line) -> Event | None:
    """The content of a line; None for lines that do not matter, such as an opened session.

    Raises MalformedLine if cron cannot have written the line.
    """
    match = _MESSAGE.fullmatch(line.message)
    if match is None:
        bad = _BAD_FILE.fullmatch(line.message)
        return Event(line.at, Kind.ERROR, line.pid, "", bad["text"]) if bad else None
    user, what, text = match["user"], match["what"], match["text"]
    kind = _KINDS.get(what, Kind.ERROR)
    if what == "INFO" and _UP.fullmatch(text):
        kind = Kind.CRON_UP
    elif what in _IGNORED:
        return None
    pid = line.pid
    if kind is Kind.STARTED and (numbered := _WITH_PID.fullmatch(text)):
        # With `cron -L 15` the process that logs is not the job's process.
        pid, text = _process(numbered[1]), numbered[2]
    if kind is Kind.ERROR:
        text = f"{what} ({text})"
    return Event(line.at, kind, pid, user, text)


def is_authentic(line: Line, event: Event, reader: int) -> bool | None:
    """Whether the right user wrote a line: root for cron, or the named user for `crontab`.

    Any user can write to syslog under cron's name. `reader` is our own user id: forged lines about
    our own crontab fool only ourselves. None for a file, because its lines do not show who wrote
    them.
    """
    if line.uid is None:
        return None
    is_own = event.kind in BY_CRONTAB and event.user == event.text
    return line.uid == 0 or (is_own and line.uid == reader)


def as_logged(command: str) -> str:
    """A command in the form that cron logs it (its `mkprints`): `^M`, `\\303\\251`.

    This cannot be reversed, because a command may contain the two characters `^M` itself.
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
    """Cron's lines in a syslog file, with full time stamps or old ones without year and zone.

    A stamp without a year is in the last twelve months. In the hour that is repeated in autumn, the
    order of lines decides which of the two times a stamp means.
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
    """The time stamp of the first line of a syslog file; None without one."""
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
        raise MalformedLine("not a process id")
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
    """The lines of `journalctl -o json`, each with its cursor or an empty text."""
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
    """A number in one of the journal's own fields, which have 64 bits."""
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
    """A text that PostgreSQL can store."""
    return data.decode("utf-8", "backslashreplace").replace("\0", "")
