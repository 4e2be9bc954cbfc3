"""Notices in words: a person's templates, filled in. Pure."""

import re
from collections.abc import Mapping
from string import Formatter

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.base.text import Code, Text
from pitasker_core.database.notices import NoticeKind

PLACEHOLDERS = {
    "task": "the task's name",
    "kind": "what happened: failed, works again, missed …",
    "message": "the notice itself, in a sentence or two",
    "host": "this machine",
    "user": "whose crontab it is",
    "time": "when it happened, by the machine's clock",
    "output": "the last lines that the run printed",
}
"""What a template may name, and what that is."""

TITLE = "{task}: {kind} on {host}"
BODY = "{message}\n\n{output}\n\n{user}@{host}, {time}"

WORDS = {
    NoticeKind.FAILED: "failed",
    NoticeKind.RECOVERED: "works again",
    NoticeKind.MISSED: "missed",
    NoticeKind.CONFLICT: "conflict",
    NoticeKind.SYNC_FAILED: "sync failed",
    NoticeKind.FINDING: "finding",
}

SAMPLE = {
    "task": "Backup",
    "kind": WORDS[NoticeKind.FAILED],
    "message": "Exit code 1.",
    "host": "raspberrypi",
    "user": "pi",
    "time": "2026-01-31 02:00:07",
    "output": "cp: error writing '/mnt/backup/photos.tar': No space left on device",
}
"""A notice to show templates with."""

_LINES, _CHARACTERS = 15, 1200
"""The most of a run's output that a message holds."""

_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
"""What a terminal would obey, and nobody can read."""


def check(template: str) -> None:
    """Raise InvalidSyntax unless every placeholder is known and every brace has its other one."""
    fill(template, SAMPLE)


def fill(template: str, values: Mapping[str, str]) -> str:
    """A template with its placeholders replaced; `{{` is a brace. Nothing else is looked up.

    Raises InvalidSyntax as `check` does.
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError as problem:
        raise InvalidSyntax(
            f"The template's braces do not fit together: {problem}.",
            Text("A brace that is meant as such is written twice: ", Code("{{"), "."),
        ) from None
    filled = []
    for text, name, form, conversion in parts:
        filled.append(text)
        if name is None:
            continue
        if name not in PLACEHOLDERS or form or conversion:
            whole = name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
            raise InvalidSyntax(
                f"There is no placeholder {{{whole}}}.",
                f"There are {', '.join(f'{{{one}}}' for one in PLACEHOLDERS)}.",
            )
        filled.append(values[name])
    # Where a placeholder was empty, no hole is left.
    return re.sub(r"\n{3,}", "\n\n", "".join(filled)).strip()


def last_lines(output: bytes | None) -> str:
    """The end of what a run printed, as a person would have seen it."""
    if not output:
        return ""
    text = output[-8 * _CHARACTERS :].decode(errors="replace").replace("\r\n", "\n").rstrip()
    lines = [_CONTROL.sub("", line.rstrip("\r").rsplit("\r", 1)[-1]) for line in text.split("\n")]
    return "\n".join(lines[-_LINES:])[-_CHARACTERS:]
