"""Examining whole crontabs: no false alarms in the samples, hostile text, drafts, reports."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from pitasker_core.crontab.doctor.examination import examine, examine_draft
from pitasker_core.crontab.doctor.finding import Severity
from pitasker_core.crontab.document import decode, parse
from tests.helpers.sample_machine import TAG, machine

CRONTABS = sorted((Path(__file__).parents[2] / "crontabs").glob("*.crontab"))

# The broken lines of the sample crontabs by file: the line and the rule.
BROKEN = {
    "crlf": {(3, "carriage_return"), (4, "invalid_line"), (5, "carriage_return")},
    "invalid_lines": {(n, "invalid_line") for n in (2, 4, 5, 6, 7, 8, 9, 10, 11, 12)},
    "broken_with_tags": {(2, "invalid_line"), (4, "invalid_line"), (6, "job_in_environment_line")},
    "no_final_newline": {(3, "no_final_newline")},
    "nul_byte": {(2, "invalid_line")},
    "odd_but_valid": {(1, "never_runs"), (5, "never_runs"), (6, "sixth_field"), (8, "no_command")},
    "tags": {(12, "comment")},
    "odd_settings": {(14, "job_in_environment_line"), (15, "job_in_environment_line")},
}


@pytest.mark.parametrize("path", CRONTABS, ids=lambda path: path.stem)
def test_a_sample_crontab_has_no_false_alarm_of_high_severity(path: Path) -> None:
    document = parse(decode(path.read_bytes()))
    findings = examine(document, machine(document)).findings
    high = {(f.line, f.rule) for f in findings if f.severity is Severity.HIGH}
    assert high == BROKEN.get(path.stem, set())


@pytest.mark.parametrize("path", CRONTABS, ids=lambda path: path.stem)
def test_without_facts_a_sample_crontab_has_no_false_alarm_either(path: Path) -> None:
    findings = examine(parse(decode(path.read_bytes()))).findings
    high = {(f.line, f.rule) for f in findings if f.severity is Severity.HIGH}
    assert high <= BROKEN.get(path.stem, set())


HOSTILE = [
    "'" * 3999,
    '"' * 3999,
    "`" * 3999,
    "$(" * 1999,
    "\\" * 3999,
    "%" * 3999,
    "a" * 3999,
    "a;" * 1999,
    "x=$y " * 799,
    "/home/pi/x " * 360,
    "token= " * 570,
    "-p" * 1999,
    "a\0b" * 1300,
    "\udcff" * 3999,
    "{a," * 1300,
    "://" * 1300,
    "A_" * 1999,
    "&>" * 1999,
    " " * 3999,
    "sudo " * 800,
    "🌡" * 900,
]


@pytest.mark.parametrize("command", HOSTILE, ids=lambda text: repr(text[:8]))
def test_hostile_text_is_judged_fast(command: str) -> None:
    line = parse(f"7 5 * * * x\nA={command}\n")
    entry = replace(line.lines[0], command=command, raw=f"7 5 * * * {command}\n")
    document = replace(line, lines=(entry, *line.lines[1:]))
    start = time.process_time()
    examine(document, machine(document))
    assert time.process_time() - start < 1


def test_a_draft_is_judged_in_its_place() -> None:
    document = parse("PATH=~/bin\n0 5 * * * a\n")
    facts = machine(document)
    assert [f.rule for f in examine_draft(document, "0 5 * * *", "a", facts)] == [
        "duplicate",
        "not_expanded",
    ]
    assert [f.rule for f in examine_draft(document, "0 5 * * *", "a", facts, 1)] == ["not_expanded"]
    draft = examine_draft(document, "61 5 * * *", "a", facts)
    assert [f.rule for f in draft] == ["invalid_line", "not_expanded"]


def test_a_draft_keeps_what_is_known_of_its_entry() -> None:
    document = parse(f"0 5 * * * slow # PITASKER_ID:{TAG}\n")
    facts = machine(document)
    draft = examine_draft(document, "* * * * *", "slow", facts, 0)
    assert "longer_than_interval" in {finding.rule for finding in draft}


def test_the_worst_findings_of_a_line_come_first() -> None:
    document = parse("0 5 * * * /home/pi/gone.sh 2> /dev/null\n")
    report = examine(document, machine(document))
    severities = [finding.severity for finding in report.by_line[1]]
    assert severities == [Severity.HIGH, Severity.LOW]
    assert report.worst is Severity.HIGH
    assert (report.count(Severity.HIGH), report.count(Severity.MEDIUM)) == (1, 0)


def test_a_finding_that_is_repeated_can_be_shown_once() -> None:
    text = "".join(f"{n} 5 * * * a{n} 2> /dev/null\n" for n in range(4)) + "9 5 * * * date +%F\n"
    report = examine(parse(text))
    (((rule, _), lines),) = report.repeated.items()
    assert (rule, lines) == ("output_discarded", (1, 2, 3, 4))


def test_silenced_rules_are_left_out() -> None:
    document = parse("0 5 * * * /home/pi/gone.sh 2> /dev/null\n")
    report = examine(document, machine(document)).without({(1, "program_missing")})
    assert [finding.rule for finding in report.findings] == ["output_discarded"]
    assert report.worst is Severity.LOW
