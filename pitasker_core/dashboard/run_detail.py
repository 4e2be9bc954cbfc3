"""One run: what became of it, what it printed, and how that differs from another run."""

from functools import lru_cache

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import visible
from pitasker_core.crontab.difference import difference
from pitasker_core.dashboard import run_list, terminal_output
from pitasker_core.dashboard.markdown import bold, plain
from pitasker_core.dashboard.messages import act, report_applied
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.times import time_text
from pitasker_core.runs import history
from pitasker_core.runs.history import Run

SHOWN = 2_000
"""Lines of output that a page shows at once: more make a browser slow."""

_COMPARED = 2_000
"""Lines of each output that are compared: with more a small machine would think for long."""


def show_run(number: int) -> None:
    """A run, in a frame of its own."""
    try:
        run = history.run(environment(), number)
    except PiTaskerError as problem:
        st.warning(plain(problem.user_message))
        return
    label, color, icon = run_list.STATES[run.state]
    with st.container(border=True, key="run"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":{color}-badge[{icon} {label}]", width="content")
            st.markdown(
                f"{bold(run.task_name)}, run {run.id}: {plain(run.result)}",
                width="content",
            )
            st.button("Close", type="tertiary", on_click=_close)
        facts = " · ".join(f"{plain(name)} {bold(value)}" for name, value in run_list.facts(run))
        st.caption(facts)
        if run.slow:
            st.caption(":orange[:material/hourglass_top:] It took much longer than is usual.")
        _show_what_to_do(run)
        _show_output(run)


def _close() -> None:
    st.query_params.pop("run", None)
    # A table of its own, in which no row is chosen.
    st.session_state.runs_closed = st.session_state.get("runs_closed", 0) + 1


def _show_what_to_do(run: Run) -> None:
    if run.source == "observed" and run.task is not None and run.exit_code is None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                "Only its start was seen, in cron's log. How it ended and what it printed is known "
                "of recorded runs.",
                width="content",
            )
            st.button(
                "Record its runs",
                disabled=environment().read_only,
                icon=":material/fiber_manual_record:",
                on_click=_record,
                args=(run,),
            )
    elif run.source == "observed":
        st.caption("Only its start was seen, in cron's log. Import the entry to record its runs.")


def _record(run: Run) -> None:
    if run.task is not None:
        done = act(tasks.change, environment(), ACTOR, run.task, record_runs=True)
        report_applied(done, f"The runs of {run.task_name} are recorded from now on")


@lru_cache(maxsize=8)
def _lines(output: bytes) -> list[terminal_output.Line]:
    return terminal_output.lines(output)


def _show_output(run: Run) -> None:
    if run.state == "running":
        st.caption("It goes on: what it prints is shown above as it comes.")
        return
    if not run.has_output and run.source in ("observed", "missed"):
        return
    output = history.output(environment(), run.id)
    if not output:
        st.caption(
            "It printed nothing." if not run.bytes else "What it printed is not kept any more."
        )
        return
    found = _lines(output)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        find = st.text_input(
            "Find in what it printed",
            placeholder="Find in what it printed",
            icon=":material/search:",
            label_visibility="collapsed",
            width=260,
            key=f"find-{run.id}",
        )
        alone = st.toggle("Only lines with it", value=True, key=f"alone-{run.id}")
        st.download_button(
            "Download",
            output,
            file_name=f"run-{run.id}.txt",
            mime="text/plain",
            icon=":material/download:",
            on_click="ignore",
            help="What is kept of it, byte for byte.",
        )
    hits = terminal_output.with_words(found, find)
    if find:
        st.caption(f"{len(hits)} of {len(found)} lines have it.")
    if run.bytes > len(output):
        kept = run_list.size(len(output))
        st.caption(
            f"It printed {run_list.size(run.bytes)}; its beginning and its end are kept, {kept} "
            "in all. What was between them is left out where it says so."
        )
    drawn = hits if find and alone else terminal_output.with_words(found, "")
    if len(drawn) > SHOWN:
        st.caption(f"These are the last {SHOWN} of {len(drawn)} lines. The download has them all.")
    st.html(terminal_output.style_sheet())
    st.html(terminal_output.html(drawn[-SHOWN:], find, numbers=bool(find)))
    _compare(run, output)


def _compare(run: Run, output: bytes) -> None:
    """This output beside that of another run of the task."""
    others = {other.id: other for other in history.others(environment(), run)}
    if not others:
        return
    picked = st.selectbox(
        "Compare with what another run printed",
        list(others),
        index=None,
        placeholder="Choose a run: the first is the one before",
        format_func=lambda number: _named(others[number]),
        key=f"compare-{run.id}",
        width=420,
    )
    if picked is None:
        return
    before = terminal_output.text(history.output(environment(), picked))
    proof = difference(_first(before), _first(terminal_output.text(output)))
    st.caption(plain(f"From that run to this one: {proof}."))
    if proof:
        st.code(proof.text, language="diff")


def _named(run: Run) -> str:
    return f"Run {run.id} of {time_text(run.started_at)}: {visible(run_list.result(run))}"


def _first(text: str) -> str:
    return "\n".join(text.removesuffix("\n").split("\n")[:_COMPARED])
