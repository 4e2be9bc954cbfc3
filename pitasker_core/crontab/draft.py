"""Change single entries of a crontab: no other byte changes, and what is written reads back."""

from uuid import UUID

from pitasker_core.crontab.document import (
    Comment,
    Crontab,
    Entry,
    Invalid,
    Line,
    check_command,
    check_name,
    control_character,
    parse_line,
    recorded,
    tagged,
)
from pitasker_core.crontab.recording import PLAIN, Recorder, Recording
from pitasker_core.errors import InvalidSyntax, NotFound


class Draft:
    """Changes to a crontab, made one after the other and put into it at once by `done`.

    Indexes are those of the lines before any change. Each change raises InvalidSyntax when cron
    would not take the new line, and NotFound when there is no entry at the index; then it has done
    nothing.
    """

    def __init__(self, crontab: Crontab) -> None:
        self._crontab = crontab
        self._changed: dict[int, Line | None] = {}
        self._added: list[Line] = []

    @property
    def added(self) -> int:
        """How many lines were added at the end."""
        return len(self._added)

    def done(self) -> Crontab:
        """The crontab with the changes; the very same one if there are none."""
        if not self._changed and not self._added:
            return self._crontab
        old = self._crontab.lines
        lines = [line for i in range(len(old)) if (line := self._changed.get(i, old[i]))]
        kept = Crontab(tuple(lines), self._crontab.dialect)
        if not self._added:
            return kept
        return Crontab((*kept.ended().lines, *self._added), self._crontab.dialect)

    def add(
        self,
        name: str,
        schedule: str,
        command: str,
        tag: UUID,
        paused: bool = False,
        recording: Recording = PLAIN,
        recorder: Recorder | None = None,
    ) -> "Draft":
        """A new entry at the end, under its name as a comment.

        At the end because a setting acts on the lines below it: a place further up could change
        what the entry, or another, runs with.
        """
        check_name(name)
        prefix = "# " if paused else ""
        rendered = self._rendered(
            prefix, "", schedule, " ", command, tag, "\n", None, recording, recorder
        )
        self._added += [Comment(f"# {name}\n"), rendered]
        return self

    def change(
        self,
        index: int,
        *,
        schedule: str | None = None,
        command: str | None = None,
        paused: bool | None = None,
        tag: UUID | None = None,
        recording: Recording | None = None,
        recorder: Recorder | None = None,
    ) -> "Draft":
        """The entry at an index gets other fields; what is None stays as it was written."""
        old = self._entry(index)
        prefix = old.prefix if paused is None else (old.prefix or "# ") if paused else ""
        indent = old.indent
        if old.prefix and not prefix:
            # What stood before the `#` was the line's indent before it was paused by hand.
            indent = old.prefix[: old.prefix.index("#")] + old.indent
        new = self._rendered(
            prefix,
            indent,
            old.schedule if schedule is None else schedule,
            old.gap or " ",
            old.command if command is None else command,
            tag or old.tag,
            "\n" if old.raw.endswith("\n") else "",
            index,
            old.recording if recording is None else recording,
            recorder or old.recorder,
        )
        self._changed[index] = new
        return self

    def rename(self, index: int, old: str, new: str) -> "Draft":
        """The comment above an entry says `new`, if it still says `old`."""
        if self._comment_above(index) == old:
            check_name(new)
            self._changed[index - 1] = Comment(f"# {new}\n")
        return self

    def remove(self, index: int, comment: str | None = None) -> "Draft":
        """The entry at an index goes, and the comment above it if it says `comment`."""
        self._entry(index)
        if comment is not None and self._comment_above(index) == comment:
            self._changed[index - 1] = None
        self._changed[index] = None
        return self

    def untag(self, index: int) -> "Draft":
        """The entry at an index loses its tag and its recorder; a paused one is a comment then."""
        old = self._entry(index)
        ending = "\n" if old.raw.endswith("\n") else ""
        raw = old.prefix + old.indent + old.schedule + old.gap + old.command + ending
        self._changed[index] = parse_line(raw, self._crontab.dialect)
        return self

    def _line(self, index: int) -> Line | None:
        if index in self._changed:
            return self._changed[index]
        return self._crontab.lines[index] if 0 <= index < len(self._crontab.lines) else None

    def _entry(self, index: int) -> Entry:
        line = self._line(index)
        if not isinstance(line, Entry):
            raise NotFound(f"There is no entry in line {index + 1} of the crontab.")
        return line

    def _comment_above(self, index: int) -> str | None:
        line = self._line(index - 1)
        return line.text if isinstance(line, Comment) else None

    def _rendered(
        self,
        prefix: str,
        indent: str,
        schedule: str,
        gap: str,
        command: str,
        tag: UUID | None,
        ending: str,
        index: int | None,
        recording: Recording,
        recorder: Recorder | None,
    ) -> Entry:
        check_command(command)
        if found := control_character(schedule, allowed="\t"):
            raise InvalidSyntax(f"A schedule cannot contain {found}.")
        if tag and (reason := self._crontab.why_not_tagged(index, command)):
            raise InvalidSyntax(reason)
        full = command
        if recorder and recording.on:
            if reason := self._crontab.why_not_recorded(index, command, recorder, recording):
                raise InvalidSyntax(reason)
            full = recorded(command, recorder, recording)
        body = indent + schedule + gap + (tagged(full, tag) if tag else full)
        # Read what we wrote by the grammar it will be read with: nothing else is proof.
        active = parse_line(body + ending, self._crontab.dialect)
        if not isinstance(active, Entry):
            raise InvalidSyntax(_why_no_entry(active))
        line = parse_line(prefix + body + ending, self._crontab.dialect) if prefix else active
        wanted = (schedule, command, tag, bool(prefix), recording)
        if (
            not isinstance(line, Entry)
            or (line.schedule, line.command, line.tag, line.paused, line.recording) != wanted
        ):
            raise InvalidSyntax("This schedule and command would be read back as something else.")
        return line


def _why_no_entry(line: Line) -> str:
    if isinstance(line, Invalid):
        better = f" Perhaps {line.suggestion} was meant." if line.suggestion else ""
        return f"{line.reason[0].upper()}{line.reason[1:]}.{better}"
    return "cron would read this schedule and command as something other than an entry."
