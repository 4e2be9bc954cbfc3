"""A crontab as an immutable document that gives back every byte it was made from.

`str(parse(text)) == text` for every text. A change re-renders its own line and no other. Lines that
are not understood are kept, with the reason. Bytes become text by UTF-8 with `surrogateescape`, so
foreign bytes survive; see `decode` and `encode`.

The grammar is Debian cron's (cron 3.0pl1), which for lines is also cronie's unless said otherwise.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from uuid import UUID

from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.schedule import Dialect, InvalidSchedule, Schedule
from pitasker_core.errors import InvalidSyntax, NotFound

COMMAND_LIMIT = 998
"""Bytes of a command that Debian's cron takes; one more and it refuses the whole crontab."""

NAME_LIMIT = 200
"""Characters of a task's name: ours, so that a comment stays a line that people read."""

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_TAG = re.compile(rf"[ \t]# PITASKER_ID:({_UUID})(?![0-9a-fA-F-])")
_BLANKS = " \t"

_ENTRY = re.compile(r"([ \t]*)(@[^ \t]*|[^ \t]+(?:[ \t]+[^ \t]+){4})(?:([ \t]+)(.*)|())", re.DOTALL)
# cron's own scan of NAME=value (load_env): its blanks are C's isspace, a quoted name ends at its
# quote or at the `=`, and a value that opens a quote must close it at the end of the line.
_S = r"[ \t\v\f\r]*"
_SETTING = re.compile(
    rf"""[ \t]*(?:"(?P<dn>[^"=]*)"?|'(?P<sn>[^'=]*)'?|(?P<n>(?!["'])[^ \t\v\f\r=]*)){_S}="""
    rf"""{_S}(?:"(?P<dv>[^"]*)"{_S}|'(?P<sv>[^']*)'{_S}|(?P<v>(?!["' \t\v\f\r]).+))""",
    re.DOTALL,
)
# The line above the first entry of Debian's template, and rulers of dashes, are nobody's name.
_NOT_A_NAME = re.compile(r"m\s+h\s+dom\b|[^\w]*$", re.IGNORECASE)

