"""The doctor on the installed crontab: silences, fixes and caching."""

import pytest

from pitasker_core import tasks
from pitasker_core.base.errors import ConcurrentModification, NotFound, ReadOnly
from pitasker_core.reports import doctor
from pitasker_core.sync import importing
from tests.helpers.examples import ME, create

PERCENT = b"PATH=~/bin:/usr/bin:/bin\n0 5 * * * date +%F\n7 5 * * * date +%T\n"


def rules(environment, line):
    return codes(doctor.examine(environment).of_line(line))


def codes(findings):
    """Return the rules of the findings, except for a missing mail program."""
    return [finding.rule for finding in findings if finding.rule != "output_lost"]


def test_findings_of_an_entry_include_those_of_the_lines_above_it(environment, crontab):
    crontab.write(PERCENT)
    assert rules(environment, 2) == ["percent", "not_expanded"]


def test_findings_of_a_task_are_those_of_its_entry(environment, crontab):
    task = create(environment, "Day", "0 5 * * *", "/nosuch/program")
    examined = doctor.examine(environment)
    assert "program_missing" in {finding.rule for finding in examined.of_task(task.id)}
    assert examined.of_task(task.id + 1) == ()


def test_a_rule_is_silenced_for_one_unmanaged_entry(environment, crontab):
    crontab.write(PERCENT)
    doctor.silence(environment, ME, "percent", doctor.locate(environment, line=2))
    assert rules(environment, 2) == ["not_expanded"]
    assert rules(environment, 3) == ["percent", "not_expanded"]
    assert [f.rule for f in doctor.examine(environment).silenced] == ["percent"]
    doctor.unsilence(environment, ME, "percent", doctor.locate(environment, line=2))
    assert rules(environment, 2) == ["percent", "not_expanded"]


def test_a_silence_of_a_line_moves_with_it_and_ends_when_it_changes(environment, crontab):
    crontab.write(PERCENT)
    doctor.silence(environment, ME, "percent", doctor.locate(environment, line=2))
    crontab.write(b"# moved\n" + PERCENT)
    assert rules(environment, 3) == ["not_expanded"]
    crontab.write(PERCENT.replace(b"+%F", b"+%D"))
    assert rules(environment, 2) == ["percent", "not_expanded"]


def test_a_silence_of_a_task_stays_when_its_entry_changes(environment, crontab):
    task = create(environment, "Day", "0 5 * * *", "/nosuch/a")
    doctor.silence(environment, ME, "program_missing", doctor.locate(environment, task=task.id))
    tasks.change(environment, ME, task.id, command="/nosuch/b")
    assert "program_missing" not in str(doctor.examine(environment).report)


def test_a_managed_line_is_silenced_as_its_task(environment, crontab):
    crontab.write(PERCENT)
    importing.import_entries(environment, ME)
    line = next(line for line, text in enumerate(crontab.read().split(b"\n"), 1) if b"%F" in text)
    place = doctor.locate(environment, line=line)
    assert place.task is not None
    doctor.silence(environment, ME, "percent", place)
    assert "percent" not in rules(environment, line)


def test_silencing_twice_is_silencing_once(environment, crontab):
    crontab.write(PERCENT)
    place = doctor.locate(environment, line=2)
    doctor.silence(environment, ME, "percent", place)
    doctor.silence(environment, ME, "percent", place)
    doctor.unsilence(environment, ME, "percent", place)
    with pytest.raises(NotFound):
        doctor.unsilence(environment, ME, "percent", place)


def test_what_is_no_rule_or_no_line_cannot_be_silenced(environment, crontab):
    crontab.write(b"# a\n")
    with pytest.raises(NotFound):
        doctor.locate(environment, line=1)
    with pytest.raises(NotFound):
        doctor.locate(environment, line=99)
    with pytest.raises(NotFound):
        doctor.silence(environment, ME, "nosuch", doctor.Place(entry="x"))


def test_a_fix_of_an_unmanaged_line_changes_that_line_alone(environment, crontab):
    crontab.write(PERCENT)
    doctor.apply_fix(environment, ME, "percent", 2)
    assert crontab.read() == PERCENT.replace(b"+%F", b"+\\%F")


def test_a_fix_of_an_environment_line_writes_its_value(environment, crontab):
    crontab.write(PERCENT)
    doctor.apply_fix(environment, ME, "not_expanded", 1)
    assert b"~" not in crontab.read()
    assert crontab.read().endswith(PERCENT.split(b"\n", 1)[1])


def test_a_fix_of_a_task_is_an_edit_of_the_task(environment, crontab):
    task = create(environment, "Day", "0 5 * * *", "date +%F")
    (line,) = doctor.examine(environment).tasks
    doctor.apply_fix(environment, ME, "percent", line)
    assert tasks.get(environment, task.id).command == "date +\\%F"
    assert b"date +\\%F # PITASKER_ID" in crontab.read()


def test_a_fix_of_a_changed_crontab_is_refused(environment, crontab):
    crontab.write(PERCENT)
    shown = doctor.examine(environment).digest
    crontab.write(PERCENT + b"# more\n")
    with pytest.raises(ConcurrentModification):
        doctor.apply_fix(environment, ME, "percent", 2, shown)
    with pytest.raises(NotFound):
        doctor.apply_fix(environment, ME, "percent", 4)


def test_a_reader_changes_nothing(environment, crontab):
    from dataclasses import replace

    crontab.write(PERCENT)
    reader = replace(environment, read_only=True)
    with pytest.raises(ReadOnly):
        doctor.apply_fix(reader, ME, "percent", 2)
    with pytest.raises(ReadOnly):
        doctor.silence(reader, ME, "percent", doctor.locate(reader, line=2))


def test_a_draft_is_judged_with_the_lines_above_it(environment, crontab):
    crontab.write(PERCENT)
    findings = doctor.examine_draft(environment, "0 6 * * *", "date +%H")
    assert codes(findings) == ["percent", "not_expanded"]


def test_a_draft_of_a_task_is_judged_in_the_place_of_its_entry_if_it_is_still_there(
    environment, crontab
):
    task = create(environment)
    entry = crontab.read()

    def judged():
        return codes(doctor.examine_draft(environment, "0 5 * * *", "date", task.tag))

    crontab.write(entry + b"PATH=~/bin:/usr/bin:/bin\n")
    assert judged() == []
    crontab.write(b"PATH=~/bin:/usr/bin:/bin\n")
    assert judged() == ["not_expanded"]


def test_any_text_is_examined_without_a_database() -> None:
    examined = doctor.examine_text("0 5 * * * date +%F\n", text_only=True)
    assert [finding.rule for finding in examined.report.findings] == ["percent"]
