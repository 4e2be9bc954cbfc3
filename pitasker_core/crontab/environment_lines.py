"""The environment lines of a crontab: which act on an entry, and how to edit them. Pure."""

from dataclasses import replace

from pitasker_core.base.errors import InvalidSyntax, NotFound
from pitasker_core.crontab.document import Document, Entry, EnvironmentLine, parse_line


def lines_for(document: Document, index: int) -> list[tuple[int, EnvironmentLine]]:
    """Return the environment lines in force for the entry at an index, each with its own index.

    A line acts on the entries below it. Of two lines with one name the later one counts
    (crontab(5)).
    """
    lines: dict[str, tuple[int, EnvironmentLine]] = {}
    for at, line in enumerate(document.lines[:index]):
        if isinstance(line, EnvironmentLine):
            lines[line.name] = (at, line)
    return sorted(lines.values(), key=lambda pair: pair[0])


def count_entries(document: Document, index: int) -> int:
    """Return the number of active entries that the environment line at an index acts on."""
    own = _line(document, index)
    count = 0
    for line in document.lines[index + 1 :]:
        if isinstance(line, EnvironmentLine) and line.name == own.name:
            break
        count += isinstance(line, Entry) and not line.paused
    return count


def change(document: Document, index: int, name: str, value: str) -> Document:
    """Return the document with another name or value in the environment line at an index.

    Raises InvalidSyntax when cron would not read them back.
    """
    ending = "\n" if _line(document, index).raw.endswith("\n") else ""
    raw = _render(name, value, document) + ending
    return _with_line(document, index, raw, replaces=True)


def add(document: Document, name: str, value: str) -> Document:
    """Return the document with a new environment line above all entries.

    It is below the environment lines at the top. Raises InvalidSyntax when cron would not read the
    name and value back.
    """
    first = next((i for i, _ in document.entries()), len(document.lines))
    above = [i for i in range(first) if isinstance(document.lines[i], EnvironmentLine)]
    index = above[-1] + 1 if above else 0
    if index and not document.lines[index - 1].raw.endswith("\n"):
        document = document.with_end()
    return _with_line(document, index, _render(name, value, document) + "\n", replaces=False)


def remove(document: Document, index: int) -> Document:
    """Return the document without the environment line at an index."""
    _line(document, index)
    return replace(document, lines=document.lines[:index] + document.lines[index + 1 :])


def _with_line(document: Document, index: int, raw: str, *, replaces: bool) -> Document:
    line = parse_line(raw, document.dialect)
    lines = (*document.lines[:index], line, *document.lines[index + replaces :])
    return replace(document, lines=lines)


def _line(document: Document, index: int) -> EnvironmentLine:
    line = document.lines[index] if 0 <= index < len(document.lines) else None
    if not isinstance(line, EnvironmentLine):
        raise NotFound(f"Line {index + 1} of the crontab is no environment line.")
    return line


def _render(name: str, value: str, document: Document) -> str:
    """Return the simplest text that cron reads as this name and value: bare, or in quotes."""
    # Every cron accepts an empty value in quotes. Some refuse it without quotes.
    bare = [f"{name}={value}"] if value else []
    for text in (*bare, f'{name}="{value}"', f"{name}='{value}'"):
        line = parse_line(text, document.dialect)
        is_equal = isinstance(line, EnvironmentLine) and (line.name, line.value) == (name, value)
        if is_equal and "\n" not in text and "\0" not in text:
            return text
    raise InvalidSyntax(
        f"Cron cannot read {name}={value} as an environment line.",
        "A name is one word; a value cannot have both kinds of quotes at its ends.",
    )
