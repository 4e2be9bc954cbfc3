"""The fields of the form of a task."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pitasker_core.crontab.recording import LONGEST_TIMEOUT
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.run_list import much_output
from pitasker_core.dashboard.schedule_input import schedule_input, watch_field
from pitasker_core.dashboard.session import environment
from pitasker_core.dashboard.task_draft import Form
from pitasker_core.database import notices
from pitasker_core.reports import doctor
from pitasker_core.runs import run_statistics
from pitasker_core.tasks import Task

_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600}


def show_fields(key: str, start: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """Draw the fields, and return their values."""
    name = st.text_input(
        "Name", start["name"], max_chars=200, key=f"{key}-name", placeholder="Backup of the photos"
    )
    schedule = schedule_input(key, start["schedule"], form.base["schedule"], form.task)
    command = st.text_input(
        "Command",
        start["command"],
        key=f"{key}-command",
        placeholder="/home/pi/bin/backup.sh",
        live=True,
        help="A line for the shell. Text after an unescaped % is its standard input.",
    )
    if schedule != form.base["schedule"] or command != form.base["command"]:
        _advise(key, schedule, command)
    with st.container(horizontal=True):
        managed = st.toggle(
            "In the crontab",
            start["system_managed"],
            key=f"{key}-managed",
            help="On: the task has an entry in your crontab, and cron runs it. "
            "Off: the task is only in the database, and cron does not run it.",
        )
        on = st.toggle(
            "On",
            not start["paused"],
            key=f"{key}-on",
            help="Off: paused. The entry stays in the crontab as a comment.",
        )
    runs = _runs(key, start, form)
    notes = _notes(key, start)
    watch_field(key, form.task)
    return {
        "name": name,
        "schedule": schedule,
        "command": command,
        "system_managed": managed,
        "paused": not on,
        **notes,
        **runs,
    }


def _has_fields(is_open: bool | None, key: str) -> bool:
    """Return whether a part of the form has its fields.

    A browser draws fields in a closed part, too. A part that was open keeps them: else they would
    lose what was typed.
    """
    mark = f"{key}-opened"
    if is_open:
        st.session_state[mark] = True
    return mark in st.session_state


def field_values(key: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of the fields that show these values, and what they show."""
    shown: dict[str, Any] = {}
    for name, value in values.items():
        if name == "timeout_seconds":
            shown["limit"], shown["unit"] = in_units(value)
        elif name == "notify":
            shown["notify-all"], shown["notify"] = value is None, list(value or ())
        else:
            shown[_KEYS.get(name, name)] = not value if name == "paused" else value
    return {f"{key}-{name}": value for name, value in shown.items()}


_KEYS = {
    "system_managed": "managed",
    "paused": "on",
    "record_runs": "record",
    "no_overlap": "overlap",
    "catch_up": "catch-up",
    "ping_url": "ping",
}
"""The keys of fields that are not called like their value."""


def _advise(key: str, schedule: str, command: str) -> None:
    """Draw the doctor's findings in a command that is not saved yet, with buttons for fixes."""
    if not command.strip() or not schedule.strip():
        return
    findings = doctor.examine_draft(environment(), schedule.strip(" \t"), command.strip(" \t"))
    for number, finding in enumerate(findings):
        advice = f" {plain(finding.advice)}" if finding.advice else ""
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(f":orange[:material/warning: {plain(finding.message)}]{advice}")
            fix = finding.fix
            if fix and fix.value is None:
                values = {"schedule": fix.schedule, "command": fix.command}
                fixed = {f"{key}-{name}": value for name, value in values.items() if value}
                st.button(
                    plain(fix.label),
                    key=f"{key}-fix-{number}",
                    on_click=st.session_state.update,
                    args=(fixed,),
                )


def _notes(key: str, start: Mapping[str, Any]) -> dict[str, Any]:
    """Draw the notes and labels, and return their values."""
    part_key, is_open = f"{key}-notes-part", bool(start["notes"] or start["labels"])
    part = st.expander("Notes and labels", is_open, key=part_key, on_change="rerun")
    if not _has_fields(part.open, part_key):
        return {name: start[name] for name in ("notes", "labels")}
    with part:
        notes = st.text_area("Notes", start["notes"], key=f"{key}-notes", height=80)
        labels = st.multiselect(
            "Labels",
            start["labels"],
            start["labels"],
            accept_new_options=True,
            key=f"{key}-labels",
        )
    return {"notes": notes, "labels": labels}


