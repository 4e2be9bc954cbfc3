"""Tasks: the table to change, pause, run and delete one or several tasks."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import as_id, counted
from pitasker_core.dashboard import (
    id_ranges,
    own_drafts,
    staged_bar,
    staging,
    task_columns,
    task_grid,
    template_form,
    template_list,
)
from pitasker_core.dashboard.bulk import act_on, bulk_bar, confirm_delete, run_now
from pitasker_core.dashboard.cells import inert
from pitasker_core.dashboard.choice import choose
from pitasker_core.dashboard.doctor_list import show_doctor
from pitasker_core.dashboard.drawn_last import draw_last
from pitasker_core.dashboard.execution_dialog import ask_execution, show_execution
from pitasker_core.dashboard.export_dialog import open_export
from pitasker_core.dashboard.markdown import bold
from pitasker_core.dashboard.messages import act
from pitasker_core.dashboard.problems import show_problem
from pitasker_core.dashboard.save_template import open_save_template, show_save_template
from pitasker_core.dashboard.schedule_input import as_schedule
from pitasker_core.dashboard.session import environment, is_phone
from pitasker_core.dashboard.staged_bar import show_staged, staged
from pitasker_core.dashboard.task_actions import switch_task
from pitasker_core.dashboard.task_grid import Shown
from pitasker_core.dashboard.task_page import show_new, show_task
from pitasker_core.dashboard.times import ago
from pitasker_core.dashboard.why_dialog import show_why, why_dialog
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.reports import doctor
from pitasker_core.runs import spans
from pitasker_core.tasks import Listing, Task

FROM_CRONTAB, FROM_FILES = "Import entries of the crontab", "Import files"
EXPORT = "Export tasks …"
FROM_TEMPLATE = "From template"


def main() -> None:
    """Draw the table, or the task or the template in the address."""
    param = st.query_params.get("task", "")
    if template := st.query_params.get("template", ""):
        template_form.show_template(template)
        return
    if param == template_list.ADDRESS:
        template_list.show_templates()
        return
    if param == "new" and "like" not in st.query_params:
        show_new(None)
        return
    # What is changed here names the version that was shown, so it must be the newest.
    listing = tasks.current(environment(), 0)
    by_id = {task.id: task for task in listing.tasks}
    if param == "new":
        show_new(_named(st.query_params["like"], by_id))
        return
    if param:
        task = _named(param, by_id)
        if task and st.query_params.get("as") == "template":
            show_save_template(task)
            return
        if task:
            show_task(task, listing)
            _show_dialogs(by_id)
            return
        st.warning("There is no such task: it may have been deleted.")
    _show_list(listing, by_id)
    _show_dialogs(by_id)


def _show_dialogs(by_id: dict[int, Task]) -> None:
    """Open what a button or a row's menu asked for."""
    show_why(by_id)
    show_execution(by_id)
    _run_menu_action(by_id)


def _named(text: str, by_id: Mapping[int, Task]) -> Task | None:
    """Return the task of the id in an address."""
    number = as_id(text)
    return by_id.get(number) if number is not None else None


def _show_list(listing: Listing, by_id: dict[int, Task]) -> None:
    if listing.problem:
        show_problem(listing.problem)
        st.caption("You can still change tasks. The crontab is updated when it can be read again.")
    if not listing.tasks:
        _welcome(listing)
        return
    edits = {number: cells for number, cells in staged().items() if number in by_id}
    shown = Shown(
        listing,
        edits,
        spans.recent(environment(), task_grid.HISTORY),
        clock.now(),
        clock.system_zone(),
    )
    matching = _toolbar(shown, by_id)
    labels = sorted({label for task in listing.tasks for label in task.labels})
    act_on(_chosen(by_id), labels)
    menu = task_grid.LOOKING if environment().read_only else task_grid.MENU
    table = task_grid.frame(matching, shown, menu)
    # A phone has other buttons here, and those need the whole page.
    (_show_rows if is_phone() else st.fragment(_show_rows))(matching, shown, by_id, table)
    draw_last(partial(_show_doctor, listing))
    _show_drafts(by_id)
    show_staged(edits, by_id, listing)


# --- Filters and welcome ---------------------------------------------------------------------


