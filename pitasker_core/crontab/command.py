"""The end of a command, where its standard input begins, and its main program. Pure."""

import re

from pitasker_core.crontab.calls import FIRST_OPERAND, SHELLS, VALUED, VEHICLES, is_interpreter
from pitasker_core.crontab.shell import Step, read_script

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

    Preludes such as `cd`, and carriers such as `nice` and `sudo`, are skipped.
    """
    script = read_script(command[:_LONGEST])
    if script.unfinished:
        return None
    for step in script.steps:
        words = _values(step)
        if words and words[0] not in _PRELUDES and (name := _run_by(words)):
            return name
    return None


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
