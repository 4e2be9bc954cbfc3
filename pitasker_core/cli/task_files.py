"""Export tasks to files for other programs and machines, and import files with a preview."""

from collections.abc import Iterable
from pathlib import Path

from pitasker_core.base import paths, terminal
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import explained
from pitasker_core.base.text import counted, on_one_line
from pitasker_core.cli.answer import NOT_YET, Answer, by_task, raw, table
from pitasker_core.cli.command import ACTOR, Commands, Words, command, group, switch
from pitasker_core.cli.files import read_file, write_file
from pitasker_core.formats.crontab_ui import read_environment
from pitasker_core.formats.icalendar_file import MOST_WEEKS, WEEKS
from pitasker_core.formats.record import LARGEST_FILE, Remark, TaskFile, decoded
from pitasker_core.formats.registry import Source, Target
from pitasker_core.formats.systemd import Units
from pitasker_core.server.answers.files import FileImport as ImportAnswer
from pitasker_core.server.answers.files import FilePreview as PreviewAnswer
from pitasker_core.server.answers.files import remarks
from pitasker_core.tasks.file_export import export_file, export_units
from pitasker_core.tasks.file_import import (
    FileImport,
    FilePreview,
    Verdict,
    import_file,
    preview_file,
    read_files,
)


def add_to(commands: Commands) -> None:
    files = group(commands, "tasks")

    export = command(files, "export", _export, "write tasks to a file")
    export.add_argument(
        "file", nargs="?", default="-", help="default: standard output; for systemd: a folder"
    )
    export.add_argument("--format", choices=list(map(str, Target)), default="json")
    export.add_argument(
        "--task", type=int, action="append", metavar="TASK", help="only this task; may be repeated"
    )
    export.add_argument(
        "--weeks", type=int, choices=range(1, MOST_WEEKS + 1), metavar="WEEKS", default=WEEKS,
        help=f"the number of weeks in a calendar (default: {WEEKS})",
    )  # fmt: skip

    imports = command(files, "import", _import, "create tasks from files; run nothing")
    imports.add_argument("files", nargs="+", metavar="FILE", help="- is standard input")
    imports.add_argument(
        "--from",
        dest="source",
        choices=list(map(str, Source)),
        help="the format (default: by the name of the file)",
    )
    switch(imports, "--preview", "list the tasks that would be created, and stop")
    switch(imports, "--duplicates", "also import tasks that exist already")
    switch(imports, "--database-only", "create no entries")


def _export(environment: Environment, words: Words) -> Answer | int:
    target = Target(words.format)
    if target is Target.SYSTEMD and not words.file.endswith(".zip"):
        return _export_units(export_units(environment, words.task), words)
    exported = export_file(environment, target, words.task, words.weeks)
    _complain(exported.notes)
    if words.file == "-":
        text = exported.data.decode("utf-8", "backslashreplace")
        return raw(words, [exported.data], {"content": text, "notes": remarks(exported.notes)})
    write_file(words.file, exported.data)
    data = {"file": words.file, "notes": remarks(exported.notes)}
    return Answer(data, f"The tasks are in {on_one_line(words.file)}.")


def _export_units(units: Units, words: Words) -> Answer | int:
    _complain(units.notes)
    notes = remarks(units.notes)
    if words.file == "-":
        parts = (f"# {unit.name}\n{unit.text}\n".encode() for unit in units.files)
        contents = [{"name": unit.name, "content": unit.text} for unit in units.files]
        return raw(words, parts, {"files": contents, "notes": notes})
    folder = Path(words.file)
    with explained(f"{folder} cannot be created"):
        folder.mkdir(parents=True, exist_ok=True)
    for unit in units.files:
        write_file(folder / unit.name, unit.text.encode())
    names = [unit.name for unit in units.files]
    text = (
        f"{counted(len(names), 'file')} written to {on_one_line(words.file)}. Copy them to "
        "~/.config/systemd/user, then run systemctl --user daemon-reload and "
        "systemctl --user enable --now NAME.timer."
    )
    return Answer({"folder": words.file, "files": names, "notes": notes}, text)


def _import(environment: Environment, words: Words) -> Answer:
    source = Source(words.source) if words.source else None
    files = [(name, read_file(name, LARGEST_FILE)) for name in words.files]
    file = read_files(environment, files, source)
    notes = [note for name in words.files for note in _environment_notes(name, source)]
    file = TaskFile(file.records, file.problems, (*file.notes, *notes))
    if words.preview:
        return _previewed(preview_file(environment, file, with_duplicates=words.duplicates))
    system_managed = False if words.database_only else None
    return _imported(
        import_file(
            environment,
            ACTOR,
            file,
            with_duplicates=words.duplicates,
            system_managed=system_managed,
        )
    )


def _previewed(preview: FilePreview) -> Answer:
    rows = [
        (
            str(candidate.record.line or ""),
            candidate.verdict.value,
            candidate.record.schedule,
            candidate.record.name,
            candidate.reason or candidate.record.command,
        )
        for candidate in preview.candidates
    ]
    lines = [table(("line", "", "schedule", "name", "command"), rows)] if rows else []
    lines += _lines(preview.problems, preview.notes)
    invalid = [c for c in preview.candidates if c.verdict is Verdict.INVALID]
    in_order = not (invalid or preview.problems)
    return Answer(PreviewAnswer.of(preview), "\n".join(lines), in_order)


def _imported(done: FileImport) -> Answer:
    lines = [f"{counted(len(done.tasks), 'task')} imported."]
    lines += [f"task {task.id}: {on_one_line(task.name)}" for task in done.tasks]
    lines += [f"skipped: {on_one_line(str(remark))}" for remark in done.skipped]
    lines += [f"not imported: {on_one_line(str(remark))}" for remark in done.errors]
    lines += _lines(done.notes)
    lines += by_task(done.failures)
    if done.problem:
        lines.append(f"{NOT_YET} {done.problem.user_message}")
    in_order = not (done.errors or done.failures or done.problem)
    return Answer(ImportAnswer.of(done), "\n".join(lines), in_order)


def _lines(*groups: Iterable[Remark]) -> list[str]:
    return [on_one_line(str(remark)) for group in groups for remark in group]


def _complain(notes: Iterable[Remark]) -> None:
    """Write notes to standard error, so that they do not mix with a file."""
    for line in _lines(notes):
        terminal.complain(line)


def _environment_notes(name: str, source: Source | None) -> tuple[Remark, ...]:
    """Return notes about the variables in the `env.db` beside a `crontab.db` of crontab-ui."""
    path = Path(name)
    beside = path.with_name("env.db") if path.name else path
    is_crontab_ui = source is Source.CRONTAB_UI or (source is None and path.suffix == ".db")
    if not is_crontab_ui or not paths.is_file(beside):
        return ()
    return read_environment(decoded(read_file(str(beside), LARGEST_FILE)))
