"""No output of the command line or of a log can control a terminal."""

import json
import logging
import os
import pty
import subprocess
import sys
from contextlib import suppress

import pytest

from pitasker_core.base import terminal
from pitasker_core.base.text import visible
from pitasker_core.cli.answer import table
from tests.helpers.examples import create
from tests.helpers.runs import ran

ATTACK = "\x1b]0;title\x07\x1b[2J\x9b31ma\u202egnp.exe\x7f\u200b"
SHOWN = "␛]0;title␇␛[2J⟨U+009B⟩31ma⟨U+202E⟩gnp.exe␡⟨U+200B⟩"


def obeyed(text):
    """Return the characters of a text that control a terminal."""
    return [c for c in text if c not in "\n\t" and visible(c) != c]


def test_what_a_terminal_obeys_and_what_nobody_sees_is_shown():
    assert visible(ATTACK) == SHOWN


def test_words_of_every_language_and_pictures_stay_as_they_are():
    text = "Größe\tмир 日本語 שלום می‌خواهم 👩‍👩‍👧 e\u0301\n"
    assert visible(text) == text


def test_a_table_has_a_line_for_each_row_whatever_is_in_it():
    assert table(("task",), [(f"{ATTACK}\nx\ty",)]).split("\n") == ["task", f"{SHOWN}␊x␉y"]


@pytest.fixture
def hostile(environment, crontab):
    """Create a task whose command and output are attacks, and such an unmanaged entry."""
    task = create(environment, "Name \u202eemaN", command="echo \u202exe")
    crontab.force(crontab.read() + b"1 1 * * * echo \x1b[2J\xc2\x9b31m\xe2\x80\xae\n")
    ran(environment, task, exit_code=1, output=ATTACK.encode())
    return task


def test_no_command_prints_what_a_terminal_obeys(cli, hostile, capsys):
    for line in (
        *("list", "status", "validate", "runs", "import --dry-run", "sync --dry-run", "why 1"),
        *("snapshots", "why 1\x1b[2J", "raw set /tmp/\x1b[2J", "no\x1b[2J"),
    ):
        with suppress(SystemExit):  # the error repeats unknown words
            cli(*line.split())
        printed = capsys.readouterr()
        assert printed.out or printed.err
        assert not obeyed(printed.out + printed.err), line


def test_data_for_programs_have_every_character_and_nothing_to_obey(cli, environment, capsys):
    create(environment, command="echo \u202e")
    assert cli("list", "--json") == 0
    printed = capsys.readouterr().out
    assert not obeyed(printed)
    assert json.loads(printed)["tasks"][0]["command"] == "echo \u202e"


def on_a_terminal(words, environment):
    """Return the output of a command on a terminal."""
    here, there = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pitasker_core", *words],
        stdout=there,
        stderr=there,
        stdin=subprocess.DEVNULL,
        env=dict(environment),
    )
    os.close(there)
    printed = b""
    with suppress(OSError):  # the other side was closed
        while part := os.read(here, 65536):
            printed += part
    os.close(here)
    assert process.wait() == 0
    return printed.decode().replace("\r\n", "\n")


def test_what_a_run_printed_is_shown_on_a_terminal_and_exact_elsewhere(hostile, cli_environment):
    assert on_a_terminal(["output", "1"], cli_environment) == SHOWN
    elsewhere = subprocess.run(
        [sys.executable, "-m", "pitasker_core", "output", "1"],
        capture_output=True,
        env=dict(cli_environment),
        check=True,
    )
    assert elsewhere.stdout == ATTACK.encode()


def test_a_character_that_comes_in_two_parts_is_one(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    terminal.print_bytes([b"a\xe2\x80", b"\xaeb\xff"])
    assert capsys.readouterr().out == "a⟨U+202E⟩b\ufffd"


def test_a_log_line_on_a_terminal_is_one():
    record = logging.LogRecord("x", logging.ERROR, "", 0, "%s", (ATTACK,), None)
    assert terminal.Formatter("%(message)s").format(record) == SHOWN


def test_a_log_file_has_nothing_to_obey(environment, caplog):
    from pythonjsonlogger.json import JsonFormatter

    record = logging.LogRecord("x", logging.ERROR, "", 0, "%s", (ATTACK,), None)
    assert not obeyed(JsonFormatter("{message}", style="{").format(record).replace("\x7f", ""))
