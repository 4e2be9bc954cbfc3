"""The result of an import, shown above the table until it is dismissed."""

from collections.abc import Iterable, Sequence

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base.text import Text, counted
from pitasker_core.dashboard import id_ranges
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.messages import act, report_applied
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.sync.importing import ImportResult
from pitasker_core.tasks import Edit, Task

NAMES = 8
"""The maximum number of names in the sentence."""


def summary(result: ImportResult, new_tasks: Sequence[Task]) -> str:
    """Return the result as a sentence, with the names of the new tasks."""
    parts = []
    if result.imported:
        names = ", ".join(task.name for task in new_tasks[:NAMES])
        more = len(result.imported) - len(new_tasks[:NAMES])
        rest = f" and {more} more" if more and names else ""
        listed = f": {names}{rest}" if names else ""
        parts.append(f"Imported {counted(len(result.imported), 'entry', 'entries')}{listed}.")
    if result.updated:
        parts.append(f"Updated {counted(len(result.updated), 'task')}.")
    if result.skipped:
        parts.append(f"Skipped {counted(len(result.skipped), 'entry', 'entries')}.")
    if result.errors:
        parts.append(f"{counted(len(result.errors), 'entry', 'entries')} cannot be imported.")
    return " ".join(parts) or "Nothing was imported."


def keep(result: ImportResult) -> None:
    """Keep a result until it is dismissed. The page shows it."""
    st.session_state.import_result = result


def show(all_tasks: Sequence[Task]) -> None:
    """Draw the last result and the next steps."""
    result: ImportResult | None = st.session_state.get("import_result")
    if result is None:
        return
    new_tasks = [task for task in all_tasks if task.id in set(result.imported)]
    unrecorded = [task for task in new_tasks if task.system_managed and not task.record_runs]
    with st.container(border=True, key="import-result"):
        icon = ":orange[:material/warning:]" if result.errors else ":green[:material/check:]"
        st.markdown(f"{icon} {plain(summary(result, new_tasks))}")
        for line, reason in sorted(result.skipped.items()):
            st.caption(plain(Text(f"Line {line} was skipped: ", reason)))
        for line, reason in sorted(result.errors.items()):
            st.caption(f":red[{plain(Text(f'Line {line}: ', reason))}]")
        if unrecorded:
            st.caption(
                "Record their runs? Then PiTasker shows the result, output and duration of each "
                "run, and reports failures."
            )
        with st.container(horizontal=True, vertical_alignment="center"):
            if unrecorded:
                write_button(
                    "Record their runs",
                    type="primary",
                    icon=":material/radio_button_checked:",
                    on_click=_record,
                    args=(unrecorded,),
                )
            if new_tasks:
                link_new_tasks(result.imported)
            st.button(
                "Dismiss",
                type="tertiary",
                key="dismiss-import",
                on_click=st.session_state.pop,
                args=("import_result", None),
            )


def link_new_tasks(numbers: Iterable[int]) -> None:
    """Draw the link to imported tasks."""
    st.page_link(
        "pages/tasks.py",
        label="Show the new tasks",
        icon=":material/checklist:",
        query_params={"only": id_ranges.write(numbers)},
    )


def _record(unrecorded: Sequence[Task]) -> None:
    edits = [Edit(task.id, task.version, {"record_runs": True}) for task in unrecorded]
    what = f"Recording the runs of {counted(len(edits), 'task')}"
    report_applied(act(tasks.apply, environment(), ACTOR, edits), what)
