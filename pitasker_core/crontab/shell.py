"""The steps of one line of shell: simple commands with their redirections. Pure."""

import re
from functools import lru_cache
from typing import NamedTuple

from pitasker_core.crontab.shell_words import Operator, Reader, Word


class Redirection(NamedTuple):
    """A redirection: `number` is the descriptor as written, or empty."""

    start: int
    number: str
    operator: str
    target: Word | None

    @property
    def writes(self) -> bool:
        """Whether the shell opens its target for writing."""
        if self.operator == ">&":  # `2>&1` copies a descriptor; bash's `>&FILE` writes a file
            literal = self.target.literal if self.target else None
            return literal is not None and not (literal.isdecimal() or literal == "-")
        return self.operator in (">", ">>", ">|", "<>", "&>", "&>>")


class Step(NamedTuple):
    """One simple command. `before` is the operator or reserved word that leads to it."""

    words: tuple[Word, ...]
    assignments: tuple[Word, ...]
    redirections: tuple[Redirection, ...]
    before: str
    after: str = ""

    @property
    def name(self) -> str | None:
        """The command's name, if it is literal."""
        return self.words[0].literal if self.words else None


class Script(NamedTuple):
    """One line of shell. It is not checked for syntax."""

    text: str
    tokens: tuple[Word | Operator, ...]
    words: tuple[Word, ...]
    """Every word, those of redirections and assignments included."""
    steps: tuple[Step, ...]
    comment: int | None = None
    """Where a comment begins that ends the line."""
    unfinished: str = ""
    """The quote, bracket or backslash that the end of the line leaves open."""
    is_compound: bool = False
    """Whether it has a `case`, a `for` or a function: then not every step is a command."""


_REDIRECTIONS = frozenset({"<", ">", ">>", "<<", "<<-", "<<<", "<&", ">&", "<>", ">|"})
_BOTH = frozenset({"&>", "&>>"})
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\[[^]]*\])?\+?=")
_LEADING = frozenset({"if", "then", "else", "elif", "while", "until", "do", "!", "{", "time"})
_ENDING = frozenset({"fi", "done", "esac", "}"})
_COMPOUND = frozenset({"case", "for", "select", "function", "esac"})


@lru_cache(maxsize=2048)
def read_script(text: str) -> Script:
    """Read one line of shell. Never fails."""
    reader = Reader(text)
    reader.read()
    tokens = tuple(reader.tokens)
    steps, is_compound = _steps(tokens)
    words = tuple(token for token in tokens if isinstance(token, Word))
    return Script(text, tokens, words, steps, reader.comment, reader.unfinished, is_compound)


def _steps(tokens: tuple[Word | Operator, ...]) -> tuple[tuple[Step, ...], bool]:
    """The simple commands, and whether some of them may be patterns or loop words instead."""
    steps: list[Step] = []
    gathered = _Gathered()
    is_compound = False
    pending: Operator | None = None
    for token in tokens:
        if isinstance(token, Word):
            if pending:
                gathered.redirect(pending, token)
                pending = None
                continue
            is_compound |= gathered.take(token)
        elif token.text in _REDIRECTIONS or token.text in _BOTH:
            if pending:
                gathered.redirect(pending, None)
            pending = token
        else:
            # A function's name, or an array.
            is_compound |= token.text == "(" and gathered.has_words
            if pending:
                gathered.redirect(pending, None)
                pending = None
            steps += gathered.finish(token.text)
    if pending:
        gathered.redirect(pending, None)
    steps += gathered.finish("")
    return tuple(steps), is_compound


class _Gathered:
    """What was read of a step."""

    def __init__(self) -> None:
        self.before = ""
        self._clear()

    def _clear(self) -> None:
        self.words: list[Word] = []
        self._assignments: list[Word] = []
        self._redirections: list[Redirection] = []

    @property
    def has_words(self) -> bool:
        """Whether a word or an assignment was read."""
        return bool(self.words or self._assignments)

    def take(self, word: Word) -> bool:
        """Take a word; returns whether it begins a construct whose words are no commands."""
        if not self.words:
            if word.is_bare and word.source in _LEADING | _ENDING:
                self.before = word.source if word.source in _LEADING else self.before
                return word.source == "esac"
            if _ASSIGNMENT.match(word.source):
                self._assignments.append(word)
                return False
        is_compound = not self.words and word.is_bare and word.source in _COMPOUND
        self.words.append(word)
        return is_compound

    def redirect(self, operator: Operator, target: Word | None) -> None:
        self._redirections.append(
            Redirection(operator.start, operator.number, operator.text, target)
        )

    def finish(self, operator: str) -> list[Step]:
        """The step that ends at an operator, if it holds anything."""
        step = Step(
            tuple(self.words),
            tuple(self._assignments),
            tuple(self._redirections),
            self.before,
            operator,
        )
        is_empty = not (self.words or self._assignments or self._redirections)
        self._clear()
        self.before = operator
        return [] if is_empty else [step]
