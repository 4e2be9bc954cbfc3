from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import NotFound
from pitasker_core.base.text import on_one_line
from pitasker_core.cli.answer import NOT_YET, Answer, advising, by_task
from pitasker_core.cli.command import ACTOR, Commands, Words, command, switch
from pitasker_core.server.answers.sync import Exported, Imported, Synced, Validation
from pitasker_core.sync import importing, service, validation
from pitasker_core.sync.importing import ImportOptions
from pitasker_core.sync.merge import Choice, Policy
from pitasker_core.sync.service import Request, SyncResult

_WAYS_OUT = (
    "To accept the crontab: `sync --confirm`. Tasks without an entry become database-only. "
    "To write the database's entries again: `sync --take database`."
)


def add_to(commands: Commands) -> None:
    sync = command(commands, "sync", _sync)
    sync.add_argument("tasks", nargs="*", type=int, metavar="TASK", help="only these tasks")
    switch(sync, "--dry-run", "show the plan; change nothing")
    sync.add_argument(
        "--policy",
        choices=[policy.value for policy in Policy],
        default="ask",
        help="how to resolve conflicts (default: leave them)",
    )
    sync.add_argument(
        "--take",
        choices=["database", "crontab"],
        help="the side to keep wherever tasks and crontab differ",
    )
    switch(sync, "--confirm", "confirm a mass removal or an older crontab")

    command(commands, "validate", _validate)

    imports = command(commands, "import", _import)
    imports.add_argument(
        "lines", nargs="*", type=int, metavar="LINE", help="line numbers (default: all entries)"
    )
    switch(imports, "--dry-run", "list the entries that can be imported, and stop")
    switch(imports, "--database-only", "copy the entries; leave them untagged")
    switch(imports, "--duplicates", "also import entries that equal a task")
    switch(imports, "--plain-names", "name tasks only after their commands")

    export = command(commands, "export", _export)
    export.add_argument("tasks", nargs="*", type=int, metavar="TASK", help="default: all")


def _sync(environment: Environment, words: Words) -> Answer:
    compared = service.preview(environment) if words.tasks or words.take or words.dry_run else None
    only: set[UUID] | None = None
    choices: dict[UUID, Choice] = {}
    if compared:
        only = _tags(compared, words.tasks) if words.tasks else None
        if words.take:
            chosen = compared.plan if only is None else compared.plan.only(only)
            choices = {change.tag: Policy(words.take) for change in chosen.changes}
        if words.dry_run:
            return _report(compared)
    request = Request(
        ACTOR, only=only, choices=choices, policy=Policy(words.policy), confirmed=words.confirm
    )
    with advising(_WAYS_OUT):
        return _synced(service.sync(environment, request))


def _tags(compared: service.Comparison, numbers: Sequence[int]) -> set[UUID]:
    tags = {task.task: tag for tag, task in compared.tasks_by_tag.items()}
    if missing := [number for number in numbers if number not in tags]:
        raise NotFound(
            f"Task {missing[0]} has no entry in the crontab.", "`./pitasker list` shows all tasks."
        )
    return {tags[number] for number in numbers}


def _synced(done: SyncResult) -> Answer:
    lines = [f"{len(done.pushed)} to the crontab, {len(done.pulled)} from the crontab."]
    if done.old_editor:
        lines.append(done.old_editor)
    lines += [*_conflicts(done), *by_task(done.failures), *by_task(done.notes)]
    return Answer(Synced.of(done), "\n".join(lines), not (done.plan.conflicts or done.failures))


def _conflicts(done: SyncResult) -> list[str]:
    lines = []
    for conflict in done.plan.conflicts:
        number = done.tasks.get(conflict.tag)
        lines += [
            f"conflict: task {number}: choose with `sync {number} --take database` or `crontab`",
            f"  database: {_fields(conflict.ours)}",
            f"  crontab:  {_fields(conflict.theirs)}",
        ]
    return lines


def _fields(fields: Any) -> str:
    if fields is None:
        return "no entry"
    paused = "(paused) " if fields.paused else ""
    recorded = f"  ({fields.recording})" if fields.recording.on else ""
    return on_one_line(f"{paused}{fields.schedule} {fields.command}  “{fields.name}”{recorded}")


def _validate(environment: Environment, words: Words) -> Answer:
    return _report(service.preview(environment))


def _report(compared: service.Comparison) -> Answer:
    report = validation.validate(compared)
    lines = []
    for finding in report.findings:
        at = f"line {finding.line}: " if finding.line else ""
        lines.append(f"{at}{finding.message} [{finding.kind.value}]")
        if finding.text is not None:
            lines.append(f"    {on_one_line(finding.text)}")
    verdict = "The tasks and the crontab are in sync." if report.is_valid else "Not in sync."
    return Answer(Validation.of(report), "\n".join([*lines, verdict]), report.is_valid)


def _import(environment: Environment, words: Words) -> Answer:
    entries = None
    if words.lines or words.dry_run:
        entries = importing.importable(service.preview(environment))
        if words.lines:
            by_line = {entry.line: entry for entry in entries}
            if missing := [line for line in words.lines if line not in by_line]:
                raise NotFound(
                    f"Line {missing[0]} of the crontab is not an entry that can be imported.",
                    "`./pitasker import --dry-run` lists the entries that can.",
                )
            entries = [by_line[line] for line in words.lines]
    if words.dry_run:
        text = "\n".join(f"{entry.line:4} {on_one_line(entry.raw)}" for entry in entries or [])
        data = {"entries": [{"line": e.line, "text": e.raw.rstrip("\n")} for e in entries or []]}
        return Answer(data, text or "There is nothing to import.")
    options = ImportOptions(
        skip_duplicates=not words.duplicates,
        system_managed=not words.database_only,
        generate_names=not words.plain_names,
    )
    done = importing.import_entries(environment, ACTOR, entries, options)
    lines = [f"{len(done.imported)} imported, {len(done.updated)} updated."]
    lines += [f"line {line}: skipped: {why}" for line, why in sorted(done.skipped.items())]
    lines += [f"line {line}: {why}" for line, why in sorted(done.errors.items())]
    if done.problem:
        lines.append(f"{NOT_YET} {done.problem.user_message}")
    return Answer(Imported.of(done), "\n".join(lines), not (done.errors or done.problem))


def _export(environment: Environment, words: Words) -> Answer:
    with advising(_WAYS_OUT):
        done = service.export(environment, ACTOR, words.tasks or None)
    lines = [f"{len(done.pushed)} written to the crontab.", *_conflicts(done)]
    lines += by_task(done.failures)
    lines += [f"task {number}: is already in the crontab" for number in done.in_step]
    lines += [f"task {done.tasks[c.tag]}: updated from the crontab" for c in done.pulled]
    if done.left_out:
        numbers = " ".join(map(str, done.left_out))
        lines.append(f"Skipped database-only tasks: {numbers}. `export {numbers}` writes them too.")
    lines += by_task(done.notes)
    return Answer(Exported.of(done), "\n".join(lines), not (done.failures or done.plan.conflicts))
