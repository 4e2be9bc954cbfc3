"""Check whether a task was started when it was last due, and its result. Pure."""

from datetime import timedelta

from pitasker_core.runs.exit_codes import in_words
from pitasker_core.runs.history import Run
from pitasker_core.runs.model import RunSource, RunState
from pitasker_core.runs.why.answer import Result, bad, good, log_command, unknown
from pitasker_core.runs.why.facts import LATE, Checks, Facts


def _not_missed(facts: Facts) -> Result:
    due = facts.due
    if when := missed(facts):
        return bad(
            f"It was missed {when}.",
            "Run it now. With “catch up” it runs automatically after the machine starts.",
        )
    if facts.started_at and facts.caught_up:
        when = _gap(facts) or (facts.when(due) if due else "before")
        caught_up = facts.when(facts.started_at)
        return unknown(f"It was missed {when}. It was caught up {caught_up}.")
    if off := may_have_been_off(facts):
        return unknown(f"{off}.", command="last -x shutdown reboot | head")
    return good("No run is known to have been missed.")


def may_have_been_off(facts: Facts) -> str | None:
    """A clause that the machine may have been off when it was due, if no start is known."""
    due, boot = facts.due, facts.booted_at
    if due is None or boot is None or due >= boot or facts.started_at:
        return None
    return f"The machine started only {facts.when(boot)}, and may have been off before"


def missed(facts: Facts) -> str | None:
    """When and why the last due time was missed; None if it was not."""
    return None if facts.started_at else _gap(facts)


def _gap(facts: Facts) -> str | None:
    run, due = facts.missed, facts.due
    if run is None or due is None:
        return None
    last = run.ended_at or run.started_at
    if last < due - timedelta(minutes=1):
        return None
    when = facts.when(last)
    if run.missed > 1:
        times = "once" if run.missed == 2 else f"{run.missed - 1} times"
        when = f"{when}, and {times} before that"
    return f"{when}: {run.note or 'cron did not start it'}"


def _start(facts: Facts) -> Result:
    due, started = facts.due, facts.started_at
    if started:
        if facts.caught_up:
            return good(f"PiTasker started it {facts.when(started)}, to catch up.")
        is_recorded = facts.ran is not None and facts.ran.source == RunSource.RECORDED
        how = "The recorder saw" if is_recorded else "Cron's log has"
        return good(f"{how} its start {facts.when(started)}.")
    if due is None:
        return unknown("It has not been due since it was changed.")
    if facts.now < due + LATE:
        return unknown(f"It was due {facts.when(due)}, less than two minutes ago.")
    if facts.log_is_seen or (facts.entry and facts.entry.recorder):
        seen = "cron's log has" if facts.log_is_seen else "the records of its runs have"
        return bad(
            f"It was due {facts.when(due)}, and {seen} no start of it.",
            "Check cron's log of that time.",
            log_command(facts.unit, facts.local(due)),
        )
    return unknown(
        f"It was due {facts.when(due)}; it is unknown whether cron started it. "
        f"{facts.log_problem}".rstrip(),
        facts.log_advice or "Check cron's log, or record its runs.",
        log_command(facts.unit, facts.local(due)),
    )


def _ended(facts: Facts) -> Result:
    """The result of the last run, by cron or by hand."""
    run = facts.newer_by_hand or facts.last_start
    if run is None:
        return unknown("No run is known.")
    by = "by hand " if run is facts.newer_by_hand else ""
    at = by + facts.when(run.started_at)
    if facts.ran_before_change and not by:
        return _before_change(facts, run)
    if run.state == RunState.FAILED:
        return bad(
            f"The run that started {at} failed: {_badly(run)}.", "Read its output on the page Runs."
        )
    if run.state == RunState.STARTED:
        return unknown(
            f"It was started {at}, but its result was not recorded.",
            "Record its runs to keep output and results.",
            f"./pitasker edit {facts.task.id} --record",
        )
    if run.state == RunState.RUNNING:
        return good(f"It has been running since {facts.time(run.started_at)}.")
    return good(f"The run that started {at} succeeded.")


def _badly(run: Run) -> str:
    words = in_words(run.state, run.exit_code, run.signal)
    return f"{words} ({run.note})" if run.note else words


def _before_change(facts: Facts, run: Run) -> Result:
    """The result of a run from before the last change of the task."""
    was = f"The last run started {facts.when(run.started_at)}, before the task was changed"
    if run.state == RunState.FAILED:
        return unknown(
            f"{was} and failed: {_badly(run)}.", "Its next run shows whether the change fixed it."
        )
    ends = {RunState.SUCCESS: " and succeeded", RunState.RUNNING: ", and is still running"}
    return good(f"{was}{ends.get(RunState(run.state), '')}.")


STARTED: Checks = {"Not missed": _not_missed, "Start": _start}
ENDED: Checks = {"Last result": _ended}
