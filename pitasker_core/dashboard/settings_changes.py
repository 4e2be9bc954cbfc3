"""The Changes part of the settings: the audit history."""

from collections.abc import Mapping

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.dashboard.cells import show_table
from pitasker_core.dashboard.session import environment
from pitasker_core.dashboard.times import ago, time_text
from pitasker_core.reports import audit
from pitasker_core.reports.audit import Event

LISTED = 500


def show() -> None:
    """Draw the part."""
    events = audit.listing(environment(), LISTED)
    if not events:
        st.info("No changes yet. Each change is listed here with its actor and its effect.")
        return
    st.caption("Who changed what, newest first.")
    with st.container(horizontal=True):
        actors = st.multiselect(
            "Who", sorted({event.actor for event in events}), width=260, placeholder="Everybody"
        )
        kinds = st.multiselect(
            "What", sorted({event.kind for event in events}), width=260, placeholder="All changes"
        )
    shown = [
        event
        for event in events
        if (not actors or event.actor in actors) and (not kinds or event.kind in kinds)
    ]
    names = {task.id: task.name for task in tasks.current(environment()).tasks}
    show_table(
        rows(shown, names),
        "Who changed what",
        {"Changes": st.column_config.TextColumn(width="large")},
        rows=17,
    )
    if len(events) == LISTED:
        st.caption(f"The newest {LISTED}.")


def rows(events: list[Event], names: Mapping[int, str]) -> dict[str, list[str]]:
    """Return the cells of each column, with the names of tasks."""
    now = clock.now()
    return {
        "When": [ago(event.at, now) for event in events],
        "Who": [event.actor for event in events],
        "What": [event.kind for event in events],
        "Task": [task_name(event, names) for event in events],
        "Changes": [audit.difference(event) for event in events],
        f"Time ({clock.system_zone().key})": [time_text(event.at) for event in events],
    }


def task_name(event: Event, names: Mapping[int, str]) -> str:
    """Return the present name of an event's task, or the name in the event, or ""."""
    if event.task is None:
        return ""
    then = (event.after or event.before or {}).get("name")
    return names.get(event.task) or (str(then) if then else f"Task {event.task}")
