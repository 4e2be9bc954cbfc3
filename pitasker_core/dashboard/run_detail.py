"""The details of a run: its facts, its output, and a comparison with another run's output."""

from collections.abc import Mapping
from functools import lru_cache

import streamlit as st

from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import visible
from pitasker_core.crontab.difference import difference
from pitasker_core.dashboard import run_list, terminal_output
from pitasker_core.dashboard.markdown import bold, plain
from pitasker_core.dashboard.run_actions import show_actions
from pitasker_core.dashboard.session import environment
from pitasker_core.dashboard.times import time_text
from pitasker_core.runs import history
from pitasker_core.runs.history import Run
from pitasker_core.runs.model import RunSource, RunState
from pitasker_core.tasks import Task

SHOWN = 2_000
"""The maximum number of lines on a page. More lines make a browser slow."""

_COMPARED = 2_000
"""The maximum number of compared lines. Comparing more takes a small machine too long."""


def show_run(number: int, by_id: Mapping[int, Task]) -> None:
    """Draw a run: what became of it, what can be done, its output, and its facts."""
    try:
        run = history.run(environment(), number)
    except PiTaskerError as problem:
        st.warning(plain(problem.user_message))
        return
    label, color, icon = run_list.STATES[run.state]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":{color}-badge[{icon} {label}]", width="content")
        st.markdown(f"{bold(run.task_name)}, run {run.id}: {plain(run.result)}", width="stretch")
        st.button("Close", type="tertiary", icon=":material/close:", on_click=_close)
    if run.slow:
        st.caption(":orange[:material/hourglass_top:] This run took much longer than usual.")
    show_actions(run, by_id.get(run.task or 0))
    _show_output(run)
    facts = run_list.facts(run)
    st.caption(" · ".join(f"{plain(name)} {bold(value)}" for name, value in facts))


def _close() -> None:
    """Show no run."""
    st.query_params.pop("run", None)
    # The table gets a new key, so that no row is selected.
    st.session_state.runs_closed = st.session_state.get("runs_closed", 0) + 1


@lru_cache(maxsize=8)
def _lines(output: bytes) -> list[terminal_output.Line]:
    return terminal_output.lines(output)


def _show_output(run: Run) -> None:
    if run.state == RunState.RUNNING:
        st.caption("The run goes on. Its output is shown below as it comes.")
        return
    if not run.has_output and run.source in (RunSource.OBSERVED, RunSource.MISSED):
        return
    output = history.output(environment(), run.id)
    if not output:
        st.caption("No output." if not run.bytes else "The output was deleted.")
        return
    lines = _lines(output)
    with st.container(horizontal=True, vertical_alignment="center"):
        find = st.text_input(
            "Find in the output",
            placeholder="Find in the output",
            icon=":material/search:",
            label_visibility="collapsed",
            width=200,
            key=f"find-{run.id}",
        )
        only_matches = find and st.toggle("Only matching lines", value=True, key=f"alone-{run.id}")
        st.download_button(
            "Download",
            output,
            file_name=f"run-{run.id}.txt",
            mime="text/plain",
            icon=":material/download:",
            on_click="ignore",
            help="The stored output, byte for byte.",
        )
    matches = terminal_output.with_words(lines, find)
    if find:
        st.caption(f"{len(matches)} of {len(lines)} lines match.")
    if run.bytes > len(output):
        st.caption(
            f"The run printed {run_list.size(run.bytes)}. PiTasker stored the beginning and the "
            f"end, {run_list.size(len(output))} in all. A line marks the gap."
        )
    drawn = matches if only_matches else terminal_output.with_words(lines, "")
    if len(drawn) > SHOWN:
        st.caption(f"These are the last {SHOWN} of {len(drawn)} lines. The download has them all.")
    st.html(terminal_output.style_sheet())
    st.html(terminal_output.html(drawn[-SHOWN:], find, numbers=bool(find)))
    _compare(run, output)


def _compare(run: Run, output: bytes) -> None:
    """Draw the difference between this output and that of another run of the task."""
    others = {other.id: other for other in history.others(environment(), run)}
    if not others:
        return
    picked = st.selectbox(
        "Compare with the output of another run",
        list(others),
        index=None,
        placeholder="Choose a run. The previous run is the first",
        format_func=lambda number: _named(others[number]),
        key=f"compare-{run.id}",
        width=420,
    )
    if picked is None:
        return
    before = terminal_output.text(history.output(environment(), picked))
    proof = difference(_first(before), _first(terminal_output.text(output)))
    st.caption(plain(f"From that run to this run: {proof}."))
    if proof:
        st.code(proof.text, language="diff", wrap_lines=True)


def _named(run: Run) -> str:
    return f"Run {run.id} of {time_text(run.started_at)}: {visible(run.result)}"


def _first(text: str) -> str:
    return "\n".join(text.removesuffix("\n").split("\n")[:_COMPARED])