# Shells known to take ` # …` at the end of `-c COMMAND` as a comment.
_COMMENT_SHELLS = {"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "rbash", "python3"}


def decode(data: bytes) -> str:
    """The text of a crontab's bytes; every byte survives the way back through `encode`."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes of a crontab's text.

    A lone surrogate that no byte can have made is written as `surrogatepass` would.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Blank:
    """A line of nothing but blanks and tabs."""

    raw: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A line that begins with `#`. `tag` is one that it mentions without being a paused entry."""

    raw: str
    tag: UUID | None = None

    @property
    def text(self) -> str:
        """What stands behind the `#`, without outer blanks."""
        return self.raw.removesuffix("\n").lstrip(_BLANKS).lstrip("#").strip(_BLANKS)


@dataclass(frozen=True, slots=True)
class Setting:
    """A `NAME=value` line: the environment of the entries below it."""

    raw: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One job line. A paused entry is one that is commented out and has a tag."""

    raw: str
    prefix: str
    """What pauses it: blanks, `#` and at most one blank; empty when the entry is active."""
    indent: str
    schedule: str
    gap: str
    command: str
    """As it stands, with `%` and standard input, without the tag."""
    tag: UUID | None
    misplaced_tag: bool
    """Something was written behind the tag by hand: the shell ignores it until the tag is moved."""
    meaning: Schedule

    @property
    def paused(self) -> bool:
        """True when cron does not see it."""
        return bool(self.prefix)

    @property
    def has_foreign_bytes(self) -> bool:
        """True when its text cannot be kept as UTF-8."""
        return not _is_utf8(self.raw)


@dataclass(frozen=True, slots=True)
class Invalid:
    """A line that cron would refuse or misread, with the reason in plain words."""

    raw: str
    reason: str
    suggestion: str | None = None
    tag: UUID | None = None


Line = Blank | Comment | Setting | Entry | Invalid


@dataclass(frozen=True)
class Crontab:
    """One crontab. Line numbers are list indexes plus one."""

    lines: tuple[Line, ...]
    dialect: Dialect = Dialect.DEBIAN

    def __str__(self) -> str:
        return "".join(line.raw for line in self.lines)

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """Every entry, paused ones included, with its index."""
        return ((i, line) for i, line in enumerate(self.lines) if isinstance(line, Entry))

    @cached_property
    def size(self) -> int:
        """How many entries there are, paused ones included."""
        return sum(1 for _ in self.entries())

    @cached_property
    def invalid_lines(self) -> list[int]:
        """The indexes of lines that cron would not take."""
        return [i for i, line in enumerate(self.lines) if isinstance(line, Invalid)]

    @cached_property
    def by_tag(self) -> dict[UUID, list[int]]:
        """The indexes of the entries that carry each tag: more than one when it was copied."""
        found: dict[UUID, list[int]] = {}
        for index, entry in self.entries():
            if entry.tag:
                found.setdefault(entry.tag, []).append(index)
        return found

    @cached_property
    def mentions(self) -> dict[UUID, int]:
        """Tags on lines that are no entries: an entry broken by hand, or a comment about it."""
        return {
            line.tag: index
            for index, line in enumerate(self.lines)
            if isinstance(line, Comment | Invalid) and line.tag
        }

    def entry(self, index: int) -> Entry:
        """The entry at an index; NotFound when there is none."""
        line = self.lines[index] if 0 <= index < len(self.lines) else None
        if not isinstance(line, Entry):
            raise NotFound(f"There is no entry in line {index + 1} of the crontab.")
        return line

    def comment_above(self, index: int) -> str | None:
        """The text of the comment directly above a line, None when there is none."""
        line = self.lines[index - 1] if index else None
        return line.text if isinstance(line, Comment) else None

    def environment(self, index: int | None = None) -> dict[str, str]:
        """The settings in force for the entry at an index, or at the crontab's end."""
        above = self.lines[:index]
        return {line.name: line.value for line in above if isinstance(line, Setting)}

    # Changes: each returns a new crontab.

    def add(
        self, name: str, schedule: str, command: str, tag: UUID, paused: bool = False
    ) -> "Crontab":
        """A new entry at the end, under its name as a comment.

        At the end because a setting acts on the lines below it: a place further up could change
        what the entry, or another, runs with. Raises InvalidSyntax when cron would not take it.
        """
        check_name(name)
        prefix = "# " if paused else ""
        rendered = self._rendered(prefix, "", schedule, " ", command, tag, "\n")
        lines = self.lines
        if lines and not lines[-1].raw.endswith("\n"):
            lines = (*lines[:-1], parse_line(lines[-1].raw + "\n", self.dialect))
        return replace(self, lines=(*lines, Comment(f"# {name}\n"), rendered))

    def change(
        self,
        index: int,
        *,
        schedule: str | None = None,
        command: str | None = None,
        paused: bool | None = None,
        tag: UUID | None = None,
    ) -> "Crontab":
        """The entry at an index with other fields; what is None stays as it was written.

        Raises InvalidSyntax when cron would not take the new line.
        """
        old = self.entry(index)
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
        )
        return self._with(index, new)

    def rename(self, index: int, old: str, new: str) -> "Crontab":
        """The comment above an entry says `new`, if it still says `old`."""
        if self.comment_above(index) != old:
            return self
        check_name(new)
        return self._with(index - 1, Comment(f"# {new}\n"))

    def remove(self, index: int, comment: str | None = None) -> "Crontab":
        """Without the entry at an index, and without the comment above it if it says `comment`."""
        self.entry(index)
        first = index - 1 if comment is not None and self.comment_above(index) == comment else index
        return replace(self, lines=self.lines[:first] + self.lines[index + 1 :])

    def why_not_tagged(self, index: int | None, command: str) -> str | None:
        """Why a command at an index (None: at the end) cannot carry a tag, or None if it can."""
        shell = self.environment(index).get("SHELL", "/bin/sh")
        return _why_not_tagged(command, shell)

    def _with(self, index: int, line: Line) -> "Crontab":
        return replace(self, lines=(*self.lines[:index], line, *self.lines[index + 1 :]))

    def _rendered(
        self,
        prefix: str,
        indent: str,
        schedule: str,
        gap: str,
        command: str,
        tag: UUID | None,
        ending: str,
        index: int | None = None,
    ) -> Entry:
        check_command(command)
        if found := _control(schedule, allowed="\t"):
            raise InvalidSyntax(f"A schedule cannot contain {found}.")
        if tag and (reason := self.why_not_tagged(index, command)):
            raise InvalidSyntax(reason)
        body = indent + schedule + gap + (tagged(command, tag) if tag else command)
        # Read what we wrote by the grammar it will be read with: nothing else is proof.
        active = parse_line(body + ending, self.dialect)
        if not isinstance(active, Entry):
            raise InvalidSyntax(_why_no_entry(active))
        line = parse_line(prefix + body + ending, self.dialect) if prefix else active
        wanted = (schedule, command, tag, bool(prefix))
        if (
            not isinstance(line, Entry)
            or (line.schedule, line.command, line.tag, line.paused) != wanted
        ):
            raise InvalidSyntax("This schedule and command would be read back as something else.")
        return line


