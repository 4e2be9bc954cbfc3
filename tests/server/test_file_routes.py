"""The API's routes for files of tasks and for templates."""

import io
import zipfile
from pathlib import Path

import pytest

from pitasker_core.server import tokens
from pitasker_core.server.auth import Role
from tests.helpers.api import code
from tests.helpers.examples import create

PEERS = Path(__file__).parent.parent / "formats" / "peers"


def sent(name, source, **more):
    return {"content": (PEERS / name).read_text(), "format": source, **more}


@pytest.mark.parametrize("form", ["json", "yaml", "csv", "crontab"])
def test_an_exported_file_is_imported_again(api, environment, form):
    task = create(environment, "Backup", command="/bin/backup")
    answer = api.get("/task-files/export", params={"format": form, "task": task.id})
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith('attachment; filename="pitasker-tasks.')
    api.delete(f"/tasks/{task.id}")
    done = api.post("/task-files/import", json={"content": answer.text, "format": form}).json()
    assert [made["name"] for made in done["tasks"]] == ["Backup"]


def test_units_come_as_an_archive_and_their_notes_by_themselves(api, environment):
    create(environment, "Backup")
    data = api.get("/task-files/export", params={"format": "systemd"}).content
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert "pitasker-backup.timer" in archive.namelist()
    notes = api.get("/task-files/export/notes", params={"format": "systemd"}).json()["notes"]
    assert "enable-linger" in notes[0]["message"]


def test_an_import_is_previewed_first(api, crontab):
    body = sent("crontab-ui.db", "crontab-ui")
    preview = api.post("/task-files/import/preview", json=body).json()
    assert [task["verdict"] for task in preview["tasks"]] == ["new", "new", "new", "invalid", "new"]
    assert crontab.read() is None
    done = api.post("/task-files/import", json=body).json()
    assert (len(done["tasks"]), len(done["errors"])) == (4, 1)
    assert crontab.read().count(b"PITASKER_ID") == 4


def test_an_import_without_entries_leaves_the_crontab_alone(api, crontab):
    body = sent("3f7a-91bc.job", "cronmaster", isSystemManaged=False)
    assert api.post("/task-files/import", json=body).json()["tasks"][0]["isSystemManaged"] is False
    assert crontab.read() is None


def test_a_file_that_cannot_be_read_is_refused_with_its_line(api):
    answer = api.post("/task-files/import", json={"content": "{\n]", "format": "json"})
    assert code(answer) == (422, "PARSE_ERROR")
    assert answer.json()["error"]["message"].startswith("Line 2: ")


def test_a_file_of_tasks_may_be_larger_than_another_request(api):
    text = "#" + "x" * 1_500_000
    done = api.post("/task-files/import", json={"content": text, "format": "crontab"})
    assert done.status_code == 200


def test_a_task_that_is_not_there_is_not_exported(api):
    assert code(api.get("/task-files/export", params={"task": 99})) == (404, "NOT_FOUND")


def test_a_template_makes_a_task(api, crontab):
    listed = api.get("/templates").json()["templates"]
    assert "disk-space" in [template["name"] for template in listed]
    template = api.get("/templates/disk-space").json()
    assert [parameter["name"] for parameter in template["parameters"]] == [
        "path",
        "percent",
        "minutes",
    ]
    values = {"values": {"path": "/srv/a b", "percent": "80"}, "taskName": "Space"}
    rendered = api.post("/templates/disk-space/render", json=values).json()
    assert crontab.read() is None
    used = api.post("/templates/disk-space/use", json=values)
    assert used.status_code == 201
    assert used.json()["tasks"][0]["command"] == rendered["task"]["command"]
    assert used.json()["missing"] == ["There is no folder /srv/a b."]
    assert b"# Space\n0 * * * * " in crontab.read()


def test_a_value_that_is_not_taken_is_refused(api):
    for values in ({"percent": "101"}, {"size": "1"}):
        answer = api.post("/templates/disk-space/use", json={"values": values})
        assert code(answer) == (422, "INVALID_SYNTAX")


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_an_own_template_travels_as_a_file(api, environment, form):
    task = create(environment, "Backup", command="/bin/backup /mnt/usb")
    body = {"task": task.id, "name": "mine", "parameters": {"disk": "/mnt/usb"}}
    saved = api.post("/templates/from-task", json=body)
    assert (saved.status_code, saved.json()["isOwn"]) == (201, True)
    file = api.get("/templates/mine/file", params={"format": form}).text
    assert api.delete("/templates/mine").status_code == 204
    assert api.post("/templates", json={"content": file}).json() == saved.json()
    assert code(api.post("/templates", json={"content": file})) == (422, "INVALID_SYNTAX")
    assert api.post("/templates", json={"content": file, "replace": True}).status_code == 201


def test_what_is_not_there_is_not_found(api):
    assert code(api.get("/templates/nothing")) == (404, "NOT_FOUND")
    assert code(api.delete("/templates/disk-space")) == (404, "NOT_FOUND")
    assert code(api.get("/templates/NO")) == (422, "INVALID_REQUEST")


def test_who_may_only_look_changes_nothing(api, environment):
    token = tokens.create(environment, "test", "look", Role.READ)
    api.headers["authorization"] = f"Bearer {token}"
    body = sent("3f7a-91bc.job", "cronmaster")
    assert code(api.post("/task-files/import", json=body)) == (403, "READ_ONLY")
    assert code(api.post("/templates/disk-space/use", json={})) == (403, "READ_ONLY")
    assert api.get("/templates").status_code == 200
    assert api.get("/task-files/export").status_code == 200
