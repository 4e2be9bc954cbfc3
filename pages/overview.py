"""Overview: what needs attention, recent and upcoming runs, and recent activity."""

from datetime import timedelta
from functools import partial

import streamlit as st

from pitasker_core.base import clock
from pitasker_core.base.errors import DatabaseError
from pitasker_core.base.text import counted
from pitasker_core.crontab.document import Document
from pitasker_core.dashboard import activity, figures, health, overview
from pitasker_core.dashboard.attention import Facts, items
from pitasker_core.dashboard.attention_list import show_items
from pitasker_core.dashboard.cells import chips, show_table
from pitasker_core.dashboard.execution_dialog import choose_entry, show_execution
from pitasker_core.dashboard.figures import percent
from pitasker_core.dashboard.markdown import code, plain
from pitasker_core.dashboard.problems import show_problem
from pitasker_core.dashboard.session import environment
from pitasker_core.dashboard.timeline_chart import show_timeline
from pitasker_core.dashboard.times import ago, clock_text, time_text
from pitasker_core.reports import audit, status
from pitasker_core.runs import run_statistics
from pitasker_core.sync import first_look, service
from pitasker_core.tasks import Listing

HALF = timedelta(hours=12)
"""How far the timeline looks back and ahead."""

ROWS = 9
"""The maximum number of rows of the timeline."""

SHOWN = 6
"""Rows of upcoming runs and of recent activity."""


def main() -> None:
    try:
        facts = health.facts()
    except DatabaseError as problem:
        show_problem(problem)
        _show_entries(service.read_crontab(environment())[1])
        return
    listing = facts.listing
    if not listing.tasks and not facts.operations:
        if listing.problem:
            show_problem(listing.problem)
        _welcome(listing)
        return
    _show_attention(facts)
    _show_figures(facts)
    show_timeline(facts.listing, HALF, ROWS, title="Last and next 12 hours")
    runs, done = st.columns(2, gap="medium")
    with runs:
        _show_upcoming(listing)
    with done:
        _show_activity(facts)


# --- Before anything is imported -------------------------------------------------------------


def _welcome(listing: Listing) -> None:
    compared = listing.comparison
    if compared is None:
        return
    entries = list(compared.document.entries())
    if not entries:
        st.markdown("**Your crontab has no entries yet.** Add a task, or write an entry.")
        with st.container(horizontal=True):
            st.page_link("pages/tasks.py", label="New task", icon=":material/add:")
            st.page_link("pages/crontab.py", label="Crontab", icon=":material/edit_note:")
        return
    count = counted(len(entries), "entry", "entries")
    st.header(f"Found {count} in your crontab", anchor=False)
    st.markdown(
        "PiTasker can manage them for you: see what ran, what failed and what runs next, change "
        "schedules and undo every change. Entries that you do not choose stay as they are."
    )
    if st.button("Choose what to manage", type="primary", icon=":material/checklist:"):
        st.switch_page("pages/import_entries.py")
    _show_untouched()
    _show_entries(compared.document)


def _show_untouched() -> None:
    first = first_look.untouched(environment())
    if first is None:
        return
    copy = f" A copy is in {code(str(first.backup))}." if first.backup else ""
    st.caption(f":material/verified_user: Nothing has been changed in your crontab.{copy}")


def _show_entries(document: Document) -> None:
    choose_entry(document)
    show_execution({})
    table = overview.entries_table(document, clock.now(), clock.system_zone())
    if table.empty:
        return
    column = st.column_config
    show_table(
        table,
        "The entries of your crontab",
        {
            "line": column.NumberColumn("Line", width=60),
            "schedule": column.TextColumn("Schedule", width=120),
            "words": column.TextColumn("Meaning", width=240),
            "command": column.TextColumn("Command", width="large"),
            "next_run": column.TextColumn("Next run", width=140),
        },
        rows=25,
    )


# --- Health and figures ----------------------------------------------------------------------


