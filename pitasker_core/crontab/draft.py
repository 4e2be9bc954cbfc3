"""Change single entries of a crontab: no other byte changes, and what is written reads back."""

from dataclasses import replace
from typing import Any

from pitasker_core.base.errors import NotFound
from pitasker_core.crontab.document import (
    Comment,
    Document,
    Entry,
    Line,
    check_name,
    parse_line,
    split_stdin,
)
from pitasker_core.crontab.entry_spec import (
    EntrySpec,
    Layout,
    layout_of,
    render_entry,
    says,
    spec_of,
)
from pitasker_core.crontab.rejection import Rejection, refuse


class Draft:
    """Changes to a crontab, collected one by one and made at once by `done`.

    Indexes are those of the lines before any change. A change that is refused has no effect.
    Changes of an entry raise NotFound when there is no entry at the index.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._changed: dict[int, Line | None] = {}
        self._above: dict[int, list[Line]] = {}
        """New lines, by the index of the line below them."""

    def done(self) -> Document:
        """Return the document with the changes; the same object if there are none."""
        if not self._changed and not self._above:
            return self._document
        old = self._document.lines
        lines: list[Line] = []
        start = 0
        for index in sorted(self._changed.keys() | self._above.keys()):
            lines += old[start:index]
            above = self._above.get(index, [])
            if above and lines and not lines[-1].raw.endswith("\n"):
                lines[-1] = parse_line(lines[-1].raw + "\n", self._document.dialect)
            lines += above
            if index < len(old) and (line := self._changed.get(index, old[index])):
                lines.append(line)
            start = index + 1
        lines += old[start:]
        return Document(tuple(lines), self._document.dialect)

    def add(
        self,
        spec: EntrySpec,
        *,
        above: int | None = None,
        like: Entry | None = None,
        waiting_comment: str | None = None,
    ) -> list[Rejection]:
        """Write a new entry under its name as a comment, or return why it cannot be written.

        It stands at the end: an environment line acts on the lines below it, so a place further up
        could change the environment of this entry or of another. An entry that comes back gets the
        place above the line at `above`, and the layout of `like`, the entry as it was. If the
        comment above that place still is `waiting_comment`, it becomes the name.
        """
        if like is None:
            layout = Layout(prefix="# " if spec.paused else "")
        else:
            layout = replace(layout_of(like, paused=spec.paused), ending="\n")
        entry = render_entry(spec, layout, self._document, above)
        if isinstance(entry, list):
            return entry
        index = len(self._document.lines) if above is None else above
        lines = self._above.setdefault(index, [])
        if spec.name is not None:
            if waiting_comment is not None and self._comment_above(index) == waiting_comment:
                self._changed[index - 1] = Comment(f"# {spec.name}\n")
            else:
                lines.append(Comment(f"# {spec.name}\n"))
        lines.append(entry)
        return []

    def put(self, spec: EntrySpec, index: int, *, comment: str | None = None) -> list[Rejection]:
        """Make the entry at an index match a spec, or return why that is impossible.

        An entry that matches already keeps its bytes. `comment` is the name that PiTasker wrote
        above the entry. The name replaces it if it is still there.
        """
        entry = self._entry(index)
        if says(entry, spec):
            rejection = None if spec.name is None else check_name(spec.name)
            rejections = [rejection] if rejection else []
        else:
            rejections = self.rewrite(spec, index)
        if not rejections and comment is not None and self._comment_above(index) == comment:
            self._changed[index - 1] = Comment(f"# {spec.name}\n")
        return rejections

    def change(self, index: int, **fields: Any) -> "Draft":
        """Write the entry at an index again, with other fields of its EntrySpec.

        Raises InvalidSyntax.
        """
        refuse(self.rewrite(replace(self.spec(index), **fields), index))
        return self

    def spec(self, index: int) -> EntrySpec:
        """Return what the entry at an index says."""
        return spec_of(self._entry(index))

    def rewrite(self, spec: EntrySpec, index: int, layout: Layout | None = None) -> list[Rejection]:
        """Write the line of an entry again, or return why it cannot be written."""
        layout = layout or layout_of(self._entry(index), paused=spec.paused)
        entry = render_entry(spec, layout, self._document, index)
        if isinstance(entry, list):
            return entry
        self._changed[index] = entry
        return []

    def remove(self, index: int, comment: str | None = None) -> "Draft":
        """Remove the entry at an index, and the comment above it if it says `comment`."""
        self._entry(index)
        if comment is not None and self._comment_above(index) == comment:
            self._changed[index - 1] = None
        self._changed[index] = None
        return self

    def untag(self, index: int) -> "Draft":
        """Remove the tag and the recorder of an entry. A paused entry becomes a comment.

        Words after the tag stay a comment of the shell.
        """
        entry = self._entry(index)
        proper, stdin = split_stdin(entry.command)
        words = entry.words if entry.words.strip() else ""
        if words and not words.lstrip(" \t").startswith("#"):
            words = f" #{words}"
        margin = entry.prefix + entry.indent + entry.schedule + entry.gap
        raw = margin + proper + words + stdin + entry.ending
        self._changed[index] = parse_line(raw, self._document.dialect)
        return self

    def words_to_comment(self, index: int) -> "Draft":
        """Move the words after the tag of an entry to a comment above the entry and its name."""
        entry = self._entry(index)
        words = entry.words.strip()
        layout = replace(layout_of(entry, paused=entry.paused), words="")
        refuse(self.rewrite(spec_of(entry), index, layout))
        above = index - 1 if isinstance(self._line(index - 1), Comment) else index
        self._above.setdefault(above, []).append(
            Comment(f"{words}\n" if words.startswith("#") else f"# {words}\n")
        )
        return self

    def words_to_command(self, index: int) -> "Draft":
        """Move the words after the tag of an entry into its command."""
        entry = self._entry(index)
        proper, stdin = split_stdin(entry.command)
        words = entry.words.strip()
        command = f"{proper} {words}" if proper else words
        layout = replace(layout_of(entry, paused=entry.paused), words="")
        refuse(self.rewrite(replace(spec_of(entry), command=command + stdin), index, layout))
        return self

    def _line(self, index: int) -> Line | None:
        if index in self._changed:
            return self._changed[index]
        return self._document.lines[index] if 0 <= index < len(self._document.lines) else None

    def _entry(self, index: int) -> Entry:
        line = self._line(index)
        if not isinstance(line, Entry):
            raise NotFound(f"There is no entry in line {index + 1} of the crontab.")
        return line

    def _comment_above(self, index: int) -> str | None:
        line = self._line(index - 1)
        return line.text if isinstance(line, Comment) else None
