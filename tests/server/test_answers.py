"""The JSON of the API and the command line does not change unintentionally.

`answers.json` has the answers from before answers were dataclasses.
"""

import json
from dataclasses import fields
from pathlib import Path

import pytest

from pitasker_core.base import timings
from pitasker_core.reports.status import Metrics
from pitasker_core.server.answers import access, problems, reports, sync, tasks
from pitasker_core.server.answers.wire import as_json, camel
from pitasker_core.tasks.model import TASK_NAMES
from tests.server import answer_samples as samples

BEFORE = json.loads(Path(__file__).with_name("answers.json").read_text())


@pytest.fixture
def _timings(monkeypatch):
    monkeypatch.setattr(timings, "totals", {"crontab read": timings.Total(1, 0.25)})
    timings.totals["query"] = timings.Total(1, 0.5)
    endpoints = {"GET /tasks/{task}": timings.Total(1, 0.125)}
    monkeypatch.setattr(timings, "endpoints", endpoints)


def answers():
    return {
        "error": lambda: problems.Error.of(samples.ERROR),
        "task": lambda: tasks.task_answer(samples.TASK),
        "plain task": lambda: tasks.task_answer(samples.PLAIN_TASK),
        "tasks": lambda: tasks.Tasks.of(samples.LISTING),
        "tasks without crontab": lambda: tasks.Tasks.of(
            samples.replace(samples.LISTING, problem=samples.UNAVAILABLE)
        ),
        "applied": lambda: tasks.Applied.of(samples.APPLIED),
        "not applied": lambda: tasks.Applied.of(samples.NOT_APPLIED),
        "status": lambda: reports.Status.of(samples.STATUS),
        "empty status": lambda: reports.Status.of(samples.EMPTY_STATUS),
        "synced": lambda: sync.Synced.of(samples.SYNCED),
        "exported": lambda: sync.Exported.of(samples.SYNCED),
        "imported": lambda: sync.Imported.of(samples.IMPORTED),
        "not tagged": lambda: sync.Imported.of(samples.NOT_TAGGED),
        "operation": lambda: sync.Operation.of(samples.OPERATION),
        "operation with details": lambda: sync.OperationDetails.of(samples.DETAILS),
        "metrics": lambda: reports.Metrics.of(Metrics(10, 8, 2, 12.5, samples.STATUS)),
        "no metrics": lambda: reports.Metrics.of(Metrics(0, 0, 0, None, samples.EMPTY_STATUS)),
        "validation": lambda: sync.Validation.of(samples.REPORT),
        "change": lambda: sync.Change.of(samples.CONFLICT, samples.SYNCED.tasks),
        "change without task": lambda: sync.Change.of(samples.PULL, {}),
        "raw": lambda: sync.RawText.of("a\udcff\n"),
        "no raw": lambda: sync.RawText.of(None),
        "snapshot": lambda: sync.Snapshot.of(samples.SNAPSHOT),
        "snapshot text": lambda: sync.SnapshotText.of(samples.SNAPSHOT_TEXT),
        "run": lambda: reports.Run.of(samples.RUN),
        "missed run": lambda: reports.Run.of(samples.MISSED),
        "why": lambda: reports.Why.of(samples.WHY),
        "token": lambda: access.Token.of(samples.TOKEN),
        "crontabs": lambda: access.Crontabs.of(samples.IDENTITY, samples.CRONTABS),
    }


def test_each_answer_is_compared():
    assert set(answers()) == set(BEFORE)


@pytest.mark.usefixtures("_timings")
@pytest.mark.parametrize("name", BEFORE)
def test_the_json_is_what_it_was_before(name):
    assert as_json(answers()[name]()) == BEFORE[name]


def test_each_field_of_a_task_is_answered_but_for_one():
    answered = {field.name for field in fields(tasks.Task)}
    assert answered == {tasks.NAMES[name] for name in TASK_NAMES if name in tasks.NAMES}
    assert set(TASK_NAMES) - set(tasks.NAMES) == {"definition_changed_at"}


def test_keys_are_in_camel_case():
    assert camel("peak_kilobytes") == "peakKilobytes"
    assert camel("sha256") == "sha256"
