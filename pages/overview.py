"""Home: is everything all right, what runs next, what broke, and what to do about it."""

from datetime import timedelta

import pandas as pd
import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import DatabaseError
from pitasker_core.base.text import visible
from pitasker_core.crontab.document import Document
from pitasker_core.dashboard import overview, run_list
from pitasker_core.dashboard.cells import inert
from pitasker_core.dashboard.markdown import code, plain
from pitasker_core.dashboard.messages import act, add_notice, report_sync, sync_now
from pitasker_core.dashboard.problems import guarded, show_background, show_hand_edits, show_problem
from pitasker_core.dashboard.run_offer import show_offer
from pitasker_core.dashboard.session import ACTOR, cron_is_alive, environment
from pitasker_core.dashboard.states import HEALTH
from pitasker_core.dashboard.times import ago, time_text
from pitasker_core.reports import status
from pitasker_core.runs.history import broken
from pitasker_core.sync import first_look, operation_history, service, validation
from pitasker_core.tasks import Listing

LATELY = timedelta(days=1)
"""What went wrong in this time is on the page."""

REFRESH = 4.0
"""Seconds between two looks at the crontab: a change in a terminal shows here by itself."""


@st.fragment(run_every=REFRESH)
def main() -> None:
    """Draw the page."""
    guarded(_draw)


def _draw() -> None:
    try:
        listing = tasks.listing(environment())
    except DatabaseError as problem:
        show_problem(problem)
        _show_entries(service.read_crontab(environment())[1])
        return
    operations = operation_history.operations(environment(), 5)
    _show_untouched(listing)
    if listing.problem:
        show_problem(listing.problem)
    if not listing.tasks and not operations:
        _welcome(listing)
        return
    _show_health(status.summary(listing, operations, cron_is_alive()))
    if listing.comparison and (changes := overview.hand_edits(listing.comparison)):
        show_hand_edits(changes)
    show_background()
    show_offer()
    _show_broken()
    _actions(listing)
    runs, done = st.columns(2, gap="large")
    with runs:
        _show_next_runs(listing)
    with done:
        _show_operations(operations)


def _show_untouched(listing: Listing) -> None:
    found = first_look.untouched(environment())
    if found is None or listing.comparison is None or listing.comparison.text is None:
        return
    copy = f" A copy as it was found lies in {code(str(found.backup))}." if found.backup else ""
    st.info(f"Nothing has been changed in your crontab.{copy}", icon=":material/verified_user:")


def _welcome(listing: Listing) -> None:
    compared = listing.comparison
    entries = list(compared.document.entries()) if compared else []
    if compared is None:
        return
    if not entries:
        st.markdown("**Your crontab has no entries yet.** Make the first task, or write one.")
        with st.container(horizontal=True):
            st.page_link("pages/tasks.py", label="New task", icon=":material/add:")
            st.page_link("pages/crontab.py", label="Raw editor", icon=":material/edit_note:")
        return
    what = "entry" if len(entries) == 1 else "entries"
    st.markdown(f"**Found {len(entries)} {what} in your crontab.**")
    st.page_link(
        "pages/import_entries.py",
        label=f"Choose which of the {len(entries)} {what} to manage here"
        if len(entries) > 1
        else "Choose whether to manage it here",
        icon=":material/download:",
    )
    _show_entries(compared.document)


def _show_entries(document: Document) -> None:
    """The entries as they stand, for looking."""
    found = overview.found_entries(document, clock.now(), clock.system_zone())
    if found.empty:
        return
    st.dataframe(
        inert(found),
        hide_index=True,
        height="content" if len(found) <= 25 else 915,
        alt="The entries of your crontab",
        column_config=_columns(next_run="Next run"),
    )


def _show_health(found: status.Status) -> None:
    label, color, icon = HEALTH[found.health]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(label, color=color, icon=icon)
        for reason in found.reasons:
            st.markdown(plain(reason), width="content")
        if not found.reasons:
            when = ago(found.last_sync, clock.now()) if found.last_sync else "never"
            st.caption(
                f"Last sync {when}.",
                help=f"{time_text(found.last_sync)} ({clock.system_zone().key})",
                width="content",
            )
    with st.container(horizontal=True):
        for name, count, explained in (
            ("Tasks", found.tasks, "Tasks in the database that are not deleted."),
            (
                "In crontab",
                found.tasks - found.database_only,
                "Tasks that have, or shall have, an entry in the crontab.",
            ),
            ("Database only", found.database_only, "Tasks that shall not be in the crontab."),
            ("Sync issues", found.unsynced, "Tasks that a sync or you must do something about."),
            ("Unmanaged", found.unmanaged, "Entries of the crontab that no task manages."),
        ):
            st.metric(name, count, border=True, width=140, help=explained)


