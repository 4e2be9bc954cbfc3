"""The dialog that makes a task or changes one, with what it means while it is typed."""

from typing import Any

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import InvalidSyntax, PiTaskerError
from pitasker_core.crontab import environment_lines
from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.calendar import next_runs
from pitasker_core.crontab.document import Document
from pitasker_core.crontab.recording import LONGEST_TIMEOUT
from pitasker_core.dashboard.markdown import bold, plain
from pitasker_core.dashboard.messages import report_applied
from pitasker_core.dashboard.run_list import much_output
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.task_grid import RUN_NOW, RUNS, WHY
from pitasker_core.dashboard.times import ago, time_text
from pitasker_core.database import notices
from pitasker_core.reports import doctor
from pitasker_core.runs import history
from pitasker_core.sync import service
from pitasker_core.tasks import Task

PRESETS = {
    "Every 5 minutes": "*/5 * * * *",
    "Every hour": "0 * * * *",
    "Every day at 02:00": "0 2 * * *",
    "Every Monday at 07:00": "0 7 * * 1",
    "Every month on the 1st": "0 3 1 * *",
    "At system start": "@reboot",
}
_FIELDS = ("Minute", "Hour", "Day", "Month", "Weekday")


def task_dialog(task: Task | None, *, duplicate: bool = False) -> None:
    """Open the dialog: for a new task, a new one like another, or to change one."""
    title = plain(task.name) if task and not duplicate else "New task"
    st.dialog(title, width="large")(_draw)(task, duplicate)


def _draw(like: Task | None, duplicate: bool) -> None:
    task = None if duplicate else like
    key = f"dialog-{like.id if like else 'new'}-{like.version if like else 0}-{duplicate}"
    name_now = (f"{like.name} (copy)" if duplicate else like.name) if like else ""
    name = st.text_input(
        "Name", name_now, max_chars=200, key=f"{key}-name", placeholder="Backup of the photos"
    )
    schedule = _schedule(key, like.schedule if like else "", is_new=task is None)
    command = st.text_input(
        "Command",
        like.command if like else "",
        key=f"{key}-command",
        placeholder="/home/pi/bin/backup.sh",
        live=True,
        help="One line for the shell. An unescaped % ends it; what follows is its standard input.",
    )
    _advise(schedule, command, task)
    with st.container(horizontal=True):
        managed = st.toggle(
            "Sync to the system crontab",
            like.system_managed if like else True,
            key=f"{key}-managed",
            help="On: it gets an entry in your crontab, and cron runs it. "
            "Off: it is kept in the database only, and nothing runs it.",
        )
        on = st.toggle(
            "On",
            not like.paused if like else True,
            key=f"{key}-on",
            help="Off: paused. Its entry stays in the crontab as a comment.",
        )
    of_runs = _runs(key, like)
    with st.expander("Notes and labels"):
        notes = st.text_area("Notes", like.notes if like else "", key=f"{key}-notes", height=80)
        labels = st.multiselect(
            "Labels",
            list(like.labels) if like else [],
            list(like.labels) if like else [],
            accept_new_options=True,
            key=f"{key}-labels",
        )
    if task:
        _history(task)
    refusal = st.container()  # above the button, so that it is seen where the button is
    with st.container(horizontal=True):
        saves = st.button(
            "Save",
            type="primary",
            icon=":material/check:",
            key=f"{key}-save",
            disabled=environment().read_only,
        )
        if task:
            _go_elsewhere(key, task)
    if not saves:
        return
    fields = {
        "name": name,
        "schedule": schedule,
        "command": command,
        "system_managed": managed,
        "paused": not on,
        "notes": notes,
        "labels": labels,
        **of_runs,
    }
    try:
        if task is None:
            done = tasks.create(environment(), ACTOR, tasks.NewTask(**fields))
        else:
            done = tasks.change(environment(), ACTOR, task.id, task.version, **fields)
    except PiTaskerError as problem:
        # In the dialog, so that nothing that was typed is lost.
        refusal.error(plain(problem.user_message), icon=":material/error:")
        return
    report_applied(done, f"Saved {name}")
    st.rerun()


