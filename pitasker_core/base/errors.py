"""The errors that PiTasker raises.

Each names a situation that a person can be in. Only three places catch them: the dashboard's
banner, the API's handler and the command line's `main`. Errors of drivers and other programs
become one of these where they happen.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from pitasker_core.base.text import Code, Text, marked


class PiTaskerError(Exception):
    """A problem that a person must know about.

    `message` says what happened. `advice` says what to do next and may be empty. Both may be a
    `Text` with parts that are code. `code` is stable, for programs. `recoverable` is true if the
    same request can succeed later, or after the advice.
    """

    code: ClassVar[str] = "EXECUTION_ERROR"
    recoverable: ClassVar[bool] = True

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

    code = "PERMISSION_DENIED"


class CrontabUnavailable(PiTaskerError):
    """The `crontab` program is missing, hangs, or failed."""

    code = "CRONTAB_UNAVAILABLE"


class InvalidSyntax(PiTaskerError):
    """Cron would refuse or misread a schedule, command, name or crontab."""

    code = "INVALID_SYNTAX"


class ParseError(PiTaskerError):
    """A text cannot be parsed, for example a crontab with NUL bytes."""

    code = "PARSE_ERROR"
    recoverable = False


class ConcurrentModification(PiTaskerError):
    """Another program changed the crontab between our read and our write."""

    code = "CONCURRENT_MODIFICATION"


class SyncInProgress(PiTaskerError):
    """Another PiTasker process holds the lock on this crontab."""

    code = "SYNC_IN_PROGRESS"


class MassRemoval(PiTaskerError):
    """Most managed entries vanished from the crontab at once. A person must confirm."""

    code = "MASS_REMOVAL"


class CrontabReverted(PiTaskerError):
    """The crontab equals an older snapshot, from before our own last write."""

    code = "CRONTAB_REVERTED"


class DatabaseError(PiTaskerError):
    """PostgreSQL cannot be reached or started, or refused a statement."""

    code = "DATABASE_ERROR"


class UnknownCrontab(PiTaskerError):
    """The database has a crontab that may be this one under another name. A person must decide.

    `crontab_row` is its id.
    """

    code = "UNKNOWN_CRONTAB"

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

    code = "EXECUTION_ERROR"


class NotFound(PiTaskerError):
    """No task, snapshot or entry has this id."""

    code = "NOT_FOUND"
    recoverable = False


class Stale(PiTaskerError):
    """Somebody else changed this after it was shown."""

    code = "STALE"


class NotSignedIn(PiTaskerError):
    """Nobody is signed in, or the session has ended."""

    code = "NOT_SIGNED_IN"

    def __init__(self) -> None:
        super().__init__("You are not signed in.", "Sign in at /login, or send a token.")


class ReadOnly(PiTaskerError):
    """This session or token may only read."""

    code = "READ_ONLY"
    recoverable = False

    def __init__(self) -> None:
        super().__init__("You have read-only access.", "Nothing was changed.")


class InvalidRequest(PiTaskerError):
    """A request is malformed or incomplete."""

    code = "INVALID_REQUEST"
    recoverable = False


class Unexpected(PiTaskerError):
    """A bug in PiTasker."""

    code = "UNEXPECTED"
    recoverable = False

    def __init__(self) -> None:
        super().__init__(
            "PiTasker failed because of a bug.",
            marked("See `logs/crontab-error.log`."),
        )


class PreconditionFailed(PiTaskerError):
    """The crontab differs from the one that a new text is based on."""

    code = "PRECONDITION_FAILED"


class PreconditionRequired(PiTaskerError):
    """A new text does not say which crontab it is based on."""

    code = "PRECONDITION_REQUIRED"
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
