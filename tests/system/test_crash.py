"""A process that dies at any moment leaves the old or the new crontab, and the next sync
converges. The deaths are real: a child process exits at a line of the code, or is killed."""

import os
import random
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from pitasker_core import database, tasks
from pitasker_core.database.tables import Base
from pitasker_core.sync import edit, importing, service, validation
from pitasker_core.sync.service import Request
from tests.helpers.examples import EXISTING, ME, create
from tests.helpers.processes import in_child

CORE = Path(service.__file__).parent.parent
PURE = {"merge.py", "sides.py", "stale_editor.py"}
STEPS = {
    str(file)
    for file in (
        CORE / "crontab" / "program.py",
        *(CORE / "tasks").glob("*.py"),
        *(CORE / "sync").rglob("*.py"),
    )
    if file.name not in PURE
}
"""The files in which every line is a step of writing."""

DEATHS = {"sync": 40}
"""The number of deaths per operation, 24 by default, evenly spread: each takes 0.15 s."""

TABLES = {
    table.name: ", ".join(f'"{column.name}"' for column in table.columns if not column.computed)
    for table in Base.metadata.sorted_tables
}
"""The tables and their columns, without computed columns."""

SET_UP = text(
    "begin;"
    # Faster than truncating them.
    + "".join(f"delete from {name};" for name in reversed(TABLES))
    + "".join(
        f"insert into {name} ({columns}) overriding system value"
        f" select {columns} from stage.{name};"
        for name, columns in TABLES.items()
    )
    + "commit"
)


def dying_at(step, environment, work):
    """Do `work` in a process that dies right before the step-th executed line of the core.

    Returns the number of executed lines.
    """
    reading, writing = os.pipe()
    lines = 0

    def trace(frame, event, _):
        nonlocal lines
        if frame.f_code.co_filename not in STEPS:
            return None
        if event == "line":
            lines += 1
            if lines == step:
                die()
        return trace

    def die():
        os.write(writing, str(lines).encode())
        os._exit(9)

    def run():
        sys.settrace(trace)
        work(environment)
        sys.settrace(None)
        die()

    assert in_child(environment, run) == 9
    os.close(writing)
    with os.fdopen(reading) as answer:
        return int(answer.read())


def contents(environment):
    """Return the contents of both sides, without values that differ from run to run."""
    listing = tasks.listing(environment)
    values = [
        (t.name, t.schedule, t.command, t.paused, t.system_managed, str(listing.states[t.id]))
        for t in listing.tasks
    ]
    installed, _ = service.read_crontab(environment)
    lines = [line.split("# PITASKER_ID:")[0] for line in (installed or "").split("\n")]
    return values, lines


class Stage:
    """Both sides in a state that can be restored before each death."""

    def __init__(self, environment, crontab):
        self._crontab = crontab
        self._text = crontab.read()
        tasks.listing(environment)  # our crontab is registered, and keeps this id
        # One connection for all: connecting takes longer than writing the rows.
        engine = create_engine(environment.database_url, isolation_level="AUTOCOMMIT")
        self._rows = engine.connect()
        self._rows.execute(text("create schema stage"))
        for name in TABLES:
            self._rows.execute(text(f"create table stage.{name} as table {name}"))

    def set_up(self):
        """Restore both sides to the prepared state."""
        self._crontab.remove()
        if self._text is not None:
            self._crontab.write(self._text)
        self._rows.execute(SET_UP)


def out_of_step(environment, crontab):
    """Create a task for each action of a sync."""
    crontab.write(EXISTING)
    importing.import_entries(environment, ME)
    for name in ("by hand", "in database", "deleted", "gone by hand", "agreed"):
        create(environment, name, command=f"/bin/{name.replace(' ', '-')}")
    lines = crontab.read().decode().splitlines(keepends=True)
    remaining = [line for line in lines if "gone" not in line]
    crontab.write("".join(remaining).replace("/bin/by-hand", "/bin/edited").encode())
    ids = {task.name: task.id for task in tasks.listing(environment).tasks}
    nowhere = replace(environment, crontab_program="/nonexistent/crontab")
    tasks.change(nowhere, ME, ids["in database"], schedule="1 1 * * *", name="renamed")
    tasks.delete(nowhere, ME, ids["deleted"])
    create(nowhere, "new", command="/bin/new")


