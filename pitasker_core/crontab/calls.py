"""The programs that one line of shell runs, and the files that it names for them. Pure.

Only what is certain is listed: a value that depends on the run is left out.
"""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pitasker_core.crontab.inner_commands import READ_SHELLS, InnerCommand, inner_command, moved
from pitasker_core.crontab.shell import Redirection, Script, Step, read_script
from pitasker_core.crontab.shell_words import Word
from pitasker_core.crontab.vehicles import (
    OTHER_USER,
    SHELLS,
    VEHICLES,
    behind_options,
    is_interpreter,
)

BUILT_IN = frozenset(
    {"cd", "test", "[", "[[", "echo", "export", "set", "unset", "exec", "eval", "true", "false"}
    | {".", "source", ":", "umask", "exit", "command", "printf", "read", "trap", "wait", "type"}
    | {"ulimit", "alias", "hash", "return", "shift", "kill", "pwd", "local", "times", "getopts"}
    | {"builtin", "declare", "let", "shopt", "pushd", "popd", "typeset", "break", "continue", "in"}
    | {"readonly", "jobs", "bg", "fg", "disown", "mapfile", "readarray", "dirs", "enable", "caller"}
    | {"compgen", "complete", "compopt", "fc", "history", "suspend", "logout", "bind", "help"}
)
"""Commands that are built into the shell, including those of bash."""

_SETS = re.compile(r"[A-Za-z_]\w*\+?=")
_TESTS = frozenset({"test", "[", "[[", "type", "hash"})
_TESTING_PROGRAMS = frozenset({"which", "mountpoint"})


# Tuples: a crontab has thousands of these, and a frozen dataclass takes three times as long.
class Call(NamedTuple):
    """A program that a step runs, with its arguments."""

    program: Word
    name: str
    """The program with variables and `~` replaced."""
    arguments: tuple[Word, ...]
    folder: str | None
    """Where it starts; None when that is not certain."""
    vehicles: tuple[str, ...]
    """The names of the programs that run it, such as `sudo`."""
    is_certain: bool
    """Whether the line relies on it: it is no fallback, and nothing tests for it first."""
    search: str | None
    """The PATH on which it is looked up; None when that is not certain."""

    @property
    def base(self) -> str:
        """The last part of its name."""
        return self.name.rsplit("/", 1)[-1]

    @property
    def is_by_other_user(self) -> bool:
        """Whether another user than the crontab's runs it."""
        return not OTHER_USER.isdisjoint(self.vehicles)

    @property
    def path(self) -> str | None:
        """Its path, if it is given as a path."""
        return join(self.folder, self.name) if "/" in self.name else None


class NamedFile(NamedTuple):
    """A file or folder that the line names."""

    word: Word
    path: str
    """Absolute."""
    is_certain: bool
    is_by_other_user: bool = False
    by: str = ""
    """The program that reads it; empty for the shell."""
    is_relative: bool = False


class Calls(NamedTuple):
    """The programs of a line and its files, in the order in which they stand."""

    calls: tuple[Call, ...] = ()
    folders: tuple[NamedFile, ...] = ()
    """Folders that it enters by `cd`."""
    scripts: tuple[NamedFile, ...] = ()
    """Scripts that it gives to an interpreter, or reads by `.`."""
    outputs: tuple[NamedFile, ...] = ()
    """Files that the shell opens for writing before a program starts."""
    tested: frozenset[str] = frozenset()
    """Words of its tests, which it may rely on afterwards."""


_DOTS = re.compile(r"/(?=\.{0,2}(?:/|$))")
"""A slash before `.`, `..`, another slash or the end: what `normpath` changes."""


def join(folder: str | None, path: str) -> str | None:
    """The absolute path of a name in a folder; None when the folder is not certain."""
    if path.startswith("/"):
        return path
    if folder is None:
        return None
    joined = posixpath.join(folder, path)
    return posixpath.normpath(joined) if _DOTS.search(joined) else joined


def read_calls(script: Script, variables: Mapping[str, str]) -> Calls:
    """The programs and files of a line that starts with these variables, in the folder HOME.

    Empty for a line with loops, `case` or functions: not every step of it is a command.
    """
    if script.is_compound:
        return Calls()
    walk = _Walk({**variables}, variables.get("HOME"))
    for step in script.steps:
        walk.take(step)
    return walk.done()


