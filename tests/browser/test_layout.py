"""What a page shows has its room, and stands where it is looked for."""

import pytest
from playwright.sync_api import expect

from tests.helpers.browsing import settle
from tests.helpers.eventful import fill

pytestmark = [pytest.mark.slow, pytest.mark.standing]


def clipped(page):
    """Return the texts of buttons that are cut."""
    return page.evaluate(
        """() => [...document.querySelectorAll('.stMain button')].filter(button => {
            const room = button.getBoundingClientRect();
            return [...button.querySelectorAll('*')].some(part => {
                const {right} = part.getBoundingClientRect();
                return right > room.right + 1 || part.scrollWidth > part.clientWidth + 1 &&
                    part.clientWidth && getComputedStyle(part).overflowX !== 'visible';
            });
        }).map(button => button.innerText)"""
    )


def test_no_button_is_clipped(serve, visit, crontab, environment):
    fill(environment, crontab)
    address = serve()
    cut = {}
    for path in ("", "tasks", "runs?run=12", "sync", "import", "crontab"):
        page = visit(f"{address}/{path}")
        page.set_viewport_size({"width": 1280, "height": 800})
        settle(page)
        cut[path] = clipped(page)
    assert {path: texts for path, texts in cut.items() if texts} == {}


def test_the_output_of_a_run_is_in_view_from_the_overview(serve, visit, crontab, environment):
    fill(environment, crontab)
    page = visit(serve())
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_role("button", name="View output").click()
    expect(page.locator(".printed").get_by_text("Could not resolve host")).to_be_in_viewport()
