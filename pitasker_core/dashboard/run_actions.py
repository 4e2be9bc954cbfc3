"""What a person can do about a run: run it again, ask why, fix its command, record its runs."""

import streamlit as st

from pitasker_core import tasks
from pitasker_core.dashboard.messages import act, add_notice, report_applied
from pitasker_core.dashboard.run_live import take_in
from pitasker_core.dashboard.session import ACTOR, environment, is_phone
from pitasker_core.dashboard.task_findings import show_findings
from pitasker_core.dashboard.task_grid import WHY
from pitasker_core.dashboard.why_dialog import why_dialog
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.runs import history, manual
from pitasker_core.runs.history import Run
from pitasker_core.runs.model import RunSource, RunState
from pitasker_core.tasks import Task

_BROKEN = (RunState.FAILED, RunState.MISSED)


def show_actions(run: Run, task: Task | None) -> None:
    """Draw the buttons of a run. `task` is None if the entry is unmanaged or the task deleted."""
    _offer_recording(run, task)
    if task is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if write_button(
            "Run now" if run.state == RunState.MISSED else "Run again",
            key=f"again-{run.id}",
            icon=":material/play_arrow:",
            disabled=run.state == RunState.RUNNING,
        ):
            _run_again(task)
        if run.state in _BROKEN and st.button(WHY, key=f"why-{run.id}", icon=":material/help:"):
            why_dialog(task)
            st.rerun()
        if st.button("Open task", key=f"open-{run.id}", type="tertiary"):
            st.switch_page("pages/tasks.py", query_params={"task": str(task.id)})
    if run.state in _BROKEN:
        # Those of the entry as it is now, which may have been fixed since the run.
        show_findings(task)


def _run_again(task: Task) -> None:
    name = act(manual.start, environment(), ACTOR, task)
    take_in()
    if name:
        add_notice("done", f"Started {task.name}.")
        if is_phone():
            # The page of the task shows the output as it comes.
            st.switch_page("pages/tasks.py", query_params={"task": str(task.id)})
        if new := history.named(environment(), name):
            st.query_params["run"] = str(new.id)
    st.rerun()


def _offer_recording(run: Run, task: Task | None) -> None:
    if run.source != RunSource.OBSERVED or run.exit_code is not None:
        return
    if task is None:
        st.caption("Only its start was seen, in cron's log. Import the entry to record its runs.")
        return
    if task.record_runs:
        st.caption("Only its start was seen, in cron's log. The next runs are recorded.")
        return
    st.caption("Only its start was seen, in cron's log. Record the runs to see results and output.")
    if write_button(
        "Record its runs", key=f"record-{run.id}", icon=":material/fiber_manual_record:"
    ):
        done = act(tasks.change, environment(), ACTOR, task.id, record_runs=True)
        report_applied(done, f"Recording the runs of {task.name}")
        st.rerun()
