"""Each page in each of its states, without a browser. See browser/test_dashboard.py for others."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from pitasker_core import database, tasks
from pitasker_core.base.errors import CrontabUnavailable
from pitasker_core.dashboard.staging import Staged
from pitasker_core.database.tables import TaskRow
from pitasker_core.runs import history, manual, records, spool
from pitasker_core.server import auth, job_states
from pitasker_core.server.auth import Role
from pitasker_core.server.background import Background
from pitasker_core.sync import operation_history, service
from pitasker_core.sync.service import Request
from tests.helpers.examples import EXISTING, ME, create
from tests.helpers.pages import PAGES, cells, said
from tests.helpers.runs import missed, ran
from tests.helpers.waiting import until

NOT_ALLOWED = """\
#!/bin/sh
echo "You (pi) are not allowed to use this program (crontab)" >&2
exit 1
"""

EMPTY = {
    "overview": "Your crontab has no entries yet",
    "tasks": "There are no tasks and no entries in your crontab yet",
    "timeline": "There are no tasks yet",
    "runs": "No runs yet",
    "import_entries": "You have no crontab yet",
    "sync": "Nothing was done in this time",
    "crontab": "No snapshots yet",
    "settings": "No background work is running",
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_without_anything_leads_on(open_page, page):
    assert EMPTY[page] in said(open_page(page))


FOUND = {
    "overview": "Found 3 entries in your crontab",
    "tasks": "Your crontab has 3 entries. PiTasker does not manage them yet",
    "import_entries": "Choose the entries for PiTasker to manage",
    "sync": "Nothing was done in this time",
    "crontab": "Cron accepts every line",
    "settings": "No background work is running",
}


@pytest.mark.parametrize("page", FOUND)
def test_a_page_shows_a_crontab_that_nobody_imported(open_page, crontab, page):
    crontab.write(EXISTING)
    assert FOUND[page] in said(open_page(page))
    assert crontab.read() == EXISTING


IN_ORDER = {
    "overview": "Nothing needs attention",
    "tasks": "Double-click a cell",
    "import_entries": "Every entry of your crontab is managed already",
    "sync": "Tasks and crontab are in sync",
    "crontab": "Cron accepts every line",
    "settings": "The background work is running",
}


@pytest.mark.parametrize("page", IN_ORDER)
def test_a_page_shows_that_all_is_in_order(open_page, environment, page):
    create(environment, command="true")
    work = Background(environment)
    work.start()
    until(lambda: work.leads)
    app = open_page(page)
    work.stop()
    assert IN_ORDER[page] in said(app)
    assert not app.error
    assert not app.warning


CONFLICT = {
    "overview": "was changed here and in the crontab, differently",
    "tasks": "Double-click a cell",
    "import_entries": "managed already",
    "sync": "It was changed here and in the crontab, differently",
    "crontab": "Cron accepts every line",
    "settings": "No background work is running",
}


@pytest.mark.parametrize("page", CONFLICT)
def test_a_page_shows_a_conflict(open_page, crontab, environment, page):
    task = create(environment)
    tasks.change(replace(environment, crontab_program="/nonexistent"), ME, task.id, command="/ours")
    crontab.write(crontab.read().replace(b"0 2 * * *", b"7 7 * * *"))
    service.sync(environment, Request(ME))
    assert CONFLICT[page] in said(open_page(page))


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ("runs", "settings")])
def test_a_page_says_how_to_be_allowed_to_use_crontab(open_page, fake_crontab, environment, page):
    create(environment)
    app = open_page(page, PITASKER_CRONTAB=str(fake_crontab(NOT_ALLOWED)))
    assert "This user may not use crontab" in said(app)
    assert "/etc/cron.deny" in said(app)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_without_a_database_says_so_and_where_to_go_on(open_page, crontab, page):
    crontab.write(EXISTING)
    app = open_page(page, DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    assert "Your jobs go on without it" in said(app)
    assert page == "crontab" or "can still be seen and changed in the raw editor" in said(app)
    if page == "overview":
        assert "Connection refused" in said(app)
        assert list(app.dataframe[0].value["schedule"]) == ["0 2 * * *", "*/5 * * * *", "@reboot"]


def test_the_address_of_a_task_opens_it(open_page, environment):
    task = create(environment)
    app = open_page("tasks")
    app.query_params["task"] = str(task.id)
    app.run()
    assert [field.value for field in app.text_input if field.label == "Command"] == [task.command]


def test_the_tasks_of_an_import_can_be_shown_alone(open_page, environment):
    first, _ = create(environment), create(environment, "Other")
    app = open_page("tasks")
    app.query_params["only"] = str(first.id)
    app.run()
    assert [button for button in app.button if button.label == "Only the 1 imported: show all"]
    assert cells(app, "name") == ["Backup"]


@pytest.mark.parametrize("page", PAGES)
def test_who_may_only_look_is_told_so_on_every_page(open_page, environment, page):
    create(environment)
    app = open_page(page, Role.READ)
    assert "Read-only" in said(app)
    assert not app.error
    assert pressable(app) - {"Select all 1"} <= HARMLESS


HARMLESS = {
    *("Validate", "Check only", "Load again", "Choose all", "Choose none", "Read again", "Add"),
    *("Discard", "Keep mine", "Take theirs", "Dismiss", "Close", "Decide later", "Not now"),
    *("Keep", "Why didn't it run?", "Clear", "All tasks", "Continue", "Discard draft", "View"),
    *("View output", "Compare", "Resolve", "Open", "Edit the crontab", "Dismiss", "Import"),
    *("Choose what to manage", "Undo edits", "Search", "Open task"),
    "What would cron run?",
}
"""Buttons that change only the page. *Add* adds an environment line to the draft."""


def test_who_may_only_look_can_press_nothing_that_writes_whatever_is_to_be_decided(
    open_page, environment, crontab
):
    task, other = create(environment), create(environment, "Other")
    tasks.change(replace(environment, crontab_program="/nonexistent"), ME, task.id, command="/ours")
    by_hand_now = crontab.read().replace(b"0 2 * * * /home/pi/backup.sh", b"7 7 * * * /theirs")
    crontab.write(by_hand_now + b"@daily /unmanaged\n@daily /unmanaged\n")
    observed = ran(environment, task, source="observed", ended_at=None, exit_code=None)
    missed(environment, other, 5)
    app = open_page("sync", Role.READ)
    app.query_params["operation"] = "1"
    app.session_state["guard"] = "Most entries are gone."
    app.run()
    pressable = [button for button in app.button if not button.disabled]
    app.switch_page("pages/runs.py")
    app.query_params["run"] = str(observed)
    app.run()
    pressable += [button for button in app.button if not button.disabled]
    app.switch_page("pages/tasks.py")
    app.session_state["staged"] = {other.id: {"name": Staged("Other", "New")}}
    app.run()
    pressable += [button for button in app.button if not button.disabled]
    menus = {tuple(cell) for cell in cells(app, "menu")}
    app.session_state["menu"] = ("Delete", task.id)
    app.run()
    pressable += [button for button in app.button if not button.disabled]
    app.query_params["task"] = str(task.id)
    app.run()
    pressable += [button for button in app.button if not button.disabled]
    assert not app.exception
    assert {button.label for button in pressable} - {"Select all 2"} <= HARMLESS
    assert menus <= {("Open", "Runs", "Why didn't it run?", "What would cron run?")}


@pytest.mark.parametrize("role", list(Role))
def test_only_who_may_save_a_text_can_upload_one(open_page, role):
    popovers = open_page("crontab", role).get("popover")
    (upload,) = [each for each in popovers if each.proto.popover.label == "Upload"]
    assert upload.proto.popover.disabled is (role is Role.READ)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_is_open_shows_nothing_after_signing_out(open_page, environment, page):
    create(environment)
    app = open_page(page)
    auth.sign_out_everyone(environment)
    app.run()
    assert said(app) == "You are signed out."


def test_a_run_is_shown_with_what_it_printed_and_how_it_differs(open_page, environment):
    task = create(environment)
    before = ran(environment, task, 20, output=b"one\ntwo\n")
    printed = b"\x1b[31mone\x1b[0m\n</pre><script>alert(1)</script> **bold**\n"
    number = ran(environment, task, 10, exit_code=127, output=printed)
    missed(environment, task, 5, 3, 2)
    app = open_page("runs")
    app.query_params["task"] = str(task.id)
    app.query_params["run"] = str(number)
    app.run()
    assert not app.exception
    (table,) = app.dataframe
    assert list(zip(table.value["state"], table.value["details"], strict=True)) == [
        (["missed"], "missed 3 times: the machine was off"),
        (["failed"], "exit code 127: command not found"),
        (["success"], ""),
    ]
    assert "run 127" not in said(app)
    assert f"**Backup**, run {number}: exit code 127: command not found" in said(app)
    shown = "".join(part.body for part in app.get("html"))
    assert '<span class="f1">one</span>\n&lt;/pre&gt;&lt;script&gt;' in shown
    app.selectbox(key=f"compare-{number}").set_value(before).run()
    assert "From that run to this run: 1 line changed, 1 identical" in said(app)
    app.text_input(key=f"find-{number}").set_value("BOLD").run()
    assert "1 of 2 lines match" in said(app)


def test_the_filters_of_runs_and_what_a_task_prints(open_page, environment):
    task, other = create(environment), create(environment, "Other")
    ran(environment, task, 10, bytes=900_000_000)
    ran(environment, other, 20, exit_code=1)
    app = open_page("runs")
    assert list(app.dataframe[0].value["task"]) == ["Backup", "Other"]
    app.segmented_control(key="runs_kind").set_value("Failed").run()
    assert list(app.dataframe[0].value["task"]) == ["Other"]
    app.segmented_control(key="runs_kind").set_value("Slow").run()
    assert "No run matches" in said(app)
    app.selectbox(key="runs_task").set_value(task.id).run()
    assert not app.exception
    assert "This task prints 900 MB a day" in said(app)


def test_what_runs_now_shows_its_output_and_can_be_stopped(open_page, environment):
    task = create(environment, command="echo started; sleep 60")
    name = manual.start(environment, ME, task)
    until(lambda: records.printed(environment.spool / name)[0] == b"started\n")
    app = open_page("runs")
    assert "**Backup** has been running for" in said(app)
    assert "started" in "".join(part.body for part in app.get("html"))
    (stop,) = [button for button in app.button if button.label == "Stop"]
    stop.click().run()
    until(lambda: spool.collect(environment) == 0)
    app.run()
    assert "has been running" not in said(app)
    assert list(app.dataframe[0].value["details"]) == ["terminated by signal 15"]


def fail(environment, task, **values):
    ran(environment, task, 10, exit_code=1, **values)
    with database.session(environment) as session:
        session.execute(update(TaskRow).where(TaskRow.id == task.id).values(status="failed"))


def test_a_failed_job_is_never_under_a_green_health(open_page, environment):
    task = create(environment, command="true")
    assert "Healthy" in said(open_page("overview"))
    fail(environment, task, output=b"one\nNo space left on device\n")
    # Pages may be two seconds old.
    until(lambda: "Healthy" not in said(open_page("overview")))
    app = open_page("overview")
    assert "**Backup** failed 10 min ago: exit code 1: `No space left on device`" in said(app)
    assert pressable(app) >= {"View output", "Run again", "Dismiss"}
    assert "Healthy" not in said(open_page("sync"))


def test_a_command_that_does_not_exist_needs_attention(open_page, environment):
    task = create(environment, command="/usr/loca/bin/certbot renew")
    app = open_page("overview")
    assert "There is no file /usr/loca/bin/certbot on this machine" in said(app)
    press(app, "Open")
    assert app.query_params["task"] == str(task.id)
    assert "There is no file /usr/loca/bin/certbot on this machine" in said(app)


def test_a_dismissed_failure_is_gone_until_the_next_one(open_page, environment):
    task = create(environment)
    fail(environment, task)
    app = open_page("overview")
    press(app, "Dismiss")
    assert "failed 10 min ago" not in said(app)
    ran(environment, task, 1, exit_code=1)
    assert "**Backup** failed 1 min ago" in said(open_page("overview"))


def test_the_next_runs_have_the_unmanaged_entries_too(open_page, environment, crontab):
    create(environment)
    crontab.write(crontab.read() + b"*/5 * * * * /bin/unmanaged\n")
    table = open_page("overview").dataframe[0].value
    assert list(table["task"]) == ["unmanaged", "Backup"]
    assert [list(cell) for cell in table["managed"]] == [["unmanaged"], []]


def pressable(app):
    return {button.label for button in app.button if not button.disabled}


def press(app, label):
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def test_what_was_missed_while_the_machine_was_off_can_be_run_now(open_page, environment):
    missed(environment, create(environment), 5)
    app = open_page("overview")
    assert "machine was off: Backup was missed." in said(app)
    (run,) = [button for button in app.button if button.label == "Run now"]
    run.click().run()
    assert not app.exception
    until(lambda: spool.collect(environment) == 0)
    assert history.runs(environment)[0].source == "caught up"
    assert "was missed" not in said(open_page("overview"))


def test_trouble_in_the_background_is_on_the_page(open_page, environment, crontab):
    create(environment)
    crontab.remove()
    work = Background(environment, 0.02)
    work.start()
    until(lambda: job_states.listing(environment))
    work.stop()
    assert "In the background, sync: 1 of 1 managed entries are gone" in said(open_page("sync"))


def test_code_in_the_reason_of_a_failed_sync_is_drawn_as_code(open_page, environment):
    create(environment)
    with pytest.raises(CrontabUnavailable):
        service.sync(replace(environment, crontab_program="/nonexistent"), Request(ME))
    app = open_page("sync")
    app.query_params["operation"] = str(operation_history.operations(environment)[0].id)
    app.run()
    reasons = [part.value for part in [*app.markdown, *app.error] if "apt install" in part.value]
    assert len(reasons) == 2  # the health of the sync, and the operation
    assert all("`sudo apt install cron`" in reason for reason in reasons)
    assert "`" not in "".join(app.dataframe[0].value["did"])


def test_why_did_it_not_run_is_answered_in_a_dialog(open_page, environment, crontab):
    task = create(environment, command="no-such-program", paused=True)
    app = open_page("tasks")
    app.session_state["why"] = task.id
    app.run()
    assert not app.exception
    assert "It did not run because it is paused." in said(app) + app.error[0].value
    assert "There is no program no-such-program on cron's PATH" in said(app)
    assert f"./pitasker resume {task.id}" in [code.value for code in app.code]
