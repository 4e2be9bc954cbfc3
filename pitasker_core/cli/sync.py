"""Commands of sync: status, sync, validate, import, export."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from pitasker_core.base.clock import system_zone
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import NotFound
from pitasker_core.base.text import counted, on_one_line
from pitasker_core.cli.answer import NOT_YET, Answer, advising
from pitasker_core.cli.command import ACTOR, Commands, Words, command
from pitasker_core.reports import status
from pitasker_core.server.answers.reports import Status
from pitasker_core.server.answers.sync import Exported, Imported, Synced, Validation
from pitasker_core.sync import importing, service, validation
from pitasker_core.sync.importing import ImportOptions
from pitasker_core.sync.merge import Choice, Policy
from pitasker_core.sync.service import Request, SyncResult

_WAYS_OUT = (
    "To take it over: `sync --confirm`; tasks without an entry stay as database-only. "
    "To write the database's entries again: `sync --take database`."
)


def add_to(commands: Commands) -> None:
    """Declare these commands."""
    status = command(
        commands, "status", _status, "counts of tasks and entries, and the health of sync"
    )
    status.set_defaults(logs_to_file=False)

    sync = command(commands, "sync", _sync, "sync the tasks and the crontab")
    sync.add_argument("tasks", nargs="*", type=int, metavar="TASK", help="only these tasks")
    sync.add_argument("--dry-run", action="store_true", help="show the plan; changes nothing")
    sync.add_argument(
        "--policy",
        choices=[policy.value for policy in Policy],
        default="ask",
        help="how to resolve conflicts (default: leave them)",
    )
    sync.add_argument(
        "--take",
        choices=["database", "crontab"],
        help="which side to keep for everything that is out of sync",
    )
    sync.add_argument(
        "--confirm", action="store_true", help="confirm a mass removal or an older crontab"
    )

    command(commands, "validate", _validate, "list all differences and problems; changes nothing")

    bring = command(commands, "import", _import, "turn unmanaged entries into tasks")
    bring.add_argument(
        "lines", nargs="*", type=int, metavar="LINE", help="line numbers (default: all entries)"
    )
    bring.add_argument("--dry-run", action="store_true", help="list what can be imported, and stop")
    bring.add_argument(
        "--database-only", action="store_true", help="copy: leave the entries untagged"
    )
    bring.add_argument("--duplicates", action="store_true", help="also entries that equal a task")
    bring.add_argument(
        "--plain-names", action="store_true", help="name tasks by their command alone"
    )

    out = command(commands, "export", _export, "write tasks to the crontab")
    out.add_argument("tasks", nargs="*", type=int, metavar="TASK", help="default: all")


def _status(environment: Environment, words: Words) -> Answer:
    found = status.status(environment)
    last = found.last_sync.astimezone(system_zone()) if found.last_sync else None
    lines = [
        f"health          {found.health.value}",
        f"last sync       {last:%Y-%m-%d %H:%M:%S %Z}" if last else "last sync       never",
        f"tasks           {found.tasks} ({found.synced} in sync, {found.unsynced} out of sync, "
        f"{found.database_only} database-only)",
        f"crontab         {counted(found.entries, 'entry', 'entries')} "
        f"({found.unmanaged} unmanaged, {counted(found.invalid_lines, 'invalid line')})",
        *(f"  - {reason}" for reason in found.reasons),
    ]
    return Answer(Status.of(found), "\n".join(lines), found.health is status.Health.GREEN)


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
            report = validation.validate(compared)
            return _report(report)
    request = Request(
        ACTOR, "sync", only, choices, policy=Policy(words.policy), confirmed=words.confirm
    )
    with advising(_WAYS_OUT):
        return _synced(service.sync(environment, request))


def _tags(compared: service.Comparison, wanted: Iterable[int]) -> set[UUID]:
    by_task = {known.task: tag for tag, known in compared.known.items()}
    if missing := [number for number in wanted if number not in by_task]:
        raise NotFound(
            f"Task {missing[0]} has no entry in the crontab.", "`./pitasker list` shows all tasks."
        )
    return {by_task[number] for number in wanted}


def _synced(done: SyncResult) -> Answer:
    lines = [f"{len(done.pushed)} to the crontab, {len(done.pulled)} from the crontab."]
    if done.old_editor:
        lines.append(done.old_editor)
    lines += _conflicts(done)
    lines += [f"task {number}: {reason}" for number, reason in done.failures.items()]
    lines += [f"task {number}: {note}" for number, note in done.notes.items()]
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
    return _report(validation.validate(service.preview(environment)))


def _report(report: validation.Report) -> Answer:
    lines = []
    for finding in report.findings:
        at = f"line {finding.line}: " if finding.line else ""
        lines.append(f"{at}{finding.message} [{finding.kind.value}]")
        if finding.text is not None:
            lines.append(f"    {on_one_line(finding.text)}")
    verdict = "The tasks and the crontab are in sync." if report.is_valid else "Not in order."
    return Answer(Validation.of(report), "\n".join([*lines, verdict]), report.is_valid)


def _import(environment: Environment, words: Words) -> Answer:
    wanted = None
    if words.lines or words.dry_run:
        wanted = importing.importable(service.preview(environment))
        if words.lines:
            by_line = {item.line: item for item in wanted}
            if missing := [line for line in words.lines if line not in by_line]:
                raise NotFound(
                    f"Line {missing[0]} of the crontab is no entry that can be imported.",
                    "`./pitasker import --dry-run` lists those that can.",
                )
            wanted = [by_line[line] for line in words.lines]
    if words.dry_run:
        text = "\n".join(f"{item.line:4} {on_one_line(item.raw)}" for item in wanted or [])
        shape = {"entries": [{"line": i.line, "text": i.raw.rstrip("\n")} for i in wanted or []]}
        return Answer(shape, text or "There is nothing to import.")
    options = ImportOptions(
        skip_duplicates=not words.duplicates,
        system_managed=not words.database_only,
        generate_names=not words.plain_names,
    )
    done = importing.import_entries(environment, ACTOR, wanted, options)
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
    lines += [f"task {number}: {reason}" for number, reason in done.failures.items()]
    lines += [f"task {number}: is in the crontab already" for number in done.in_step]
    lines += [f"task {done.tasks[c.tag]}: taken over from the crontab" for c in done.pulled]
    if done.left_out:
        numbers = " ".join(map(str, done.left_out))
        lines.append(
            f"Left out, as they are database-only: {numbers}. `export {numbers}` writes them too."
        )
    lines += [f"task {number}: {note}" for number, note in done.notes.items()]
    return Answer(Exported.of(done), "\n".join(lines), not (done.failures or done.plan.conflicts))
