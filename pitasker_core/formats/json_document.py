"""JSON with the line of each value, and with limits. Pure.

Python's own reader decodes the scalars. The structure is read here, because the library gives no
positions, keeps the last of two equal keys, and ends a deep document by a RecursionError.
"""

import json
import re
from bisect import bisect_right

from pitasker_core.base.errors import ParseError
from pitasker_core.formats.node import DEEPEST, MOST_ITEMS, MOST_NODES, Node


def read_json(text: str) -> Node:
    """The document of a text. Raises ParseError with the line."""
    reader = _Reader(text)
    node, end = reader.value(reader.skip(0), 0)
    if reader.skip(end) < len(text):
        raise reader.error("there is more text behind the end", reader.skip(end))
    return node


class _Reader:
    _BLANKS = re.compile(r"[ \t\n\r]*")

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._count = 0
        self._decoder = json.JSONDecoder(parse_constant=_refuse_constant)

    def skip(self, at: int) -> int:
        """Where the next character stands that is no blank."""
        match = self._BLANKS.match(self._text, at)
        return match.end() if match else at

    def error(self, message: str, at: int) -> ParseError:
        return ParseError(f"Line {self._line(at)}: {message}.", "The file is not valid JSON.")

    def _line(self, at: int) -> int:
        return bisect_right(self._starts, at)

    def value(self, at: int, depth: int) -> tuple[Node, int]:
        """The value that begins at a place, and where it ends."""
        if depth > DEEPEST:
            raise self.error("lists and objects are nested too deeply", at)
        self._count += 1
        if self._count > MOST_NODES:
            raise self.error(f"there are more than {MOST_NODES:,} values", at)
        character = self._text[at : at + 1]
        if character == "{":
            return self._object(at, depth)
        if character == "[":
            return self._array(at, depth)
        scalar, end = self._scalar(at)
        return Node(scalar, self._line(at)), end

    def _scalar(self, at: int) -> tuple[str | int | float | bool | None, int]:
        try:
            scalar, end = self._decoder.raw_decode(self._text, at)
        except json.JSONDecodeError as problem:
            message = problem.msg[:1].lower() + problem.msg[1:]
            raise self.error(message, min(problem.pos, len(self._text))) from None
        except ValueError:
            raise self.error("this number cannot be read", at) from None
        return scalar, end

    def _object(self, start: int, depth: int) -> tuple[Node, int]:
        result: dict[str, Node] = {}
        at = self.skip(start + 1)
        while self._text[at : at + 1] != "}":
            if result:
                at = self._separator(at, ",")
            key, end = self._scalar(at)
            if not isinstance(key, str):
                raise self.error("a key must be a text in double quotes", at)
            if key in result:
                raise self.error(f"the key {key[:100]!r} stands twice", at)
            result[key], end = self.value(self._separator(self.skip(end), ":"), depth + 1)
            at = self.skip(end)
            self._check_size(result, at)
        return Node(result, self._line(start)), at + 1

    def _array(self, start: int, depth: int) -> tuple[Node, int]:
        result: list[Node] = []
        at = self.skip(start + 1)
        while self._text[at : at + 1] != "]":
            if result:
                at = self._separator(at, ",")
            node, end = self.value(at, depth + 1)
            result.append(node)
            at = self.skip(end)
            self._check_size(result, at)
        return Node(result, self._line(start)), at + 1

    def _separator(self, at: int, separator: str) -> int:
        if self._text[at : at + 1] != separator:
            raise self.error(f"there should be a {separator!r} here", at)
        return self.skip(at + 1)

    def _check_size(self, collection: "dict[str, Node] | list[Node]", at: int) -> None:
        if len(collection) > MOST_ITEMS:
            raise self.error(f"there are more than {MOST_ITEMS:,} items", at)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
