"""The command line: each command calls one function of the core and prints what it answers.

Exit codes: 0 all is well, 1 it was done but something needs a look (a conflict, a task that failed,
a health that is not green), 2 the command was not understood, 3 it was refused or failed, and
nothing was changed.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from pitasker_core import __version__
from pitasker_core.base import log, terminal
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import visible
from pitasker_core.cli import (
    access,
    crontab,
    crontabs,
    doctor,
    runs,
    schedules,
    server,
    sync,
    task_files,
    tasks,
    templates,
)
from pitasker_core.server.answers.problems import error_shape
from pitasker_core.server.answers.wire import as_json

_OF_NO_COMMAND = ("-h", "--help", "--version")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    try:
        code = _main(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads our output has seen enough, as `head` has. What is done is done; the exit
        # code is that of a program which SIGPIPE ended. Python would try to write once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    return code


def _main(argv: Sequence[str] | None) -> int:
    # A name or command may hold bytes that are not UTF-8, or the terminal may not be.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    parser = _parser()
    given = list(sys.argv[1:] if argv is None else argv)
    if not given or (given[0].startswith("-") and given[0] not in _OF_NO_COMMAND):
        given.insert(0, "up")  # without a command it serves, and `--port` is for that
    words, others = parser.parse_known_args(given)
    words.arguments = others
    if others and not words.takes_others:
        parser.error(f"not understood: {' '.join(others)}")
    environment = Environment.from_environment()
    try:
        environment.check_home()
        log.start(environment, terminal=words.logs_to_terminal)  # the others say what failed
        answer = words.run(environment, words)
    except PiTaskerError as problem:
        if words.json:
            terminal.print_json(error_shape(problem))
        else:
            terminal.complain(f"pitasker: {problem.user_message}")
        return 3
    except KeyboardInterrupt:
        return 130
    if isinstance(answer, int):
        return answer
    if words.json:
        terminal.print_json(as_json(answer.data))
    elif answer.text:
        terminal.say(answer.text)
    return 0 if answer.in_order else 1


class _Parser(argparse.ArgumentParser):
    """Repeats what was typed, or put into a script, as nothing but text."""

    def _print_message(self, message: str, file: Any = None) -> None:
        super()._print_message(visible(message), file)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="pitasker",
        description="The front end to your crontab. Without a command: serve the dashboard.",
        epilog="Exit codes: 0 all is well; 1 done, but something needs a look; 2 not understood; "
        "3 refused or failed, and nothing was changed. "
        "For contributors: `./pitasker test` runs the tests (with --fast, those that need no "
        "database, server or browser); `./pitasker lint` checks format, style, types and imports.",
    )
    parser.add_argument("--version", action="version", version=f"PiTasker {__version__}")
    parser.set_defaults(takes_others=False, logs_to_terminal=False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for family in (
        server,
        access,
        sync,
        crontab,
        crontabs,
        tasks,
        task_files,
        templates,
        runs,
        doctor,
        schedules,
    ):
        family.add_to(commands)
    return parser
