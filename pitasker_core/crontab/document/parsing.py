"""The grammar of one line of a crontab. Pure.

It is the grammar of Debian's cron (3.0pl1). For lines, cronie's is the same unless a comment says
otherwise.
"""

import re
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.command import split_stdin
from pitasker_core.crontab.document.characters import byte_length, decode, encode
from pitasker_core.crontab.document.lines import (
    BLANKS,
    Blank,
    Comment,
    Entry,
    EnvironmentLine,
    Invalid,
    Line,
)
from pitasker_core.crontab.document.tags import ID, MARK, find_tag, tag_in, tag_of, why_no_comment
from pitasker_core.crontab.recording import unwrap
from pitasker_core.crontab.schedule import Dialect, InvalidSchedule

COMMAND_LIMIT = Dialect.DEBIAN.command_limit
"""Bytes of a command that Debian's cron accepts. It refuses the whole crontab for a longer one."""

_ENTRY = re.compile(r"([ \t]*)(@[^ \t]*|[^ \t]+(?:[ \t]+[^ \t]+){4})(?:([ \t]+)(.*)|())", re.DOTALL)
# What most entries are: usual fields and a short command of printable ASCII, with at most a tag
# behind it. The command has no quotes, backslashes, `#` and `%`, so all the questions below have
# one answer. To read such a line takes half the time.
_FIELDS = r"[ \t]++".join(5 * [r"[0-9A-Za-z*,/-]++"])
_USUAL_ENTRY = re.compile(
    rf"([ \t]*+)({_FIELDS})([ \t]++)((?![*=])[ !$&(-\[\]^_a-~]{{1,500}})"
    rf"(?:[ \t]{MARK}({ID}))?\n?"
)
# cron's own scan of NAME=value (load_env): its blanks are C's isspace, a quoted name cannot hold an
# `=`, and a value that opens a quote must close it at the end of the line.
_SPACES = " \t\v\f\r"
_S = rf"[{_SPACES}]*"
_NAME = rf"""[ \t]*(?:"(?P<dn>[^"=]*)"|'(?P<sn>[^'=]*)'|(?P<n>(?!["'])[^ \t\v\f\r=]*)){_S}={_S}"""
_EMPTY_ENVIRONMENT_LINE = re.compile(_NAME)
_ENVIRONMENT_LINE = re.compile(
    rf"""{_NAME}(?:"(?P<dv>[^"]*)"{_S}|'(?P<sv>[^']*)'{_S}|(?P<v>(?!["' \t\v\f\r]).+))""",
    re.DOTALL,
)


@lru_cache(maxsize=16384)
def parse_line(raw: str, dialect: Dialect = Dialect.DEBIAN) -> Line:
    """Read one line with its line end."""
    if match := _USUAL_ENTRY.fullmatch(raw):
        indent, schedule, gap, command, written = match.groups()
        try:
            meaning = schedules.parse(schedule, dialect)
        except InvalidSchedule:
            return parse_any_line(raw, dialect)
        tag = tag_of(written) if written else None
        return Entry(raw, "", indent, schedule, gap, command, tag, False, meaning)
    return parse_any_line(raw, dialect)


def parse_any_line(raw: str, dialect: Dialect) -> Line:
    """Read one line by the whole grammar, as `parse_line` does."""
    content = raw.removesuffix("\n")
    stripped = content.lstrip(BLANKS)
    if not stripped:
        return Blank(raw)
    if stripped[0] == "#":
        return _parse_commented(raw, content, dialect) if MARK in content else Comment(raw)
    if "\0" in content:
        reason = "holds a NUL byte: cron reads what follows it as a line of its own"
        return Invalid(raw, reason, None, tag_in(content))
    if line := _parse_environment_line(raw, stripped, dialect):
        return line
    return _parse_entry(raw, "", content, dialect)


def is_job(comment: str, dialect: Dialect) -> bool:
    """Return whether the text of a comment is a job that somebody commented out."""
    # `parse_line` looks for an explanation of what is no entry, which takes long.
    if _ENTRY.fullmatch(comment) is None:
        return False
    return isinstance(parse_line(comment + "\n", dialect), Entry)


def _parse_commented(raw: str, content: str, dialect: Dialect) -> Entry | Comment:
    """Read a comment that holds a tag: a paused entry, if it is an entry behind its `#`."""
    tag = tag_in(content)
    hash_at = content.index("#") + 1
    body_at = hash_at + (content[hash_at : hash_at + 1] == " ")
    body = content[body_at:]
    stripped = body.lstrip(BLANKS)
    if tag and "\0" not in body and not stripped.startswith("#"):
        is_environment_line = _parse_environment_line(raw, stripped, dialect)
        entry = None if is_environment_line else _parse_entry(raw, content[:body_at], body, dialect)
        if isinstance(entry, Entry) and entry.tag:
            return entry
    return Comment(raw, tag)


