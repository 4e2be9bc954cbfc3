"""Drive a browser through the dashboard."""

import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.helpers.waiting import patience


@pytest.fixture(scope="session")
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "the tests need Chromium: sudo apt install chromium"
    expect.set_options(timeout=patience() * 1000)
    quiet = ["--disable-quic", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", *quiet]
        )
        yield started
        started.close()


def settle(page):
    """Wait until the script has run and what it drew stands."""
    page.wait_for_function(
        """() => {
            const app = document.querySelector('[data-testid=stApp]');
            return app && app.dataset.testScriptState === 'notRunning';
        }"""
    )
    page.wait_for_timeout(300)
