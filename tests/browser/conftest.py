"""A browser tab on the dashboard, signed in."""

import pytest
from playwright.sync_api import expect

from tests.helpers.browsing import settle
from tests.helpers.signing_in import cookies
from tests.helpers.waiting import patience


@pytest.fixture
def visit(browser, environment):
    """Open pages. A traceback on a page fails the test."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    context.set_default_timeout(patience() * 1000)
    page = context.new_page()

    def go(address):
        for name, value in cookies(environment, address).items():
            context.add_cookies([{"name": name, "value": value, "url": address}])
        page.goto(address)
        expect(page.get_by_role("heading").first).to_be_visible(timeout=patience() * 1000)
        settle(page)
        return page

    yield go
    assert page.get_by_test_id("stException").count() == 0
    context.close()
