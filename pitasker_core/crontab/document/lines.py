"""The kinds of lines of a crontab. Each keeps exactly the text that was read."""

from dataclasses import dataclass
from uuid import UUID

from pitasker_core.crontab.document.characters import is_utf8
from pitasker_core.crontab.recording import PLAIN, Recorder, Recording
from pitasker_core.crontab.schedule import Schedule

BLANKS = " \t"
"""What separates the fields of an entry."""


@dataclass(frozen=True, slots=True)
class Blank:
    """A line of nothing but blanks and tabs."""

    raw: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A line that begins with `#`. `tag` is a tag in a comment that is not a paused entry."""

    raw: str
    tag: UUID | None = None

    @property
    def text(self) -> str:
        """The text after the `#`, without outer blanks."""
        return self.raw.removesuffix("\n").lstrip(BLANKS).lstrip("#").strip(BLANKS)


@dataclass(frozen=True, slots=True)
class EnvironmentLine:
    """A `NAME=value` line. It acts on the entries below it."""

    raw: str
    name: str
    value: str
    tag: UUID | None = None
    """The tag of an entry that somebody turned into this line by writing `NAME=` before it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A job line. A paused entry is commented out and has a tag."""

    raw: str
    prefix: str
    """What pauses the entry: blanks, `#` and at most one blank. Empty when the entry is active."""
    indent: str
    schedule: str
    gap: str
    command: str
    """The command with `%` and standard input, without the tag and the recorder."""
    tag: UUID | None
    misplaced_tag: bool
    """The tag is in the standard input, because somebody wrote a `%` before it."""
    meaning: Schedule
    recording: Recording = PLAIN
    recorder: Recorder | None = None
    """The recorder in the command, if runs are recorded."""
    words: str = ""
    """Text that a person wrote after the tag, blanks included. The shell ignores it."""
    swallowed_tag: UUID | None = None
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


@dataclass(frozen=True, slots=True)
class Invalid:
    """A line that cron would refuse or misread, with the reason in plain words."""

    raw: str
    reason: str
    suggestion: str | None = None
    tag: UUID | None = None

    @property
    def explanation(self) -> str:
        """The reason and the suggestion as sentences."""
        better = f" Perhaps {self.suggestion} was meant." if self.suggestion else ""
        return f"{self.reason[0].upper()}{self.reason[1:]}.{better}"


Line = Blank | Comment | EnvironmentLine | Entry | Invalid
