"""The tasks of Cronmaster: its crontab with comments, and its backups of single jobs. Pure.

Cronmaster keeps its jobs in the crontab itself. What it knows of a job stands in the comment above:

    # Nightly backup | logsEnabled: true | id: 3f7a-91bc
    0 2 * * * /srv/cronmaster/data/cron-log-wrapper.sh "3f7a-91bc" /home/pi/backup.sh
    # PAUSED: Report | id: 88aa-0c1d
    # 30 7 * * 1-5 /home/pi/report.sh

A backup is a JSON file per job, `data/backup/ID.job`, with id, schedule, command, comment, user,
paused, logsEnabled and backedUpAt.
"""

import re

from pitasker_core.base.errors import ParseError
from pitasker_core.crontab.command import main_program
from pitasker_core.crontab.document import (
    Comment,
    Document,
    Entry,
    EnvironmentLine,
    Invalid,
    parse_line,
)
from pitasker_core.crontab.document import parse as parse_crontab
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.formats import node as nodes
from pitasker_core.formats.crontab_file import setting_note
from pitasker_core.formats.json_document import read_json
from pitasker_core.formats.node import Node, NodeError
from pitasker_core.formats.record import Remark, TaskFile, TaskRecord, checked

_PAUSED = re.compile(r"[ \t]*# PAUSED:(.*)")
_USER = re.compile(r"[ \t]*# User:[ \t]*(.*)")
_METADATA = re.compile(
    r"(?:^|\|)[ \t]*(?:logsEnabled:[ \t]*\w+|id:[ \t]*[a-z0-9]{4}-[a-z0-9]{4})", re.I
)
_LOGGED = re.compile(r"logsEnabled:[ \t]*true", re.I)
_WRAPPED = re.compile(r'\S*/cron-log-wrapper\.sh[ \t]+"[^"]+"[ \t]+(.+)', re.DOTALL)


def read_cronmaster(text: str, dialect: Dialect = Dialect.DEBIAN) -> TaskFile:
    """The jobs of a crontab or of one backup file. Raises ParseError."""
    if text.lstrip().startswith("{"):
        return _read_backup(read_json(text))
    return _Reader(parse_crontab(text, dialect)).file()


class _Reader:
    """Goes through a crontab once."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._records: list[TaskRecord] = []
        self._problems: list[Remark] = []
        self._notes: list[Remark] = []

    def file(self) -> TaskFile:
        """What the crontab holds."""
        for index, line in enumerate(self._document.lines):
            if isinstance(line, Entry):
                self._add(line, self._comment(index - 1), index, paused=False)
            elif isinstance(line, Comment):
                self._read_comment(index, line)
            elif isinstance(line, Invalid):
                self._problems.append(Remark(f"{line.reason}.", index + 1))
            elif isinstance(line, EnvironmentLine):
                self._notes.append(setting_note(line.name, index + 1))
        parts = tuple(self._records), tuple(self._problems), tuple(self._notes)
        return checked(TaskFile(*parts))

    def _read_comment(self, index: int, line: Comment) -> None:
        content = line.raw.rstrip("\n")
        if match := _USER.fullmatch(content):
            self._notes.append(_user_note(match[1], index + 1))
        elif match := _PAUSED.fullmatch(content):
            below = self._line_below(index)
            if isinstance(below, Entry):
                self._add(below, match[1], index + 1, paused=True)
            else:
                message = "there is no job below this paused one"
                self._problems.append(Remark(f"{message}.", index + 1))

    def _line_below(self, index: int) -> object:
        lines = self._document.lines
        raw = lines[index + 1].raw.lstrip(" \t") if index + 1 < len(lines) else ""
        return parse_line(raw.removeprefix("# ")) if raw.startswith("# ") else None

    def _comment(self, index: int) -> str:
        line = self._document.lines[index] if index >= 0 else None
        if not isinstance(line, Comment) or _USER.match(line.raw):
            return ""
        return line.text

    def _add(self, entry: Entry, comment: str, index: int, *, paused: bool) -> None:
        command, is_logged = _unwrapped(entry.command)
        name = _METADATA.split(comment, maxsplit=1)[0].strip(" \t|")
        self._records.append(
            TaskRecord(
                name or main_program(command) or f"Job in line {index + 1}",
                entry.schedule,
                command,
                paused=paused,
                record_runs=is_logged or _LOGGED.search(comment) is not None,
                line=index + 1,
            )
        )


def _unwrapped(command: str) -> tuple[str, bool]:
    """The command without the script that keeps Cronmaster's logs, and whether it was there."""
    match = _WRAPPED.fullmatch(command)
    return (match[1], True) if match else (command, False)


def _user_note(user: str, line: int | None, name: str = "") -> Remark:
    return Remark(f"This is of the user {user[:100]}; a task here runs as you.", line, name)


_BACKUP = frozenset(
    {"id", "schedule", "command", "comment", "user", "paused", "logsEnabled", "backedUpAt"}
)


def _read_backup(node: Node) -> TaskFile:
    try:
        values = nodes.mapping(node, "a backup of Cronmaster", _BACKUP)
        if missing := [key for key in ("schedule", "command") if key not in values]:
            raise NodeError(f"{missing[0]} is missing", node.line)
        texts = {
            key: nodes.text(values[key], key).strip()
            for key in ("schedule", "command", "comment", "user")
            if key in values
        }
        flags = {
            key: nodes.flag(values[key], key) for key in ("paused", "logsEnabled") if key in values
        }
    except NodeError as problem:
        raise ParseError(
            f"Line {problem.line}: {problem.message}.", "This is not a backup of Cronmaster."
        ) from None
    command, is_logged = _unwrapped(texts["command"])
    name = texts.get("comment") or main_program(command) or "Job of Cronmaster"
    record = TaskRecord(
        name,
        texts["schedule"],
        command,
        paused=flags.get("paused", False),
        record_runs=is_logged or flags.get("logsEnabled", False),
        line=node.line,
    )
    user = texts.get("user")
    return TaskFile((record,), notes=(_user_note(user, values["user"].line, name),) if user else ())
