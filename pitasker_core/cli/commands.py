"""All commands, by the module that declares and runs them.

The command line imports a module only for its own commands, so that `--help` and small commands
start fast. The texts here are those of `--help`; a test holds them against the modules.
"""

import argparse
import importlib
from collections.abc import Mapping
from typing import Any

COMMANDS: Mapping[str, Mapping[str, str]] = {
    "server": {
        "up": "serve the dashboard (the default)",
        "demo": "serve a dashboard on a crontab made to be played with",
        "agent": "keep the tasks and the crontab in sync, without the dashboard",
        "service": "PiTasker as a service that starts at boot",
        "stop": "end the servers, agents and private database of this home",
        "psql": "a shell on the database; takes psql's own arguments",
    },
    "access": {
        "password": "set the password for signing in",
        "link": "print a link that signs in once",
        "sign-out-all": "end every session, on every device",
        "token": "tokens by which scripts reach the API",
        "notify": "the channels of notifications",
    },
    "sync": {
        "status": "counts of tasks and entries, and the health of sync",
        "sync": "sync the tasks and the crontab",
        "validate": "list all differences and problems; changes nothing",
        "import": "turn unmanaged entries into tasks",
        "export": "write tasks to the crontab",
    },
    "crontab": {
        "raw": "the whole crontab as text",
        "snapshots": "earlier texts of the crontab",
        "backup": "write the database and the crontab to one file",
        "restore": "go back to a snapshot, or to a file that backup wrote",
        "detach": "remove the recorder from every entry, before leaving PiTasker",
    },
    "crontabs": {
        "crontabs": "the crontabs of the database, after a change of names",
    },
    "tasks": {
        "list": "all tasks",
        "add": "add a task",
        "edit": "change a task",
        "pause": "pause tasks; their entries stay, commented out",
        "resume": "resume paused tasks",
        "remove": "delete tasks and their entries",
        "undo-remove": "restore deleted tasks and their entries",
        "stop-managing": "delete tasks and leave their entries in the crontab, unmanaged",
    },
    "task_files": {
        "tasks": "tasks as files: export and import",
    },
    "templates": {
        "templates": "ready-made tasks with parameters",
    },
    "runs": {
        "run": "run a task now, in cron's environment",
        "runs": "recent runs, newest first",
        "output": "the output of a run, byte for byte",
        "why": "why a task did not run, with every check",
    },
    "doctor": {
        "doctor": "what will not work in a crontab: exit code 0 if nothing of high severity was "
        "found, 1 if something was, 2 if the crontab could not be read",
        "explain": "what cron would run for an entry, and how; runs nothing",
    },
    "schedules": {
        "schedule": "what words or five fields mean to cron, and the next five runs: exit code 0 "
        "for one schedule, 1 if there are several or only a near one, 3 if nothing is understood",
    },
}


def add_commands(commands: "argparse._SubParsersAction[Any]", name: str | None) -> None:
    """Declare all commands; only the family of the command with this name in full."""
    for family, texts in COMMANDS.items():
        if name in texts:
            importlib.import_module(f"pitasker_core.cli.{family}").add_to(commands)
        else:
            for command, text in texts.items():
                commands.add_parser(command, help=text)
