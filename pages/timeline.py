"""Timeline: past and planned runs in one chart, and crowded minutes."""

from datetime import timedelta

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import DatabaseError
from pitasker_core.base.text import counted
from pitasker_core.dashboard import crowding, overview, run_charts, timeline
from pitasker_core.dashboard.crowding import Crowd
from pitasker_core.dashboard.markdown import bold, code, plain
from pitasker_core.dashboard.messages import act, report_applied
from pitasker_core.dashboard.problems import show_problem
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.timeline import Planned
from pitasker_core.dashboard.times import clock_text
from pitasker_core.runs import history, spans
from pitasker_core.tasks import Listing

PERIODS = {"24 hours": timedelta(hours=12), "7 days": timedelta(days=3, hours=12)}
"""How far each choice looks back, and ahead."""

ROWS = 500


def main() -> None:
    """Draw the page."""
    try:
        listing = tasks.listing(environment())
    except DatabaseError as problem:
        show_problem(problem)
        return
    if listing.problem:
        show_problem(listing.problem)
    if not listing.tasks:
        st.info("There are no tasks yet.", icon=":material/view_timeline:")
        st.page_link("pages/overview.py", label="Overview", icon=":material/space_dashboard:")
        return
    period = st.segmented_control(
        "Period", list(PERIODS), default="24 hours", required=True, label_visibility="collapsed"
    )
    half = PERIODS[period]
    _show_chart(listing, half)
    _show_crowds(listing)
    _show_heat_map()


def _show_chart(listing: Listing, half: timedelta) -> None:
    zone, now = clock.system_zone(), clock.now()
    names = {task.id: task.name for task in listing.tasks}
    bars = timeline.past(spans.spans(environment(), now - half), names, now - half, now)
    planned = overview.schedules_in_force(listing, zone)
    bars += timeline.future(planned, now, now + half, listing.dialect)
    if not bars:
        st.info("No run in this time, past or planned.", icon=":material/event_busy:")
        return
    chosen = st.plotly_chart(
        timeline.figure(bars, now - half, now, now + half, zone, ROWS),
        config={"displayModeBar": False},
        key=f"timeline-{half}",
        on_select="rerun",
        selection_mode="points",
        alt="Past and future runs of each task",
    )
    st.caption("Choose a run to see its output. Striped bars are planned.")
    run = next((p["customdata"][0] for p in chosen.selection.points if p.get("customdata")), None)
    if run:
        st.switch_page("pages/runs.py", query_params={"run": str(run)})


def _show_crowds(listing: Listing) -> None:
    now, zone = clock.now(), clock.system_zone()
    in_force = {
        task.id: Planned(task.name, schedule, listing.cron_clock(task, zone))
        for task in listing.tasks
        if (schedule := listing.cron_schedule(task))
    }
    end = now + timedelta(days=1)
    crowds = crowding.crowds(in_force, listing.tasks, now, end, zone, listing.dialect)
    if not crowds:
        return
    st.header("Crowded minutes", anchor=False)
    for number, crowd in enumerate(crowds[:10]):
        names = ", ".join(bold(task.name) for task in crowd.tasks[:6])
        when = clock_text(crowd.at, now, zone)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"{plain(when)}: {counted(len(crowd.tasks), 'task')} start at once: {names}",
                width="stretch",
            )
            moved = crowding.spread(crowd)
            if moved and st.button(
                "Spread",
                key=f"spread-{number}",
                icon=":material/arrows_outward:",
                disabled=environment().read_only,
            ):
                _confirm_spread(crowd, moved)


@st.dialog("Spread these tasks?")
def _confirm_spread(crowd: Crowd, moved: dict[int, str]) -> None:
    st.markdown("Each task starts ten minutes after the one before it.")
    for task in crowd.tasks:
        after = moved.get(task.id)
        change = (
            f"{code(task.schedule)} → {code(after)}" if after else f"{code(task.schedule)} stays"
        )
        st.markdown(f"{bold(task.name)}: {change}")
    with st.container(horizontal=True):
        if st.button("Spread", type="primary", key="spread-now"):
            edits = crowding.edits(moved, crowd.tasks)
            report_applied(act(tasks.apply, environment(), ACTOR, edits), "Spread")
            st.rerun()
        if st.button("Cancel", key="spread-cancel"):
            st.rerun()


def _show_heat_map() -> None:
    zone = clock.system_zone()
    since = clock.now() - timedelta(days=28)
    hours = history.hours(environment(), None, since, zone)
    if not hours:
        return
    st.header("Starts by weekday and hour, last 28 days", anchor=False)
    st.plotly_chart(
        run_charts.by_weekday(hours),
        key="heat-map",
        config={"displayModeBar": False},
        alt="Starts by weekday and hour",
    )


main()