def _parse_environment_line(raw: str, stripped: str, dialect: Dialect) -> EnvironmentLine | None:
    """Read a line without its indent as `NAME=value`; None when it is something else."""
    if "=" not in stripped:
        return None
    text = stripped
    if not dialect.is_cronie and byte_length(text) > COMMAND_LIMIT:
        text = decode(encode(text)[:COMMAND_LIMIT])  # Debian's cron cuts the rest off silently
    match = _ENVIRONMENT_LINE.fullmatch(text)
    if match is None:
        empty = _EMPTY_ENVIRONMENT_LINE.fullmatch(text) if dialect.takes_empty_values else None
        return EnvironmentLine(raw, _name_in(empty), "", None) if empty else None
    value = match["dv"] or match["sv"] or match["v"] or ""
    if match["v"] or not dialect.is_cronie:
        value = value.rstrip(_SPACES)
    if not dialect.is_cronie and len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        value = value[1:-1]  # Debian's cron also drops a second pair of quotes
    return EnvironmentLine(raw, _name_in(match), value, tag_in(raw))


def _name_in(match: re.Match[str]) -> str:
    return match["dn"] or match["sn"] or match["n"] or ""


def _parse_entry(raw: str, prefix: str, content: str, dialect: Dialect) -> Entry | Invalid:
    match = _ENTRY.fullmatch(content)
    if match is None:
        return _explain_no_entry(raw, content, dialect)
    indent, schedule, gap, rest, _ = match.groups("")
    try:
        meaning = schedules.parse(schedule, dialect)
    except InvalidSchedule as problem:
        return Invalid(raw, problem.message, problem.suggestion, tag_in(content))
    if reason := _why_no_command(rest, dialect):
        return Invalid(raw, reason, None, tag_in(content))
    mark = _read_mark(rest, dialect)
    plain, recorder, recording = unwrap(mark.proper)
    return Entry(
        raw,
        prefix,
        indent,
        schedule,
        gap,
        plain + mark.stdin,
        mark.tag,
        mark.is_misplaced,
        meaning,
        recording,
        recorder,
        mark.words,
        mark.swallowed_tag,
    )


def _explain_no_entry(raw: str, content: str, dialect: Dialect) -> Invalid:
    tag = tag_in(content)
    if _EMPTY_ENVIRONMENT_LINE.fullmatch(content):
        reason = "an environment line without a value needs quotes in this version of cron"
        return Invalid(raw, reason, f'{content.strip(_SPACES)}""', tag)
    try:
        schedules.parse(content.strip(BLANKS), dialect)
    except InvalidSchedule as problem:
        return Invalid(raw, problem.message, problem.suggestion, tag)
    return Invalid(raw, "is neither an entry nor an environment line", None, tag)


def _why_no_command(rest: str, dialect: Dialect) -> str | None:
    """Return why cron refuses the rest of a line after the schedule, or None."""
    if rest.startswith("*"):
        return "six fields: a schedule has five, and a command cannot begin with *"
    if dialect.is_cronie and not rest.strip(BLANKS):
        return "there is no command after the schedule"
    limit = dialect.command_limit
    if byte_length(rest) > limit:
        return f"the command is longer than {limit} bytes"
    return None


class _Mark(NamedTuple):
    """A command without its tag, and what the tag is."""

    proper: str
    stdin: str
    tag: UUID | None = None
    words: str = ""
    is_misplaced: bool = False
    swallowed_tag: UUID | None = None


def _read_mark(rest: str, dialect: Dialect) -> _Mark:
    """Split the rest of a line after the schedule at its tag."""
    proper, stdin = split_stdin(rest)
    match = find_tag(rest)
    if match is None:
        return _Mark(proper, stdin)
    tag = tag_of(match[1])
    if match.start() >= len(proper):
        # Somebody wrote a `%` before the tag. It still names the task of the entry.
        proper, stdin = split_stdin(rest[: match.start()] + rest[match.end() :])
        return _Mark(proper, stdin, tag, is_misplaced=True)
    before = proper[: match.start()]
    if why_no_comment(before, dialect):
        return _Mark(proper, stdin, swallowed_tag=tag)
    return _Mark(before, stdin, tag, proper[match.end() :])
