"""Text from outside in Streamlit's Markdown: nothing but text appears, whatever it is. Pure.

Streamlit 1.67 draws CommonMark with GitHub's extensions, formulas and directives of its own. Most
of it is undone by a backslash. What it does after parsing is not: it turns addresses into links,
`:name:` into pictures and `->` into arrows in every piece of text. So such a piece is cut in two by
a directive that changes nothing, `:color[…]{}`.
"""

import re

from pitasker_core.base.text import Code, Text, visible

_SPECIAL = re.compile(r"[\\*_{}\[\]()#+\-.!|<>~$:&=`]")

_CUT = re.compile(
    r":(?=//)"  # https://…
    r"|:(?=material[/_])"  # an icon
    r"|:(?!\d\d:)(?=[\w+-]+(?::|$))"  # a picture; the minutes of a time are none
    r"|(?<=[Ww]{3})\."  # www.…
    r"|(?<=[\w.+-])@(?=[\w-])"  # an address of mail
    r"|(?<=-)[->](?!\w)|(?<=<)[-=](?!\w)|(?<=[>~])=(?!\w)"  # dashes, arrows and signs
)


def plain(text: str) -> str:
    """Markdown that shows a text as it is; what is `Code` in it as code."""
    parts = text.parts if isinstance(text, Text) else (text,)
    drawn = "".join(code(part) if isinstance(part, Code) else _escaped(part) for part in parts)
    return re.sub(r"^(?:\\\n|[ \t])+|(?:\\\n|[ \t])+$", "", drawn)


def bold(text: str) -> str:
    """Markdown that shows a text as it is, in bold."""
    return f"**{shown}**" if (shown := plain(text)) else ""


def code(text: str) -> str:
    """Markdown that shows a text as it is, as code on one line."""
    line = " ".join(visible(text).split("\n")).strip(" \t")
    # Brackets would end a directive around it, and the word of an icon is replaced before parsing.
    if not line or re.search(r"[\[\]]|:material/", line):
        return _escaped(line)
    # A run of as many backquotes as it began with ends it (CommonMark 0.31.2, 6.1).
    fence = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    space = " " if "`" in (line[0], line[-1]) else ""
    return f"{fence}{space}{line}{space}{fence}"


def _escaped(text: str) -> str:
    cut, end = [], 0
    text = visible(text)
    for match in _CUT.finditer(text):
        cut += [_backslashed(text[end : match.start()]), f":color[\\{match[0]}]{{}}"]
        end = match.end()
    cut.append(_backslashed(text[end:]))
    # An empty line would end the paragraph, and blanks at the beginning of one begin a block of
    # code: a backslash ends a line within the paragraph.
    return re.sub(r"[ \t]*\n[ \t]*", r"\\\n", "".join(cut))


def _backslashed(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)
