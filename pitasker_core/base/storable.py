"""Text as the database can keep it. Pure.

PostgreSQL keeps neither NUL nor half of a surrogate pair, as which a byte that is not UTF-8 stands
in a crontab's text (see `document.decode`). Snapshots hold the exact bytes; everywhere else such a
character is written as the byte that it stands for.
"""

import re
from typing import Any

from pitasker_core.base.errors import InvalidSyntax

_UNKEPT = re.compile("[\0\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Whether the database keeps this text as it is."""
    return _UNKEPT.search(text) is None


def check_storable(what: str, text: str) -> str:
    """The text, if the database keeps it as it is; else InvalidSyntax, which says what it is."""
    if not is_storable(text):
        raise InvalidSyntax(
            f"{what} cannot contain NUL or bytes that are not UTF-8.", "Nothing was changed."
        )
    return text


def storable(text: str) -> str:
    r"""The text with `\xe9` for a byte that the database cannot keep."""
    return text if is_storable(text) else _UNKEPT.sub(_written, text)


def storable_data(data: Any) -> Any:
    """The same for every text in dictionaries and lists, as they become JSON."""
    if isinstance(data, str):
        return storable(data)
    if isinstance(data, dict):
        return {storable_data(name): storable_data(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [storable_data(item) for item in data]
    return data


def _written(match: re.Match[str]) -> str:
    code = ord(match[0])
    is_byte = code == 0 or 0xDC80 <= code <= 0xDCFF
    return f"\\x{code & 0xFF:02x}" if is_byte else f"\\u{code:04x}"
