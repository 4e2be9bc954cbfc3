"""The rules about a line's text: what they report, and what they do not."""

from dataclasses import replace

import pytest

from pitasker_core.crontab.doctor.examination import examine
from pitasker_core.crontab.doctor.facts import NOTHING_KNOWN
from pitasker_core.crontab.document import parse
from tests.helpers.sample_machine import examined, rules_of

REPORTED = [
    # percent signs that surely end the command, that may end it, and that begin its input
    ("percent high", "0 5 * * * date +%F"),
    ("percent high", "0 5 * * * date '+%F %T' >> /home/pi/log/days"),
    ("percent high", "0 5 * * * curl -fsS https://example.org/a%20b"),
    ("percent medium", "0 5 * * * /home/pi/backup.sh --keep 50%"),
    ("percent medium", "0 5 * * * %only input"),
    ("percent low", "30 8 * * 1 mail -s Week me@example.org%Good morning"),
    ("percent low", "0 5 * * * cat >> /home/pi/log/x%a line"),
    ("carriage_return high", "0 5 * * * /home/pi/backup.sh\r"),
    ("carriage_return medium", "0 5 * * * /home/pi/backup.sh a\rb"),
    ("open_quote high", "0 5 * * * echo it's five"),
    ("open_quote high", '0 5 * * * echo "five'),
    ("open_quote high", "0 5 * * * echo $(date"),
    ("trailing_backslash high", "0 5 * * * /home/pi/backup.sh \\"),
    ("no_command high", "0 5 * * *"),
    ("no_command high", "0 5 * * * # /home/pi/backup.sh"),
    ("sixth_field high", "0 0 5 * * 1 /home/pi/backup.sh"),
    ("user_column high", "0 5 * * * root /home/pi/backup.sh"),
    ("user_column high", "0 5 * * * pi /home/pi/backup.sh"),
    ("comment high", "0 5 * * * /home/pi/backup.sh#daily"),
    ("comment medium", "SHELL=/opt/odd\n0 5 * * * /home/pi/backup.sh # daily"),
    ("too_long medium", "0 5 * * * /home/pi/backup.sh " + "a" * 930),
    ("too_long low", "0 5 * * * /home/pi/backup.sh " + "a" * 500),
    ("invalid_line high", "every day /home/pi/backup.sh"),
    ("no_final_newline high", "0 5 * * * /home/pi/backup.sh"),
]

LEFT_ALONE = [
    ("percent", "0 5 * * * date +\\%F"),
    ("open_quote", "0 5 * * * /home/pi/backup.sh # don't mind"),
    ("open_quote", '0 5 * * * echo "it\'s"'),
    ("open_quote", "0 5 * * * date '+%F'"),  # the percent sign is the cause
    ("trailing_backslash", "0 5 * * * echo \\\\\\\\"),
    ("no_command", "0 5 * * * true"),
    ("sixth_field", "0 5 * * * 7z a /home/pi/x.7z /home/pi/photos"),
    ("user_column", "0 5 * * * /home/pi/root backup"),
    ("user_column", "0 5 * * * root=1 /home/pi/backup.sh"),
    ("user_column", "0 5 * * * root"),
    ("comment", "0 5 * * * /home/pi/backup.sh # daily"),
    ("comment", "0 5 * * * curl https://example.org/page.py#part"),
    ("comment", "SHELL=/usr/bin/python3\n0 5 * * * print(1) # one"),
    ("too_long", "0 5 * * * /home/pi/backup.sh"),
]


@pytest.mark.parametrize(("rule", "text"), REPORTED)
def test_a_line_is_reported(rule: str, text: str) -> None:
    ending = "" if rule.startswith("no_final_newline") else "\n"
    findings = {f"{f.rule} {f.severity}" for f in examined(text + ending)}
    assert rule in findings


@pytest.mark.parametrize(("rule", "text"), LEFT_ALONE)
def test_a_good_line_is_left_alone(rule: str, text: str) -> None:
    assert rule not in rules_of(text + "\n")


@pytest.mark.parametrize(
    ("before", "rule", "after"),
    [
        ("date +%F > a%b", "percent", "date +\\%F > a\\%b"),
        ("echo a\\\\%b", "percent", "echo a\\\\\\%b"),
        ("date +\\%F +%T", "percent", "date +\\%F +\\%T"),
        ("/home/pi/backup.sh\r", "carriage_return", "/home/pi/backup.sh"),
        ("/home/pi/backup.sh \\", "trailing_backslash", "/home/pi/backup.sh"),
        ("root /home/pi/backup.sh", "user_column", "/home/pi/backup.sh"),
        ("/home/pi/backup.sh#daily", "comment", "/home/pi/backup.sh"),
        ("/home/pi/backup.sh#daily x%y", "comment", "/home/pi/backup.sh%y"),
    ],
)
def test_a_fix_repairs_its_line_and_nothing_else(before: str, rule: str, after: str) -> None:
    (finding,) = (f for f in examined(f"0 5 * * * {before}\n") if f.rule == rule)
    assert finding.fix is not None
    assert (finding.fix.command, finding.fix.schedule) == (after, None)
    assert rule not in rules_of(f"0 5 * * * {after}\n")


def test_a_backslash_before_a_broken_line_has_no_fix() -> None:
    findings = examined("0 5 * * * /home/pi/backup.sh \\\n   --all\n")
    (finding,) = (f for f in findings if f.rule == "trailing_backslash")
    assert finding.fix is None


def test_a_user_is_not_taken_for_a_program_of_an_unknown_machine() -> None:
    document = parse("7 5 * * * root /x\n7 6 * * * anna /x\n")
    facts = replace(NOTHING_KNOWN, users=frozenset({"anna"}))
    assert [(f.line, f.rule) for f in examine(document, facts).findings] == [(1, "user_column")]


def test_without_facts_only_the_text_is_judged() -> None:
    report = examine(parse("0 5 * * * nosuch\n0 5 * * * /nosuch/x\n0 6 * * * date +%F\n"))
    assert [finding.rule for finding in report.findings] == ["percent"]
