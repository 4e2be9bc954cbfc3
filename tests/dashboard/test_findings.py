"""The doctor's findings on the pages: fixes, silences, and the way back."""

import pytest

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import ConcurrentModification
from pitasker_core.base.text import Code, Text
from pitasker_core.crontab.doctor.examination import Report
from pitasker_core.crontab.doctor.finding import Finding, Fix, Severity
from pitasker_core.dashboard import attention, cells, doctor_list, health, shell
from pitasker_core.dashboard.attention import Action, Facts
from pitasker_core.reports import doctor
from pitasker_core.reports.doctor import Examined
from pitasker_core.sync import importing
from tests.helpers.examples import create
from tests.helpers.pages import said, tables

GONE = "There is no file /nosuch/program on this machine."


def press(app, label):
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception, app.exception[0].message


def open_task(open_page, task):
    app = open_page("tasks")
    app.query_params["task"] = str(task.id)
    app.run()
    return app


def severe(environment):
    examined = doctor.examine(environment)
    return [f.rule for f in examined.report.findings if f.severity is Severity.HIGH]


def test_a_finding_is_silenced_on_the_overview_and_comes_back_by_undo(open_page, environment):
    create(environment, command="/nosuch/program")
    app = open_page("overview")
    assert GONE in said(app)
    press(app, "Silence")
    assert severe(environment) == []
    assert GONE not in said(app)
    press(app, "Undo")
    assert severe(environment) == ["program_missing"]


def test_a_silenced_finding_of_a_task_is_listed_on_its_page_and_reported_again(
    open_page, environment
):
    task = create(environment, command="/nosuch/program")
    app = open_task(open_page, task)
    button = next(b for b in app.button if (b.key or "").startswith("silence-0-program_missing"))
    button.click().run()
    assert severe(environment) == []
    assert "silenced" in "\n".join(each.label for each in app.expander)
    press(app, "Report again")
    assert severe(environment) == ["program_missing"]


def test_the_report_of_an_action_does_not_wait_for_the_doctor(open_page, environment, monkeypatch):
    create(environment)
    app = open_page("tasks")
    steps, examine = [], doctor.examine
    monkeypatch.setattr(shell, "show_messages", lambda: steps.append("report"))
    monkeypatch.setattr(doctor, "examine", lambda *of: steps.append("doctor") or examine(*of))
    health._at_version.cache_clear()
    app.run()
    assert steps == ["report", "doctor", "doctor"]


def _open_findings(app):
    app.session_state["doctor"] = True
    return app.run()


def test_the_findings_are_drawn_when_their_list_is_opened(open_page, environment, crontab):
    create(environment, "Mine", command="/nosuch/program")
    app = open_page("tasks")
    assert not any("finding" in table for table in tables(app))
    assert any("finding" in table for table in tables(_open_findings(app)))


@pytest.mark.parametrize("page", ["tasks", "import_entries"])
def test_the_findings_of_a_page_have_their_fixes_and_silences_on_each_row(
    open_page, environment, crontab, page
):
    create(environment, "Mine", command="true")
    crontab.write(crontab.read() + b"0 5 * * * date +%F\n")
    app = _open_findings(open_page(page))
    table = next(table for table in tables(app) if "finding" in table)
    _fix, silence = table["do"][table["severity"].index(["high"])]
    assert silence == "Silence"


def test_the_findings_name_entries_of_one_program_apart_and_quote_code(
    open_page, environment, crontab
):
    create(environment, "Mine", command="true")
    entries = b"0 1 * * * /nosuch bath\n0 2 * * * /nosuch hall\n0 3 * * * curl -u me:secret x\n"
    crontab.write(crontab.read() + entries)
    app = _open_findings(open_page("tasks"))
    table = next(table for table in tables(app) if "finding" in table)
    assert {"nosuch bath", "nosuch hall"} <= set(table["entry"])
    assert any("(“chmod 600”)" in finding for finding in table["finding"])


def test_a_cell_quotes_the_code_of_a_sentence_and_leaves_other_marks_alone():
    assert cells.sentence(Text("Type ", Code("crontab -e"), ".")) == "Type “crontab -e”."
    assert cells.sentence("cron runs echo `date`") == "cron runs echo `date`"


