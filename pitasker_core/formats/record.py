"""What a file of tasks holds, whatever its format. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pitasker_core.base.errors import ParseError

LARGEST_FILE = 2_000_000
"""Bytes of a file that is read."""

MOST_RECORDS = 1_000
"""Tasks in one file: ten times what a large crontab has."""

LONGEST_TEXT = 131_072
"""Characters of one text: no cron takes a longer command."""


@dataclass(frozen=True)
class TaskRecord:
    """One task of a file. Its values are of the right types, and not checked further."""

    name: str
    schedule: str
    command: str
    paused: bool = False
    system_managed: bool = True
    notes: str = ""
    labels: tuple[str, ...] = ()
    record_runs: bool = False
    timeout_seconds: int | None = None
    no_overlap: bool = False
    catch_up: bool = False
    ping_url: str = ""
    notify: tuple[str, ...] | None = None
    """Kinds of notices; None for those of the settings."""
    line: int | None = field(default=None, compare=False)
    """Where it stands in its file, from 1."""


@dataclass(frozen=True)
class Remark:
    """Something to say about one place in a file."""

    message: str
    line: int | None = None
    name: str = ""
    """The task that it is about, where that is known."""

    def __str__(self) -> str:
        """For people: the place, the task, and what is said of them."""
        place = f"line {self.line}: " if self.line else ""
        task = f"“{self.name}”: " if self.name else ""
        text = f"{place}{task}{self.message}"
        return text[:1].upper() + text[1:]


@dataclass(frozen=True)
class TaskFile:
    """The tasks of a file, and what could not be read."""

    records: tuple[TaskRecord, ...] = ()
    problems: tuple[Remark, ...] = ()
    """Tasks that cannot be read, each with its reason; the others are not affected."""
    notes: tuple[Remark, ...] = ()
    """What the file says and PiTasker does not import."""


def joined(files: Iterable[TaskFile]) -> TaskFile:
    """Several files as one. Raises ParseError for too many tasks."""
    files = list(files)
    return checked(
        TaskFile(
            tuple(record for file in files for record in file.records),
            tuple(problem for file in files for problem in file.problems),
            tuple(note for file in files for note in file.notes),
        )
    )


def checked(file: TaskFile) -> TaskFile:
    """The file, if it does not hold too many tasks; else ParseError."""
    count = len(file.records) + len(file.problems)
    if count > MOST_RECORDS:
        raise too_many_records()
    return file


def too_many_records() -> ParseError:
    """The error for a file with more tasks than are read."""
    return ParseError(
        f"The file has more than {MOST_RECORDS:,} tasks.", "Divide it into several files."
    )


def decoded(data: bytes) -> str:
    """The text of a file. Raises ParseError for one that is too large or not UTF-8."""
    if len(data) > LARGEST_FILE:
        raise ParseError(
            f"The file has {len(data):,} bytes; at most {LARGEST_FILE:,} are read.",
            "Divide it into several files.",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise ParseError(f"Line {line} of the file is not UTF-8.", "Save it as UTF-8.") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ParseError(f"Line {line} of the file holds a NUL byte: it is no text file.")
    return text