def _show_broken() -> None:
    """What failed or was missed lately; nothing when all went well."""
    now = clock.now()
    found = broken(environment(), now - LATELY, 5)
    if not found:
        return
    if run := st.session_state.pop("look_at", None):
        only = {"task": str(run.task)} if run.task else {}
        st.switch_page("pages/runs.py", query_params={**only, "run": str(run.id)})
    st.session_state.broken = found
    st.subheader("Went wrong lately")
    st.dataframe(
        inert(
            pd.DataFrame(
                {
                    "when": [ago(run.started_at, now) for run in found],
                    "task": [visible(run.task_name) for run in found],
                    "result": [visible(run_list.result(run)) for run in found],
                    "at": [time_text(run.started_at) for run in found],
                    "look": ["Look at it" for _ in found],
                }
            )
        ),
        hide_index=True,
        height="content",
        alt="Runs that failed or were missed lately",
        column_config={
            "when": st.column_config.TextColumn("When", width=90),
            "task": st.column_config.TextColumn("Task", width=150),
            "result": st.column_config.TextColumn("Result"),
            "at": st.column_config.TextColumn(f"Exactly ({clock.system_zone().key})", width=150),
            "look": st.column_config.ButtonColumn("", key="look", on_click=_look, width=100),
        },
    )
    st.page_link("pages/runs.py", label="All runs", icon=":material/history:")


def _look() -> None:
    st.session_state.look_at = st.session_state.broken[st.session_state.look["row"]]


def _actions(listing: Listing) -> None:
    away = listing.problem is not None
    with st.container(horizontal=True, vertical_alignment="center"):
        for label, icon, do in (
            ("Sync now", ":material/sync:", _sync),
            ("Validate", ":material/fact_check:", _validate),
            ("Export all", ":material/upload:", _export),
        ):
            kind = "primary" if do is _sync else "secondary"
            look_only = environment().read_only and do is not _validate
            if st.button(label, icon=icon, type=kind, disabled=away or look_only):
                do()
                st.rerun()  # all of the page: what there is to say stands above this part
        st.page_link("pages/import_entries.py", label="Import", icon=":material/download:")
        st.page_link("pages/sync.py", label="Both sides", icon=":material/monitor_heart:")
        st.page_link("pages/crontab.py", label="View raw", icon=":material/edit_note:")


def _sync() -> None:
    if not sync_now():
        st.switch_page("pages/sync.py")


def _export() -> None:
    done = act(service.export, environment(), ACTOR)
    if done:
        report_sync(done, "Exported")
        if done.left_out:
            count = status.counted(len(done.left_out), "database-only task")
            add_notice(
                "warning", f"{count} left out: switch on In crontab on Tasks to write them too."
            )


def _validate() -> None:
    compared = act(service.preview, environment())
    if compared:
        report = validation.validate(compared)
        if report.is_valid:
            add_notice("done", "The tasks and the crontab are in step, and cron takes every line.")
        for finding in report.findings[:10]:
            at = f"Line {finding.line}: " if finding.line else ""
            add_notice("warning", f"{at}{finding.message}")


def _show_next_runs(listing: Listing) -> None:
    st.subheader("Next")
    runs = overview.next_runs(listing, clock.now(), clock.system_zone(), 6)
    if not runs:
        st.caption("No task of the crontab has a next run.")
        return
    now = clock.now()
    st.dataframe(
        inert(
            pd.DataFrame(
                {
                    "when": [ago(run, now) for run, _ in runs],
                    "at": [f"{run:%a %d %b, %H:%M}" for run, _ in runs],
                    "task": [task.name for _, task in runs],
                }
            )
        ),
        hide_index=True,
        height="content",
        alt="The next runs",
        column_config={
            "when": st.column_config.TextColumn("When", width=90),
            "at": st.column_config.TextColumn(f"At ({clock.system_zone().key})", width=140),
            "task": st.column_config.TextColumn("Task"),
        },
    )


def _show_operations(operations: list[operation_history.Operation]) -> None:
    st.subheader("Done lately")
    if not operations:
        st.caption("Nothing yet.")
        return
    now = clock.now()
    st.dataframe(
        inert(
            pd.DataFrame(
                {
                    "when": [ago(o.started_at, now) for o in operations],
                    "what": [f"{o.kind} by {o.actor}" for o in operations],
                    "outcome": [o.error_message or overview.outcome(o) for o in operations],
                    "at": [time_text(o.started_at) for o in operations],
                }
            )
        ),
        hide_index=True,
        height="content",
        alt="The last operations",
        column_config={
            "when": st.column_config.TextColumn("When", width=90),
            "what": st.column_config.TextColumn("What"),
            "outcome": st.column_config.TextColumn("Outcome"),
            "at": st.column_config.TextColumn("Exactly", width=150),
        },
    )


def _columns(**names: str) -> dict[str, object]:
    column = st.column_config
    return {
        "line": column.NumberColumn("Line", width=60),
        "schedule": column.TextColumn("Schedule"),
        "words": column.TextColumn("In words"),
        "command": column.TextColumn("Command", width="large"),
        **{key: column.TextColumn(name) for key, name in names.items()},
    }


main()
