"""Every value becomes one inert word of a command, for both crons and a real shell."""

import re
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pitasker_core.crontab.document import split_stdin
from pitasker_core.templates.quoting import cron_path, cron_word

VALUES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\n\r"))
HARD = st.text(st.sampled_from("\\%'\"$`!~*#; a-="), max_size=12)


def words(text, pattern):
    """Return the words that a shell makes of a text that cron has read."""
    command, stdin = split_stdin(f"printf '\\%s\\0' {text}")
    assert stdin == ""
    given = re.sub(pattern, r"\1", command)
    done = subprocess.run(["/bin/sh", "-c", given], capture_output=True, check=True,
                          env={"HOME": "/home/a b"})  # fmt: skip
    return done.stdout.decode().split("\0")[:-1]


DEBIAN, CRONIE = r"\\([%\\])", r"\\(%)"


@pytest.mark.parametrize("cron", [DEBIAN, CRONIE])
@given(st.lists(VALUES | HARD, min_size=1, max_size=8))
@example(["\\\\", "\\%", "%", "a\\", "'", "", "\\'\\%\\\\%", "-n", "~", "$HOME", "a\\\\\\%b'"])
def test_any_value_is_one_word(cron, values):
    assert words(" ".join(map(cron_word, values)), cron) == values


@given(VALUES | HARD)
def test_a_word_stays_one_behind_other_text(value):
    assert words(f"--to={cron_word(value)}/x", DEBIAN) == [f"--to={value}/x"]


@pytest.mark.parametrize("value", ["/a/b.c", "28-03", "user@host:/x", "until=1h", "7"])
def test_a_harmless_value_is_written_as_it_is(value):
    assert cron_word(value) in (value, f"'{value}'")


@pytest.mark.parametrize(
    ("value", "path"),
    [("~", "/home/a b"), ("~/", "/home/a b/"), ("~/x y", "/home/a b/x y"), ("/~/x", "/~/x"),
     ("~x", "~x"), ("~/$HOME", "/home/a b/$HOME")],
)  # fmt: skip
def test_only_a_tilde_alone_at_the_beginning_is_the_home_folder(value, path):
    assert words(cron_path(value), DEBIAN) == [path]
