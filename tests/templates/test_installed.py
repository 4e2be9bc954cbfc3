"""Every template in the real crontab, recorded and run as cron would."""

import re
import shutil
import subprocess

import pytest

from pitasker_core.crontab.doctor.examination import examine
from pitasker_core.crontab.doctor.finding import Severity
from pitasker_core.crontab.document import Entry, parse
from pitasker_core.sync import recorder_copy
from pitasker_core.templates.catalogue import built_in_templates
from pitasker_core.templates.model import Check, Kind
from pitasker_core.templates.rendering import render
from pitasker_core.templates.using import use_template
from tests.helpers.fake_programs import REAL, FakePrograms

TEMPLATES = built_in_templates()


def prepare(template, home):
    for parameter in template.parameters:
        if parameter.kind is Kind.PATH and parameter.default.startswith("~/"):
            path = home / parameter.default[2:]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.mkdir(exist_ok=True) if parameter.check is Check.FOLDER else path.touch()


def test_all_templates_are_installed_and_run_by_the_real_shell(environment, crontab, tmp_path):
    programs = FakePrograms(tmp_path)
    made = {}
    for template in TEMPLATES:
        prepare(template, programs.home)
        done = use_template(environment, "test", template.name, {})
        assert (done.problem, done.failures) == (None, {})
        made[done.tasks[0].id] = template
    entries = [line for line in parse(crontab.read().decode()).lines if isinstance(line, Entry)]
    assert len(entries) == len(TEMPLATES)
    recorder_copy.put_in_place(environment)
    for entry in entries:
        template = made[entry.recorder.task]
        assert entry.schedule == render(template, {}).schedule
        before = len(programs.calls())
        # The line in the crontab, with its recorder and its tag.
        text = entry.raw.split(entry.schedule, 1)[1].strip()
        done = programs.run(text)
        assert not re.search(rb"not found|[Ss]yntax|Traceback", done.stderr), done.stderr
        called = {call.program for call in programs.calls()[before:]}
        assert called or set(template.needs) <= set(REAL), template.name


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_the_doctor_finds_nothing_grave_in_a_template(template):
    record = render(template, {})
    document = parse(f"{record.schedule} {record.command}\n")
    report = examine(document)
    grave = [finding for finding in report.findings if finding.severity is Severity.HIGH]
    assert grave == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_a_posix_shell_reads_the_command_with_every_option(template):
    for parameter in template.parameters:
        for option in parameter.options:
            command = render(template, {parameter.name: option}).command
            given = re.sub(r"\\([%\\])", r"\1", command)
            shell = shutil.which("dash") or "/bin/sh"
            subprocess.run([shell, "-n", "-c", given], check=True)