_OF_RUNS = ("record_runs", "timeout_seconds", "no_overlap", "catch_up", "ping_url", "notify")


def _runs(key: str, start: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """Draw the fields about runs and notifications, and return their values."""
    part_key, is_open = f"{key}-runs-part", bool(start["record_runs"])
    part = st.expander("Runs and notifications", is_open, key=part_key, on_change="rerun")
    if not _has_fields(part.open, part_key):
        return {name: start[name] for name in _OF_RUNS}
    with part:
        _warn_of_output(form.task)
        record = st.toggle(
            "Record runs",
            start["record_runs"],
            key=f"{key}-record",
            help="The entry gets a small program before the command. It starts the job as cron "
            "would, and records the result, the duration and the output. Cron's mail still "
            "arrives. Switching this off restores the plain command.",
        )
        if not record:
            st.caption(
                "Off: PiTasker sees only the start of a run, and only if cron's log can be read. "
                "A time limit needs recorded runs."
            )
        seconds = _time_limit(key, start["timeout_seconds"], enabled=record)
        no_overlap = st.toggle(
            "Do not start while it is still running",
            start["no_overlap"],
            key=f"{key}-overlap",
            disabled=not record,
        )
        catch_up = st.toggle(
            "Catch up after the machine was off",
            start["catch_up"],
            key=f"{key}-catch-up",
            help="The task runs once, shortly after the machine is on again.",
        )
        ping = st.text_input(
            "Ping address",
            start["ping_url"],
            key=f"{key}-ping",
            placeholder="https://hc-ping.com/your-uuid",
            help="PiTasker calls this monitor when a run starts, succeeds or fails.",
        )
        notify = _notify(key, start["notify"])
    return {
        "record_runs": record,
        "timeout_seconds": seconds,
        "no_overlap": no_overlap,
        "catch_up": catch_up,
        "ping_url": ping.strip(),
        "notify": notify,
    }


def _warn_of_output(task: Task | None) -> None:
    rate = run_statistics.bytes_per_day(environment(), task.id) if task else 0
    if rate >= run_statistics.MUCH_OUTPUT:
        st.warning(plain(much_output(rate)), icon=":material/sd_card_alert:")


def _time_limit(key: str, seconds: int | None, *, enabled: bool) -> int | None:
    limit, unit = in_units(seconds)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        amount = st.number_input(
            "Time limit (0: none)",
            0,
            LONGEST_TIMEOUT,
            limit,
            key=f"{key}-limit",
            disabled=not enabled,
            width=160,
            help="A longer run gets SIGTERM, and SIGKILL ten seconds later.",
        )
        unit = st.selectbox(
            "Unit",
            list(_UNITS),
            list(_UNITS).index(unit),
            key=f"{key}-unit",
            label_visibility="collapsed",
            disabled=not enabled,
            width=120,
        )
    return min(amount * _UNITS[unit], LONGEST_TIMEOUT) or None


def in_units(seconds: int | None) -> tuple[int, str]:
    """Return a time in the largest unit that gives a whole number: 600 is 10 minutes."""
    if not seconds:
        return 0, "minutes"
    unit = next(unit for unit in reversed(_UNITS) if seconds % _UNITS[unit] == 0)
    return seconds // _UNITS[unit], unit


def _notify(key: str, now: list[str] | None) -> list[str] | None:
    """Draw the choice of notices, and return their kinds. None means the default notices."""
    is_default = st.toggle(
        "Use the default notifications",
        now is None,
        key=f"{key}-notify-all",
        help="Settings has the channels and their notices. Off: choose for this task.",
    )
    if is_default:
        return None
    chosen: list[str] = st.pills(
        "Notify when it …",
        [kind.value for kind in notices.TASK_NOTICES],
        selection_mode="multi",
        default=list(now or ()),
        key=f"{key}-notify",
        help="Choose none to send no notices about this task.",
    )
    return chosen
