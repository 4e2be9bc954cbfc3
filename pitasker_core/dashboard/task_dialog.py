"""The dialog that makes a task or changes one, with what its schedule means while it is typed."""

import streamlit as st

from pitasker_core import clock, tasks
from pitasker_core.crontab import schedule as schedules
from pitasker_core.dashboard.shell import ACTOR, plain, settings, tell_applied, time_text
from pitasker_core.errors import InvalidSyntax, PiTaskerError
from pitasker_core.tasks import Task


def task_dialog(task: Task | None) -> None:
    """Open the dialog: for a new task, or to change one."""
    st.dialog(task.name if task else "New task", width="large")(_draw)(task)


def _draw(task: Task | None) -> None:
    key = f"dialog-{task.id}-{task.version}" if task else "dialog-new"
    name = st.text_input(
        "Name", task.name if task else "", max_chars=200, key=f"{key}-name", placeholder="Backup"
    )
    schedule = st.text_input(
        "Schedule",
        task.schedule if task else "",
        key=f"{key}-schedule",
        placeholder="0 2 * * *",
        help="Minute, hour, day of the month, month, day of the week; or a nickname like @daily.",
    )
    _show_meaning(schedule, is_new=task is None or schedule != task.schedule)
    command = st.text_input(
        "Command",
        task.command if task else "",
        key=f"{key}-command",
        placeholder="/home/pi/bin/backup.sh",
        help="One line for the shell. An unescaped % ends it; what follows is its standard input.",
    )
    notes = st.text_area("Notes", task.notes if task else "", key=f"{key}-notes", height=80)
    labels = st.multiselect(
        "Labels",
        list(task.labels) if task else [],
        list(task.labels) if task else [],
        accept_new_options=True,
        key=f"{key}-labels",
    )
    with st.container(horizontal=True):
        on = st.toggle("On", not task.paused if task else True, key=f"{key}-on")
        managed = st.toggle(
            "In crontab", task.is_system_managed if task else True, key=f"{key}-managed"
        )
    if not st.button("Save", type="primary", icon=":material/check:", key=f"{key}-save"):
        return
    try:
        if task is None:
            done = tasks.create(
                settings(),
                ACTOR,
                name,
                schedule,
                command,
                system_managed=managed,
                paused=not on,
                notes=notes,
                labels=labels,
            )
        else:
            done = tasks.change(
                settings(),
                ACTOR,
                task.id,
                task.version,
                name=name,
                schedule=schedule,
                command=command,
                system_managed=managed,
                paused=not on,
                notes=notes,
                labels=labels,
            )
    except PiTaskerError as problem:
        # In the dialog, so that nothing that was typed is lost.
        st.error(plain(problem.user_message), icon=":material/error:")
        return
    tell_applied(done, f"Saved {name}")
    st.rerun()


def _show_meaning(text: str, *, is_new: bool) -> None:
    if not text.strip():
        return
    try:
        schedule = schedules.parse(text.strip(" \t"))
        if is_new:
            tasks.check_schedule(text.strip(" \t"))
    except schedules.InvalidSchedule as problem:
        better = f" Perhaps {problem.suggestion} was meant." if problem.suggestion else ""
        st.caption(f":red[{plain(problem.message + '.' + better)}]")
        return
    except InvalidSyntax as problem:
        st.caption(f":red[{plain(problem.user_message)}]")
        return
    zone = clock.system_zone()
    runs = schedules.next_runs(schedule, clock.now(), zone, 3)
    words = plain(schedules.describe(schedule))
    if runs:
        words += f"  \nNext: {', '.join(time_text(run) for run in runs)} ({zone.key})"
    st.caption(words)
