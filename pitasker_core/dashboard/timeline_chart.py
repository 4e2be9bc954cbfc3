"""The chart of past and planned runs, on the pages Overview and Timeline."""

from datetime import timedelta

import streamlit as st

from pitasker_core.base import clock
from pitasker_core.dashboard import overview, timeline
from pitasker_core.dashboard.session import environment
from pitasker_core.runs import spans
from pitasker_core.tasks import Listing


def show_timeline(listing: Listing, half: timedelta, rows: int, *, title: str = "") -> bool:
    """Draw the runs of the last and next `half`. Choosing a run opens it. False if there are none.

    `rows` is the maximum number of rows.
    """
    zone, now = clock.system_zone(), clock.now()
    start, end = now - half, now + half
    names = timeline.row_names({task.id: task.name for task in listing.tasks})
    runs = spans.spans(environment(), start)
    bars = timeline.past(runs, names, start, now)
    planned = overview.schedules_in_force(listing, zone)
    bars += timeline.future(planned.values(), now, end, listing.dialect)
    if not bars:
        return False
    if title:
        st.header(title, anchor=False)
    off = timeline.off_periods(runs, start, zone)
    chosen = st.plotly_chart(
        timeline.figure(bars, start, now, end, zone, rows, off),
        config={"displayModeBar": False},
        key=f"timeline-{half}",
        on_select="rerun",
        selection_mode="points",
        alt="Past and planned runs of each task",
    )
    run = next((p["customdata"][0] for p in chosen.selection.points if p.get("customdata")), None)
    if run:
        st.switch_page("pages/runs.py", query_params={"run": str(run)})
    if len(runs) == spans.MOST:
        oldest = runs[0].started_at.astimezone(zone)
        st.caption(f"Shows the newest {spans.MOST:d} runs, since {oldest:%a %H:%M}.")
    return True
