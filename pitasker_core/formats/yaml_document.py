"""YAML with the line of each value, as plain data and nothing else. Pure.

Built from the parser's events, never by a loader: tags cannot make objects, and anchors cannot
make a small file a large document.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from pitasker_core.base.errors import ParseError
from pitasker_core.formats.node import DEEPEST, MOST_ITEMS, MOST_NODES, Node, Plain


def read_yaml(text: str) -> Node:
    """The document of a text. Raises ParseError with the line."""
    import yaml  # late: most commands need none of it, and it takes 80 ms

    # The parser in C where the wheel has it: ten times as fast.
    parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _document(_counted(yaml.parse(text, Loader=parser)))
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else None
        raise _error(problem.problem or "cannot be read", line) from None
    except yaml.reader.ReaderError as problem:
        line = text.count("\n", 0, problem.position) + 1
        raise _error("there is a character that YAML does not allow", line) from None


def write_yaml(data: Any) -> str:
    """Plain data as YAML that reads back as it."""
    import yaml

    written: str = yaml.dump(
        data, Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=10_000
    )
    return written


@cache
def _dumper() -> Any:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes the rarer line ends as escapes."""

    def represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        # PyYAML writes these three as they are in single quotes, and a reader makes blanks of them.
        style = '"' if set(text) & set("\x85\u2028\u2029") else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, represent_text)
    return Dumper


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
    if _is(next(events), "StreamEndEvent"):
        raise ParseError("The file is empty.")
    node = _node(next(events), events, 0)
    next(events)  # the end of the document
    after = next(events)
    if not _is(after, "StreamEndEvent"):
        raise _error("there is a second document", _line(after))
    return node


def _is(event: Any, kind: str) -> bool:
    return type(event).__name__ == kind


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1


def _node(event: Any, events: Iterator[Any], depth: int) -> Node:
    line = _line(event)
    if _is(event, "AliasEvent") or event.anchor is not None:
        raise _error("anchors and aliases are not read", line)
    if event.tag is not None:
        raise _error("tags are not read", line)
    if depth > DEEPEST:
        raise _error("lists and mappings are nested too deeply", line)
    if _is(event, "ScalarEvent"):
        # An empty style is that of a scalar without quotes.
        return Node(str(event.value) if event.style else Plain(event.value), line)
    if _is(event, "SequenceStartEvent"):
        return Node(_items(events, depth), line)
    return Node(_pairs(events, depth), line)


def _items(events: Iterator[Any], depth: int) -> list[Node]:
    result: list[Node] = []
    while not _is(event := next(events), "SequenceEndEvent"):
        result.append(_node(event, events, depth + 1))
        _check_size(result, event)
    return result


def _pairs(events: Iterator[Any], depth: int) -> dict[str, Node]:
    result: dict[str, Node] = {}
    while not _is(event := next(events), "MappingEndEvent"):
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
