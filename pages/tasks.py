"""Tasks: the table in which they are made, changed, paused, switched and deleted."""

from typing import Any

import streamlit as st

from pitasker_core import clock, tasks
from pitasker_core.dashboard import task_grid
from pitasker_core.dashboard.shell import (
    ACTOR,
    act,
    plain,
    settings,
    show_problem,
    tell,
    tell_applied,
    time_text,
)
from pitasker_core.dashboard.task_dialog import task_dialog
from pitasker_core.sync import service
from pitasker_core.tasks import Listing

SCHEDULE = r"^\s*(@[A-Za-z]+|\S+([ \t]+\S+){4})\s*$"
COLUMNS = (
    "on",
    "name",
    "schedule",
    "menu",
    "state",
    "next_run",
    "command",
    "in_crontab",
    "words",
)
COMMAND = r"^\s*[^\s*][^\r\n]*$"


def main() -> None:
    """Draw the page."""
    listing = tasks.listing(settings())
    if listing.problem:
        show_problem(listing.problem)
        st.caption("Tasks can be changed all the same; the crontab follows when it can be reached.")
    _offer_undo()
    _say_what_waits(listing)
    words = ""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if listing.tasks:
            words = st.text_input(
                "Filter", placeholder="Filter by name, command, schedule or label", width=360
            )
        if st.button("New task", icon=":material/add:", type="primary"):
            task_dialog(None)
    if not listing.tasks:
        _welcome(listing)
    _table(listing, words)
    if menu := st.session_state.pop("menu", None):
        label, row = menu
        if label == "Delete":
            _confirm_delete(row)
        else:
            task_dialog(next(t for t in listing.tasks if t.id == row.id))


def _table(listing: Listing, words: str) -> None:
    found = task_grid.rows(listing, words)
    if listing.tasks and not found:
        st.info("No task has these words.")
        return
    st.session_state.shown = task_grid.shown(found)
    zone = clock.system_zone()
    column = st.column_config
    st.data_editor(
        task_grid.frame(found, listing, clock.now(), zone),
        key=_grid_key(),
        alt="Tasks",
        hide_index=True,
        column_order=COLUMNS,
        placeholder="",
        num_rows="add",
        height="content",
        on_change=_apply,
        column_config={
            "on": column.CheckboxColumn(
                "On", help="Off: paused, kept in the crontab as a comment.", default=True, width=50
            ),
            "name": column.TextColumn("Name", required=True, max_chars=200),
            "schedule": column.TextColumn(
                "Schedule",
                required=True,
                validate=SCHEDULE,
                help="Five fields (minute hour day month weekday), or a nickname like @daily.",
            ),
            "command": column.TextColumn(
                "Command", required=True, validate=COMMAND, width="medium"
            ),
            "in_crontab": column.CheckboxColumn(
                "In crontab",
                default=True,
                width=90,
                help="Off: the task is kept in the database only, and cron does not run it.",
            ),
            "state": column.TextColumn("State", disabled=True, width=120),
            "next_run": column.DatetimeColumn(
                f"Next run ({zone.key})", disabled=True, format="ddd D MMM, HH:mm", width=150
            ),
            "words": column.TextColumn("In words", disabled=True),
            "menu": column.ButtonColumn("", key="row_menu", on_click=_open_menu, width=45),
        },
    )
    st.caption(
        "Double-click a cell, or press Enter in it, to change it; the last row adds a task. "
        "Each change goes to the crontab at once."
    )


def _welcome(listing: Listing) -> None:
    entries = listing.comparison.document.size if listing.comparison else 0
    if entries:
        what = "entry" if entries == 1 else "entries"
        st.info(
            f"Your crontab has {entries} {what}, and PiTasker manages none of them yet. "
            "Nothing in it was changed.",
            icon=":material/waving_hand:",
        )
        st.page_link("pages/import_entries.py", label="Import them", icon=":material/download:")
    else:
        st.info(
            "There are no tasks and no entries in your crontab yet. Make the first one here.",
            icon=":material/waving_hand:",
        )


def _say_what_waits(listing: Listing) -> None:
    waiting = [t for t in listing.tasks if listing.details[t.id]]
    if not waiting:
        return
    for task in waiting[:5]:
        st.warning(plain(f"{task.name}: {listing.details[task.id]}"))
    if len(waiting) > 5:
        st.warning(f"And {len(waiting) - 5} more.")
    with st.container(horizontal=True):
        st.button("Sync now", icon=":material/sync:", on_click=_sync)
        st.page_link("pages/health.py", label="Look at both sides", icon=":material/monitor_heart:")


def _offer_undo() -> None:
    deleted = st.session_state.get("deleted")
    if deleted:
        with st.container(horizontal=True, vertical_alignment="center", border=True):
            st.markdown(f"Deleted: {plain(', '.join(row.name for row in deleted))}")
            st.button("Undo", icon=":material/undo:", on_click=_undo)
            st.button("Dismiss", on_click=st.session_state.pop, args=("deleted",), type="tertiary")


@st.dialog("Delete this task?")
def _confirm_delete(row: task_grid.Shown) -> None:
    st.markdown(
        f"**{plain(row.name)}** and its entry in the crontab are deleted. This can be undone."
    )
    with st.container(horizontal=True):
        if st.button("Delete", type="primary", icon=":material/delete:"):
            done = act(tasks.delete, settings(), ACTOR, row.id)
            if done:
                st.session_state.deleted = [row]
                tell_applied(done, f"Deleted {row.name}")
            st.rerun()
        if st.button("Keep it"):
            st.rerun()


def _grid_key() -> str:
    return f"tasks-{st.session_state.get('generation', 0)}"


def _apply() -> None:
    """Carry out what was edited. The table is drawn anew after it, without its edits."""
    delta: Any = st.session_state[_grid_key()]
    table = st.session_state.shown
    edits, added = task_grid.edits(delta, table), task_grid.additions(delta)
    if not edits and not added:
        return
    st.session_state.generation = st.session_state.get("generation", 0) + 1
    if edits:
        tell_applied(act(tasks.apply, settings(), ACTOR, edits), "Saved")
    for values in added:
        done = act(tasks.create, settings(), ACTOR, **values)
        if done is None:
            tell("warning", f"Not added: {values['schedule']} {values['command']}")
        tell_applied(done, f"Added {values['name']}")


def _open_menu() -> None:
    click = st.session_state.row_menu
    st.session_state.menu = (click["label"], st.session_state.shown[click["row"]])


def _undo() -> None:
    rows = st.session_state.pop("deleted")
    tell_applied(
        act(tasks.undo_delete, settings(), ACTOR, *(row.id for row in rows)), "Brought back"
    )


def _sync() -> None:
    done = act(service.sync, settings(), service.Request(ACTOR))
    if done:
        at = time_text(clock.now())
        tell("done", f"{len(done.pushed)} to the crontab, {len(done.pulled)} from it, at {at}.")


main()
