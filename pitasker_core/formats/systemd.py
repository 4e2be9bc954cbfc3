"""Tasks as user units of systemd: a timer and a service for each. Pure.

If a unit cannot do something as cron does, a note says so.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pitasker_core.base.text import marked
from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.document import split_stdin
from pitasker_core.crontab.execution import stdin_text, unescape
from pitasker_core.crontab.schedule import Dialect, InvalidSchedule, Schedule
from pitasker_core.formats.on_calendar import calendar_events
from pitasker_core.formats.record import Remark, TaskRecord

ALWAYS = (
    marked(
        "A user's units run while the user is signed in. `loginctl enable-linger` keeps "
        "them running."
    ),
    "systemd does not make up for a time that the clock skips in spring, and cron does for jobs "
    "with a fixed hour and minute.",
    "A timer never starts a service that still runs. cron starts a job beside the last one.",
    "Output goes to the journal, and not by mail. PiTasker does not record these runs.",
)
"""What holds for all units."""


@dataclass(frozen=True)
class Unit:
    """One unit file."""

    name: str
    text: str


@dataclass(frozen=True)
class Units:
    """The unit files of tasks, and what they do not carry over."""

    files: tuple[Unit, ...] = ()
    notes: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class Job:
    """A task and the environment lines that reach its entry."""

    record: TaskRecord
    environment: Mapping[str, str] = field(default_factory=dict)


def write_units(jobs: Sequence[Job], dialect: Dialect = Dialect.DEBIAN) -> Units:
    """The units of tasks; the names of files come from those of the tasks."""
    files: list[Unit] = []
    notes = [Remark(text) for text in ALWAYS] if jobs else []
    taken: set[str] = set()
    for job in jobs:
        name = _unit_name(job.record.name, taken)
        try:
            schedule = schedules.parse(job.record.schedule, dialect)
        except InvalidSchedule as problem:
            notes.append(Remark(f"It is left out: {problem.message}.", name=job.record.name))
            continue
        if schedule.never_runs or schedule.random:
            why = "it never runs" if schedule.never_runs else "its time is random"
            notes.append(Remark(f"It is left out: {why}.", name=job.record.name))
            continue
        files.append(Unit(f"{name}.service", _service(job, schedule, dialect)))
        if not schedule.reboot:
            files.append(Unit(f"{name}.timer", _timer(job.record, schedule)))
        notes += [Remark(text, name=job.record.name) for text in _left_out(job, schedule)]
    return Units(tuple(files), tuple(notes))


def _unit_name(name: str, taken: set[str]) -> str:
    """A file name for a task that no other has."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "task"
    base = f"pitasker-{plain}"
    unique, number = base, 2
    while unique in taken:
        unique, number = f"{base}-{number}", number + 1
    taken.add(unique)
    return unique


def _service(job: Job, schedule: Schedule, dialect: Dialect) -> str:
    record = job.record
    proper, stdin = split_stdin(record.command)
    shell = job.environment.get("SHELL", "/bin/sh")
    lines = [
        "[Unit]",
        f"Description={_plain(record.name)}",
        "",
        "[Service]",
        "Type=oneshot",
        # cron's own; a unit of a user has another PATH.
        _environment("PATH", job.environment.get("PATH", "/usr/bin:/bin")),
    ]
    lines += [
        _environment(name, value)
        for name, value in job.environment.items()
        if name not in _NOT_OF_THE_JOB and _VARIABLE.fullmatch(name)
    ]
    command = _quoted(unescape(proper, dialect)[0], is_command=True)
    lines.append(f"ExecStart={_quoted(shell)} -c {command}")
    if stdin:
        # systemd adds the last line end.
        lines += ["StandardInput=data", f"StandardInputText={_escaped(stdin_text(stdin))}"]
    if record.timeout_seconds:
        lines.append(f"TimeoutStartSec={record.timeout_seconds}")
    if schedule.reboot:
        lines += ["", "[Install]", "WantedBy=default.target"]
    return "\n".join(lines) + "\n"


def _timer(record: TaskRecord, schedule: Schedule) -> str:
    lines = ["[Unit]", f"Description={_plain(record.name)}", "", "[Timer]"]
    lines += [f"OnCalendar={event}" for event in calendar_events(schedule)]
    # cron starts jobs in the first second of a minute; a timer may take a minute without this.
    lines.append("AccuracySec=1s")
    if record.catch_up:
        lines.append("Persistent=true")
    return "\n".join([*lines, "", "[Install]", "WantedBy=timers.target"]) + "\n"


_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""Names of variables that systemd takes; cron takes any word."""
_NOT_OF_THE_JOB = frozenset({"SHELL", "PATH", "MAILTO", "MAILFROM", "CRON_TZ", "RANDOM_DELAY"})
_MAIL_AND_TIME = {
    "MAILTO": "MAILTO is not taken over: systemd sends no mail.",
    "CRON_TZ": "CRON_TZ is not taken over: the times are those of the machine's zone.",
    "RANDOM_DELAY": "RANDOM_DELAY is not taken over; RandomizedDelaySec= of the timer does that.",
}


def _left_out(job: Job, schedule: Schedule) -> list[str]:
    record = job.record
    left = [text for name, text in _MAIL_AND_TIME.items() if name in job.environment]
    odd = [name for name in job.environment if not _VARIABLE.fullmatch(name)]
    left += [f"systemd takes no variable of the name {name[:50]!r}." for name in odd]
    if schedule.reboot:
        left.append("@reboot is the start of your systemd: with lingering at boot, else at login.")
    elif len(calendar_events(schedule)) > 1:
        left.append("Day of month or day of week, as cron takes it, are two OnCalendar= lines.")
    if record.paused or not record.system_managed:
        left.append("It is paused or database-only here: do not enable its timer.")
    if record.ping_url or record.notify:
        left.append("Its ping URL and its notifications are not taken over.")
    return left


def _environment(name: str, value: str) -> str:
    return f"Environment={_quoted(f'{name}={value}')}"


def _plain(text: str) -> str:
    """A text for a setting that is no list of words: `%` begins a specifier there."""
    return text.replace("\\", "\\\\").replace("%", "%%")


def _quoted(text: str, *, is_command: bool = False) -> str:
    """One word in double quotes, as systemd.syntax(7) and systemd.service(5) read it."""
    escaped = _escaped(text).replace('"', '\\"')
    # Only a command line expands variables, by `$`.
    return f'"{escaped.replace("$", "$$") if is_command else escaped}"'


def _escaped(text: str) -> str:
    """A text in which systemd reads its C-style escapes and its specifiers back."""
    characters = text.replace("\\", "\\\\").replace("%", "%%")
    return "".join(
        character if character.isprintable() else _byte_escapes(character)
        for character in characters
    )


def _byte_escapes(character: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))
