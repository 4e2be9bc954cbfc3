"""What a person does on a phone, by touch alone."""

import pytest
from playwright.sync_api import expect

from pitasker_core import tasks
from pitasker_core.runs import history
from tests.helpers.browsing import HEADER, grid, settle
from tests.helpers.eventful import fill
from tests.helpers.examples import EXISTING
from tests.helpers.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.standing]

ROW = 46
ON, MENU = 170, 325
"""A row's height and where columns are in the table of tasks on a phone, in pixels."""


def tap(page, name):
    page.get_by_role("button", name=name).first.tap()


def tap_cell(page, row, x):
    grid(page).tap(position={"x": x, "y": HEADER + ROW * row + ROW // 2})


def choose_from_row(page, row, label):
    tap_cell(page, row, MENU)
    page.get_by_text(label, exact=True).last.tap()


def test_health_and_the_worst_are_seen_first(serve, phone, crontab, environment):
    fill(environment, crontab)
    page = phone(serve())
    expect(page.get_by_text("Problem").first).to_be_in_viewport()
    expect(page.get_by_text("Weather map failed")).to_be_in_viewport()
    expect(page.get_by_role("button", name="View output")).to_be_in_viewport()


def test_why_a_job_failed_is_one_touch_away(serve, phone, crontab, environment):
    fill(environment, crontab)
    page = phone(serve())
    tap(page, "View output")
    expect(page.locator(".printed").get_by_text("Could not resolve host")).to_be_in_viewport()


def test_a_failed_job_is_run_again_after_a_question(serve, phone, crontab, environment):
    task = fill(environment, crontab)["Weather map"]
    page = phone(serve())
    before = len(history.runs(environment, 50, task.id))
    tap(page, "Run again")
    expect(page.get_by_role("dialog").get_by_text("Weather map")).to_be_visible()
    assert len(history.runs(environment, 50, task.id)) == before
    page.get_by_role("dialog").get_by_role("button", name="Run now").tap()
    expect(page.get_by_text("Weather map failed")).to_have_count(0)
    assert len(history.runs(environment, 50, task.id)) == before + 1


def test_a_task_is_paused_in_its_row(serve, phone, crontab, environment):
    task = fill(environment, crontab)["Backup"]
    page = phone(f"{serve()}/tasks")
    tap_cell(page, 0, ON)
    until(lambda: tasks.get(environment, task.id).paused)
    expect(page.get_by_text("Paused Backup")).to_be_in_viewport()


def test_a_schedule_is_edited_on_the_page_of_the_task(serve, phone, crontab, environment):
    task = fill(environment, crontab)["Backup"]
    page = phone(f"{serve()}/tasks")
    choose_from_row(page, 0, "Open")
    field = page.get_by_label("Schedule", exact=True)
    field.tap()
    field.fill("45 6 * * *")
    expect(page.get_by_text("Every day at 06:45")).to_be_visible()
    settle(page)
    expect(page.get_by_role("button", name="Save").first).to_be_in_viewport()
    tap(page, "Save")
    until(lambda: b"45 6 * * *" in crontab.read())
    assert tasks.get(environment, task.id).schedule == "45 6 * * *"


def test_entries_are_imported(serve, phone, crontab):
    crontab.write(EXISTING)
    page = phone(serve())
    tap(page, "Choose what to manage")
    button = page.get_by_role("button", name="Import 3 entries")
    expect(button).to_be_in_viewport()
    settle(page)
    button.tap()
    until(lambda: crontab.read().count(b"# PITASKER_ID:") == 3)


def test_a_conflict_is_resolved(serve, phone, crontab, environment):
    fill(environment, crontab)
    page = phone(serve())
    tap(page, "Resolve")
    settle(page)
    button = page.get_by_role("button", name="Keep PiTasker's")
    expect(button).to_be_in_viewport()
    button.tap()
    until(lambda: b"30 7 * * *" in crontab.read())


def test_the_name_stays_in_view_when_the_table_is_moved_aside(serve, phone, crontab, environment):
    fill(environment, crontab)
    page = phone(f"{serve()}/tasks")
    place = grid(page).bounding_box()
    names = {"x": place["x"], "y": place["y"], "width": 130, "height": place["height"]}
    others = {**names, "x": place["x"] + 150, "width": 180}
    page.mouse.move(others["x"], place["y"] + place["height"] / 2)
    before, beside = page.screenshot(clip=names), page.screenshot(clip=others)
    page.mouse.wheel(400, 0)
    until(lambda: page.screenshot(clip=others) != beside)
    assert page.screenshot(clip=names) == before


def test_the_menu_closes_when_a_page_is_chosen(serve, phone):
    page = phone(serve())
    page.get_by_test_id("stExpandSidebarButton").tap()
    link = page.get_by_test_id("stSidebarNavLink").filter(has_text="Settings")
    link.tap()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    expect(link).not_to_be_in_viewport()
