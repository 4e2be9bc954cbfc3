"""The builder of schedules: a person chooses the five fields, which always agree with the text.

The text is the only state. A choice changes the text, and each run sets every widget from the text.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import streamlit as st

from pitasker_core.crontab import builder
from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.builder import CHOICES, KINDS, Build, Field, FieldKind, Mode
from pitasker_core.crontab.calendar import Clock, next_runs, zone_of
from pitasker_core.crontab.doctor.clock_changes import find_clock_changes
from pitasker_core.crontab.schedule import Dialect, InvalidSchedule
from pitasker_core.dashboard import schedule_calendar
from pitasker_core.dashboard.markdown import code, plain
from pitasker_core.dashboard.session import is_phone

START = "0 2 * * *"
"""What an empty schedule becomes when the builder is opened."""

_LABELS = {
    Mode.EVERY: "Every",
    Mode.AT: "At",
    Mode.RANGE: "From … to",
    Mode.STEP: "Step",
    Mode.OTHER: "Other",
}
_FEW = 12
"""Up to this many values are shown as buttons."""


def show_builder(text_key: str, clock: Clock, now: datetime, dialect: Dialect) -> None:
    """Draw the builder of the text in `st.session_state[text_key]`, closed at first."""
    key = f"{text_key}-builder"

    def open_builder() -> None:
        if st.session_state[key] and not st.session_state[text_key].strip():
            st.session_state[text_key] = START

    opened = st.expander(
        "Build it", icon=":material/construction:", key=key, on_change=open_builder
    )
    if not opened.open:
        return
    text = st.session_state[text_key].strip(" \t")
    with opened:
        try:
            build = builder.read_schedule(text, dialect)
        except InvalidSchedule:
            st.caption("This text is not a schedule yet.")
            _offer_start(text_key)
            return
        _show_fields(text_key, build, dialect)
        _show_calendar(text, clock, now, dialect)


def _offer_start(text_key: str) -> None:
    st.button(
        f"Begin with {code(START)}",
        key=f"{text_key}-begin",
        on_click=st.session_state.update,
        args=({text_key: START},),
    )


# --- The fields ------------------------------------------------------------------------------


def _show_fields(text_key: str, build: Build, dialect: Dialect) -> None:
    if not build.fields:
        st.caption("It runs once, when the machine starts. A choice here sets times instead.")
    for field in build.fields or map(builder.every, KINDS):
        change = _changer(text_key, field.kind, dialect)
        key = f"{text_key}-{field.kind.name}"
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            _show_mode(key, field, change)
            _show_values(key, field, change)


def _changer(
    text_key: str, kind: FieldKind, dialect: Dialect
) -> Callable[[Callable[[Field], Field]], None]:
    """A function that changes the field of a kind in the text as it is then."""

    def change(turn: Callable[[Field], Field]) -> None:
        try:
            build = builder.read_schedule(st.session_state[text_key].strip(" \t"), dialect)
        except InvalidSchedule:
            return  # the text was changed at the same time
        fields = {field.kind.name: field for field in build.fields}
        field = fields.get(kind.name) or builder.every(kind)
        st.session_state[text_key] = build.with_field(turn(field)).text

    return change


def _set(key: str, value: Any) -> str:
    st.session_state[key] = value
    return key


def _show_mode(key: str, field: Field, change: Callable[..., None]) -> None:
    mode = Mode.AT if field.mode is Mode.LIST else field.mode
    mode_key = _set(f"{key}-mode", mode)

    def choose() -> None:
        chosen = st.session_state[mode_key]
        if chosen in CHOICES:
            change(lambda field: builder.with_mode(field, chosen))

    st.segmented_control(
        field.kind.name.capitalize(),
        [*CHOICES, Mode.OTHER] if mode is Mode.OTHER else [*CHOICES],
        format_func=_LABELS.__getitem__,
        required=True,
        key=mode_key,
        on_change=choose,
    )


def _show_values(key: str, field: Field, change: Callable[..., None]) -> None:
    if field.mode in (Mode.AT, Mode.LIST):
        _show_choice(key, field, change)
    elif field.mode is Mode.RANGE:
        first, last = field.values
        _show_ends(key, field.kind, first, last, change, builder.from_to)
    elif field.mode is Mode.STEP:
        _show_step(key, field, change)
    elif field.mode is Mode.OTHER:
        st.markdown(code(field.text))


def _show_choice(key: str, field: Field, change: Callable[..., None]) -> None:
    kind = field.kind
    choice_key = _set(f"{key}-values", list(field.values))

    def choose() -> None:
        values = st.session_state[choice_key]
        change(lambda field: builder.at(kind, *values) if values else builder.every(kind))

    # On a phone they would scroll sideways.
    if len(kind.labels) <= _FEW and not is_phone():
        st.pills(
            f"At {kind.name}",
            list(kind.labels),
            selection_mode="multi",
            format_func=lambda value: kind.labels[value][:3],
            key=choice_key,
            on_change=choose,
            label_visibility="collapsed",
        )
    else:
        st.multiselect(
            f"At {kind.name}",
            list(kind.labels),
            format_func=kind.labels.__getitem__,
            key=choice_key,
            on_change=choose,
            label_visibility="collapsed",
            width=260,
        )


def _show_ends(
    key: str,
    kind: FieldKind,
    first: int,
    last: int,
    change: Callable[..., None],
    build: Callable[[FieldKind, int, int], Field],
) -> None:
    keys = [_set(f"{key}-first", first), _set(f"{key}-last", last)]

    def choose() -> None:
        ends = [st.session_state[end] for end in keys]
        change(lambda field: build(kind, *ends))

    for name, end in (("from", keys[0]), ("to", keys[1])):
        st.selectbox(
            f"{kind.name} {name}",
            list(kind.labels),
            format_func=kind.labels.__getitem__,
            required=True,
            key=end,
            on_change=choose,
            label_visibility="collapsed",
            width=120,
        )


def _show_step(key: str, field: Field, change: Callable[..., None]) -> None:
    kind = field.kind
    step_key = _set(f"{key}-step", field.step)
    within_key = _set(f"{key}-within", bool(field.values))

    def choose() -> None:
        step, within = st.session_state[step_key], st.session_state[within_key]
        ends = (field.values or (kind.low, kind.high)) if within else ()
        change(lambda _: builder.stepped(kind, step, *ends))

    steps = range(2, (kind.high - kind.low + 1) // 2 + 1)
    unit = {"day of month": "days", "day of week": "days"}.get(kind.name, f"{kind.name}s")
    st.selectbox(
        f"Step of the {kind.name}",
        sorted({*steps, field.step}),
        format_func=lambda step: f"every {step} {unit}",
        required=True,
        key=step_key,
        on_change=choose,
        label_visibility="collapsed",
        width=150,
    )
    st.checkbox("from … to", key=within_key, on_change=choose)
    if field.values:

        def build(kind: FieldKind, first: int, last: int) -> Field:
            return builder.stepped(kind, field.step, first, max(first, last))

        first, last = field.values
        _show_ends(key, kind, first, last, change, build)


# --- The calendar ----------------------------------------------------------------------------


def _show_calendar(text: str, clock: Clock, now: datetime, dialect: Dialect) -> None:
    schedule, zone = schedules.parse(text, dialect), zone_of(clock)
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    runs = next_runs(schedule, now, clock, 1)
    first = runs[0].date() if runs else None
    changes = find_clock_changes(zone, today)
    calendar = schedule_calendar.read_calendar(schedule, today.date(), first, changes)
    if calendar is None:
        return
    until = today.date() + timedelta(days=schedule_calendar.SHOWN_DAYS - 1)
    st.markdown(f"**Until {until:%-d %B}**: {plain(schedule_calendar.sentence(calendar))}")
    st.html(schedule_calendar.html(calendar))
