"""An entry as rules see it: its text, its environment lines, its shell commands. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from pitasker_core.crontab.calls import Call, Calls, read_calls
from pitasker_core.crontab.doctor.facts import FileFacts, MachineFacts
from pitasker_core.crontab.doctor.finding import Fix
from pitasker_core.crontab.document import Entry, encode, split_stdin
from pitasker_core.crontab.execution import escape, unescape
from pitasker_core.crontab.schedule import Dialect, Schedule
from pitasker_core.crontab.shell import Script, read_script
from pitasker_core.crontab.shell_words import Word

_LONGEST = 10_000
"""Characters of a command that are read as shell."""

POSIX_SHELLS = frozenset({"dash", "ash", "posh", "busybox"})
"""Shells that know nothing of bash's extensions."""


# Tuples: the doctor makes thousands, and a frozen dataclass takes three times as long.
class Neighbours(NamedTuple):
    """How the other entries of the crontab relate to this one. Lines are numbers from 1."""

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


class CommandReading(NamedTuple):
    """What a command says with its variables, on any machine."""

    proper: str
    stdin: str
    given: str
    offsets: Sequence[int] | None
    script: Script
    calls: Calls
    programs: frozenset[str]
    absolute_paths: tuple[str, ...]


@lru_cache(maxsize=16384)  # all lines of the largest crontab: a smaller one would keep none
def read_command(
    command: str, variables: tuple[tuple[str, str], ...], dialect: Dialect
) -> CommandReading:
    """Read a command. The facts about the machine and the rules need the same reading."""
    proper, stdin = split_stdin(command)
    given, offsets = unescape(proper, dialect)
    script = read_script(given if len(given) <= _LONGEST else "")
    values = dict(variables)
    calls = read_calls(script, values)
    return CommandReading(
        proper,
        stdin,
        given,
        offsets,
        script,
        calls,
        frozenset(call.base for call in calls.calls),
        tuple(_absolute_paths(given, script, values)),
    )


def _absolute_paths(given: str, script: Script, variables: Mapping[str, str]) -> Iterator[str]:
    if "/" not in given and "~" not in given:
        return
    for word in script.words:
        value = word.expanded(variables) or ""
        _, equals, behind = value.partition("=")
        path = behind if equals and value[0] != "/" else value
        if path.startswith("/") and len(path) > 1:
            yield path


class Subject:
    """An entry, the environment lines that reach it, and the facts about the machine.

    It is made for each entry at once, and only read afterwards: the rules share what it holds.
    """

    __slots__ = (
        "_offsets",
        "absolute_paths",
        "calls",
        "command",
        "dialect",
        "entry",
        "facts",
        "given",
        "neighbours",
        "program_files",
        "programs",
        "proper",
        "schedule",
        "script",
        "settings",
        "stdin",
        "variables",
        "words",
    )

    def __init__(
        self,
        entry: Entry,
        settings: Mapping[str, str],
        variables: Mapping[str, str],
        facts: MachineFacts,
        dialect: Dialect,
        neighbours: Neighbours,
    ) -> None:
        """`variables` are those of `cron_variables` for these settings."""
        self.entry = entry
        self.settings = settings
        self.variables = variables
        self.facts = facts
        self.dialect = dialect
        self.neighbours = neighbours
        self.command: str = entry.command
        """The command with its standard input, without tag and recorder."""
        self.schedule: Schedule = entry.meaning
        reading = read_command(self.command, tuple(variables.items()), dialect)
        self.proper = reading.proper
        """The command up to the first unescaped `%`."""
        self.stdin = reading.stdin
        """The rest of the command."""
        self.given = reading.given
        """The command that cron gives to the shell."""
        self._offsets = reading.offsets
        self.script: Script = reading.script
        """The command as the shell reads it; empty for a very long command."""
        self.words: tuple[Word, ...] = reading.script.words
        self.calls: Calls = reading.calls
        self.programs = reading.programs
        """The names of all programs, without their folders."""
        self.program_files = tuple(self._program_files())
        """The files of the programs that this user starts, where they exist."""
        self.absolute_paths = reading.absolute_paths
        """The absolute paths that the words of the command name, those of options included."""

    @property
    def shell(self) -> str:
        """The SHELL of the entry."""
        return self.variables["SHELL"]

    @property
    def path(self) -> str:
        """The PATH of the entry."""
        return self.variables["PATH"]

    @property
    def shell_program(self) -> str:
        """The name of the program that SHELL really is; empty when it is not known."""
        if real := self.facts.shells.get(self.shell):
            return real.rsplit("/", 1)[-1]
        name = self.shell.rsplit("/", 1)[-1]
        return "" if name == "sh" else name

    @property
    def is_recorded(self) -> bool:
        """Whether PiTasker keeps the output of its runs."""
        return self.entry.recording.on

    def _program_files(self) -> Iterator[tuple[Call, FileFacts]]:
        for call in self.calls.calls:
            file = self.file(self.find_program(call))
            if file and not file.is_missing and not file.is_folder and not call.is_by_other_user:
                yield call, file

    def file(self, path: str | None) -> FileFacts | None:
        """The facts about a file; None if there are none."""
        return self.facts.files.get(path) if path else None

    def find_program(self, call: Call) -> str | None:
        """Where a program is, by its path or on cron's PATH; None when that is not known."""
        if "/" in call.name:
            return call.path
        if call.search is None:
            return None
        return self.facts.programs.get((call.name, call.search))

    def replace(self, label: str, start: int, end: int, text: str) -> Fix:
        """A fix that puts a text in the place of a piece of what the shell is given."""
        offsets = self._offsets
        first, last = (start, end) if offsets is None else (offsets[start], offsets[end])
        command = self.command
        return Fix(label, command=command[:first] + escape(text, self.dialect) + command[last:])


def size_with_tag(command: str) -> int:
    """Bytes of the command with a tag."""
    return len(encode(command)) + 51
