from datetime import datetime
from typing import Any

from pitasker_core.base.clock import system_zone
from pitasker_core.base.environment import Environment
from pitasker_core.base.text import counted
from pitasker_core.cli.answer import Answer
from pitasker_core.cli.command import Commands, Words, command
from pitasker_core.server import local_socket


def add_to(commands: Commands) -> None:
    command(commands, "status", _status).set_defaults(logs_to_file=False)


def _status(environment: Environment, words: Words) -> Answer:
    report = local_socket.get(environment, "status")
    return Answer(report, _text(report), report["health"] == "green")


def _text(report: dict[str, Any]) -> str:
    last = report["lastSync"]
    if last:
        last = f"{datetime.fromisoformat(last).astimezone(system_zone()):%Y-%m-%d %H:%M:%S %Z}"
    lines = [
        f"health          {report['health']}",
        f"last sync       {last or 'never'}",
        f"tasks           {report['dbTaskCount']} ({report['syncedCount']} in sync, "
        f"{report['unsyncedCount']} out of sync, {report['databaseOnlyCount']} database-only)",
        f"crontab         {counted(report['crontabEntryCount'], 'entry', 'entries')} "
        f"({report['unmanagedCount']} unmanaged, "
        f"{counted(report['invalidLineCount'], 'invalid line')})",
        *(f"  - {reason}" for reason in report["reasons"]),
    ]
    return "\n".join(lines)
