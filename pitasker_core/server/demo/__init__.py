"""The demo: a private crontab with tasks, three weeks of runs, a conflict and missed runs."""

import shutil
from pathlib import Path

from sqlalchemy import insert, update

from pitasker_core import database, tasks
from pitasker_core.base import clock
from pitasker_core.base.actor import Actor
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import ExecutionError
from pitasker_core.crontab.program import write_complete
from pitasker_core.database.tables import RunRow, TaskRow
from pitasker_core.runs.model import RunSource, RunState
from pitasker_core.server.demo import contents, history
from pitasker_core.server.demo.history import Run
from pitasker_core.sync import importing, service, store
from pitasker_core.tasks import Edit, NewTask

_SCRIPTS = Path(__file__).with_name("scripts")


def fill(environment: Environment) -> None:
    """Create the demo's scripts, entries, tasks and runs.

    Raises ExecutionError unless the crontab is empty.
    """
    if service.program(environment).read() is not None:
        raise ExecutionError("There is a crontab already, so the demo does not start.")
    folder = _install_scripts(environment)
    _install(environment, contents.crontab(str(folder)))
    importing.import_entries(environment, Actor.DEMO)
    ids = {task.name: task.id for task in tasks.listing(environment).tasks}
    edits = [
        Edit(ids[task.name], None, dict(task.values)) for task in contents.TASKS if task.values
    ]
    tasks.apply(environment, Actor.DEMO, edits)
    tasks.create(
        environment,
        Actor.DEMO,
        NewTask(
            name="Try a new script",
            schedule="0 12 * * *",
            command=f"{folder}/water.sh",
            system_managed=False,
            notes="Not in the crontab until it works.",
        ),
    )
    _add_runs(environment)
    _make_conflict(environment, ids[contents.CONFLICT], str(folder))


def _install_scripts(environment: Environment) -> Path:
    folder = environment.home / "pi" / "bin"
    folder.mkdir(parents=True)
    for name in contents.SCRIPTS:
        copy = folder / f"{name}.sh"
        shutil.copyfile(_SCRIPTS / copy.name, copy)
        copy.chmod(0o755)
    return folder


def _make_conflict(environment: Environment, task: int, folder: str) -> None:
    """Change a task in PiTasker and its entry by hand, and add unmanaged entries."""
    with database.session(environment) as session:
        # Not by `tasks.change`, which would sync at once.
        session.execute(
            update(TaskRow)
            .where(TaskRow.id == task)
            .values(cron_schedule=contents.PENDING_SCHEDULE)
            .execution_options(synchronize_session=False)
        )
    text, _ = service.read_crontab(environment)
    _install(environment, contents.edited_by_hand(text or "", folder))


def _add_runs(environment: Environment) -> None:
    now = history.Clock(clock.now(), clock.system_zone())
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        for task in tasks.listing(environment).tasks:
            runs = history.runs_of(task.name, now)
            for run in runs:
                run.update(crontab_row=crontab_row, task=task.id)
            recorded = [run for run in runs if run["source"] == RunSource.RECORDED]
            others = [run for run in runs if run["source"] != RunSource.RECORDED]
            for rows in filter(None, (recorded, *([run] for run in others))):
                session.execute(insert(RunRow), rows)
            if recorded:
                session.execute(
                    update(TaskRow)
                    .where(TaskRow.id == task.id)
                    .values(last_run=recorded[-1]["started_at"], status=_status(runs))
                    .execution_options(synchronize_session=False)
                )
        command = f"{environment.home}/pi/bin/clean-camera.sh"
        for run in history.unmanaged(now):
            session.execute(
                insert(RunRow), [{**run, "crontab_row": crontab_row, "command": command}]
            )


def _status(runs: list[Run]) -> str:
    if runs[-1]["source"] == RunSource.MISSED:
        return RunState.MISSED
    return RunState.SUCCESS if runs[-1].get("exit_code") == 0 else RunState.FAILED


def _install(environment: Environment, text: str) -> None:
    environment.make_home()
    file = environment.home / "demo.crontab"
    file.unlink(missing_ok=True)
    write_complete(file, text)
    service.program(environment).install(file)
