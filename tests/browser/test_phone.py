"""What a person does on a phone, by touch alone.

A load of a page takes seconds of processor time, so one tab serves several tests.
"""

import pytest
from playwright.sync_api import expect

from pitasker_core import tasks
from pitasker_core.runs import history
from tests.helpers.browsing import HEADER, grid, move, settle
from tests.helpers.eventful import fill
from tests.helpers.examples import EXISTING
from tests.helpers.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.standing]

ROW = 46
ON, MENU = 152, 301
"""A row's height and where columns are in the table of tasks on a phone, in pixels."""


def tap(page, name):
    page.get_by_role("button", name=name).first.tap()


def tap_cell(page, row, x):
    grid(page).tap(position={"x": x, "y": HEADER + ROW * row + ROW // 2})


def choose_from_row(page, row, label):
    tap_cell(page, row, MENU)
    page.get_by_text(label, exact=True).last.tap()


def test_the_overview_shows_the_worst_first_and_tasks_are_edited(
    serve, phone, crontab, environment, subtests
):
    named = fill(environment, crontab)
    task, backup = named["Weather map"], named["Backup"]
    page = phone(serve())
    with subtests.test("health and the worst are seen first"):
        expect(page.get_by_text("Problem").first).to_be_in_viewport()
        expect(page.get_by_text("Weather map failed")).to_be_in_viewport()
        expect(page.get_by_role("button", name="View output")).to_be_in_viewport()
    with subtests.test("why a job failed is one touch away"):
        tap(page, "View output")
        expect(page.locator(".printed").get_by_text("Could not resolve host")).to_be_in_viewport()
    with subtests.test("a failed job is run again after a question"):
        move(page, "")
        before = len(history.runs(environment, 50, task.id))
        tap(page, "Run again")
        expect(page.get_by_role("dialog").get_by_text("Weather map")).to_be_visible()
        assert len(history.runs(environment, 50, task.id)) == before
        page.get_by_role("dialog").get_by_role("button", name="Run now").tap()
        expect(page.get_by_text("Weather map failed")).to_have_count(0)
        assert len(history.runs(environment, 50, task.id)) == before + 1
    with subtests.test("a conflict is resolved"):
        settle(page)
        tap(page, "Resolve")
        settle(page)
        button = page.get_by_role("button", name="Keep PiTasker's")
        expect(button).to_be_in_viewport()
        button.tap()
        until(lambda: b"30 7 * * *" in crontab.read())
    settle(page)
    move(page, "tasks")
    with subtests.test("the name stays in view when the table is moved aside"):
        place = grid(page).bounding_box()
        names = {"x": place["x"], "y": place["y"], "width": 118, "height": place["height"]}
        others = {**names, "x": place["x"] + 150, "width": 180}
        # A mouse would light up rows, which changes the pictures.
        move_by = "(pixels) => document.querySelector('.dvn-scroller').scrollBy(pixels, 0)"
        before, beside = page.screenshot(clip=names), page.screenshot(clip=others)
        page.evaluate(move_by, 400)
        until(lambda: page.screenshot(clip=others) != beside)
        assert page.screenshot(clip=names) == before
        page.evaluate(move_by, -400)
        until(lambda: page.screenshot(clip=others) == beside)
    with subtests.test("a task is paused in its row"):
        tap_cell(page, 0, ON)
        until(lambda: tasks.get(environment, backup.id).paused)
        expect(page.get_by_text("Paused Backup")).to_be_in_viewport()
    with subtests.test("a schedule is edited on the page of the task"):
        settle(page)
        choose_from_row(page, 0, "Open")
        field = page.get_by_label("Schedule", exact=True)
        field.tap()
        field.fill("45 6 * * *")
        expect(page.get_by_text("Every day at 06:45")).to_be_visible()
        settle(page)
        expect(page.get_by_role("button", name="Save").first).to_be_in_viewport()
        tap(page, "Save")
        until(lambda: b"45 6 * * *" in crontab.read())
        assert tasks.get(environment, backup.id).schedule == "45 6 * * *"
    with subtests.test("the menu closes when a page is chosen"):
        settle(page)
        page.get_by_test_id("stExpandSidebarButton").tap()
        link = page.get_by_test_id("stSidebarNavLink").filter(has_text="Settings")
        link.tap()
        expect(page.get_by_role("heading", name="Settings")).to_be_visible()
        expect(link).not_to_be_in_viewport()


def test_entries_are_imported(serve, phone, crontab):
    crontab.write(EXISTING)
    page = phone(serve())
    tap(page, "Choose what to manage")
    button = page.get_by_role("button", name="Import 3 entries")
    expect(button).to_be_in_viewport()
    settle(page)
    button.tap()
    until(lambda: crontab.read().count(b"# PITASKER_ID:") == 3)
