"""Tasks: the table in which they are changed, paused, switched and deleted, one or many at once."""

from typing import Any

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import Text
from pitasker_core.crontab.difference import difference
from pitasker_core.dashboard import overview, staging, task_grid
from pitasker_core.dashboard.bulk import bulk_bar, confirm_delete, run_now
from pitasker_core.dashboard.cells import inert
from pitasker_core.dashboard.markdown import bold, plain
from pitasker_core.dashboard.messages import act, report_applied, sync_now
from pitasker_core.dashboard.problems import show_hand_edits, show_problem
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.staging import Staging
from pitasker_core.dashboard.task_dialog import task_dialog
from pitasker_core.dashboard.why_dialog import why_dialog
from pitasker_core.sync import service
from pitasker_core.tasks import Edit, Listing, Task

COLUMNS = (
    "chosen",
    "on",
    "name",
    "schedule",
    "menu",
    "state",
    "detail",
    "words",
    "next_run",
    "command",
    "in_crontab",
    "last_run",
    "result",
    "labels",
    "source",
)
LOOK_EVERY = 4.0
"""Seconds between two looks for changes made outside."""


def main() -> None:
    """Draw the page."""
    listing = tasks.listing(environment())
    by_id = {task.id: task for task in listing.tasks}
    if listing.problem:
        show_problem(listing.problem)
        st.caption("Tasks can be changed all the same; the crontab follows when it can be reached.")
    st.session_state.seen = _seen(listing)
    _watch()
    if not listing.tasks:
        _welcome(listing)
        _offer_new()
        return
    words, kind = _filters(listing)
    staged = {number: cells for number, cells in _staged().items() if number in by_id}
    chosen = _chosen() & by_id.keys()
    labels = sorted({label for task in listing.tasks for label in task.labels})
    bulk_bar([by_id[number] for number in sorted(chosen)], labels, _choose_none)
    _review(staged, by_id)
    _table(listing, task_grid.rows(listing, words, kind, _only()), staged, chosen)
    _open_what_was_asked_for(by_id)


def _staged() -> Staging:
    staging: Staging = st.session_state.setdefault("staged", {})
    return staging


def _chosen() -> set[int]:
    chosen: set[int] = st.session_state.setdefault("chosen", set())
    return chosen


def _filters(listing: Listing) -> tuple[str, str]:
    counts = task_grid.counts(listing)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(
            "Search",
            placeholder="Name, command, schedule or label",
            width=300,
            icon=":material/search:",
            label_visibility="collapsed",
            live=True,
            key="words",
            bind="query-params",
        )
        kind = st.segmented_control(
            "Show",
            list(task_grid.FILTERS),
            default="All",
            required=True,
            format_func=lambda kind: f"{kind} {counts[kind]}",
            label_visibility="collapsed",
            key="kind",
        )
        _offer_new()
    return words, kind


def _offer_new() -> None:
    icon, look_only = ":material/add:", environment().read_only
    if st.button("New task", icon=icon, type="primary", disabled=look_only):
        task_dialog(None)


def _show_all() -> None:
    del st.query_params["only"]


def _only() -> set[int]:
    """The tasks that an address such as `/tasks?only=3,4` asks for: those of an import."""
    asked = st.query_params.get("only", "").split(",")
    only = {int(number) for number in asked if number.isdecimal()}
    if only:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"Only the {len(only)} that were imported", width="content")
            st.button("Show all", type="tertiary", on_click=_show_all)
    return only