def _toolbar(shown: Shown, by_id: Mapping[int, Task]) -> list[Task]:
    counts = task_grid.counts(shown.listing)
    with st.container(horizontal=True, vertical_alignment="center", key="toolbar", gap="small"):
        kind = choose(
            "Show",
            task_grid.FILTERS,
            "kind",
            format_func=lambda kind: f"{kind} {counts[kind]}",
        )
        words = st.text_input(
            "Search",
            placeholder="Search",
            width="stretch" if is_phone() else 180,
            icon=":material/search:",
            label_visibility="collapsed",
            live=True,
            key="words",
            bind="query-params",
        )
        matching = task_grid.rows(shown, words, kind, _only(by_id))
        if not is_phone():
            st.caption(f"{len(matching)} of {len(shown.listing.tasks)}", width="stretch")
            _offer_files(by_id, {})
            template_list.offer_templates()
            _offer_new()
    return matching


def _phone_bar(matching: list[Task], by_id: Mapping[int, Task]) -> None:
    """Draw the second row of a phone. The bar of selected tasks takes its place."""
    with st.container(horizontal=True, vertical_alignment="center", key="phone-bar", gap="small"):
        _offer_new()
        _offer_files(
            by_id,
            {
                **({} if environment().read_only else {FROM_TEMPLATE: template_list.open_list}),
                "Select all": lambda: _choose({task.id for task in matching}),
            },
        )
        st.caption(f"{len(matching)} of {len(by_id)}")


def _offer_files(by_id: Mapping[int, Task], others: Mapping[str, Callable[[], None]]) -> None:
    """Draw the menu of imports and exports, after other actions."""
    what = st.menu_button(
        "More" if others else "Import, export",
        [*others, FROM_CRONTAB, FROM_FILES, EXPORT],
        icon=None if others else ":material/swap_vert:",
        key="files_menu",
    )
    if what and what in others:
        others[what]()
        st.rerun()
    elif what == EXPORT:
        open_export(_chosen(by_id), len(by_id))
    elif what == FROM_CRONTAB:
        st.switch_page("pages/import_entries.py")
    elif what == FROM_FILES:
        st.switch_page("pages/import_entries.py", query_params={"import_part": "From files"})


def _offer_new() -> None:
    write_button(
        "New task",
        icon=":material/add:",
        type="primary",
        on_click=st.query_params.update,
        args=({"task": "new"},),
    )


def _show_all() -> None:
    del st.query_params["only"]


def _only(by_id: Mapping[int, Task]) -> set[int]:
    """Return the tasks in an address, as an import links to."""
    only = id_ranges.find(st.query_params.get("only", ""), by_id)
    if only:
        st.button(
            f"Only the {len(only)} imported: show all",
            icon=":material/filter_alt_off:",
            type="tertiary",
            on_click=_show_all,
        )
    return only


def _welcome(listing: Listing) -> None:
    entries = listing.comparison.document.size if listing.comparison else 0
    if listing.comparison is None:
        st.info("There are no tasks yet. Add the first task here.", icon=":material/waving_hand:")
    elif entries:
        count = counted(entries, "entry", "entries")
        st.info(
            f"Your crontab has {count}. PiTasker does not manage them yet, and has not changed "
            "them.",
            icon=":material/waving_hand:",
        )
        st.page_link("pages/import_entries.py", label="Import them", icon=":material/download:")
    else:
        st.info(
            "There are no tasks and no entries in your crontab yet. Add the first task here.",
            icon=":material/waving_hand:",
        )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _offer_new()
        template_list.offer_templates()
        st.page_link(
            "pages/import_entries.py",
            label="Import files",
            icon=":material/upload_file:",
            query_params={"import_part": "From files"},
        )


# --- The table -------------------------------------------------------------------------------


def _show_rows(
    matching: list[Task], shown: Shown, by_id: Mapping[int, Task], table: pd.DataFrame
) -> None:
    """Draw the table, and the bar above it. A selection draws only these again."""
    chosen = _chosen(by_id)
    if is_phone() and not chosen:
        _phone_bar(matching, by_id)
    else:
        bulk_bar(chosen, matching, _choose)
    if matching:
        _table(matching, shown, table, {task.id for task in chosen})
    else:
        st.info("No task matches.", icon=":material/search_off:")


def _table(matching: list[Task], shown: Shown, table: pd.DataFrame, chosen: set[int]) -> None:
    key = _grid_key(matching, shown, chosen)
    # Callbacks need the tasks as they were drawn, in the order of their rows.
    st.session_state.drawn = matching
    editable = [] if environment().read_only else ["chosen", *staging.FIELDS]
    st.data_editor(
        inert(table.assign(chosen=[task.id in chosen for task in matching])),
        key=key,
        alt="Tasks",
        hide_index=True,
        column_order=task_columns.order(is_phone()),
        placeholder="",
        row_height=task_columns.row_height(is_phone()),
        height="content" if len(matching) <= 20 else 800,
        disabled=[name for name in table.columns if name not in (*editable, "menu")],
        on_change=_edited,
        args=(key, matching),
        column_config=task_columns.columns(is_phone(), _open_menu),
    )


