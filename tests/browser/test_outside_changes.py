"""Changes made elsewhere show on each open page."""

import pytest
from playwright.sync_api import expect

from tests.helpers.examples import create

pytestmark = [pytest.mark.slow, pytest.mark.standing]


@pytest.mark.parametrize(("path", "sign"), [("tasks", "Needs sync 1"), ("sync", "Keep PiTasker's")])
def test_a_hand_edit_shows_by_itself(serve, visit, crontab, environment, path, sign):
    create(environment)
    page = visit(f"{serve()}/{path}")
    expect(page.get_by_text(sign)).to_have_count(0)
    crontab.write(crontab.read().replace(b"0 2 * * *", b"5 2 * * *"))
    expect(page.get_by_text(sign).first).to_be_visible()
