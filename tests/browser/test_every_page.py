"""axe-core finds no serious fault on any page, in both themes."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import expect

from tests.helpers.browsing import SELECT, choose_from_row, click_cell, settle
from tests.helpers.eventful import fill

pytestmark = [pytest.mark.slow, pytest.mark.standing]

PAGES = (
    *("", "tasks", "timeline", "runs", "import", "sync", "crontab", "settings"),
    *("runs?run=12", "tasks?task={task}", "tasks?task=new"),
)

NOT_OURS = {
    # Vega gives the points of a metric's line this role, and Streamlit names only the metric.
    "svg-img-alt": 'role="graphics-symbol"',
}
"""Of each rule, what is in the HTML of elements that Streamlit makes so and has no option for."""

LIGHT, DARK = "rgb(251, 251, 250)", "rgb(17, 22, 21)"
"""The backgrounds of the themes."""


def serious(page, rules=None):
    """What axe-core finds, by all its rules or some: each fault with its element."""
    page.evaluate(AXE_SCRIPT)
    only = {"runOnly": rules} if rules else {}
    found = page.evaluate("how => axe.run(how)", {"resultTypes": ["violations"], **only})
    return [
        f"{rule['id']}: {node['html'][:300]} {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical") or rule["id"] == "heading-order"
        for node in rule["nodes"]
        if NOT_OURS.get(rule["id"], "\0") not in node["html"]
    ]


def put_on(page, scheme, background):
    page.emulate_media(color_scheme=scheme)
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", background)
    settle(page)


def faults(page):
    """The faults of a page in both themes, which differ in nothing but colours."""
    put_on(page, "light", LIGHT)
    found = serious(page)
    put_on(page, "dark", DARK)
    return found + [f"dark: {fault}" for fault in serious(page, ["color-contrast"])]


def test_no_page_has_a_serious_fault(serve, visit, crontab, environment):
    task = fill(environment, crontab)["Backup"]
    address = serve()
    found = {path: faults(visit(f"{address}/{path.format(task=task.id)}")) for path in PAGES}
    assert {path: faults for path, faults in found.items() if faults} == {}


def test_a_welcome_has_no_serious_fault(serve, visit, crontab):
    crontab.write(b"0 2 * * * /bin/backup\n")
    assert faults(visit(serve())) == []


def test_selected_rows_and_a_dialog_have_no_serious_fault(serve, visit, crontab, environment):
    fill(environment, crontab)
    page = visit(f"{serve()}/tasks")
    click_cell(page, 0, SELECT)
    expect(page.get_by_text("1 task selected")).to_be_visible()
    settle(page)
    choose_from_row(page, 0, "Delete")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert faults(page) == []
