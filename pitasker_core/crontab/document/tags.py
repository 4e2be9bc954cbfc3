"""The tag that marks the entry of a task, and the place in a command where the shell ignores it."""

import re
from functools import lru_cache
from uuid import UUID

from pitasker_core.crontab.command import split_stdin
from pitasker_core.crontab.document.characters import byte_length
from pitasker_core.crontab.schedule import Dialect

MARK = "# PITASKER_ID:"
"""What precedes the id in a tag."""

ID = "-".join(f"[0-9a-fA-F]{{{digits}}}" for digits in (8, 4, 4, 4, 12))
"""The pattern of an id. Without a repeated group: `re` takes longer for one."""
_TAG = re.compile(rf"(?:^|[ \t]){MARK}({ID})(?![0-9a-fA-F-])")
_TAG_LENGTH = len(f" {MARK}{UUID(int=0)}")

# Shells known to take ` # …` at the end of `-c COMMAND` as a comment.
_COMMENT_SHELLS = {"sh", "bash", "dash", "ash", "ksh", "mksh", "zsh", "rbash", "python3"}

# A command whose quotes are all closed, with no comment and no backslash but that of `\\%`. Most
# commands are like that, and each command is checked whenever its line is read or written.
_CLOSED = re.compile(
    r"""(?:[^\\'"`#]++|\\%|'(?:[^'\\]++|\\%)*+'|"(?:[^"\\]++|\\%)*+"|`(?:[^`\\]++|\\%)*+`)*+"""
)


@lru_cache(maxsize=16384)
def tag_of(text: str) -> UUID:
    """Return the tag that a text writes.

    The same text gives the same object: a sync looks up each tag in many dictionaries, and equal
    objects are compared by a Python function.
    """
    return UUID(text)


def find_tag(text: str) -> re.Match[str] | None:
    """Return the match of the last tag in a text. Group 1 is the id."""
    at = text.rfind(MARK)
    while at >= 0:
        if match := _TAG.match(text, max(at - 1, 0)):
            return match
        at = text.rfind(MARK, 0, at)
    return None


def tag_in(text: str) -> UUID | None:
    """Return the last tag in a text, wherever it stands."""
    match = find_tag(text)
    return tag_of(match[1]) if match else None


def add_tag(command: str, tag: UUID, words: str = "") -> str:
    """Return the command with its tag before the first unescaped `%`, where the shell ignores it.

    `words` is the text that a person wrote after the tag.
    """
    proper, stdin = split_stdin(command)
    return f"{proper}{' ' if proper else ''}{MARK}{tag}{words}{stdin}"


def why_not_tagged(command: str, shell: str, dialect: Dialect) -> str | None:
    """Return why a command cannot carry a tag under this shell, or None."""
    limit = dialect.command_limit
    # Debian refuses the whole crontab for a longer command. The tag counts too.
    size = byte_length(command) + _TAG_LENGTH
    if size > limit:
        return (
            f"The command is too long: with its tag it has {size} bytes, and may have "
            f"{limit}. Put it into a script."
        )
    if shell.rsplit("/", 1)[-1] not in _COMMENT_SHELLS:
        return f"SHELL is {shell}, which may not read the tag as a comment."
    return why_no_comment(split_stdin(command)[0], dialect)


def why_no_comment(proper: str, dialect: Dialect) -> str | None:
    """Return why a shell would not read ` # …` after a command proper as a comment, or None."""
    if _CLOSED.fullmatch(proper):
        return None
    # The text that the shell gets: cron drops the backslash before `%`. Debian's cron also drops
    # the backslash before another backslash (do_command.c of both).
    given = re.sub(
        r"\\([\\%])",
        lambda pair: pair[0] if pair[1] == "\\" and dialect.is_cronie else pair[1],
        proper,
    )
    unfinished = _find_unfinished(given)
    if unfinished == "\\":
        return "The command ends in a backslash, which would make the tag a part of it."
    if unfinished:
        return f"The command leaves a quote ({unfinished}) open, which would take in the tag."
    return None


def _find_unfinished(command: str) -> str:
    """Return the quote or backslash that a POSIX shell has open at the end, or ""."""
    quote = ""
    word_start = True
    characters = iter(command)
    for character in characters:
        if character == "\\" and quote != "'":
            if next(characters, None) is None:
                return quote or "\\"
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"`":
            quote = character
        elif character == "#" and word_start:
            return ""  # the rest is a comment already
        word_start = not quote and character in " \t;&|()<>"
    return quote
