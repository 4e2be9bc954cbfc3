"""A crontab as text in an editor on a page, and back, with every byte it had. Pure.

A browser's text field turns every line end into LF, and a page's text must be UTF-8. The field
therefore shows stand-ins for control characters and foreign bytes. Lines that a person did not
change get their own bytes back.
"""

import re
from collections import Counter
from itertools import repeat

from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.base.text import STAND_INS, visible
from pitasker_core.crontab.document.tags import find_tag

_STAND_IN = re.compile("|".join(map(re.escape, set(STAND_INS.values()))))

shown = visible
"""What the field shows of a text."""


def without_tags(text: str) -> str:
    """Return a text with no tags, to read it. It cannot be saved: its tasks would lose them."""
    return "\n".join(_without_tag(line) for line in text.split("\n"))


def _without_tag(line: str) -> str:
    tag = find_tag(line)
    return line[: tag.start()] + line[tag.end() :] if tag else line


def edited(original: str, field: str) -> str:
    """Return the text that a person means who got `original` to edit and left `field`.

    Raises InvalidSyntax for a changed line with stand-ins: they do not say which bytes they mean.
    """
    field = field.replace("\r\n", "\n").replace("\r", "\n")
    if shown(original) == original:
        return field
    lines = field.split("\n")
    counts = Counter(lines)
    originals: dict[str, list[str]] = {}
    for line in original.split("\n"):
        originals.setdefault(shown(line), []).append(line)
    # The original lines for each line as it was shown. Different lines that look alike keep their
    # order. If one of them was removed, nobody can say which.
    meant = {
        looks: repeat(alike[0]) if len(set(alike)) == 1 else iter(alike)
        for looks, alike in originals.items()
        if len(set(alike)) == 1 or len(alike) == counts[looks]
    }
    for at, line in enumerate(lines):
        if _STAND_IN.search(line):
            if line not in meant:
                raise InvalidSyntax(
                    f"This line has a character that cannot be edited here: {line}",
                    "Write the line without that character, or leave it as it was.",
                )
            lines[at] = next(meant[line])
    return "\n".join(lines)
