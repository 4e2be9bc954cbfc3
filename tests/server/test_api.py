"""The API over real HTTP, on the real `crontab` and a real PostgreSQL."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis.configuration import storage_directory
from prometheus_client.parser import text_string_to_metric_families

from pitasker_core import database, tasks
from pitasker_core.base import errors
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.database.tables import RunRow
from pitasker_core.runs import spool
from pitasker_core.server import tokens
from pitasker_core.server.api.app import STATUS
from pitasker_core.server.web.bounds import Limits
from tests.helpers.api import code
from tests.helpers.examples import EXISTING, ME, create
from tests.helpers.signing_in import cookies
from tests.helpers.waiting import patience, until

NEW = {"name": "Backup", "cronSchedule": "0 2 * * *", "command": "/home/pi/backup.sh"}


def test_a_task_is_made_read_changed_and_deleted(api, crontab):
    made = api.post("/tasks", json=NEW)
    assert made.status_code == 201
    (task,) = made.json()["tasks"]
    assert b"0 2 * * * /home/pi/backup.sh # PITASKER_ID:" in crontab.read()
    assert api.get(f"/tasks/{task['id']}").json()["cronSchedule"] == "0 2 * * *"
    changed = api.patch(f"/tasks/{task['id']}", json={"cronSchedule": "@daily", "version": 1})
    assert code(changed) == (409, "STALE")
    version = api.get(f"/tasks/{task['id']}").json()["version"]
    changed = api.patch(f"/tasks/{task['id']}", json={"cronSchedule": "@daily", "version": version})
    assert changed.json()["tasks"][0]["cronSchedule"] == "@daily"
    assert b"@daily /home/pi/backup.sh" in crontab.read()
    assert api.delete(f"/tasks/{task['id']}").status_code == 200
    assert crontab.read() == b""
    assert code(api.get(f"/tasks/{task['id']}")) == (404, "NOT_FOUND")
    assert api.post(f"/tasks/{task['id']}/undelete").status_code == 200
    assert b"@daily /home/pi/backup.sh" in crontab.read()


def test_the_list_says_where_each_task_stands(api, environment):
    create(environment)
    (task,) = api.get("/tasks").json()["tasks"]
    assert (task["name"], task["state"], task["isSystemManaged"]) == ("Backup", "Synced", True)


def test_a_task_is_paused_resumed_and_toggled(api, crontab, environment):
    task = create(environment)
    assert api.post(f"/tasks/{task.id}/pause").json()["tasks"][0]["paused"]
    assert b"\n# 0 2 * * *" in crontab.read()
    assert not api.post(f"/tasks/{task.id}/resume").json()["tasks"][0]["paused"]
    until_time = {"until": "2999-01-01T00:00:00Z"}
    paused = api.post(f"/tasks/{task.id}/pause", json=until_time).json()["tasks"][0]
    assert paused["pausedUntil"].startswith("2999-01-01")
    assert code(api.post(f"/tasks/{task.id}/pause", json={"until": "2000-01-01"}))[0] == 422
    toggled = api.post(f"/tasks/{task.id}/toggle-system-managed").json()["tasks"][0]
    assert not toggled["isSystemManaged"]
    assert crontab.read() == b""


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"cronSchedule": "61 * * * *"}, "Minute must be 0 to 59"),
        ({"command": "a\nb"}, "line"),
        ({"name": "a\nb"}, "line"),
        ({"name": 5}, "name: Input should be a valid string"),
        ({"name": "x" * 201}, "name: String should have at most 200 characters"),
        ({"unknown": 1}, "unknown: Extra inputs are not permitted"),
    ],
)
def test_what_is_wrong_is_said_so_that_a_person_understands(api, crontab, wrong, words):
    answer = api.post("/tasks", json={**NEW, **wrong})
    assert answer.status_code == 422
    assert words in answer.json()["error"]["message"]
    assert crontab.read() is None


def test_a_body_that_is_none_or_too_large_is_refused_in_words(api):
    json_type = {"content-type": "application/json"}
    broken = api.post("/tasks", content=b'{"name":', headers=json_type)
    assert code(broken) == (422, "INVALID_REQUEST")
    assert "the body is no JSON (Expecting value)" in broken.json()["error"]["message"]
    assert "sent as application/json" in api.post("/tasks", data=NEW).json()["error"]["message"]
    large = api.post("/tasks", json={**NEW, "notes": "x" * Limits().body})
    assert code(large) == (413, "INVALID_REQUEST")


def test_a_mistake_of_ours_has_the_shape_of_every_error(api, monkeypatch, caplog):
    monkeypatch.setattr(tasks, "current", lambda *_, **__: 1 / 0)
    assert code(api.get("/tasks")) == (500, "UNEXPECTED")
    assert "GET /api/tasks failed" in caplog.text


def test_every_error_has_its_status():
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    kinds = {kind for kind in classes if issubclass(kind, PiTaskerError)}
    for kind in kinds - {PiTaskerError, errors.InvalidRequest, errors.Unexpected}:
        assert any(base in STATUS for base in kind.__mro__), kind


def test_import_sync_and_export_do_as_the_dashboard_does(api, crontab, environment):
    crontab.write(EXISTING)
    assert api.post("/crontab/import").json()["imported"] == 3
    assert crontab.read().count(b"# PITASKER_ID:") == 3
    crontab.write(crontab.read().replace(b"0 2 * * *", b"9 9 * * *"))
    assert not api.get("/crontab/validate").json()["isValid"]
    assert api.post("/crontab/sync").json()["imported"] == 1
    assert api.get("/crontab/validate").json()["isValid"]
    draft = tasks.create(
        environment, ME, tasks.NewTask("Draft", "@daily", "true", system_managed=False)
    ).tasks[0]
    assert api.post("/crontab/export", json={"tasks": [draft.id]}).json()["synced"] == 1
    assert b"@daily true # PITASKER_ID:" in crontab.read()


def test_how_runs_are_recorded_is_set_and_unset(api, environment):
    more = {"recordRuns": True, "timeoutSeconds": 600, "noOverlap": True, "notify": ["failed"]}
    made = api.post("/tasks", json={**NEW, **more, "isSystemManaged": False}).json()["tasks"][0]
    assert {name: made[name] for name in more} == more
    fields = {"catchUp": True, "timeoutSeconds": None, "notify": None, "noOverlap": None}
    task = api.patch(f"/tasks/{made['id']}", json=fields).json()["tasks"][0]
    names = ("recordRuns", "timeoutSeconds", "noOverlap", "catchUp", "notify")
    assert [task[name] for name in names] == [True, None, True, True, None]
    assert code(api.patch(f"/tasks/{made['id']}", json={"timeoutSeconds": 0}))[0] == 422


def test_a_task_is_run_looked_at_and_stopped(api, environment):
    task = create(environment, command="printf '<b>\\377'; sleep 60")
    started = api.post(f"/tasks/{task.id}/run")
    assert started.status_code == 202
    address = f"/runs/{started.json()['run']}"
    assert api.get(address).json()["state"] == "running"
    until(lambda: api.get(f"{address}/output").content == b"<b>\xff")
    output = api.get(f"{address}/output")
    assert output.headers["content-type"].startswith("text/plain")
    assert output.headers["x-content-type-options"] == "nosniff"
    assert api.post(f"{address}/stop").status_code == 202
    until(lambda: spool.collect(environment) == 0)
    (run,) = api.get("/runs", params={"task": task.id, "kind": "by hand"}).json()
    assert (run["state"], run["signal"], run["source"]) == ("failed", 15, "by hand")
    assert api.get(f"{address}/output").content == b"<b>\xff"
    assert code(api.post(f"{address}/stop")) == (404, "NOT_FOUND")
    assert api.get("/runs", params={"kind": "missed"}).json() == []
    assert code(api.get("/runs/999/output")) == (404, "NOT_FOUND")


def test_status_and_metrics_have_the_planned_shape(api, environment):
    create(environment)
    status = api.get("/crontab/status").json()
    assert (status["dbTaskCount"], status["crontabEntryCount"], status["health"]) == (1, 1, "green")
    metrics = api.get("/crontab/metrics").json()
    operations = metrics["syncOperations"]
    assert (operations["total"], operations["successful"], operations["failed"]) == (1, 1, 0)
    assert operations["averageDuration"] > 0
    assert metrics["taskCount"] == {"total": 1, "systemManaged": 1, "databaseOnly": 0}
    assert metrics["health"] == "green"
    assert metrics["lastSync"] == status["lastSync"]
    assert metrics["measured"]["crontabRead"]["count"] > 0
    assert metrics["endpoints"]["GET /crontab/status"]["count"] > 0


def test_prometheus_reads_the_metrics(api, address, environment):
    create(environment, "Backup")
    api.get("/tasks")
    answer = httpx.get(f"{address}/metrics", headers=api.headers)
    metrics = {
        sample.name: sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert metrics["pitasker_tasks"] == metrics["pitasker_crontab_entries"] == 1
    assert metrics["pitasker_health"] == 0
    assert metrics["pitasker_crontab_write_seconds_count"] >= 1
    assert metrics["pitasker_request_seconds_count"] >= 0
    assert metrics["pitasker_endpoint_seconds_count"] >= 1


def test_prometheus_reads_how_each_task_ran_last(api, address, environment):
    task, other = create(environment, "Backup"), create(environment, "Never")
    now = datetime(2026, 1, 2, 3, tzinfo=UTC)
    ends = [(now, 3, 0), (now + timedelta(hours=1), 5, 1), (now + timedelta(hours=2), None, None)]
    with database.session(environment) as session:
        for start, took, exit_code in ends:
            end = start + timedelta(seconds=took) if took else None
            run = RunRow(task=task.id, source="recorded", started_at=start, ended_at=end)
            run.exit_code = exit_code
            session.add(run)
        missed = now + timedelta(hours=3)
        session.add(RunRow(task=task.id, source="missed", started_at=missed, ended_at=missed))
    answer = httpx.get(f"{address}/metrics", headers=api.headers)
    last_run = {
        sample.name.removeprefix("pitasker_task_last_run_"): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.labels.get("task") == str(task.id)
    }
    started = (now + timedelta(hours=2)).timestamp()
    assert last_run == {"timestamp_seconds": started, "success": 0, "duration_seconds": 5}
    assert f'task="{other.id}"' not in answer.text


def test_a_raw_text_is_saved_only_over_the_one_it_was_based_on(api, crontab):
    crontab.write(EXISTING)
    etag = api.get("/crontab/raw").headers["etag"]
    new = {"content": EXISTING.decode() + "# more\n"}
    assert code(api.put("/crontab/raw", json=new)) == (428, "PRECONDITION_REQUIRED")
    crontab.write(EXISTING + b"# by hand\n")
    stale = api.put("/crontab/raw", json=new, headers={"if-match": etag})
    assert code(stale) == (412, "PRECONDITION_FAILED")
    assert crontab.read() == EXISTING + b"# by hand\n"
    etag = api.get("/crontab/raw").headers["etag"]
    assert api.put("/crontab/raw", json=new, headers={"if-match": etag}).status_code == 200
    assert crontab.read() == EXISTING + b"# more\n"


def test_every_byte_survives_the_way_through_the_api(api, crontab):
    odd = b"# caf\xe9\r\n0 5 * * * echo caf\xe9\n"
    crontab.write(odd)
    answer = api.get("/crontab/raw")
    new = {"content": answer.json()["content"] + "# more\n"}
    sent = api.put(
        "/crontab/raw",
        content=json.dumps(new),
        headers={"if-match": answer.headers["etag"], "content-type": "application/json"},
    )
    assert sent.status_code == 200
    assert crontab.read() == odd + b"# more\n"
    assert api.get("/crontab/validate").status_code == 200


def test_a_snapshot_is_read_and_restored(api, crontab, environment):
    create(environment)
    before = crontab.read()
    create(environment, "Other")
    (_, older, *_) = api.get("/snapshots").json()
    text = api.get(f"/snapshots/{older['id']}").json()["content"]
    assert text.encode() == before
    assert api.post(f"/snapshots/{older['id']}/restore").status_code == 200
    assert crontab.read() == before


def test_going_back_replaces_only_the_text_that_was_shown(api, crontab, environment):
    create(environment)
    create(environment, "Other")
    (_, older, *_) = api.get("/snapshots").json()
    shown = {"if-match": api.get("/crontab/raw").headers["etag"]}
    by_hand = crontab.read() + b"# by hand\n"
    crontab.write(by_hand)
    address = f"/snapshots/{older['id']}/restore"
    assert code(api.post(address, headers=shown)) == (412, "PRECONDITION_FAILED")
    assert code(api.post(address)) == (409, "CONCURRENT_MODIFICATION")
    assert crontab.read() == by_hand
    shown = {"if-match": api.get("/crontab/raw").headers["etag"]}
    assert api.post(address, headers=shown).status_code == 200
    assert crontab.read() != by_hand


def test_an_export_of_a_task_that_there_is_none_of_is_not_found(api, environment):
    assert code(api.post("/crontab/export", json={"taskIds": [999]})) == (404, "NOT_FOUND")


def test_a_conflict_is_shown_and_decided_unless_it_moved_on(api, crontab, environment):
    task = create(environment)
    tasks.change(replace(environment, crontab_program="/nonexistent"), ME, task.id, command="/ours")
    crontab.write(crontab.read().replace(b"0 2 * * *", b"7 7 * * *"))
    (conflict,) = api.get("/conflicts").json()
    assert conflict["database"]["command"] == "/ours"
    shown = {side: conflict[side] for side in ("database", "crontab")}
    address = f"/conflicts/{conflict['crontabId']}/resolve"
    stale = {"take": "database", **shown, "crontab": {**shown["crontab"], "schedule": "8 8 * * *"}}
    assert code(api.post(address, json=stale)) == (409, "STALE")
    mix = {**shown["database"], "schedule": shown["crontab"]["schedule"]}
    assert api.post(address, json={"take": mix, **shown}).status_code == 200
    assert b"7 7 * * * /ours # PITASKER_ID:" in crontab.read()
    assert code(api.post(address, json={"take": mix, **shown})) == (404, "NOT_FOUND")


def test_a_crontab_that_vanished_waits_for_a_person(api, crontab, environment):
    create(environment)
    crontab.remove()
    assert code(api.post("/crontab/sync")) == (409, "MASS_REMOVAL")
    assert api.post("/crontab/sync", json={"confirmed": True}).json()["imported"] == 1


def test_without_crontab_or_database_the_answer_is_503_and_says_why(
    api, address, environment, monkeypatch
):
    create(environment)
    monkeypatch.setenv("PITASKER_CRONTAB", "/nonexistent")
    assert code(api.get("/crontab/raw")) == (503, "CRONTAB_UNAVAILABLE")
    assert code(api.post("/crontab/sync")) == (503, "CRONTAB_UNAVAILABLE")
    assert api.get("/tasks").json()["error"]["code"] == "CRONTAB_UNAVAILABLE"
    cookie = cookies(environment, address)
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    del api.headers["authorization"]
    assert code(api.get("/tasks", cookies=cookie)) == (503, "DATABASE_ERROR")


def test_an_address_that_is_none_is_an_error_in_json(api):
    assert code(api.get("/none")) == (404, "INVALID_REQUEST")
    assert code(api.get("/tasks/a%0Ab")) == (404, "NOT_FOUND")
    assert code(api.put("/tasks")) == (405, "INVALID_REQUEST")


def test_the_documentation_needs_nothing_from_elsewhere(api):
    page = api.get("/docs").text
    assert "https://" not in page.replace("https://github.com", "")
    for part in ("openapi.json", "static-offline-docs/swagger-ui-bundle.js"):
        assert api.get(f"/{part}").status_code == 200


@pytest.mark.slow
def test_the_api_keeps_to_its_own_description(api, tmp_path, monkeypatch):
    # Two thousand requests with one token: its check is remembered, as outside of the tests.
    monkeypatch.setattr(tokens, "MEMORY_SECONDS", 1.0)
    # Of the methods that a path does not have, one is tried: the router refuses all of them alike.
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text('[phases.coverage]\nunexpected-methods = ["TRACE"]\n')
    url = str(api.base_url).rstrip("/")
    # It waits ten seconds for the description, which a busy machine may need.
    assert api.get("/openapi.json").status_code == 200
    # In its own process: its pytest plugin would generate requests in each collection of tests.
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration)),
        *("run", f"{url}/openapi.json"),
        *("--header", f"authorization: {api.headers['authorization']}"),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", "2"),
        *("--request-timeout", str(patience())),
        *("--generation-deterministic", "--no-color"),
        *("--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure"),
        # Not every text is a schedule, so values that the description allows may be refused.
        *("--exclude-checks", "positive_data_acceptance"),
    ]
    # Hypothesis keeps its table of characters, which takes seconds to make.
    variables = {"HYPOTHESIS_STORAGE_DIRECTORY": str(storage_directory().path)}
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
