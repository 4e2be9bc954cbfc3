"""Printing to a terminal. Control characters are shown, so that the terminal never obeys them."""

import codecs
import json
import logging
import sys
from collections.abc import Iterable
from typing import Any

from pitasker_core.base.text import visible


def say(text: str) -> None:
    """Print a text."""
    print(visible(text), flush=True)


def complain(text: str) -> None:
    """Print a text as an error."""
    print(visible(text), file=sys.stderr, flush=True)


def print_json(data: Any) -> None:
    """Print data as JSON. The json module escapes every control character except DEL."""
    print(json.dumps(data, indent=2).replace("\x7f", "\\u007f"), flush=True)


def print_bytes(parts: Iterable[bytes]) -> None:
    """Print foreign output: byte for byte, or as visible text on a terminal."""
    decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
    for part in parts:
        if sys.stdout.isatty():
            print(visible(decode(part)), end="", flush=True)
        else:
            sys.stdout.buffer.write(part)
            sys.stdout.buffer.flush()


class Formatter(logging.Formatter):
    """Log lines for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with its traceback if there is one."""
        return visible(super().format(record))
