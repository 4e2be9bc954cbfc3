"""Runs found by what they printed, with a limited amount of work."""

import pytest

from pitasker_core.runs import output_search
from pitasker_core.runs.output_search import search_output
from tests.helpers.examples import create
from tests.helpers.runs import ran


def runs(environment, words, **more):
    return [hit.run for hit in search_output(environment, words, **more)]


def test_the_newest_run_that_printed_the_text_comes_first(environment):
    task = create(environment)
    older = ran(environment, task, 20, output=b"one\nNo space left on device\n")
    newer = ran(environment, task, 10, output=b"no SPACE left")
    ran(environment, task, 5, output=b"all is well")
    assert runs(environment, "no space left") == [newer, older]
    assert runs(environment, "no space left", limit=1) == [newer]


def test_a_hit_has_the_line_and_the_name_of_its_task(environment):
    ran(environment, create(environment, "Photos"), output=b"one\nNo space\nthree")
    (hit,) = search_output(environment, "space")
    assert (hit.task_name, hit.line) == ("Photos", b"No space")


def test_a_run_of_an_unmanaged_entry_has_its_command_as_name(environment):
    ran(environment, None, command="/bin/copy", output=b"copied")
    (hit,) = search_output(environment, "copied")
    assert hit.task_name == "/bin/copy"


@pytest.mark.parametrize("words", ["100%", "a_b", "back\\slash", "it's", "grün", "(.*)"])
def test_every_character_of_the_text_stands_for_itself(environment, words):
    task = create(environment)
    run = ran(environment, task, 20, output=f"before {words} after".encode() + b"\xff\x00")
    ran(environment, task, 10, output=b"100 aXb backslash its gruen ")
    assert runs(environment, words) == [run]


@pytest.mark.parametrize("words", ["", "  ab ", "x" * 101])
def test_a_text_that_is_too_short_or_too_long_finds_nothing(environment, words):
    ran(environment, create(environment), output=b"ab" + b"x" * 101)
    assert runs(environment, words) == []


def test_only_a_limited_number_of_runs_is_searched(environment, monkeypatch):
    task = create(environment)
    ran(environment, task, 20, output=b"disk full")
    ran(environment, task, 10)
    assert len(runs(environment, "disk full")) == 1
    monkeypatch.setattr(output_search, "RUNS", 1)
    assert runs(environment, "disk full") == []


def test_only_a_limited_amount_of_output_is_searched(environment, monkeypatch):
    task = create(environment)
    ran(environment, task, 20, output=b"disk full")
    ran(environment, task, 10, output=b"x" * 1000)
    monkeypatch.setattr(output_search, "BYTES", 1000)
    assert runs(environment, "disk full") == []
