"""Drive a browser through the dashboard."""

import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.helpers.waiting import patience


def chromium_program():
    """The path of Chromium without a window, which draws for a third of the processor time."""
    path = shutil.which("chromium-headless-shell")
    assert path, "the tests need Chromium: sudo apt install chromium-headless-shell"
    return path


CHEAP = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)
"""Options of Chromium that save processor time. Pages look and answer the same."""


STILL = """{
const style = document.createElement('style');
style.textContent = '*, *::before, *::after { animation-duration: 0s !important }';
const add = () => document.documentElement?.append(style);
document.documentElement ? add() : new MutationObserver((_, observer) => {
    if (document.documentElement) { observer.disconnect(); add(); }
}).observe(document, {childList: true});
}"""
"""A script that ends each animation at once. A page that waits for a busy server draws one 60 times
a second.

Transitions stay: Streamlit dims what it draws again by a slow one, which a quick run never shows.
"""


@pytest.fixture(scope="session")
def browser():
    expect.set_options(timeout=patience() * 1000)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_program(), args=[*CHEAP])
        yield started
        started.close()


def settle(page):
    """Wait until the script has ended and the page does not move."""
    page.wait_for_function(
        """() => {
            const app = document.querySelector('[data-testid=stApp]');
            return app && app.dataset.testScriptState === 'notRunning';
        }"""
    )
    page.wait_for_timeout(300)


def move(page, path):
    """Go to another page of the app without loading it, as the browser's back button does."""
    page.evaluate(
        """path => {
            const app = document.querySelector('[data-testid=stApp]');
            window.hasMoved = false;
            new MutationObserver((_, observer) => {
                if (app.dataset.testScriptState !== 'notRunning') return;
                observer.disconnect();
                window.hasMoved = true;
            }).observe(app, {attributeFilter: ['data-test-script-state']});
            history.pushState({}, '', path);
            dispatchEvent(new PopStateEvent('popstate'));
        }""",
        f"/{path}",
    )
    page.wait_for_function("() => window.hasMoved")  # `evaluate` would wait for ever
    settle(page)


def grid(page):
    """Return the first table that is visible: those in closed expanders are not."""
    return page.get_by_test_id("stDataFrame").filter(visible=True).first


ROW = 38
"""Return the height of a row of the table of tasks, in pixels."""

HEADER = 35

SELECT, ON, NAME, MENU, SCHEDULE = 42, 117, 200, 352, 580
"""Return the positions of columns of the table of tasks, in pixels."""


def _place(row, x):
    return {"x": x, "y": HEADER + ROW * row + ROW // 2}


def click_cell(page, row, x):
    grid(page).click(position=_place(row, x))


def put_into_cell(page, row, x, value):
    """Type into a cell of the table of tasks after a double click.

    Not by `dblclick`: it presses twice in a millisecond, as no hand does, and the table misses it
    right after its edits were discarded.
    """
    grid(page).hover(position=_place(row, x))
    for count in (1, 2):
        page.mouse.down(click_count=count)
        page.mouse.up(click_count=count)
        page.wait_for_timeout(90)
    type_into_open_cell(page, value)


def type_into_open_cell(page, value):
    page.locator("#portal textarea, #portal input").first.fill(value)
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 0)))")
    page.keyboard.press("Enter")


def choose_from_row(page, row, label):
    """Choose an item from the menu of a row of the table of tasks."""
    click_cell(page, row, MENU)
    page.get_by_text(label, exact=True).last.click()


def sign_out(page):
    """Sign out with the menu of the page."""
    page.locator(".st-key-menu-popover button").first.click()
    page.get_by_role("button", name="Sign out").click()
