"""The end of a command, where its standard input begins, and its main program. Pure."""

import re
from collections.abc import Iterator

from pitasker_core.crontab.shell import Step, read_script
from pitasker_core.crontab.vehicles import FIRST_OPERAND, SHELLS, VALUED, VEHICLES, is_interpreter

_PLAIN_WORD = re.compile(r"[\w./+@:,-]+")
_PROPER = re.compile(r"(?:[^\\%]++|\\.)*+", re.DOTALL)
_ASSIGNMENT = re.compile(r"\w+=.*", re.DOTALL)
_LONGEST = 10_000
"""Characters of a command that are searched for its program."""
_CARRIERS = VEHICLES | SHELLS | {"exec"}
"""Programs that run another program."""
_PRELUDES = frozenset(
    {"cd", "test", "[", "export", "set", "umask", "ulimit", "sleep", ":", "true", "if", "{", "."}
)
"""Words that precede the program that a command is about."""
_TOOLS = frozenset(
    {"find", "rm", "cp", "mv", "tar", "rsync", "curl", "wget", "cat", "chmod", "chown", "touch"}
    | {"mkdir", "ln", "scp", "ssh", "run-parts", "gzip", "zip", "grep", "sed", "awk", "ls", "du"}
)
"""General tools: their name alone does not say what a command is about."""
_EXECUTES = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
"""Options of `find` that run the program behind them."""
_TITLE_LIMIT = 60
"""Characters of a tool's name with its operand."""
_WORD_LIMIT = 50
"""Characters of a word that tells two commands apart."""


def split_stdin(command: str) -> tuple[str, str]:
    """Return the command proper, and the rest from the first unescaped `%` on: standard input.

    cron's scan has two states: a backslash takes the next character with it, so in `a\\\\%b` the
    `%` splits.
    """
    if "%" not in command:
        return command, ""
    match = _PROPER.match(command)
    end = match.end() if match else 0
    return (command[:end], command[end:]) if command[end : end + 1] == "%" else (command, "")


def main_program(command: str) -> str | None:
    """Return the name of the program that a command is about, or None if that is unclear.

    Preludes such as `cd`, and carriers such as `nice` and `sudo`, are skipped. A general tool is
    named with the first path that it gets, as in `find /tmp`.
    """
    script = read_script(command[:_LONGEST])
    if script.unfinished:
        return None
    for step in script.steps:
        words = _values(step)
        if not words or words[0] in _PRELUDES:
            continue
        name = _run_by(words)
        if name and name not in _PRELUDES:
            return _with_operand(name, words) if name in _TOOLS else name
    return None


def plain_words(command: str) -> Iterator[str]:
    """Yield the short words of a command, but not options and addresses with a password."""
    for step in read_script(command[:_LONGEST]).steps:
        for word in _values(step):
            is_short = len(word) <= _WORD_LIMIT and _PLAIN_WORD.fullmatch(word)
            if is_short and not word.startswith("-") and not ("://" in word and "@" in word):
                yield word


def _with_operand(tool: str, words: list[str]) -> str:
    """Return the program that `find` runs, or else the tool with its first path."""
    at = next((i for i, word in enumerate(words) if word.rsplit("/", 1)[-1] == tool), 0)
    rest = words[at + 1 :]
    for place, word in enumerate(rest):
        if tool == "find" and word in _EXECUTES:
            program = _run_by(rest[place + 1 :])
            if program and program not in _TOOLS:
                return program
    path = next((word for word in rest if "/" in word and not word.startswith("-")), "")
    title = f"{tool} {path}".strip()
    is_short = len(title) <= _TITLE_LIMIT and _PLAIN_WORD.fullmatch(path)
    return title if is_short else tool


def _values(step: Step) -> list[str]:
    """Return the words without their quotes. An expansion stays as it is written."""
    return [word.source if word.literal is None else word.literal for word in step.words]


def _run_by(words: list[str]) -> str | None:
    """Return the name of the program that these words run, without its carriers."""
    carrier, skips = "", 0
    rest = iter(words)
    for word in rest:
        name = word.rsplit("/", 1)[-1]
        if word.startswith("-"):
            if carrier in SHELLS | {"flock"} and re.fullmatch(r"-\w*c|--command", word):
                return main_program(next(rest, ""))
            if is_interpreter(carrier) and word in ("-c", "-e"):
                return carrier
            if word in VALUED.get(carrier, ()):
                next(rest, None)
        elif skips:
            skips -= 1
        elif _ASSIGNMENT.fullmatch(word):
            continue
        elif name in _CARRIERS or is_interpreter(name):
            carrier, skips = name, int(name in FIRST_OPERAND)
        else:
            is_program = _PLAIN_WORD.fullmatch(word) and name[:1].isalnum() and not name.isdecimal()
            return name if is_program else None
    return carrier or None