def _table(listing: Listing, found: list[Task], staged: Staging, chosen: set[int]) -> None:
    if not found:
        st.info("No task is like that.", icon=":material/search_off:")
        return
    zone = clock.system_zone()
    column = st.column_config
    # Callbacks must know which task stood in which row, and what it was, when it was drawn.
    st.session_state.drawn = found
    menu = task_grid.LOOKING if environment().read_only else task_grid.MENU
    st.data_editor(
        inert(task_grid.frame(found, listing, staged, chosen, clock.now(), zone, menu)),
        key=_grid_key(),
        alt="Tasks",
        hide_index=True,
        column_order=COLUMNS,
        placeholder="",
        height="content" if len(found) <= 25 else 915,
        disabled=["chosen", *staging.FIELDS, "labels"] if environment().read_only else ["labels"],
        on_change=_stage,
        args=(_grid_key(), found),
        column_config={
            "chosen": column.CheckboxColumn(
                "☑", help="Choose tasks, to do something with all of them.", width=54
            ),
            "on": column.CheckboxColumn(
                "On", help="Off: paused, kept in the crontab as a comment.", width=62
            ),
            "name": column.TextColumn("Name", max_chars=200, width=190),
            "schedule": column.TextColumn(
                "Schedule",
                help="Five fields (minute hour day month weekday), or a nickname like @daily.",
                width=120,
            ),
            "command": column.TextColumn("Command", width="medium"),
            "in_crontab": column.CheckboxColumn(
                "In crontab",
                width=110,
                help="Off: the task is kept in the database only, and cron does not run it.",
            ),
            "state": column.TextColumn("State", disabled=True, width=120),
            "detail": column.TextColumn("Since, or why", disabled=True, width=110),
            "words": column.TextColumn("In words", disabled=True, width=200),
            "next_run": column.DatetimeColumn(
                f"Next run ({zone.key})", disabled=True, format="ddd D MMM, HH:mm", width=150
            ),
            "last_run": column.TextColumn("Last run", disabled=True, width=90),
            "result": column.TextColumn("Result", disabled=True, width=100),
            "labels": column.ListColumn("Labels", width=110),
            "source": column.TextColumn("Made by", disabled=True, width=90),
            "menu": column.ButtonColumn("", key="row_menu", on_click=_open_menu, width=45),
        },
    )
    if not environment().read_only:
        st.caption(
            "Double-click a cell, or press Enter in it, to change it. Changes wait above the "
            "table until you apply them."
        )


def _grid_key() -> str:
    return f"tasks-{st.session_state.get('generation', 0)}"


def _stage(key: str, drawn: list[Task]) -> None:
    """Keep what was edited by task: rows may move, tasks do not.

    A click on a button right after the edit may come along with it, and be answered first.
    """
    if st.session_state.get("discarded") == key:
        return
    delta: Any = st.session_state[key]
    rows = [task.id for task in drawn]
    staged = act(staging.stage, _staged(), delta, rows, {task.id: task for task in drawn})
    if staged is None:
        _draw_table_anew()
        return
    st.session_state.staged = staged
    for position, cells in delta.get("edited_rows", {}).items():
        if "chosen" in cells:
            (_chosen().add if cells["chosen"] else _chosen().discard)(rows[int(position)])


def _draw_table_anew() -> None:
    st.session_state.generation = st.session_state.get("generation", 0) + 1


# --- What waits for "Apply" ------------------------------------------------------------------


def _review(staged: Staging, by_id: dict[int, Task]) -> None:
    """The bar: how much is staged, what is wrong with it, and what the crontab would get."""
    if not staged:
        return
    collisions = staging.collisions(staged, by_id)
    edits = staging.edits(staged, by_id)
    preview, problem = None, None
    try:
        preview = tasks.preview(environment(), edits)
    except PiTaskerError as found:
        problem = found
    with st.container(border=True, key="review"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{staging.summary(staged)}**, not applied yet", width="content")
            st.button(
                "Apply",
                type="primary",
                icon=":material/check:",
                disabled=bool(collisions or (preview and preview.problems))
                or environment().read_only,
                on_click=_apply,
                args=(edits,),
            )
            st.button("Discard", icon=":material/close:", on_click=_discard)
            if preview and not preview.problems:
                gets = difference(preview.before, preview.after)
                with st.popover("What the crontab gets", icon=":material/difference:"):
                    st.markdown(plain(f"{gets}."))
                    if gets:
                        st.code(gets.text, language="diff")
        for number, reason in (preview.problems if preview else {}).items():
            st.error(plain(_named(by_id[number], reason)), icon=":material/error:")
        if problem:
            st.warning(plain(Text("They can be saved, but: ", problem.user_message)))
        for collision in collisions:
            _show_collision(collision)


def _named(task: Task, reason: str) -> str:
    return reason if task.name in reason else Text(f"{task.name}: ", reason)


def _show_collision(found: staging.Collision) -> None:
    what, task = staging.FIELDS[found.column], found.task
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f":orange[:material/warning:] {bold(task.name)}: you changed its {what} to "
            f"“{plain(str(found.mine))}”, somebody else to “{plain(str(found.now))}”.",
            width="content",
        )
        key = f"{task.id}-{found.column}"
        st.button("Keep mine", key=f"mine-{key}", on_click=_keep, args=(task, found.column))
        st.button("Take theirs", key=f"theirs-{key}", on_click=_drop, args=(task, found.column))


