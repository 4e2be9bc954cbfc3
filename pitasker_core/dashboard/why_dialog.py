"""The dialog that answers: why did it not run?"""

from collections.abc import Mapping

import streamlit as st

from pitasker_core.base.errors import PiTaskerError
from pitasker_core.dashboard.dialogs import open_dialog
from pitasker_core.dashboard.markdown import bold, plain
from pitasker_core.dashboard.session import environment
from pitasker_core.dashboard.task_grid import WHY
from pitasker_core.runs.why import Answer, Check, Verdict, gathering
from pitasker_core.tasks import Task

_SIGNS = {
    Verdict.BAD: ":red[:material/error:]",
    Verdict.UNKNOWN: ":orange[:material/help:]",
    Verdict.OK: ":green[:material/check:]",
}


def why_dialog(task: Task) -> None:
    """Ask for the dialog: the next run of the page opens it."""
    st.session_state.why = task.id


def show_why(tasks: Mapping[int, Task]) -> None:
    """Open the dialog that was asked for: the reason in a sentence, and all that was looked at."""
    task = tasks.get(st.session_state.pop("why", 0))
    if task:
        open_dialog(f"{WHY} {task.name}", _draw, task, width="large")


def _draw(task: Task) -> None:
    try:
        with st.spinner("Looking …"):
            found = gathering.explain(environment(), task.id)
    except PiTaskerError as problem:
        st.error(plain(problem.user_message), icon=":material/error:")
        return
    _conclude(found)
    for verdict in (Verdict.BAD, Verdict.UNKNOWN):
        for check in found.checks:
            if check.verdict is verdict:
                _show(check)
    in_order = [check for check in found.checks if check.verdict is Verdict.OK]
    if in_order:
        st.markdown(f"**In order: {len(in_order)}**")
        st.markdown("  \n".join(_said(check) for check in in_order))


def _conclude(found: Answer) -> None:
    draw, icon = (st.success, "check_circle") if found.in_order else (st.error, "error")
    draw(bold(found.conclusion), icon=f":material/{icon}:")


def _show(check: Check) -> None:
    with st.container(border=True):
        advice = f"  \n{plain(check.advice)}" if check.advice else ""
        st.markdown(f"{_said(check)}{advice}")
        if check.command:
            st.code(check.command, language="bash", wrap_lines=True)


def _said(check: Check) -> str:
    return f"{_SIGNS[check.verdict]} {bold(check.name)}: {plain(check.evidence)}"
