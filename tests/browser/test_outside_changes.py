"""Changes made elsewhere show on each open page."""

import pytest
from playwright.sync_api import expect

from tests.helpers.browsing import move
from tests.helpers.examples import create

pytestmark = [pytest.mark.slow, pytest.mark.standing]


def test_a_hand_edit_shows_by_itself_on_each_page(serve, visit, crontab, environment):
    create(environment)
    original = crontab.read()
    page = visit(f"{serve()}/tasks")
    signs = (
        ("tasks", "Needs sync 1"),
        ("sync", "Keep PiTasker's"),
        ("", "was edited outside PiTasker: schedule"),
    )
    for path, sign in signs:
        move(page, path)
        expect(page.get_by_text(sign)).to_have_count(0)
        crontab.write(original.replace(b"0 2 * * *", b"5 2 * * *"))
        expect(page.get_by_text(sign).first).to_be_visible()
        crontab.write(original)
        expect(page.get_by_text(sign)).to_have_count(0)
