"""The words and operators of one line of shell, each with its place in the text. Pure.

Token recognition and quoting follow POSIX.1-2017, XCU sections 2.2, 2.3 and 2.7, plus the operators
of bash. Nothing is expanded. The time is linear in the length of the text.
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What a part of a word is."""

    PLAIN = "plain"
    QUOTED = "quoted"
    """Literal text in quotes or behind a backslash."""
    VARIABLE = "variable"
    """`$NAME` or `${NAME}`; the part's text is the name."""
    OPAQUE = "opaque"
    """Any other expansion: its value is not known here."""


# Tuples: a crontab has many thousands of these, and a frozen dataclass takes three times as long.
class Part(NamedTuple):
    """A piece of a word."""

    kind: Kind
    text: str


class Word(NamedTuple):
    """One word. `text[start:end]` of the line is exactly its source."""

    start: int
    end: int
    source: str
    parts: tuple[Part, ...] = ()
    """The pieces of its source; none for a simple word."""
    is_simple: bool = False
    """Whether its source is its value: nothing in it is quoted or expanded."""

    @property
    def literal(self) -> str | None:
        """The word without its quotes; None when an expansion is part of it."""
        if self.is_simple:
            return self.source
        if any(part.kind in (Kind.VARIABLE, Kind.OPAQUE) for part in self.parts):
            return None
        return "".join(part.text for part in self.parts)

    @property
    def plain(self) -> str:
        """The characters that the shell reads outside quotes, without expansions."""
        if self.is_simple:
            return self.source
        return "".join(part.text for part in self.parts if part.kind is Kind.PLAIN)

    @property
    def is_bare(self) -> bool:
        """Whether no quote and no expansion is in it: only then it can be a reserved word."""
        return self.is_simple or all(part.kind is Kind.PLAIN for part in self.parts)

    def expanded(self, variables: Mapping[str, str]) -> str | None:
        """The word with `~` and these variables replaced; None when its value is not certain.

        HOME in `variables` is the value of `~`.
        """
        if self.is_simple:
            return self.source
        text = []
        for place, part in enumerate(self.parts):
            value: str | None = part.text
            if part.kind is Kind.OPAQUE or (part.kind is Kind.PLAIN and _GLOB.search(part.text)):
                return None
            if part.kind is Kind.VARIABLE:
                value = variables.get(part.text)
            elif part.kind is Kind.PLAIN and place == 0 and part.text[0] == "~":
                value = _tilde(part.text, variables)
            if value is None or (part.kind is Kind.VARIABLE and _SPLITS.search(value)):
                return None
            text.append(value)
        return "".join(text)


_GLOB = re.compile(r"[*?]|\[.+\]|\{[^{}]*(?:,|\.\.)[^{}]*\}")
_SPLITS = re.compile(r"[\s*?\[]")


def _tilde(text: str, variables: Mapping[str, str]) -> str | None:
    user, slash, rest = text[1:].partition("/")
    home = variables.get("HOME")
    return None if user or home is None else home + slash + rest


class Operator(NamedTuple):
    """A control operator, or a redirection without its target."""

    start: int
    end: int
    text: str
    number: str = ""


_BLANKS = re.compile(r"[ \t\n]+")
_PLAIN = re.compile(r"[^ \t\n'\"\\$`&|;<>()]+")
_SIMPLE_WORD = re.compile(
    r"[ \t\n]*([^ \t\n'\"\\$`&|;<>()*?\[{~#][^ \t\n'\"\\$`&|;<>()*?\[{~]*)(?![^ \t\n;&|<>()])"
)
"""A word whose source is its value, with the blanks before it. `#` begins a comment."""
_IN_DOUBLE = re.compile(r"[^\"\\$`]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_BRACED = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_OPERATOR = re.compile(
    r"&>>|&>|&&|\|\||\|&|;;&?|;&|<<<|<<-|<<|<&|<>|<\(|<|>>|>&|>\||>\(|>|[&|;()\n]"
)