@dataclass
class _Walk:
    """Goes through the steps as the shell does."""

    variables: dict[str, str]
    folder: str | None
    calls: list[Call] = field(default_factory=list)
    folders: list[NamedFile] = field(default_factory=list)
    scripts: list[NamedFile] = field(default_factory=list)
    outputs: list[NamedFile] = field(default_factory=list)
    tested: set[str] = field(default_factory=set)
    is_fallback: bool = False
    outer: list[str | None] = field(default_factory=list)
    inherited: tuple[str, ...] = ()
    """The programs that run the shell of these steps: empty for cron's own shell."""
    is_certain_at_all: bool = True
    """Whether the line relies on the shell of these steps."""
    present: tuple[Word, ...] = ()
    """The assignments and words of the present step."""

    def done(self) -> Calls:
        return Calls(
            tuple(self.calls),
            tuple(self.folders),
            tuple(self.scripts),
            tuple(self.outputs),
            frozenset(self.tested),
        )

    def take(self, step: Step) -> None:
        if step.before in ("||", "else", "elif"):
            self.is_fallback = True
        elif step.before in ("", ";", "&", "(", "then", "do"):
            self.is_fallback = False
        if step.before == "(":
            self.outer.append(self.folder)
        self.present = (*step.assignments, *step.words)
        search = self.variables.get("PATH")
        for assignment in step.assignments:
            name = assignment.source.partition("=")[0].rstrip("+")
            # The new value holds for this command, or from here on.
            if name == "PATH":
                search = None
            if not step.words:
                self.variables.pop(name, None)
        self._redirect(step.redirections)
        self._run(list(step.words), search, ())
        if step.after == ")" and self.outer:
            self.folder = self.outer.pop()

    def _redirect(self, redirections: tuple[Redirection, ...]) -> None:
        if self._is_of_other_user(()):
            return
        for redirection in redirections:
            if redirection.writes and redirection.target:
                self._name(self.outputs, redirection.target)

    def _name(
        self, files: list[NamedFile], word: Word, by: str = "", vehicles: tuple[str, ...] = ()
    ) -> None:
        value = word.expanded(self.variables)
        path = join(self.folder, value) if value else None
        if path and value:
            files.append(
                NamedFile(
                    word,
                    path,
                    self._is_certain(value, path),
                    self._is_of_other_user(vehicles),
                    by,
                    not value.startswith("/"),
                )
            )

    def _is_certain(self, *names: str | None) -> bool:
        is_relied_on = self.is_certain_at_all and not self.is_fallback
        return is_relied_on and self.tested.isdisjoint(names)

    def _is_of_other_user(self, vehicles: tuple[str, ...]) -> bool:
        return not OTHER_USER.isdisjoint((*self.inherited, *vehicles))

    def _run(self, words: list[Word], search: str | None, vehicles: tuple[str, ...]) -> None:
        """Record the program that these words run, and the one that it runs in turn."""
        while words:
            program, *rest = words
            name = program.expanded(self.variables)
            if not name:
                return
            if name in BUILT_IN and not vehicles:
                inner = self._built_in(name, rest)
                if inner is None:
                    return
                words = inner
                continue
            base = name.rsplit("/", 1)[-1]
            path = join(self.folder, name)
            certain = self._is_certain(name, base, path)
            self.calls.append(
                Call(
                    program,
                    name,
                    tuple(rest),
                    self.folder,
                    (*self.inherited, *vehicles),
                    certain,
                    search,
                )
            )
            if base in _TESTING_PROGRAMS:
                self._test(rest)
            if is_interpreter(base):
                self._script(base, rest, vehicles)
            if base in READ_SHELLS and (command := inner_command(rest)):
                self._walk_inner(command, search, vehicles, certain)
            if base not in VEHICLES:
                return
            vehicles = (*vehicles, base)
            if base in OTHER_USER:
                search = None  # it has a PATH of its own
            words, changes_path = behind_options(base, rest)
            search = None if changes_path else search

    def _walk_inner(
        self, command: InnerCommand, search: str | None, vehicles: tuple[str, ...], certain: bool
    ) -> None:
        """Go through the steps that another shell takes from `-c`, with what it inherits."""
        script = read_script(command.text)
        if script.is_compound or script.unfinished:
            return
        assigned = {
            word.source.partition("=")[0] for word in self.present if _SETS.match(word.source)
        }
        variables = {
            name: value
            for name, value in self.variables.items()
            if name not in assigned and not command.reads_profile
        }
        if search is None:
            variables.pop("PATH", None)
        inherited = (*self.inherited, *vehicles)
        if not OTHER_USER.isdisjoint(inherited):
            variables = {}  # sudo sets its own
        inner = replace(
            self,
            variables=variables,
            is_fallback=False,
            outer=[],
            inherited=inherited,
            is_certain_at_all=certain,
        )
        for step in script.steps:
            inner.take(moved(step, command.start))

    def _built_in(self, name: str, rest: list[Word]) -> list[Word] | None:
        """Follow a built-in command of the shell. Return the words that it runs, if any."""
        if name == "cd" and self._is_of_other_user(()):
            self.folder = None
        elif name == "cd":
            self._enter(rest)
        elif name in _TESTS or (name == "command" and rest and rest[0].source.startswith("-")):
            self._test(rest)
        elif name in (".", "source") and rest:
            value = rest[0].expanded(self.variables)
            if value and "/" in value:
                self._name(self.scripts, rest[0])
            # It may set anything.
            self.variables.clear()
        elif name in ("export", "unset", "read", "eval", "declare", "local", "typeset"):
            for word in rest:
                self.variables.pop(word.source.partition("=")[0], None)
            if name == "eval":
                self.variables.clear()
        elif name in ("exec", "command", "builtin"):
            return rest
        return None

    def _enter(self, rest: list[Word]) -> None:
        operands = [word for word in rest if word.source not in ("-P", "-L", "--")]
        if len(operands) != 1:
            self.folder = self.variables.get("HOME") if not operands else None
            return
        value = operands[0].expanded(self.variables)
        if value and value != "-":
            self._name(self.folders, operands[0], "cd")
            self.folder = join(self.folder, value)
        else:
            self.folder = None

    def _test(self, rest: list[Word]) -> None:
        for word in rest:
            if value := word.expanded(self.variables):
                self.tested |= {value, value.rsplit("/", 1)[-1]}
                if path := join(self.folder, value):
                    self.tested.add(path)

    def _script(self, interpreter: str, rest: list[Word], vehicles: tuple[str, ...]) -> None:
        for word in rest:
            source = word.source
            if re.fullmatch(r"-\w*[cem]", source) and not re.fullmatch(r"-\w*e", source):
                return
            if source == "-e" and interpreter not in SHELLS:
                return
            if not source.startswith("-"):
                # A bare word may belong to an option before it.
                if "/" in source or "." in source:
                    self._name(self.scripts, word, interpreter, vehicles)
                return