_ELSEWHERE = {
    RUN_NOW: ":material/play_arrow:",
    RUNS: ":material/history:",
    WHY: ":material/help:",
}
"""What else can be done with the task: acts of its row's menu."""


def _go_elsewhere(key: str, task: Task) -> None:
    for what, icon in _ELSEWHERE.items():
        off = what == RUN_NOW and environment().read_only
        if st.button(what, icon=icon, key=f"{key}-{what}", disabled=off):
            # One dialog cannot open another: the page does it, as from the row's menu.
            st.session_state.menu = (what, task.id)
            st.rerun()


_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600}


def _runs(key: str, like: Task | None) -> dict[str, Any]:
    """What shall be kept of its runs, and what shall bound them: the fields of the task."""
    with st.expander("Runs", expanded=bool(like and like.record_runs)):
        if like and (rate := history.bytes_per_day(environment(), like.id)) >= history.MUCH_OUTPUT:
            st.warning(plain(much_output(rate)), icon=":material/sd_card_alert:")
        record = st.toggle(
            "Record runs",
            like.record_runs if like else False,
            key=f"{key}-record",
            help="Its entry gets a small program before the command, which starts the job as cron "
            "would and keeps how it ended, how long it took and what it printed. Cron's mail still "
            "arrives. Switching it off puts the plain command back.",
        )
        if not record:
            st.caption(
                "Off: of its runs only the start is seen, where cron's log can be read. "
                "A time limit needs it on."
            )
        limit, unit = _in_units(like.timeout_seconds if like else None)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            amount = st.number_input(
                "Time limit (0: none)",
                0,
                LONGEST_TIMEOUT,
                limit,
                key=f"{key}-limit",
                disabled=not record,
                width=160,
                help="A run that takes longer is asked to end, and killed ten seconds later.",
            )
            unit = st.selectbox(
                "Unit",
                list(_UNITS),
                list(_UNITS).index(unit),
                key=f"{key}-unit",
                label_visibility="collapsed",
                disabled=not record,
                width=120,
            )
        no_overlap = st.toggle(
            "Do not start while it is still running",
            like.no_overlap if like else False,
            key=f"{key}-overlap",
            disabled=not record,
        )
        catch_up = st.toggle(
            "Catch up after the machine was off",
            like.catch_up if like else False,
            key=f"{key}-catch-up",
            help="Once, however many runs were missed, a little after the machine is on again.",
        )
        ping = st.text_input(
            "Ping address",
            like.ping_url if like else "",
            key=f"{key}-ping",
            placeholder="https://hc-ping.com/your-uuid",
            help="Of an outside monitor: it is called when a run starts, goes well or fails.",
        )
        notify = _notify(key, like.notify if like else None)
    return {
        "record_runs": record,
        "timeout_seconds": min(amount * _UNITS[unit], LONGEST_TIMEOUT) or None,
        "no_overlap": no_overlap,
        "catch_up": catch_up,
        "ping_url": ping.strip(),
        "notify": notify,
    }


def _notify(key: str, now: tuple[str, ...] | None) -> list[str] | None:
    """Which notices are wanted of this task; None for those that are wanted of all."""
    as_for_all = st.toggle(
        "Tell of it as of every task",
        now is None,
        key=f"{key}-notify-all",
        help="Settings has the channels, and what each tells of. Off: choose for this task.",
    )
    if as_for_all:
        return None
    return st.pills(
        "Tell of it when it …",
        [kind.value for kind in notices.TASK_NOTICES],
        selection_mode="multi",
        default=list(now or ()),
        key=f"{key}-notify",
        help="None: this task is silent.",
    )


def _in_units(seconds: int | None) -> tuple[int, str]:
    """A time in the largest unit that gives a whole number: 600 is 10 minutes."""
    if not seconds:
        return 0, "minutes"
    unit = next(unit for unit in reversed(_UNITS) if seconds % _UNITS[unit] == 0)
    return seconds // _UNITS[unit], unit


