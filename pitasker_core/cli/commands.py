"""All commands and their help texts, by the module that declares and runs them.

The command line imports a module only for its own commands. So `--help` and small commands start
fast. A test checks that each module declares its commands.
"""

import argparse
import importlib
from collections.abc import Mapping
from typing import Any

COMMANDS: Mapping[str, Mapping[str, str]] = {
    "server": {
        "up": "serve the dashboard (the default)",
        "demo": "serve a dashboard with a demo crontab to try things on",
        "agent": "keep the tasks and the crontab in sync, without the dashboard",
        "service": "install PiTasker as a service that starts at boot",
        "stop": "end the servers, agents and private database of this home",
        "psql": "open psql on the database; takes psql's arguments",
    },
    "access": {
        "password": "set the password for signing in",
        "link": "print a link that signs in once",
        "sign-out-all": "end every session, on every device",
        "token": "manage the API tokens of scripts",
        "notify": "manage the channels of notifications",
    },
    "status": {
        "status": "show the numbers of tasks and entries, and the health of sync",
    },
    "sync": {
        "sync": "sync the tasks and the crontab",
        "validate": "list all differences and problems; change nothing",
        "import": "turn unmanaged entries into tasks",
        "export": "write tasks to the crontab",
    },
    "crontab": {
        "raw": "print or replace the whole text of the crontab",
        "snapshots": "list earlier texts of the crontab",
        "backup": "write the database and the crontab to one file",
        "restore": "restore a snapshot, or a file that backup wrote",
        "detach": "remove the recorder from every entry, before leaving PiTasker",
    },
    "crontabs": {
        "crontabs": "choose the database's crontab after a change of host or user name",
    },
    "task_list": {
        "list": "list all tasks",
    },
    "tasks": {
        "add": "add a task",
        "edit": "change a task",
        "pause": "pause tasks; their entries stay, commented out",
        "resume": "resume paused tasks",
        "remove": "delete tasks and their entries",
        "undo-remove": "restore deleted tasks and their entries",
        "stop-managing": "delete tasks and leave their entries in the crontab, unmanaged",
    },
    "task_files": {
        "tasks": "export tasks to files, and import them",
    },
    "templates": {
        "templates": "ready-made tasks with parameters",
    },
    "runs": {
        "run": "run a task now, in cron's environment",
        "runs": "list recent runs, newest first",
        "output": "print the output of a run, byte for byte",
        "why": "explain why a task did not run, with every check",
    },
    "doctor": {
        "doctor": "list what will not work in a crontab: exit code 0 without findings of high "
        "severity, 1 with such findings, 3 if the crontab could not be read",
        "explain": "show what cron would run for an entry, and how; run nothing",
    },
    "schedules": {
        "schedule": "explain a schedule in words or five fields, with its next five runs: exit "
        "code 0 for one schedule, 1 for several or only similar ones, 3 for none",
    },
}
HELP = {name: text for texts in COMMANDS.values() for name, text in texts.items()}


def add_commands(commands: "argparse._SubParsersAction[Any]", name: str | None) -> None:
    """Declare all commands. The arguments are declared only for the named command's module."""
    for family, texts in COMMANDS.items():
        if name in texts:
            importlib.import_module(f"pitasker_core.cli.{family}").add_to(commands)
        else:
            for command, text in texts.items():
                commands.add_parser(command, help=text)
