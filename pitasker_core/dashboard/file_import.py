"""Tasks from files: a preview, what is not carried over, and the import."""

from collections.abc import Mapping, Sequence

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import counted
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.dashboard.cells import chips, sentence, show_table
from pitasker_core.dashboard.export_dialog import show_remarks
from pitasker_core.dashboard.fresh_keys import begin_again, widget_key
from pitasker_core.dashboard.import_report import link_new_tasks
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.messages import act, report_applied
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.states import Color
from pitasker_core.dashboard.task_grid import in_words
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.formats.crontab_ui import read_environment
from pitasker_core.formats.record import Remark, TaskFile, decoded
from pitasker_core.formats.registry import Source
from pitasker_core.tasks.file_import import (
    FileImport,
    FilePreview,
    Verdict,
    import_file,
    preview_file,
    read_files,
)

SOURCES = {
    Source.JSON: "JSON",
    Source.YAML: "YAML",
    Source.CSV: "CSV",
    Source.CRONTAB: "crontab",
    Source.CRONTAB_UI: "crontab-ui (crontab.db)",
    Source.CRONMASTER: "Cronmaster (crontab or .job files)",
}
VERDICTS: dict[Verdict, Color] = {
    Verdict.NEW: "green",
    Verdict.DUPLICATE: "gray",
    Verdict.INVALID: "red",
}

_MOST_FILES = 100
_REMARKS = 20
_ENVIRONMENT = "env.db"
"""The variables of crontab-ui, beside its crontab.db."""


def show_file_import() -> None:
    """Draw the import from files."""
    _show_result()
    st.markdown(
        "Choose files that PiTasker exported, a crontab of another machine, or the data of "
        "crontab-ui or Cronmaster. Nothing in them is run, and nothing is saved before you import."
    )
    uploads = st.file_uploader(
        "Files",
        accept_multiple_files=True,
        key=widget_key("files"),
        max_upload_size=1,
        disabled=environment().read_only,
        label_visibility="collapsed",
    )
    source = st.selectbox(
        "Format",
        list(SOURCES),
        index=None,
        placeholder="By the name of the file",
        format_func=lambda source: SOURCES[source],
        key="file-source",
        width=320,
    )
    if not uploads:
        return
    try:
        files = [(upload.name, upload.getvalue()) for upload in uploads[:_MOST_FILES]]
        file = _read(files, source)
        _show_preview(file)
    except PiTaskerError as problem:
        st.error(plain(problem.user_message), icon=":material/error:")


def _read(files: Sequence[tuple[str, bytes]], source: Source | None) -> TaskFile:
    """Return the tasks of the files. The variables of crontab-ui become notes."""
    with_jobs = [(name, data) for name, data in files if name != _ENVIRONMENT]
    variables = [data for name, data in files if name == _ENVIRONMENT]
    notes = [note for data in variables for note in read_environment(decoded(data))]
    file = read_files(environment(), with_jobs, source)
    return TaskFile(file.records, file.problems, (*file.notes, *notes))


def _show_preview(file: TaskFile) -> None:
    with st.container(horizontal=True):
        with_duplicates = st.toggle(
            "Import duplicates too",
            key="file-duplicates",
            help="A duplicate has the schedule and the command of a task or an entry.",
        )
        database_only = st.toggle(
            "Only into the database",
            key="file-database-only",
            help="Creates no entries in the crontab. Cron does not run the tasks.",
        )
    preview = preview_file(environment(), file, with_duplicates=with_duplicates)
    count = sum(candidate.verdict is Verdict.NEW for candidate in preview.candidates)
    write_button(
        f"Import {counted(count, 'task')}",
        type="primary",
        icon=":material/download:",
        disabled=not count,
        on_click=_import,
        args=(file, with_duplicates, database_only),
    )
    _show_table(preview)
    show_remarks("Cannot be imported", preview.problems, _REMARKS)
    show_remarks("Not carried over", preview.notes, _REMARKS)


def _show_table(preview: FilePreview) -> None:
    if not preview.candidates:
        st.info("There are no tasks in this file.", icon=":material/search_off:")
        return
    dialect, column = _dialect(), st.column_config
    rows = [
        {
            "verdict": [candidate.verdict.value],
            "name": candidate.record.name,
            "schedule": candidate.record.schedule,
            "words": in_words(candidate.record.schedule, dialect),
            "reason": sentence(candidate.reason),
            "paused": "paused" if candidate.record.paused else "",
            "command": candidate.record.command,
        }
        for candidate in preview.candidates
    ]
    show_table(
        rows,
        "The tasks of the files",
        {
            "verdict": chips("Result", VERDICTS, 95),
            "name": column.TextColumn("Name", pinned=True),
            "schedule": column.TextColumn("Schedule", width=110),
            "words": column.TextColumn("Meaning"),
            "command": column.TextColumn("Command", width="large"),
            "paused": column.TextColumn("State", width=80),
            "reason": column.TextColumn("Reason", width=260),
        },
        rows=15,
        column_order=_columns(rows),
    )


def _columns(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """Return the columns to show: those of details only if a row has some."""
    optional = ("paused", "reason")
    return [name for name in rows[0] if name not in optional or any(row[name] for row in rows)]


def _dialect() -> Dialect:
    return tasks.current(environment()).dialect


def _import(file: TaskFile, with_duplicates: bool, database_only: bool) -> None:
    done = act(
        import_file,
        environment(),
        ACTOR,
        file,
        with_duplicates=with_duplicates,
        system_managed=False if database_only else None,
    )
    if done is None:
        return
    begin_again("files")
    st.session_state["file-result"] = done
    report_applied(done.applied, f"Imported {counted(len(done.tasks), 'task')}")


def _show_result() -> None:
    done: FileImport | None = st.session_state.get("file-result")
    if done is None:
        return
    with st.container(border=True, key="file-import-result"):
        parts = [f"Imported {counted(len(done.tasks), 'task')}."]
        if done.skipped:
            parts.append(f"Skipped {counted(len(done.skipped), 'duplicate')}.")
        st.markdown(f":green[:material/check:] {plain(' '.join(parts))}")
        show_remarks("Not imported", done.errors, _REMARKS)
        show_remarks("Not carried over", done.notes, _REMARKS)
        failures = [Remark(reason, name=name) for name, reason in _failures(done)]
        show_remarks("Not in the crontab", failures, _REMARKS)
        with st.container(horizontal=True):
            if done.tasks:
                link_new_tasks(task.id for task in done.tasks)
            st.button(
                "Dismiss",
                type="tertiary",
                key="dismiss-file-import",
                on_click=st.session_state.pop,
                args=("file-result", None),
            )


def _failures(done: FileImport) -> list[tuple[str, str]]:
    names = {task.id: task.name for task in done.tasks}
    return [(names.get(number, ""), reason) for number, reason in done.failures.items()]
