"""Tasks in and out by files, without a browser."""

import json
from pathlib import Path

import pytest

from pitasker_core import tasks
from pitasker_core.dashboard.export_dialog import FORMATS
from pitasker_core.formats.registry import FILE_KINDS, Target
from pitasker_core.tasks.file_export import export_file
from tests.helpers.examples import create
from tests.helpers.pages import said

PEERS = Path(__file__).parents[1] / "formats" / "peers"


def press(app, label):
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception, app.exception[0].message


def upload(open_page, file):
    app = open_page("import_entries")
    app.segmented_control(key="import_part").set_value("From files").run()
    app.file_uploader[0].set_value([file]).run()
    assert not app.exception, app.exception[0].message
    return app


def test_an_export_comes_back_by_an_import_that_can_be_undone(open_page, environment, crontab):
    task = create(environment, "Backup")
    exported = export_file(environment, Target.JSON)
    tasks.delete(environment, "test", task.id)
    before = crontab.read()
    app = upload(open_page, (exported.name, exported.data, exported.media_type))
    assert list(app.dataframe[0].value["verdict"]) == [["new"]]
    assert crontab.read() == before
    press(app, "Import 1 task")
    assert [task.name for task in tasks.listing(environment).tasks] == ["Backup"]
    assert "Imported 1 task." in said(app)
    press(app, "Undo")
    assert tasks.listing(environment).tasks == []
    assert crontab.read() == before


def test_a_duplicate_is_marked_and_not_imported_unless_asked(open_page, environment):
    create(environment)
    exported = export_file(environment, Target.JSON)
    app = upload(open_page, (exported.name, exported.data, exported.media_type))
    assert list(app.dataframe[0].value["verdict"]) == [["duplicate"]]
    assert "Import 0 tasks" in [button.label for button in app.button]
    app.toggle(key="file-duplicates").set_value(True).run()
    assert "Import 1 task" in [button.label for button in app.button]


@pytest.mark.parametrize(
    ("names", "source", "note"),
    [
        (["crontab-ui.db", "env.db"], None, "MAILTO of env.db"),
        (["cronmaster.crontab"], "cronmaster", "MAILTO"),
    ],
)
def test_the_data_of_other_programs_have_a_preview_with_what_is_left_out(
    open_page, names, source, note
):
    files = [(name, (PEERS / name).read_bytes(), "text/plain") for name in names]
    app = open_page("import_entries")
    app.segmented_control(key="import_part").set_value("From files").run()
    if source:
        app.selectbox(key="file-source").set_value(source).run()
    app.file_uploader[0].set_value(files).run()
    assert not app.exception, app.exception[0].message
    assert len(app.dataframe[0].value) >= 3
    assert "Not carried over" in said(app)
    assert note in said(app)


def test_a_file_that_cannot_be_read_says_why(open_page):
    app = upload(open_page, ("x.json", b"{", "application/json"))
    assert len(app.error) == 1
    assert "Import" not in [button.label for button in app.button]


def test_texts_of_a_file_are_inert(open_page, environment):
    name = "**[x](javascript:1)** \u202e"
    record = {"name": name, "cronSchedule": "61 * * * *", "command": "/bin/a"}
    data = {"format": "pitasker-tasks", "version": 1, "tasks": [record]}
    app = upload(open_page, ("x.json", json.dumps(data).encode(), "application/json"))
    assert "\u202e" not in str(app.dataframe[0].value.to_dict())
    assert "[x](javascript" not in "\n".join(each.value for each in app.markdown)


def test_tasks_are_exported_from_the_page(open_page, environment):
    create(environment)
    app = open_page("tasks")
    app.menu_button(key="files_menu").set_value("Export tasks …").run()
    assert not app.exception, app.exception[0].message
    labels = [each.proto.label.replace("\\", "") for each in app.get("download_button")]
    assert "Download pitasker-tasks.json" in labels


def test_the_dialog_offers_each_format():
    assert FORMATS.keys() == FILE_KINDS.keys()