def _show_attention(facts: Facts) -> None:
    shown = items(facts)
    if shown:
        show_items(shown, facts)
    else:
        st.markdown(
            ":green[:material/check_circle: **Healthy**] Nothing needs attention. No task is "
            "failing, and the crontab is in sync."
        )
    if facts.examined and facts.examined.silenced:
        count = counted(len(facts.examined.silenced), "finding is", "findings are")
        st.page_link("pages/tasks.py", label=f"{count} silenced", icon=":material/volume_off:")


def _show_figures(facts: Facts) -> None:
    zone = clock.system_zone()
    today = facts.now.astimezone(zone).date()
    since = facts.now - timedelta(days=15)
    trend = figures.trend(run_statistics.hours(environment(), None, since, zone), today)
    cell = partial(st.metric, border=True, height="stretch", delta_arrow="off", width="stretch")
    with st.container(horizontal=True, key="figures", gap="small"):
        cell(
            "Runs today",
            trend.today,
            figures.today_text(trend),
            delta_color="red" if trend.failed or trend.missed else "off",
            chart_data=trend.per_day if any(trend.per_day) else None,
            chart_type="bar",
        )
        st.metric(
            "Success, 7 days",
            percent(trend.rate),
            figures.change_text(trend),
            border=True,
            height="stretch",
            width="stretch",
            chart_data=trend.rates if len(trend.rates) > 1 else None,
        )
        upcoming = overview.upcoming(facts.listing, facts.now, zone, 1)
        next_in = ago(upcoming[0].at, facts.now) if upcoming else "–"
        cell(
            "Next run",
            next_in,
            plain(upcoming[0].name[:60]) if upcoming else "nothing scheduled",
            delta_color="off",
        )
        sync = status.summary(facts.listing, facts.operations, facts.cron_alive)
        others = sync.database_only
        where = f"{others:d} not in the crontab" if others else "all in the crontab"
        cell("Tasks", sync.tasks, where, delta_color="off")
        cell(
            "Last sync",
            ago(sync.last_sync, facts.now) if sync.last_sync else "never",
            figures.sync_text(sync),
            delta_color="off",
            help=f"{time_text(sync.last_sync)} ({plain(zone.key)})",
        )


# --- Upcoming runs and recent activity -------------------------------------------------------


def _show_upcoming(listing: Listing) -> None:
    st.header("Upcoming runs", anchor=False)
    now, zone = clock.now(), clock.system_zone()
    runs = overview.upcoming(listing, now, zone, SHOWN)
    if not runs:
        st.caption("No entry of the crontab has a next run.")
        return
    show_table(
        {
            "when": [ago(run.at, now) for run in runs],
            "at": [clock_text(run.at, now, zone) for run in runs],
            "task": [run.name for run in runs],
            "managed": [[] if run.task else ["unmanaged"] for run in runs],
        },
        "The next runs",
        {
            "when": st.column_config.TextColumn("In", width=80),
            "at": st.column_config.TextColumn("Time", width=110),
            "task": st.column_config.TextColumn("Task"),
            "managed": chips("", {"unmanaged": "gray"}, 110),
        },
    )
    unmanaged = len(listing.comparison.reading.unmanaged) if listing.comparison else 0
    if unmanaged:
        entries = counted(unmanaged, "entry is", "entries are")
        st.page_link(
            "pages/import_entries.py",
            label=f"{entries} not managed: import",
            icon=":material/download:",
        )


def _show_activity(facts: Facts) -> None:
    st.header("Recent activity", anchor=False)
    names = {task.id: task.name for task in facts.listing.tasks}
    events = audit.listing(environment(), 2 * SHOWN)
    activities = activity.list_activity(events, facts.operations, names, SHOWN)
    if not activities:
        st.caption("Nothing yet.")
        return
    now = clock.now()
    show_table(
        {
            "when": [ago(item.at, now) for item in activities],
            "what": [item.sentence for item in activities],
            "by": [item.actor for item in activities],
        },
        "Recent activity",
        {
            "when": st.column_config.TextColumn("When", width=90),
            "what": st.column_config.TextColumn("Event"),
            "by": st.column_config.TextColumn("By", width=110),
        },
    )


main()
