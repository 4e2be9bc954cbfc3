"""Text that PostgreSQL can store. Pure.

PostgreSQL stores neither NUL nor a lone surrogate. A lone surrogate stands for a byte that is not
UTF-8 (see `document.decode`). Snapshots hold the exact bytes. Everywhere else such a character is
written as an escape of its byte.
"""

import re
from typing import Any

from pitasker_core.base.errors import InvalidSyntax

_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can store this text unchanged."""
    # ASCII needs no search, which takes several times as long.
    return "\0" not in text if text.isascii() else _NOT_STORABLE.search(text) is None


def check_storable(what: str, text: str) -> str:
    """Return the text. Raises InvalidSyntax, which names `what`, if it cannot be stored."""
    if not is_storable(text):
        raise InvalidSyntax(
            f"{what} cannot contain NUL or bytes that are not UTF-8.", "Nothing was changed."
        )
    return text


def storable(text: str) -> str:
    r"""The text with an escape such as `\xe9` for each byte that cannot be stored."""
    return text if is_storable(text) else _NOT_STORABLE.sub(_escape, text)


def storable_data(data: Any) -> Any:
    """Apply `storable` to each text in dictionaries and lists that become JSON."""
    if isinstance(data, str):
        return storable(data)
    if isinstance(data, dict):
        return {storable_data(name): storable_data(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [storable_data(item) for item in data]
    return data


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    is_byte = code == 0 or 0xDC80 <= code <= 0xDCFF
    return f"\\x{code & 0xFF:02x}" if is_byte else f"\\u{code:04x}"
