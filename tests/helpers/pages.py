"""Open pages of the dashboard without a browser."""

from functools import cache
from pathlib import Path

import pyarrow as pa
import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.context import ContextProxy
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from pitasker_core.dashboard import live
from pitasker_core.server.auth import Role
from tests.helpers.signing_in import cookies
from tests.helpers.waiting import patience

FRONT_DOOR = Path(__file__).parents[2] / "streamlit_app.py"
PAGES = ("overview", "tasks", "timeline", "runs", "import_entries", "sync", "crontab", "settings")


scan_packages = cache(manifest_scanner.scan_component_manifests)
"""AppTest reads the metadata of all packages at each start, which takes longer than a page."""


class _Fixed(type):
    """A class with constant attributes: AppTest would change an attribute that the server sets."""

    def __setattr__(cls, name, value):
        pass


class Navigated(PagesManager, metaclass=_Fixed):
    """Take pages only from the navigation, as the server does."""


PagesManager.uses_pages_directory = False
"""Streamlit would run a page without `shell.run` until a first test opens the overview."""


@pytest.fixture
def open_page(cli_environment, environment, monkeypatch):
    """Open a page as the first visitor. No page may end with an exception."""

    def go(page, role=Role.WRITE, **variables):
        for name, value in {**cli_environment, **variables}.items():
            monkeypatch.setenv(name, value)
        signed_in = cookies(environment, "http://127.0.0.1:8501", role)
        monkeypatch.setattr(ContextProxy, "cookies", signed_in)
        monkeypatch.setattr(app_test, "PagesManager", Navigated)
        # As the navigation of the first page sets it: else the first test would run its page alone.
        monkeypatch.setattr(PagesManager, "uses_pages_directory", False)
        monkeypatch.setattr(manifest_scanner, "scan_component_manifests", scan_packages)
        monkeypatch.setattr(live, "FRESH", 0.0)  # tests write between two pages
        app = AppTest.from_file(FRONT_DOOR, default_timeout=patience())
        if page == "import_entries":
            app.run()  # AppTest does not know an address that is not the file's name before a run
        if page != "overview":
            app.switch_page(f"pages/{page}.py")
        app.run()
        assert not app.exception, app.exception[0].message
        return app

    return go


def said(app):
    """Return all sentences on a page."""
    parts = [*app.markdown, *app.caption, *app.info, *app.warning, *app.error, *app.header]
    return "\n".join(str(part.value).replace("\\", "") for part in parts)


def tables(app):
    """Return each table as its columns by name. AppTest itself cannot read typed lists."""
    files = [pa.ipc.open_stream(table.proto.arrow_data.data) for table in app.dataframe]
    return [file.read_all().to_pydict() for file in files]


def cells(app, column):
    """Return a column of the first table."""
    return tables(app)[0][column]


def button(app, label):
    """Return the first button with a label."""
    return next(button for button in app.button if button.label == label)


def press(app, label):
    """Press a button. No page may end with an exception."""
    button(app, label).click().run()
    assert not app.exception


def open_in_new_tab(page):
    """Open a page in another tab of the same browser."""
    app = AppTest.from_file(FRONT_DOOR, default_timeout=patience()).run()
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    return app
