"""A crontab with a history that fills each page of the dashboard."""

from dataclasses import replace

from sqlalchemy import update

from pitasker_core import database, tasks
from pitasker_core.base import clock
from pitasker_core.database.tables import TaskRow
from tests.helpers.examples import ME, create
from tests.helpers.runs import missed, ran

OUTPUT = b"fetching the map\n\x1b[31mcurl: (6) Could not resolve host\x1b[0m\n"


def fill(environment, crontab):
    """Create tasks in all states, with runs, and an unmanaged entry.

    Returns the tasks by their names.
    """
    made = [
        create(environment, command="true", record_runs=True),
        create(environment, "Weather map", "*/30 * * * *", "echo again", labels=("web",)),
        create(environment, "Night", "30 1 * * *", "true"),
        create(environment, "Paused", "@daily", "true", paused=True),
        create(environment, "Quarrel", "0 7 * * *", "true"),
        create(environment, "Kept here", "@weekly", "true", system_managed=False),
    ]
    named = {task.name: task for task in made}
    for hours in range(1, 12):
        ran(environment, named["Backup"], 60 * hours, seconds=30 + hours, output=b"done\n")
    ran(environment, named["Weather map"], exit_code=6, output=OUTPUT)
    _set_failed(environment, named["Weather map"])
    missed(environment, named["Night"], 200)
    nowhere = replace(environment, crontab_program="/nonexistent/crontab")
    tasks.change(nowhere, ME, named["Quarrel"].id, schedule="30 7 * * *")
    text = crontab.read().replace(b"0 7 * * *", b"0 8 * * *")
    crontab.write(text + b"*/10 * * * * /usr/loca/bin/certbot renew\n")
    return named


def _set_failed(environment, task):
    with database.session(environment) as session:
        values = {"status": "failed", "last_run": clock.now()}
        session.execute(update(TaskRow).where(TaskRow.id == task.id).values(values))
