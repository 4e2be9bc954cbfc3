"""The bytes and characters of a crontab's text."""

import re

NOT_UTF8 = "bytes that are not UTF-8"

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROL_NAMES = {
    "\n": "a line break",
    "\r": "a carriage return",
    "\0": "a NUL byte",
    "\t": "a tab",
}


def decode(data: bytes) -> str:
    """Return the text of a crontab's bytes. `encode` gives back every byte."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Return the bytes of a crontab's text.

    A lone surrogate that no byte can have made is written as `surrogatepass` would.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def byte_length(text: str) -> int:
    """Return the number of bytes that `encode` makes of a text."""
    return len(text) if text.isascii() else len(encode(text))


def is_utf8(text: str) -> bool:
    """Return whether a text can be kept as UTF-8: it has no foreign bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def find_control_character(text: str, allowed: str = "") -> str | None:
    """Return the words for the first character that would break a line of a crontab, or None."""
    if text.isprintable():  # most texts are, and this takes a fifth of the time
        return None
    for match in _CONTROL.finditer(text):
        character = match[0]
        if character in allowed:
            continue
        if character >= "\ud800":
            return NOT_UTF8
        default = f"the control character U+{ord(character):04X}"
        return _CONTROL_NAMES.get(character, default)
    return None
