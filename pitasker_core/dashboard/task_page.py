"""The page of a task: its form, findings, next runs, history and facts."""

from datetime import timedelta
from statistics import median

import streamlit as st

from pitasker_core.base import clock
from pitasker_core.crontab import environment_lines
from pitasker_core.dashboard import run_list, run_live, states, task_grid, terminal_output
from pitasker_core.dashboard.bulk import confirm_delete, run_now
from pitasker_core.dashboard.cells import chips, show_table
from pitasker_core.dashboard.execution_dialog import ask_execution
from pitasker_core.dashboard.markdown import code, plain
from pitasker_core.dashboard.schedule_answer import browser_text
from pitasker_core.dashboard.session import browser_zone, environment
from pitasker_core.dashboard.task_actions import switch_task
from pitasker_core.dashboard.task_draft import form_of
from pitasker_core.dashboard.task_findings import show_findings
from pitasker_core.dashboard.task_form import show_form
from pitasker_core.dashboard.task_grid import Shown
from pitasker_core.dashboard.times import ago, clock_text, lasted, time_text
from pitasker_core.dashboard.why_dialog import why_dialog
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.runs import history, spans
from pitasker_core.runs.history import Run
from pitasker_core.runs.model import RunState
from pitasker_core.tasks import Listing, Task

_RUNS = 6
"""The number of runs in the list."""

_TAIL = 30
"""The number of lines of the last output."""


def show_new(like: Task | None) -> None:
    """Draw the page of a new task, perhaps a copy of `like`."""
    _show_way_back()
    st.header("New task", anchor=False)
    with st.container(width=760):
        show_form(form_of(None, like))


def show_task(task: Task, listing: Listing) -> None:
    """Draw the page of a task."""
    _show_way_back()
    _show_title(task, listing)
    left, right = st.columns([5, 4], gap="large")
    with left:
        show_form(form_of(task), lambda: show_findings(task, listing.comparison))
    with right:
        _show_next_runs(task, listing)
        _show_history(task)
        _show_facts(task, listing)


def _show_way_back() -> None:
    st.button(
        "All tasks",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=st.query_params.clear,
    )


def _show_title(task: Task, listing: Listing) -> None:
    shown = Shown(listing, {}, {}, clock.now(), clock.system_zone())
    chip = shown.chip(task)
    label, color, icon = shown.result(task)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="task-title"):
        st.header(plain(task.name), anchor=False, width="content")
        st.badge(chip, color=states.SYNC[chip])
        st.badge(label, color=color, icon=icon or None)
        st.space("stretch")
        if write_button("Run now", icon=":material/play_arrow:"):
            run_now([task])
        write_button(
            "Resume" if task.paused else "Pause",
            icon=":material/play_circle:" if task.paused else ":material/pause:",
            on_click=switch_task,
            args=(task,),
            kwargs={"on": task.paused},
        )
        if st.button(task_grid.WHY, icon=":material/help:"):
            why_dialog(task)
        if st.button(task_grid.TRY, icon=":material/terminal:"):
            ask_execution(task)
        if write_button("Delete", icon=":material/delete:", type="tertiary"):
            confirm_delete([task])
    if listing.details[task.id]:
        st.caption(f":orange[:material/warning:] {plain(listing.details[task.id])}")


# --- Runs ------------------------------------------------------------------------------------


def _show_next_runs(task: Task, listing: Listing) -> None:
    schedule = listing.cron_schedule(task)
    st.markdown("**Next runs**")
    runs = task_grid.runs_of(task, listing, 5)
    if not runs:
        st.caption(f"None: {_why_none(task, schedule)}.")
        return
    now, zone = clock.now(), clock.system_zone()
    times = " · ".join(plain(clock_text(run, now, zone)) for run in runs)
    st.markdown(f"{times}")
    st.caption(f"The first {ago(runs[0], now)}, by the clock of {plain(zone.key)}.")
    if there := browser_text(runs, browser_zone(), now):
        st.caption(plain(there))


