"""The rules about the shell and the output: what they report, and what they do not."""

import pytest

from tests.crontab.doctor.tables import fixes, reports

REPORTED = [
    ("bash_only high", "true &> /home/pi/log/x"),
    ("bash_only high", "true &>/home/pi/log/x"),
    ("bash_only high", "true &>> /home/pi/log/x"),
    ("bash_only high", "cd /tmp && ls &> log"),
    ("bash_only high", "true |& cat"),
    ("bash_only high", "source /home/pi/env.sh && true"),
    ("bash_only high", "[[ -f /x ]] && true"),
    ("bash_only high", "if [[ 1 = 1 ]]; then true; fi"),
    ("bash_only high", "[ 1 == 1 ] && true"),
    ("bash_only high", "a=(1 2); echo ${a[0]}"),
    ("bash_only high", "diff <(ls /a) <(ls /b)"),
    ("bash_only high", "cat <<< hello"),
    ("bash_only high", 'echo "${x^^}"'),
    ("bash_only high", 'echo "${x//a/b}"'),
    ("bash_only high", "sleep $((RANDOM % 60))".replace("%", "\\%")),
    ("bash_only high", "pushd /tmp"),
    ("bash_only medium", "cp /home/pi/{a,b}.txt /tmp"),
    ("bash_only medium", "touch /tmp/{1..5}"),
    ("bash_only medium", "sleep $RANDOM"),
    ("bash_only medium", "printf $'a\\n'"),
    ("unset_variable medium", "echo $USER"),
    ("unset_variable medium", 'notify-send "$DISPLAY"'),
    ("unset_variable medium", "ls ${XDG_RUNTIME_DIR}"),
    ("output_discarded low", "/home/pi/backup.sh > /dev/null 2>&1"),
    ("output_discarded low", "/home/pi/backup.sh &> /dev/null"),
    ("output_discarded low", "/home/pi/backup.sh 2>/dev/null"),
    ("output_discarded low", "/home/pi/backup.sh > /home/pi/log/x 2> /dev/null"),
]

LEFT_ALONE = [
    ("bash_only", "true > /home/pi/log/x 2>&1 &"),
    ("bash_only", "echo '&>' \"<( )\" '[[ ]]' '{a,b}'"),
    ("bash_only", "bash -c 'source /home/pi/env.sh'"),
    ("bash_only", ". /home/pi/env.sh"),
    ("bash_only", "[ 1 = 1 ] && true"),
    ("bash_only", "find /x -exec ls {} \\;"),
    ("bash_only", "awk '{print $1}' /x"),
    ("bash_only", "echo ${x:-y} ${x%a} ${x#b} $((1 + 2))".replace("%", "\\%")),
    ("bash_only", "(a; b)"),
    ("bash_only", "echo a # &> b"),
    ("bash_only", "curl 'https://x/?a={b,c}'"),
    ("bash_only", "echo '$RANDOM'"),
    ("unset_variable", "USER=pi; echo $USER"),
    ("unset_variable", "echo '$USER' $HOME $LOGNAME $PATH"),
    ("output_discarded", "/home/pi/backup.sh > /dev/null"),
    ("output_discarded", "pgrep x > /dev/null 2>&1 || /home/pi/backup.sh"),
    ("output_discarded", "/home/pi/backup.sh 2>&1 > /dev/null"),
    ("output_discarded", "/home/pi/backup.sh >> /home/pi/log/x 2>&1"),
]


@pytest.mark.parametrize(("rule", "command"), REPORTED)
def test_a_command_is_reported(rule: str, command: str) -> None:
    assert rule in reports(f"7 5 * * * {command}")


@pytest.mark.parametrize(("rule", "command"), LEFT_ALONE)
def test_a_good_command_is_left_alone(rule: str, command: str) -> None:
    assert rule not in {report.split()[0] for report in reports(f"7 5 * * * {command}")}


@pytest.mark.parametrize("command", ["source /home/pi/env.sh", "true &> /tmp/x", "[[ a ]]"])
def test_bash_takes_what_dash_does_not(command: str) -> None:
    assert "bash_only" not in str(reports(f"SHELL=/bin/bash\n7 5 * * * {command}"))
    shells = {"/bin/sh": "/usr/bin/bash"}
    assert "bash_only" not in str(reports(f"7 5 * * * {command}", shells=shells))


def test_where_the_shell_is_unknown_a_finding_is_not_high() -> None:
    assert "bash_only medium" in reports("7 5 * * * [[ a ]]", shells={})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("true &>> '/home/pi/a b'", "true >> '/home/pi/a b' 2>&1"),
        ("true &>/tmp/x; ls", "true > /tmp/x 2>&1; ls"),
        ("true |& cat", "true 2>&1 | cat"),
        ("source /home/pi/env.sh", ". /home/pi/env.sh"),
        ("[ a == b ]", "[ a = b ]"),
    ],
)
def test_a_fix_writes_it_for_a_posix_shell(before: str, after: str) -> None:
    assert fixes(f"7 5 * * * {before}", "bash_only") == [(None, after, None)]
    assert "bash_only" not in str(reports(f"7 5 * * * {after}"))


def test_a_bare_name_behind_source_has_no_fix() -> None:
    assert fixes("7 5 * * * source env.sh", "bash_only") == []


def test_output_is_lost_without_a_recipient_or_a_mail_program() -> None:
    job = "7 5 * * * /home/pi/backup.sh"
    assert reports(job) == set()
    assert reports(job, has_mail_program=None) == set()
    assert reports(job, has_mail_program=False) == {"output_lost low"}
    assert reports(f'MAILTO=""\n{job}') == {"output_lost low"}
    assert reports(f'MAILTO=""\n{job} > /home/pi/log/x') == set()
    assert reports(f'MAILTO=""\n{job} | logger') == set()


def test_recorded_output_is_not_lost() -> None:
    recorded = "7 5 * * * /home/pi/pitasker-recorder 7 '/home/pi/backup.sh'"
    assert reports(recorded, has_mail_program=False) == set()
