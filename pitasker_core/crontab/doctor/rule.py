"""What a rule is: a check with a code, and the text that documents it."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pitasker_core.crontab.doctor.facts import MachineFacts
from pitasker_core.crontab.doctor.finding import Problem
from pitasker_core.crontab.doctor.subject import Subject
from pitasker_core.crontab.document import Line
from pitasker_core.crontab.schedule import Dialect


@dataclass(frozen=True, slots=True)
class LineContext:
    """What surrounds a line that is no entry."""

    settings: Mapping[str, str] = field(default_factory=dict)
    """The environment lines above it."""
    facts: MachineFacts = field(default_factory=MachineFacts)
    dialect: Dialect = Dialect.DEBIAN
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Documented:
    """How a rule is named and explained."""

    code: str
    """Stable: silences and programs name the rule by it."""
    title: str
    example: str
    """Lines of a crontab that the rule reports."""
    better: str
    """Lines that it does not report."""
    explanation: str


@dataclass(frozen=True, slots=True)
class EntryRule:
    """A rule about entries."""

    text: Documented
    check: Callable[[Subject], Problem | None]

    @property
    def code(self) -> str:
        """The rule's code."""
        return self.text.code


@dataclass(frozen=True, slots=True)
class LineRule:
    """A rule about the other lines: environment lines, and lines that cron refuses."""

    text: Documented
    check: Callable[[Line, LineContext], Problem | None]

    @property
    def code(self) -> str:
        """The rule's code."""
        return self.text.code


def entry_rule(
    code: str, title: str, *, example: str, better: str
) -> Callable[[Callable[[Subject], Problem | None]], EntryRule]:
    """Make a rule of a check; its docstring is the explanation in the documentation."""

    def decorate(check: Callable[[Subject], Problem | None]) -> EntryRule:
        return EntryRule(Documented(code, title, example, better, _explanation(check)), check)

    return decorate


def line_rule(
    code: str, title: str, *, example: str, better: str
) -> Callable[[Callable[[Line, LineContext], Problem | None]], LineRule]:
    """Make a rule of a check of lines that are no entries."""

    def decorate(check: Callable[[Line, LineContext], Problem | None]) -> LineRule:
        return LineRule(Documented(code, title, example, better, _explanation(check)), check)

    return decorate


def _explanation(check: Callable[..., Problem | None]) -> str:
    return inspect.getdoc(check) or ""
