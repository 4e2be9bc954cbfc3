"""The command line: each command calls one function of the core and prints its answer.

Exit codes: 0: success. 1: done, but something needs attention (a conflict, a failed task, a health
that is not green). 2: the command was not understood. 3: refused or failed; nothing was changed.
"""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from pitasker_core import __version__
from pitasker_core.base import terminal
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import visible
from pitasker_core.cli.command import Words
from pitasker_core.cli.commands import add_commands
from pitasker_core.server.answers.problems import error_shape
from pitasker_core.server.answers.wire import as_json

_WITHOUT_COMMAND = ("-h", "--help", "--version")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    try:
        code = _main(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader closed our output, as `head` does. Exit as a program that SIGPIPE ended. Python
        # would write to the closed pipe again at exit, so redirect standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    return code


def _main(argv: Sequence[str] | None) -> int:
    # A name or command may hold bytes that are not UTF-8, or the terminal may not be.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in _WITHOUT_COMMAND):
        arguments.insert(0, "up")  # options alone, such as `--port`, serve the dashboard
    parser = make_parser(arguments[0])
    words, others = parser.parse_known_args(arguments)
    words.arguments = others
    if others and not words.takes_others:
        parser.error(f"not understood: {' '.join(others)}")
    try:
        return _run(words)
    except KeyboardInterrupt:
        return 130


def _run(words: Words) -> int:
    environment = Environment.from_environment()
    try:
        environment.check_home()
        if words.logs_to_file:
            from pitasker_core.base import log  # importing it costs a third of a small command

            log.start(environment, terminal=words.logs_to_terminal)
        else:
            logging.getLogger().addHandler(logging.NullHandler())
        answer = words.run(environment, words)
    except PiTaskerError as problem:
        if words.json:
            terminal.print_json(error_shape(problem))
        else:
            terminal.complain(f"pitasker: {problem.user_message}")
        return 3
    if isinstance(answer, int):
        return answer
    if words.json:
        terminal.print_json(as_json(answer.data))
    elif answer.text:
        terminal.say(answer.text)
    return 0 if answer.in_order else 1


class _Parser(argparse.ArgumentParser):
    """A parser whose messages cannot control the terminal."""

    def _print_message(self, message: str, file: Any = None) -> None:
        super()._print_message(visible(message), file)


def make_parser(command: str | None = None) -> argparse.ArgumentParser:
    """Return the parser with the arguments of one command and the names of all commands."""
    parser = _Parser(
        prog="pitasker",
        description="The front end to your crontab. Without a command: serve the dashboard.",
        epilog="Exit codes: 0 success; 1 done, but something needs attention; 2 not understood; "
        "3 refused or failed, and nothing was changed. "
        "For contributors: `./pitasker test` runs the tests (with --fast: only the tests without "
        "database, server and browser); `./pitasker lint` checks format, style, types and imports; "
        "`./pitasker bench` measures the figures of this machine.",
    )
    parser.add_argument("--version", action="version", version=f"PiTasker {__version__}")
    parser.set_defaults(takes_others=False, logs_to_file=True, logs_to_terminal=False)
    # With `prog`, argparse formats no usage here and so does not import shutil and its packers.
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", prog=parser.prog)
    add_commands(commands, command)
    return parser
