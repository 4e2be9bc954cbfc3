"""A crontab in a page's text field keeps every byte that a person did not edit."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.crontab.document import decode
from pitasker_core.crontab.editable import edited, shown

SAMPLES = sorted((Path(__file__).parents[1] / "crontabs").glob("*.crontab"))
FOREIGN = ["a\r", "b\udce9", "b\udce8", "c\0", "d\x1b", "e\x7f", "f\u202e", "␍", "�", "plain", ""]
texts = st.lists(st.sampled_from(FOREIGN) | st.text(st.characters(codec=None), max_size=5)).map(
    "\n".join
)


@given(texts)
def test_an_untouched_text_comes_back_exactly(text):
    assert edited(text, shown(text)) == text


@given(st.binary(max_size=60))
def test_untouched_bytes_come_back_exactly(data):
    assert edited(decode(data), shown(decode(data))) == decode(data)


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_an_untouched_sample_comes_back_exactly(file):
    text = decode(file.read_bytes())
    assert edited(text, shown(text)) == text


@given(texts)
def test_what_is_shown_can_be_held_by_a_page(text):
    assert not [c for c in shown(text).encode().decode() if c < " " and c not in "\t\n"]


def test_a_text_without_odd_characters_is_shown_as_it_is():
    text = "# Überwachung 🌡\n0\t5 * * * echo a\u00a0b\n"
    assert shown(text) == text


@given(texts, st.data())
def test_a_line_put_in_leaves_the_bytes_of_all_others(text, data):
    lines = text.split("\n")
    at = data.draw(st.integers(0, len(lines)))
    field = shown(text).split("\n")
    field.insert(at, "@daily new")
    assert edited(text, "\n".join(field)) == "\n".join([*lines[:at], "@daily new", *lines[at:]])


def test_a_line_changed_leaves_the_bytes_of_all_others():
    text = "caf\udce9\n0 5 * * * old\r\nb\0\n"
    assert edited(text, "caf�\n0 5 * * * new\nb␀\n") == "caf\udce9\n0 5 * * * new\nb\0\n"


def test_a_line_moved_keeps_its_bytes():
    assert edited("first\ncaf\udce9\n", "caf�\nfirst\n") == "caf\udce9\nfirst\n"


def test_a_line_with_foreign_bytes_can_be_removed():
    assert edited("caf\udce9\nother\n", "other\n") == "other\n"


@pytest.mark.parametrize("line", ["caf� au lait", "caf␍", "a �"])
def test_a_changed_line_with_a_stand_in_is_refused(line):
    with pytest.raises(InvalidSyntax, match=line):
        edited("caf\udce9\nother\n", f"{line}\nother\n")


def test_a_stand_in_is_an_ordinary_character_where_nothing_is_stood_in_for():
    assert edited("a\n", "␍ and �\n") == "␍ and �\n"


def test_lines_that_only_look_alike_keep_their_order():
    text = "b\udce9\nx\nb\udce8\n"
    assert edited(text, "b�\ny\nb�\n") == "b\udce9\ny\nb\udce8\n"


def test_a_removal_among_lines_that_only_look_alike_is_refused():
    with pytest.raises(InvalidSyntax):
        edited("b\udce9\nb\udce8\n", "b�\n")


def test_a_copy_of_a_line_has_its_bytes():
    assert edited("b\udce9\n", "b�\nb�\n") == "b\udce9\nb\udce9\n"


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_a_browsers_line_ends_become_line_feeds(end):
    assert edited("a\nb\n", f"a{end}c{end}") == "a\nc\n"
