"""The dialog that explains why a task did not run."""

from collections.abc import Mapping

import streamlit as st

from pitasker_core.base.errors import PiTaskerError
from pitasker_core.dashboard.dialogs import open_dialog
from pitasker_core.dashboard.markdown import bold, plain
from pitasker_core.dashboard.session import environment
from pitasker_core.dashboard.task_grid import WHY
from pitasker_core.runs.why import Check, Verdict, gathering
from pitasker_core.tasks import Task

_SIGNS = {
    Verdict.BAD: ":red[:material/error:]",
    Verdict.UNKNOWN: ":orange[:material/help:]",
    Verdict.OK: ":green[:material/check:]",
}


def why_dialog(task: Task) -> None:
    """Open the dialog at the next run of the page."""
    st.session_state.why = task.id


def show_why(tasks: Mapping[int, Task]) -> None:
    """Open the requested dialog: the reason in a sentence, and every check."""
    task = tasks.get(st.session_state.pop("why", 0))
    if task:
        open_dialog(f"{WHY} {task.name}", _draw, task, width="large")


def _draw(task: Task) -> None:
    try:
        with st.spinner("Checking …"):
            answer = gathering.explain(environment(), task.id)
    except PiTaskerError as problem:
        st.error(plain(problem.user_message), icon=":material/error:")
        return
    draw, icon = (st.success, "check_circle") if answer.in_order else (st.error, "error")
    draw(bold(answer.conclusion), icon=f":material/{icon}:")
    for verdict in (Verdict.BAD, Verdict.UNKNOWN):
        for check in answer.checks:
            if check.verdict is verdict:
                _show(check)
    passed = [check for check in answer.checks if check.verdict is Verdict.OK]
    if passed:
        st.markdown(f"**Passed: {len(passed)}**")
        st.markdown("  \n".join(_sentence(check) for check in passed))


def _show(check: Check) -> None:
    with st.container(border=True):
        advice = f"  \n{plain(check.advice)}" if check.advice else ""
        st.markdown(f"{_sentence(check)}{advice}")
        if check.command:
            st.code(check.command, language="bash", wrap_lines=True)


def _sentence(check: Check) -> str:
    return f"{_SIGNS[check.verdict]} {bold(check.name)}: {plain(check.evidence)}"
