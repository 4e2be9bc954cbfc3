"""Tasks and their own pages in a real browser, on the real `crontab` and a real PostgreSQL.

A load of a page takes seconds of processor time, so one tab serves several tests.
"""

import re

import pytest
from playwright.sync_api import expect

from pitasker_core import tasks
from tests.helpers.browsing import (
    NAME,
    ON,
    SCHEDULE,
    SELECT,
    choose_from_row,
    click_cell,
    grid,
    move,
    put_into_cell,
    settle,
)
from tests.helpers.examples import ME, create
from tests.helpers.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.standing]

WAITS = "not applied yet"
LOOP = "for n in 1 2 3; do echo step $n; sleep 1; done; sleep 60"


def apply_changes(page):
    expect(page.get_by_text(WAITS)).to_be_visible()
    settle(page)
    page.get_by_role("button", name="Apply").click()


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def discard(page):
    expect(page.get_by_text(WAITS)).to_be_visible()
    # A button that is drawn again between press and release gets no click.
    settle(page)
    press(page, "Discard")
    expect(page.get_by_text(WAITS)).to_have_count(0)
    settle(page)


def type_into(page, label, text):
    field = page.get_by_label(label, exact=True)
    field.fill(text)
    field.press("Tab")
    settle(page)


def test_rows_are_edited_in_the_table(serve, visit, crontab, environment, subtests):
    create(environment, "Mail")
    create(environment, "Zebra")
    page = visit(f"{serve()}/tasks")
    with subtests.test("nothing moves under the mouse when rows are selected, edited or wrong"):
        place = grid(page).bounding_box()
        click_cell(page, 0, SELECT)
        expect(page.get_by_text("1 task selected")).to_be_visible()
        assert grid(page).bounding_box() == place
        put_into_cell(page, 0, SCHEDULE, "30 6 * * *")
        expect(page.get_by_text("1 change in 1 task")).to_be_visible()
        assert grid(page).bounding_box() == place
        put_into_cell(page, 1, SCHEDULE, "every dy")
        expect(page.get_by_text("2 changes in 2 tasks")).to_be_visible()
        assert grid(page).bounding_box() == place
        discard(page)
        click_cell(page, 0, SELECT)
        expect(page.get_by_text("1 task selected")).to_have_count(0)
    with subtests.test("a button pressed right after an edit finds the table in order"):
        for row, name in enumerate(("Mail", "Zebra")):
            expect(grid(page).locator("td", has_text=re.compile(f"^{name}$"))).to_be_attached()
            put_into_cell(page, row, NAME, f"Name {row}")
            discard(page)
    with subtests.test("tasks can be read where the table will be before it is drawn"):
        table, preview = grid(page).bounding_box(), page.locator("#preview")
        expect(preview).to_have_count(0)
        page.route("**/static/js/*", lambda route: route.abort())
        page.reload()
        expect(preview.get_by_text("Mail", exact=True)).to_be_visible()
        place = preview.locator("> div").bounding_box()
        assert all(abs(place[side] - table[side]) < 2 for side in ("x", "y", "width"))


