"""Actions on several selected tasks at once."""

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.text import counted, listed
from pitasker_core.dashboard.dialogs import open_dialog
from pitasker_core.dashboard.execution_dialog import ask_execution
from pitasker_core.dashboard.export_dialog import open_export
from pitasker_core.dashboard.markdown import bold
from pitasker_core.dashboard.messages import act, add_notice, record_write, report_applied, sync_now
from pitasker_core.dashboard.session import ACTOR, environment, is_phone
from pitasker_core.dashboard.task_actions import start_tasks
from pitasker_core.dashboard.task_grid import DUPLICATE, OPEN, RUNS, TEMPLATE, TRY, WHY
from pitasker_core.dashboard.why_dialog import why_dialog
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.sync.service import Request
from pitasker_core.sync.stop_managing import stop_managing
from pitasker_core.tasks import Edit, Task

_AT_ONCE: dict[str, dict[str, Any]] = {
    "Pause": {"paused": True},
    "Resume": {"paused": False},
    "Remove from the crontab": {"system_managed": False},
    "Add to the crontab": {"system_managed": True},
    "Record runs": {"record_runs": True},
    "Stop recording runs": {"record_runs": False},
}

_HINT = (
    "Double-click a cell, or press Enter in it, to change it. Changes wait until you apply them. "
    "On and off take effect at once."
)


def bulk_bar(
    chosen: Sequence[Task], matching: Sequence[Task], choose: Callable[[set[int]], None]
) -> None:
    """Draw the bar above the table. It keeps its place while nothing is selected.

    `matching` are the tasks in the table. `act_on` does what is chosen in the menu.
    """
    with st.container(horizontal=True, vertical_alignment="center", key="bulk", gap="small"):
        if not is_phone():
            st.button(
                f"Select all {len(matching)}",
                type="tertiary",
                icon=":material/select_all:",
                on_click=choose,
                args=({task.id for task in matching},),
                disabled=not matching,
            )
        st.menu_button(
            "Actions",
            list(_acts(chosen, ())),
            icon=None if is_phone() else ":material/checklist:",
            key="bulk_menu",
            format_func=lambda label: f":red[{label}]" if label == "Delete …" else label,
            disabled=not chosen or environment().read_only,
            on_click=_choose_act,
        )
        if chosen:
            st.button("Clear", type="tertiary", on_click=choose, args=(set(),))
            hidden = len({task.id for task in chosen} - {task.id for task in matching})
            rest = f", {hidden} not shown" if hidden else ""
            st.markdown(f"**{counted(len(chosen), 'task')} selected{rest}**", width="content")
        elif not environment().read_only:
            st.caption(_HINT)


def _choose_act() -> None:
    """Let the whole page do what was chosen: the bar is drawn alone after a selection."""
    st.session_state.bulk_act = st.session_state.bulk_menu
    st.rerun()


def act_on(chosen: Sequence[Task], labels: Sequence[str]) -> None:
    """Do what was chosen in the bar's menu. `labels` are the labels in use."""
    what = st.session_state.pop("bulk_act", None)
    act_on_chosen = _acts(chosen, labels).get(what)
    if chosen and act_on_chosen:
        act_on_chosen()


def _acts(chosen: Sequence[Task], labels: Sequence[str]) -> dict[str, Callable[[], None]]:
    return {
        **(_row_menu(chosen[0]) if len(chosen) == 1 else {}),
        "Run now": lambda: run_now(chosen),
        "Sync": lambda: _sync(chosen),
        **{what: partial(_edit, chosen, what) for what in _AT_ONCE},
        "Pause until …": lambda: open_dialog("Pause until", _pause_until, chosen),
        "Label …": lambda: open_dialog("Labels", _label, chosen, labels),
        "Export …": lambda: open_export(chosen, len(chosen)),
        "Stop managing …": lambda: open_dialog("Stop managing?", _confirm_stop_managing, chosen),
        "Delete …": lambda: confirm_delete(chosen),
    }


def _row_menu(task: Task) -> dict[str, Callable[[], None]]:
    """Return the actions of a row's menu, for people who use the keyboard."""

    def show(**params: str) -> None:
        st.query_params.update(params)
        st.rerun()

    return {
        OPEN: lambda: show(task=str(task.id)),
        RUNS: lambda: st.switch_page("pages/runs.py", query_params={"task": str(task.id)}),
        WHY: lambda: why_dialog(task),
        TRY: lambda: ask_execution(task),
        DUPLICATE: lambda: show(task="new", like=str(task.id)),
        TEMPLATE: lambda: show(task=str(task.id), **{"as": "template"}),
    }


def _edit(chosen: Sequence[Task], what: str) -> None:
    _apply(chosen, what, lambda task: _AT_ONCE[what])


