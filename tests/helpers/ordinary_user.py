"""Print as JSON what an ordinary user sees. `test_ordinary_user.py` runs this as such a user."""

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from pitasker_core import backup, database, tasks
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.cli import main
from pitasker_core.reports import doctor
from pitasker_core.runs import history, manual, spool
from pitasker_core.runs.why import gathering

CLOSED = Path.home() / "closed"
LONG = "/" + 300 * "x" + "/y"
RECORDED = "pitasker-recorder 3 '/bin/x'"


def say(command: tuple[str, ...]) -> object:
    """Return the JSON answer of a command."""
    out = io.StringIO()
    out.reconfigure = lambda **_: None
    with contextlib.redirect_stdout(out):
        main([*command, "--json"])
    return json.loads(out.getvalue())


def run(environment: Environment, task: tasks.Task) -> str:
    """Return the output of a manual run."""
    name = manual.start(environment, "test", task)
    while spool.collect(environment):
        pass
    return history.output(environment, history.named(environment, name).id).decode()


def back_up(environment: Environment, file: str) -> str:
    """Return the error code of a refused backup."""
    try:
        backup.back_up(environment, Path(file))
    except PiTaskerError as problem:
        return problem.code
    return ""


def read_backup(file: str) -> str:
    """Return the error code of reading an unreadable backup."""
    try:
        backup.read(Path(file))
    except PiTaskerError as problem:
        return problem.code
    return ""


def see(environment: Environment) -> dict[str, object]:
    """Return the answers that the tests check."""
    CLOSED.mkdir(mode=0)
    recorders = (f"{CLOSED}/pitasker", LONG)
    crontab = f"HOME={CLOSED}\n" + "".join(f"@daily {path}/{RECORDED}\n" for path in recorders)
    subprocess.run(["crontab", "-"], input=crontab.encode(), check=True)
    task = tasks.create(
        environment, "test", tasks.NewTask("Odd", "@daily", f"{CLOSED}/x.sh > {LONG}")
    ).tasks[0]
    here = replace(task, command="pwd")
    seen = {
        "status": say(("status",)),
        "validate": say(("validate",)),
        "advice": [
            [finding.message for finding in doctor.examine_draft(environment, "@daily", program)]
            for program in (f"{CLOSED}/x.sh", LONG)
        ],
        "why": gathering.explain(environment, task.id).conclusion,
        "run in an unreadable HOME": run(environment, here),
        "backups": [back_up(environment, file) for file in (".", f"{CLOSED}/x", LONG)],
        "restores": [read_backup(file) for file in (".", f"{CLOSED}/x", LONG)],
    }
    environment.backups.chmod(0)
    refused = tasks.create(environment, "test", tasks.NewTask("More", "@daily", "true")).problem
    seen["closed backups"] = refused and refused.code
    environment.backups.chmod(0o700)
    os.environ["HOME"] = ""
    seen["home"] = str(Environment.from_environment({"HOME": ""}).home)
    subprocess.run(["crontab", "-"], input=b'HOME=""\n', check=True)
    seen["run without HOME"] = run(environment, here)
    unreadable = replace(environment, home=CLOSED / "pitasker")
    try:
        tasks.listing(unreadable)
    except PiTaskerError as problem:
        seen["unreadable data folder"] = problem.code
    return seen


if __name__ == "__main__":
    own = Environment.from_environment()
    database.start(own)
    try:
        json.dump(see(own), sys.stdout)
    finally:
        database.stop(own)
