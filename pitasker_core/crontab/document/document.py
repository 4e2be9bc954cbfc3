"""A crontab as an immutable document that gives back every byte it was made from.

`str(parse(text)) == text` for every text. A change re-renders its own line and no other. Lines that
are not understood are kept, with the reason.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from uuid import UUID

from pitasker_core.base.errors import NotFound
from pitasker_core.crontab.document.lines import (
    Blank,
    Comment,
    Entry,
    EnvironmentLine,
    Invalid,
    Line,
)
from pitasker_core.crontab.document.parsing import parse_line
from pitasker_core.crontab.schedule import Dialect

DEFAULT_SHELL = "/bin/sh"
"""The shell that cron uses without a SHELL line."""


@dataclass(frozen=True)
class Document:
    """A crontab. An index is that of a line; the number of a line is its index plus one."""

    lines: tuple[Line, ...]
    dialect: Dialect = Dialect.DEBIAN

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        return "".join([line.raw for line in self.lines])

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """Yield every entry with its index. Paused entries are included."""
        return iter(self._entries)

    @cached_property
    def _entries(self) -> list[tuple[int, Entry]]:
        return [(i, line) for i, line in enumerate(self.lines) if isinstance(line, Entry)]

    @cached_property
    def size(self) -> int:
        """The number of entries. Paused entries are included."""
        return len(self._entries)

    @cached_property
    def invalid_lines(self) -> list[int]:
        """The indexes of lines that cron would refuse."""
        return [i for i, line in enumerate(self.lines) if isinstance(line, Invalid)]

    @cached_property
    def by_tag(self) -> dict[UUID, list[int]]:
        """The indexes of the entries that carry each tag: several when the tag was copied."""
        indexes: dict[UUID, list[int]] = {}
        for index, entry in self.entries():
            if entry.tag:
                indexes.setdefault(entry.tag, []).append(index)
        return indexes

    @cached_property
    def mentions(self) -> dict[UUID, int]:
        """The indexes of lines that hold a tag but are not its entry.

        Somebody broke the entry, or the tag is in a comment.
        """
        indexes = {}
        for index, line in enumerate(self.lines):
            tag = None if isinstance(line, Blank) else line.tag
            if isinstance(line, Entry):
                tag = line.swallowed_tag
            if tag:
                indexes[tag] = index
        return indexes

    def entry(self, index: int) -> Entry:
        """Return the entry at an index. Raises NotFound when there is none."""
        line = self.lines[index] if 0 <= index < len(self.lines) else None
        if not isinstance(line, Entry):
            raise NotFound(f"There is no entry in line {index + 1} of the crontab.")
        return line

    def comment_above(self, index: int) -> str | None:
        """Return the text of the comment directly above a line, or None."""
        line = self.lines[index - 1] if index else None
        return line.text if isinstance(line, Comment) else None

    def environment(self, index: int | None = None) -> dict[str, str]:
        """Return the variables set above the entry at an index (None: the crontab's end)."""
        end = len(self.lines) if index is None else index
        return {line.name: line.value for at, line in self.environment_lines if at < end}

    @cached_property
    def environment_lines(self) -> list[tuple[int, EnvironmentLine]]:
        """The lines that set variables, with their indexes."""
        return [(i, line) for i, line in enumerate(self.lines) if isinstance(line, EnvironmentLine)]

    def shell(self, index: int | None = None) -> str:
        """Return the shell of the entry at an index (None: at the crontab's end)."""
        if not self.environment_lines:  # asked for each entry that is written
            return DEFAULT_SHELL
        return self.environment(index).get("SHELL", DEFAULT_SHELL)

    def with_end(self) -> "Document":
        """Return the document with a line end after a last line that cron refuses without one.

        cron accepts a comment without a line end, so that stays as it is.
        """
        if not self.lines or self.lines[-1].raw.endswith("\n"):
            return self
        if isinstance(self.lines[-1], Blank | Comment):
            return self
        last = parse_line(self.lines[-1].raw + "\n", self.dialect)
        return replace(self, lines=(*self.lines[:-1], last))


@lru_cache(maxsize=4)
def parse(text: str, dialect: Dialect = Dialect.DEBIAN) -> Document:
    """Read any text as a crontab. Never fails: a wrong line becomes an Invalid line.

    The same text is read several times by each sync, so the last documents are kept. They are
    immutable.
    """
    # Lines end at LF only: CR, form feed and U+2028 are ordinary bytes for cron.
    *whole, last = text.split("\n")
    raws = [line + "\n" for line in whole] + ([last] if last else [])
    return Document(tuple([parse_line(raw, dialect) for raw in raws]), dialect)
