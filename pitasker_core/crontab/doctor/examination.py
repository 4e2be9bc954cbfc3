"""All findings of a crontab, by its lines. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from pitasker_core.base.storable import is_storable, storable
from pitasker_core.base.text import Code, Text
from pitasker_core.crontab.doctor import neighbours
from pitasker_core.crontab.doctor.catalogue import ENTRY_RULES, LINE_RULES, TEXT_RULES
from pitasker_core.crontab.doctor.facts import NOTHING_KNOWN, MachineFacts
from pitasker_core.crontab.doctor.finding import Finding, Fix, Problem, Severity
from pitasker_core.crontab.doctor.rule import LineContext
from pitasker_core.crontab.doctor.subject import NO_NEIGHBOURS, Neighbours, Subject
from pitasker_core.crontab.document import (
    Document,
    Entry,
    EnvironmentLine,
    Invalid,
    Line,
    parse_line,
)
from pitasker_core.crontab.execution import cron_variables
from pitasker_core.crontab.schedule import Dialect

_ENTRY_CHECKS = [(rule.code, rule.check) for rule in ENTRY_RULES]

_REPEATED = 3
"""From so many lines on a finding with the same words counts as repeated."""


@dataclass(frozen=True)
class Report:
    """The findings of a crontab in the order of its lines."""

    findings: tuple[Finding, ...]
    reaching: Mapping[int, tuple[int, ...]]
    """The lines of the environment lines that reach each entry, by its line; 1 is the first."""

    @cached_property
    def by_line(self) -> dict[int, tuple[Finding, ...]]:
        """The findings of each line that has some, the worst first."""
        lines: dict[int, list[Finding]] = {}
        for finding in self.findings:
            lines.setdefault(finding.line, []).append(finding)
        return {
            line: tuple(sorted(those, key=lambda finding: finding.severity.rank))
            for line, those in lines.items()
        }

    def of_entry(self, line: int) -> tuple[Finding, ...]:
        """The findings of an entry's line, then those of the environment lines that reach it."""
        above = (f for at in self.reaching.get(line, ()) for f in self.by_line.get(at, ()))
        return (*self.by_line.get(line, ()), *above)

    @cached_property
    def repeated(self) -> dict[tuple[str, str], tuple[int, ...]]:
        """The lines of findings that say the same of several lines, by rule and message.

        A page or a list may show such a finding once.
        """
        lines: dict[tuple[str, str], list[int]] = {}
        for finding in self.findings:
            if finding.fix is None:
                lines.setdefault((finding.rule, finding.message), []).append(finding.line)
        return {key: tuple(those) for key, those in lines.items() if len(those) >= _REPEATED}

    def count(self, severity: Severity) -> int:
        """How many findings have a severity."""
        return sum(finding.severity is severity for finding in self.findings)

    @property
    def worst(self) -> Severity | None:
        """The highest severity that was found."""
        return min(
            (finding.severity for finding in self.findings), key=lambda s: s.rank, default=None
        )

    def without(self, silenced: Collection[tuple[int, str]]) -> "Report":
        """The report without findings of some rules for some entries, given by line and code."""
        remaining = tuple(f for f in self.findings if (f.line, f.rule) not in silenced)
        return Report(remaining, self.reaching)


def examine(document: Document, facts: MachineFacts = NOTHING_KNOWN) -> Report:
    """Judge every line of a crontab. Paused entries are left out: cron does not run them."""
    around = neighbours.compare(_active(document))
    findings: list[Finding] = []
    reaching: dict[int, tuple[int, ...]] = {}
    for place in _places(document, facts):
        findings += _examine_line(document, place, facts, around)
        if isinstance(place.line, Entry) and not place.line.paused:
            reaching[place.index + 1] = place.above
    return Report(tuple(findings), reaching)


def examine_draft(
    document: Document,
    schedule: str,
    command: str,
    facts: MachineFacts = NOTHING_KNOWN,
    index: int | None = None,
) -> tuple[Finding, ...]:
    """The findings of an entry before it is written at an index, or at the end.

    Those of environment lines are included. The line of each finding is the entry's own, or that of
    the environment line.
    """
    document = draft_of(document, schedule, command, index)
    at = len(document.lines) - 1 if index is None else index
    around = neighbours.compare(_active(document), at)
    places = list(_places(document, facts))
    above = [places[number - 1] for number in places[at].above]
    return tuple(
        finding
        for place in (places[at], *above)
        for finding in _examine_line(document, place, facts, around)
    )


def examine_text_of(entry: Entry, dialect: Dialect) -> Iterator[Problem]:
    """What is wrong or odd about an entry's text alone: what a validation reports."""
    subject = make_subject(entry, {}, NOTHING_KNOWN, dialect)
    for rule in TEXT_RULES:
        if problem := rule.check(subject):
            yield problem


