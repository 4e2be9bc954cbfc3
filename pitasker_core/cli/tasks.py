"""Commands of tasks: list, add, edit, pause, resume, remove, restore, stop managing."""

import argparse
from collections.abc import Callable
from typing import Any

from pitasker_core import tasks
from pitasker_core.base import terminal
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import InvalidSyntax, PiTaskerError
from pitasker_core.base.text import on_one_line
from pitasker_core.cli.answer import NOT_YET, Answer, table
from pitasker_core.cli.command import ACTOR, Commands, Words, command
from pitasker_core.reports import doctor
from pitasker_core.server.answers import tasks as answers
from pitasker_core.server.answers.wire import as_json
from pitasker_core.sync import service
from pitasker_core.sync.stop_managing import stop_managing
from pitasker_core.tasks import Applied


def add_to(commands: Commands) -> None:
    """Declare these commands."""
    listed = command(commands, "list", _list, "all tasks")
    listed.set_defaults(logs_to_file=False)
    listed.add_argument("--deleted", action="store_true", help="the deleted ones instead")

    add = command(commands, "add", _add, "add a task")
    for word in ("name", "schedule", "command"):
        add.add_argument(word)
    add.add_argument("--paused", action="store_true")
    add.add_argument("--database-only", action="store_true", help="not in the crontab for now")
    _add_what_may_be_left_out(add)

    change = command(commands, "edit", _edit, "change a task")
    change.add_argument("task", type=int)
    for word in ("name", "schedule", "command"):
        change.add_argument(f"--{word}")
    switch = change.add_mutually_exclusive_group()
    switch.add_argument(
        "--system-managed",
        action="store_true",
        default=None,
        help="give it an entry in the crontab",
    )
    switch.add_argument(
        "--database-only",
        action="store_false",
        dest="system_managed",
        default=None,
        help="take its entry out of the crontab",
    )
    _add_what_may_be_left_out(change)

    for name, act, text in (
        ("pause", _pausing(True), "pause tasks; their entries stay, commented out"),
        ("resume", _pausing(False), "resume paused tasks"),
        ("remove", _remove, "delete tasks and their entries"),
        (
            "stop-managing",
            _stop_managing,
            "delete tasks and leave their entries in the crontab, unmanaged",
        ),
        ("undo-remove", _undo_remove, "restore deleted tasks and their entries"),
    ):
        some = command(commands, name, act, text)
        some.add_argument("tasks", nargs="+", type=int, metavar="TASK")


def _add_what_may_be_left_out(one: argparse.ArgumentParser) -> None:
    one.add_argument("--notes")
    one.add_argument("--label", action="append", help="may be given several times")
    either = argparse.BooleanOptionalAction
    one.add_argument("--record", action=either, help="record the output and the result of its runs")
    one.add_argument(
        "--timeout", type=int, metavar="SECONDS", help="end a recorded run after this; 0: never"
    )
    one.add_argument(
        "--overlap", action=either, help="whether a recorded run may start beside another"
    )
    one.add_argument(
        "--catch-up",
        action=either,
        help="catch up on runs missed while the machine was off",
    )


def _list(environment: Environment, words: Words) -> Answer:
    found = tasks.listing(environment, deleted=words.deleted)
    rows = [
        (
            str(task.id),
            "deleted" if task.deleted_at else found.states[task.id].value,
            "paused" if task.paused else "",
            task.schedule,
            task.name,
            task.command,
        )
        for task in found.tasks
    ]
    text = table(("id", "state", "", "schedule", "name", "command"), rows)
    if not rows:
        text = "There are no tasks. `./pitasker import` makes tasks of the crontab's entries."
    if found.problem:
        terminal.complain(f"pitasker: {found.problem.user_message}")
    return Answer(answers.Tasks.of(found), text, found.problem is None)


def _add(environment: Environment, words: Words) -> Answer:
    return _applied(
        tasks.create(
            environment,
            ACTOR,
            tasks.NewTask(
                words.name,
                words.schedule,
                words.command,
                system_managed=not words.database_only,
                paused=words.paused,
                notes=words.notes or "",
                labels=tuple(words.label or ()),
                **_of_runs(words),
            ),
        ),
        "added",
        environment,
    )


def _edit(environment: Environment, words: Words) -> Answer:
    given = {
        "name": words.name,
        "schedule": words.schedule,
        "command": words.command,
        "notes": words.notes,
        "labels": words.label,
        "system_managed": words.system_managed,
    }
    fields = {name: value for name, value in given.items() if value is not None} | _of_runs(words)
    if not fields:
        raise InvalidSyntax(
            "Nothing to change was given.", "For instance: `edit 3 --schedule '0 4 * * *'`."
        )
    is_of_entry = fields.keys() & {"schedule", "command", "record_runs"}
    done = tasks.change(environment, ACTOR, words.task, **fields)
    return _applied(done, "changed", environment if is_of_entry else None)


def _of_runs(words: Words) -> dict[str, Any]:
    """What the command line says of a task's runs."""
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
        kind = "pause" if paused else "resume"
        return _applied(tasks.apply(environment, ACTOR, edits, kind), f"{kind}d")

    return run


def _remove(environment: Environment, words: Words) -> Answer:
    answer = _applied(tasks.delete(environment, ACTOR, *words.tasks), "removed")
    hint = f"`./pitasker undo-remove {' '.join(map(str, words.tasks))}` brings it back."
    return Answer(answer.data, f"{answer.text}\n{hint}", answer.in_order)


def _stop_managing(environment: Environment, words: Words) -> Answer:
    chosen = [tasks.get(environment, task) for task in words.tasks]
    stop_managing(environment, ACTOR, words.tasks)
    lines = [f"task {task.id} no longer managed: {on_one_line(task.name)}" for task in chosen]
    return Answer({"tasks": [task.id for task in chosen]}, "\n".join(lines))


def _undo_remove(environment: Environment, words: Words) -> Answer:
    return _applied(tasks.undo_delete(environment, ACTOR, *words.tasks), "brought back")


def _applied(done: Applied, what: str, advised: Environment | None = None) -> Answer:
    """The answer to an edit; with settings, also what a person should know of the entries."""
    warnings = _warnings(advised, done) if advised else []
    lines = [f"task {task.id} {what}: {on_one_line(task.name)}" for task in done.tasks]
    lines += [f"task {number}: {reason}" for number, reason in done.failures.items()]
    lines += [f"task {number}: {note}" for number, note in done.notes.items()]
    conflicts = done.result.plan.conflicts if done.result else []
    if conflicts:
        lines.append("The crontab's entry was changed by hand too: `./pitasker sync` shows how.")
    if done.problem:
        lines.append(f"{NOT_YET} {done.problem.user_message}")
    lines += [f"Warning: {on_one_line(warning)}" for warning in warnings]
    in_order = not (done.failures or done.problem or conflicts)
    data = {**as_json(answers.Applied.of(done)), **({"warnings": warnings} if advised else {})}
    return Answer(data, "\n".join(lines), in_order)


def _warnings(environment: Environment, done: Applied) -> list[str]:
    """What the dialog of a task warns of while a person types, of tasks that were saved."""
    try:
        _, document = service.read_crontab(environment)
    except PiTaskerError:
        document = None
    warnings: list[str] = []
    for task in done.tasks:
        lines = document.by_tag.get(task.tag, []) if document and task.tag else []
        index = next(iter(lines), None)
        findings = doctor.examine_draft(environment, task.schedule, task.command, index)
        warnings += [str(finding.sentence) for finding in findings]
    return warnings
