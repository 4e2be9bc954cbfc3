"""A command given to the recorder, and back, to the byte. Pure.

    /home/pi/.local/share/pitasker/pitasker-recorder [--timeout S] [--no-overlap] TASK 'COMMAND'

The command stands in single quotes as a POSIX shell reads them. cron's own reading of backslashes
and `%` is not disturbed: every `'` is written as `'\\''`, which cron hands on as it is, and what
stands around it is what stood there before.
"""

import re
from dataclasses import dataclass

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.crontab.command import split_stdin

FILE_NAME = "pitasker-recorder"
"""What the recorder is called in the data folder: by this name a recorded entry is known."""

LONGEST_TIMEOUT = 31 * 86400
"""Seconds: no job that is meant to end takes longer than a month."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Whether and how the runs of an entry are recorded."""

    on: bool = False
    timeout_seconds: int | None = None
    """After how long a run is ended; None lets it take its time."""
    no_overlap: bool = False
    """Whether a run does not start while the one before goes on."""

    def __str__(self) -> str:
        """In words, for a page or a terminal."""
        if not self.on:
            return "not recorded"
        limit = f", for {self.timeout_seconds} s at most" if self.timeout_seconds else ""
        return f"recorded{limit}{', one at a time' if self.no_overlap else ''}"

    def as_dict(self) -> dict[str, int | bool | None] | None:
        """For the database and for JSON; None when runs are not recorded."""
        if not self.on:
            return None
        return {"timeout_seconds": self.timeout_seconds, "no_overlap": self.no_overlap}


PLAIN = Recording()


def recording(*, on: bool, timeout_seconds: int | None, no_overlap: bool) -> Recording:
    """The recording that a task asks for: limits mean nothing while it is off."""
    return Recording(True, timeout_seconds or None, no_overlap) if on else PLAIN


def from_dict(kept: dict[str, int | bool | None] | None) -> Recording:
    """What `Recording.as_dict` made, back."""
    if kept is None:
        return PLAIN
    seconds = kept.get("timeout_seconds")
    return recording(
        on=True,
        timeout_seconds=None if seconds is None else int(seconds),
        no_overlap=bool(kept.get("no_overlap")),
    )


@dataclass(frozen=True, slots=True)
class Recorder:
    """The recorder that an entry's command is given to, and the task that it records."""

    path: str
    task: int


_BARE = rf"(?:/[\w.+@:,-]+)*/{FILE_NAME}"
_QUOTED = rf"'/(?:[^'\\%\n]*/)?{FILE_NAME}'"
_WRAPPED = re.compile(
    rf"(?P<path>{_BARE}|{_QUOTED})(?: --timeout (?P<timeout>[1-9]\d{{0,6}}))?"
    r"(?P<no_overlap> --no-overlap)? (?P<task>[1-9]\d{0,9}) '(?P<command>(?:[^']|'\\'')*)'",
    re.DOTALL,
)


def wrapped(proper: str, recorder: Recorder, how: Recording) -> str:
    """The command proper (what stands before standard input), given to the recorder.

    Raises InvalidSyntax when the recorder's own path cannot be written into a crontab.
    """
    path = recorder.path
    if not re.fullmatch(_BARE, path):
        path = f"'{path}'"
        if not re.fullmatch(_QUOTED, path):
            raise InvalidSyntax(
                f"Runs cannot be recorded from the folder of {recorder.path}.",
                "Set PITASKER_HOME to a folder whose name has no quotes, backslashes or %.",
            )
    timeout = f" --timeout {how.timeout_seconds}" if how.timeout_seconds else ""
    no_overlap = " --no-overlap" if how.no_overlap else ""
    quoted = proper.replace("'", "'\\''")
    return f"{path}{timeout}{no_overlap} {recorder.task} '{quoted}'"


def recorded(command: str, recorder: Recorder, how: Recording) -> str:
    """The command given to the recorder, or the plain one; its standard input stays as it is.

    Raises InvalidSyntax when the recorder's path cannot stand in a crontab.
    """
    if not how.on:
        return command
    proper, stdin = split_stdin(command)
    return wrapped(proper, recorder, how) + stdin


def unwrapped(proper: str) -> tuple[str, Recorder | None, Recording]:
    """The command that a recorder was given, which one, and how it records.

    A command that is not exactly as `wrapped` writes it is nobody's but the person's: it comes back
    as it is.
    """
    match = _WRAPPED.fullmatch(proper) if FILE_NAME in proper else None
    if match is None:
        return proper, None, PLAIN
    timeout = int(match["timeout"]) if match["timeout"] else None
    return (
        match["command"].replace("'\\''", "'"),
        Recorder(match["path"].strip("'"), int(match["task"])),
        Recording(True, timeout, bool(match["no_overlap"])),
    )