def parse(text: str, dialect: Dialect = Dialect.DEBIAN) -> Crontab:
    """Read any text as a crontab. Never fails: what is wrong becomes an Invalid line."""
    # Lines end at LF only: CR, form feed and U+2028 are ordinary bytes for cron.
    *whole, last = text.split("\n")
    raws = [line + "\n" for line in whole] + ([last] if last else [])
    return Crontab(tuple(parse_line(raw, dialect) for raw in raws), dialect)


@lru_cache(maxsize=16384)
def parse_line(raw: str, dialect: Dialect = Dialect.DEBIAN) -> Line:
    """Read one line, its ending included."""
    content = raw.removesuffix("\n")
    stripped = content.lstrip(_BLANKS)
    if not stripped:
        return Blank(raw)
    if stripped[0] == "#":
        return _paused_or_comment(raw, content, dialect)
    if "\0" in content:
        return Invalid(raw, "holds a NUL byte: cron reads what follows it as a line of its own")
    if setting := _SETTING.fullmatch(content):
        return _setting(raw, setting)
    return _entry(raw, "", content, dialect)


def tagged(command: str, tag: UUID) -> str:
    """The command with its tag, before the first unescaped `%`, where the shell drops it."""
    proper, stdin = split_stdin(command)
    return f"{proper} # PITASKER_ID:{tag}{stdin}"


def split_stdin(command: str) -> tuple[str, str]:
    """The command proper, and the rest from the first unescaped `%` on (cron: standard input).

    cron's scan has two states: a backslash takes the next character with it, so in `a\\\\%b` the
    `%` splits.
    """
    if "%" not in command:
        return command, ""
    escaped = False
    for at, character in enumerate(command):
        if character == "%" and not escaped:
            return command[:at], command[at:]
        escaped = character == "\\" and not escaped
    return command, ""


def check_name(name: str) -> str:
    """The name, if it can be a one-line comment that reads back as itself; else InvalidSyntax."""
    if not name.strip(_BLANKS):
        raise InvalidSyntax("A task needs a name.")
    if name != name.strip(_BLANKS):
        raise InvalidSyntax("A name cannot begin or end with a blank.", "Remove the blank.")
    if len(name) > NAME_LIMIT:
        raise InvalidSyntax(
            f"A name has at most {NAME_LIMIT} characters; this one has {len(name)}."
        )
    if found := _control(name, allowed=""):
        raise InvalidSyntax(
            f"A name cannot contain {found}.", "Write it in one line of plain text."
        )
    if not isinstance(parse_line(f"# {name}\n"), Comment):
        raise InvalidSyntax(
            "This name would be read as a paused entry in the crontab.", "Choose other words."
        )
    return name


def check_command(command: str) -> str:
    """The command, if it can be one line of a crontab; else InvalidSyntax."""
    if not command.strip(_BLANKS):
        raise InvalidSyntax("A task needs a command.")
    if command[0] in _BLANKS:
        raise InvalidSyntax("A command cannot begin with a blank.", "Remove the blank.")
    if found := _control(command, allowed="\t"):
        raise InvalidSyntax(
            f"A command cannot contain {found}: it must be one line of a crontab.",
            "For several steps write a script, or join them with && or ;.",
        )
    if command[0] == "*":
        raise InvalidSyntax(
            "A command cannot begin with *: cron takes it for a sixth field and refuses the line.",
            "A schedule has five fields: check that there is none too many.",
        )
    if _TAG.search(command):
        raise InvalidSyntax(
            "A command cannot contain # PITASKER_ID: and an id, which mark a task.",
            "Remove that part: PiTasker adds the tag by itself.",
        )
    return command


def suggested_name(crontab: Crontab, index: int) -> str:
    """A name for the entry at an index: the comment above it, else its program's name."""
    comment = crontab.comment_above(index)
    if comment and not _NOT_A_NAME.match(comment):
        above = parse_line(comment + "\n", crontab.dialect)
        if not isinstance(above, Entry) and not _control(comment, allowed=""):
            return comment[:NAME_LIMIT].strip(_BLANKS)
    for word in crontab.entry(index).command.split():
        program = word.rsplit("/", 1)[-1]
        # Skip `cd`, `sudo` and `NAME=value`, which say nothing of what the job is.
        if program and "=" not in word and program[0].isalnum() and program not in _VEHICLES:
            return "".join(c for c in program if c.isprintable())[:NAME_LIMIT]
    return f"Entry in line {index + 1}"


_VEHICLES = {"cd", "sudo", "nice", "ionice", "env", "exec", "flock", "timeout", "sh", "bash"}


