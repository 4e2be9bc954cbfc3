"""One word for one thing: pages, help and API use the words of the glossary."""

import ast
import re
from pathlib import Path

import pytest

from pitasker_core.cli import make_parser
from pitasker_core.cli.commands import COMMANDS
from pitasker_core.dashboard import states
from pitasker_core.tasks import State

ROOT = Path(__file__).parents[2]
WORDS = set(re.findall(r"\*\*([^*]+)\*\*", (ROOT / "docs/glossary.md").read_text()))

OLD = re.compile(
    r"\b(adopt\w*|in step|give\w* back|(?:make|made|makes) up|worthless)\b"
    r"|\brelease[sd]? (?:task|entr)",
    re.IGNORECASE,
)
"""Old words for import, in sync, stop managing, catch up and revoke."""

TEXTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SOURCES = [
    *sorted((ROOT / "pages").glob("*.py")),
    *sorted((ROOT / "pitasker_core/dashboard").glob("*.py")),
    *sorted((ROOT / "pitasker_core/cli").glob("*.py")),
    *sorted((ROOT / "pitasker_core/server/api").glob("*.py")),
    *sorted((ROOT / "pitasker_core/server/answers").glob("*.py")),
    *sorted((ROOT / "pitasker_core/reports").rglob("*.py")),
]


def strings(file):
    """Yield the texts of a program that people may read. The API shows docstrings too."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.value


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.name)
def test_documents_use_no_old_words(file):
    assert OLD.findall(file.read_text()) == []


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_pages_and_answers_use_no_old_words(file):
    assert [text for text in strings(file) if OLD.search(text)] == []


def test_an_old_word_would_be_noticed():
    assert OLD.search("These tasks are not in step.")
    assert OLD.search("Adopted 3 entries")


def test_states_are_in_the_glossary():
    shown = {*states.SYNC, *states.RUN, *(text for text, _, _ in states.HEALTH.values())}
    assert shown | set(State) <= WORDS


@pytest.mark.parametrize("family", COMMANDS)
def test_help_uses_no_old_words(family):
    for command in COMMANDS[family]:
        parser = make_parser(command)
        choices = next(iter(parser._subparsers._group_actions)).choices
        assert OLD.findall(choices[command].format_help()) == []


def test_acts_are_commands_or_their_help():
    declared = [pair for texts in COMMANDS.values() for pair in texts.items()]
    helps = " ".join(f"{name} {text}" for name, text in declared)
    for word in ("sync", "import", "stop-managing", "export", "restore", "snapshot", "unmanaged"):
        assert word in helps


def test_descriptions_of_the_api_use_no_old_words():
    from pitasker_core.server.api.app import make

    assert OLD.findall(str(make().openapi())) == []
