"""Each page in each state that a person may find it in. The browser's part is test_dashboard.py."""

from dataclasses import replace
from pathlib import Path

import pytest
from serving import until
from streamlit.runtime.context import ContextProxy
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test
from test_scenarios import EXISTING, ME, create

from pitasker_core import auth, background, preferences, tasks, tokens
from pitasker_core.auth import Role
from pitasker_core.background import Background
from pitasker_core.sync import service
from pitasker_core.sync.service import Request

FRONT_DOOR = Path(__file__).parent.parent / "streamlit_app.py"
PAGES = ("home", "tasks", "import_entries", "health", "raw", "settings")


class _Fixed(type):
    """A class whose attributes stay: AppTest sets the one that the server has set for good."""

    def __setattr__(cls, name, value):
        pass


class Navigated(PagesManager, metaclass=_Fixed):
    """Pages come from the navigation alone, as the server has it."""

    uses_pages_directory = False


@pytest.fixture
def open_page(cli_environment, settings, monkeypatch):
    """Open a page as a first visitor does; no page may end in an exception."""

    def go(page, role=Role.WRITE, **environment):
        for name, value in {**cli_environment, **environment}.items():
            monkeypatch.setenv(name, value)
        cookie = auth.sign_in(settings, role)
        monkeypatch.setattr(ContextProxy, "cookies", {auth.COOKIE: cookie})
        monkeypatch.setattr(app_test, "PagesManager", Navigated)
        app = AppTest.from_file(FRONT_DOOR, default_timeout=20).run()
        if page != "home":
            app.switch_page(f"pages/{page}.py").run()
        assert not app.exception, app.exception[0].message
        return app

    return go


def said(app):
    """Everything that a page says in sentences."""
    parts = [*app.markdown, *app.caption, *app.info, *app.warning, *app.error, *app.subheader]
    return "\n".join(str(part.value).replace("\\", "") for part in parts)


NOT_ALLOWED = """\
#!/bin/sh
echo "You (pi) are not allowed to use this program (crontab)" >&2
exit 1
"""

EMPTY = {
    "home": "Your crontab has no entries yet",
    "tasks": "There are no tasks and no entries in your crontab yet",
    "import_entries": "You have no crontab yet",
    "health": "Nothing was done in this time",
    "raw": "No snapshots yet",
    "settings": "Nothing works in the background",
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_without_anything_leads_on(open_page, page):
    assert EMPTY[page] in said(open_page(page))


FOUND = {
    "home": "Found 3 entries in your crontab",
    "tasks": "Your crontab has 3 entries, and PiTasker manages none of them yet",
    "import_entries": "Choose the entries that PiTasker shall manage",
    "health": "Nothing was done in this time",
    "raw": "Every line is one that cron takes",
    "settings": "Nothing works in the background",
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_a_crontab_that_nobody_imported(open_page, crontab, page):
    crontab.write(EXISTING)
    assert FOUND[page] in said(open_page(page))
    assert crontab.read() == EXISTING


IN_ORDER = {
    "home": "Last sync",
    "tasks": "Double-click a cell",
    "import_entries": "Every entry of your crontab is managed already",
    "health": "The tasks and the crontab are in step",
    "raw": "Every line is one that cron takes",
    "settings": "The background work is being done",
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_that_all_is_in_order(open_page, settings, page):
    create(settings)
    work = Background(settings)
    work.start()
    until(lambda: work.leads)
    app = open_page(page)
    work.stop()
    assert IN_ORDER[page] in said(app)
    assert not app.error
    assert not app.warning


CONFLICT = {
    "home": "1 conflict to decide",
    "tasks": "1 change in the crontab, made outside",
    "import_entries": "managed already",
    "health": "It was changed here and in the crontab, differently",
    "raw": "Every line is one that cron takes",
    "settings": "Nothing works in the background",
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_a_conflict(open_page, crontab, settings, page):
    task = create(settings)
    tasks.change(replace(settings, crontab_program="/nonexistent"), ME, task.id, command="/ours")
    crontab.write(crontab.read().replace(b"0 2 * * *", b"7 7 * * *"))
    service.sync(settings, Request(ME))
    assert CONFLICT[page] in said(open_page(page))


@pytest.mark.parametrize("page", [page for page in PAGES if page != "settings"])
def test_a_page_says_how_to_be_allowed_to_use_crontab(open_page, fake_crontab, settings, page):
    create(settings)
    app = open_page(page, PITASKER_CRONTAB=str(fake_crontab(NOT_ALLOWED)))
    assert "This user may not use crontab" in said(app)
    assert "/etc/cron.deny" in said(app)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_without_a_database_says_so_and_where_to_go_on(open_page, crontab, page):
    crontab.write(EXISTING)
    app = open_page(page, DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    assert "The database did not answer" in said(app)
    assert page == "raw" or "can still be seen and changed in the raw editor" in said(app)


def test_the_address_of_a_task_opens_it(open_page, settings):
    task = create(settings)
    app = open_page("tasks")
    app.query_params["task"] = str(task.id)
    app.run()
    assert [field.value for field in app.text_input if field.label == "Command"] == [task.command]


def test_the_tasks_of_an_import_can_be_shown_alone(open_page, settings):
    first, _ = create(settings), create(settings, "Other")
    app = open_page("tasks")
    app.query_params["only"] = str(first.id)
    app.run()
    assert "Only the 1 that were imported" in said(app)


@pytest.mark.parametrize("page", PAGES)
def test_who_may_only_look_is_told_so_on_every_page(open_page, settings, page):
    create(settings)
    app = open_page(page, Role.READ)
    assert "You may look, not change" in said(app)
    assert not app.error


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_is_open_shows_nothing_after_signing_out(open_page, settings, page):
    create(settings)
    app = open_page(page)
    auth.sign_out_everyone(settings)
    app.run()
    assert said(app) == "You are signed out."


@pytest.mark.parametrize("part", ["Background", "Access", "Changes"])
def test_each_part_of_the_settings_opens(open_page, settings, part):
    create(settings)
    tokens.create(settings, ME, "phone", Role.READ)
    app = open_page("settings")
    app.segmented_control(key="settings_part").set_value(part).run()
    assert not app.exception
    expected = {
        "Background": "Nothing works in the background",
        "Access": "Tokens for scripts",
        "Changes": "",
    }
    assert expected[part] in said(app)
    if part == "Changes":
        (table,) = app.dataframe
        assert list(table.value["What"]) == ["token created", "created"]


def test_a_preference_is_saved_from_its_page(open_page, settings):
    app = open_page("settings")
    app.number_input[0].set_value(10)
    app.button[0].click().run()
    assert not app.exception
    assert preferences.read(settings).sync_minutes == 10


def test_trouble_in_the_background_is_on_the_page(open_page, settings, crontab):
    create(settings)
    crontab.remove()
    work = Background(settings, 0.02)
    work.start()
    until(lambda: background.job_states(settings))
    work.stop()
    assert "In the background, sync: 1 of 1 managed entries are gone" in said(open_page("health"))
