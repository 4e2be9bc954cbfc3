"""Warnings about a command, differences of texts, and the first look at a crontab."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pitasker_core.crontab.difference import difference
from pitasker_core.crontab.doctor.examination import draft_of, examine_draft
from pitasker_core.crontab.document import parse
from pitasker_core.crontab.machine_facts import gather
from pitasker_core.dashboard import overview
from pitasker_core.sync import first_look, importing, service
from tests.helpers.examples import EXISTING, ME, create


def advise(schedule, command, crontab=parse(""), index=None) -> list[str]:  # noqa: B008
    """Return the warnings about an entry, except for a missing mail program."""
    facts = gather(draft_of(crontab, schedule, command, index), ZoneInfo("UTC"))
    findings = examine_draft(crontab, schedule, command, facts, index)
    return [f.message for f in findings if f.rule not in ("output_lost", "relative_path")]


@pytest.mark.parametrize(
    ("command", "warning"),
    [
        ("date +%F", "The command ends at its first %"),
        ("/nonexistent/program -x", "There is no file /nonexistent/program"),
        ("/etc/passwd", "/etc/passwd is not executable"),
        ("no-such-program", "There is no program no-such-program on cron's PATH"),
        ("$HOME/no-such-program", "There is no file /"),
    ],
)
def test_a_command_that_may_surprise_gets_a_warning(command: str, warning: str) -> None:
    assert warning in " ".join(advise("@daily", command))


@pytest.mark.parametrize(
    "command", ["true", "date +\\%F", "cd /tmp && ls", "A=b /bin/true", "[ -e x ] && ls", "$X/x"]
)
def test_an_ordinary_command_gets_none(command: str) -> None:
    assert advise("@daily", command) == []


@pytest.mark.parametrize(
    "command", ["true &>> /tmp/log", "true &>/tmp/log", "cd /tmp && ls &> log"]
)
def test_a_redirection_that_dash_takes_for_the_background_gets_a_warning(command: str) -> None:
    dash, bash = parse("SHELL=/bin/dash\n"), parse("SHELL=/bin/bash\n")
    assert "in the background" in " ".join(advise("@daily", command, dash))
    assert advise("@daily", command, bash) == []
    assert advise("@daily", "true >/tmp/log 2>&1 &", dash) == []


def test_the_path_of_the_crontab_counts(tmp_path: Path) -> None:
    program = tmp_path / "mine"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert advise("@daily", "mine", parse(f"PATH={tmp_path}\n")) == []
    assert advise("@daily", "mine", parse("\n")) != []


def test_the_same_entry_twice_gets_a_warning_but_not_itself() -> None:
    crontab = parse("@daily true\n")
    assert advise("@daily", "true", crontab) == [
        "The entry in line 1 has the same schedule and command, so cron runs it twice."
    ]
    assert advise("@daily", "true", crontab, index=0) == []


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
    snapshot = first_look.untouched(environment)
    assert snapshot is not None
    assert snapshot.backup.read_bytes() == EXISTING
    assert len(list(environment.backups.glob("*.crontab"))) == 1
    importing.import_entries(environment, ME)
    assert first_look.untouched(environment) is None


def hand_edits(environment):
    compared = service.preview(environment)
    return [overview.hand_edit(change, compared) for change in compared.plan.changes]


def test_a_hand_edit_is_described_in_words(environment, crontab):
    create(environment, "Backup")
    crontab.write(crontab.read().replace(b"0 2 * * *", b"5 2 * * *"))
    assert hand_edits(environment) == ["schedule `0 2 * * *` → `5 2 * * *`"]
    crontab.write(b"# empty\n")
    assert hand_edits(environment) == ["the entry was removed"]
