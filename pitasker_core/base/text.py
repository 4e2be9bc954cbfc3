"""Text for people: marked parts that are code, and stand-ins for invisible characters. Pure."""

import re
from collections.abc import Sequence
from typing import Self

_ID_DIGITS = 20
"""The largest id of PostgreSQL has 19 digits. One more can be refused with its reason."""


class Code(str):
    """A part of a text to be typed or read literally: a command, a path, a file name."""

    __slots__ = ()


class Text(str):
    """A text made of parts. A page draws `Code` parts as code; elsewhere they are in backquotes.

    Backquotes in text from outside stay plain characters.
    """

    parts: tuple[str, ...]

    def __new__(cls, *parts: str) -> Self:
        """Join parts. A `Text` contributes its own parts."""
        flat = tuple(
            piece for part in parts for piece in (part.parts if isinstance(part, Text) else (part,))
        )
        joined = "".join(quoted(part) if isinstance(part, Code) else part for part in flat)
        text = super().__new__(cls, joined)
        text.parts = flat
        return text


def quoted(code: str) -> str:
    """Return code in more backquotes than follow each other in it (CommonMark 0.31.2, 6.1)."""
    fence = "`" * (max(map(len, re.findall("`+", code)), default=0) + 1)
    space = " " if "`" in (code[:1], code[-1:]) else ""
    return f"{fence}{space}{code}{space}{fence}"


_QUOTED = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)


def marked(text: str) -> Text:
    """Return a text of PiTasker with its code parts, which are in backquotes.

    In a stored text, backquotes of another program's message look the same, and become code too.
    """
    parts: list[str] = []
    end = 0
    for match in _QUOTED.finditer(text):
        code = match[2]
        is_spaced = code[0] == code[-1] == " " and "`" in (code[1:2], code[-2:-1])
        parts += [text[end : match.start()], Code(code[1:-1] if is_spaced else code)]
        end = match.end()
    return Text(*(part for part in (*parts, text[end:]) if part))


def _named(*codes: int) -> dict[int, str]:
    return {code: f"⟨U+{code:04X}⟩" for code in codes}


STAND_INS: dict[int, str] = {
    # Control characters: C0 by their pictures, C1 by number.
    **{code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\t\n"},
    127: "\u2421",
    **_named(*range(0x80, 0xA0)),
    # Marks that reverse text, so that `a\u202egnp.exe` reads as `aexe.png` (UAX #9, 2.1 to 2.5),
    # Unicode line ends, and characters without width. Not the two joiners: many languages and
    # emoji need them.
    **_named(0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)),
    **_named(0x2028, 0x2029),
    **_named(0x00AD, 0x200B, *range(0x2060, 0x2065), 0xFEFF, *range(0xFFF9, 0xFFFC)),
    **_named(*range(0xE0000, 0xE0080)),
    # Bytes that are not UTF-8, as `surrogateescape` decodes them.
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}
"""A stand-in for each character that is invisible or changes how others are shown."""


def visible(text: str) -> str:
    """The text with a stand-in for each invisible or control character.

    Line ends and tabs stay.
    """
    return text if text.isascii() and text.isprintable() else text.translate(STAND_INS)


def on_one_line(text: str) -> str:
    """A visible text on one line: inner line ends and tabs are shown, trailing ones removed."""
    return visible(text.rstrip("\n")).translate({9: "\u2409", 10: "\u240a"})


def as_id(text: str) -> int | None:
    """Return the id that a text from outside is, or None. Python refuses to read long numbers."""
    return int(text) if text.isdecimal() and len(text) <= _ID_DIGITS else None


def listed(names: Sequence[str], most: int) -> str:
    """Return the first names, and how many more there are: "a, b and 3 more"."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number of things in words: "1 entry", "2 entries". The plural is the noun with an s
    unless it is given."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