def test_a_phone_shows_the_findings_as_sentences(open_page, environment, crontab, monkeypatch):
    create(environment, "Mine", command="/nosuch/program")
    monkeypatch.setattr(doctor_list, "is_phone", lambda: True)
    app = _open_findings(open_page("tasks"))
    assert f"**Mine** {GONE}" in said(app)
    press(app, "Silence")
    assert severe(environment) == []


def test_a_click_on_a_row_does_what_its_label_says(open_page, environment, crontab, monkeypatch):
    calls = []
    for name in ("apply_finding", "silence_finding", "report_again"):
        monkeypatch.setattr(doctor_list, name, lambda f, d, name=name: calls.append((name, f, d)))
    fix = Fix("Silence it", command="x")
    finding = Finding("percent", 1, Severity.HIGH, "A", fix=fix)
    state = {"doctor_findings_drawn": ([finding], "digest")}
    monkeypatch.setattr(doctor_list.st, "session_state", state)
    for label in ("Silence it", "Silence", "Report again"):
        state["doctor_findings"] = {"row": 0, "label": label}
        doctor_list._click("doctor_findings")
    assert [name for name, *_ in calls] == ["apply_finding", "silence_finding", "report_again"]
    assert {call[1:] for call in calls} == {(finding, "digest")}


def test_a_line_that_changed_since_it_was_shown_is_not_silenced(open_page, environment, crontab):
    crontab.write(b"0 5 * * * /nosuch/program\n")
    old = doctor.examine(environment).digest
    crontab.write(b"# new\n0 5 * * * /nosuch/program\n")
    with pytest.raises(ConcurrentModification):
        doctor.locate(environment, line=1, shown=old)


def test_the_title_counts_findings_by_severity():
    finding = Finding("percent", 1, Severity.HIGH, "A")
    assert doctor_list.summary([finding], [finding, finding]) == (
        "Doctor: 1 finding (1 high), 2 silenced"
    )


def test_many_findings_are_a_few_items_and_a_link(environment, crontab):
    lines = b"".join(b"0 %d * * * /nosuch/program%d\n" % (n % 24, n) for n in range(300))
    crontab.write(lines)
    facts = Facts(tasks.listing(environment), clock.now(), examined=doctor.examine(environment))
    items = attention.items(facts)
    assert len(items) == 21
    assert items[-1].actions == (Action.LIST,)
    assert items[-1].subject == "280 more findings"


def test_entries_with_one_fault_are_one_item(environment, crontab):
    crontab.write(b"# A\n0 1 * * * /nosuch 1\n# B\n0 2 * * * /nosuch 2\n# C\n0 3 * * * /gone\n")
    importing.import_entries(environment, "test")
    facts = Facts(tasks.listing(environment), clock.now(), examined=doctor.examine(environment))
    both, single = (item for item in attention.items(facts) if item.icon == "build")
    assert both.subject == "A and 1 other entry"
    assert "/nosuch" in both.sentence
    assert both.actions == (Action.LIST,)
    assert (single.subject, single.actions) == ("C", (Action.OPEN, Action.SILENCE))


def test_faults_with_their_own_fixes_stay_items_of_their_own(environment, crontab):
    crontab.write(b"0 1 * * * date +%F\n0 2 * * * date +%F\n")
    facts = Facts(tasks.listing(environment), clock.now(), examined=doctor.examine(environment))
    items = [item for item in attention.items(facts) if Action.FIX in item.actions]
    assert [item.subject for item in items] == ["Line 1 of the crontab", "Line 2 of the crontab"]


def test_the_overview_examines_a_large_crontab_too(open_page, environment, crontab):
    create(environment, command="true")
    lines = [b"0 %d * * * /nosuch/program%d\n" % (n % 24, n) for n in range(300)]
    crontab.write(crontab.read() + b"".join(lines))
    app = open_page("overview")
    assert "16 more" in [part.label for part in app.expander]
    app.session_state["attention-more"] = True
    assert "280 more findings" in said(app.run())


def test_silenced_findings_of_a_task_include_those_of_the_lines_above_it():
    above = Finding("not_expanded", 1, Severity.LOW, "A")
    own, other = (Finding("percent", line, Severity.HIGH, "B") for line in (2, 3))
    report = Report((), {2: (1,), 3: (1,)})
    examined = Examined(None, "", report, (above, own, other), {2: 7, 3: 8})
    assert examined.silenced_of_task(7) == (above, own)
