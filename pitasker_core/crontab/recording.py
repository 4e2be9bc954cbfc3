"""The recorder in the command of an entry: written and read back, byte for byte. Pure.

    /home/pi/.local/share/pitasker/pitasker-recorder [--timeout S] [--no-overlap] TASK 'COMMAND'

The command is in single quotes, as a POSIX shell reads them. Each `'` in it is written as `'\\''`.
cron passes that on unchanged, so it reads backslashes and `%` as before.
"""

import re
from typing import NamedTuple

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.crontab.command import split_stdin

FILE_NAME = "pitasker-recorder"
"""The name of the recorder in the data folder. A recorded entry is recognised by it."""

LONGEST_TIMEOUT = 31 * 86400
"""Seconds. A job that is meant to end takes less than a month."""


class Recording(NamedTuple):
    """Whether and how the runs of an entry are recorded."""

    on: bool = False
    timeout_seconds: int | None = None
    """Seconds after which a run is ended. None sets no limit."""
    no_overlap: bool = False
    """Whether a run is skipped while the previous run goes on."""

    def __str__(self) -> str:
        """The words for a page or a terminal."""
        if not self.on:
            return "not recorded"
        limit = f", for {self.timeout_seconds} s at most" if self.timeout_seconds else ""
        return f"recorded{limit}{', one at a time' if self.no_overlap else ''}"

    def as_dict(self) -> dict[str, int | bool | None] | None:
        """Return the values for the database and for JSON; None when runs are not recorded."""
        if not self.on:
            return None
        return {"timeout_seconds": self.timeout_seconds, "no_overlap": self.no_overlap}


PLAIN = Recording()


def recording(*, on: bool, timeout_seconds: int | None, no_overlap: bool) -> Recording:
    """Return the recording that a task asks for. Without recording, it has no limits."""
    return Recording(True, timeout_seconds or None, no_overlap) if on else PLAIN


def from_dict(values: dict[str, int | bool | None] | None) -> Recording:
    """Return the recording that `Recording.as_dict` made the values of."""
    if values is None:
        return PLAIN
    seconds = values.get("timeout_seconds")
    return recording(
        on=True,
        timeout_seconds=None if seconds is None else int(seconds),
        no_overlap=bool(values.get("no_overlap")),
    )


class Recorder(NamedTuple):
    """The recorder in an entry's command, and the task that it records."""

    path: str
    task: int


_BARE = rf"(?:/[\w.+@:,-]+)*/{FILE_NAME}"
_QUOTED = rf"'/(?:[^'\\%\n]*/)?{FILE_NAME}'"
_WRAPPED = re.compile(
    rf"(?P<path>{_BARE}|{_QUOTED})(?: --timeout (?P<timeout>[1-9]\d{{0,6}}))?"
    r"(?P<no_overlap> --no-overlap)? (?P<task>[1-9]\d{0,9}) '(?P<command>(?:[^']|'\\'')*)'",
    re.DOTALL,
)


def wrap(proper: str, recorder: Recorder, recording: Recording) -> str:
    """Return the command proper (what precedes standard input) with the recorder before it.

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
    timeout = f" --timeout {recording.timeout_seconds}" if recording.timeout_seconds else ""
    no_overlap = " --no-overlap" if recording.no_overlap else ""
    quoted = proper.replace("'", "'\\''")
    return f"{path}{timeout}{no_overlap} {recorder.task} '{quoted}'"


def add_recorder(command: str, recorder: Recorder, recording: Recording) -> str:
    """Return the command with the recorder before it if runs are recorded, else the command.

    Its standard input is unchanged. Raises InvalidSyntax when the recorder's path cannot be written
    into a crontab.
    """
    if not recording.on:
        return command
    proper, stdin = split_stdin(command)
    return wrap(proper, recorder, recording) + stdin


def unwrap(proper: str) -> tuple[str, Recorder | None, Recording]:
    """Return the command that a recorder runs, the recorder, and how it records.

    A command that is not exactly as `wrap` writes it comes back unchanged: a person wrote it.
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