def _schedule(key: str, now: str, *, is_new: bool) -> str:
    """The schedule as text, with presets and the five fields beside it."""
    text_key = f"{key}-schedule"
    st.session_state.setdefault(text_key, now)

    def take_preset() -> None:
        if preset := st.session_state.get(f"{key}-preset"):
            st.session_state[text_key] = PRESETS[preset]

    def take_fields() -> None:
        fields = [st.session_state[f"{key}-{field}"].strip() or "*" for field in _FIELDS]
        st.session_state[text_key] = " ".join(fields)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Schedule",
            key=text_key,
            placeholder="0 2 * * *",
            live=True,
            width=300,
            help="Minute, hour, day of the month, month, day of the week; or a nickname such as "
            "@daily.",
        )
        st.selectbox(
            "Preset",
            list(PRESETS),
            index=None,
            placeholder="Choose",
            key=f"{key}-preset",
            on_change=take_preset,
            width=220,
        )
    _show_meaning(text, is_new=is_new or text != now)
    parts = text.split()
    if len(parts) == len(_FIELDS):
        with st.expander("The five fields"), st.container(horizontal=True):
            for field, part in zip(_FIELDS, parts, strict=True):
                st.session_state[f"{key}-{field}"] = part
                st.text_input(field, key=f"{key}-{field}", on_change=take_fields, width=90)
    return text


def _show_meaning(text: str, *, is_new: bool) -> None:
    if not text.strip():
        return
    try:
        crontab = _crontab()
        dialect = crontab.dialect if crontab else schedules.Dialect.DEBIAN
        schedule = schedules.parse(text.strip(" \t"), dialect)
        if is_new:
            tasks.check_schedule(text.strip(" \t"), dialect)
    except schedules.InvalidSchedule as problem:
        better = f" Perhaps {problem.suggestion} was meant." if problem.suggestion else ""
        st.caption(f":red[{plain(problem.message + '.' + better)}]")
        return
    except InvalidSyntax as problem:
        st.caption(f":red[{plain(problem.user_message)}]")
        return
    zone, now = clock.system_zone(), clock.now()
    runs = next_runs(schedule, now, zone, 5)
    words = bold(schedules.describe(schedule))
    if runs:
        times = ", ".join(f"{run:%a %d %b %H:%M}" for run in runs)
        words += f"  \nNext: {times} ({zone.key}), the first {ago(runs[0], now)}"
    st.caption(words)


def _advise(schedule: str, command: str, task: Task | None) -> None:
    if not command.strip():
        return
    document, index = _crontab(), None
    if document and task and task.tag:
        index = next(iter(document.by_tag.get(task.tag, [])), None)
    findings = doctor.examine_draft(environment(), schedule.strip(), command.strip(), index)
    for finding in findings:
        if finding.rule != "invalid_line":  # said below the schedule
            st.caption(f":orange[:material/warning: {plain(finding.sentence)}]")


def _crontab() -> Document | None:
    try:
        return service.read_crontab(environment())[1]
    except PiTaskerError:
        return None


def _history(task: Task) -> None:
    document = _crontab()
    places = document.by_tag.get(task.tag, []) if document and task.tag else []
    if document and places:
        reaching = environment_lines.lines_for(document, places[0])
        st.caption(f"Its entry stands in line {places[0] + 1:d} of the crontab.")
        with st.expander(f"Settings that reach it: {len(reaching)}"):
            for index, setting in reaching:
                st.caption(plain(f"Line {index + 1}: {setting.name}={setting.value}"))
            st.caption("Without a setting: PATH=/usr/bin:/bin, SHELL=/bin/sh, and your HOME.")
    facts = [f"Made {time_text(task.created_at)}", f"changed {time_text(task.updated_at)}"]
    if task.synced_at:
        facts.append(f"last in sync {time_text(task.synced_at)}")
    if task.tag and task.system_managed:
        facts.append(f"its entry's tag is {task.tag}")
    st.caption(f"Task {task.id}. {', '.join(facts)}. Address of this page: /tasks?task={task.id}")
