"""What a task may hold."""

import re
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.base.storable import check_storable
from pitasker_core.crontab import entry_spec
from pitasker_core.crontab.document import Document, parse
from pitasker_core.crontab.entry_spec import EntrySpec, check_entry
from pitasker_core.crontab.recording import PLAIN, Recorder, Recording
from pitasker_core.crontab.rejection import Field, refuse
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.database import notices
from pitasker_core.database.tables import TaskRow
from pitasker_core.sync import recorder_copy

LONGEST_NOTES = 10_000
MOST_LABELS, LONGEST_LABEL = 20, 100
LONGEST_PING_URL = 1_000
"""Limits in characters, and in labels."""

_ANY_TAG = UUID(int=0)
"""The tag of a task that has none yet: all tags are equally long."""

_PING_URL = re.compile(r"https?://[!-~]+", re.IGNORECASE)


def check_schedule(text: str, dialect: Dialect = Dialect.DEBIAN) -> str:
    """Return a new schedule if cron reads it as it is written. Raises InvalidSyntax."""
    if problem := entry_spec.check_schedule(text, dialect, is_new=True):
        refuse([problem])
    return text


def check(
    name: str,
    schedule: str,
    command: str,
    document: Document | None = None,
    *,
    allows_odd: bool = False,
    recording: Recording = PLAIN,
    recorder: Recorder | None = None,
) -> None:
    """Raise InvalidSyntax unless these values can be a new entry with a tag.

    `allows_odd` accepts any schedule that cron accepts, for a schedule that exists already.
    """
    spec = EntrySpec(name, schedule, command, _ANY_TAG, recording=recording, recorder=recorder)
    refuse(check_entry(spec, document or parse(""), is_new=not allows_odd))


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


def check_recording(environment: Environment, row: TaskRow, document: Document | None) -> None:
    """Raise InvalidSyntax, naming the task, unless its runs can be recorded with its limits."""
    recorder = Recorder(str(recorder_copy.path(environment)), row.id)
    _check_field("recording", replace(_spec(row), recorder=recorder), row, document, is_new=True)


def check_changed_field(
    row: TaskRow, field: Field, document: Document | None, *, is_back: bool
) -> None:
    """Raise InvalidSyntax, naming the task, unless its new name, schedule or command is valid.

    Unchanged fields are not checked: an imported entry may have an odd schedule.
    """
    _check_field(field, _spec(row), row, document, is_new=not is_back)


def _check_field(
    field: Field, spec: EntrySpec, row: TaskRow, document: Document | None, *, is_new: bool
) -> None:
    problems = check_entry(spec, document or parse(""), _entry_index(row, document), is_new=is_new)
    refuse(
        [
            replace(problem, message=f"Task “{row.name}”: {problem.message}")
            for problem in problems
            if problem.field == field
        ]
    )


def _spec(row: TaskRow) -> EntrySpec:
    recording = Recording(bool(row.record_runs), row.timeout_seconds, bool(row.no_overlap))
    tag = row.tag or _ANY_TAG
    return EntrySpec(row.name, row.cron_schedule, row.command, tag, recording=recording)


def _entry_index(row: TaskRow, document: Document | None) -> int | None:
    indexes = document.by_tag.get(row.tag, []) if document and row.tag else []
    return indexes[0] if indexes else None
