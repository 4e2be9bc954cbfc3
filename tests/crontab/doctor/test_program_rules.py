"""The rules about programs and files: what they report, and what they do not."""

import pytest

from tests.crontab.doctor.tables import fixes, reports

REPORTED = [
    ("program_missing high", "nosuch --all"),
    ("program_missing high", "/home/pi/gone.sh"),
    ("program_missing high", "/home/pi/photos"),
    ("program_missing high", "true && nosuch"),
    ("program_missing high", "cat /home/pi/x | nosuch"),
    ("program_missing high", "nice -n 10 nosuch"),
    ("program_missing high", "timeout 60 flock -n /tmp/lock /home/pi/gone.sh"),
    ("program_missing high", "A=b nosuch"),
    ("program_missing high", "$HOME/gone.sh"),
    ("program_missing high", "sudo -u anna /home/pi/gone.sh"),
    ("program_missing high", "cd /home/pi/photos && ../gone.sh"),
    ("program_missing high", "./gone.sh"),
    ("program_missing high", "if true; then nosuch; fi"),
    ("program_missing high", "bash -c '/home/pi/gone.sh'"),
    ("program_missing high", 'sh -c "cd /home/pi/photos && nosuch"'),
    ("script_missing high", "flock -n /tmp/lock sh -c 'python3 /home/pi/gone.py'"),
    ("output_file high", "sh -c 'echo x > /home/pi/gone/x.log'"),
    ("not_executable high", "/home/pi/plain.sh"),
    ("script_unreadable high", "python3 /home/pi/secret.py"),
    ("interpreter_missing high", "/home/pi/old-python.py"),
    ("no_first_line high", "/home/pi/bare.py"),
    ("windows_script high", "/home/pi/windows.sh"),
    ("windows_script high", "bash /home/pi/windows.sh"),
    ("windows_script high", ". /home/pi/windows.sh"),
    ("byte_order_mark high", "/home/pi/marked.sh"),
    ("script_missing high", "python3 /home/pi/gone.py"),
    ("script_missing high", "python3 -u gone.py"),
    ("script_missing high", "bash gone.sh"),
    ("script_missing high", ". /home/pi/gone.env && /home/pi/backup.sh"),
    ("script_missing high", "nice python3 /home/pi/gone.py"),
    ("folder_missing high", "cd /home/pi/gone && ./backup.sh"),
    ("folder_missing high", "cd /home/pi/sensor.py && ls"),
    ("output_file high", "/home/pi/backup.sh > /home/pi/gone/x.log"),
    ("output_file high", "/home/pi/backup.sh > /home/pi/photos"),
    ("output_file high", "/home/pi/backup.sh >> /home/pi/locked.log 2>&1"),
    ("output_file high", "/home/pi/backup.sh 2> /home/pi/locked/new.log"),
    ("relative_path low", "./backup.sh"),
    ("relative_path low", "bin/backup.sh"),
    ("relative_path low", "python3 sensor.py"),
    ("relative_path low", "/home/pi/backup.sh >> backup.log"),
]

