"""What a task may hold."""

import re
from collections.abc import Sequence

from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.base.storable import check_storable
from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.document import Crontab, check_command, check_name, parse
from pitasker_core.crontab.recording import LONGEST_TIMEOUT, Recorder, recording
from pitasker_core.crontab.schedule import Dialect, InvalidSchedule
from pitasker_core.crontab.understanding import explain_refusal
from pitasker_core.database import notices
from pitasker_core.database.tables import TaskRow
from pitasker_core.sync import recorder_copy

LONGEST_NOTES = 10_000
MOST_LABELS, LONGEST_LABEL = 20, 100
LONGEST_PING_URL = 1_000
"""Limits in characters, and in labels."""

_PING_URL = re.compile(r"https?://[!-~]+", re.IGNORECASE)


def check_schedule(
    text: str, dialect: Dialect = Dialect.DEBIAN, *, allows_odd: bool = False
) -> str:
    """Return the schedule if cron reads it as it is written. Raises InvalidSyntax.

    `allows_odd` accepts whatever cron accepts, for a schedule that exists already.
    """
    try:
        schedule = schedules.parse(text, dialect)
    except InvalidSchedule as problem:
        raise InvalidSyntax(*explain_refusal(text, problem)) from None
    if schedule.warnings and not allows_odd:
        raise InvalidSyntax(
            f"Cron would take this schedule, but not as it reads: {'; '.join(schedule.warnings)}."
        )
    return text


def check(
    name: str,
    schedule: str,
    command: str,
    crontab: Crontab | None = None,
    *,
    allows_odd: bool = False,
) -> None:
    """Raise InvalidSyntax unless these values can be a new entry with a tag.

    `allows_odd` as for `check_schedule`.
    """
    check_name(name)
    dialect = crontab.dialect if crontab else Dialect.DEBIAN
    check_schedule(schedule, dialect, allows_odd=allows_odd)
    check_command(command)
    if reason := (crontab or parse("")).why_not_tagged(None, command):
        raise InvalidSyntax(reason)


def check_notes(notes: str) -> None:
    """Raise InvalidSyntax for notes that are too long for a page, or that cannot be stored."""
    if len(notes) > LONGEST_NOTES:
        raise InvalidSyntax(
            f"Notes have at most {LONGEST_NOTES:,} characters; these have {len(notes):,}.",
            "Keep longer ones in a file, and name it here.",
        )
    check_storable("Notes", notes)


def check_labels(labels: Sequence[str]) -> None:
    """Raise InvalidSyntax for too many labels, and for those that are too long or not text."""
    if len(labels) > MOST_LABELS:
        raise InvalidSyntax(f"A task has at most {MOST_LABELS} labels; these are {len(labels):,}.")
    if any(not 0 < len(label) <= LONGEST_LABEL for label in labels):
        raise InvalidSyntax(f"A label has 1 to {LONGEST_LABEL} characters.")
    for label in labels:
        check_storable("A label", label)


def check_ping_url(ping_url: str) -> None:
    """Raise InvalidSyntax unless a monitor can be called at this URL; empty means no monitor."""
    if len(ping_url) > LONGEST_PING_URL:
        raise InvalidSyntax(f"A ping URL has at most {LONGEST_PING_URL:,} characters.")
    if ping_url and not _PING_URL.fullmatch(ping_url):
        raise InvalidSyntax(
            "A ping URL begins with http:// or https:// and has no blanks.",
            "Copy it from your monitor, for instance https://hc-ping.com/….",
        )
    if "@" in ping_url.partition("://")[2].partition("/")[0]:
        raise InvalidSyntax(
            "A ping URL cannot hold a user and a password: it is shown, and kept in the database.",
            "Let the monitor know the task by the URL's path.",
        )


def check_notify(notify: Sequence[str] | None) -> None:
    """Raise InvalidSyntax unless these are kinds of notices."""
    if unknown := set(notify or ()) - set(notices.NoticeKind):
        raise InvalidSyntax(
            f"There is no kind of notice “{min(unknown)}”.",
            f"There are {', '.join(notices.NoticeKind)}.",
        )


def check_recording(environment: Environment, row: TaskRow, crontab: Crontab | None) -> None:
    """Raise InvalidSyntax unless the runs of a task can be recorded with its limits."""
    seconds = row.timeout_seconds
    if seconds is not None and not 1 <= seconds <= LONGEST_TIMEOUT:
        raise InvalidSyntax(
            f"Task “{row.name}”: a time limit is 1 to {LONGEST_TIMEOUT} seconds, or none."
        )
    if row.record_runs:
        recorder = Recorder(str(recorder_copy.path(environment)), row.id)
        how = recording(on=True, timeout_seconds=seconds, no_overlap=row.no_overlap)
        index = _entry_index(row, crontab)
        if reason := (crontab or parse("")).why_not_recorded(index, row.command, recorder, how):
            raise InvalidSyntax(f"Task “{row.name}”: {reason}")


def check_changed_field(
    row: TaskRow, field_name: str, crontab: Crontab | None, *, is_back: bool
) -> None:
    """Raise InvalidSyntax, naming the task, unless its new name, schedule or command is valid.

    Unchanged fields are not checked: an imported entry may have an odd schedule.
    """
    try:
        if field_name == "name":
            check_name(row.name)
        elif field_name == "schedule":
            dialect = crontab.dialect if crontab else Dialect.DEBIAN
            check_schedule(row.cron_schedule, dialect, allows_odd=is_back)
        else:
            check_command(row.command)
            index = _entry_index(row, crontab)
            if reason := (crontab or parse("")).why_not_tagged(index, row.command):
                raise InvalidSyntax(reason)
    except InvalidSyntax as problem:
        raise InvalidSyntax(f"Task “{row.name}”: {problem.message}", problem.advice) from None


def _entry_index(row: TaskRow, crontab: Crontab | None) -> int | None:
    indexes = crontab.by_tag.get(row.tag, []) if crontab and row.tag else []
    return indexes[0] if indexes else None
