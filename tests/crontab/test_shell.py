"""The parts of a shell command: its words as a real shell splits them, its steps, its files."""

import subprocess
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pitasker_core.crontab.shell import read_script
from pitasker_core.crontab.shell_words import Operator, Word


def words(text: str) -> list[str | None]:
    return [token.literal for token in read_script(text).tokens if isinstance(token, Word)]


def steps(text: str) -> list[tuple[str, ...]]:
    return [tuple(word.source for word in step.words) for step in read_script(text).steps]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b  c", ["a", "b", "c"]),
        ("a 'b c' \"d e\" f\\ g", ["a", "b c", "d e", "f g"]),
        ("echo '&&' \"|\" \\;", ["echo", "&&", "|", ";"]),
        ("a#b #c d", ["a#b"]),
        ('"a\\"b" \'c\\\' d', ['a"b', "c\\", "d"]),
        ('$x ${x} "$x" $(a b) `a b` $((1 + 2)) ${x:-y z}', [None] * 7),
        ("a'b'\"c\"d", ["abcd"]),
        ("echo $", ["echo", "$"]),
    ],
)
def test_words_are_split_as_by_a_shell(text: str, expected: list[str | None]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a && b || c; d | e & f", [("a",), ("b",), ("c",), ("d",), ("e",), ("f",)]),
        ("if a; then b; else c; fi", [("a",), ("b",), ("c",)]),
        ("X=1 Y=2 a b", [("a", "b")]),
        ("(cd /x && a) > log", [("cd", "/x"), ("a",), ()]),
        ("a > f 2>&1 < g b", [("a", "b")]),
        ("! a", [("a",)]),
        ("'if' a", [("'if'", "a")]),
    ],
)
def test_steps_are_the_simple_commands(text: str, expected: list[tuple[str, ...]]) -> None:
    assert steps(text) == expected


@pytest.mark.parametrize(
    ("text", "opened"),
    [
        ("a 'b", "'"),
        ('a "b', '"'),
        ("a `b", "`"),
        ("a $(b", "("),
        ("a ${b", "{"),
        ("a \\", "\\"),
        ("a 'b'", ""),
        ("a # don't", ""),
        ('a "$(b "c")"', ""),
        ("a \\\\", ""),
        ("$(a ')')", ""),
    ],
)
def test_what_the_end_leaves_open_is_said(text: str, opened: str) -> None:
    assert read_script(text).unfinished == opened


@pytest.mark.parametrize(
    "text", ["case $1 in a) b;; esac", "for x in a b; do c; done", "f() { a; }", "a=(1 2)"]
)
def test_a_construct_whose_words_are_no_commands_is_marked(text: str) -> None:
    assert read_script(text).is_compound


@pytest.mark.parametrize(
    ("text", "writes"),
    [
        ("a > f", True),
        ("a 2>> f", True),
        ("a &> f", True),
        ("a >& f", True),
        ("a 2>&1", False),
        ("a >&-", False),
        ("a < f", False),
    ],
)
def test_a_redirection_says_whether_it_writes(text: str, writes: bool) -> None:
    (step,) = read_script(text).steps
    assert [redirection.writes for redirection in step.redirections] == [writes]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$HOME/bin", "/home/pi/bin"),
        ("~/bin", "/home/pi/bin"),
        ('"$HOME"/x', "/home/pi/x"),
        ("'~/x'", "~/x"),
        ("a~", "a~"),
        ("~anna/x", None),
        ("$UNSET/x", None),
        ("*.txt", None),
        ("'*.txt'", "*.txt"),
        ("{a,b}", None),
        ("$SPACED", None),
    ],
)
def test_a_word_has_a_value_only_where_it_is_certain(text: str, value: str | None) -> None:
    (word,) = (t for t in read_script(text).tokens if isinstance(t, Word))
    assert word.expanded({"HOME": "/home/pi", "SPACED": "a b"}) == value


_LITERAL = st.text(st.sampled_from("ab '\"\\\t#=-é"), max_size=12)


@settings(max_examples=150, deadline=None)
@given(_LITERAL)
def test_words_are_those_of_the_real_shell(text: str) -> None:
    script = read_script(f"set -- {text}\nprintf '%s\\0' \"$@\"".split("\n", 1)[0])
    if script.unfinished:
        return
    done = subprocess.run(
        ["/bin/sh", "-c", f"set -- {text}\n[ $# -eq 0 ] || printf '%s\\0' \"$@\""],
        capture_output=True,
        text=True,
        check=True,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    tokens = [token for token in script.tokens if isinstance(token, Word)]
    assert [token.literal for token in tokens[2:]] == done.stdout.split("\0")[:-1]


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ab '\"\\$`(){}<>&|;#=~*!\n\0\udc80"), max_size=40))
def test_tokens_are_pieces_of_the_text_in_their_order(text: str) -> None:
    script, at = read_script(text), 0
    for token in script.tokens:
        assert at <= token.start < token.end <= len(text)
        if isinstance(token, Word):
            assert text[token.start : token.end] == token.source
        at = token.end
    assert all(isinstance(token, Word | Operator) for token in script.tokens)


@pytest.mark.parametrize(
    "text",
    ["'" * 4001, '"$(' * 1300, "`" * 4001, "\\" * 4001, "$((" * 1300, "a>" * 2000, "${" * 2000],
)
def test_hostile_text_is_read_fast(text: str) -> None:
    start = time.process_time()
    read_script(text)
    assert time.process_time() - start < 1
