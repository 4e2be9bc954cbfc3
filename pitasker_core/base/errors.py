"""The one family of errors that PiTasker raises.

Each names a situation a person can be in. Three places catch them and nobody else does: the
dashboard's banner, the API's handler and the command line's main. Errors of drivers and of other
programs are turned into these where they happen.
"""

from typing import ClassVar

from pitasker_core.base.text import Code, Text


class PiTaskerError(Exception):
    """Something a person must know about, in their words.

    `message` says what happened, `advice` what to do next (may be empty). `code` is stable and for
    programs. `recoverable` is true when the same request may succeed later or after the advice
    was followed, without a repair of PiTasker itself. What is code in either is a part of a `Text`.
    """

    code: ClassVar[str] = "EXECUTION_ERROR"
    recoverable: ClassVar[bool] = True

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    @property
    def user_message(self) -> Text:
        """The message and the advice in one text."""
        return Text(self.message, " ", self.advice) if self.advice else Text(self.message)


class PermissionDenied(PiTaskerError):
    """This user may not use crontab, or may not reach a file."""

    code = "PERMISSION_DENIED"


class CrontabUnavailable(PiTaskerError):
    """The crontab program is missing, hangs, or failed for a reason of its own."""

    code = "CRONTAB_UNAVAILABLE"


class InvalidSyntax(PiTaskerError):
    """A schedule, command, name or whole crontab that cron would not take as it is meant."""

    code = "INVALID_SYNTAX"


class ParseError(PiTaskerError):
    """A text that cannot be read as what it should be, for instance a crontab with NUL bytes."""

    code = "PARSE_ERROR"
    recoverable = False


class ConcurrentModification(PiTaskerError):
    """The crontab was changed by somebody else between our reading and our writing."""

    code = "CONCURRENT_MODIFICATION"


class SyncInProgress(PiTaskerError):
    """Another PiTasker process holds the lock on this crontab."""

    code = "SYNC_IN_PROGRESS"


class MassRemoval(PiTaskerError):
    """Most managed entries have vanished from the crontab at once: a person must confirm."""

    code = "MASS_REMOVAL"


class CrontabReverted(PiTaskerError):
    """The crontab equals an older snapshot, from before our own last write."""

    code = "CRONTAB_REVERTED"


class DatabaseError(PiTaskerError):
    """PostgreSQL cannot be reached, started, or did not do what was asked."""

    code = "DATABASE_ERROR"


class UnknownCrontab(PiTaskerError):
    """The database knows a crontab that may be this one under another name: a person must say.

    `crontab_row` is its id.
    """

    code = "UNKNOWN_CRONTAB"

    def __init__(self, us: str, crontab_row: int, name: str, why: str) -> None:
        super().__init__(
            f"This crontab is {us}, and the database knows {name}: {why}.",
            Text(
                "Say whether it is the same: ",
                Code(f"./pitasker crontabs continue {crontab_row}"),
                ", or ",
                Code("./pitasker crontabs new"),
                ". Until then nothing is read or changed for it.",
            ),
        )
        self.crontab_row = crontab_row


class ExecutionError(PiTaskerError):
    """Anything else that failed while carrying out a request."""

    code = "EXECUTION_ERROR"


class NotFound(PiTaskerError):
    """No task, snapshot or entry has this id."""

    code = "NOT_FOUND"
    recoverable = False


class Stale(PiTaskerError):
    """What is to be changed was changed by somebody else since it was shown."""

    code = "STALE"


class NotSignedIn(PiTaskerError):
    """Nobody is signed in, or not any more."""

    code = "NOT_SIGNED_IN"

    def __init__(self) -> None:
        super().__init__("You are not signed in.", "Sign in at /login, or send a token.")


class ReadOnly(PiTaskerError):
    """Who is signed in may look, and not change anything."""

    code = "READ_ONLY"
    recoverable = False

    def __init__(self) -> None:
        super().__init__("You may look here, but not change anything.", "Nothing was changed.")


class InvalidRequest(PiTaskerError):
    """A request that is not one of ours, or lacks something."""

    code = "INVALID_REQUEST"
    recoverable = False


class Unexpected(PiTaskerError):
    """A mistake of PiTasker's own."""

    code = "UNEXPECTED"
    recoverable = False

    def __init__(self) -> None:
        super().__init__(
            "PiTasker made a mistake of its own.",
            Text(Code("logs/crontab-error.log"), " says where."),
        )


class PreconditionFailed(PiTaskerError):
    """The crontab is another than the one that a new text was based on."""

    code = "PRECONDITION_FAILED"


class PreconditionRequired(PiTaskerError):
    """A new text came without saying which one it was based on."""

    code = "PRECONDITION_REQUIRED"
    recoverable = False
