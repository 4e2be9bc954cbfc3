"""Answers are computed once for each version, and are never older than the caller's change."""

import pytest

from pitasker_core import tasks
from pitasker_core.server import tokens
from pitasker_core.tasks import view
from tests.helpers.databases import asked
from tests.helpers.examples import ME, create


@pytest.mark.parametrize("path", ["/tasks", "/crontab/status"])
def test_an_unchanged_answer_is_not_sent_again(environment, crontab, api, path):
    task = create(environment)
    first = api.get(path)
    tag = first.headers["etag"]
    again = api.get(path, headers={"if-none-match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    tasks.delete(environment, ME, task.id)
    changed = api.get(path, headers={"if-none-match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


def test_an_answer_is_never_older_than_a_change_by_the_api(environment, crontab, api, monkeypatch):
    monkeypatch.setattr(view, "DISPLAY_SECONDS", 3_600.0)
    for name in ("A", "B", "C"):
        api.post("/tasks", json={"name": name, "cronSchedule": "@daily", "command": f"/bin/{name}"})
        assert name in {task["name"] for task in api.get("/tasks").json()["tasks"]}
        assert api.get("/crontab/status").json()["dbTaskCount"] == "ABC".index(name) + 1
        assert api.get("/crontab/metrics").json()["taskCount"]["total"] == "ABC".index(name) + 1


def test_all_who_ask_for_the_metrics_share_one_computation(environment, crontab, api, monkeypatch):
    monkeypatch.setattr(view, "DISPLAY_SECONDS", 3_600.0)
    first = api.get("/crontab/metrics")
    with asked() as statements:
        assert api.get("/crontab/metrics").content == first.content
    assert [words for words in statements if "sync_operations" in words] == []


def test_a_revoked_token_is_refused_at_once(environment, crontab, api, monkeypatch):
    monkeypatch.setattr(tokens, "MEMORY_SECONDS", 3_600.0)
    assert api.get("/tasks").status_code == 200
    assert api.get("/tasks").status_code == 200
    (token,) = tokens.listing(environment)
    tokens.revoke(environment, ME, token.id)
    assert api.get("/tasks").status_code == 401


def test_the_api_stops_managing_a_task(environment, crontab, api):
    task = create(environment)
    assert api.post(f"/tasks/{task.id}/stop-managing").status_code == 204
    assert b"0 2 * * * /home/pi/backup.sh\n" in crontab.read()
    assert api.get("/tasks").json()["tasks"] == []
