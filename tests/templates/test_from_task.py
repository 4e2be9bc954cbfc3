"""A template made from a task makes the same task."""

import pytest

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.formats.record import TaskRecord
from pitasker_core.templates.from_task import template_from_task
from pitasker_core.templates.model import Kind
from pitasker_core.templates.rendering import render

TASK = TaskRecord(
    "Backup",
    "0 2 * * *",
    r"rsync -a /srv/data/ --exclude=/srv/data /mnt/usb && echo 7 /srv/data2 '/mnt/usb' \%",
    notes="Mine.",
    labels=("nas",),
    record_runs=True,
    timeout_seconds=60,
    no_overlap=True,
    catch_up=True,
    notify=("failed",),
)


def test_it_makes_the_same_task_again():
    assert render(template_from_task(TASK, "mine"), {}) == TASK


def test_a_word_becomes_a_parameter_wherever_it_stands_whole():
    template = template_from_task(
        TASK, "mine", parameters={"disk": "/mnt/usb", "data": "/srv/data"}
    )
    assert template.command == (
        r"rsync -a /srv/data/ --exclude={{data}} {{disk}} && echo 7 /srv/data2 '/mnt/usb' \%"
    )
    assert render(template, {}) == TASK
    assert [p.kind for p in template.parameters] == [Kind.PATH, Kind.PATH]
    assert "--exclude='/a b'" in render(template, {"data": "/a b"}).command


def test_a_number_becomes_one():
    template = template_from_task(TASK, "mine", parameters={"count": "7"})
    assert template.parameters[0].kind is Kind.NUMBER
    assert "echo 9 " in render(template, {"count": "9"}).command


def test_a_ping_url_stays_with_its_task():
    record = TaskRecord("x", "@daily", "x", ping_url="https://hc-ping.com/1")
    assert render(template_from_task(record, "mine"), {}).ping_url == ""


@pytest.mark.parametrize(
    ("command", "parameters", "message"),
    [
        ("docker ps --format {{name}}", {}, "has a word in {{ }}"),
        ("/bin/job a", {"x": "b"}, "is no word of the command"),
        ("/bin/job 'a b'", {"x": "a b"}, "is not one plain word"),
        ("/bin/job $a", {"x": "$a"}, "is not one plain word"),
    ],
)
def test_what_cannot_be_a_template_is_refused(command, parameters, message):
    with pytest.raises(InvalidSyntax, match=message):
        template_from_task(TaskRecord("x", "@daily", command), "mine", parameters=parameters)


def test_braces_of_other_programs_stay():
    record = TaskRecord("x", "@daily", "docker ps --format '{{.Names}}'", record_runs=True)
    assert render(template_from_task(record, "mine"), {}) == record
