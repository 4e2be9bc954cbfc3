"""The text of notices: templates with placeholders. Pure."""

import re
from collections.abc import Mapping
from string import Formatter

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.base.text import marked
from pitasker_core.database.notices import NoticeKind

PLACEHOLDERS = {
    "task": "the task's name",
    "kind": "what happened: failed, works again, missed …",
    "message": "the notice itself, in one or two sentences",
    "host": "this machine's name",
    "user": "the owner of the crontab",
    "time": "when it happened, in the machine's time zone",
    "output": "the last lines of the run's output",
}
"""The placeholders of a template and their meaning."""

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
"""Sample values to preview a template."""

_LINES, _CHARACTERS = 15, 1200
"""The maximum of a run's output in a message."""

_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
"""Control sequences of terminals."""


def check(template: str) -> None:
    """Raise InvalidSyntax if a template has unknown placeholders or unmatched braces."""
    fill(template, SAMPLE)


def fill(template: str, values: Mapping[str, str]) -> str:
    """Replace the placeholders of a template. `{{` is a literal brace; no attributes or indexes.

    Raises InvalidSyntax like `check`.
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError as problem:
        raise InvalidSyntax(
            f"The template's braces do not match: {problem}.",
            marked("Write a literal brace twice: `{{`."),
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
                f"There are {', '.join(f'{{{each}}}' for each in PLACEHOLDERS)}.",
            )
        filled.append(values[name])
    # An empty placeholder must not leave a gap.
    return re.sub(r"\n{3,}", "\n\n", "".join(filled)).strip()


def last_lines(output: bytes | None) -> str:
    """The last lines of a run's output, as a terminal would show them."""
    if not output:
        return ""
    text = output[-8 * _CHARACTERS :].decode(errors="replace").replace("\r\n", "\n").rstrip()
    lines = [_CONTROL.sub("", line.rstrip("\r").rsplit("\r", 1)[-1]) for line in text.split("\n")]
    return "\n".join(lines[-_LINES:])[-_CHARACTERS:]
