"""What is printed: nothing in it is obeyed by a terminal, but shown."""

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
    """Print data for programs. JSON writes every control character as an escape but DEL."""
    print(json.dumps(data, indent=2).replace("\x7f", "\\u007f"), flush=True)


def print_bytes(parts: Iterable[bytes]) -> None:
    """Print what others wrote, byte for byte; on a terminal as a text, part by part."""
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
        """The line, and the trace below it if there is one."""
        return visible(super().format(record))
