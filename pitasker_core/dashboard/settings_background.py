"""The Background part of the settings: intervals of jobs, and how long data is kept."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

import streamlit as st

from pitasker_core.base.text import Text
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.messages import act, add_notice
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.times import time_text
from pitasker_core.database import preferences
from pitasker_core.database.preferences import LIMITS, Preferences
from pitasker_core.server import background, job_states

GROUPS: tuple[tuple[str, str, dict[str, tuple[str, str]]], ...] = (
    (
        "Sync",
        "How often PiTasker compares its tasks with the crontab.",
        {
            "sync_minutes": (
                "Sync every … minutes",
                "A change on one side is applied to the other. A conflict waits for your decision. "
                "0: only when you act.",
            ),
            "validate_minutes": (
                "Validate every … minutes",
                "Looks for problems in the crontab. 0: never.",
            ),
        },
    ),
    (
        "History",
        "How long PiTasker keeps operations, snapshots and deleted tasks.",
        {
            "keep_operations_days": (
                "Days to keep the history",
                "Operations, and who changed what.",
            ),
            "keep_snapshots": (
                "Snapshots to keep",
                "Earlier texts of the crontab. The oldest are deleted first, but the first "
                "snapshot is always kept.",
            ),
            "keep_deleted_days": (
                "Days to keep deleted tasks",
                "A deleted task can be restored for this long.",
            ),
        },
    ),
    (
        "Runs",
        "How long PiTasker keeps the runs of your tasks and their output.",
        {
            "keep_runs_days": ("Days to keep runs", "When they ran and how they ended."),
            "keep_runs_mb": (
                "Storage for output (MB)",
                "The oldest output is deleted first; the runs stay. PiTasker keeps at most the "
                "first and the last 64 KiB of a run's output.",
            ),
        },
    ),
)


def show() -> None:
    """Draw the part."""
    shown = preferences.read(environment())
    _show_state()
    # The key has the value, so that a field shows a change made elsewhere.
    keys = {name: f"preference-{name}-{value}" for name, value in asdict(shown).items()}
    with st.form("preferences", border=False):
        for title, sentence, fields in GROUPS:
            st.markdown(f"**{title}**")
            st.caption(sentence)
            with st.container(horizontal=True):
                for name, (label, help_text) in fields.items():
                    _number(name, label, help_text, getattr(shown, name), keys[name])
            if title == "Sync":
                st.toggle(
                    "Import new entries automatically",
                    shown.import_new,
                    key=keys["import_new"],
                    help="Off: a new entry of the crontab stays unmanaged until you import it. "
                    "On: the next sync in the background imports it.",
                )
        st.form_submit_button(
            "Save",
            type="primary",
            disabled=environment().read_only,
            on_click=_save,
            args=(shown, keys),
        )


def _show_state() -> None:
    if background.is_running(environment()):
        st.caption(":green[:material/check:] The background work is running.")
    elif environment().demo:
        st.caption("The demo does no work in the background: it syncs only when you act.")
    else:
        st.warning("No background work is running: PiTasker syncs only when you act.")
    for name, job in job_states.listing(environment()).items():
        if job.message:
            draw = st.info if job.ok else st.error
            since = time_text(datetime.fromisoformat(job.at))
            draw(plain(Text(f"{name.capitalize()}, since {since}: ", job.message)))


def _number(name: str, label: str, help_text: str, value: Any, key: str) -> None:
    st.number_input(plain(label), *LIMITS[name], value, key=key, help=plain(help_text), width=220)


def _save(shown: Preferences, keys: dict[str, str]) -> None:
    values = {name: st.session_state[key] for name, key in keys.items()}
    if values == asdict(shown):
        return
    if act(preferences.change, environment(), ACTOR, shown, **values):
        add_notice("done", "Saved. The background uses the new values within a minute.")
