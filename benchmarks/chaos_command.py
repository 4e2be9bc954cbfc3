"""Commands in processes of their own, for a chaos run.

A process that has imported the command line is forked for each command. So a command takes less
time than a new Python, and many fit into the run. It can be killed like any other.
"""

import multiprocessing
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pitasker_core.base import clock
from pitasker_core.cli import main

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(
    ["__main__", "chaos_command", "pitasker_core.cli.tasks", "pitasker_core.cli.sync"]
)


def start(words: list[str], output: Path, hours: float) -> multiprocessing.process.BaseProcess:
    """Start a command whose clock is some hours off. It writes its output and errors to files."""
    process = _context.Process(target=_run, args=(words, output, timedelta(hours=hours)))
    process.start()
    return process


def errors_of(output: Path) -> Path:
    """Return the file of the errors of a command."""
    return output.with_suffix(".errors")


def _run(words: list[str], output: Path, offset: timedelta) -> None:
    sys.stdout = output.open("w")
    sys.stderr = errors_of(output).open("w")
    clock.now = lambda: datetime.now(UTC) + offset
    sys.exit(main(words))
