"""Runs: results, output and missed runs."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.text import Text, as_id
from pitasker_core.dashboard import run_charts, run_list, states
from pitasker_core.dashboard.cells import chips, show_choices
from pitasker_core.dashboard.choice import choose, choose_since
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.run_detail import show_run
from pitasker_core.dashboard.run_live import show_running, take_in
from pitasker_core.dashboard.run_offer import show_offer
from pitasker_core.dashboard.session import environment, is_phone
from pitasker_core.dashboard.why_dialog import show_why
from pitasker_core.runs import durations, history, run_statistics
from pitasker_core.runs.cron_log.log_source import Unreadable, find_log
from pitasker_core.runs.history import Run
from pitasker_core.tasks import Task

HEIGHT = 460
"""Pixels of the list, and of the chosen run beside it."""

PAGE = 200
"""The number of runs listed at first, and added by "Show more"."""


def main() -> None:
    take_in()
    run = as_id(st.query_params.get("run", ""))
    by_id = {task.id: task for task in tasks.current(environment()).tasks}
    if run is not None and is_phone():
        # A list above the run would hide it, and one below it is out of reach.
        show_run(run, by_id)
        show_why(by_id)
        return
    names = history.names(environment())
    task = _task(names)
    show_offer()
    if history.newest(environment())[0] is None:
        _show_nothing_seen()
        show_running(task)
        return
    kind, since = _filters(names)
    _show_figures(task, since)
    _show_charts(task, since)
    # Both have their place from the beginning, so that choosing a run moves nothing.
    left, right = st.columns([6, 5], gap="small")
    with left:
        _show_table(task, kind, since)
    with right:
        _show_panel(by_id)
        show_running(task)
    show_why(by_id)


def _show_panel(by_id: dict[int, Task]) -> None:
    run = as_id(st.query_params.get("run", ""))
    # A phone shows a chosen run alone, and needs no place for it.
    if is_phone():
        return
    with st.container(border=True, height=HEIGHT, key="run"):
        if run is None:
            st.caption("Choose a run to see its output.")
        else:
            show_run(run, by_id)


def _task(names: dict[int, str]) -> int | None:
    """Return the task in the address, and select it on the page."""
    address = st.query_params.get("task", "")
    number = as_id(address)
    task = number if number in names else None
    if st.session_state.get("runs_address") != address:
        st.session_state.runs_address = address
        st.session_state.runs_task = task
    if number and task is None:
        st.warning("This task does not exist.")
    return task


def _filters(names: dict[int, str]) -> tuple[str, datetime | None]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Task",
            list(names),
            index=None,
            format_func=names.__getitem__,
            placeholder="All tasks",
            label_visibility="collapsed",
            key="runs_task",
            on_change=_choose_task,
            width=260,
        )
        kind = choose("Show", history.FILTERS, "runs_kind", bind="query-params")
        return kind, choose_since("runs_period")


def _choose_task() -> None:
    task = st.session_state.runs_task
    st.query_params.pop("run", None)
    if task is None:
        st.query_params.pop("task", None)
    else:
        st.query_params["task"] = str(task)
    st.session_state.runs_address = st.query_params.get("task", "")


def _show_figures(task: int | None, since: datetime | None) -> None:
    figures = run_statistics.figures(environment(), task, since)
    with st.container(horizontal=True, key="figures-runs"):
        for name, value, explained in (
            (
                "Success rate",
                run_list.success_text(figures),
                "Of runs with a known result, and of missed runs.",
            ),
            (
                "Failed",
                figures.failed,
                "Runs that ended with an exit code other than 0, or by a signal.",
            ),
            ("Missed", figures.missed, "Times at which a task should have run but did not."),
            ("Slow", figures.slow, durations.SLOW),
        ):
            st.metric(name, value, border=True, width=140, help=explained)
    if figures.more:
        st.caption(
            f"Figures and charts use the newest {run_statistics.COUNTED:d} runs of this period."
        )
    rate = run_statistics.bytes_per_day(environment(), task) if task is not None else 0
    if rate >= run_statistics.MUCH_OUTPUT:
        st.warning(plain(run_list.much_output(rate)), icon=":material/sd_card_alert:")


def _show_charts(task: int | None, since: datetime | None) -> None:
    # Only one chart, and only if it is open: each takes a small machine a tenth of a second.
    part = st.expander("Charts", expanded=task is not None, key="runs_charts", on_change="rerun")
    if not part.open:
        return
    zone = clock.system_zone()
    today = clock.now().astimezone(zone).date()
    kinds: dict[str, tuple[str, Callable[[], Any]]] = {
        "Per day": (
            "Runs per day by result",
            lambda: run_charts.per_day(
                run_statistics.hours(environment(), task, since, zone), today
            ),
        ),
        "Calendar": (
            "Results by hour or day. Each field has the colour of its worst run",
            lambda: run_charts.calendar(
                run_statistics.hours(environment(), task, since, zone), today
            ),
        ),
    }
    if task is None:
        kinds["By task"] = (
            "Results by task, most failures and misses first",
            lambda: run_charts.by_task(run_statistics.by_task(environment(), since)),
        )
    else:
        kinds = {
            "Durations": (
                "Duration of each run. The green band contains 80 % of the last successful runs. "
                "The dotted line is their median",
                lambda: run_charts.durations(
                    run_statistics.durations(environment(), task, since),
                    durations.now(environment(), task),
                    zone,
                ),
            ),
            **kinds,
        }
    with part:
        kind = choose("Chart", kinds, f"runs-chart-{task is None}")
        title, draw = kinds[kind]
        st.caption(title)
        st.plotly_chart(
            draw(), key=f"runs-chart-{kind}", alt=title, config={"displayModeBar": False}
        )


def _show_table(task: int | None, kind: str, since: datetime | None) -> None:
    limit = st.session_state.setdefault("runs_limit", PAGE)
    runs = history.runs(environment(), limit + 1, task, kind, since)
    more = len(runs) > limit
    runs = runs[:limit]
    if not runs:
        st.info("No run matches.", icon=":material/search_off:")
        return
    column = st.column_config
    chosen = st.query_params.get("run", "")
    row = next((row for row, run in enumerate(runs) if str(run.id) == chosen), None)
    # A new run moves all rows down. So the table gets a new key, and the run is selected again by
    # its number.
    show_choices(
        run_list.frame(runs, clock.now()),
        "Runs, newest first",
        {
            "when": column.TextColumn("When", width=85),
            "task": column.TextColumn("Task", width=150),
            "state": chips("Result", states.RUN_CHIPS, 90),
            "details": column.TextColumn("Details", width=170),
            "took": column.TextColumn("Duration", width=90),
            "source": column.TextColumn("Trigger", width=140),
            "output": column.TextColumn("Output", width=75),
            "code": column.NumberColumn("Exit code", width=75),
            "at": column.TextColumn(f"Time ({clock.system_zone().key})", width=150),
            "number": column.NumberColumn("No.", width=70, format="%d"),
        },
        key=f"runs-{runs[0].id}-{task}-{kind}-{st.session_state.get('runs_closed', 0)}",
        chosen=row,
        choose=lambda row: _choose(None if row is None else runs[row]),
        placeholder="",
        column_order=[name for name in _COLUMNS if task is None or name != "task"],
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if more:
            st.caption(f"The newest {limit:d} runs.", width="content")
            st.button("Show more", on_click=_show_more)


_COLUMNS = ("when", "task", "state", "took", "details")
"""The columns at first; the others are in the table's own menu."""


def _choose(run: Run | None) -> None:
    if run:
        st.query_params["run"] = str(run.id)
    else:
        st.query_params.pop("run", None)


def _show_more() -> None:
    st.session_state.runs_limit += PAGE


def _show_nothing_seen() -> None:
    """Explain how runs appear."""
    st.info("No runs yet.", icon=":material/history:")
    log = find_log(environment())
    if isinstance(log, Unreadable):
        reason = Text(log.message, " ", log.advice)
        observed = f"**Runs that cron starts** cannot be seen: {plain(reason)}"
    else:
        observed = (
            "**Runs that cron starts** appear here automatically, because cron's log can be read."
        )
    st.markdown(
        f"- {observed}\n"
        "- **Results and output** are recorded if you switch on *Record runs* for a task, in its "
        "details or under *Actions* on Tasks.\n"
        "- **Run now**, in the menu of a task, starts it at once. Its output appears here."
    )
    st.page_link("pages/tasks.py", label="Tasks", icon=":material/checklist:")


main()
