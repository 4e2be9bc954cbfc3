"""A browser tab on the dashboard, signed in."""

from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from tests.helpers.browsing import STILL, settle
from tests.helpers.signing_in import cookies
from tests.helpers.waiting import patience

PHONE = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "user_agent": "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/143.0.0.0 Mobile Safari/537.36",
}


_FAILED = pytest.StashKey()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@contextmanager
def _tab(request, browser, environment, **options):
    context = browser.new_context(**options)
    context.set_default_timeout(patience() * 1000)
    context.add_init_script(STILL)
    page = context.new_page()
    said = []
    page.on("pageerror", lambda error: said.append(f"error of a script: {error}"))
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("framenavigated", lambda frame: said.append(f"opened {frame.url}"))

    def go(address):
        for name, value in cookies(environment, address).items():
            context.add_cookies([{"name": name, "value": value, "url": address}])
        page.goto(address)
        expect(page.get_by_role("heading").first).to_be_visible(timeout=patience() * 1000)
        settle(page)
        return page

    yield go
    if _FAILED in request.node.stash:
        print(*said[-50:], page.url, page.locator("body").aria_snapshot(), sep="\n")
    assert page.get_by_test_id("stException").count() == 0
    context.close()


@pytest.fixture
def visit(request, browser, environment):
    """Open pages. A traceback on a page fails the test. A failed test prints what a page
    shows and said."""
    with _tab(request, browser, environment, viewport={"width": 1600, "height": 1000}) as go:
        yield go


@pytest.fixture
def phone(request, browser, environment):
    """Open pages on a phone."""
    with _tab(request, browser, environment, **PHONE) as go:
        yield go
