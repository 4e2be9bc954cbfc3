"""The runs that go on now: their output as it comes, and a button to stop them."""

from contextlib import suppress

import streamlit as st

from pitasker_core.base import clock
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.dashboard import terminal_output
from pitasker_core.dashboard.markdown import bold
from pitasker_core.dashboard.messages import act, add_notice
from pitasker_core.dashboard.problems import guarded
from pitasker_core.dashboard.session import environment
from pitasker_core.dashboard.times import lasted
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.runs import history, manual, spool
from pitasker_core.runs.history import Run

_RUNNING, _QUIET = 1.0, 4.0
"""Seconds between two refreshes while a run goes on, and while none does."""

_TAIL = 200
"""The number of last lines shown of a run's output."""

_AT_ONCE = 5
"""The maximum number of runs shown at the same time."""


def take_in() -> None:
    """Collect the recorders' files. A read-only session does not."""
    if not environment().read_only:
        with suppress(PiTaskerError, OSError):  # the page and the background report errors
            spool.collect(environment())


def show_running(task: int | None) -> None:
    """Draw the runs that go on, of one task or of all. They refresh automatically.

    The whole page is drawn again when a run begins or ends.
    """
    st.session_state.runs_seen = history.newest(environment())
    _, running = st.session_state.runs_seen
    st.fragment(_watch, run_every=_RUNNING if running else _QUIET)(task)


def _watch(task: int | None) -> None:
    guarded(lambda: _look(task))


def _look(task: int | None) -> None:
    take_in()
    try:
        newest = history.newest(environment())
        if newest != st.session_state.get("runs_seen"):
            st.rerun()
        if not newest[1]:
            return
        runs = history.runs(environment(), _AT_ONCE + 1, task, "Running")
    except PiTaskerError:
        return  # the page itself reports the error
    for run in runs[:_AT_ONCE]:
        _show(run)
    if len(runs) > _AT_ONCE:
        st.caption("More runs are going on: choose a task to see only its runs.")


def _show(run: Run) -> None:
    with st.container(border=True, key=f"running-{run.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f":blue[:material/pending:] {bold(run.task_name)} has been running for "
                f"{lasted(clock.now() - run.started_at)}",
                width="content",
            )
            if run.name:
                write_button(
                    "Stop",
                    icon=":material/stop_circle:",
                    key=f"stop-{run.id}",
                    on_click=_stop,
                    args=(run,),
                    help="Sends SIGTERM to the run.",
                )
        printed = history.output(environment(), run.id)
        if printed:
            tail = terminal_output.with_words(terminal_output.lines(printed), "")[-_TAIL:]
            st.html(terminal_output.style_sheet())
            st.html(f'<div class="live">{terminal_output.html(tail)}</div>')
        else:
            st.caption("It has printed nothing yet.")


def _stop(run: Run) -> None:
    act(manual.stop, environment(), run.name or "")
    add_notice("done", f"Stopping {run.task_name}.")
