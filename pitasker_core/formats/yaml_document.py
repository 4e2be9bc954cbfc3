"""YAML with the line of each value, as plain data and nothing else. Pure.

Built from the parser's events, never by a loader: tags cannot make objects, and anchors cannot
make a small file a large document.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from pitasker_core.base.errors import ParseError
from pitasker_core.formats.node import DEEPEST, MOST_ITEMS, MOST_NODES, Node, Plain

# The parser in C where the wheel has it: ten times as fast.
_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str) -> Node:
    """The document of a text. Raises ParseError with the line."""
    try:
        events = yaml.parse(text, Loader=_PARSER)
        return _document(_counted(events))
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else None
        raise _error(problem.problem or "cannot be read", line) from None
    except yaml.reader.ReaderError as problem:
        line = text.count("\n", 0, problem.position) + 1
        raise _error("there is a character that YAML does not allow", line) from None


def write_yaml(data: Any) -> str:
    """Plain data as YAML that reads back as it."""
    written: str = yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000
    )
    return written


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _error(message: str, line: int | None) -> ParseError:
    place = f"Line {line}: " if line else ""
    advice = "The file is not valid YAML."
    if "cannot start any token" in message or "alias" in message:
        advice = "Put a text that begins with @, *, & or % in quotes."
    return ParseError(f"{place}{message}.", advice)


def _counted(events: Iterable[Any]) -> Iterator[Any]:
    for count, event in enumerate(events):
        if count > 2 * MOST_NODES:
            raise _error(f"there are more than {MOST_NODES:,} values", _line(event))
        yield event


def _document(events: Iterator[Any]) -> Node:
    next(events)  # the start of the stream
    if isinstance(next(events), yaml.StreamEndEvent):
        raise ParseError("The file is empty.")
    node = _node(next(events), events, 0)
    next(events)  # the end of the document
    after = next(events)
    if not isinstance(after, yaml.StreamEndEvent):
        raise _error("there is a second document", _line(after))
    return node


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1


def _node(event: Any, events: Iterator[Any], depth: int) -> Node:
    line = _line(event)
    if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
        raise _error("anchors and aliases are not read", line)
    if event.tag is not None:
        raise _error("tags are not read", line)
    if depth > DEEPEST:
        raise _error("lists and mappings are nested too deeply", line)
    if isinstance(event, yaml.ScalarEvent):
        # An empty style is that of a scalar without quotes.
        return Node(str(event.value) if event.style else Plain(event.value), line)
    if isinstance(event, yaml.SequenceStartEvent):
        return Node(_items(events, depth), line)
    return Node(_pairs(events, depth), line)


def _items(events: Iterator[Any], depth: int) -> list[Node]:
    result: list[Node] = []
    while not isinstance(event := next(events), yaml.SequenceEndEvent):
        result.append(_node(event, events, depth + 1))
        _check_size(result, event)
    return result


def _pairs(events: Iterator[Any], depth: int) -> dict[str, Node]:
    result: dict[str, Node] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _node(event, events, depth + 1).value
        if not isinstance(key, str):
            raise _error("a key must be a text", _line(event))
        if key in result:
            raise _error(f"the key {key[:100]!r} stands twice", _line(event))
        result[str(key)] = _node(next(events), events, depth + 1)
        _check_size(result, event)
    return result


def _check_size(collection: "dict[str, Node] | list[Node]", event: Any) -> None:
    if len(collection) > MOST_ITEMS:
        raise _error(f"there are more than {MOST_ITEMS:,} items", _line(event))
