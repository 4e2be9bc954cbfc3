"""docs/cli.md has every command and option, and no document has one that does not exist."""

import re
import runpy
import shlex
from functools import cache

import pytest

from pitasker_core.cli import make_parser
from pitasker_core.cli.commands import HELP
from tests.helpers.documents import DOCS, PAGES, PROJECT, read_blocks, read_commands, read_examples

SCRIPT = runpy.run_path(str(DOCS / "command_tables.py"))
CLI = (DOCS / "cli.md").read_text()
HEADINGS = re.findall(r"^### `(.+)`$", CLI, re.MULTILINE)
LAUNCHER = (PROJECT / "pitasker").read_text().split("case ${1:-up} in")[1]
OF_LAUNCHER = {name for names in re.findall(r"^([a-z|]+)\)$", LAUNCHER, re.MULTILINE)
               for name in names.split("|")} - {"demo"}  # fmt: skip


@cache
def parsers():
    """Return the parser of each command by its name."""
    return dict(SCRIPT["list_parsers"]())


def test_the_tables_of_options_are_those_of_the_parsers():
    # `PYTHONPATH=. .venv/bin/python docs/command_tables.py` writes them.
    assert SCRIPT["page"]() == CLI


def test_every_command_has_a_section_and_a_table():
    assert sorted(HEADINGS) == sorted(parsers())
    assert re.findall(r"<!-- command: (.+) -->", CLI) == HEADINGS


@pytest.mark.parametrize("name", HEADINGS)
def test_the_section_of_a_command_has_an_example(name):
    section = re.split(r"^##+ ", CLI.split(f"### `{name}`\n")[1], flags=re.MULTILINE)[0]
    commands = [
        example.command for block in read_blocks(section) for example in read_examples(block)
    ]
    commands += [line for block in read_blocks(section) for line in block.text.splitlines()]
    assert any(f"./pitasker {name}" in command for command in commands)


def wrong_words(command):
    """The words of a command that its parser does not have."""
    words = shlex.split(command, comments=True)[1:]
    if not words or words[0] in OF_LAUNCHER or words[0].startswith("-"):
        return []
    if words[0] not in HELP:
        return words[:1]
    name = words[0] if words[0] in parsers() else " ".join(words[:2])
    if name not in parsers():
        return words[:2]
    parser = parsers()[name]
    options = {option for action in parser._actions for option in action.option_strings}
    takes_others = name == "psql"
    given = {word.split("=")[0] for word in words if word.startswith("--")}
    return [] if takes_others else sorted(given - options)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_only_commands_and_options_that_exist(page):
    if page.name == "CHANGELOG.md":
        return  # it also names those of earlier versions
    text = SCRIPT["PART"].sub("", page.read_text())
    commands = list(read_commands(text))
    wrong = {command: words for command in commands if (words := wrong_words(command))}
    assert wrong == {}


def test_a_wrong_command_or_option_is_noticed():
    assert wrong_words("./pitasker synchronise") == ["synchronise"]
    assert wrong_words("./pitasker sync --force") == ["--force"]
    assert wrong_words("./pitasker token make x") == ["token", "make"]


def test_options_without_a_command_are_those_of_up():
    assert make_parser("up").parse_args(["up", "--port", "8502"]).port == 8502
