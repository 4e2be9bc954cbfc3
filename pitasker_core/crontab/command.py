"""What a command starts, as far as one can tell without being its shell. Pure."""

import re
import shlex
from dataclasses import dataclass

_PLAIN_WORD = re.compile(r"[\w./+@:,-]+")
_BUILT_IN = frozenset(
    {"cd", "test", "[", "echo", "export", "set", "unset", "exec", "eval", "true", "false", "if"}
    | {"for", "while", "until", "case", ".", ":", "umask", "exit", "command", "printf", "read"}
    | {"trap", "wait", "type", "ulimit", "{"}
)
SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "zsh"})
_INTERPRETER = re.compile(r"(?:python|perl|ruby|php|node|lua)[\d.]*")
_ASSIGNMENT = re.compile(r"\w+=.*", re.DOTALL)


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


_LONGEST = 10_000
"""Characters that are read: the words of a longer command take time by its square."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a command does first. None and empty for what is not there or cannot be told."""

    program: str | None = None
    """As it is written; what is built into the shell is no program."""
    script: str | None = None
    """The file that the program, an interpreter, is to run."""
    folder: str | None = None
    """Where it goes by `cd` before that."""
    outputs: tuple[str, ...] = ()
    """Files that the shell must be able to write before it starts the program."""
    paths: tuple[str, ...] = ()
    """Every absolute path that the whole command names."""
    uses_sudo: bool = False
    redirects_both: bool = False
    """It holds `&>`, which bash knows, and which in a POSIX shell is `&` and another redirection:
    the command then runs in the background, and prints where it did before."""


def read(command: str) -> Reading:
    """Read a command as the shell gets it: without standard input, and without cron's escapes.

    Only the first program is told, and the one behind a `cd`: whether the shell comes to any other
    depends on how those before it end. Nothing is told of a very long command.
    """
    if len(command) > _LONGEST:
        return Reading()
    try:
        words = _words(command)
    except ValueError:  # a quote is left open
        return Reading()
    steps = _steps(words)
    folder = None
    if steps[0][:1] == ["cd"] and len(steps) > 1:
        target, *steps = steps
        folder = target[1] if len(target) == 2 and _PLAIN_WORD.fullmatch(target[1]) else None
    step, outputs = _redirected(steps[0])
    while step and _ASSIGNMENT.fullmatch(step[0]):
        step = step[1:]
    known = bool(step) and _PLAIN_WORD.fullmatch(step[0]) and step[0] not in _BUILT_IN
    program = step[0] if known else None
    return Reading(
        program,
        _script(program, step[1:]) if program else None,
        folder,
        outputs,
        tuple(word for word in words if word[0:1] == "/" and _PLAIN_WORD.fullmatch(word)),
        "sudo" in words,
        bool({"&>", "&>>"} & set(words)),
    )


_FIRST_OPERAND = frozenset({"timeout", "flock", "chrt", "taskset"})
"""Vehicles whose first operand is not what they run."""
_VALUED = {
    "nice": ("-n", "--adjustment"),
    "ionice": ("-c", "-n", "-p", "--class", "--classdata"),
    "sudo": ("-u", "-g", "-h", "-p", "-C", "-D", "--user", "--group"),
    "env": ("-u", "-C", "--unset", "--chdir"),
    "timeout": ("-s", "-k", "--signal", "--kill-after"),
    "flock": ("-w", "-E", "--timeout", "--conflict-exit-code"),
}
"""Options of vehicles that take the next word."""
_VEHICLES = _FIRST_OPERAND | SHELLS | {*_VALUED, "exec", "nohup", "setsid", "time"}
"""Programs that run another one."""
_PRELUDES = frozenset(
    {"cd", "test", "[", "export", "set", "umask", "ulimit", "sleep", ":", "true", "if", "{", "."}
)
"""What stands before the program that a command is about."""


def main_program(command: str) -> str | None:
    """The name of the program that a command is about, or None when it cannot be told.

    It is looked for behind preludes such as `cd`, and behind `nice`, `sudo` and their like.
    """
    try:
        steps = _steps(_words(command))
    except ValueError:  # a quote is left open
        return None
    for step in steps:
        words, _ = _redirected(step)
        if words and words[0] not in _PRELUDES and (name := _run_by(words)):
            return name
    return None


def _run_by(words: list[str]) -> str | None:
    """The name of the program that these words run, behind all that only runs another one."""
    vehicle, skips = "", 0
    rest = iter(words)
    for word in rest:
        name = word.rsplit("/", 1)[-1]
        if word.startswith("-"):
            if vehicle in SHELLS | {"flock"} and re.fullmatch(r"-\w*c|--command", word):
                return main_program(next(rest, ""))
            if is_interpreter(vehicle) and word in ("-c", "-e"):
                return vehicle
            if word in _VALUED.get(vehicle, ()):
                next(rest, None)
        elif skips:
            skips -= 1
        elif _ASSIGNMENT.fullmatch(word):
            continue
        elif name in _VEHICLES or is_interpreter(name):
            vehicle, skips = name, int(name in _FIRST_OPERAND)
        else:
            is_program = _PLAIN_WORD.fullmatch(word) and name[:1].isalnum() and not name.isdecimal()
            return name if is_program else None
    return vehicle or None


def _words(command: str) -> list[str]:
    reader = shlex.shlex(command, posix=True, punctuation_chars=True)
    reader.whitespace_split = True
    reader.commenters = ""
    return list(reader)


def _steps(words: list[str]) -> list[list[str]]:
    """The words up to each operator that ends a command."""
    steps: list[list[str]] = [[]]
    for word in words:
        if word and set(word) <= set("&|;()"):
            steps.append([])
        else:
            steps[-1].append(word)
    return steps


def _redirected(step: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """The words without redirections, and the files that are written by them."""
    kept: list[str] = []
    outputs = []
    words = iter(step)
    for word in words:
        if word and set(word) <= set("<>&|"):
            target = next(words, "")
            if kept and kept[-1].isdecimal():
                kept.pop()  # the number of what is redirected
            if ">" in word and _PLAIN_WORD.fullmatch(target) and not target.isdecimal():
                outputs.append(target)
        else:
            kept.append(word)
    return kept, tuple(outputs)


def is_interpreter(program: str) -> bool:
    """Whether a program reads and runs the file that it is given, which need not be executable."""
    name = program.rsplit("/", 1)[-1]
    return name in SHELLS or _INTERPRETER.fullmatch(name) is not None


def _script(program: str, arguments: list[str]) -> str | None:
    if not is_interpreter(program):
        return None
    for word in arguments:
        if word in ("-c", "-e", "-m"):
            return None
        if not word.startswith("-"):
            # A bare word may belong to an option before it.
            is_file = _PLAIN_WORD.fullmatch(word) and ("/" in word or "." in word)
            return word if is_file else None
    return None