def _keep(task: Task, column: str) -> None:
    st.session_state.staged = staging.rebased(_staged(), task, column)


def _drop(task: Task, column: str) -> None:
    st.session_state.staged = staging.without(_staged(), task.id, column)
    _draw_table_anew()


def _apply(edits: list[Edit]) -> None:
    done = act(tasks.apply, environment(), ACTOR, edits)
    if done:
        count = "1 task" if len(done.tasks) == 1 else f"{len(done.tasks)} tasks"
        report_applied(done, f"Saved {count}")
        st.session_state.staged = {}
        _draw_table_anew()


def _discard() -> None:
    st.session_state.discarded = _grid_key()
    st.session_state.staged = {}
    _draw_table_anew()


# --- One or many tasks -----------------------------------------------------------------------


def _choose_none() -> None:
    st.session_state.chosen = set()
    _draw_table_anew()


def _open_menu() -> None:
    click = st.session_state.row_menu
    st.session_state.menu = (click["label"], st.session_state.drawn[click["row"]].id)


def _open_what_was_asked_for(by_id: dict[int, Task]) -> None:
    """A row's menu, or an address such as `/tasks?task=12`."""
    label, number = st.session_state.pop("menu", None) or ("Details", None)
    if number is None and (asked := st.query_params.pop("task", "")).isdecimal():
        number = int(asked)
        if number not in by_id:
            st.warning(f"There is no task {number:d}.")
    task = by_id.get(number) if number is not None else None
    if task is None:
        return
    if label == "Delete":
        confirm_delete([task], _choose_none)
    elif label == task_grid.RUN_NOW:
        run_now([task])
    elif label == task_grid.RUNS:
        st.switch_page("pages/runs.py", query_params={"task": str(task.id)})
    elif label == task_grid.WHY:
        why_dialog(task)
    else:
        task_dialog(task, duplicate=label == "Duplicate")


# --- The crontab's side ----------------------------------------------------------------------


def _seen(listing: Listing) -> list[str]:
    return overview.hand_edits(listing.comparison) if listing.comparison else []


@st.fragment(run_every=LOOK_EVERY)
def _watch() -> None:
    """What was changed outside, within seconds; the table is left alone while it is edited."""
    try:
        changes = overview.hand_edits(service.preview(environment()))
    except PiTaskerError:
        return  # the page has said so
    if not changes:
        if st.session_state.get("seen"):
            st.rerun()
        return
    show_hand_edits(changes)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Sync now", icon=":material/sync:", disabled=environment().read_only):
            _sync(service.Request(ACTOR))
            st.rerun()
        st.page_link("pages/sync.py", label="Look at both sides", icon=":material/monitor_heart:")


def _sync(request: service.Request) -> None:
    if not sync_now(request):
        st.switch_page("pages/sync.py")


def _welcome(listing: Listing) -> None:
    if listing.comparison is None:
        st.info("There are no tasks yet. Make the first one here.", icon=":material/waving_hand:")
    elif entries := listing.comparison.document.size:
        what = "entry" if entries == 1 else "entries"
        st.info(
            f"Your crontab has {entries:d} {what}, and PiTasker manages none of them yet. "
            "Nothing in it was changed.",
            icon=":material/waving_hand:",
        )
        st.page_link("pages/import_entries.py", label="Import them", icon=":material/download:")
    else:
        st.info(
            "There are no tasks and no entries in your crontab yet. Make the first one here.",
            icon=":material/waving_hand:",
        )


main()