def some_tasks(environment, crontab):
    crontab.write(EXISTING)
    create(environment, "One", command="/bin/one")


def untouched(environment, crontab):
    crontab.write(EXISTING)


RAW = EXISTING.decode().replace("backup.sh", "new.sh") + "# more\n"

OPERATIONS = {
    "sync": (out_of_step, lambda s: service.sync(s, Request(ME))),
    "create": (some_tasks, lambda s: create(s, "Two", command="/bin/two")),
    "change": (some_tasks, lambda s: tasks.change(s, ME, 1, command="/bin/other")),
    "delete": (some_tasks, lambda s: tasks.delete(s, ME, 1)),
    "import": (untouched, lambda s: importing.import_entries(s, ME)),
    "raw edit": (untouched, lambda s: edit.save_raw(s, RAW, EXISTING.decode(), actor=ME)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_death_at_any_step_ends_after_one_sync_as_if_none_or_nothing(environment, crontab, name):
    prepare, operate = OPERATIONS[name]
    prepare(environment, crontab)
    stage = Stage(environment, crontab)
    old = crontab.read()
    service.sync(environment, Request(ME))
    as_if_nothing = contents(environment)
    stage.set_up()
    operate(environment)
    new = crontab.read()
    service.sync(environment, Request(ME))
    as_if_none = contents(environment)
    assert name == "sync" or as_if_none != as_if_nothing
    stage.set_up()
    lines = dying_at(None, environment, operate)
    deaths = DEATHS.get(name, 24)
    assert lines > 10 * deaths
    for step in range(1, lines + 1, lines // deaths):
        stage.set_up()
        assert dying_at(step, environment, operate) == step
        assert without_tags(crontab.read()) in (without_tags(old), without_tags(new)), step
        service.sync(environment, Request(ME, confirmed=True))
        assert contents(environment) in (as_if_none, as_if_nothing), step
        assert validation.validate(service.preview(environment)).is_valid, step


def without_tags(data):
    return [line.split(b" # PITASKER_ID:")[0] for line in (data or b"").split(b"\n")]


OURS = b" /home/pi/backup.sh #"


def managed_schedule(data):
    return next(line.split(OURS)[0] for line in data.splitlines() if OURS in line)


@pytest.mark.slow
def test_a_hundred_kills_during_saves_never_leave_half_a_crontab(environment, crontab):
    crontab.write(EXISTING)
    number = create(environment).id
    other = crontab.read()
    dice = random.Random(7)
    kills = 0
    while kills < 100:
        before = crontab.read()
        # The next save finishes an earlier save that was killed before it reached the crontab.
        intended = tasks.get(environment, number).schedule.encode()
        minute = (kills + 1) % 60
        child = os.fork()
        if child == 0:
            try:
                database.connect(environment).dispose(close=False)  # they belong to the parent
                tasks.change(environment, ME, number, schedule=f"{minute} 4 * * *")
            finally:
                os._exit(0)
        time.sleep(dice.uniform(0, 0.06))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        kills += os.WIFSIGNALED(status)
        after = crontab.read()
        schedule = managed_schedule(after)
        assert schedule in (managed_schedule(before), intended, f"{minute} 4 * * *".encode())
        assert after.replace(schedule + OURS, b"0 2 * * *" + OURS) == other
    service.sync(environment, Request(ME))
    assert validation.validate(service.preview(environment)).is_valid
    assert tasks.get(environment, number).schedule.encode() in crontab.read()
