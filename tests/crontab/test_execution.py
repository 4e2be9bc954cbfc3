"""What cron runs for an entry, compared with the real shell and with a login."""

import subprocess

import pytest

from pitasker_core.base.errors import NotFound
from pitasker_core.crontab.document import parse
from pitasker_core.crontab.execution import (
    Difference,
    compare_environments,
    describe_execution,
    missing_folders,
    terminal_command,
    unescape,
)
from pitasker_core.crontab.schedule import Dialect


def test_an_entry_runs_in_crons_own_environment() -> None:
    execution = describe_execution(parse("0 5 * * * a b\n"), 0, "pi", "/home/pi")
    assert execution.environment == {
        "SHELL": "/bin/sh",
        "PATH": "/usr/bin:/bin",
        "HOME": "/home/pi",
        "LOGNAME": "pi",
    }
    assert (execution.shell, execution.folder, execution.stdin) == ("/bin/sh", "/home/pi", None)
    assert (execution.command, execution.mail_to) == ("a b", "pi")


def test_environment_lines_above_count_and_those_below_do_not() -> None:
    text = "SHELL=/bin/bash\nHOME=/srv\nLOGNAME=root\nA=1\n0 5 * * * a\nA=2\n"
    execution = describe_execution(parse(text), 4, "pi", "/home/pi")
    assert execution.environment == {
        "SHELL": "/bin/bash",
        "PATH": "/usr/bin:/bin",
        "HOME": "/srv",
        "LOGNAME": "pi",  # cannot be set
        "A": "1",
    }
    assert execution.folder == "/srv"


def test_standard_input_and_escapes_are_as_cron_reads_them() -> None:
    line = (
        "0 5 * * * mail -s 50\\% a%Hello%there # PITASKER_ID:3f8c1d52-7a44-4e0b-9b1e-5d2c8f6a9e01\n"
    )
    execution = describe_execution(parse(line), 0, "pi", "/home/pi")
    assert (execution.command, execution.stdin) == ("mail -s 50% a", b"Hello\nthere\n")


def test_the_recorder_is_left_out() -> None:
    line = "0 5 * * * /home/pi/pitasker-recorder 7 'a b'\n"
    execution = describe_execution(parse(line), 0, "pi", "/home/pi")
    assert (execution.command, execution.is_recorded) == ("a b", True)


@pytest.mark.parametrize(
    ("mailto", "recipient"),
    [("", "pi"), ('MAILTO=""', None), ("MAILTO=a@example.org", "a@example.org")],
)
def test_output_is_mailed_to_whom_the_crontab_names(mailto: str, recipient: str | None) -> None:
    document = parse(f"{mailto}\n0 5 * * * a\n")
    assert describe_execution(document, 1, "pi", "/home/pi").mail_to == recipient


def test_a_line_that_is_no_entry_runs_nothing() -> None:
    with pytest.raises(NotFound):
        describe_execution(parse("# a\n"), 0, "pi", "/home/pi")


@pytest.mark.parametrize(
    ("dialect", "given"), [(Dialect.DEBIAN, "a\\b%c"), (Dialect.CRONIE, "a\\\\b%c")]
)
def test_places_in_the_unescaped_command_lead_back(dialect: Dialect, given: str) -> None:
    command = "a\\\\b\\%c"
    text, places = unescape(command, dialect)
    assert text == given
    assert places is not None
    assert (places[-1], len(places)) == (len(command), len(text) + 1)
    assert command[places[text.index("b")]] == "b"
    assert command[places[text.index("c")]] == "c"


def test_environments_are_compared_by_name() -> None:
    cron = {"PATH": "/bin", "HOME": "/h", "A": "1"}
    login = {"PATH": "/usr/bin", "HOME": "/h", "B": "2", "SHLVL": "1", "PWD": "/"}
    assert compare_environments(cron, login) == [
        Difference("A", "1", None),
        Difference("B", None, "2"),
        Difference("PATH", "/bin", "/usr/bin"),
    ]


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("* * * * * printf '%s' \"$A-$HOME-$LOGNAME\"; pwd\n", b"x y-/tmp-pi/tmp\n"),
        ("* * * * * cat%it's here%\n", b"it's here\n"),
        ("* * * * * wc -c\n", b"0\n"),
    ],
)
def test_the_command_for_a_terminal_starts_the_entry_as_cron_does(line, printed):
    escaped = line.replace("'%s'", "'\\%s'")
    execution = describe_execution(parse(f"A=x y\n{escaped}"), 1, "pi", "/tmp")
    done = subprocess.run(
        ["sh", "-c", terminal_command(execution)], capture_output=True, check=True
    )
    assert done.stdout == printed


def test_nothing_of_the_terminal_reaches_the_command():
    execution = describe_execution(parse("* * * * * env\n"), 0, "pi", "/tmp")
    done = subprocess.run(
        ["sh", "-c", terminal_command(execution)],
        env={"SECRET": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
    )
    assert b"SECRET" not in done.stdout


def test_the_folders_that_only_a_login_looks_in_are_named_in_their_order():
    login = {"PATH": "/home/pi/bin:/usr/bin:/usr/local/bin:/home/pi/bin"}
    assert missing_folders({"PATH": "/usr/bin:/bin"}, login) == ["/home/pi/bin", "/usr/local/bin"]
