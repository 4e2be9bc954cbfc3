"""What runs now: its output while it comes, and a way to stop it."""

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
from pitasker_core.runs import history, manual, spool
from pitasker_core.runs.history import Run

_RUNNING, _QUIET = 1.0, 4.0
"""Seconds between two looks while something runs, and while nothing does."""

_TAIL = 200
"""Lines of output that are shown while a run goes on: the last ones."""

_AT_ONCE = 5
"""Runs whose output is shown at the same time."""


def take_in() -> None:
    """Take in what recorders left. Who may only look sees what others have taken in."""
    if not environment().read_only:
        with suppress(PiTaskerError, OSError):  # what is amiss the page, and the background, say
            spool.collect(environment())


def show_running(task: int | None) -> None:
    """The runs that go on, of one task or of all, refreshed by themselves.

    When one ends or begins the whole page is drawn again, with what became of it.
    """
    st.session_state.runs_seen = history.newest(environment())
    _, running = st.session_state.runs_seen
    st.fragment(_watch, run_every=_RUNNING if running else _QUIET)(task)


def _watch(task: int | None) -> None:
    guarded(lambda: _look(task))


def _look(task: int | None) -> None:
    take_in()
    try:
        if history.newest(environment()) != st.session_state.get("runs_seen"):
            st.rerun()
        found = history.runs(environment(), _AT_ONCE + 1, task, "Running")
    except PiTaskerError:
        return  # the page has said so, or says so when it is drawn next
    for run in found[:_AT_ONCE]:
        _show(run)
    if len(found) > _AT_ONCE:
        st.caption("More than these are running: choose a task to see its own.")


def _show(run: Run) -> None:
    with st.container(border=True, key=f"running-{run.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f":blue[:material/pending:] {bold(run.task_name)} has been running for "
                f"{lasted(clock.now() - run.started_at)}",
                width="content",
            )
            if run.name:
                st.button(
                    "Stop",
                    icon=":material/stop_circle:",
                    key=f"stop-{run.id}",
                    on_click=_stop,
                    args=(run,),
                    disabled=environment().read_only,
                    help="Asks it to end, as `kill` does.",
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
    add_notice("done", f"{run.task_name} was asked to end.")
