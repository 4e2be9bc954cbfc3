"""docs/troubleshooting.md quotes messages that PiTasker has."""

import ast
import re
from functools import cache

import pytest

from tests.helpers.documents import DOCS, PROJECT

PAGE = (DOCS / "troubleshooting.md").read_text()
CELLS = re.findall(r"^\| ([A-Z`][^|]*?) \| .*\|$", PAGE, re.MULTILINE)
VARIABLE = r"`[^`]*`|…|\bN\b|\b\d+\b|\bcrontab on\b"


@cache
def read_texts():
    """All texts of the programs; what an f-string fills in is a zero byte."""
    return " ".join("\0".join(find_texts()).split())


def find_texts():
    for folder in ("pitasker_core", "pages"):
        for path in sorted((PROJECT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
    yield (PROJECT / "pitasker").read_text()


@pytest.mark.parametrize("cell", CELLS)
def test_a_message_of_the_page_is_one_of_pitasker(cell):
    parts = [part.strip(" :.") for part in re.split(VARIABLE, cell)]
    assert [part for part in parts if part not in read_texts()] == []
