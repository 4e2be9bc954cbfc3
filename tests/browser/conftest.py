"""A browser tab on the dashboard, signed in."""

from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.helpers.browsing import settle
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


@pytest.fixture(scope="session")
def _desktop(browser):
    with _contexts(browser, viewport={"width": 1600, "height": 1000}) as context:
        yield context


@pytest.fixture(scope="session")
def _phone(browser):
    with _contexts(browser, **PHONE) as context:
        yield context


@contextmanager
def _contexts(browser, **options):
    """A context for all tests: compiled scripts stay in it, which halves the work of a load."""
    context = browser.new_context(**options)
    context.set_default_timeout(patience() * 1000)
    yield context
    context.close()


@contextmanager
def _tab(request, context, environment):
    page = context.new_page()
    origins = set()

    def go(address):
        for name, value in cookies(environment, address).items():
            context.add_cookies([{"name": name, "value": value, "url": address}])
        origins.add(urlsplit(address)._replace(path="", query="").geturl())
        page.goto(address)
        expect(page.get_by_role("heading").first).to_be_visible(timeout=patience() * 1000)
        settle(page)
        return page

    yield go
    if _FAILED in request.node.stash:
        print(page.url, page.locator("body").aria_snapshot(), sep="\n")
    tracebacks = page.get_by_test_id("stException").count()
    _forget(page, origins)
    assert tracebacks == 0


def _forget(page, origins):
    """Close all tabs, and delete what pages have stored in the browser, but not its cache."""
    context = page.context
    session = context.new_cdp_session(page)
    for origin in origins:
        types = "cookies,local_storage,indexeddb,service_workers"
        session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": types})
    for tab in context.pages:
        tab.close()


@pytest.fixture
def visit(request, _desktop, environment):
    """Open pages. A traceback on a page fails the test. A failed test prints what a page shows."""
    with _tab(request, _desktop, environment) as go:
        yield go


@pytest.fixture
def phone(request, _phone, environment):
    """Open pages on a phone."""
    with _tab(request, _phone, environment) as go:
        yield go
