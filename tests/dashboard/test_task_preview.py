"""The preview of the table of tasks in a page's HTML."""

import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.dashboard import task_preview
from pitasker_core.dashboard.task_grid import Shown
from tests.helpers.examples import create

CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"


class Table(HTMLParser):
    """The texts of the cells of a table, and the names of all elements."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.elements = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        if self.rows:
            self.rows[-1][-1] += data


@pytest.fixture
def preview(environment):
    def make(*, is_phone=False):
        listing = tasks.current(environment, 0)
        shown = Shown(listing, {}, {}, clock.now(), clock.system_zone())
        return Table(task_preview.html(shown, is_phone=is_phone))

    return make


def test_the_preview_has_the_columns_and_texts_of_the_table(environment, preview):
    create(environment, "Pump", "30 1 * * 1", command="pump on")
    create(environment, "Apple")
    head, apple, pump = preview().rows
    assert head[:8] == ["Select", "On", "Name", "Menu", "Sync", "Schedule", "Meaning", "Next run"]
    assert head[8:] == ["Last run", "When", "Last 20 runs", "Command", "Labels"]
    assert apple[2] == "Apple"
    assert pump[1:7] == ["✓", "Pump", "", "Synced", "30 1 * * 1", "Mondays at 01:30"]
    assert re.fullmatch(r"Mon \d+ [A-Z][a-z]{2}, 01:30", pump[7])
    assert pump[8:] == ["never ran", "", "", "pump on", ""]


def test_the_preview_of_a_phone_begins_with_what_fits(environment, preview):
    create(environment, "Pump")
    assert preview(is_phone=True).rows[1][:3] == ["Pump", "✓", "never ran"]


def test_a_task_is_inert_text_in_the_preview(environment, preview):
    name = "<script>alert(1)</script><b>&amp;\u202e"
    create(environment, name, command="echo '<img src=x>'")
    table = preview()
    assert table.elements == {"div", "style", "table", "tr", "th", "td"}
    assert table.rows[1][2] == name.replace("\u202e", "⟨U+202E⟩")


def test_the_preview_is_no_longer_than_its_limit(environment, preview, monkeypatch):
    monkeypatch.setattr(task_preview, "ROWS", 2)
    for number in range(3):
        create(environment, f"Job {number}")
    assert [row[2] for row in preview().rows[1:]] == ["Job 0", "Job 1"]


def test_without_tasks_there_is_no_preview(cli_environment, monkeypatch):
    for name, value in cli_environment.items():
        monkeypatch.setenv(name, value)
    assert task_preview.make("") == ""


def test_the_preview_has_the_colours_of_the_themes():
    themes = tomllib.loads(CONFIG.read_text())["theme"]
    pairs = re.findall(r"light-dark\((#\w+), (#\w+)\)", task_preview._STYLE)
    assert pairs
    for light, dark in pairs:
        assert light in themes["light"].values()
        assert dark in themes["dark"].values()
