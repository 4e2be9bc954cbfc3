"""The commands of the documents run, and answer as the documents show.

`./pitasker test tests/docs --write-docs -n 0` writes the real answers into the pages.
"""

import difflib

import pytest

from tests.helpers.documents import PAGES, read_blocks, read_examples
from tests.helpers.example_session import compare

RUN = ("console", "sh run", "crontab installed")
"""The blocks that are run: with answers, without, and a crontab to begin with."""

WITH_EXAMPLES = [
    page for page in PAGES if any(block.info in RUN for block in read_blocks(page.read_text()))
]


class Wrong(AssertionError):
    """An answer that a page does not show."""


def run_example(session, example):
    """Run a command; returns its real answer, or the shown text when that is right."""
    answer = session.run(example.command)
    if example.shown is None:
        assert session.code == 0, f"{example.command}\n{answer}"
        return None
    ids = compare(example.shown, answer)
    if ids is None:
        return answer
    session.learn(ids)
    return example.shown


def run_block(session, block):
    """The block with the real answers of its commands."""
    text = ""
    for example in read_examples(block):
        answer = run_example(session, example)
        text += f"$ {example.command}\n{answer}"
    return text if block.info == "console" else block.text


def run_page(session, crontab, page):
    """The page with the real answers of all its commands."""
    parts, end = [], 0
    for block in read_blocks(page):
        if block.info == "crontab installed":
            crontab.write(session.real(block.text).encode())
        elif block.info in RUN:
            parts += [page[end : block.start], run_block(session, block)]
            end = block.end
    return "".join([*parts, page[end:]])


@pytest.mark.slow
@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: path.stem)
def test_the_commands_of_a_page_answer_as_it_shows(path, session, crontab, request):
    page = path.read_text()
    real = run_page(session, crontab, page)
    if request.config.getoption("--write-docs"):
        path.write_text(real)
    difference = difflib.unified_diff(page.splitlines(), real.splitlines(), "shown", "real", n=4)
    assert real == page, "\n".join(difference)
