"""Change single entries of a crontab: no other byte changes, and what is written reads back."""

from uuid import UUID

from pitasker_core.base.errors import InvalidSyntax, NotFound
from pitasker_core.crontab.document import (
    Comment,
    Document,
    Entry,
    Invalid,
    Line,
    check_command,
    check_name,
    find_control_character,
    parse_line,
    recorded,
    split_stdin,
    tagged,
)
from pitasker_core.crontab.recording import PLAIN, Recorder, Recording


class Draft:
    """Changes to a crontab, made one after the other and put into it at once by `done`.

    Indexes are those of the lines before any change. Each change raises InvalidSyntax when cron
    would not take the new line, and NotFound when there is no entry at the index; then it has done
    nothing.
    """

    def __init__(self, crontab: Document) -> None:
        self._crontab = crontab
        self._changed: dict[int, Line | None] = {}
        self._above: dict[int, list[Line]] = {}
        """New lines, by the index of the line above which they stand."""

    def done(self) -> Document:
        """The crontab with the changes; the very same one if there are none."""
        if not self._changed and not self._above:
            return self._crontab
        old = self._crontab.lines
        lines: list[Line] = []
        for index in range(len(old) + 1):
            above = self._above.get(index, [])
            if above and lines and not lines[-1].raw.endswith("\n"):
                lines[-1] = parse_line(lines[-1].raw + "\n", self._crontab.dialect)
            lines += above
            if index < len(old) and (line := self._changed.get(index, old[index])):
                lines.append(line)
        return Document(tuple(lines), self._crontab.dialect)

    def add(
        self,
        name: str | None,
        schedule: str,
        command: str,
        tag: UUID,
        paused: bool = False,
        recording: Recording = PLAIN,
        recorder: Recorder | None = None,
        *,
        above: int | None = None,
        like: Entry | None = None,
    ) -> "Draft":
        """A new entry under its name as a comment, or without one when `name` is None.

        It stands at the end, because a setting acts on the lines below it: a place further up could
        change what the entry, or another, runs with. `above` is the index of the line above which
        it is known to belong, `like` the entry as it stood there, whose layout and words behind the
        tag it has again.
        """
        if name is not None:
            check_name(name)
        prefix, indent = ("# " if paused else "", "") if like is None else _margin(like, paused)
        rendered = self._rendered(
            prefix,
            indent,
            schedule,
            like.gap if like and like.gap else " ",
            command,
            tag,
            like.words if like else "",
            "\n",
            above,
            recording,
            recorder,
        )
        lines = self._above.setdefault(len(self._crontab.lines) if above is None else above, [])
        lines += [rendered] if name is None else [Comment(f"# {name}\n"), rendered]
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
        words: str | None = None,
    ) -> "Draft":
        """The entry at an index gets other fields; what is None stays as it was written."""
        old = self._entry(index)
        prefix, indent = _margin(old, old.paused if paused is None else paused)
        new = self._rendered(
            prefix,
            indent,
            old.schedule if schedule is None else schedule,
            old.gap or " ",
            old.command if command is None else command,
            tag or old.tag,
            old.words if words is None else words,
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
        """The entry at an index loses its tag and its recorder; a paused one is a comment then.

        Words behind the tag stay a comment of the shell's.
        """
        old = self._entry(index)
        ending = "\n" if old.raw.endswith("\n") else ""
        proper, stdin = split_stdin(old.command)
        words = old.words if old.words.strip() else ""
        if words and not words.lstrip(" \t").startswith("#"):
            words = f" #{words}"
        command = proper + words + stdin
        raw = old.prefix + old.indent + old.schedule + old.gap + command + ending
        self._changed[index] = parse_line(raw, self._crontab.dialect)
        return self

    def words_to_comment(self, index: int) -> "Draft":
        """The words behind the tag of an entry become a comment above it and its own comment."""
        words = self._entry(index).words.strip()
        self.change(index, words="")
        above = index - 1 if isinstance(self._line(index - 1), Comment) else index
        self._above.setdefault(above, []).append(
            Comment(f"{words}\n" if words.startswith("#") else f"# {words}\n")
        )
        return self

    def words_to_command(self, index: int) -> "Draft":
        """The words behind the tag of an entry become a part of its command."""
        old = self._entry(index)
        proper, stdin = split_stdin(old.command)
        words = old.words.strip()
        command = f"{proper} {words}" if proper else words
        return self.change(index, command=command + stdin, words="")

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
        words: str,
        ending: str,
        index: int | None,
        recording: Recording,
        recorder: Recorder | None,
    ) -> Entry:
        check_command(command)
        if found := find_control_character(schedule, allowed="\t"):
            raise InvalidSyntax(f"A schedule cannot contain {found}.")
        if tag and (reason := self._crontab.why_not_tagged(index, command)):
            raise InvalidSyntax(reason)
        full = command
        if recorder and recording.on:
            if reason := self._crontab.why_not_recorded(index, command, recorder, recording):
                raise InvalidSyntax(reason)
            full = recorded(command, recorder, recording)
        body = indent + schedule + gap + (tagged(full, tag, words) if tag else full)
        # Read what we wrote by the grammar it will be read with: nothing else is proof.
        active = parse_line(body + ending, self._crontab.dialect)
        if not isinstance(active, Entry):
            raise InvalidSyntax(_why_no_entry(active))
        line = parse_line(prefix + body + ending, self._crontab.dialect) if prefix else active
        wanted = (schedule, command, tag, words, bool(prefix), recording)
        if not isinstance(line, Entry) or wanted != (
            line.schedule,
            line.command,
            line.tag,
            line.words,
            line.paused,
            line.recording,
        ):
            raise InvalidSyntax("This schedule and command would be read back as something else.")
        return line


def _margin(entry: Entry, paused: bool) -> tuple[str, str]:
    """What pauses an entry, if it is to be paused, and its indent."""
    if paused:
        return entry.prefix or "# ", entry.indent
    if entry.prefix:
        # What stood before the `#` was the line's indent before it was paused by hand.
        return "", entry.prefix[: entry.prefix.index("#")] + entry.indent
    return "", entry.indent


def _why_no_entry(line: Line) -> str:
    if isinstance(line, Invalid):
        better = f" Perhaps {line.suggestion} was meant." if line.suggestion else ""
        return f"{line.reason[0].upper()}{line.reason[1:]}.{better}"
    return "cron would read this schedule and command as something other than an entry."