LEFT_ALONE = [
    ("program_missing", "test -x /home/pi/gone.sh && /home/pi/gone.sh"),
    ("program_missing", "[ -x /usr/bin/gone ] && /usr/bin/gone"),
    ("program_missing", "command -v nosuch > /dev/null && nosuch"),
    ("program_missing", "which nosuch && nosuch"),
    ("program_missing", "true || nosuch"),
    ("program_missing", "bash -lc nosuch"),
    ("program_missing", "true || sh -c nosuch"),
    ("program_missing", "sudo sh -c 'nosuch > /home/pi/locked/x'"),
    ("output_file", "sudo sh -c 'echo x > /home/pi/locked/x'"),
    ("program_missing", "bash -c 'mapfile -t x < /home/pi/list; readonly x'"),
    ("program_missing", "bash -c 'nosuch() { true; }; nosuch'"),
    ("program_missing", "bash -c '[ -x /home/pi/gone.sh ] && /home/pi/gone.sh'"),
    ("program_missing", "sudo nosuch"),
    ("program_missing", "PATH=/opt/x nosuch"),
    ("program_missing", "env PATH=/opt/x nosuch"),
    ("program_missing", "export PATH=$PATH:/opt/x; nosuch"),
    ("program_missing", ". /home/pi/env.sh; nosuch"),
    ("program_missing", "$TOOL/nosuch"),
    ("program_missing", "echo nosuch"),
    ("program_missing", "for x in nosuch; do echo $x; done"),
    ("program_missing", "case nosuch in nosuch) true;; esac"),
    ("program_missing", "nosuch() { true; }; nosuch"),
    ("program_missing", "# nosuch"),
    ("program_missing", "while true; do sleep 1; done"),
    ("program_missing", "(cd /home/pi/photos && ./tool); /home/pi/backup.sh"),
    ("program_missing", "cd $UNKNOWN && ./gone.sh"),
    ("not_executable", "sh /home/pi/plain.sh"),
    ("not_executable", "python3 /home/pi/plain.sh"),
    ("script_missing", "python3 -c 'import x.py'"),
    ("script_missing", "python3 -m gone.py"),
    ("script_missing", "bash -c '/home/pi/gone.sh'"),
    ("script_missing", "[ -f /home/pi/gone.env ] && . /home/pi/gone.env"),
    ("script_missing", "perl -e 'print 1.5'"),
    ("no_first_line", "python3 /home/pi/bare.py"),
    ("windows_script", "python3 /home/pi/windows.sh"),
    ("folder_missing", "cd && ls"),
    ("folder_missing", "cd - && ls"),
    ("folder_missing", "[ -d /home/pi/gone ] && cd /home/pi/gone && ls"),
    ("output_file", "/home/pi/backup.sh > /dev/null 2>&1"),
    ("output_file", "/home/pi/backup.sh >&2"),
    ("output_file", "/home/pi/backup.sh > /home/pi/log/backup-$(date +\\%F).log"),
    ("relative_path", "cd /home/pi && ./backup.sh > backup.log"),
    ("relative_path", "/home/pi/backup.sh photos/a"),
    ("relative_path", "backup.sh"),
]


@pytest.mark.parametrize(("rule", "command"), REPORTED)
def test_a_command_is_reported(rule: str, command: str) -> None:
    assert rule in reports(f"7 5 * * * {command}")


@pytest.mark.parametrize(("rule", "command"), LEFT_ALONE)
def test_a_good_command_is_left_alone(rule: str, command: str) -> None:
    assert rule not in {report.split()[0] for report in reports(f"7 5 * * * {command}")}


def test_the_path_of_the_crontab_is_searched() -> None:
    assert "program_missing high" in reports("7 5 * * * pip-upgrade")
    assert reports("PATH=/usr/local/bin:/usr/bin:/bin\n7 5 * * * pip-upgrade") == set()


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        ("program_missing", "pip-upgrade -a", "/usr/local/bin/pip-upgrade -a"),
        ("program_missing", "nice pip-upgrade", "nice /usr/local/bin/pip-upgrade"),
        ("program_missing", "date +\\%F; pip-upgrade", "date +\\%F; /usr/local/bin/pip-upgrade"),
        ("program_missing", "pip-upgrade%in%put", "/usr/local/bin/pip-upgrade%in%put"),
        ("relative_path", "./backup.sh a", "/home/pi/backup.sh a"),
        ("relative_path", "python3 sensor.py", "python3 /home/pi/sensor.py"),
        ("relative_path", "a >> 'b c'.log", "a >> '/home/pi/b c.log'"),
    ],
)
def test_a_fix_replaces_one_word(rule: str, before: str, after: str) -> None:
    assert fixes(f"7 5 * * * {before}", rule) == [(None, after, None)]


def test_a_fix_inside_of_quotes_changes_that_word_alone():
    assert fixes("0 5 * * * nice sh -c 'cd /srv && ./x'", "relative_path") == []
    text = "0 5 * * * nice sh -c 'nosuch --all'"
    assert fixes(text, "program_missing", elsewhere={"nosuch": "/opt/bin/nosuch"}) == [
        (None, "nice sh -c '/opt/bin/nosuch --all'", None)
    ]


def test_a_path_that_needs_quotes_is_not_written_inside_of_quotes():
    text = "0 5 * * * sh -c 'nosuch --all'"
    assert fixes(text, "program_missing", elsewhere={"nosuch": "/opt/my bin/log"}) == []
