"""What every page promises: no fault that axe-core finds, whole buttons, and room on a phone.

A load of a page takes seconds of processor time, so one tab moves through all pages.
"""

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from tests.helpers.browsing import SELECT, choose_from_row, click_cell, grid, move, settle
from tests.helpers.eventful import fill
from tests.helpers.examples import EXISTING

pytestmark = [pytest.mark.slow, pytest.mark.standing]

PAGES = {
    "": "Overview",
    "tasks": "Tasks",
    "timeline": "Timeline",
    "runs": "Runs",
    "import": "Import",
    "sync?operation=2": "Sync",
    "crontab": "Crontab",
    "settings": "Settings",
    "settings?settings_part=Notifications": "Settings",
    "settings?settings_part=Access": "Settings",
    "settings?settings_part=Backup": "Settings",
    "settings?settings_part=Changes": "Settings",
    "runs?run=12": "Runs",
    "tasks?task={task}": "Tasks",
    "tasks?task=new": "Tasks",
    "tasks?task=templates": "Tasks",
    "tasks?template=restic-backup": "Tasks",
}
"""Addresses, each with the title of its page."""

NOT_OURS = {
    # Vega gives the points of a metric's line this role, and Streamlit names only the metric.
    "svg-img-alt": 'role="graphics-symbol"',
}
"""Of each rule, what is in the HTML of elements that Streamlit makes so and has no option for."""

BACKGROUNDS = {"light": "rgb(251, 251, 250)", "dark": "rgb(17, 22, 21)"}
"""The backgrounds of the themes."""


def serious(page, rules=None):
    """Return the faults that axe-core finds by all its rules or some, with their elements."""
    # Once for each document. The script has half a megabyte.
    if page.evaluate("() => !window.axe"):
        page.evaluate(AXE_SCRIPT)
    only = {"runOnly": rules} if rules else {}
    # Without `preload`: no rule that runs needs the style sheets, which axe-core would load again.
    options = {"resultTypes": ["violations"], "preload": False, **only}
    report = page.evaluate("options => axe.run(options)", options)
    return [
        f"{rule['id']}: {node['html'][:300]} {node['failureSummary']}"
        for rule in report["violations"]
        if rule["impact"] in ("serious", "critical") or rule["id"] == "heading-order"
        for node in rule["nodes"]
        if NOT_OURS.get(rule["id"], "\0") not in node["html"]
    ]


def faults(page):
    """Return the faults of a page in both themes, which differ only in colours.

    The theme stays changed: to put back the first one takes as long as to open a page.
    """
    is_dark = page.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches")
    schemes = ["dark", "light"] if is_dark else ["light", "dark"]
    first = serious(page)
    page.emulate_media(color_scheme=schemes[1])
    background = BACKGROUNDS[schemes[1]]
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", background)
    settle(page)
    second = serious(page, ["color-contrast"])
    return [
        f"{scheme}: {fault}"
        for scheme, part in zip(schemes, (first, second), strict=True)
        for fault in part
    ]


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


STREAMLITS = (
    "Clear selection",
    "Help for",
    "Show/hide columns",
    "Download as CSV",
    "Search",
    "Fullscreen",
    "Open",
    "Copy to clipboard",
)
"""The first words of buttons that Streamlit makes and has no option for."""


def too_small(page):
    """Return the names of our targets that a thumb may miss. A link in a sentence may be small."""
    names = page.evaluate(
        """() => [...document.querySelectorAll(
            'button, .stMain a, .stMain summary, [role=menuitem], [role=option], ' +
            '.stMain input:not([type=checkbox], [type=hidden])'
        )].filter(target => {
            let frame = target;
            const isWithin = part => !part.matches('.stElementContainer')
                && !part.querySelector('label');
            while (target.matches('input') && isWithin(frame.parentElement))
                frame = frame.parentElement;
            const {width, height} = frame.getBoundingClientRect();
            return width && (height < 44 || width < 44)
                && getComputedStyle(target).display !== 'inline';
        }).map(target => target.ariaLabel || target.innerText)"""
    )
    return [name for name in names if not name.startswith(STREAMLITS)]


def scrolls_sideways(page):
    """Return the texts of what scrolls sideways: the page, or controls in it. Tables may."""
    return page.evaluate(
        """() => [...document.querySelectorAll('.stMain, .stMain *')].filter(part =>
            ['auto', 'scroll'].includes(getComputedStyle(part).overflowX) && part.clientWidth &&
            part.scrollWidth > part.clientWidth + 1 &&
            !part.closest('[data-testid=stDataFrame], pre')
        ).map(part => part.innerText)"""
    )


def test_every_page_is_accessible_and_has_a_name_and_whole_buttons(
    serve, visit, crontab, environment, subtests
):
    crontab.write(EXISTING)
    page = visit(serve())
    with subtests.test("the welcome to a crontab that nobody imported"):
        expect(page.get_by_role("button", name="Choose what to manage")).to_be_visible()
        assert faults(page) == []
    crontab.remove()
    task = fill(environment, crontab)["Backup"]
    page.set_viewport_size({"width": 1280, "height": 800})
    move(page, "settings")
    for path, title in PAGES.items():
        with subtests.test(path):
            move(page, path.format(task=task.id))
            expect(page).to_have_title(f"{title} · PiTasker")
            assert page.locator(".st-key-header").bounding_box()["height"] <= 64
            assert page.get_by_role("heading", level=1).count() == 1
            assert clipped(page) == []
            assert faults(page) == []
    with subtests.test("the output of a run is in view from the overview"):
        move(page, "")
        page.get_by_role("button", name="View output").click()
        expect(page.locator(".printed").get_by_text("Could not resolve host")).to_be_in_viewport()
        settle(page)
    with subtests.test("search"):
        page.keyboard.press("Control+k")
        expect(page.get_by_role("combobox", name="Search tasks")).to_be_focused()
        page.keyboard.type("backup")
        expect(page.get_by_role("option", selected=True)).to_contain_text("Backup")
        assert faults(page) == []
        page.keyboard.press("Escape")
    with subtests.test("selected rows and a dialog"):
        page.set_viewport_size({"width": 1600, "height": 1000})
        move(page, "tasks")
        click_cell(page, 0, SELECT)
        expect(page.get_by_text("1 task selected")).to_be_visible()
        settle(page)
        choose_from_row(page, 0, "Delete")
        expect(page.get_by_role("dialog")).to_be_visible()
        assert faults(page) == []


def test_every_page_fits_a_phone_and_a_thumb(serve, phone, crontab, environment, subtests):
    task = fill(environment, crontab)["Backup"]
    page = phone(serve())
    for path in PAGES:
        with subtests.test(path):
            move(page, path.format(task=task.id))
            assert scrolls_sideways(page) == []
            assert too_small(page) == []
    with subtests.test("menu"):
        move(page, "tasks")
        table = grid(page).bounding_box()
        assert table["y"] < 290  # the first task is in view
        page.get_by_role("button", name="More").tap()
        expect(page.get_by_role("menuitem", name="From template")).to_be_visible()
        assert too_small(page) == []
        page.get_by_role("menuitem", name="Select all").tap()
        expect(page.get_by_text("6 tasks selected")).to_be_visible()
        assert grid(page).bounding_box() == table
