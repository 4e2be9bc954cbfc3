"""The errors that PiTasker raises.

Each names a situation that a person can be in. Only three places catch them: the dashboard's
banner, the API's handler and the command line's `main`. Errors of drivers and other programs
become one of these where they happen.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from pitasker_core.base.text import Code, Text, marked


class PiTaskerError(Exception):
    """A problem that a person must know about.

    `message` says what happened. `advice` says what to do next and may be empty. Both may be a
    `Text` with parts that are code. `code` is stable, for programs: the name of the class, as
    `NOT_FOUND` of `NotFound`. `recoverable` is true if the same request can succeed later, or after
    the advice.
    """

    code: ClassVar[str]
    recoverable: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        if "code" not in vars(cls):
            cls.code = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).upper()

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    @property
    def user_message(self) -> Text:
        """The message and the advice as one text."""
        return Text(self.message, " ", self.advice) if self.advice else Text(self.message)


class PermissionDenied(PiTaskerError):
    """This user may not use crontab, or may not reach a file."""


class CrontabUnavailable(PiTaskerError):
    """The `crontab` program is missing, hangs, or failed."""


class InvalidSyntax(PiTaskerError):
    """Cron would refuse or misread a schedule, command, name or crontab."""


class ParseError(PiTaskerError):
    """A text cannot be parsed, for example a crontab with NUL bytes."""

    recoverable = False


class ConcurrentModification(PiTaskerError):
    """Another program changed the crontab between our read and our write."""


class SyncInProgress(PiTaskerError):
    """Another PiTasker process holds the lock on this crontab."""


class MassRemoval(PiTaskerError):
    """Most managed entries vanished from the crontab at once. A person must confirm."""


class CrontabReverted(PiTaskerError):
    """The crontab equals an older snapshot, from before our own last write."""


class DatabaseError(PiTaskerError):
    """PostgreSQL cannot be reached or started, or refused a statement."""


class UnknownCrontab(PiTaskerError):
    """The database has a crontab that may be this one under another name. A person must decide.

    `crontab_row` is its id.
    """

    def __init__(self, us: str, crontab_row: int, name: str, why: str) -> None:
        super().__init__(
            f"This crontab is {us}, and the database has {name}: {why}.",
            Text(
                "Choose whether they are the same: ",
                Code(f"./pitasker crontabs continue {crontab_row}"),
                ", or ",
                Code("./pitasker crontabs new"),
                ". Until then nothing is read or changed for it.",
            ),
        )
        self.crontab_row = crontab_row


class ExecutionError(PiTaskerError):
    """A request failed for another reason."""


class NotFound(PiTaskerError):
    """No task, snapshot or entry has this id."""

    recoverable = False


class Stale(PiTaskerError):
    """Somebody else changed this after it was shown."""


class NotSignedIn(PiTaskerError):
    """Nobody is signed in, or the session has ended."""

    def __init__(self) -> None:
        super().__init__("You are not signed in.", "Sign in at /login, or send a token.")


class ReadOnly(PiTaskerError):
    """This session or token may only read."""

    recoverable = False

    def __init__(self) -> None:
        super().__init__("You have read-only access.", "Nothing was changed.")


class InvalidRequest(PiTaskerError):
    """A request is malformed or incomplete."""

    recoverable = False


class Unexpected(PiTaskerError):
    """A bug in PiTasker."""

    recoverable = False

    def __init__(self) -> None:
        super().__init__(
            "PiTasker failed because of a bug.",
            marked("See `logs/crontab-error.log`."),
        )


class PreconditionFailed(PiTaskerError):
    """The crontab differs from the one that a new text is based on."""


class PreconditionRequired(PiTaskerError):
    """A new text does not say which crontab it is based on."""

    recoverable = False


@contextmanager
def explained(
    failure: str, advice: str = "", error: type[PiTaskerError] = ExecutionError
) -> Iterator[None]:
    """Turn an OSError into an error that says what could not be done, and why."""
    try:
        yield
    except OSError as problem:
        raise error(f"{failure}: {problem.strerror}.", advice) from problem
