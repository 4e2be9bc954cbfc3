"""The field of a schedule: five fields or words, presets, its meaning, and better schedules."""

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import Code, Text, visible
from pitasker_core.crontab.builder import PRESETS
from pitasker_core.crontab.calendar import Clock
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.crontab.understanding import Understanding, understand
from pitasker_core.crontab.zones import entry_clock
from pitasker_core.dashboard.enter_key import watch_enter
from pitasker_core.dashboard.markdown import bold, code, plain
from pitasker_core.dashboard.schedule_answer import Answer, Offer, accepted, answer
from pitasker_core.dashboard.schedule_builder import show_builder
from pitasker_core.dashboard.session import browser_zone, environment, is_phone
from pitasker_core.tasks import Task

_PAUSE = "30ms"
"""The pause after the last key before the typed text is answered."""


def schedule_input(key: str, start: str, base: str, task: Task | None) -> str:
    """Draw the field, and return its text. `base` is the task's schedule, which stays allowed."""
    text_key = f"{key}-schedule"
    read_by, dialect = _reading(task)
    now = clock.now()

    def take_preset() -> None:
        if preset := st.session_state.get(f"{key}-preset"):
            st.session_state[text_key] = PRESETS[preset]
            st.session_state[f"{key}-preset"] = None

    with st.container(horizontal=True, vertical_alignment="bottom", key="schedule-field"):
        st.text_input(
            "Schedule",
            # A value of the session state would be lost if the page is drawn twice before the
            # browser shows the field.
            start,
            key=text_key,
            placeholder="0 2 * * *, or: every weekday at 7:30",
            live=_PAUSE,
            width="stretch",
            help="Minute, hour, day of the month, month, day of the week; a nickname such as "
            "@daily; or words.",
        )
        st.selectbox(
            "Preset",
            list(PRESETS),
            index=None,
            placeholder="Preset",
            key=f"{key}-preset",
            on_change=take_preset,
            width=120 if is_phone() else 200,
            label_visibility="collapsed",
        )
    text: str = st.session_state[text_key]
    if stripped := text.strip(" \t"):
        is_new = task is None or text != base
        shown = answer(stripped, read_by, now, dialect, browser_zone(), is_new=is_new)
        with st.container(gap="xsmall"):
            _show(shown)
            if shown.together and task is None:
                count = len(shown.together)
                listed = " · ".join(code(schedule) for schedule in shown.together)
                st.caption(f":material/library_add: Save makes {count} tasks: {listed}")
            _show_offers(key, shown)
            if shown.way:
                st.caption(f":material/lightbulb: {plain(shown.way)}")
    show_builder(text_key, read_by, now, dialect)
    return text


def _reading(task: Task | None) -> tuple[Clock, Dialect]:
    """Return the clock by which cron reads the schedule, and the dialect of this machine's cron."""
    machine = clock.system_zone()
    try:
        listing = tasks.current(environment())
    except PiTaskerError:
        return machine, Dialect.DEBIAN
    if task:
        return listing.cron_clock(task, machine), listing.dialect
    compared = listing.comparison
    return entry_clock(compared.document, None, machine) if compared else machine, listing.dialect


def as_schedule(text: str, task: Task | None) -> str:
    """Return the schedule of words that have one meaning, or any other text unchanged."""
    return _understand(text, task).only_meaning or text


def as_schedules(text: str) -> tuple[str, ...]:
    """Return the schedules of the new tasks that a text means: several if no single one says it."""
    return _understand(text, None).entries


def _understand(text: str, task: Task | None) -> Understanding:
    read_by, dialect = _reading(task)
    return understand(text, read_by, clock.now(), dialect)


def watch_field(key: str, task: Task | None) -> None:
    """Let Enter accept the schedule that words in the field mean.

    It is drawn apart from the field, because it draws an empty line.
    """

    def accept(typed: str) -> None:
        st.session_state[f"{key}-schedule"] = accepted(_understand(typed, task)) or typed

    watch_enter("schedule-field", accept)


def _show(shown: Answer) -> None:
    if shown.problem:
        color, icon = ("orange", "help") if shown.is_words else ("red", "error")
        st.markdown(f":small[:{color}[:material/{icon}: {plain(shown.problem)}]]")
    lines = [bold(shown.description), plain(shown.runs), plain(shown.browser_runs)]
    if any(lines):
        st.caption("  \n".join([line for line in lines if line]))
    for note in shown.notes:
        st.caption(f":material/info: {plain(note)}")
    for warning in shown.warnings:
        st.markdown(f":small[:orange[:material/warning: {plain(warning)}]]")


def _show_offers(key: str, shown: Answer) -> None:
    for offer in shown.offers:
        by_enter = offer.schedule == shown.accepted
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            words = " and a test in the command" if offer.command_test else ""
            st.button(
                plain(Text("Use ", Code(visible(offer.schedule)), words)),
                key=f"{key}-schedule-{offer.schedule}-{bool(offer.command_test)}",
                icon=":material/keyboard_return:" if by_enter else None,
                help="Enter" if by_enter else None,
                on_click=_use,
                args=(key, offer),
            )
            st.caption(plain(offer.words), width="content")


def _use(key: str, offer: Offer) -> None:
    st.session_state[f"{key}-schedule"] = offer.schedule
    command = st.session_state.get(f"{key}-command", "")
    if offer.command_test and not command.startswith(offer.command_test):
        st.session_state[f"{key}-command"] = offer.command_test + command
