"""How a command is declared: its name, what runs it, and the sentence that says what it does."""

import argparse
from collections.abc import Callable
from typing import TypeAlias

from pitasker_core.base.environment import Environment
from pitasker_core.cli.answer import Answer

ACTOR = "command line"
"""Who did it, in the history."""

Words = argparse.Namespace

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def command(
    commands: Commands, name: str, run: Callable[[Environment, Words], Answer | int], text: str
) -> argparse.ArgumentParser:
    """Declare a command; its arguments are added to what is returned."""
    one = commands.add_parser(name, help=text, description=text)
    one.add_argument("--json", action="store_true", help="answer in JSON, for programs")
    one.set_defaults(run=run)
    return one


def group(commands: Commands, name: str, text: str) -> Commands:
    """Declare a command that has commands of its own."""
    one = commands.add_parser(name, help=text)
    return one.add_subparsers(title="commands", metavar="COMMAND", required=True)