def _why_not_tagged(command: str, shell: str) -> str | None:
    proper, stdin = split_stdin(command)
    # Debian cuts a line at its limit by refusing the whole crontab: the tag counts too.
    size = len(encode(proper + stdin)) + len(f" # PITASKER_ID:{UUID(int=0)}")
    if size > COMMAND_LIMIT:
        return (
            f"The command is {size - COMMAND_LIMIT} bytes too long: "
            f"with its tag it may have {COMMAND_LIMIT} bytes. Put it into a script."
        )
    if shell.rsplit("/", 1)[-1] not in _COMMENT_SHELLS:
        return f"SHELL is {shell}, which may not take the tag as a comment."
    if proper.endswith("\\"):
        return "The command ends in a backslash, which would make the tag a part of it."
    if quote := _open_quote(proper):
        return f"The command leaves a quote ({quote}) open, which would take in the tag."
    return None


def _open_quote(command: str) -> str | None:
    """The quote in which a POSIX shell still is at the end of a command, if any."""
    quote = ""
    word_start = True
    characters = iter(command)
    for character in characters:
        if character == "\\" and quote != "'":
            next(characters, "")
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"`":
            quote = character
        elif character == "#" and word_start:
            return None  # the rest is a comment already
        word_start = not quote and character in " \t;&|()<>"
    return quote or None


def _control(text: str, allowed: str) -> str | None:
    names = {"\n": "a line break", "\r": "a carriage return", "\0": "a NUL byte", "\t": "a tab"}
    for character in text:
        if character in allowed:
            continue
        if character < " " or "\x7f" <= character <= "\x9f":
            return names.get(character, f"the control character U+{ord(character):04X}")
        if "\ud800" <= character <= "\udfff":
            return "bytes that are not UTF-8"
    return None


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _setting(raw: str, match: re.Match[str]) -> Setting:
    part = match.groupdict()
    name = part["dn"] or part["sn"] or part["n"] or ""
    value = part["dv"] or part["sv"] or (part["v"] or "").rstrip(" \t\v\f\r")
    return Setting(raw, name, value)


def _find_tag(command: str) -> tuple[str, UUID | None, bool]:
    """The command without its tag, the tag, and whether something was written behind it."""
    if "# PITASKER_ID:" not in command:
        return command, None, False
    *_, found = [None, *_TAG.finditer(command)]
    if found is None:
        return command, None, False
    # In its place the tag ends the command proper. Anywhere else it was moved there by hand, or
    # something was written behind it, or a `%` before it: it still says whose entry this is.
    proper, stdin = split_stdin(command)
    in_place = found.end() <= len(proper) and not proper[found.end() :].strip(_BLANKS)
    behind = stdin if in_place else command[found.end() :]
    return command[: found.start()] + behind, UUID(found[1]), not in_place


def _entry(raw: str, prefix: str, content: str, dialect: Dialect) -> Entry | Invalid:
    match = _ENTRY.fullmatch(content)
    tag = _find_tag(content)[1]
    if match is None:
        try:
            schedules.parse(content.strip(_BLANKS), dialect)
        except InvalidSchedule as problem:
            return Invalid(raw, problem.message, problem.suggestion, tag)
        return Invalid(raw, "is neither an entry nor a setting", None, tag)
    indent, schedule, gap, rest = match[1], match[2], match[3] or "", match[4] or ""
    try:
        meaning = schedules.parse(schedule, dialect)
    except InvalidSchedule as problem:
        return Invalid(raw, problem.message, problem.suggestion, tag)
    if rest.startswith("*"):
        return Invalid(raw, "six fields: a schedule has five, and a command cannot begin with *")
    if len(encode(rest)) > COMMAND_LIMIT:
        return Invalid(raw, f"the command is longer than {COMMAND_LIMIT} bytes", None, tag)
    command, tag, misplaced = _find_tag(rest)
    return Entry(raw, prefix, indent, schedule, gap, command, tag, misplaced, meaning)


def _paused_or_comment(raw: str, content: str, dialect: Dialect) -> Entry | Comment:
    if "# PITASKER_ID:" not in content:
        return Comment(raw)
    hash_at = content.index("#") + 1
    body_at = hash_at + (content[hash_at : hash_at + 1] == " ")
    tag = _find_tag(content)[1]
    body = content[body_at:]
    if tag and not body.lstrip(_BLANKS).startswith("#") and not _SETTING.fullmatch(body):
        entry = _entry(raw, content[:body_at], body, dialect)
        if isinstance(entry, Entry) and entry.tag and "\0" not in body:
            return entry
    return Comment(raw, tag)


def _why_no_entry(line: Line) -> str:
    if isinstance(line, Invalid):
        better = f" Perhaps {line.suggestion} was meant." if line.suggestion else ""
        return f"{line.reason[0].upper()}{line.reason[1:]}.{better}"
    return "cron would read this schedule and command as something other than an entry."
