"""A value as one word of a command in a crontab. Pure."""

import re

_PLAIN = re.compile(r"[A-Za-z0-9_./:@,+-]+")
# Pairs that Debian's cron reads and cronie does not, or that end the command: a backslash may stand
# before anything else.
_PAIR = re.compile(r"(?<=\\)(?=[\\%])")


def cron_word(value: str) -> str:
    r"""The value as a word that cron and any POSIX shell hand on unchanged.

    The word stands in single quotes. cron reads a crontab before the shell does, also inside of
    quotes: `%` is written `\%`, and a backslash never stands before `%` or another backslash,
    because Debian's cron and cronie read such a pair differently (crontab(5)).
    """
    if _PLAIN.fullmatch(value):
        return value
    # `''` ends the quoted part and begins another one: it adds nothing.
    parted = "".join(
        "'\\''" if part == "'" else part for part in re.split("(')", _PAIR.sub("\0", value))
    )
    return "'" + parted.replace("%", "\\%").replace("\0", "''") + "'"


def cron_path(value: str) -> str:
    """A path as such a word; `~` at its beginning is the home folder, which the shell puts in."""
    if value == "~":
        return '"$HOME"'
    if value.startswith("~/"):
        return f'"$HOME"/{cron_word(value[2:])}' if len(value) > 2 else '"$HOME"/'
    return cron_word(value)
