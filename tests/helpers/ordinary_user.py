"""What an ordinary user sees: run by `test_ordinary_user.py` as one, and prints JSON."""

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from pitasker_core import advice, archive, database, tasks
from pitasker_core.cli import main
from pitasker_core.errors import PiTaskerError
from pitasker_core.runs import by_hand, history, spool
from pitasker_core.runs.why import circumstances
from pitasker_core.settings import Settings

CLOSED = Path.home() / "closed"
LONG = "/" + 300 * "x" + "/y"
RECORDED = "pitasker-recorder 3 '/bin/x'"


def say(command: tuple[str, ...]) -> object:
    """What a command of the command line answers in JSON."""
    out = io.StringIO()
    out.reconfigure = lambda **_: None
    with contextlib.redirect_stdout(out):
        main([*command, "--json"])
    return json.loads(out.getvalue())


def run(settings: Settings, task: tasks.Task) -> str:
    """What a run by hand prints."""
    name = by_hand.start(settings, "test", task)
    while spool.collect(settings):
        pass
    return history.output(settings, history.named(settings, name).id).decode()


def back_up(settings: Settings, file: str) -> str:
    """The code of the error with which a backup is refused."""
    try:
        archive.back_up(settings, Path(file))
    except PiTaskerError as problem:
        return problem.code
    return ""


def read_backup(file: str) -> str:
    """The code of the error with which a backup that cannot be read is refused."""
    try:
        archive.read(Path(file))
    except PiTaskerError as problem:
        return problem.code
    return ""


def see(settings: Settings) -> dict[str, object]:
    """Everything that is asked for by the tests."""
    CLOSED.mkdir(mode=0)
    recorders = (f"{CLOSED}/pitasker", LONG)
    crontab = f"HOME={CLOSED}\n" + "".join(f"@daily {path}/{RECORDED}\n" for path in recorders)
    subprocess.run(["crontab", "-"], input=crontab.encode(), check=True)
    task = tasks.create(settings, "test", "Odd", "@daily", f"{CLOSED}/x.sh > {LONG}").tasks[0]
    here = replace(task, command="pwd")
    seen = {
        "status": say(("status",)),
        "validate": say(("validate",)),
        "advice": [advice.advise("@daily", program, None) for program in (f"{CLOSED}/x.sh", LONG)],
        "why": circumstances.explain(settings, task.id).conclusion,
        "run in an unreadable HOME": run(settings, here),
        "backups": [back_up(settings, file) for file in (".", f"{CLOSED}/x", LONG)],
        "restores": [read_backup(file) for file in (".", f"{CLOSED}/x", LONG)],
    }
    os.environ["HOME"] = ""
    seen["home"] = str(Settings.from_environment({"HOME": ""}).home)
    subprocess.run(["crontab", "-"], input=b'HOME=""\n', check=True)
    seen["run without HOME"] = run(settings, here)
    unreadable = replace(settings, home=CLOSED / "pitasker")
    try:
        tasks.listing(unreadable)
    except PiTaskerError as problem:
        seen["unreadable data folder"] = problem.code
    return seen


if __name__ == "__main__":
    own = Settings.from_environment()
    database.start(own)
    try:
        json.dump(see(own), sys.stdout)
    finally:
        database.stop(own)
