"""Sync: the state of sync, conflicts, findings and the history."""

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
from pitasker_core.dashboard.states import HEALTH, IN_SYNC
from pitasker_core.dashboard.times import time_text
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.reports import status
from pitasker_core.reports.status import Health, Status
from pitasker_core.sync import operation_history


def _sync() -> None:
    sync_now()


def main() -> None:
    listing = tasks.current(environment(), 0)
    operations = operation_history.operations(environment(), 20)
    current = status.summary(listing, operations, cron_is_alive())
    _show_status(current)
    if listing.problem:
        show_problem(listing.problem)
    write_button(
        "Sync now",
        type="primary",
        icon=":material/sync:",
        on_click=_sync,
        disabled=listing.problem is not None,
    )
    show_background()
    show_guard()
    if listing.comparison:
        show_both_sides(listing, listing.comparison)
    _show_figures(current)
    if listing.comparison:
        show_findings(listing.comparison)
    show_history()


def _show_status(current: Status) -> None:
    # The health of the jobs is in the header: a job may fail while all is in sync.
    label, color, icon = IN_SYNC if current.health is Health.GREEN else HEALTH[current.health]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(label, color=color, icon=icon)
        st.caption(f"Last sync: {time_text(current.last_sync)} ({clock.system_zone().key})")
    for reason in current.reasons:
        st.markdown(f"- {plain(reason)}")


def _show_figures(current: Status) -> None:
    with st.container(horizontal=True, key="figures-small"):
        for name, count, explained in (
            ("Tasks", current.tasks, "Tasks that are not deleted."),
            ("Entries", current.entries, "Entries in the crontab, including paused ones."),
            ("In sync", current.synced, "Tasks that equal their entry."),
            ("Out of sync", current.unsynced, "Tasks that a sync or you must change."),
            ("Database only", current.database_only, "Tasks that are not in the crontab."),
            ("Unmanaged", current.unmanaged, "Entries without a task."),
        ):
            st.metric(name, count, border=True, width=150, help=explained)


main()
