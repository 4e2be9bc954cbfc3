"""What a person does by the keyboard alone: no test here touches the mouse.

A load of a page takes seconds of processor time, so one tab serves several tests.
"""

import re

import pytest
from playwright.sync_api import expect

from pitasker_core import tasks
from pitasker_core.runs import history
from tests.helpers.browsing import grid, move, settle, type_into_open_cell
from tests.helpers.eventful import fill
from tests.helpers.examples import EXISTING
from tests.helpers.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.standing]

MOST_STOPS = 120
"""A page has fewer places that Tab stops at."""


def go_to(page, target, key="Tab"):
    """Press Tab until a target has the focus."""
    expect(target).to_be_visible()
    element = target.element_handle()  # to look for it after each key takes longer than the key
    for _ in range(MOST_STOPS):
        if element.evaluate("element => element === element.getRootNode().activeElement"):
            return
        if element.evaluate("element => element.isConnected"):
            page.keyboard.press(key)
        else:
            element = target.element_handle()
    pytest.fail(f"Tab does not reach {target}")


def go_to_grid(page, key="Tab"):
    go_to(page, grid(page).locator("canvas").first, key)
    # The table chooses a cell when it gets the focus, and misses a key before.
    expect(grid(page).locator("[role=gridcell][aria-selected=true]").first).to_be_attached()


def go_to_next_cell(page, key):
    """Press an arrow, and wait until another cell has the focus. The table says so later."""
    before = chosen_cell(page)
    page.keyboard.press(key)
    until(lambda: chosen_cell(page) not in (before, None))


def go_to_column(page, name):
    """Press the right arrow until a cell of a column has the focus."""
    while chosen_column(page) != name:
        go_to_next_cell(page, "ArrowRight")


def chosen_cell(page):
    """Return the id of the chosen cell. It has the place in the table."""
    return grid(page).evaluate(
        "grid => grid.querySelector('[role=gridcell][aria-selected=true]')?.id"
    )


def chosen_column(page):
    """Return the heading of the column of the chosen cell."""
    return grid(page).evaluate(
        """grid => {
            const cell = grid.querySelector('[role=gridcell][aria-selected=true]');
            const column = cell?.getAttribute('aria-colindex');
            return grid.querySelector(`[role=columnheader][aria-colindex="${column}"]`)?.innerText;
        }"""
    )


def press(page, name, key="Tab"):
    """Press a button."""
    go_to(page, page.get_by_role("button", name=name).first, key)
    page.keyboard.press("Enter")


def choose(page, label):
    """Choose from a menu that is open."""
    item = page.get_by_role("menuitem", name=label, exact=True)
    go_to(page, item, "ArrowDown")
    page.keyboard.press("Enter")


def choose_action(page, label):
    """Select the first task of the table, and choose an action."""
    go_to_grid(page)
    page.keyboard.press("Space")
    expect(page.get_by_text("1 task selected")).to_be_visible()
    settle(page)
    press(page, "Actions", "Shift+Tab")
    choose(page, label)


def test_entries_are_imported_but_for_one(serve, visit, crontab):
    crontab.write(EXISTING)
    page = visit(serve())
    press(page, "Choose what to manage")
    expect(page.get_by_role("button", name="Import 3 entries")).to_be_visible()
    settle(page)
    go_to_grid(page)
    go_to_next_cell(page, "ArrowDown")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Import 2 entries")).to_be_visible()
    settle(page)
    press(page, "Import 2 entries", "Shift+Tab")
    until(lambda: crontab.read().count(b"# PITASKER_ID:") == 2)


def test_a_task_is_edited_looked_into_and_run(serve, visit, crontab, environment, subtests):
    task = fill(environment, crontab)["Backup"]
    tasks.change(environment, "test", task.id, command="echo by keyboard")
    page = visit(f"{serve()}/tasks")
    with subtests.test("a schedule is edited in the table"):
        go_to_grid(page)
        go_to_column(page, "Schedule")
        page.keyboard.press("Enter")
        type_into_open_cell(page, "45 6 * * *")
        expect(page.get_by_text("1 change in 1 task")).to_be_visible()
        settle(page)
        press(page, "Apply")
        until(lambda: b"45 6 * * *" in crontab.read())
        settle(page)
    with subtests.test("why it did not run is asked and the answer closed"):
        move(page, "runs")
        move(page, "tasks")
        choose_action(page, "Why didn't it run?")
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text("cron", exact=False).first).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        settle(page)
    with subtests.test("a task is run and its output read"):
        # It is still selected.
        press(page, "Actions", "Shift+Tab")
        choose(page, "Run now")
        expect(page.get_by_text("by keyboard").last).to_be_visible()
        assert history.runs(environment, 1, task.id)[0].source == "by hand"


def test_what_needs_attention_is_decided_and_the_crontab_edited(
    serve, visit, crontab, environment, subtests
):
    fill(environment, crontab)
    page = visit(serve())
    with subtests.test("a conflict is resolved"):
        press(page, "Resolve")
        expect(page.get_by_role("button", name="Keep PiTasker's")).to_be_visible()
        settle(page)
        press(page, "Keep PiTasker's")
        until(lambda: b"30 7 * * *" in crontab.read())
    with subtests.test("a run is chosen from the list"):
        move(page, "runs")
        go_to_grid(page)
        go_to_next_cell(page, "ArrowDown")
        page.keyboard.press("Shift+Space")
        expect(page).to_have_url(re.compile("run="))
        expect(page.locator(".st-key-run").get_by_role("button", name="Download")).to_be_visible()
    with subtests.test("a finding is fixed by the menu beside the table"):
        move(page, "sync")
        go_to(page, page.get_by_label("Choose a finding"))
        page.keyboard.press("ArrowDown")
        page.keyboard.type("unmanaged")
        page.keyboard.press("Enter")
        settle(page)
        press(page, "Actions")
        choose(page, "Import")
        until(lambda: b"certbot renew # PITASKER_ID:" in crontab.read())
    with subtests.test("the whole crontab is edited and the editor lets the focus go"):
        settle(page)
        move(page, "crontab")
        before = crontab.read()
        go_to(page, page.get_by_label("The whole crontab"))
        page.keyboard.press("Control+Home")
        page.keyboard.type("5 5 * * * /bin/x\n")
        press(page, "Save")
        until(lambda: crontab.read() == b"5 5 * * * /bin/x\n" + before)
