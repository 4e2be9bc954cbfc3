"""docs/schedules.md has the phrases of the tests."""

import runpy
from pathlib import Path

from pitasker_core.crontab.phrases import LONGEST, read
from pitasker_core.crontab.schedule import describe, parse

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "schedules.md").read_text()


def test_the_tables_of_the_page_are_those_of_the_phrases() -> None:
    # `PYTHONPATH=. .venv/bin/python docs/schedules_table.py` writes them.
    assert runpy.run_path(str(DOCS / "schedules_table.py"))["page"]() == TEXT


def test_the_examples_of_the_rules_hold() -> None:
    assert read("every weekday at 7:30").schedule == "30 7 * * 1-5"
    assert describe(parse("30 7 * * 1-5")) == "Monday to Friday at 07:30"
    assert read("first Monday of the month").schedule == "0 0 */31,2-7 * 1"
    [last] = read("last day of the month").offers
    assert (last.schedule, f"{last.command_test}command" in TEXT) == ("0 0 28-31 * *", True)
    assert f"at most {LONGEST} characters" in TEXT
