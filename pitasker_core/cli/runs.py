from pitasker_core import tasks
from pitasker_core.base import terminal
from pitasker_core.base.clock import system_zone
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import NotFound
from pitasker_core.base.text import on_one_line
from pitasker_core.cli.answer import Answer, raw, table
from pitasker_core.cli.command import ACTOR, Commands, Words, command, switch
from pitasker_core.crontab.document import decode
from pitasker_core.runs import history, live_output, manual, spool
from pitasker_core.runs.why import Verdict, gathering
from pitasker_core.server.answers.reports import Run, Why
from pitasker_core.server.answers.wire import as_json

_SIGNS = {Verdict.OK: "✓", Verdict.BAD: "✗", Verdict.UNKNOWN: "?"}


def add_to(commands: Commands) -> None:
    now = command(commands, "run", _run_now)
    now.add_argument("task", type=int)
    switch(now, "--wait", "print its output, and exit with its exit code")

    runs = command(commands, "runs", _runs)
    runs.add_argument("--task", type=int, help="only this task's runs")
    switch(runs, "--failed", "only failed runs")
    runs.add_argument("--limit", type=int, default=50, help="default: %(default)s")

    command(commands, "output", _output).add_argument("number", type=int, metavar="RUN")
    command(commands, "why", _why).add_argument("task", type=int)


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
    text = f"Started run {number}. `./pitasker output {number}` prints its output."
    return Answer({"name": name, "run": number}, text)


def _wait(environment: Environment, words: Words, name: str) -> int:
    """Print a run's output until it ends. Returns its exit code, or 128 + its signal."""
    try:
        parts = live_output.follow(environment, name)
        terminal.print_bytes(part for part in parts if not words.json)
    except KeyboardInterrupt:
        terminal.complain("\npitasker: The run continues.")
        return 130
    run = history.named(environment, name)
    if run is None:
        raise NotFound("The run was deleted before it ended.")
    if words.json:
        terminal.print_json(as_json(Run.of(run)))
    if run.signal is not None:
        return 128 + run.signal
    return 1 if run.exit_code is None else run.exit_code


def _runs(environment: Environment, words: Words) -> Answer:
    spool.collect(environment)
    kind = "Failed" if words.failed else "All"
    runs = history.runs(environment, words.limit, words.task, kind)
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
        for run in runs
    ]
    text = table(("run", "started", "took", "how", "task", "result"), rows)
    return Answer({"runs": [Run.of(run) for run in runs]}, text if rows else "No runs.")


def _output(environment: Environment, words: Words) -> Answer | int:
    output = history.output(environment, words.number)
    return raw(words, [output], {"run": words.number, "output": decode(output)})


def _why(environment: Environment, words: Words) -> Answer:
    explanation = gathering.explain(environment, words.task)
    lines = [explanation.conclusion, ""]
    for check in explanation.checks:
        lines.append(f"{_SIGNS[check.verdict]} {check.name}: {check.evidence}")
        if check.verdict is not Verdict.OK:
            lines += [f"    {step}" for step in (check.advice, check.command) if step]
    text = "\n".join(on_one_line(line) for line in lines)
    return Answer(Why.of(explanation), text, explanation.in_order)
