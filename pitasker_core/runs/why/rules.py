"""Run all checks in the order of causes, and draw a conclusion from them. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pitasker_core.base.clock import ago
from pitasker_core.runs.history import Run
from pitasker_core.runs.model import RunSource, RunState
from pitasker_core.runs.why import blockers, command, job_environment, last_run, pitfalls
from pitasker_core.runs.why.answer import Answer, Check, Verdict
from pitasker_core.runs.why.facts import LATE, Checks, Facts

_ALL_PASSED = "All checks passed"


def judge(facts: Facts) -> Answer:
    """Run all checks. An earlier problem can make later checks irrelevant."""
    blocking = _run(facts, blockers.CHECKS)
    surprising = _run(facts, pitfalls.CHECKS)
    started = _run(facts, last_run.STARTED)
    working = _run(facts, {**job_environment.CHECKS, **command.CHECKS})
    case = _Case(
        facts,
        blocker=_first_bad(blocking),
        pitfall=_first_bad(surprising),
        not_started=_first_bad(started),
        fault=_first_bad(working),
    )
    return Answer(
        _conclusion(case),
        (*blocking, *surprising, *started, *working, *_run(facts, last_run.ENDED)),
    )


def _run(facts: Facts, checks: Checks) -> list[Check]:
    results = {name: check(facts) for name, check in checks.items()}
    return [Check(name, *result) for name, result in results.items() if result]


@dataclass(frozen=True)
class _Case:
    """The facts, and the first problem of each group of checks, as a clause."""

    facts: Facts
    blocker: str | None
    """What keeps cron from starting it."""
    pitfall: str | None
    """What makes it run at another time, or another command."""
    not_started: str | None
    """That it was not started when it was due."""
    fault: str | None
    """What keeps its command from doing its work."""

    @property
    def started(self) -> str:
        """That it ran when it was last due, as a clause; empty if no start is known."""
        facts = self.facts
        if not facts.started_at:
            return ""
        when = facts.when(facts.started_at)
        return f"It ran late (caught up {when})" if facts.caught_up else f"It ran {when}"

    @property
    def maybe_off(self) -> str | None:
        """That the machine may have been off when it was due, as a clause."""
        return last_run.may_have_been_off(self.facts)

    @property
    def soon(self) -> str:
        """When it runs next, as an adverbial; empty if never."""
        facts = self.facts
        if facts.meaning and facts.meaning.reboot:
            return "when the machine starts"
        if facts.meaning and facts.meaning.random:
            return "at a random time"
        return ago(facts.next, facts.now) if facts.next else ""


def _conclusion(case: _Case) -> str:
    facts = case.facts
    if facts.running and facts.running in (facts.ran, facts.ran_before_change):
        return _running(case, facts.running)
    text = next(filter(None, (rule(case) for rule in _RULES)))
    if (run := facts.newer_by_hand) and run.state == RunState.FAILED:
        by_hand = f"Started by hand {facts.when(run.started_at)}, it failed: {run.result}."
        text = by_hand if text.startswith(_ALL_PASSED) else f"{text} {by_hand}"
    return f"{_since(facts, facts.running)}. {text}" if facts.running else text


def _running(case: _Case, run: Run) -> str:
    """The conclusion for a task whose last run is going on."""
    facts, problem = case.facts, case.fault or case.pitfall
    now = f"{_since(facts, run)}."
    if facts.ran_before_change:
        now = f"{now[:-1]}, from before it was changed {facts.when(facts.changed_at)}."
    if case.blocker:
        return f"{now} It will not be started again, because {case.blocker}."
    return f"{now} Possible problem: {problem}." if problem else now


def _since(facts: Facts, run: Run) -> str:
    by = ", started by hand" if run.source == RunSource.BY_HAND else ""
    return f"It has been running since {facts.time(run.started_at)}{by}"


def _not_due_since_change(case: _Case) -> str | None:
    facts, last = case.facts, case.facts.ran_before_change
    if last is None:
        return None
    result = f" and failed: {last.result}" if last.state == RunState.FAILED else ""
    text = (
        f"It has not been due since it was changed {facts.when(facts.changed_at)}. Its last run, "
        f"{facts.when(last.started_at)}, was before that{result}."
    )
    if case.blocker:
        return f"{text} It does not run now, because {case.blocker}."
    if problem := case.fault or case.pitfall:
        return f"{text} Possible problem: {problem}."
    return f"{text} It runs next {case.soon}." if case.soon else text


def _blocked(case: _Case) -> str | None:
    if not case.blocker:
        return None
    if case.started:
        return f"{case.started}, and does not run now, because {case.blocker}."
    return _because(case.blocker)


def _failed(case: _Case) -> str | None:
    run = case.facts.ran
    if not run or run.state != RunState.FAILED:
        return None
    cause = f" The probable cause: {case.fault}." if case.fault else ""
    return f"{case.started} and failed: {run.result}.{cause}"


def _missed(case: _Case) -> str | None:
    missed = last_run.missed(case.facts)
    return f"It did not run {missed}." if missed else None


def _faulty(case: _Case) -> str | None:
    if not case.fault:
        return None
    if case.started:
        return f"{case.started}, but it cannot do its work, because {case.fault}."
    because = _because(case.fault)
    return f"{because} {case.maybe_off}." if case.maybe_off else because


def _not_started(case: _Case) -> str | None:
    if not case.not_started:
        return None
    if case.maybe_off and case.facts.due:
        return f"It did not run {case.facts.when(case.facts.due)}. {case.maybe_off}."
    return f"It did not run, and no check found the reason: {case.not_started}."


def _surprising(case: _Case) -> str | None:
    return f"It does not run as you may expect, because {case.pitfall}." if case.pitfall else None


def _ran(case: _Case) -> str | None:
    if not case.started:
        return None
    run = case.facts.ran
    result = " and succeeded" if run and run.state == RunState.SUCCESS else ""
    text = f"{case.started}{result}"
    return f"{text}: it runs next {case.soon}." if case.soon else f"{text}."


def _failed_earlier(case: _Case) -> str | None:
    last = case.facts.last_start
    if not last or last.state != RunState.FAILED:
        return None
    return f"It last ran {case.facts.when(last.started_at)} and failed: {last.result}."


def _unseen(case: _Case) -> str | None:
    facts = case.facts
    if not facts.due or facts.now < facts.due + LATE:
        return None
    text = f"No problem was found. Whether it ran {facts.when(facts.due)} is unknown"
    off = f". {case.maybe_off}" if case.maybe_off else ""
    return f"{text}{off}; it runs next {case.soon}."


def _all_well(case: _Case) -> str:
    if case.facts.document is None:
        return "No problem was found, but the crontab cannot be read."
    return f"{_ALL_PASSED}: it runs next {case.soon}."


_RULES: Sequence[Callable[[_Case], str | None]] = (
    _not_due_since_change,
    _blocked,
    _failed,
    _missed,
    _faulty,
    _not_started,
    _surprising,
    _ran,
    _failed_earlier,
    _unseen,
    _all_well,
)
"""The first rule that applies gives the conclusion. The last one always applies."""


def _because(reason: str) -> str:
    return f"It did not run because {reason}."


def _first_bad(checks: Sequence[Check]) -> str | None:
    """The evidence of the first bad check, as a clause."""
    for check in checks:
        if check.verdict is Verdict.BAD:
            first, second = check.evidence[0], check.evidence[1:2]
            is_word = second.islower() or second == " "
            return (first.lower() if is_word else first) + check.evidence[1:].removesuffix(".")
    return None
