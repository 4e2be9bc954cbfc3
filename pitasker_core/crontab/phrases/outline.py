"""What the clauses of a phrase have said so far, and the place of the next one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pitasker_core.crontab.phrases.reading import Kind as Answer
from pitasker_core.crontab.phrases.reading import Reading
from pitasker_core.crontab.phrases.tokens import END, Token
from pitasker_core.crontab.phrases.vocabulary import Kind

_MOST_QUESTIONS = 3
_MOST_SKIPPED = 6
_WORDS = (Kind.WORD, Kind.SIGN)

Clock = tuple[int, int, str | None]
"""Hour, minute, and "am", "pm", "24" (no question) or None where the text leaves it open."""


class Refused(Exception):
    """A phrase that no schedule says, with the answer."""

    def __init__(self, reason: str, usual_way: str = "") -> None:
        super().__init__(reason)
        self.reading = Reading(Answer.UNKNOWN, reason=reason, usual_way=usual_way)


@dataclass
class Window:
    """The part of the day in which something runs again and again."""

    start: Clock
    end: Clock


@dataclass
class Outline:
    """The parts of a schedule, as the clauses of one phrase name them."""

    decisions: dict[int, int] = field(default_factory=dict)
    """The meaning to take at each ambiguous place; the first where none is given."""
    questions: list[Sequence[str]] = field(default_factory=list)
    """The meanings to choose from at each ambiguous place."""
    notes: list[str] = field(default_factory=list)

    second_step: float | None = None
    minute_step: float | None = None
    hour_step: float | None = None
    stride: tuple[int, str] | None = None
    """Every so many days, weeks, months or years."""
    rate: tuple[int, str] | None = None
    """So many times an hour, a day, and so on."""
    periods: set[str] = field(default_factory=set)
    times: list[Clock] = field(default_factory=list)
    minutes: list[int] = field(default_factory=list)
    """Minutes past the hour."""
    hours: list[int] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    start: Clock | None = None
    part: str | None = None
    weekdays: set[int] = field(default_factory=set)
    days: set[int] = field(default_factory=set)
    months: set[int] = field(default_factory=set)
    nths: set[tuple[int, int]] = field(default_factory=set)
    """Which one in the month (-1: the last) of which weekday."""
    dates: list[dict[str, set[Any]]] = field(default_factory=list)
    """The same days, weekdays, months and `nths`, apart for each date: "25 December and 1 January"
    are two."""
    working_day: int | None = None
    """The first (1) or last (-1) from Monday to Friday."""
    last_day: bool = False
    has_exception: bool = False
    both: bool | None = None
    """Whether days and weekdays must both match; None as long as only one of them is named."""
    boot: bool = False
    once: str = ""
    place: str = ""

    clauses: list[tuple[str, int]] = field(default_factory=list, compare=False)
    """Whether dates or times were named, in turn, and where."""

    def has_times(self) -> bool:
        """Whether it says when, or how often, within the day."""
        steps = (self.minute_step, self.hour_step, self.rate)
        return bool(self.times or self.periods or self.windows or any(steps))

    def add(self, name: str, values: Iterable[Any]) -> None:
        """Take values into `days`, `weekdays`, `months` or `nths`.

        A name that comes again after another begins a second date.
        """
        chosen = set(values)
        getattr(self, name).update(chosen)
        date = self.dates[-1] if self.dates else {}
        if not self.dates or (name in date and name != list(date)[-1]):
            date = {}
            self.dates.append(date)
        date.setdefault(name, set()).update(chosen)

    def choose(self, *meanings: str) -> int:
        """Which of these meanings an ambiguous place has."""
        if len(self.questions) == _MOST_QUESTIONS:
            raise Refused("The text has too many meanings.")
        self.questions.append(meanings)
        return self.decisions.get(len(self.questions) - 1, 0)

    def note(self, text: str) -> None:
        """Say what was assumed."""
        if text not in self.notes:
            self.notes.append(text)


class Cursor:
    """A place in the tokens of a phrase."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.conjunction: str | None = None
        """The "and" or comma right before this clause, if any."""
        self.between = False
        """Whether "and" separates the ends of a range."""

    def peek(self, ahead: int = 0) -> Token:
        """The token at this place or behind it."""
        at = self.at + ahead
        return self.tokens[at] if 0 <= at < len(self.tokens) else END

    def take(self) -> Token:
        """The token at this place; go on behind it."""
        token = self.peek()
        self.at += 1
        return token

    def word(self, *lemmas: str) -> bool:
        """Go on behind one of these words or signs, if it is here."""
        if self.at >= len(self.tokens):
            return False
        token = self.tokens[self.at]
        if token.value in lemmas and token.kind in _WORDS:
            self.at += 1
            return True
        return False

    def words(self, *lemmas: str) -> bool:
        """Go on behind exactly this sequence, if it is here."""
        start = self.at
        if all(self.word(lemma) for lemma in lemmas):
            return True
        self.at = start
        return False

    def skip(self, *lemmas: str) -> None:
        """Go on behind any of these words, of which a sentence has only a few in a row."""
        for _ in range(_MOST_SKIPPED):
            if not self.word(*lemmas):
                break

    def unit(self, *units: str) -> str | None:
        """Go on behind one of these units (any, if none is named), if it is here."""
        token = self.peek()
        if token.kind is Kind.UNIT and (not units or token.value in units):
            self.at += 1
            return str(token.value)
        return None

    def kind(self, *kinds: Kind) -> Any:
        """The value of the token here, behind which to go on, if it is of such a kind."""
        if self.peek().kind in kinds:
            return self.take().value
        return None

    def separator(self) -> bool:
        """Go on behind a comma, "and", or both, with what may follow them."""
        start = self.at
        while self.word(",", "and", "or", "/"):
            pass
        if self.at == start:
            return False
        self.skip("filler", "at", "every", "a")
        return True

    def range_sign(self) -> bool:
        """Go on behind what stands between the ends of a range."""
        return self.word("-", "to") or (self.between and self.word("and"))

    def values(self, item: Callable[["Cursor"], int | None], low: int, high: int) -> list[int]:
        """A list of values and ranges, which may wrap round; `1, 3, 5, … 31` too."""
        values: list[int] = []
        while True:
            start = self.at
            if values and not self.separator():
                break
            if len(values) > 1 and self.word("…"):
                self.separator()
                last = item(self)
                step = values[-1] - values[-2]
                if last is None or step < 1:
                    self.at = start
                    break
                values += range(values[-1] + step, last + 1, step)
                continue
            value = item(self)
            if value is None:
                self.at = start
                break
            values += self._span(value, item, low, high)
        return values

    def _span(
        self, first: int, item: Callable[["Cursor"], int | None], low: int, high: int
    ) -> list[int]:
        start = self.at
        if self.range_sign():
            self.skip("filler", "at")
            last = item(self)
            if last is not None:
                self.between = False
                if first <= last:
                    return list(range(first, last + 1))
                return [*range(first, high + 1), *range(low, last + 1)]
        self.at = start
        return [first]
