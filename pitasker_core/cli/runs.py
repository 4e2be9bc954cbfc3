"""Runs: start one, what ran, what it printed, and why a task did not run."""

from pitasker_core import tasks
from pitasker_core.base import terminal
from pitasker_core.base.clock import system_zone
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import NotFound
from pitasker_core.base.text import on_one_line
from pitasker_core.cli.answer import Answer, table
from pitasker_core.cli.command import ACTOR, Commands, Words, command
from pitasker_core.crontab.document import decode
from pitasker_core.runs import history, live_output, manual, spool
from pitasker_core.runs.why import Verdict, gathering
from pitasker_core.server.answers.reports import Run, Why
from pitasker_core.server.answers.wire import as_json

_SIGNS = {Verdict.OK: "✓", Verdict.BAD: "✗", Verdict.UNKNOWN: "?"}


def add_to(commands: Commands) -> None:
    """Declare these commands."""
    now = command(commands, "run", _run_now, "run a task now, in cron's environment")
    now.add_argument("task", type=int)
    now.add_argument(
        "--wait", action="store_true", help="show its output, and end with its exit code"
    )

    past = command(commands, "runs", _runs, "recent runs, newest first")
    past.add_argument("--task", type=int, help="of one task")
    past.add_argument("--failed", action="store_true", help="only failed runs")
    past.add_argument("--limit", type=int, default=50, help="how many (default: %(default)s)")

    printed = command(commands, "output", _output, "the output of a run, byte for byte")
    printed.add_argument("number", type=int, metavar="RUN")

    asked = command(commands, "why", _why, "why a task did not run, with every check")
    asked.add_argument("task", type=int)


def _run_now(environment: Environment, words: Words) -> Answer | int:
    task = tasks.get(environment, words.task)
    if task.deleted_at:
        raise NotFound(f"Task {task.id} was deleted.")
    name = manual.start(environment, ACTOR, task)
    if words.wait:
        return _wait(environment, words, name)
    spool.collect(environment)
    run = history.named(environment, name)
    number = run.id if run else None
    text = f"Started, run {number}. `./pitasker output {number}` has what it prints."
    return Answer({"name": name, "run": number}, text)


def _wait(environment: Environment, words: Words, name: str) -> int:
    """Show what a run prints until it has ended; its exit code, or 128 and its signal."""
    try:
        parts = live_output.follow(environment, name)
        terminal.print_bytes(part for part in parts if not words.json)
    except KeyboardInterrupt:
        terminal.complain("\npitasker: It goes on by itself.")
        return 130
    run = history.named(environment, name)
    if run is None:
        raise NotFound("The run was forgotten before it ended.")
    if words.json:
        terminal.print_json(as_json(Run.of(run)))
    if run.signal is not None:
        return 128 + run.signal
    return 1 if run.exit_code is None else run.exit_code


def _runs(environment: Environment, words: Words) -> Answer:
    spool.collect(environment)
    kind = "Failed" if words.failed else "All"
    found = history.runs(environment, words.limit, words.task, kind)
    zone = system_zone()
    rows = [
        (
            str(run.id),
            f"{run.started_at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            f"{run.duration.total_seconds():.1f} s" if run.duration is not None else "",
            run.source,
            run.task_name,
            run.result,
        )
        for run in found
    ]
    text = table(("run", "started", "took", "how", "task", "result"), rows)
    return Answer({"runs": [Run.of(run) for run in found]}, text if rows else "No runs.")


def _output(environment: Environment, words: Words) -> Answer | int:
    output = history.output(environment, words.number)
    if words.json:
        return Answer({"run": words.number, "output": decode(output)}, "")
    terminal.print_bytes([output])
    return 0


def _why(environment: Environment, words: Words) -> Answer:
    found = gathering.explain(environment, words.task)
    lines = [found.conclusion, ""]
    for check in found.checks:
        lines.append(f"{_SIGNS[check.verdict]} {check.name}: {check.evidence}")
        if check.verdict is not Verdict.OK:
            lines += [f"    {step}" for step in (check.advice, check.command) if step]
    return Answer(Why.of(found), "\n".join(on_one_line(line) for line in lines), found.in_order)
