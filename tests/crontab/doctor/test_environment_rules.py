"""The rules about environment lines: what they report, and what they do not."""

import pytest

from pitasker_core.crontab.doctor.examination import examine
from pitasker_core.crontab.document import parse
from pitasker_core.crontab.schedule import Dialect
from tests.crontab.doctor.tables import fixes, reports

REPORTED = [
    ("not_expanded high", "PATH=$PATH:/opt/bin"),
    ("not_expanded high", "PATH=/usr/bin:~/bin"),
    ("not_expanded medium", "LOG=$HOME/log"),
    ("not_expanded medium", "LOG=~/log"),
    ("comment_in_value medium", "A=b # c"),
    ("job_in_environment_line high", "TZ=UTC 0 5 * * * /home/pi/backup.sh"),
    ("job_in_environment_line high", "TZ=UTC @daily /home/pi/backup.sh"),
    ("value_cut high", "LONG=" + "x" * 1000),
    ("mail_address medium", "MAILTO=a@example.org, b@example.org"),
    ("mail_address medium", "MAILTO=<a@example.org>"),
    ("zone_ignored medium", "CRON_TZ=Europe/Berlin"),
    ("zone_ignored low", "TZ=Europe/Berlin"),
    ("zone_ignored medium", "RANDOM_DELAY=10"),
    ("shell_missing high", "SHELL=/usr/bin/gone"),
    ("shell_missing high", "SHELL=bash"),
    ("home_missing medium", "HOME=/gone"),
]

LEFT_ALONE = [
    ("not_expanded", "A=costs 5$"),
    ("not_expanded", "A=a~b"),
    ("comment_in_value", "COLOUR=#ff0000"),
    ("job_in_environment_line", "OPTIONS=-a -b --c d e f"),
    ("job_in_environment_line", "GREETING=hello world"),
    ("value_cut", "A=b"),
    ("mail_address", "MAILTO=a@example.org,b@example.org"),
    ("mail_address", 'MAILTO=""'),
    ("mail_address", "MAILTO=root"),
    ("zone_ignored", "TZ=Europe/London"),
    ("shell_missing", "SHELL=/bin/bash"),
    ("home_missing", "HOME=/home/pi/photos"),
]


@pytest.mark.parametrize(("rule", "line"), REPORTED)
def test_a_line_is_reported(rule: str, line: str) -> None:
    assert rule in reports(line)


@pytest.mark.parametrize(("rule", "line"), LEFT_ALONE)
def test_a_good_line_is_left_alone(rule: str, line: str) -> None:
    assert rule not in str(reports(line))


@pytest.mark.parametrize(
    ("rule", "line", "value"),
    [
        ("not_expanded", "PATH=$HOME/bin:$PATH", "/home/pi/bin:/usr/bin:/bin"),
        ("not_expanded", "PATH=/opt/bin\nPATH=${PATH}:~/bin", "/opt/bin:/home/pi/bin"),
        ("comment_in_value", "A=b  # c", "b"),
        ("mail_address", "MAILTO=a@example.org; b@example.org", "a@example.org,b@example.org"),
        ("shell_missing", "SHELL=bash", "/bin/sh"),
    ],
)
def test_a_fix_is_a_value(rule: str, line: str, value: str) -> None:
    assert fixes(line, rule) == [(None, None, value)]


def test_an_unknown_variable_has_no_fix() -> None:
    assert fixes("A=$UNKNOWN/x", "not_expanded") == []


def test_cronie_knows_zones_of_its_own() -> None:
    document = parse("CRON_TZ=Europe/Berlin\n", Dialect.CRONIE)
    assert examine(document).findings == ()


def test_findings_of_environment_lines_belong_to_the_entries_below() -> None:
    report = examine(parse("@daily a\nPATH=~/bin\n@daily b\nPATH=/bin\n@daily c\n"))
    assert [f.rule for f in report.of_entry(1)] == []
    assert [f.rule for f in report.of_entry(3)] == ["not_expanded"]
    assert [f.rule for f in report.of_entry(5)] == []
