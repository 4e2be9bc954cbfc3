"""What a person decides on a page, without a browser."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from pitasker_core import tasks
from pitasker_core.dashboard.startup import Startup
from pitasker_core.sync import operation_history
from tests.helpers.examples import EXISTING, ME, create
from tests.helpers.pages import button, press, said

NOWHERE = "/nonexistent/crontab"


def test_a_newcomer_sees_what_the_crontab_holds_and_imports_it(open_page, crontab, environment):
    crontab.write(EXISTING)
    starting = Startup()
    with ThreadPoolExecutor(1) as pool:  # this thread may have a browser's event loop
        pool.submit(asyncio.run, starting.load(environment)).result()
    app = open_page("overview")
    assert "Nothing has been changed in your crontab" in said(app)
    (backup,) = environment.backups.glob("*.crontab")
    assert backup.read_bytes() == EXISTING
    assert "Found 3 entries in your crontab" in said(app)
    press(app, "Choose what to manage")
    press(app, "Import 3 entries")
    assert "Every entry of your crontab is managed already" in said(app)
    assert {t.name for t in tasks.listing(environment).tasks} == {
        "Nightly backup",
        "cat",
        "hello.sh",
    }
    assert crontab.read().count(b"# PITASKER_ID:") == 3
    starting.stop()


def test_an_import_can_choose_all_or_none(open_page, crontab):
    crontab.write(EXISTING)
    app = open_page("import_entries")
    press(app, "Choose none")
    assert button(app, "Import 0 entries").disabled
    press(app, "Choose all")
    press(app, "Import 3 entries")
    assert crontab.read().count(b"# PITASKER_ID:") == 3


def test_a_hand_edit_is_shown_and_either_side_can_be_taken(open_page, crontab, environment):
    task = create(environment)
    create(environment, "Other")
    original = crontab.read()
    edited = original.replace(b"0 2 * * * /home", b"9 9 * * * /home", 1)
    crontab.write(edited)
    app = open_page("sync")
    assert "Needs attention" in said(app)
    press(app, "Keep PiTasker's (`0 2 * * *`)")
    assert "1 line changed" in said(app)
    assert crontab.read() == original
    crontab.write(edited + b"# more\n")
    app.run()
    press(app, "Keep the crontab's (`9 9 * * *`)")
    assert tasks.get(environment, task.id).schedule == "9 9 * * *"
    assert "In sync" in said(app)


def test_a_conflict_can_be_decided_field_by_field(open_page, crontab, environment):
    task = create(environment)
    nowhere = replace(environment, crontab_program=NOWHERE)
    tasks.change(nowhere, ME, task.id, command="/bin/ours")
    crontab.write(crontab.read().replace(b"0 2 * * *", b"7 7 * * *"))
    app = open_page("sync")
    app.segmented_control(key=f"mix-schedule-{task.tag}").set_value("Crontab").run()
    press(app, "Keep these fields")
    assert b"7 7 * * * /bin/ours # PITASKER_ID:" in crontab.read()


def test_a_crontab_that_vanished_asks_before_tasks_are_touched(open_page, crontab, environment):
    create(environment)
    whole = crontab.read()
    crontab.remove()
    app = open_page("sync")
    press(app, "Sync now")
    assert "1 of 1 managed entries are gone" in said(app)
    press(app, "Restore PiTasker's entries")
    assert crontab.read() == whole


def test_an_operation_shows_what_it_did_and_can_be_gone_back_before(
    open_page, crontab, environment
):
    create(environment)
    before = crontab.read()
    create(environment, "Other")
    (newest, *_) = operation_history.operations(environment)
    app = open_page("sync")
    app.query_params["operation"] = str(newest.id)
    app.run()
    assert "The crontab: 2 lines added, 2 identical" in said(app)
    press(app, "Restore the crontab before this")
    assert crontab.read() == before


def test_all_findings_of_a_kind_are_fixed_at_once_and_it_can_be_undone(
    open_page, crontab, environment
):
    create(environment)
    crontab.write(crontab.read() + b"1 1 * * * /bin/a\n2 2 * * * /bin/b\n")
    before = crontab.read()
    app = open_page("sync")
    (menu,) = [menu for menu in app.menu_button if menu.label == "Fix all 2: unmanaged entry"]
    menu.click("Import").run()
    assert crontab.read().count(b"# PITASKER_ID:") == 3
    press(app, "Undo")
    assert crontab.read() == before


def test_without_a_crontab_program_every_page_opens_and_says_why(open_page):
    for page in ("overview", "tasks", "import_entries", "sync", "crontab"):
        assert "Install cron" in said(open_page(page, PITASKER_CRONTAB=NOWHERE)), page


def test_environment_lines_are_changed_in_fields_and_saved_with_the_text(open_page, crontab):
    crontab.write(b"PATH=/bin\n" + EXISTING)
    app = open_page("crontab")
    app.segmented_control(key="raw_part").set_value("Environment lines").run()
    for label, value in (("Name", "MAILTO"), ("Value", "me@example.org")):
        next(field for field in app.text_input if field.label == label).set_value(value)
    press(app, "Add")
    assert "1 line added" in said(app)
    press(app, "Save")
    assert crontab.read().replace(b"MAILTO=me@example.org\n", b"") == b"PATH=/bin\n" + EXISTING
    assert b"MAILTO=me@example.org\n" in crontab.read()


def test_an_uploaded_text_waits_to_be_saved_with_every_byte(open_page, crontab):
    crontab.write(EXISTING)
    odd = b"# caf\xe9\r\n0 5 * * * echo caf\xe9\n"
    app = open_page("crontab")
    app.file_uploader[0].upload("backup.crontab", odd).run()
    assert "What saving changes" in said(app)
    assert crontab.read() == EXISTING
    press(app, "Save")
    assert crontab.read() == odd


def test_a_hand_edit_is_accepted_on_the_overview(open_page, crontab, environment):
    task = create(environment, command="true")
    app = open_page("overview")
    assert "Nothing needs attention" in said(app)
    crontab.write(crontab.read().replace(b"0 2 * * *", b"5 2 * * *"))
    app.run()
    assert "was edited outside PiTasker: schedule" in said(app)
    assert "1 task out of sync" in [metric.delta for metric in app.metric]
    press(app, "Accept")
    assert tasks.get(environment, task.id).schedule == "5 2 * * *"
