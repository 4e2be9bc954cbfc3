"""A crontab as text for an editor on a page, and back, with every byte it had.

A browser's text field turns every line end into LF, and a page's text must be UTF-8. Control
characters and foreign bytes are therefore shown as stand-ins, and lines that were not touched
get their own bytes back. Pure.
"""

from difflib import SequenceMatcher

from pitasker_core.errors import InvalidSyntax

_PICTURES = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\t\n"}
_STAND_INS = _PICTURES | {127: "\u2421"} | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


def shown(text: str) -> str:
    """The text with a stand-in for each character that a page cannot hold."""
    return text.translate(_STAND_INS)


def edited(original: str, field: str) -> str:
    """The text that a person means who was shown `original` and left `field`.

    Raises InvalidSyntax when a line with stand-ins was changed: what it means cannot be told.
    """
    field = field.replace("\r\n", "\n").replace("\r", "\n")
    if shown(original) == original:
        return field
    old, new = original.split("\n"), field.split("\n")
    seen = [shown(line) for line in old]
    result: list[str] = []
    for what, from_old, to_old, from_new, to_new in SequenceMatcher(
        None, seen, new, autojunk=False
    ).get_opcodes():
        if what == "equal":
            result += old[from_old:to_old]
            continue
        for line in new[from_new:to_new]:
            if any(character in line for character in set(_STAND_INS.values())):
                raise InvalidSyntax(
                    f"This line holds a character that cannot be edited here: {line}",
                    "Write it without that character, or leave the line as it was.",
                )
        result += new[from_new:to_new]
    return "\n".join(result)
