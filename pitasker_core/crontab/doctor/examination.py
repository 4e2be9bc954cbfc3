"""All findings of a crontab, by its lines. Pure."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from pitasker_core.crontab.doctor import neighbours
from pitasker_core.crontab.doctor.catalogue import ENTRY_RULES, LINE_RULES
from pitasker_core.crontab.doctor.facts import NOTHING_KNOWN, MachineFacts
from pitasker_core.crontab.doctor.finding import Finding, Problem, Severity
from pitasker_core.crontab.doctor.rule import LineContext
from pitasker_core.crontab.doctor.subject import Subject
from pitasker_core.crontab.document import (
    Blank,
    Comment,
    Crontab,
    Entry,
    Line,
    Setting,
    parse_line,
)


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


def examine(document: Crontab, facts: MachineFacts = NOTHING_KNOWN) -> Report:
    """Judge every line of a crontab. Paused entries are left out: cron does not run them."""
    findings: list[Finding] = []
    reaching: dict[int, tuple[int, ...]] = {}
    around = neighbours.compare(_active(document))
    last = len(document.lines) - 1
    for index, line, settings, places in _with_settings(document):
        if isinstance(line, Entry) and not line.paused:
            reaching[index + 1] = places
            subject = Subject(line, settings, facts, document.dialect, around[index])
            findings += _of_entry(subject, index + 1)
        if not isinstance(line, Blank | Comment):
            context = LineContext(settings, facts, document.dialect, index == last)
            findings += _of_line(line, context, index + 1)
    return Report(tuple(findings), reaching)


def examine_draft(
    document: Crontab,
    schedule: str,
    command: str,
    facts: MachineFacts = NOTHING_KNOWN,
    index: int | None = None,
) -> tuple[Finding, ...]:
    """The findings of an entry before it is written at an index, or at the end.

    Those of environment lines are included. The line of each finding is the entry's own, or that of
    the environment line.
    """
    raw = parse_line(f"{schedule} {command}\n", document.dialect)
    old = document.lines[index] if index is not None else None
    if isinstance(raw, Entry) and isinstance(old, Entry):
        raw = replace(raw, tag=old.tag, recording=old.recording)
    at = len(document.lines) if index is None else index
    lines = (*document.with_end().lines[:at], raw, *document.lines[at + 1 :])
    return examine(replace(document, lines=lines), facts).of_entry(at + 1)


def subjects(
    document: Crontab, facts: MachineFacts = NOTHING_KNOWN
) -> Iterator[tuple[int, Subject]]:
    """Every entry that cron runs, with its index, as rules see it."""
    for index, line, settings, _ in _with_settings(document):
        if isinstance(line, Entry) and not line.paused:
            yield index, Subject(line, settings, facts, document.dialect)


def _with_settings(
    document: Crontab,
) -> Iterator[tuple[int, Line, Mapping[str, str], tuple[int, ...]]]:
    """Each line with the environment lines above it, and with their lines."""
    settings: dict[str, str] = {}
    places: dict[str, int] = {}
    lines: tuple[int, ...] = ()
    for index, line in enumerate(document.lines):
        yield index, line, settings, lines
        if isinstance(line, Setting):
            # A copy: the subjects above keep what reached them.
            settings = {**settings, line.name: line.value}
            places = {**places, line.name: index + 1}
            lines = tuple(sorted(places.values()))


def _active(document: Crontab) -> list[tuple[int, Entry, bool]]:
    invalid = frozenset(document.invalid_lines)
    return [
        (index, entry, index + 1 in invalid)
        for index, entry in document.entries()
        if not entry.paused
    ]


def _of_entry(subject: Subject, line: int) -> Iterator[Finding]:
    for rule in ENTRY_RULES:
        if problem := rule.check(subject):
            yield _finding(rule.code, line, problem)


def _of_line(line: Line, context: LineContext, number: int) -> Iterator[Finding]:
    for rule in LINE_RULES:
        if problem := rule.check(line, context):
            yield _finding(rule.code, number, problem)


def _finding(code: str, line: int, problem: Problem) -> Finding:
    return Finding(
        code,
        line,
        problem.severity,
        problem.message,
        problem.evidence,
        problem.advice,
        problem.terminal,
        problem.fix,
    )
