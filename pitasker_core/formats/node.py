"""The values of a structured file, each with its line. Pure.

JSON says of which type a value is. An unquoted scalar of YAML and a cell of CSV do not: the field
decides, so that the name `no` stays a text and `08:30` does not become a number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pitasker_core.formats.record import LONGEST_TEXT

DEEPEST = 8
"""Levels of lists and mappings within each other."""

MOST_ITEMS = 2_000
"""Items of one list, or keys of one mapping."""


MOST_NODES = 100_000
"""Values of one document: each takes a hundred bytes or more."""


class Plain(str):
    """A scalar without quotes, which may be meant as a text, a number, true, false or null."""

    __slots__ = ()


Value: TypeAlias = "str | int | float | bool | list[Node] | dict[str, Node] | None"


@dataclass(frozen=True, slots=True)
class Node:
    """A value and the line on which it begins."""

    value: Value
    line: int | None


class NodeError(ValueError):
    """A value that is not what its place asks for."""

    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def mapping(node: Node, what: str, keys: frozenset[str]) -> dict[str, Node]:
    """The values of a mapping by key. Unknown keys are refused."""
    if not isinstance(node.value, dict):
        raise NodeError(f"{what} must be a mapping of keys to values", node.line)
    for key, value in node.value.items():
        if key not in keys:
            raise NodeError(f"{what} has no key {key[:100]!r}", value.line)
    return node.value


def free_mapping(node: Node, what: str) -> dict[str, Node]:
    """The values of a mapping whose keys are names."""
    if not isinstance(node.value, dict):
        raise NodeError(f"{what} must be a mapping of names to values", node.line)
    return node.value


def items(node: Node, what: str) -> list[Node]:
    """The items of a list."""
    if not isinstance(node.value, list):
        raise NodeError(f"{what} must be a list", node.line)
    return node.value


def text(node: Node, what: str, limit: int = LONGEST_TEXT) -> str:
    """A text."""
    if not isinstance(node.value, str):
        raise NodeError(f"{what} must be a text", node.line)
    if len(node.value) > limit:
        raise NodeError(f"{what} has more than {limit:,} characters", node.line)
    return str(node.value)


def texts(node: Node, what: str) -> tuple[str, ...]:
    """A list of texts."""
    return tuple(text(item, f"each of {what}") for item in items(node, what))


def flag(node: Node, what: str) -> bool:
    """True or false."""
    if isinstance(node.value, bool):
        return node.value
    if isinstance(node.value, Plain) and node.value.lower() in ("true", "false"):
        return node.value.lower() == "true"
    raise NodeError(f"{what} must be true or false", node.line)


def number(node: Node, what: str) -> int:
    """A whole number."""
    value = node.value
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, Plain) and value.removeprefix("-").isdecimal() and len(value) < 20:
        return int(value)
    raise NodeError(f"{what} must be a whole number", node.line)


def is_null(node: Node) -> bool:
    """Whether no value was given."""
    return node.value is None or (isinstance(node.value, Plain) and node.value in ("", "~", "null"))


def check_head(node: Node, values: Mapping[str, Node], name: str, version: int) -> None:
    """Raise NodeError unless a document names its format and the version that is read."""
    if missing := [key for key in ("format", "version") if key not in values]:
        raise NodeError(f"{missing[0]} is missing", node.line)
    if (other := text(values["format"], "format")) != name:
        raise NodeError(f"the format is {other[:100]!r}, not {name!r}", values["format"].line)
    if (own := number(values["version"], "version")) != version:
        raise NodeError(
            f"this is version {own} of the format, and only version {version} is read",
            values["version"].line,
        )
