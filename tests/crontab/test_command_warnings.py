"""Warnings while an entry is written, the proof after it, and what the home page says."""

from pathlib import Path

import pytest

from pitasker_core.crontab import command_warnings
from pitasker_core.crontab.difference import difference
from pitasker_core.crontab.document import parse
from pitasker_core.dashboard import overview
from pitasker_core.sync import first_look, importing, service
from tests.helpers.examples import EXISTING, ME, create


@pytest.mark.parametrize(
    ("command", "warning"),
    [
        ("date +%F", "An unescaped % ends the command"),
        ("sudo apt-get update", "sudo asks for a password"),
        ("/nonexistent/program -x", "There is no file /nonexistent/program"),
        ("/etc/passwd", "/etc/passwd is not executable"),
        ("no-such-program", "There is no program no-such-program on cron's PATH"),
    ],
)
def test_a_command_that_may_surprise_gets_a_warning(command: str, warning: str) -> None:
    assert warning in " ".join(command_warnings.advise("@daily", command, None))


@pytest.mark.parametrize(
    "command", ["true", "date +\\%F", "cd /tmp && ls", "A=b /bin/true", "[ -e x ] && ls", "$HOME/x"]
)
def test_an_ordinary_command_gets_none(command: str) -> None:
    assert command_warnings.advise("@daily", command, None) == []


@pytest.mark.parametrize(
    "command", ["true &>> /tmp/log", "true &>/tmp/log", "cd /tmp && ls &> log"]
)
def test_a_redirection_that_dash_takes_for_the_background_gets_a_warning(command: str) -> None:
    dash, bash = parse("SHELL=/bin/dash\n"), parse("SHELL=/bin/bash\n")
    assert "in the background" in " ".join(command_warnings.advise("@daily", command, dash))
    assert command_warnings.advise("@daily", command, bash) == []
    assert command_warnings.advise("@daily", "true >/tmp/log 2>&1 &", dash) == []


def test_the_path_of_the_crontab_counts(tmp_path: Path) -> None:
    program = tmp_path / "mine"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert command_warnings.advise("@daily", "mine", parse(f"PATH={tmp_path}\n")) == []
    assert command_warnings.advise("@daily", "mine", parse("\n")) != []


def test_the_same_entry_twice_gets_a_warning_but_not_itself() -> None:
    crontab = parse("@daily true\n")
    assert command_warnings.advise("@daily", "true", crontab) == [
        "Another entry of the crontab has the same schedule and command."
    ]
    assert command_warnings.advise("@daily", "true", crontab, index=0) == []


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("a\nb\nc\n", "a\nB\nc\n", "1 line changed, 2 identical"),
        ("a\n", "a\nb\nc\n", "2 lines added, 1 identical"),
        ("a\nb\n", "a\n", "1 line removed, 1 identical"),
        (None, "a\n", "1 line added, 0 identical"),
        ("a\n\nb\n", "", "3 lines removed, 0 identical"),
        ("a\n", "a\n", "No line changed, 1 identical"),
    ],
)
def test_a_difference_is_counted_in_lines(before: str | None, after: str, words: str) -> None:
    assert str(difference(before, after)) == words


def test_the_first_text_is_kept_once_and_before_anything_is_written(environment, crontab):
    crontab.write(EXISTING)
    first_look.keep_what_is_there(environment)
    first_look.keep_what_is_there(environment)
    kept = first_look.untouched(environment)
    assert kept is not None
    assert kept.backup.read_bytes() == EXISTING
    assert len(list(environment.backups.glob("*.crontab"))) == 1
    importing.import_entries(environment, ME)
    assert first_look.untouched(environment) is None


def test_a_hand_edit_is_told_in_a_sentence(environment, crontab):
    create(environment, "Backup")
    crontab.write(crontab.read().replace(b"0 2 * * *", b"5 2 * * *"))
    assert overview.hand_edits(service.preview(environment)) == [
        "Backup: schedule 0 2 * * * → 5 2 * * *"
    ]
    crontab.write(b"# empty\n")
    assert overview.hand_edits(service.preview(environment)) == ["Backup: the entry was removed"]
