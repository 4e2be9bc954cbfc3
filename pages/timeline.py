"""Timeline: past and planned runs in one chart, and crowded minutes."""

from datetime import timedelta

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import DatabaseError
from pitasker_core.base.text import counted, listed
from pitasker_core.dashboard import crowding, overview, run_charts, staged_bar
from pitasker_core.dashboard.choice import choose
from pitasker_core.dashboard.crowding import Crowd
from pitasker_core.dashboard.markdown import bold, plain
from pitasker_core.dashboard.problems import show_problem
from pitasker_core.dashboard.session import environment
from pitasker_core.dashboard.staged_bar import show_staged, staged
from pitasker_core.dashboard.timeline_chart import show_timeline
from pitasker_core.dashboard.times import clock_text
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.runs import run_statistics
from pitasker_core.tasks import Listing

PERIODS = {"24 hours": timedelta(hours=12), "7 days": timedelta(days=3, hours=12)}
"""How far each choice looks back, and ahead."""

ROWS = 500


def main() -> None:
    try:
        listing = tasks.current(environment(), 0)
    except DatabaseError as problem:
        show_problem(problem)
        return
    if listing.problem:
        show_problem(listing.problem)
    if not listing.tasks:
        st.info("There are no tasks yet.", icon=":material/view_timeline:")
        st.page_link("pages/overview.py", label="Overview", icon=":material/space_dashboard:")
        return
    period = choose("Period", PERIODS, "timeline_period", default="24 hours")
    if show_timeline(listing, PERIODS[period], ROWS):
        st.caption("Choose a run to see its output. Striped bars are planned.")
    else:
        st.info("Nothing ran, and nothing will run, in this time.", icon=":material/event_busy:")
    _show_crowds(listing)
    _show_heat_map()
    by_id = {task.id: task for task in listing.tasks}
    edits = {number: cells for number, cells in staged().items() if number in by_id}
    show_staged(edits, by_id, listing)


def _show_crowds(listing: Listing) -> None:
    now, zone = clock.now(), clock.system_zone()
    in_force = overview.schedules_in_force(listing, zone)
    end = now + timedelta(days=1)
    crowds = crowding.crowds(in_force, listing.tasks, now, end, zone, listing.dialect)
    if not crowds:
        return
    st.header("Crowded minutes", anchor=False)
    for number, crowd in enumerate(crowds[:10]):
        names = listed([bold(task.name) for task in crowd.tasks], 6)
        when = clock_text(crowd.at, now, zone)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"{plain(when)}: {counted(len(crowd.tasks), 'task')} start at once: {names}",
                width="stretch",
            )
            moved = crowding.spread(crowd)
            if moved:
                write_button(
                    "Spread",
                    key=f"spread-{number}",
                    icon=":material/arrows_outward:",
                    help="Start each task ten minutes after the one before it. You can review the "
                    "new schedules before you apply them.",
                    disabled=crowding.is_staged(staged(), moved),
                    on_click=_spread,
                    args=(crowd, moved),
                )


def _spread(crowd: Crowd, moved: dict[int, str]) -> None:
    """Let the new schedules wait with the other edits, until a person applies them."""
    staged_bar.stage(crowding.stage_spread(staged(), moved, crowd.tasks))


def _show_heat_map() -> None:
    zone = clock.system_zone()
    since = clock.now() - timedelta(days=28)
    hours = run_statistics.hours(environment(), None, since, zone)
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
