"""The settings of a crontab: which reach an entry, and how to change them. Pure."""

from dataclasses import replace

from pitasker_core.base.errors import InvalidSyntax, NotFound
from pitasker_core.crontab.document import Document, Entry, EnvironmentLine, parse_line


def reaching(crontab: Document, index: int) -> list[tuple[int, EnvironmentLine]]:
    """The settings in force for the entry at an index, each with its own index, in their order.

    A setting acts on the entries below it; of two with one name the later one counts (crontab(5)).
    """
    found: dict[str, tuple[int, EnvironmentLine]] = {}
    for at, line in enumerate(crontab.lines[:index]):
        if isinstance(line, EnvironmentLine):
            found[line.name] = (at, line)
    return sorted(found.values(), key=lambda pair: pair[0])


def reached(crontab: Document, index: int) -> int:
    """How many entries that are not paused the setting at an index reaches."""
    own = _setting(crontab, index)
    count = 0
    for line in crontab.lines[index + 1 :]:
        if isinstance(line, EnvironmentLine) and line.name == own.name:
            break
        count += isinstance(line, Entry) and not line.paused
    return count


def changed(crontab: Document, index: int, name: str, value: str) -> Document:
    """The crontab with another name or value in the setting at an index.

    Raises InvalidSyntax when cron would not read it back as such.
    """
    old = _setting(crontab, index)
    ending = "\n" if old.raw.endswith("\n") else ""
    return _with_line(crontab, index, _rendered(name, value, crontab) + ending, replaces=True)


def added(crontab: Document, name: str, value: str) -> Document:
    """The crontab with one more setting that reaches every entry, below those at the top.

    Raises InvalidSyntax when cron would not read it back as such.
    """
    first = next((i for i, _ in crontab.entries()), len(crontab.lines))
    above = [i for i, line in enumerate(crontab.lines[:first]) if isinstance(line, EnvironmentLine)]
    at = above[-1] + 1 if above else 0
    if at and not crontab.lines[at - 1].raw.endswith("\n"):
        crontab = crontab.with_end()
    return _with_line(crontab, at, _rendered(name, value, crontab) + "\n", replaces=False)


def removed(crontab: Document, index: int) -> Document:
    """The crontab without the setting at an index."""
    _setting(crontab, index)
    return replace(crontab, lines=crontab.lines[:index] + crontab.lines[index + 1 :])


def _with_line(crontab: Document, index: int, raw: str, *, replaces: bool) -> Document:
    line = parse_line(raw, crontab.dialect)
    return replace(
        crontab, lines=(*crontab.lines[:index], line, *crontab.lines[index + replaces :])
    )


def _setting(crontab: Document, index: int) -> EnvironmentLine:
    line = crontab.lines[index] if 0 <= index < len(crontab.lines) else None
    if not isinstance(line, EnvironmentLine):
        raise NotFound(f"There is no setting in line {index + 1} of the crontab.")
    return line


def _rendered(name: str, value: str, crontab: Document) -> str:
    """The plainest way to write a setting that cron reads as meant: bare, else in quotes."""
    # An empty value in quotes is one that every cron takes.
    bare = [f"{name}={value}"] if value else []
    for text in (*bare, f'{name}="{value}"', f"{name}='{value}'"):
        line = parse_line(text, crontab.dialect)
        fits = isinstance(line, EnvironmentLine) and (line.name, line.value) == (name, value)
        if fits and "\n" not in text and "\0" not in text:
            return text
    raise InvalidSyntax(
        f"Cron cannot read {name}={value} as a setting.",
        "A name is one word; a value cannot hold both kinds of quotes at its ends.",
    )