def test_edits_in_the_table_are_applied_and_undone(serve, visit, crontab, environment, subtests):
    create(environment, "Mail")
    create(environment, "Zebra")
    page = visit(f"{serve()}/tasks")
    with subtests.test("staged edits outlive the tab"):
        put_into_cell(page, 0, SCHEDULE, "30 6 * * *")
        expect(page.get_by_text("1 change in 1 task")).to_be_visible()
        page.reload()
        expect(page.get_by_text("1 change in 1 task")).to_be_visible()
        settle(page)
    with subtests.test("an edit stays with its task when the rows change"):
        put_into_cell(page, 1, NAME, "Zoo")
        expect(page.get_by_text("2 changes in 2 tasks")).to_be_visible()
        create(environment, "aardvark")  # in another tab; the first row without a reload
        expect(page.get_by_role("button", name="Select all 3")).to_be_visible()
        apply_changes(page)
        until(lambda: b"# Zoo\n" in crontab.read())
        assert b"# aardvark\n" in crontab.read()
        assert b"# Mail\n30 6 * * * /home/pi/backup.sh" in crontab.read()
    with subtests.test("pausing is at once and can be undone"):
        press(page, "Dismiss")
        expect(page.get_by_text(WAITS)).to_have_count(0)
        settle(page)
        before = crontab.read()
        click_cell(page, 0, ON)
        until(lambda: b"# aardvark\n# 0 2 * * * /home/pi/backup.sh" in crontab.read())
        expect(page.get_by_text("Paused aardvark").first).to_be_visible()
        press(page, "Undo")
        until(lambda: crontab.read() == before)
        # The table shows the change, so the next click pauses again.
        expect(page.get_by_text("Undone").first).to_be_visible()
        press(page, "Dismiss")
        expect(page.get_by_text("Undone")).to_have_count(0)
        settle(page)
        click_cell(page, 0, ON)
        until(lambda: crontab.read() != before)


def test_a_task_is_edited_on_its_own_page(serve, visit, crontab, environment, subtests):
    task = create(environment)
    other = create(environment, "Loop", command=LOOP)
    page = visit(f"{serve()}/tasks?task={task.id}")
    with subtests.test("a discarded command is never written"):
        type_into(page, "Command", "rm -rf /discarded")
        press(page, "Discard changes")
        expect(grid(page)).to_be_visible()
        choose_from_row(page, 0, "Open")
        expect(page.get_by_label("Command", exact=True)).to_have_value("/home/pi/backup.sh")
        type_into(page, "Name", "Renamed")
        expect(page.get_by_role("button", name="Save").first).to_be_enabled()
        settle(page)
        page.keyboard.press("Control+Enter")
        until(lambda: b"# Renamed\n" in crontab.read())
        assert b"discarded" not in crontab.read()
    with subtests.test("a task is made from words"):
        settle(page)
        move(page, "tasks")
        press(page, "New task")
        type_into(page, "Name", "Night")
        type_into(page, "Schedule", "61 2 * * *")
        expect(page.get_by_text("minute must be 0 to 59").first).to_be_visible()
        type_into(page, "Command", "/bin/night")
        page.get_by_role("button", name=re.compile("^Save")).click()
        expect(page.get_by_text("minute must be 0 to 59").first).to_be_visible()
        field = page.get_by_label("Schedule", exact=True)
        field.fill("every day at 2:15")
        expect(page.get_by_role("button", name="Use 15 2 * * *")).to_be_visible()
        field.press("Enter")
        expect(field).to_have_value("15 2 * * *")
        expect(page.get_by_text(re.compile("Next: "))).to_be_visible()
        page.get_by_role("button", name=re.compile("^Save")).click()
        until(lambda: b"# Night\n15 2 * * * /bin/night # PITASKER_ID:" in crontab.read())
    with subtests.test("a task runs now, shows its output as it comes and is stopped"):
        settle(page)
        move(page, "tasks")
        expect(page.get_by_role("button", name="Select all 3")).to_be_visible()
        choose_from_row(page, 0, "Run now")
        expect(page.get_by_text("has been running for")).to_be_visible()
        expect(page.locator(".live").get_by_text("step 3")).to_be_visible()
        press(page, "Stop")
        # The change appears without any action on the page.
        expect(page.locator(".printed").get_by_text("step 1").first).to_be_visible()
        expect(page.get_by_text("has been running for")).to_have_count(0)
    with subtests.test("a change elsewhere takes no edit away"):
        move(page, f"tasks?task={task.id}")
        field = page.get_by_label("Command", exact=True)
        field.fill("/bin/half")
        tasks.change(environment, ME, task.id, paused=True)
        expect(page.get_by_role("button", name="Resume")).to_be_visible()
        # For a moment both the old and the new field exist.
        until(lambda: field.evaluate_all("all => all.map(one => one.value)") == ["/bin/half"])
        tasks.delete(environment, ME, other.id)
