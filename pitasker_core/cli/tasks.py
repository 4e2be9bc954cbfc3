import argparse
from collections.abc import Callable, Sequence
from typing import Any

from pitasker_core import tasks
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.base.text import on_one_line
from pitasker_core.cli.answer import NOT_YET, Answer, by_task
from pitasker_core.cli.command import ACTOR, Commands, Words, command, switch
from pitasker_core.crontab.schedule import describe, parse
from pitasker_core.crontab.understanding import Understanding
from pitasker_core.reports import doctor
from pitasker_core.reports.schedules import understand_here
from pitasker_core.server.answers import tasks as answers
from pitasker_core.server.answers.wire import as_json
from pitasker_core.sync.stop_managing import stop_managing
from pitasker_core.sync.store import OperationKind
from pitasker_core.tasks import Applied


def add_to(commands: Commands) -> None:
    add = command(commands, "add", _add)
    for field in ("name", "schedule", "command"):
        add.add_argument(field)
    add.add_argument("--paused", action="store_true")
    switch(add, "--database-only", "write no entry to the crontab")
    _add_optional_fields(add)

    edit = command(commands, "edit", _edit)
    edit.add_argument("task", type=int)
    for field in ("name", "schedule", "command"):
        edit.add_argument(f"--{field}")
    place = edit.add_mutually_exclusive_group()
    place.add_argument(
        "--system-managed",
        action="store_true",
        default=None,
        help="give it an entry in the crontab",
    )
    place.add_argument(
        "--database-only",
        action="store_false",
        dest="system_managed",
        default=None,
        help="remove its entry from the crontab",
    )
    _add_optional_fields(edit)

    for name, run in (
        ("pause", _pausing(True)),
        ("resume", _pausing(False)),
        ("remove", _remove),
        ("stop-managing", _stop_managing),
        ("undo-remove", _undo_remove),
    ):
        parser = command(commands, name, run)
        parser.add_argument("tasks", nargs="+", type=int, metavar="TASK")


def _add_optional_fields(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--notes")
    parser.add_argument("--label", action="append", help="may be repeated")
    either = argparse.BooleanOptionalAction
    parser.add_argument("--record", action=either, help="record the output and result of its runs")
    parser.add_argument(
        "--timeout", type=int, metavar="SECONDS", help="end a recorded run after this; 0: never"
    )
    parser.add_argument("--overlap", action=either, help="let recorded runs overlap")
    parser.add_argument(
        "--catch-up", action=either, help="catch up on runs missed while the machine was off"
    )


def _add(environment: Environment, words: Words) -> Answer:
    meant = understand_here(environment, words.schedule)
    new = tasks.NewTask(
        words.name,
        words.schedule,
        words.command,
        system_managed=not words.database_only,
        paused=words.paused,
        notes=words.notes or "",
        labels=tuple(words.label or ()),
        **_run_fields(words),
    )
    done = tasks.create_all(environment, ACTOR, new.with_each(meant.entries))
    return _with_meaning(_applied(done, "added", environment), meant, meant.entries)


def _edit(environment: Environment, words: Words) -> Answer:
    given = {
        "name": words.name,
        "schedule": words.schedule,
        "command": words.command,
        "notes": words.notes,
        "labels": words.label,
        "system_managed": words.system_managed,
    }
    fields = {name: value for name, value in given.items() if value is not None}
    fields |= _run_fields(words)
    if not fields:
        raise InvalidSyntax(
            "No field to change was given.", "For instance: `edit 3 --schedule '0 4 * * *'`."
        )
    meant = None
    if words.schedule is not None:
        tag = tasks.get(environment, words.task).tag
        meant = understand_here(environment, words.schedule, tag)
        fields["schedule"] = meant.only_meaning or words.schedule
    changes_entry = fields.keys() & {"schedule", "command", "record_runs"}
    done = tasks.change(environment, ACTOR, words.task, **fields)
    answer = _applied(done, "changed", environment if changes_entry else None)
    return _with_meaning(answer, meant, (fields["schedule"],)) if meant else answer


def _with_meaning(answer: Answer, meant: Understanding, schedules: Sequence[str]) -> Answer:
    """Return the answer with the schedules that words were understood as."""
    if meant.is_schedule:
        return answer
    listed = " and ".join(f"{schedule} ({describe(parse(schedule))})" for schedule in schedules)
    lines = [f"“{meant.text}” is {listed}.", *meant.notes]
    lines += [f"Warning: {warning}" for warning in meant.warnings]
    text = "\n".join([answer.text, *map(on_one_line, lines)])
    data = {**answer.data, "understood": list(schedules)}
    return Answer(data, text, answer.in_order)


def _run_fields(words: Words) -> dict[str, Any]:
    """Return the given fields of a task that control its runs."""
    fields: dict[str, Any] = {}
    if words.record is not None:
        fields["record_runs"] = words.record
    if words.timeout is not None:
        fields["timeout_seconds"] = words.timeout or None
    if words.overlap is not None:
        fields["no_overlap"] = not words.overlap
    if words.catch_up is not None:
        fields["catch_up"] = words.catch_up
    return fields


def _pausing(paused: bool) -> Callable[[Environment, Words], Answer]:
    def run(environment: Environment, words: Words) -> Answer:
        edits = [tasks.Edit(task, fields={"paused": paused}) for task in words.tasks]
        kind = OperationKind.PAUSE if paused else OperationKind.RESUME
        return _applied(tasks.apply(environment, ACTOR, edits, kind), f"{kind}d")

    return run


def _remove(environment: Environment, words: Words) -> Answer:
    answer = _applied(tasks.delete(environment, ACTOR, *words.tasks), "removed")
    hint = f"To undo: `./pitasker undo-remove {' '.join(map(str, words.tasks))}`."
    return Answer(answer.data, f"{answer.text}\n{hint}", answer.in_order)


def _stop_managing(environment: Environment, words: Words) -> Answer:
    chosen = [tasks.get(environment, task) for task in words.tasks]
    stop_managing(environment, ACTOR, words.tasks)
    lines = [f"task {task.id} no longer managed: {on_one_line(task.name)}" for task in chosen]
    return Answer({"tasks": [task.id for task in chosen]}, "\n".join(lines))


def _undo_remove(environment: Environment, words: Words) -> Answer:
    return _applied(tasks.undo_delete(environment, ACTOR, *words.tasks), "restored")


def _applied(done: Applied, verb: str, examined: Environment | None = None) -> Answer:
    """Return the answer to an edit. With an environment, the doctor examines the entries."""
    warnings = _warnings(examined, done) if examined else []
    lines = [f"task {task.id} {verb}: {on_one_line(task.name)}" for task in done.tasks]
    lines += [*by_task(done.failures), *by_task(done.notes)]
    conflicts = done.result.plan.conflicts if done.result else []
    if conflicts:
        lines.append("The crontab's entry was changed too: `./pitasker sync` shows the conflict.")
    if done.problem:
        lines.append(f"{NOT_YET} {done.problem.user_message}")
    lines += [f"Warning: {on_one_line(warning)}" for warning in warnings]
    in_order = not (done.failures or done.problem or conflicts)
    data = {**as_json(answers.Applied.of(done)), **({"warnings": warnings} if examined else {})}
    return Answer(data, "\n".join(lines), in_order)


def _warnings(environment: Environment, done: Applied) -> list[str]:
    """Return the doctor's warnings about saved tasks, as the task's form shows them."""
    warnings: list[str] = []
    for task in done.tasks:
        findings = doctor.examine_draft(environment, task.schedule, task.command, task.tag)
        warnings += [str(finding.sentence) for finding in findings]
    return warnings
