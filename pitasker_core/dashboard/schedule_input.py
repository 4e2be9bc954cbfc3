"""The field of a schedule: text or words, presets, what it means, and better ones as buttons."""

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import InvalidSyntax, PiTaskerError
from pitasker_core.base.text import Code, Text, visible
from pitasker_core.crontab.builder import PRESETS
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.crontab.understanding import Understanding, understand
from pitasker_core.dashboard.markdown import bold, plain
from pitasker_core.dashboard.session import environment
from pitasker_core.dashboard.times import ago

_OFFERS = 3
"""Schedules that are offered at the same time."""


def schedule_input(key: str, start: str, base: str, *, is_new: bool) -> str:
    """The schedule as text. `base` is what the task has, which may be odd and stay so."""
    text_key = f"{key}-schedule"
    st.session_state.setdefault(text_key, start)

    def take_preset() -> None:
        if preset := st.session_state.get(f"{key}-preset"):
            st.session_state[text_key] = PRESETS[preset]

    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Schedule",
            key=text_key,
            placeholder="0 2 * * *, or: every weekday at 7:30",
            live=True,
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
            width=200,
            label_visibility="collapsed",
        )
    if text.strip():
        _show_meaning(text_key, text.strip(" \t"), check=is_new or text != base)
    return text


def _show_meaning(text_key: str, text: str, *, check: bool) -> None:
    dialect = _dialect()
    meant = understand(text, clock.system_zone(), clock.now(), dialect)
    problem = _problem(text, meant, dialect) if check else ""
    if problem:
        st.caption(f":red[:material/error: {plain(problem)}]")
    elif meant.is_schedule:
        st.caption(_sentence(meant))
    for warning in meant.warnings if not problem else ():
        st.caption(f":orange[:material/warning: {plain(warning)}]")
    _offer(text_key, text, meant)


def _problem(text: str, meant: Understanding, dialect: Dialect) -> str:
    if not meant.is_schedule:
        return meant.reason or "Cron cannot read this as a schedule."
    try:
        tasks.check_schedule(text, dialect)
    except InvalidSyntax as problem:
        return problem.user_message
    return ""


def _sentence(meant: Understanding) -> str:
    words = bold(meant.description)
    if meant.runs:
        zone, now = clock.system_zone(), clock.now()
        times = ", ".join(f"{run:%a %d %b %H:%M}" for run in meant.runs)
        words += f"  \nNext: {times} ({plain(zone.key)}), the first {ago(meant.runs[0], now)}"
    return words


def _offer(text_key: str, text: str, meant: Understanding) -> None:
    words = {offer.schedule: offer.description for offer in meant.suggestions}
    if meant.schedule and meant.schedule != text:
        words = {meant.schedule: meant.description, **words}
    offers = [(schedule, said) for schedule, said in words.items() if schedule != text][:_OFFERS]
    for schedule, said in offers:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                plain(Text("Use ", Code(visible(schedule)))),
                key=f"{text_key}-{schedule}",
                on_click=st.session_state.update,
                args=({text_key: schedule},),
            )
            st.caption(plain(said), width="content")


def _dialect() -> Dialect:
    try:
        return tasks.current(environment()).dialect
    except PiTaskerError:
        return Dialect.DEBIAN
