"""An entry as rules see it: its text, its environment lines, its shell commands. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from pitasker_core.crontab.calls import Call, Calls, read_calls, words_of
from pitasker_core.crontab.doctor.facts import DEFAULT_PATH, DEFAULT_SHELL, MachineFacts
from pitasker_core.crontab.doctor.finding import Fix
from pitasker_core.crontab.document import Entry, encode, split_stdin
from pitasker_core.crontab.schedule import Dialect, Schedule
from pitasker_core.crontab.shell import Script, Word, read_script

_LONGEST = 10_000
"""Characters of a command that are read as shell."""

POSIX_SHELLS = frozenset({"dash", "ash", "posh", "busybox"})
"""Shells that know nothing of bash's extensions."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What the other entries of the crontab are to this one. Lines are numbers from 1."""

    same: int | None = None
    """The line of an earlier entry with the same schedule and command."""
    similar: int | None = None
    """The line of an earlier entry with the same command that can start in the same minute."""
    crowd: int = 1
    """How many entries start in the busiest minute of this one."""
    crowded_at: int = 0
    """That minute, counted from midnight."""
    free_minute: int | None = None
    """A minute of the same hour in which little starts."""
    next_is_invalid: bool = False
    """Whether cron refuses the line below."""


NO_NEIGHBOURS = Neighbours()


@dataclass(frozen=True)
class Subject:
    """An entry, the environment lines that reach it, and the facts about the machine."""

    entry: Entry
    settings: Mapping[str, str] = field(default_factory=dict)
    facts: MachineFacts = field(default_factory=MachineFacts)
    dialect: Dialect = Dialect.DEBIAN
    neighbours: Neighbours = NO_NEIGHBOURS

    @property
    def command(self) -> str:
        """The command with its standard input, without tag and recorder."""
        return self.entry.command

    @property
    def schedule(self) -> Schedule:
        """The schedule, parsed."""
        return self.entry.meaning

    @cached_property
    def proper(self) -> str:
        """The command up to the first unescaped `%`."""
        return split_stdin(self.command)[0]

    @cached_property
    def stdin(self) -> str:
        """The rest, from that `%` on."""
        return self.command[len(self.proper) :]

    @cached_property
    def _given(self) -> tuple[str, tuple[int, ...] | None]:
        return unescape(self.proper, self.dialect)

    @property
    def given(self) -> str:
        """The command that cron gives to the shell."""
        return self._given[0]

    @cached_property
    def script(self) -> Script:
        """The command as the shell reads it; empty for a very long command."""
        return read_script(self.given if len(self.given) <= _LONGEST else "")

    @cached_property
    def variables(self) -> dict[str, str]:
        """The environment that cron sets, as far as it is known."""
        own = {"SHELL": DEFAULT_SHELL, "PATH": DEFAULT_PATH}
        if self.facts.home:
            own["HOME"] = self.facts.home
        if self.facts.user:
            own["LOGNAME"] = self.facts.user
            if self.dialect.is_cronie:
                own["USER"] = self.facts.user
        return {**own, **self.settings} if self.settings else own

    @cached_property
    def calls(self) -> Calls:
        """The programs and files of the command."""
        return read_calls(self.script, self.variables)

    @cached_property
    def programs(self) -> frozenset[str]:
        """The names of all programs, without their folders."""
        return frozenset(call.base for call in self.calls.calls)

    @property
    def shell(self) -> str:
        """The SHELL of the entry."""
        return self.variables["SHELL"]

    @property
    def path(self) -> str:
        """The PATH of the entry."""
        return self.variables["PATH"]

    @cached_property
    def shell_program(self) -> str:
        """The name of the program that SHELL really is; empty when it is not known."""
        if real := self.facts.shells.get(self.shell):
            return real.rsplit("/", 1)[-1]
        name = self.shell.rsplit("/", 1)[-1]
        return "" if name == "sh" else name

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """Every word of the command."""
        return tuple(words_of(self.script))

    @property
    def is_recorded(self) -> bool:
        """Whether PiTasker keeps the output of its runs."""
        return self.entry.recording.on

    def find_program(self, call: Call) -> str | None:
        """Where a program is, by its path or on cron's PATH; None when that is not known."""
        if "/" in call.name:
            return call.path
        if call.search is None:
            return None
        return self.facts.programs.get((call.name, call.search))

    def replace(self, label: str, start: int, end: int, text: str) -> Fix:
        """A fix that puts a text in the place of a piece of what the shell is given."""
        offsets = self._given[1]
        first, last = (start, end) if offsets is None else (offsets[start], offsets[end])
        command = self.command
        return Fix(label, command=command[:first] + escape(text, self.dialect) + command[last:])


def unescape(proper: str, dialect: Dialect) -> tuple[str, tuple[int, ...] | None]:
    """What cron gives to the shell, and where each character of it stands in the command.

    The places end with the length of the command; None means that they are the same.
    """
    if "\\" not in proper:
        return proper, None
    pieces: list[str] = []
    offsets: list[int] = []
    at = 0
    for escaped in _ESCAPE.finditer(proper):
        drops = escaped[1] == "%" or not dialect.is_cronie
        pieces.append(proper[at : escaped.start()] + (escaped[1] if drops else escaped[0]))
        offsets += range(at, escaped.start())
        offsets += [escaped.start()] if drops else [escaped.start(), escaped.start() + 1]
        at = escaped.end()
    pieces.append(proper[at:])
    offsets += range(at, len(proper) + 1)
    return "".join(pieces), tuple(offsets)


# cron takes a backslash together with what follows it (do_command.c). Debian's drops it before `%`
# and before another backslash, cronie's before `%` only.
_ESCAPE = re.compile(r"\\([\\%])")


def escape(text: str, dialect: Dialect) -> str:
    """A text for the shell as it must stand in the command of a crontab."""
    if not dialect.is_cronie:
        text = text.replace("\\", "\\\\")
    return text.replace("%", "\\%")


@lru_cache(maxsize=4096)
def size_with_tag(command: str) -> int:
    """Bytes of the command with a tag."""
    return len(encode(command)) + 51
