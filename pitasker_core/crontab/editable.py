"""A crontab as text for an editor on a page, and back, with every byte it had.

A browser's text field turns every line end into LF, and a page's text must be UTF-8. Control
characters and foreign bytes are therefore shown as stand-ins, and lines that were not touched
get their own bytes back. Pure.
"""

import re
from collections import Counter
from itertools import repeat

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.base.text import STAND_INS, visible

_MARKS = re.compile("|".join(map(re.escape, set(STAND_INS.values()))))
"""A stand-in, whichever."""

shown = visible
"""What the field shows of a text."""


def edited(original: str, field: str) -> str:
    """The text that a person means who was shown `original` and left `field`.

    Raises InvalidSyntax when a line with stand-ins was changed: what it means cannot be told.
    """
    field = field.replace("\r\n", "\n").replace("\r", "\n")
    if shown(original) == original:
        return field
    lines = field.split("\n")
    count = Counter(lines)
    alike: dict[str, list[str]] = {}
    for line in original.split("\n"):
        alike.setdefault(shown(line), []).append(line)
    # What each line that was shown stands for. Different ones that look alike keep their order; if
    # one of them is missing nobody can tell which.
    meant = {
        looks: repeat(same[0]) if len(set(same)) == 1 else iter(same)
        for looks, same in alike.items()
        if len(set(same)) == 1 or len(same) == count[looks]
    }
    for at, line in enumerate(lines):
        if _MARKS.search(line):
            if line not in meant:
                raise InvalidSyntax(
                    f"This line holds a character that cannot be edited here: {line}",
                    "Write it without that character, or leave the line as it was.",
                )
            lines[at] = next(meant[line])
    return "\n".join(lines)
