"""The search box, by keyboard alone."""

import re

import pytest
from playwright.sync_api import expect

from tests.helpers.browsing import move, settle
from tests.helpers.examples import create
from tests.helpers.runs import ran

pytestmark = [pytest.mark.slow, pytest.mark.standing]


def test_the_search_box_opens_what_was_chosen_by_keyboard(serve, visit, environment, subtests):
    create(environment, "Backup")
    photos = create(environment, "Backup of photos")
    run = ran(environment, photos, output=b"No space left on device", exit_code=1)
    page = visit(f"{serve()}/tasks")
    field = page.get_by_role("combobox", name="Search tasks")
    page.keyboard.press("/")
    expect(field).to_be_focused()
    page.keyboard.type("backup")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Backup")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Backup of photos")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/tasks\\?task={photos.id}$"))
    settle(page)
    page.keyboard.press("Control+k")
    expect(field).to_be_focused()
    page.keyboard.type("space left")
    # Enter waits for the rows of what was typed.
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/runs\\?.*run={run}"))
    settle(page)
    page.keyboard.press("Control+k")
    expect(field).to_have_value("")
    page.keyboard.press("Escape")
    expect(field).to_have_count(0)
    page.keyboard.press("Control+k")
    expect(field).to_be_focused()
    page.keyboard.type("b")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Backup")
    # The marked row stays marked when the rows of the whole word come.
    page.keyboard.type("ackup")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/tasks\\?task={photos.id}$"))
    with subtests.test("a slash that is typed into a field does not open it"):
        settle(page)
        move(page, "tasks")
        words = page.get_by_role("textbox", name="Search")
        words.press("/")
        expect(words).to_have_value("/")
        expect(field).to_have_count(0)
