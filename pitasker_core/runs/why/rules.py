"""Everything that is looked at, in the order of causes, and what follows from it. Pure."""

from collections.abc import Callable, Sequence

from pitasker_core.base.clock import ago
from pitasker_core.runs.history import Run
from pitasker_core.runs.why import blockers, command, job_environment, last_run, pitfalls
from pitasker_core.runs.why.answer import Answer, Check, Verdict
from pitasker_core.runs.why.facts import LATE, Facts

_IN_ORDER = "Everything is in order"


def judge(facts: Facts) -> Answer:
    """Look at everything, in the order in which one thing keeps the next from mattering."""
    hindering = _all(facts, blockers.CHECKS)
    otherwise = _all(facts, pitfalls.CHECKS)
    started = _all(facts, last_run.STARTED)
    working = _all(facts, (*job_environment.CHECKS, *command.CHECKS))
    return Answer(
        _conclusion(facts, hindering, otherwise, started, working),
        (*hindering, *otherwise, *started, *working, last_run.ended(facts)),
    )


def _all(facts: Facts, looks: Sequence[Callable[[Facts], Check | None]]) -> list[Check]:
    return [check for look in looks if (check := look(facts))]


def _conclusion(
    facts: Facts,
    hindering: list[Check],
    otherwise: list[Check],
    started: list[Check],
    working: list[Check],
) -> str:
    hindrance, fault = _first_bad(hindering), _first_bad(working)
    surprise = _first_bad(otherwise)
    if facts.running and facts.running in (facts.ran, facts.ran_before_change):
        return _running(facts, facts.running, hindrance, fault or surprise)
    told = _last_time(facts, hindrance, surprise, _first_bad(started), fault)
    if (run := facts.newer_by_hand) and run.state == "failed":
        by_hand = f"Started by hand {facts.when(run.started_at)}, it ended badly: {run.result}."
        told = by_hand if told.startswith(_IN_ORDER) else f"{told} {by_hand}"
    return f"{_since(facts, facts.running)}. {told}" if facts.running else told


def _running(facts: Facts, run: Run, hindrance: str | None, trouble: str | None) -> str:
    """Of a task whose last run goes on."""
    now = f"{_since(facts, run)}."
    if facts.ran_before_change:
        now = f"{now[:-1]}, from before it was changed {facts.when(facts.changed_at)}."
    if hindrance:
        return f"{now} It will not be started again, because {hindrance}."
    return f"{now} What may be wrong with it: {trouble}." if trouble else now


def _since(facts: Facts, run: Run) -> str:
    by = ", started by hand" if run.source == "by hand" else ""
    return f"It has been running since {facts.time(run.started_at)}{by}"


def _last_time(
    facts: Facts,
    hindrance: str | None,
    surprise: str | None,
    not_started: str | None,
    fault: str | None,
) -> str:
    """What became of the last time that it was due."""
    ran, at, off = facts.ran, _at(facts), last_run.may_have_been_off(facts)
    if before := facts.ran_before_change:
        return _not_due_since(facts, before, hindrance, fault or surprise)
    if hindrance:
        return f"{at}, and does not run now, because {hindrance}." if at else _because(hindrance)
    if ran and ran.state == "failed":
        likely = f" Probably because {fault}." if fault else ""
        return f"{at}, and ended badly: {ran.result}.{likely}"
    if missed := last_run.missed(facts):
        return f"It did not run {missed}."
    if fault and at:
        return f"{at}, but it cannot do its work, because {fault}."
    if fault:
        return f"{_because(fault)} {off}." if off else _because(fault)
    if not_started:
        if off and facts.due:
            return f"It did not run {facts.when(facts.due)}. {off}."
        return f"It did not run, and nothing here says why: {not_started}."
    if surprise:
        return f"It does not run as you may expect, because {surprise}."
    soon = _soon(facts)
    if at:
        went = " and went well" if ran and ran.state == "success" else ""
        return f"{at}{went}: it runs next {soon}." if soon else f"{at}{went}."
    last = facts.last_start
    if last and last.state == "failed":
        return f"It ran last {facts.when(last.started_at)}, and ended badly: {last.result}."
    if facts.due and facts.now >= facts.due + LATE:
        told = (
            "Nothing is found that would keep it from running. Whether it did so "
            f"{facts.when(facts.due)} cannot be seen from here"
        )
        return f"{told}. {off}; it runs next {soon}." if off else f"{told}; it runs next {soon}."
    return f"{_IN_ORDER}: it runs next {soon}."


def _at(facts: Facts) -> str:
    """That it ran when it was due last, if it did."""
    if not facts.started_at:
        return ""
    when = facts.when(facts.started_at)
    return f"It ran late (caught up {when})" if facts.caught_up else f"It did run {when}"


def _not_due_since(facts: Facts, last: Run, hindrance: str | None, trouble: str | None) -> str:
    """Of a task that ran as it was, and was not due yet as it is now."""
    went = f", and ended badly: {last.result}" if last.state == "failed" else ""
    ran = (
        f"It was not due since it was changed {facts.when(facts.changed_at)}. Its last run, "
        f"{facts.when(last.started_at)}, was before that{went}."
    )
    if hindrance:
        return f"{ran} It does not run now, because {hindrance}."
    if trouble:
        return f"{ran} What may be wrong with it: {trouble}."
    soon = _soon(facts)
    return f"{ran} It runs next {soon}." if soon else ran


def _because(reason: str) -> str:
    return f"It did not run because {reason}."


def _first_bad(checks: Sequence[Check]) -> str | None:
    """The evidence of the first that is bad, as a clause."""
    for check in checks:
        if check.verdict is Verdict.BAD:
            first, second = check.evidence[0], check.evidence[1:2]
            is_word = second.islower() or second == " "
            return (first.lower() if is_word else first) + check.evidence[1:].removesuffix(".")
    return None


def _soon(facts: Facts) -> str:
    if facts.meaning and facts.meaning.reboot:
        return "when the machine is started"
    if facts.meaning and facts.meaning.random:
        return "at a time that cron picks"
    return ago(facts.next, facts.now) if facts.next else ""
