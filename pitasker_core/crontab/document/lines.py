"""The kinds of lines of a crontab. Each keeps exactly the text that was read.

Lines never change. `Final` says so: a frozen dataclass takes six times as long to make.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from pitasker_core.crontab.document.characters import is_utf8
from pitasker_core.crontab.recording import PLAIN, Recorder, Recording
from pitasker_core.crontab.schedule import Schedule

BLANKS = " \t"
"""What separates the fields of an entry."""


@dataclass(slots=True, unsafe_hash=True)
class Blank:
    """A line of nothing but blanks and tabs."""

    raw: Final[str]


@dataclass(slots=True, unsafe_hash=True)
class Comment:
    """A line that begins with `#`. `tag` is a tag in a comment that is not a paused entry."""

    raw: Final[str]
    tag: Final[UUID | None] = None

    @property
    def text(self) -> str:
        """The text after the `#`, without outer blanks."""
        return self.raw.removesuffix("\n").lstrip(BLANKS).lstrip("#").strip(BLANKS)


@dataclass(slots=True, unsafe_hash=True)
class EnvironmentLine:
    """A `NAME=value` line. It acts on the entries below it."""

    raw: Final[str]
    name: Final[str]
    value: Final[str]
    tag: Final[UUID | None] = None
    """The tag of an entry that somebody turned into this line by writing `NAME=` before it."""


@dataclass(slots=True, unsafe_hash=True)
class Entry:
    """A job line. A paused entry is commented out and has a tag."""

    raw: Final[str]
    prefix: Final[str]
    """What pauses the entry: blanks, `#` and at most one blank. Empty when the entry is active."""
    indent: Final[str]
    schedule: Final[str]
    gap: Final[str]
    command: Final[str]
    """The command with `%` and standard input, without the tag and the recorder."""
    tag: Final[UUID | None]
    misplaced_tag: Final[bool]
    """The tag is in the standard input, because somebody wrote a `%` before it."""
    meaning: Final[Schedule]
    recording: Final[Recording] = PLAIN
    recorder: Final[Recorder | None] = None
    """The recorder in the command, if runs are recorded."""
    words: Final[str] = ""
    """Text that a person wrote after the tag, blanks included. The shell ignores it."""
    swallowed_tag: Final[UUID | None] = None
    """A tag that the shell reads as a part of the command. `command` holds it too."""

    @property
    def paused(self) -> bool:
        """Whether cron ignores the entry because it is commented out."""
        return bool(self.prefix)

    @property
    def has_foreign_bytes(self) -> bool:
        """Whether the line cannot be kept as UTF-8."""
        return not is_utf8(self.raw)

    @property
    def ending(self) -> str:
        """The line end; empty for a last line without one."""
        return "\n" if self.raw.endswith("\n") else ""


@dataclass(slots=True, unsafe_hash=True)
class Invalid:
    """A line that cron would refuse or misread, with the reason in plain words."""

    raw: Final[str]
    reason: Final[str]
    suggestion: Final[str | None] = None
    tag: Final[UUID | None] = None

    @property
    def explanation(self) -> str:
        """The reason and the suggestion as sentences."""
        better = f" Perhaps {self.suggestion} was meant." if self.suggestion else ""
        return f"{self.reason[0].upper()}{self.reason[1:]}.{better}"


Line = Blank | Comment | EnvironmentLine | Entry | Invalid