def _grid_key(matching: list[Task], shown: Shown, chosen: set[int]) -> str:
    """Return the table's key. It changes if the table still shows discarded edits."""
    generation = st.session_state.get("generation", 0)
    delta = st.session_state.get(f"tasks-{generation}", {})
    rows = [task.id for task in st.session_state.get("drawn", [])]
    if rows == [task.id for task in matching]:
        cells = {
            task.id: {
                "chosen": task.id in chosen,
                **{column: shown.value(task, column) for column in staging.FIELDS},
            }
            for task in matching
        }
        if staging.disagrees(delta, rows, cells):
            generation += 1
            st.session_state.generation = generation
            st.session_state.seen = {}
    return f"tasks-{generation}"


def _edited(key: str, drawn: list[Task]) -> None:
    """Store edits by task, because rows may move."""
    delta: Any = st.session_state[key]
    rows = [task.id for task in drawn]
    tasks_by_id = {task.id: task for task in drawn}
    cells = staging.edited_cells(delta, rows)
    new = staging.new_edits(cells, st.session_state.get("seen", {}))
    st.session_state.seen = cells
    for (number, column), value in new.items():
        task = tasks_by_id[number]
        if column == "on" and value == task.paused:
            switch_task(task, on=value)
        elif column == "chosen":
            (_numbers().add if value else _numbers().discard)(number)
    edits = act(staging.stage, staged(), delta, rows, tasks_by_id, as_schedule)
    if edits is not None and edits != staged():
        staged_bar.stage(edits)
    if any(column != "chosen" for _, column in new):
        st.rerun()  # the whole page


def _numbers() -> set[int]:
    """Return the numbers of the selected tasks, perhaps of some that were deleted."""
    numbers: set[int] = st.session_state.setdefault("chosen", set())
    return numbers


def _chosen(by_id: Mapping[int, Task]) -> list[Task]:
    return [by_id[number] for number in sorted(_numbers() & by_id.keys())]


def _choose(numbers: set[int]) -> None:
    st.session_state.chosen = numbers


def _show_doctor(listing: Listing) -> None:
    with suppress(PiTaskerError):  # a problem with the crontab is shown above
        examined = doctor.examine(environment(), listing.comparison)
        show_doctor(examined, {task.id: task.name for task in listing.tasks})


# --- Single tasks ----------------------------------------------------------------------------


def _show_drafts(by_id: dict[int, Task]) -> None:
    """Draw this browser's drafts of tasks."""
    for draft in own_drafts.load_all("task:")[:5]:
        number = draft.name.removeprefix("task:")
        task = _named(number, by_id)
        if task is None and number != "new":
            own_drafts.discard(draft.name)
            continue
        name = bold(task.name if task else "New task")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            edited = ago(draft.updated_at, clock.now())
            st.markdown(f":material/edit_note: Draft: {name}, edited {edited}", width="content")
            st.button(
                "Continue",
                key=f"continue-{number}",
                type="tertiary",
                on_click=st.query_params.update,
                args=({"task": number},),
            )
            st.button(
                "Discard draft",
                key=f"discard-{number}",
                type="tertiary",
                on_click=own_drafts.discard,
                args=(draft.name,),
            )


def _open_menu() -> None:
    click = st.session_state.row_menu
    label, task = click["label"], st.session_state.drawn[click["row"]]
    if label == task_grid.OPEN:
        st.query_params["task"] = str(task.id)
    elif label == task_grid.TEMPLATE:
        open_save_template(task)
    elif label == task_grid.DUPLICATE:
        st.query_params.update({"task": "new", "like": str(task.id)})
    elif label == task_grid.WHY:
        why_dialog(task)
    elif label == task_grid.TRY:
        ask_execution(task)
    else:
        st.session_state.menu = (label, task.id)
    st.rerun()  # the whole page


def _run_menu_action(by_id: dict[int, Task]) -> None:
    label, number = st.session_state.pop("menu", None) or ("", 0)
    task = by_id.get(number)
    if task is None:
        return
    if label == task_grid.DELETE:
        confirm_delete([task])
    elif label == task_grid.RUN_NOW:
        run_now([task])
    elif label == task_grid.RUNS:
        st.switch_page("pages/runs.py", query_params={"task": str(task.id)})


main()
