"""Sync health: whether the tasks and the crontab are in sync, and what to do if not."""

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.dashboard.comparison import show_both_sides, show_guard
from pitasker_core.dashboard.findings import show_findings
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.messages import sync_now
from pitasker_core.dashboard.operations import show_history
from pitasker_core.dashboard.problems import show_background, show_problem
from pitasker_core.dashboard.session import cron_is_alive, environment
from pitasker_core.dashboard.states import HEALTH
from pitasker_core.dashboard.times import time_text
from pitasker_core.reports import status
from pitasker_core.reports.status import Status
from pitasker_core.sync import operation_history


def _sync() -> None:
    sync_now()


def main() -> None:
    """Draw the page."""
    listing = tasks.listing(environment())
    operations = operation_history.operations(environment(), 20)
    _show_status(status.summary(listing, operations, cron_is_alive()))
    if listing.problem:
        show_problem(listing.problem)
    st.button(
        "Sync now",
        type="primary",
        icon=":material/sync:",
        on_click=_sync,
        disabled=listing.problem is not None or environment().read_only,
    )
    show_background()
    show_guard()
    if listing.comparison:
        show_both_sides(listing, listing.comparison)
        show_findings(listing.comparison)
    show_history()


def _show_status(found: Status) -> None:
    label, color, icon = HEALTH[found.health]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(label, color=color, icon=icon)
        st.caption(f"Last sync: {time_text(found.last_sync)} ({clock.system_zone().key})")
    for reason in found.reasons:
        st.markdown(f"- {plain(reason)}")
    with st.container(horizontal=True):
        for name, count, explained in (
            ("Tasks", found.tasks, "Tasks in the database that are not deleted."),
            ("Entries", found.entries, "Entries in the crontab, paused ones included."),
            ("In sync", found.synced, "Tasks whose entry agrees with the task."),
            ("Out of sync", found.unsynced, "Tasks that a sync or you must do something about."),
            ("Database only", found.database_only, "Tasks that shall not be in the crontab."),
            ("Unmanaged", found.unmanaged, "Entries that no task manages."),
        ):
            st.metric(name, count, border=True, width=150, help=explained)


main()
