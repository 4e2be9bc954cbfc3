"""Errors and remarks, as the API and the command line answer them."""

from collections.abc import Mapping

from pitasker_core.base.errors import PiTaskerError
from pitasker_core.server.answers.wire import Shape, answer, as_json, copy_fields


@answer
class Problem:
    """What happened, what to do, and whether trying again can help."""

    code: str
    message: str
    advice: str
    recoverable: bool

    @classmethod
    def of(cls, error: PiTaskerError | None) -> "Problem | None":
        """Return the answer for an error; None for none."""
        return copy_fields(cls, error) if error else None


@answer
class Error:
    """The one shape of every error."""

    error: Problem | None

    @classmethod
    def of(cls, error: PiTaskerError) -> "Error":
        return cls(Problem.of(error))


def error_shape(error: PiTaskerError | None) -> Shape:
    """Return the answer for an error as JSON; an empty object for none."""
    data: Shape = as_json(Error.of(error)) if error else {}
    return data


@answer
class TaskError:
    """Why a task could not be written to the crontab."""

    task: int
    message: str


@answer
class TaskNote:
    """Which environment lines reach an entry that came back, if others than before."""

    task: int
    message: str


@answer
class LineError:
    """A remark about a line."""

    line: int
    message: str


def task_errors(reasons: Mapping[int, str]) -> list[TaskError]:
    """Return the reasons by task, in the order of their ids."""
    return [TaskError(task, reason) for task, reason in sorted(reasons.items())]


def task_notes(notes: Mapping[int, str]) -> list[TaskNote]:
    """Return the notes by task, in the order of their ids."""
    return [TaskNote(task, note) for task, note in sorted(notes.items())]


def line_errors(reasons: Mapping[int, str]) -> list[LineError]:
    """Return the remarks by line, in their order."""
    return [LineError(line, reason) for line, reason in sorted(reasons.items())]
