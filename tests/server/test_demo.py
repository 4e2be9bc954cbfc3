"""The demo has history, a failure, missed runs, a conflict, and scripts that run."""

import subprocess

import pytest

from pitasker_core import tasks
from pitasker_core.base.errors import ExecutionError
from pitasker_core.runs import history
from pitasker_core.server import demo
from pitasker_core.server.demo import contents
from pitasker_core.sync import service
from pitasker_core.tasks import State


def named(listing, name):
    return next(task for task in listing.tasks if task.name == name)


def test_the_demo_shows_what_a_machine_may_have(environment, subtests):
    demo.fill(environment)
    listing = tasks.listing(environment)
    with subtests.test("a conflict to resolve"):
        report = named(listing, contents.CONFLICT)
        assert listing.states[report.id] is State.CONFLICT
        assert [s for s in listing.states.values() if s is State.CONFLICT] == [State.CONFLICT]
    with subtests.test("weeks of runs with failures and a missed night"):
        backup = history.runs(environment, task=named(listing, "Backup the photos").id)
        assert [run.state for run in backup[:3]] == ["missed", "failed", "success"]
        assert (backup[0].started_at - backup[-1].started_at).days >= 20
        weather = history.runs(environment, task=named(listing, "Weather map").id)
        assert weather[0].state == "failed"
        assert weather[-1].state == "success"
    with subtests.test("a crowded minute"):
        assert sum(task.schedule == "0 2 * * *" for task in listing.tasks) >= 3
    with subtests.test("unmanaged entries to import"):
        _, document = service.read_crontab(environment)
        assert sum(entry.tag is None for _, entry in document.entries()) == 2
    with subtests.test("scripts that run"):
        folder = environment.home / "pi" / "bin"
        codes = {
            name: subprocess.run([folder / f"{name}.sh"], capture_output=True).returncode
            for name in contents.SCRIPTS
            if name != "water"  # it only takes three seconds longer
        }
        failing = {name for name, code in codes.items() if code}
        assert failing == {"backup-photos", "update-map"}
        assert 127 not in codes.values()


def test_the_demo_leaves_a_crontab_alone(environment, crontab):
    crontab.write(b"@daily true\n")
    with pytest.raises(ExecutionError, match="does not start"):
        demo.fill(environment)
    assert crontab.read() == b"@daily true\n"
