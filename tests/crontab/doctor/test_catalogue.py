"""The documentation of every rule is true on the sample machine."""

import re

import pytest

from pitasker_core.crontab.doctor.catalogue import ENTRY_RULES, GROUPS, LINE_RULES, RULES
from pitasker_core.crontab.document import parse
from tests.helpers.sample_machine import TAG, machine, rules_of

ALL = (*ENTRY_RULES, *LINE_RULES)


def crontab(code: str, text: str) -> str:
    """Return an example as a crontab. The missing final newline matters to one rule."""
    if code == "longer_than_interval":
        text = f"{text} # PITASKER_ID:{TAG}"
    return text if code == "no_final_newline" else f"{text}\n"


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.code)
def test_a_rule_reports_its_own_example(rule) -> None:
    assert rule.code in rules_of(crontab(rule.code, rule.example))


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.code)
def test_a_rule_does_not_report_what_its_documentation_calls_better(rule) -> None:
    assert rule.code not in rules_of(crontab(rule.code, rule.better))


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.code)
def test_a_rule_has_a_stable_code_and_an_explanation(rule) -> None:
    assert re.fullmatch(r"[a-z][a-z_]*[a-z]", rule.code)
    assert len(rule.explanation) > 40


def test_every_rule_has_a_code_of_its_own_and_stands_in_a_group() -> None:
    codes = [rule.code for rules in GROUPS.values() for rule in rules]
    assert sorted(codes) == sorted(RULES)
    assert len(codes) == len(ALL)


def test_a_crontab_of_good_jobs_has_no_finding() -> None:
    text = (
        "MAILTO=pi@example.org\n"
        "PATH=/usr/local/bin:/usr/bin:/bin\n"
        "0 5 * * * /home/pi/backup.sh --all >> /home/pi/log/backup.log 2>&1\n"
        "*/5 * * * * cd /home/pi/photos && python3 /home/pi/sensor.py\n"
        "17 4 * * 1-5 pip-upgrade | logger -t upgrade\n"
        "@reboot sleep 30 && /home/pi/start.sh &\n"
    )
    assert rules_of(text) == set()


def test_a_paused_entry_is_left_out() -> None:
    text = f"# 0 5 * * * /home/pi/gone.sh # PITASKER_ID:{TAG}\n"
    assert rules_of(text) == set()
    assert "/home/pi/gone.sh" not in machine(parse(text)).files
