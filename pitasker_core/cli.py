"""The command line: each command calls one function of the core and prints what it answers.

Exit codes: 0 all is well, 1 it was done but something needs a look (a conflict, a task that failed,
a health that is not green), 2 the command was not understood, 3 it was refused or failed, and
nothing was changed.
"""

import argparse
import getpass
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from pitasker_core import archive, auth, log, serving, shapes, status, tasks, tokens, unit
from pitasker_core.auth import Role
from pitasker_core.clock import system_zone
from pitasker_core.crontab.document import decode, encode
from pitasker_core.errors import (
    CrontabReverted,
    InvalidSyntax,
    MassRemoval,
    NotFound,
    PiTaskerError,
)
from pitasker_core.notifications import channels, delivery
from pitasker_core.runs import by_hand, following, history, spool
from pitasker_core.runs.why import Verdict, circumstances
from pitasker_core.settings import Settings
from pitasker_core.sync import adopt, edit, service, validation
from pitasker_core.sync.adopt import ImportOptions
from pitasker_core.sync.merge import Choice, Policy
from pitasker_core.sync.release import detach
from pitasker_core.sync.service import Request, SyncResult
from pitasker_core.tasks import Applied

ACTOR = "command line"

Words = argparse.Namespace


@dataclass(frozen=True)
class Answer:
    """What a command has to say, for programs and for people."""

    data: shapes.Shape
    text: str
    in_order: bool = True


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    try:
        code = _main(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads our output has seen enough, as `head` has. What is done is done; the exit
        # code is that of a program which SIGPIPE ended. Python would try to write once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    return code


def _main(argv: Sequence[str] | None) -> int:
    # A name or command may hold bytes that are not UTF-8, or the terminal may not be.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    parser = _parser()
    given = list(sys.argv[1:] if argv is None else argv)
    if given and given[0].startswith("-") and given[0] not in ("-h", "--help"):
        given.insert(0, "up")  # without a command it serves, and `--port` is for that
    words, others = parser.parse_known_args(given)
    words.arguments = others
    if others and words.run is not _psql:
        parser.error(f"not understood: {' '.join(others)}")
    settings = Settings.from_environment()
    log.start(settings, terminal=words.run is _agent)  # the others say what failed themselves
    try:
        answer = words.run(settings, words)
    except PiTaskerError as problem:
        if words.json:
            print(json.dumps(shapes.error(problem), indent=2))
        else:
            print(f"pitasker: {problem.user_message}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 130
    if isinstance(answer, int):
        return answer
    if words.json:
        print(json.dumps(answer.data, indent=2))
    elif answer.text:
        print(answer.text)
    return 0 if answer.in_order else 1


def _status(settings: Settings, words: Words) -> Answer:
    found = status.status(settings)
    last = found.last_sync.astimezone(system_zone()) if found.last_sync else None
    lines = [
        f"health          {found.health.value}",
        f"last sync       {last:%Y-%m-%d %H:%M:%S %Z}" if last else "last sync       never",
        f"tasks           {found.tasks} ({found.synced} in step, {found.unsynced} not, "
        f"{found.database_only} database-only)",
        f"crontab         {found.entries} entries ({found.unmanaged} unmanaged, "
        f"{found.invalid_lines} invalid lines)",
        *(f"  - {reason}" for reason in found.reasons),
    ]
    return Answer(shapes.status(found), "\n".join(lines), found.health is status.Health.GREEN)


def _sync(settings: Settings, words: Words) -> Answer:
    compared = service.preview(settings) if words.tasks or words.take or words.dry_run else None
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
    with _advising(_WAYS_OUT):
        return _synced(service.sync(settings, request))


_WAYS_OUT = (
    "To take it over: `sync --confirm`; tasks without an entry stay as database-only. "
    "To write the database's entries again: `sync --take database`."
)


@contextmanager
def _advising(advice: str) -> Iterator[None]:
    """Say by which options a person confirms, where the core can only say that one must."""
    try:
        yield
    except (MassRemoval, CrontabReverted) as problem:
        raise type(problem)(problem.message, advice) from problem


def _synced(done: SyncResult) -> Answer:
    lines = [f"{len(done.pushed)} to the crontab, {len(done.pulled)} from the crontab."]
    for conflict in done.plan.conflicts:
        number = done.tasks.get(conflict.tag)
        lines.append(
            f"conflict: task {number}: choose with `sync {number} --take database` or `crontab`"
        )
        lines.append(f"  database: {_fields(conflict.ours)}")
        lines.append(f"  crontab:  {_fields(conflict.theirs)}")
    lines += [f"task {number}: {reason}" for number, reason in done.failures.items()]
    return Answer(shapes.sync(done), "\n".join(lines), not (done.plan.conflicts or done.failures))


def _validate(settings: Settings, words: Words) -> Answer:
    return _report(validation.validate(service.preview(settings)))


def _report(report: validation.Report) -> Answer:
    lines = []
    for finding in report.findings:
        at = f"line {finding.line}: " if finding.line else ""
        lines.append(f"{at}{finding.message} [{finding.kind.value}]")
        if finding.text is not None:
            lines.append(f"    {_inert(finding.text)}")
    verdict = "The tasks and the crontab are in step." if report.is_valid else "Not in order."
    return Answer(shapes.validation(report), "\n".join([*lines, verdict]), report.is_valid)


def _import(settings: Settings, words: Words) -> Answer:
    wanted = None
    if words.lines or words.dry_run:
        wanted = adopt.importable(service.preview(settings))
        if words.lines:
            by_line = {item.line: item for item in wanted}
            if missing := [line for line in words.lines if line not in by_line]:
                raise NotFound(
                    f"Line {missing[0]} of the crontab is no entry that can be imported.",
                    "`./pitasker import --dry-run` lists those that can.",
                )
            wanted = [by_line[line] for line in words.lines]
    if words.dry_run:
        text = "\n".join(f"{item.line:4} {_inert(item.raw)}" for item in wanted or [])
        shape = {"entries": [{"line": i.line, "text": i.raw.rstrip("\n")} for i in wanted or []]}
        return Answer(shape, text or "There is nothing to import.")
    options = ImportOptions(
        skip_duplicates=not words.duplicates,
        system_managed=not words.database_only,
        generate_names=not words.plain_names,
    )
    done = adopt.adopt(settings, ACTOR, wanted, options)
    lines = [f"{len(done.imported)} imported, {len(done.updated)} updated."]
    lines += [f"line {line}: skipped: {why}" for line, why in sorted(done.skipped.items())]
    lines += [f"line {line}: {why}" for line, why in sorted(done.errors.items())]
    return Answer(shapes.imported(done), "\n".join(lines), not done.errors)


def _export(settings: Settings, words: Words) -> Answer:
    with _advising(_WAYS_OUT):
        done = service.export(settings, ACTOR, words.tasks or None)
    lines = [f"{len(done.pushed)} written to the crontab."]
    lines += [f"task {number}: {reason}" for number, reason in done.failures.items()]
    return Answer(shapes.export(done), "\n".join(lines), not (done.failures or done.plan.conflicts))


def _list(settings: Settings, words: Words) -> Answer:
    found = tasks.listing(settings, deleted=words.deleted)
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
    text = _table(("id", "state", "", "schedule", "name", "command"), rows)
    if not rows:
        text = "There are no tasks. `./pitasker import` makes tasks of the crontab's entries."
    if found.problem:
        print(f"pitasker: {found.problem.user_message}", file=sys.stderr)
    return Answer(shapes.tasks(found), text, found.problem is None)


def _add(settings: Settings, words: Words) -> Answer:
    return _applied(
        tasks.create(
            settings,
            ACTOR,
            words.name,
            words.schedule,
            words.command,
            system_managed=not words.database_only,
            paused=words.paused,
            notes=words.notes or "",
            labels=words.label or (),
            **_of_runs(words),
        ),
        "added",
    )


def _edit(settings: Settings, words: Words) -> Answer:
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
    return _applied(tasks.change(settings, ACTOR, words.task, **fields), "changed")


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


_SIGNS = {Verdict.OK: "✓", Verdict.BAD: "✗", Verdict.UNKNOWN: "?"}


def _why(settings: Settings, words: Words) -> Answer:
    found = circumstances.explain(settings, words.task)
    lines = [found.conclusion, ""]
    for check in found.checks:
        lines.append(f"{_SIGNS[check.verdict]} {check.name}: {check.evidence}")
        if check.verdict is not Verdict.OK:
            lines += [f"    {step}" for step in (check.advice, check.command) if step]
    return Answer(shapes.why(found), "\n".join(_inert(line) for line in lines), found.in_order)


def _detach(settings: Settings, words: Words) -> Answer:
    count = detach(settings, ACTOR)
    what = "entry has its" if count == 1 else "entries have their"
    return Answer({"detached": count}, f"{count} {what} plain command back.")


def _pausing(paused: bool) -> Callable[[Settings, Words], Answer]:
    def run(settings: Settings, words: Words) -> Answer:
        edits = [tasks.Edit(task, fields={"paused": paused}) for task in words.tasks]
        kind = "pause" if paused else "resume"
        return _applied(tasks.apply(settings, ACTOR, edits, kind), f"{kind}d")

    return run


def _remove(settings: Settings, words: Words) -> Answer:
    answer = _applied(tasks.delete(settings, ACTOR, *words.tasks), "removed")
    hint = f"`./pitasker undo-remove {' '.join(map(str, words.tasks))}` brings it back."
    return Answer(answer.data, f"{answer.text}\n{hint}", answer.in_order)


def _undo_remove(settings: Settings, words: Words) -> Answer:
    return _applied(tasks.undo_delete(settings, ACTOR, *words.tasks), "brought back")


def _applied(done: Applied, what: str) -> Answer:
    lines = [f"task {task.id} {what}: {_inert(task.name)}" for task in done.tasks]
    lines += [f"task {number}: {reason}" for number, reason in done.failures.items()]
    conflicts = done.result.plan.conflicts if done.result else []
    if conflicts:
        lines.append("The crontab's entry was changed by hand too: `./pitasker sync` shows how.")
    if done.problem:
        lines.append(f"Saved, but not in the crontab yet. {done.problem.user_message}")
    in_order = not (done.failures or done.problem or conflicts)
    return Answer(shapes.applied(done), "\n".join(lines), in_order)


def _run_now(settings: Settings, words: Words) -> Answer | int:
    task = tasks.get(settings, words.task)
    if task.deleted_at:
        raise NotFound(f"Task {task.id} was deleted.")
    name = by_hand.start(settings, ACTOR, task)
    if words.wait:
        return _wait(settings, words, name)
    spool.collect(settings)
    run = history.named(settings, name)
    number = run.id if run else None
    text = f"Started, run {number}. `./pitasker output {number}` has what it prints."
    return Answer({"name": name, "run": number}, text)


def _wait(settings: Settings, words: Words, name: str) -> int:
    """Show what a run prints until it has ended; its exit code, or 128 and its signal."""
    try:
        for part in following.follow(settings, name):
            if not words.json:
                sys.stdout.buffer.write(part)
                sys.stdout.buffer.flush()
    except KeyboardInterrupt:
        print("\npitasker: It goes on by itself.", file=sys.stderr)
        return 130
    run = history.named(settings, name)
    if run is None:
        raise NotFound("The run was forgotten before it ended.")
    if words.json:
        print(json.dumps(shapes.run(run), indent=2))
    if run.signal is not None:
        return 128 + run.signal
    return 1 if run.exit_code is None else run.exit_code


def _runs(settings: Settings, words: Words) -> Answer:
    spool.collect(settings)
    kind = "Failed" if words.failed else "All"
    found = history.runs(settings, words.limit, words.task, kind)
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
    text = _table(("run", "started", "took", "how", "task", "result"), rows)
    return Answer({"runs": [shapes.run(run) for run in found]}, text if rows else "No runs.")


def _output(settings: Settings, words: Words) -> Answer | int:
    output = history.output(settings, words.number)
    if words.json:
        return Answer({"run": words.number, "output": decode(output)}, "")
    sys.stdout.buffer.write(output)
    sys.stdout.buffer.flush()
    return 0


def _raw_get(settings: Settings, words: Words) -> Answer | int:
    text, _ = service.read_crontab(settings)
    if not words.json:
        # The very bytes: a text that is printed may be another.
        sys.stdout.buffer.write(encode(text or ""))
        sys.stdout.buffer.flush()
        return 0
    return Answer(shapes.raw(text), "")


def _raw_set(settings: Settings, words: Words) -> Answer:
    try:
        data = sys.stdin.buffer.read() if words.file == "-" else Path(words.file).read_bytes()
    except OSError as problem:
        raise NotFound(f"{words.file} cannot be read: {problem.strerror}.") from problem
    based_on, _ = service.read_crontab(settings)
    if words.if_sha256 and shapes.raw(based_on)["sha256"] != words.if_sha256:
        raise edit.changed_since()
    with _advising("If that is meant: the same with --confirm. Their tasks stay as database-only."):
        text = decode(data)
        saved = edit.save_raw(settings, text, based_on, actor=ACTOR, confirmed=words.confirm)
    return _saved(saved)


def _snapshots(settings: Settings, words: Words) -> Answer:
    found = edit.snapshots(settings)
    if words.show is not None:
        one = edit.snapshot(settings, words.show)
        return Answer(shapes.snapshot(one, content=True), (one.text or "").rstrip("\n"))
    zone = system_zone()
    rows = [
        (str(s.id), f"{s.taken_at.astimezone(zone):%Y-%m-%d %H:%M:%S}", str(s.entries), s.reason)
        for s in found
    ]
    shape = {"snapshots": [shapes.snapshot(one) for one in found]}
    return Answer(shape, _table(("id", "taken", "entries", "why"), rows))


def _restore(settings: Settings, words: Words) -> Answer:
    if not words.what.isdecimal():
        return _restore_archive(settings, words)
    return _saved(edit.restore(settings, int(words.what), actor=ACTOR))


def _saved(saved: edit.Saved) -> Answer:
    lines = ["The crontab is as wanted."]
    if saved.backup:
        lines.append(f"What was there before is kept in {saved.backup}.")
    if saved.problem:
        lines.append(f"The tasks do not follow yet. {saved.problem.user_message}")
    data = {
        **shapes.raw(saved.text),
        "backup": saved.backup,
        **(shapes.sync(saved.result) if saved.result else {}),
        **(shapes.error(saved.problem) if saved.problem else {}),
    }
    return Answer(data, "\n".join(lines), saved.problem is None)


def _psql(settings: Settings, words: Words) -> int:
    command = serving.psql_command(settings)
    os.execvp(command[0], [*command, *words.arguments])


def _up(settings: Settings, words: Words) -> int:
    return serving.up(settings, words.port, words.host, words.base_url)


def _password(settings: Settings, words: Words) -> Answer:
    role = Role.READ if words.read_only else Role.WRITE
    if sys.stdin.isatty():
        first = getpass.getpass("New password: ")
        if getpass.getpass("Again: ") != first:
            raise InvalidSyntax("These two are not the same.", "Nothing was changed. Try again.")
    else:
        first = sys.stdin.readline().rstrip("\n")
    auth.set_password(settings, first, role)
    return Answer({"set": role.value}, "The password is set, and every session was signed out.")


def _link(settings: Settings, words: Words) -> Answer:
    role = Role.READ if words.read_only else Role.WRITE
    base = settings.base_url or f"http://{serving.ADDRESS}:{words.port}"
    link = f"{base.rstrip('/')}/login?token={auth.new_link(settings, role)}"
    return Answer({"link": link}, f"This link signs in once, within a day:\n{link}")


def _sign_out_all(settings: Settings, words: Words) -> Answer:
    auth.sign_out_everyone(settings)
    return Answer({"signedOut": True}, "Everybody is signed out, and unused links are worthless.")


def _token_new(settings: Settings, words: Words) -> Answer:
    role = Role.READ if words.read_only else Role.WRITE
    token = tokens.create(settings, ACTOR, words.name, role)
    return Answer({"token": token}, f"It is shown this once:\n{token}")


def _token_list(settings: Settings, words: Words) -> Answer:
    found = tokens.listing(settings)
    rows = [
        (str(t.id), t.name, t.role.value, f"{t.used_at:%Y-%m-%d}" if t.used_at else "never")
        for t in found
    ]
    text = _table(("id", "name", "may", "used"), rows) if found else "There are no tokens."
    return Answer({"tokens": [shapes.token(one) for one in found]}, text)


def _token_revoke(settings: Settings, words: Words) -> Answer:
    tokens.revoke(settings, ACTOR, words.token)
    return Answer({"revoked": words.token}, f"Token {words.token} is worthless now.")


def _notify_test(settings: Settings, words: Words) -> Answer:
    names = [words.name] if words.name else [one.name for one in channels.listing(settings)]
    if not names:
        raise NotFound("There are no channels.", "Add one under Settings, Notifications.")
    lines = [delivery.test(settings, name) for name in names]
    return Answer({"sent": names}, "\n".join(lines))


def _agent(settings: Settings, words: Words) -> int:
    return serving.agent(settings)


def _service(settings: Settings, words: Words) -> Answer:
    if words.act == "uninstall":
        unit.uninstall()
        return Answer({"installed": False}, "The service is gone. Tasks and crontab stay.")
    if words.act == "install":
        serving.refuse_open_door(settings, words.host)
        serving.refuse_odd_base_url(words.base_url)
        arguments = ["--host", words.host, "--port", str(words.port)]
        if words.base_url:
            arguments += ["--base-url", words.base_url]
        found = unit.install(arguments)
    else:
        found = unit.state()
    lines = [
        f"The service is {'installed' if found.installed else 'not installed'}, "
        f"{'running' if found.active else 'not running'}, and "
        f"{'starts' if found.enabled else 'does not start'} by itself."
    ]
    if found.installed and not found.lingers:
        lines.append(
            "It runs only while you are logged in. To start it at boot: "
            f"`sudo loginctl enable-linger {getpass.getuser()}`"
        )
    if words.act == "install" and not auth.has_password(settings):
        lines.append("To sign in: `./pitasker link`, or set a password: `./pitasker password`.")
    data = {"installed": found.installed, "active": found.active, "enabled": found.enabled}
    return Answer({**data, "lingers": found.lingers}, "\n".join(lines), found.active)


def _backup(settings: Settings, words: Words) -> Answer:
    size = archive.back_up(settings, Path(words.file))
    return Answer({"file": words.file, "bytes": size}, f"Everything is in {words.file}.")


def _restore_archive(settings: Settings, words: Words) -> Answer:
    contents = archive.read(Path(words.what))
    if not words.yes:
        when = f"{contents.made_at.astimezone(system_zone()):%Y-%m-%d %H:%M}"
        raise InvalidSyntax(
            f"This puts the database and the crontab back to {when}.",
            "If that is meant: the same with --yes. What is there now is kept in a file.",
        )
    kept = archive.restore(settings, ACTOR, contents)
    return Answer({"kept": str(kept)}, f"Restored. What was there before is in {kept}.")


def _demo(settings: Settings, words: Words) -> int:
    return serving.demo(settings, words.port)


def _tags(compared: service.Comparison, wanted: Iterable[int]) -> set[UUID]:
    by_task = {known.task: tag for tag, known in compared.known.items()}
    if missing := [number for number in wanted if number not in by_task]:
        raise NotFound(
            f"Task {missing[0]} has no entry in the crontab.", "`./pitasker list` shows all tasks."
        )
    return {by_task[number] for number in wanted}


def _fields(fields: Any) -> str:
    if fields is None:
        return "no entry"
    paused = "(paused) " if fields.paused else ""
    recorded = f"  ({fields.recording})" if fields.recording.on else ""
    return _inert(f"{paused}{fields.schedule} {fields.command}  “{fields.name}”{recorded}")


def _inert(text: str) -> str:
    """The text without what a terminal would obey."""
    return "".join(c if c.isprintable() or c == "\t" else repr(c)[1:-1] for c in text.rstrip("\n"))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    clean = [[_inert(cell) for cell in row] for row in [heads, *rows]]
    widths = [max(len(row[i]) for row in clean) for i in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in clean
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pitasker",
        description="The front end to your crontab. Without a command: serve the dashboard.",
        epilog="Exit codes: 0 all is well; 1 done, but something needs a look; 2 not understood; "
        "3 refused or failed, and nothing was changed.",
    )
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="answer in JSON, for programs")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    parser.set_defaults(run=_up, json=False, port=serving.PORT, host=serving.ADDRESS, base_url=None)

    def command(
        name: str, run: Callable[[Settings, Words], Answer | int], text: str, group: Any = commands
    ) -> argparse.ArgumentParser:
        one: argparse.ArgumentParser = group.add_parser(
            name, help=text, description=text, parents=[shared]
        )
        one.set_defaults(run=run)
        return one

    for name, run, text in (
        ("up", _up, "serve the dashboard (the default)"),
        ("demo", _demo, "serve a dashboard on a crontab made to be played with"),
    ):
        serve = command(name, run, text)
        serve.add_argument("--port", type=int, default=serving.PORT, help="default: %(default)s")
        if run is _up:
            serve.add_argument(
                "--host",
                default=serving.ADDRESS,
                help="the address to listen on (default: %(default)s, this machine alone); "
                "any other needs a password",
            )
            serve.add_argument(
                "--base-url", help="the address that people use, if a proxy stands before PiTasker"
            )

    command("agent", _agent, "keep the tasks and the crontab in step, without the dashboard")
    served = command("service", _service, "PiTasker as a service that starts at boot")
    served.add_argument("act", choices=["install", "uninstall", "status"])
    served.add_argument("--port", type=int, default=serving.PORT, help="default: %(default)s")
    served.add_argument("--host", default=serving.ADDRESS, help="default: %(default)s")
    served.add_argument("--base-url", help="the address that people use, behind a proxy")
    saved = command("backup", _backup, "write the database and the crontab to one file")
    saved.add_argument("file")
    secret = command("password", _password, "set the password for signing in")
    link = command("link", _link, "print a link that signs in once")
    link.add_argument("--port", type=int, default=serving.PORT, help="default: %(default)s")
    command("sign-out-all", _sign_out_all, "end every session, on every device")
    notify = commands.add_parser("notify", help="who is told when something fails")
    notify_commands = notify.add_subparsers(title="commands", metavar="COMMAND", required=True)
    tried = command("test", _notify_test, "send a test to the channels", notify_commands)
    tried.add_argument("name", nargs="?", metavar="CHANNEL", help="default: all of them")
    token = commands.add_parser("token", help="tokens by which scripts reach the API")
    token_commands = token.add_subparsers(title="commands", metavar="COMMAND", required=True)
    new = command("new", _token_new, "make one", token_commands)
    new.add_argument("name", help="what it is for")
    command("list", _token_list, "all of them", token_commands)
    gone = command("revoke", _token_revoke, "make one worthless", token_commands)
    gone.add_argument("token", type=int, metavar="ID")
    for one in (secret, link, new):
        one.add_argument("--read-only", action="store_true", help="for looking, not changing")

    command("status", _status, "where the tasks and the crontab stand")

    sync = command("sync", _sync, "bring the tasks and the crontab in step")
    sync.add_argument("tasks", nargs="*", type=int, metavar="TASK", help="only these tasks")
    sync.add_argument("--dry-run", action="store_true", help="say what would be done, and stop")
    sync.add_argument(
        "--policy",
        choices=[policy.value for policy in Policy],
        default="ask",
        help="what to do about conflicts (default: leave them)",
    )
    sync.add_argument(
        "--take",
        choices=["database", "crontab"],
        help="whose version to take for everything that is not in step",
    )
    sync.add_argument(
        "--confirm", action="store_true", help="a mass removal or an older crontab is meant"
    )

    command("validate", _validate, "find what is not in order; changes nothing")

    bring = command("import", _import, "make tasks of entries that are in the crontab")
    bring.add_argument(
        "lines", nargs="*", type=int, metavar="LINE", help="line numbers (default: all entries)"
    )
    bring.add_argument("--dry-run", action="store_true", help="list what can be imported, and stop")
    bring.add_argument(
        "--database-only", action="store_true", help="copy: leave the entries untagged"
    )
    bring.add_argument(
        "--duplicates", action="store_true", help="also where such a task exists already"
    )
    bring.add_argument(
        "--plain-names", action="store_true", help="name tasks by their command alone"
    )

    out = command("export", _export, "write tasks to the crontab")
    out.add_argument("tasks", nargs="*", type=int, metavar="TASK", help="default: all")

    listed = command("list", _list, "all tasks")
    listed.add_argument("--deleted", action="store_true", help="the deleted ones instead")

    add = command("add", _add, "a new task")
    for word in ("name", "schedule", "command"):
        add.add_argument(word)
    add.add_argument("--paused", action="store_true")
    add.add_argument("--database-only", action="store_true", help="not in the crontab for now")

    change = command("edit", _edit, "change a task")
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
    for one in (add, change):
        one.add_argument("--notes")
        one.add_argument("--label", action="append", help="may be given several times")
        either = argparse.BooleanOptionalAction
        one.add_argument(
            "--record", action=either, help="keep what its runs print and how they end"
        )
        one.add_argument(
            "--timeout", type=int, metavar="SECONDS", help="end a recorded run after this; 0: never"
        )
        one.add_argument(
            "--overlap", action=either, help="whether a recorded run may start beside another"
        )
        one.add_argument(
            "--catch-up", action=either, help="make up once what was missed while it was off"
        )

    for name, act, text in (
        ("pause", _pausing(True), "keep tasks from running; their entries stay, commented out"),
        ("resume", _pausing(False), "let paused tasks run again"),
        ("remove", _remove, "delete tasks and their entries"),
        ("undo-remove", _undo_remove, "bring deleted tasks and their entries back"),
    ):
        some = command(name, act, text)
        some.add_argument("tasks", nargs="+", type=int, metavar="TASK")

    now = command("run", _run_now, "run a task now, in cron's environment")
    now.add_argument("task", type=int)
    now.add_argument(
        "--wait", action="store_true", help="show what it prints; end as it does, with its code"
    )
    past = command("runs", _runs, "what ran, newest first")
    past.add_argument("--task", type=int, help="of this task alone")
    past.add_argument("--failed", action="store_true", help="those that failed")
    past.add_argument("--limit", type=int, default=50, help="how many (default: %(default)s)")
    printed = command("output", _output, "what a run printed, byte for byte")
    printed.add_argument("number", type=int, metavar="RUN")

    raw = commands.add_parser("raw", help="the whole crontab as text")
    raws = raw.add_subparsers(title="commands", metavar="COMMAND", required=True)
    command("get", _raw_get, "print it, byte for byte", raws)
    put = command("set", _raw_set, "install a file in its place", raws)
    put.add_argument("file", nargs="?", default="-", help="default: standard input")
    put.add_argument(
        "--if-sha256", metavar="SUM", help="only if the crontab is still the one `raw get` showed"
    )
    put.add_argument("--confirm", action="store_true", help="a mass removal is meant")

    kept = command("snapshots", _snapshots, "earlier texts of the crontab")
    kept.add_argument("--show", type=int, metavar="ID", help="the text of one")

    back = command("restore", _restore, "go back to a snapshot, or to a file that backup wrote")
    back.add_argument("what", metavar="SNAPSHOT|FILE")
    back.add_argument("--yes", action="store_true", help="a file replaces everything: it is meant")

    asked = command("why", _why, "why a task did not run: look at everything that it needs")
    asked.add_argument("task", type=int)

    command("detach", _detach, "give entries their plain commands back, as before leaving PiTasker")
    command("psql", _psql, "a shell on the database; takes psql's own arguments")
    return parser
