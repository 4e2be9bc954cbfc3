"""Text that people read: which part of it is code, and characters that nobody can see. Pure."""

from typing import Self


class Code(str):
    """A part of a text that is typed or read literally: a command, a path, a name in a file."""

    __slots__ = ()


class Text(str):
    """A text made of parts. A page draws those that are `Code` as such; elsewhere they stand in
    backquotes.

    Only what we wrote as `Code` is code: backquotes in a text from outside are characters.
    """

    parts: tuple[str, ...]

    def __new__(cls, *parts: str) -> Self:
        """Join parts; those of a `Text` are taken over."""
        flat = tuple(
            piece for part in parts for piece in (part.parts if isinstance(part, Text) else (part,))
        )
        joined = "".join(f"`{part}`" if isinstance(part, Code) else part for part in flat)
        text = super().__new__(cls, joined)
        text.parts = flat
        return text


def _named(*codes: int) -> dict[int, str]:
    return {code: f"⟨U+{code:04X}⟩" for code in codes}


STAND_INS: dict[int, str] = {
    # Controls a terminal obeys: by their pictures, and the C1 controls by number.
    **{code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\t\n"},
    127: "\u2421",
    **_named(*range(0x80, 0xA0)),
    # Marks that turn text around, so that `a\u202egnp.exe` reads as `aexe.png` (UAX #9, 2.1 to
    # 2.5), line ends that are none, and characters without any width. Not the two joiners, which
    # words of many languages and emoji need.
    **_named(0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)),
    **_named(0x2028, 0x2029),
    **_named(0x00AD, 0x200B, *range(0x2060, 0x2065), 0xFEFF, *range(0xFFF9, 0xFFFC)),
    **_named(*range(0xE0000, 0xE0080)),
    # Bytes that are no UTF-8, as `surrogateescape` has them.
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}
"""What stands for each character that cannot be seen, or changes how others are shown."""


def visible(text: str) -> str:
    """The text with a stand-in for each character that a page or a terminal would obey, not show.

    Line ends and tabs stay.
    """
    return text if text.isascii() and text.isprintable() else text.translate(STAND_INS)


def on_one_line(text: str) -> str:
    """A visible text whose line ends and tabs are shown too, but for the line ends at its end."""
    return visible(text.rstrip("\n")).translate({9: "\u2409", 10: "\u240a"})
