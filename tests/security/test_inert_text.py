"""Text from outside appears on a page as it is."""

import html

import pandas as pd
from hypothesis import example, given
from hypothesis import strategies as st

from pitasker_core.base.text import Code, Text, marked, visible
from pitasker_core.dashboard import charts
from pitasker_core.dashboard.cells import inert, sentence
from pitasker_core.dashboard.markdown import bold, code, plain
from tests.security.markdown import becomes_something, drawn, text_of

PIECES = [
    "![x](http://127.0.0.1:1/steal.png)",
    "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](https://evil.example)",
    "https://evil.example/x",
    "http://x",
    "www.evil.example",
    "WWW.x",
    "someone@evil.example",
    "mailto:a@b.c",
    "[1]: http://x",
    "[^1]",
    ":red[x]",
    ":red-badge[x]",
    ":color[x]{foreground=red}",
    "::leaf[x]",
    ":::box",
    ":material/home:",
    ":material_home:",
    ":streamlit:",
    ":smile:",
    ":+1:",
    "12:34:56",
    "$x^2$",
    "$$x$$",
    "\\(x\\)",
    "&lt;&#60;&amp;",
    "**b**",
    "__b__",
    "~~s~~",
    "~",
    "# h",
    "- l",
    "1. l",
    "2) l",
    "> q",
    "| a | b |",
    "|---|---|",
    "===",
    "---",
    "***",
    "    code",
    "```",
    "~~~",
    "`",
    "``",
    "`x`",
    "->",
    "<-",
    "<->",
    "--",
    ">=",
    "<=",
    "~=",
    "\\",
    "\n",
    "\n\n",
    "\t",
    " ",
    "a",
    "x",
    "{}",
    "]",
    "[",
    "\u202e",
    "\u200b",
    "\x1b[2J",
    "\r",
    "é",
]
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=8).map("".join)

AROUND = [
    "{}",
    "Line 3: {}",
    "**{}** has been",
    ":red[{}]",
    "- {}",
    "“{}”, and more",
    ":red[:material/x: {}.]",
]


BLANKS = " \t\n"


def looks(text):
    """Return a text as a browser lays it out: runs of blanks become one."""
    return " ".join(visible(text).split())


def hostile(function):
    """The text that escaped an earlier version of the escaping."""
    return example("`![x](http://127.0.0.1:18659/steal.png)```")(
        example("a\n\n    ![x](http://127.0.0.1:18659/steal.png)")(given(texts)(function))
    )


@hostile
def test_a_text_from_outside_is_nothing_but_text(text):
    kinds, pieces = drawn(plain(text))
    assert not kinds
    assert not becomes_something(pieces)
    assert looks(text_of(pieces)) == looks(text)


@given(texts, st.sampled_from(AROUND))
def test_a_text_changes_nothing_of_what_is_around_it(text, around):
    kinds, pieces = drawn(around.format(plain(f"a{text}b")))
    assert (kinds, text_of(pieces).split("a")[0]) == (
        drawn(around.format("ab"))[0],
        text_of(drawn(around.format("ab"))[1]).split("a")[0],
    )
    ours = [piece for piece in pieces if ":material_x:" not in piece]
    assert not becomes_something(ours)


@given(texts, texts)
def test_two_texts_make_nothing_together(first, second):
    kinds, pieces = drawn(f"{plain(first)}: {plain(second)}")
    assert not kinds
    assert not becomes_something(pieces)
    assert looks(text_of(pieces)) == looks(f"{first.strip(BLANKS)}: {second.strip(BLANKS)}")


@hostile
def test_code_is_nothing_but_code(text):
    kinds, pieces = drawn(f"Run {code(text)}.")
    assert kinds <= {"code_inline"}
    assert not becomes_something(pieces)
    assert looks(text_of(pieces)) == looks(f"Run {text.strip(BLANKS)}.")


@given(texts)
def test_a_text_in_bold_is_nothing_but_bold(text):
    kinds, pieces = drawn(bold(f"x{text}x"))
    assert kinds == {"strong_open", "strong_close"}
    assert not becomes_something(pieces)


def test_what_we_wrote_as_code_is_code_and_backquotes_from_outside_are_characters():
    said = Text("`rm -rf` failed: run ", Code("./pitasker sync"), ".")
    kinds, pieces = drawn(plain(said))
    assert kinds == {"code_inline"}
    assert [piece[1:] for piece in pieces if piece.startswith("\0")] == ["./pitasker sync"]
    assert text_of(pieces) == "`rm -rf` failed: run ./pitasker sync."


@given(texts)
def test_a_label_of_a_chart_has_no_markup(text):
    assert "<" not in charts.label(text)
    assert html.unescape(charts.label(text)) == visible(text)


def test_a_cell_of_a_table_shows_what_nobody_sees():
    table = inert(pd.DataFrame({"name": ["a\u202egnp.exe"], "labels": [["\x1b[2J"]], "n": [1]}))
    assert table.to_dict("records") == [{"name": "a⟨U+202E⟩gnp.exe", "labels": ["␛[2J"], "n": 1}]


def test_elsewhere_code_stands_in_backquotes():
    assert Text("Run ", Code("crontab -e"), ".") == "Run `crontab -e`."


codes = st.text(st.sampled_from("a `'"), min_size=1).map(str.strip).filter(bool)


@given(codes, codes)
@example("echo `date` now", "``")
def test_a_stored_text_keeps_its_code(first, second):
    said = Text("Run ", Code(first), ", then ", Code(second), ".")
    assert marked(str(said)).parts == said.parts


def test_backquotes_that_are_no_pair_stay_characters():
    assert marked("ls: `x': No such file").parts == ("ls: `x': No such file",)


def test_a_cell_of_a_table_quotes_the_code_of_a_stored_sentence():
    assert sentence(marked("Run `crontab -e`.")) == "Run “crontab -e”."