def make_subject(
    entry: Entry, settings: Mapping[str, str], facts: MachineFacts, dialect: Dialect
) -> Subject:
    """One entry as rules see it, with these environment lines and without its neighbours."""
    variables = cron_variables(settings, facts.user, facts.home, dialect)
    return Subject(entry, settings, variables, facts, dialect, NO_NEIGHBOURS)


def draft_of(document: Document, schedule: str, command: str, index: int | None) -> Document:
    """The crontab with a drafted entry at an index, or at the end."""
    draft = parse_line(f"{schedule} {command}\n", document.dialect)
    old = document.lines[index] if index is not None else None
    if isinstance(draft, Entry) and isinstance(old, Entry):
        draft = replace(draft, tag=old.tag, recording=old.recording)
    at = len(document.lines) if index is None else index
    lines = (*document.with_end().lines[:at], draft, *document.lines[at + 1 :])
    return replace(document, lines=lines)


def subjects(
    document: Document, facts: MachineFacts = NOTHING_KNOWN
) -> Iterator[tuple[int, Subject]]:
    """Every entry that cron runs, with its index, as rules see it."""
    for place in _places(document, facts):
        line, dialect = place.line, document.dialect
        if isinstance(line, Entry) and not line.paused:
            known = place.settings, place.variables, facts, dialect
            yield place.index, Subject(line, *known, NO_NEIGHBOURS)


@dataclass(frozen=True, slots=True)
class _Place:
    """A line with the environment lines above it, as values and by their numbers."""

    index: int
    line: Line
    settings: Mapping[str, str]
    variables: Mapping[str, str]
    above: tuple[int, ...]


def _places(document: Document, facts: MachineFacts) -> Iterator[_Place]:
    settings: dict[str, str] = {}
    variables = cron_variables(settings, facts.user, facts.home, document.dialect)
    numbers: dict[str, int] = {}
    above: tuple[int, ...] = ()
    for index, line in enumerate(document.lines):
        yield _Place(index, line, settings, variables, above)
        if isinstance(line, EnvironmentLine):
            # Copies: the places above keep what reached them.
            settings = {**settings, line.name: line.value}
            variables = cron_variables(settings, facts.user, facts.home, document.dialect)
            numbers = {**numbers, line.name: index + 1}
            above = tuple(sorted(numbers.values()))


def _examine_line(
    document: Document, place: _Place, facts: MachineFacts, around: Mapping[int, Neighbours]
) -> Iterator[Finding]:
    line, dialect = place.line, document.dialect
    if isinstance(line, Entry) and not line.paused:
        beside = around[place.index]
        subject = Subject(line, place.settings, place.variables, facts, dialect, beside)
        for code, check in _ENTRY_CHECKS:
            if problem := check(subject):
                yield _finding(code, place.index + 1, problem)
    is_last = place.index == len(document.lines) - 1
    # An entry that is not the last line has nothing to do with these rules.
    if isinstance(line, EnvironmentLine | Invalid) or is_last:
        context = LineContext(place.settings, facts, dialect, is_last)
        for line_rule in LINE_RULES:
            if problem := line_rule.check(line, context):
                yield _finding(line_rule.code, place.index + 1, problem)


def _active(document: Document) -> list[tuple[int, Entry, bool]]:
    invalid = frozenset(document.invalid_lines)
    return [
        (index, entry, index + 1 in invalid)
        for index, entry in document.entries()
        if not entry.paused
    ]


def _finding(code: str, line: int, problem: Problem) -> Finding:
    """A finding whose texts a page, JSON and the database can hold, also of foreign bytes."""
    texts = problem.message, problem.evidence, problem.advice, problem.terminal
    if problem.fix is None and is_storable("".join(texts)):
        return Finding(code, line, problem.severity, *texts)
    message, evidence, advice, terminal = map(_storable, texts)
    fix = _storable_fix(problem.fix)
    return Finding(code, line, problem.severity, message, evidence, advice, terminal, fix)


def _storable(text: str) -> str:
    if is_storable(text):
        return text
    if isinstance(text, Text):
        parts = (
            Code(storable(part)) if isinstance(part, Code) else storable(part)
            for part in text.parts
        )
        return Text(*parts)
    return storable(text)


def _storable_fix(fix: Fix | None) -> Fix | None:
    """The fix, unless a page could not hold its text: it would change the foreign bytes."""
    texts = (fix.schedule, fix.command, fix.value) if fix else ()
    return fix if all(text is None or is_storable(text) for text in texts) else None