class Reader:
    """Splits a text into words and operators. `read` never fails."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.tokens: list[Word | Operator] = []
        self.comment: int | None = None
        self.unfinished = ""
        self._parts: list[Part] = []

    def read(self) -> None:
        """Read the whole text."""
        text, size = self.text, len(self.text)
        while self.at < size:
            # Most words are simple, so they are read here without a call.
            if simple := _SIMPLE_WORD.match(text, self.at):
                start, self.at = simple.span(1)
                self.tokens.append(Word(start, self.at, simple[1], (), True))
            elif blanks := _BLANKS.match(text, self.at):
                self.at = blanks.end()
            elif text[self.at] == "#":
                self.comment = self.at
                return
            elif operator := _OPERATOR.match(text, self.at):
                self._take_operator(operator)
            else:
                self._take_word()

    def _take_operator(self, operator: re.Match[str]) -> None:
        number, start = "", operator.start()
        last = self.tokens[-1] if self.tokens else None
        # Digits directly before a redirection name the descriptor.
        if (
            isinstance(last, Word)
            and last.end == start
            and last.source.isdecimal()
            and operator[0][0] in "<>"
        ):
            self.tokens.pop()
            number, start = last.source, last.start
        self.tokens.append(Operator(start, operator.end(), operator[0], number))
        self.at = operator.end()

    def _take_word(self) -> None:
        start, self._parts = self.at, []
        text = self.text
        while self.at < len(text):
            character = text[self.at]
            if plain := _PLAIN.match(text, self.at):
                self._add(Kind.PLAIN, plain[0], plain.end())
            elif character == "'":
                self._take_single_quotes()
            elif character == '"':
                self._take_double_quotes()
            elif character == "\\":
                self._take_backslash()
            elif character in "$`":
                self._take_expansion()
            else:
                break
        self.tokens.append(Word(start, self.at, text[start : self.at], tuple(self._parts)))

    def _add(self, kind: Kind, text: str, end: int) -> None:
        self._parts.append(Part(kind, text))
        self.at = end

    def _take_single_quotes(self) -> None:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            self.unfinished, end = self.unfinished or "'", len(self.text)
        self._add(Kind.QUOTED, self.text[self.at + 1 : end], min(end + 1, len(self.text)))

    def _take_double_quotes(self) -> None:
        text = self.text
        self._add(Kind.QUOTED, "", self.at + 1)
        while self.at < len(text) and text[self.at] != '"':
            if literal := _IN_DOUBLE.match(text, self.at):
                self._add(Kind.QUOTED, literal[0], literal.end())
            elif text[self.at] == "\\":
                following = text[self.at + 1 : self.at + 2]
                text_part = following if following in ("$", "`", '"', "\\") else "\\" + following
                self._add(Kind.QUOTED, text_part, min(self.at + 2, len(text)))
            else:
                self._take_expansion()
        if self.at >= len(text):
            self.unfinished = self.unfinished or '"'
        self.at = min(self.at + 1, len(text))

    def _take_backslash(self) -> None:
        following = self.text[self.at + 1 : self.at + 2]
        if not following:
            self.unfinished = self.unfinished or "\\"
        self._add(Kind.QUOTED, following, self.at + 1 + len(following))

    def _take_expansion(self) -> None:
        text, start = self.text, self.at
        if text[start] == "`":
            end, kind, name = self._end_of_backquotes(start), Kind.OPAQUE, ""
        elif text.startswith("$(", start) or (braced := _BRACED.match(text, start + 1)) is None:
            kind, name = Kind.OPAQUE, ""
            if text.startswith(("$(", "${"), start):
                end = self._end_of_brackets(start + 1)
            elif plain := _NAME.match(text, start + 1):
                kind, name, end = Kind.VARIABLE, plain[0], plain.end()
            else:
                kind, name, end = Kind.PLAIN, "$", start + 1
        else:
            kind, name, end = Kind.VARIABLE, braced[1], braced.end()
        self._add(kind, name or text[start:end], end)

    def _end_of_backquotes(self, start: int) -> int:
        closing = re.compile(r"(?:[^`\\]|\\.)*`", re.DOTALL).match(self.text, start + 1)
        if closing is None:
            self.unfinished = self.unfinished or "`"
            return len(self.text)
        return closing.end()

    def _end_of_brackets(self, start: int) -> int:
        """Where `(…)` or `{…}` ends that begins at `start`; quotes and brackets inside count."""
        text, at = self.text, start
        expected: list[str] = []
        while at < len(text):
            character = text[at]
            quote = expected[-1] if expected and expected[-1] in "'\"" else ""
            if character == "\\" and quote != "'":
                at += 1
            elif expected and character == expected[-1]:
                expected.pop()
                if not expected:
                    return at + 1
            elif quote == "'":
                pass
            elif character in "({" and (not quote or text[at - 1] == "$"):
                expected.append(")" if character == "(" else "}")
            elif character in "'\"" and not quote:
                expected.append(character)
            at += 1
        self.unfinished = self.unfinished or text[start]
        return len(text)
