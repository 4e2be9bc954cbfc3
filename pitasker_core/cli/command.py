import argparse
from collections.abc import Callable
from typing import TypeAlias

from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.cli.answer import Answer
from pitasker_core.cli.commands import HELP

ACTOR = Actor.COMMAND_LINE
"""The actor in the history."""

Words = argparse.Namespace

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def command(
    commands: Commands,
    name: str,
    run: Callable[[Environment, Words], Answer | int],
    text: str | None = None,
) -> argparse.ArgumentParser:
    """Declare a command and return its parser. `text` is needed only for commands of a group."""
    text = text or HELP[name]
    parser = commands.add_parser(name, help=text, description=text)
    switch(parser, "--json", "answer in JSON, for programs")
    parser.set_defaults(run=run)
    return parser


def group(commands: Commands, name: str) -> Commands:
    """Declare a command that has commands of its own."""
    parser = commands.add_parser(name, help=HELP[name])
    return parser.add_subparsers(title="commands", metavar="COMMAND", required=True)


def switch(parser: "argparse._ActionsContainer", name: str, text: str) -> None:
    """Declare an option that is on or off."""
    parser.add_argument(name, action="store_true", help=text)