def _why_none(task: Task, schedule: str | None) -> str:
    if task.paused:
        return "the task is paused"
    if not schedule:
        return "the task is not in the crontab"
    return "it runs at system start" if schedule == "@reboot" else "no day fits"


def _show_history(task: Task) -> None:
    run_live.show_running(task.id)
    runs = history.runs(environment(), _RUNS, task.id)
    st.markdown("**Last runs**")
    if not runs:
        st.caption("No runs yet.")
        return
    recent = spans.recent(environment(), task_grid.HISTORY).get(task.id)
    bars = task_grid.bars(recent)
    durations = [seconds for seconds in (recent.seconds if recent else ()) if seconds is not None]
    if len(durations) > 1:
        st.metric(
            f"Usual duration, last {len(bars)} runs",
            lasted(timedelta(seconds=median(durations))),
            chart_data=bars,
            chart_type="bar",
            border=True,
        )
    _show_runs(runs)
    # Also for the keyboard: the list of runs takes keys, the cells with buttons do not.
    st.page_link(
        "pages/runs.py",
        label="All runs",
        icon=":material/history:",
        query_params={"task": str(task.id)},
    )
    _show_output(next((run for run in runs if run.has_output), None))


def _show_runs(runs: list[Run]) -> None:

    now, zone = clock.now(), clock.system_zone()
    column = st.column_config
    st.session_state.task_runs = [run.id for run in runs]
    show_table(
        {
            "at": [clock_text(run.started_at, now, zone) for run in runs],
            "state": [[states.RUN[run.state][0]] for run in runs],
            "took": [lasted(run.duration) if run.duration else "" for run in runs],
            "result": [run_list.details(run) for run in runs],
            "view": ["View" for _ in runs],
        },
        "The last runs of the task",
        {
            "at": column.TextColumn("Start", width=105),
            "state": chips("Result", states.RUN_CHIPS, 85),
            "took": column.TextColumn("Duration", width=80),
            "result": column.TextColumn("Details"),
            "view": column.ButtonColumn("Output", key="view_run", on_click=_view, width=70),
        },
    )
    if number := st.session_state.pop("viewed_run", None):
        st.switch_page("pages/runs.py", query_params={"run": str(number)})


def _view() -> None:
    st.session_state.viewed_run = st.session_state.task_runs[st.session_state.view_run["row"]]


def _show_output(run: Run | None) -> None:
    if run is None or run.state == RunState.RUNNING:
        return
    output = history.output(environment(), run.id)
    lines = terminal_output.with_words(terminal_output.lines(output), "")[-_TAIL:]
    if lines:
        size = run_list.size(run.bytes)
        st.markdown(f"**Last output** {ago(run.started_at, clock.now())}, {size}")
        st.html(terminal_output.style_sheet())
        st.html(f'<div class="printed">{terminal_output.html(lines)}</div>')


# --- Facts -----------------------------------------------------------------------------------


def _show_facts(task: Task, listing: Listing) -> None:
    compared = listing.comparison
    places = compared.document.by_tag.get(task.tag, []) if compared and task.tag else []
    with st.expander("Environment and facts"):
        if compared and places:
            st.markdown(f"The entry is line {places[0] + 1:d} of the crontab. cron sets:")
            variables = {"SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
            for _, line in environment_lines.lines_for(compared.document, places[0]):
                variables[line.name] = line.value
            st.markdown("  \n".join(code(f"{name}={value}") for name, value in variables.items()))
        facts = [
            f"Created {time_text(task.created_at)}",
            f"Changed {time_text(task.updated_at)}",
            f"Last in sync {time_text(task.synced_at)}" if task.synced_at else "",
            f"Tag {task.tag}" if task.tag else "",
            f"Source {task_grid.SOURCES.get(task.source, task.source)}",
            f"Address of this page: /tasks?task={task.id}",
        ]
        st.caption("  \n".join(plain(fact) for fact in facts if fact))
