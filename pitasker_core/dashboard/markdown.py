"""Escape text from outside for Streamlit's Markdown, so that it appears as it is. Pure.

Streamlit 1.67 draws CommonMark with GitHub's extensions, formulas and its own directives. A
backslash escapes most of them. Some replacements happen after parsing: addresses become links,
`:name:` becomes a picture, and `->` becomes an arrow. A directive without effect, `:color[…]{}`,
splits such text so that it is not replaced.
"""

import re

from pitasker_core.base.text import Code, Text, quoted, visible

_SPECIAL = re.compile(r"[\\*_{}\[\]()#+\-.!|<>~$:&=`]")

_CUT = re.compile(
    r":(?=//)"  # https://…
    r"|:(?=material[/_])"  # an icon
    r"|:(?!\d\d:)(?=[\w+-]+(?::|$))"  # a picture, but not the minutes of a time
    r"|(?<=[Ww]{3})\."  # www.…
    r"|(?<=[\w.+-])@(?=[\w-])"  # a mail address
    r"|(?<=-)[->](?!\w)|(?<=<)[-=](?!\w)|(?<=[>~])=(?!\w)"  # dashes, arrows and signs
)


def plain(text: str) -> str:
    """Return Markdown that shows a text as it is, and its `Code` parts as code."""
    parts = text.parts if isinstance(text, Text) else (text,)
    drawn = "".join(code(part) if isinstance(part, Code) else _escaped(part) for part in parts)
    return re.sub(r"^(?:\\\n|[ \t])+|(?:\\\n|[ \t])+$", "", drawn)


def bold(text: str) -> str:
    """Return Markdown that shows a text as it is, in bold."""
    return f"**{shown}**" if (shown := plain(text)) else ""


def code(text: str) -> str:
    """Return Markdown that shows a text as it is, as code on one line."""
    line = " ".join(visible(text).split("\n")).strip(" \t")
    # Brackets would end a surrounding directive, and an icon's name is replaced before parsing.
    if not line or re.search(r"[\[\]]|:material/", line):
        return _escaped(line)
    return quoted(line)


def _escaped(text: str) -> str:
    cut, end = [], 0
    text = visible(text)
    for match in _CUT.finditer(text):
        cut += [_backslashed(text[end : match.start()]), f":color[\\{match[0]}]{{}}"]
        end = match.end()
    cut.append(_backslashed(text[end:]))
    # An empty line would end the paragraph, and leading blanks would begin a block of code. A
    # backslash breaks the line within the paragraph.
    return re.sub(r"[ \t]*\n[ \t]*", r"\\\n", "".join(cut))


def _backslashed(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)
