"""Write the usage and options of each command in docs/cli.md, from the command line's parsers.

PYTHONPATH=. .venv/bin/python docs/command_tables.py
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from pitasker_core.cli import make_parser
from pitasker_core.cli.commands import HELP

PAGE = Path(__file__).parent / "cli.md"
PART = re.compile(r"<!-- command: ([\w -]+) -->\n.*?<!-- end -->", re.DOTALL)
COMMON = ("--help", "--json")
"""Options that all commands have."""


def list_parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield each command, such as `token new`, with its parser. Groups alone are left out."""
    for name in HELP:
        parser = _commands(make_parser(name))[name]
        if inner := _commands(parser):
            yield from ((f"{name} {command}", inner[command]) for command in inner)
        else:
            yield name, parser


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def render(name: str, parser: argparse.ArgumentParser) -> str:
    """Return the usage of a command, and the table of its arguments and options."""
    rows = [
        _row(action) for action in parser._actions if not set(action.option_strings) & {*COMMON}
    ]
    usage = " ".join(parser.format_usage().removeprefix("usage: ").replace("[-h] ", "").split())
    lines = [f"{_sentence(parser.description)} Usage:", "", f"    ./{usage}", ""]
    if rows:
        lines += ["| argument | meaning |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def _sentence(text: str | None) -> str:
    return f"{(text or '').strip()[:1].upper()}{(text or '').strip()[1:]}."


def _row(action: argparse.Action) -> str:
    value = _value(action)
    names = [f"`{name}{f' {value}' if value else ''}`" for name in action.option_strings]
    names = names or [f"`{value}`"]
    text = (action.help or "") % {"default": action.default}
    return f"| {', '.join(names)} | {text} |"


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    if isinstance(action.metavar, tuple):
        return " ".join(action.metavar).replace("|", "\\|")
    if action.choices is not None:
        return "\\|".join(map(str, action.choices))
    plain = action.dest.upper() if action.option_strings else action.dest
    return (action.metavar or plain).replace("|", "\\|")


def page() -> str:
    """Return the page with the present tables."""
    parsers = dict(list_parsers())

    def part(match: re.Match[str]) -> str:
        name = match[1]
        return f"<!-- command: {name} -->\n\n{render(name, parsers[name])}\n<!-- end -->"

    return PART.sub(part, PAGE.read_text())


if __name__ == "__main__":
    PAGE.write_text(page())
