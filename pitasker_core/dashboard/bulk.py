"""What can be done with several chosen tasks at once."""

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.dashboard.markdown import bold
from pitasker_core.dashboard.messages import act, add_notice, record_write, report_applied, sync_now
from pitasker_core.dashboard.run_live import take_in
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.runs import history, manual
from pitasker_core.sync.service import Request
from pitasker_core.sync.stop_managing import stop_managing
from pitasker_core.tasks import Edit, Task

_AT_ONCE: dict[str, dict[str, Any]] = {
    "Pause": {"paused": True},
    "Resume": {"paused": False},
    "Take out of the crontab": {"system_managed": False},
    "Put into the crontab": {"system_managed": True},
    "Record runs": {"record_runs": True},
    "Do not record runs": {"record_runs": False},
}


def bulk_bar(
    chosen: Sequence[Task], labels: Sequence[str], choose_none: Callable[[], None]
) -> None:
    """The bar above the table while tasks are chosen. `labels` are those in use."""
    if not chosen:
        return
    acts: dict[str, Callable[[], None]] = {
        **{what: partial(_edit, chosen, what, choose_none) for what in _AT_ONCE},
        "Pause until …": lambda: _pause_until(chosen, choose_none),
        "Label …": lambda: _label(chosen, labels, choose_none),
        "Run now": lambda: run_now(chosen),
        "Sync": lambda: _sync(chosen),
        "Stop managing …": lambda: _confirm_release(chosen, choose_none),
        "Delete …": lambda: confirm_delete(chosen, choose_none),
    }
    with st.container(horizontal=True, vertical_alignment="center", key="bulk"):
        st.markdown(f"**{_count(chosen)} chosen**", width="content")
        what = st.menu_button(
            "With these",
            list(acts),
            icon=":material/checklist:",
            key="bulk_menu",
            disabled=environment().read_only,
        )
        st.button("Choose none", type="tertiary", on_click=choose_none)
    if what:
        acts[what]()


def _count(chosen: Sequence[Task]) -> str:
    return "1 task" if len(chosen) == 1 else f"{len(chosen)} tasks"


def _edit(chosen: Sequence[Task], what: str, choose_none: Callable[[], None]) -> None:
    _apply(chosen, what, lambda task: _AT_ONCE[what], choose_none)


def _apply(
    chosen: Sequence[Task],
    what: str,
    fields: Callable[[Task], dict[str, Any]],
    choose_none: Callable[[], None],
) -> None:
    edits = [Edit(task.id, task.version, fields(task)) for task in chosen]
    done = act(tasks.apply, environment(), ACTOR, edits)
    if done:
        report_applied(done, f"{what}: {_count(chosen)}")
        choose_none()
    st.rerun()


def _sync(chosen: Sequence[Task]) -> None:
    tags = {task.tag for task in chosen if task.tag}
    if not sync_now(Request(ACTOR, only=tags)):
        st.switch_page("pages/sync.py")
    st.rerun()


def run_now(chosen: Sequence[Task]) -> None:
    """Start tasks, and go to where their output is to be seen."""
    names = [act(manual.start, environment(), ACTOR, task) for task in chosen]
    take_in()
    if not any(names):
        st.rerun()
    add_notice("done", f"Started {_count(chosen)}.")
    only = {}
    if len(chosen) == 1:
        run = history.named(environment(), names[0] or "")
        only = {"task": str(chosen[0].id), **({"run": str(run.id)} if run else {})}
    st.switch_page("pages/runs.py", query_params=only)


@st.dialog("Pause until")
def _pause_until(chosen: Sequence[Task], choose_none: Callable[[], None]) -> None:
    zone = clock.system_zone()
    now = clock.now().astimezone(zone)
    morning = datetime.combine(now.date() + timedelta(days=1), time(8), zone)
    soon = {
        "In an hour": now + timedelta(hours=1),
        "Tomorrow morning": morning,
        "Next Monday": morning + timedelta(days=-morning.weekday() % 7),
        "Another time": None,
    }
    choice = st.radio("Until", list(soon), label_visibility="collapsed")
    until = soon[choice]
    if until is None:
        picked = st.datetime_input(
            f"Time ({zone.key})", morning.replace(tzinfo=None), min_value=now.replace(tzinfo=None)
        )
        until = picked.replace(tzinfo=zone) if picked else None
    if until:
        st.caption(
            f"{_count(chosen)}: no runs until {until:%A %d %B, %H:%M}. PiTasker resumes them then, "
            "if it is running; else when it is started next."
        )
    if st.button(
        "Pause",
        type="primary",
        icon=":material/pause:",
        disabled=until is None or environment().read_only,
    ):
        fields = {"paused": True, "paused_until": until}
        _apply(chosen, f"Paused until {until:%a %d %b, %H:%M}", lambda task: fields, choose_none)


@st.dialog("Labels")
def _label(chosen: Sequence[Task], labels: Sequence[str], choose_none: Callable[[], None]) -> None:
    add = st.multiselect("Add", list(labels), accept_new_options=True)
    theirs = sorted({label for task in chosen for label in task.labels})
    take_off = st.multiselect("Take off", theirs) if theirs else []

    def fields(task: Task) -> dict[str, Any]:
        kept = [label for label in task.labels if label not in take_off]
        return {"labels": list(dict.fromkeys([*kept, *add]))}

    if st.button(
        "Label", type="primary", disabled=not (add or take_off) or environment().read_only
    ):
        _apply(chosen, "Labelled", fields, choose_none)


@st.dialog("Stop managing?")
def _confirm_release(chosen: Sequence[Task], choose_none: Callable[[], None]) -> None:
    st.markdown(
        f"{_names(chosen)}: the entries stay in the crontab as they are, without PiTasker's tags, "
        "and cron goes on running them. The tasks are gone from here; an import brings them back."
    )
    if any(task.paused for task in chosen):
        st.warning("A paused entry stays as a comment.")
    if st.button("Stop managing", type="primary", disabled=environment().read_only):
        done = act(stop_managing, environment(), ACTOR, [task.id for task in chosen])
        if done:
            record_write(f"Stopped managing {_count(chosen)}", *done)
            choose_none()
        st.rerun()


@st.dialog("Delete?")
def confirm_delete(chosen: Sequence[Task], choose_none: Callable[[], None]) -> None:
    """Ask before tasks are deleted, with their entries."""
    st.markdown(f"{_names(chosen)}: deleted, with the entries in the crontab. This can be undone.")
    with st.container(horizontal=True):
        look_only = environment().read_only
        if st.button("Delete", type="primary", icon=":material/delete:", disabled=look_only):
            done = act(tasks.delete, environment(), ACTOR, *(task.id for task in chosen))
            if done:
                what = chosen[0].name if len(chosen) == 1 else _count(chosen)
                report_applied(done, f"Deleted {what}")
                choose_none()
            st.rerun()
        if st.button("Keep"):
            st.rerun()


def _names(chosen: Sequence[Task]) -> str:
    names = ", ".join(bold(task.name) for task in chosen[:10])
    return f"{names} and {len(chosen) - 10} more" if len(chosen) > 10 else names
