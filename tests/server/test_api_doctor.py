"""The doctor over real HTTP."""

import json

import pytest

from tests.helpers.examples import create

BAD = b"0 5 * * * date +%F\n"


def test_findings_are_read_silenced_and_fixed(api, crontab):
    crontab.write(BAD)
    examined = api.get("/doctor").json()
    finding = next(f for f in examined["findings"] if f["rule"] == "percent")
    assert (finding["line"], finding["severity"], examined["counts"]["high"]) == (1, "high", 1)
    place = {"rule": "percent", "line": 1}
    assert api.post("/doctor/silence", json=place).json()["silenced"] is True
    assert api.get("/doctor").json()["silenced"] == [{"rule": "percent", "line": 1}]
    assert api.post("/doctor/unsilence", json=place).json()["silenced"] is False
    fixed = api.post("/doctor/fix", json={**place, "sha256": examined["sha256"]})
    assert fixed.status_code == 200
    assert crontab.read() == b"0 5 * * * date +\\%F\n"
    assert api.post("/doctor/fix", json={**place, "sha256": examined["sha256"]}).status_code == 409


def test_any_text_is_examined(api):
    body = json.dumps({"content": "0 5 * * * date +%F\n\udcff"})
    kind = {"content-type": "application/json"}
    examined = api.post("/doctor", content=body, headers=kind).json()
    rules = [finding["rule"] for finding in examined["findings"]]
    assert rules == ["percent", "invalid_line", "no_final_newline"]


@pytest.mark.parametrize("place", [{}, {"task": 1, "line": 1}, {"task": 0}, {"line": "x"}])
def test_a_rule_is_silenced_for_one_place(api, place):
    assert api.post("/doctor/silence", json={"rule": "percent", **place}).status_code == 422


def test_the_rules_are_listed(api):
    rules = api.get("/doctor/rules").json()
    assert {"percent", "program_missing"} <= {rule["code"] for rule in rules}


def test_what_cron_runs_is_told(api, crontab, environment):
    crontab.write(b"A=1\n0 5 * * * cat%in\n")
    data = api.get("/explain", params={"line": 2}).json()
    assert (data["command"], data["standardInput"]) == ("cat", "in\n")
    assert data["environment"]["A"] == "1"
    task = create(environment, "Task", "0 6 * * *", "/bin/true")
    assert api.get("/explain", params={"task": task.id}).json()["command"] == "/bin/true"
    assert api.get("/explain").status_code == 422
    assert api.get("/explain", params={"line": 99}).status_code == 404
