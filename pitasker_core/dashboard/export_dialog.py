"""The dialog that exports tasks as a file."""

from collections.abc import Sequence

import streamlit as st

from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import counted
from pitasker_core.dashboard.dialogs import open_dialog
from pitasker_core.dashboard.markdown import bold, plain
from pitasker_core.dashboard.session import environment
from pitasker_core.formats.icalendar_file import MOST_WEEKS, WEEKS
from pitasker_core.formats.record import Remark
from pitasker_core.formats.registry import Target
from pitasker_core.tasks import Task
from pitasker_core.tasks.file_export import ExportedFile, export_file

FORMATS = {
    Target.JSON: ("JSON", "Complete. PiTasker reads it back."),
    Target.YAML: ("YAML", "Complete, and easy to edit. PiTasker reads it back."),
    Target.CSV: ("CSV", "For a spreadsheet. PiTasker reads it back."),
    Target.CRONTAB: ("crontab", "Plain lines for any cron, without tags and recorder."),
    Target.SYSTEMD: ("systemd timers", "A timer and a service for each task, in a zip file."),
    Target.ICAL: ("Calendar", "The next runs as iCalendar (.ics), for a calendar program."),
}

_NOTES = 12
"""The maximum number of notes in the dialog."""


def open_export(chosen: Sequence[Task], total: int) -> None:
    """Open the dialog, for the chosen tasks or for all."""
    open_dialog("Export tasks", _show, [task.id for task in chosen], total)


def _show(numbers: list[int], total: int) -> None:
    count = counted(len(numbers) or total, "task")
    st.markdown(f"{count} selected." if numbers else f"All {count}.")
    target = st.selectbox(
        "Format",
        list(FORMATS),
        format_func=lambda target: FORMATS[target][0],
        key="export-format",
    )
    st.caption(FORMATS[target][1])
    weeks = WEEKS
    if target is Target.ICAL:
        weeks = st.number_input("Weeks from now", 1, MOST_WEEKS, WEEKS, key="export-weeks")
    try:
        exported = export_file(environment(), target, numbers or None, weeks)
    except PiTaskerError as problem:
        st.error(plain(problem.user_message), icon=":material/error:")
        return
    show_remarks("Not carried over", exported.notes, _NOTES)
    _offer(exported)


def _offer(exported: ExportedFile) -> None:
    st.download_button(
        plain(f"Download {exported.name}"),
        exported.data,
        exported.name,
        exported.media_type,
        type="primary",
        icon=":material/download:",
        on_click="ignore",
    )


def show_remarks(title: str, remarks: Sequence[Remark], most: int) -> None:
    """Draw remarks below a title, if there are any."""
    if not remarks:
        return
    st.markdown(f":orange[:material/warning:] {bold(title)}")
    st.markdown("\n".join(f"- {plain(str(remark))}" for remark in remarks[:most]))
    if len(remarks) > most:
        st.caption(f"and {len(remarks[most:])} more")