def _apply(chosen: Sequence[Task], what: str, fields: Callable[[Task], dict[str, Any]]) -> None:
    edits = [Edit(task.id, task.version, fields(task)) for task in chosen]
    done = act(tasks.apply, environment(), ACTOR, edits)
    if done:
        report_applied(done, f"{what}: {counted(len(chosen), 'task')}")
    st.rerun()


def _sync(chosen: Sequence[Task]) -> None:
    tags = {task.tag for task in chosen if task.tag}
    if not sync_now(Request(ACTOR, only=tags)):
        st.switch_page("pages/sync.py")
    st.rerun()


def run_now(chosen: Sequence[Task]) -> None:
    """Start tasks. On a phone, and for several tasks, ask first."""
    if len(chosen) > 1 or is_phone():
        open_dialog("Run now?", _confirm_run, chosen)
    else:
        _run(chosen)


def _confirm_run(chosen: Sequence[Task]) -> None:
    st.markdown(_names(chosen))
    if st.button("Run now", type="primary", icon=":material/play_arrow:"):
        _run(chosen)


def _run(chosen: Sequence[Task]) -> None:
    started = start_tasks(chosen)
    if started:
        add_notice("done", f"Started {counted(len(started), 'task')}.")
        if len(chosen) == 1:
            # The task's page shows the output as it comes.
            st.query_params["task"] = str(chosen[0].id)
    st.rerun()


def _pause_until(chosen: Sequence[Task]) -> None:
    zone = clock.system_zone()
    now = clock.now().astimezone(zone)
    morning = datetime.combine(now.date() + timedelta(days=1), time(8), zone)
    times = {
        "In an hour": now + timedelta(hours=1),
        "Tomorrow morning": morning,
        "Next Monday": morning + timedelta(days=-morning.weekday() % 7),
        "Another time": None,
    }
    until = times[st.radio("Until", list(times), label_visibility="collapsed")]
    if until is None:
        picked = st.datetime_input(
            f"Time ({zone.key})", morning.replace(tzinfo=None), min_value=now.replace(tzinfo=None)
        )
        until = picked.replace(tzinfo=zone) if picked else None
    if until:
        st.caption(
            f"{counted(len(chosen), 'task')}: no runs until {until:%A %d %B, %H:%M}. PiTasker "
            "resumes them then, or at its next start if it is not running."
        )
    if write_button("Pause", type="primary", icon=":material/pause:", disabled=until is None):
        fields = {"paused": True, "paused_until": until}
        _apply(chosen, f"Paused until {until:%a %d %b, %H:%M}", lambda task: fields)


def _label(chosen: Sequence[Task], labels: Sequence[str]) -> None:
    add = st.multiselect("Add", list(labels), accept_new_options=True)
    present = sorted({label for task in chosen for label in task.labels})
    removed = st.multiselect("Remove", present) if present else []

    def fields(task: Task) -> dict[str, Any]:
        remaining = [label for label in task.labels if label not in removed]
        return {"labels": list(dict.fromkeys([*remaining, *add]))}

    if write_button("Label", type="primary", disabled=not (add or removed)):
        _apply(chosen, "Labelled", fields)


def _confirm_stop_managing(chosen: Sequence[Task]) -> None:
    st.markdown(
        f"{_names(chosen)}: the entries stay in the crontab without PiTasker's tags, and cron "
        "continues to run them. The tasks are deleted here. You can import the entries again."
    )
    if any(task.paused for task in chosen):
        st.warning("A paused entry stays as a comment.")
    if write_button("Stop managing", type="primary"):
        done = act(stop_managing, environment(), ACTOR, [task.id for task in chosen])
        if done:
            record_write(f"Stopped managing {counted(len(chosen), 'task')}", *done)
        st.rerun()


def confirm_delete(chosen: Sequence[Task]) -> None:
    """Ask before deleting tasks and their entries."""
    open_dialog("Delete?", _confirm_delete, chosen)


def _confirm_delete(chosen: Sequence[Task]) -> None:
    st.markdown(f"{_names(chosen)} and the entries in the crontab. This can be undone.")
    with st.container(horizontal=True):
        if write_button("Delete", type="primary", icon=":material/delete:"):
            done = act(tasks.delete, environment(), ACTOR, *(task.id for task in chosen))
            if done:
                what = chosen[0].name if len(chosen) == 1 else counted(len(chosen), "task")
                report_applied(done, f"Deleted {what}")
                st.query_params.pop("task", None)
            st.rerun()
        if st.button("Keep"):
            st.rerun()


def _names(chosen: Sequence[Task]) -> str:
    return listed([bold(task.name) for task in chosen], 10)
