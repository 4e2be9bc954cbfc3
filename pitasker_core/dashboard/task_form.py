"""The form that makes a task or changes one, with what it means while it is typed.

What is typed is kept as a draft until it is saved or discarded. The widgets' keys end with a
generation: after saving and discarding, no widget holds what was typed before.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.crontab.recording import LONGEST_TIMEOUT
from pitasker_core.dashboard import own_drafts
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.messages import report_applied
from pitasker_core.dashboard.run_list import much_output
from pitasker_core.dashboard.schedule_input import schedule_input
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.times import ago
from pitasker_core.database import notices
from pitasker_core.database.drafts import Draft
from pitasker_core.reports import doctor
from pitasker_core.runs import history
from pitasker_core.tasks import NewTask, Task

_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600}

NAMES = (
    *("name", "schedule", "command", "system_managed", "paused", "notes", "labels"),
    *("record_runs", "timeout_seconds", "no_overlap", "catch_up", "ping_url", "notify"),
)
"""The fields of the form, as `Edit` names them."""


@dataclass(frozen=True)
class Form:
    """What the form is of: a task, or a new one, perhaps like another."""

    name: str
    """Of its draft: `task:12`, or `task:new`."""
    base: Mapping[str, Any]
    """The values that it began with."""
    task: Task | None

    @property
    def key(self) -> str:
        """The beginning of the keys of its widgets."""
        return f"{self.name}-{st.session_state.get(f'generation-{self.name}', 0)}"


def form_of(task: Task | None, like: Task | None = None) -> Form:
    """The form of a task, or of a new one."""
    if task:
        return Form(f"task:{task.id}", values_of(task), task)
    if like:
        values = {**values_of(like), "name": f"{like.name} (copy)"}
        return Form(f"copy:{like.id}", values, None)
    empty = NewTask("", "", "")
    return Form("task:new", values_of(empty), None)


def values_of(task: Any) -> dict[str, Any]:
    """The values of the form's fields, as a draft keeps them."""
    values = {name: getattr(task, name) for name in NAMES}
    listed = {name: list(value) for name, value in values.items() if isinstance(value, tuple)}
    return {**values, **listed}


def changed_fields(base: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a person changed."""
    return {name: values[name] for name in NAMES if values[name] != base.get(name)}


def stale_fields(
    base: Mapping[str, Any], values: Mapping[str, Any], now: Mapping[str, Any]
) -> list[str]:
    """The fields that a person changes and somebody else changed since, to something else."""
    changed = changed_fields(base, values)
    return [name for name in changed if now[name] not in (base.get(name), values[name])]


def show_form(form: Form, show_findings: Callable[[], None] = lambda: None) -> None:
    """The form, with its bar at the bottom: save, discard, and what became of the draft.

    `show_findings` shows what is wrong with the saved task; it comes first.
    """
    show_findings()
    draft = _draft_at_start(form)
    start = {**form.base, **(draft.value.get("values", {}) if draft else {})}
    # What it began with: the task may change elsewhere while somebody types.
    based_on = draft.value.get("base") if draft else None
    base = st.session_state.setdefault(f"base-{form.key}", based_on or dict(form.base))
    values = _fields(form.key, start, form)
    changed = changed_fields(base, values)
    if changed:
        own_drafts.keep(form.name, {"base": base, "values": values})
    elif form.task and base != form.base:
        _forget(form)
        st.rerun()
    else:
        own_drafts.discard(form.name)
    stale = stale_fields(base, values, form.base) if form.task else []
    _show_bar(form, changed, values, draft, stale)


def _draft_at_start(form: Form) -> Draft | None:
    """The draft that the widgets of this generation begin with: read once, then theirs."""
    key = f"draft-{form.key}"
    if key not in st.session_state:
        st.session_state[key] = own_drafts.load(form.name)
    draft: Draft | None = st.session_state[key]
    return draft


def _show_bar(
    form: Form,
    changed: Mapping[str, Any],
    values: Mapping[str, Any],
    draft: Draft | None,
    stale: Sequence[str],
) -> None:
    look_only = environment().read_only
    with st.bottom, st.container(border=True, key="form-bar", gap="xsmall"):
        refusal = st.session_state.get(f"refusal-{form.key}")
        if refusal and changed:
            st.markdown(f":red[:material/error: {plain(refusal)}]")
        if stale:
            names = ", ".join(name.replace("_", " ") for name in stale)
            st.markdown(
                f":orange[:material/warning: Changed elsewhere since you began: "
                f"{plain(names)}.] Saving replaces that; discarding keeps it."
            )
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                "Save",
                type="primary",
                icon=":material/check:",
                key=f"{form.key}-save",
                help="Ctrl+Enter",
                shortcut="Ctrl+Enter",
                disabled=look_only or not (changed or form.task is None),
                on_click=_save,
                args=(form, dict(changed), dict(values)),
            )
            st.button(
                "Discard changes" if changed else "Close",
                icon=":material/close:",
                key=f"{form.key}-discard",
                on_click=discard_form,
                args=(form,),
            )
            if changed:
                since = f" from {ago(draft.updated_at, clock.now())}" if draft else ""
                st.caption(f"Not saved; kept as a draft{since}.", width="content")


def discard_form(form: Form) -> None:
    """Forget what was typed, visibly: the form closes."""
    _forget(form)
    _leave()


def _save(form: Form, changed: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    try:
        if form.task is None:
            new = {**values, "labels": tuple(values["labels"]), "notify": _tuple(values["notify"])}
            done = tasks.create(environment(), ACTOR, NewTask(**new))
        else:
            task = form.task
            done = tasks.change(environment(), ACTOR, task.id, task.version, **changed)
    except PiTaskerError as problem:
        st.session_state[f"refusal-{form.key}"] = problem.user_message
        return
    report_applied(done, f"Saved {values['name']}")
    _forget(form)
    if form.task is None:
        st.query_params.clear()
        st.query_params["task"] = str(done.tasks[0].id)


def _tuple(value: Any) -> Any:
    return None if value is None else tuple(value)


def _forget(form: Form) -> None:
    st.session_state.pop(f"draft-{form.key}", None)
    own_drafts.discard(form.name)
    generation = f"generation-{form.name}"
    st.session_state[generation] = st.session_state.get(generation, 0) + 1


def _leave() -> None:
    st.query_params.pop("task", None)
    st.query_params.pop("like", None)


# --- The fields ------------------------------------------------------------------------------


def _fields(key: str, start: Mapping[str, Any], form: Form) -> dict[str, Any]:
    name = st.text_input(
        "Name", start["name"], max_chars=200, key=f"{key}-name", placeholder="Backup of the photos"
    )
    is_new = form.task is None
    schedule = schedule_input(key, start["schedule"], form.base["schedule"], is_new=is_new)
    command = st.text_input(
        "Command",
        start["command"],
        key=f"{key}-command",
        placeholder="/home/pi/bin/backup.sh",
        live=True,
        help="One line for the shell. An unescaped % ends it; what follows is its standard input.",
    )
    if schedule != form.base["schedule"] or command != form.base["command"]:
        _advise(key, schedule, command)
    with st.container(horizontal=True):
        managed = st.toggle(
            "In the crontab",
            start["system_managed"],
            key=f"{key}-managed",
            help="On: it has an entry in your crontab, and cron runs it. "
            "Off: it is kept in the database only, and nothing runs it.",
        )
        on = st.toggle(
            "On",
            not start["paused"],
            key=f"{key}-on",
            help="Off: paused. Its entry stays in the crontab as a comment.",
        )
    runs = _runs(key, start, form)
    with st.expander("Notes and labels", expanded=bool(start["notes"] or start["labels"])):
        notes = st.text_area("Notes", start["notes"], key=f"{key}-notes", height=80)
        labels = st.multiselect(
            "Labels",
            start["labels"],
            start["labels"],
            accept_new_options=True,
            key=f"{key}-labels",
        )
    return {
        "name": name,
        "schedule": schedule,
        "command": command,
        "system_managed": managed,
        "paused": not on,
        "notes": notes,
        "labels": labels,
        **runs,
    }


def _advise(key: str, schedule: str, command: str) -> None:
    """What the doctor says of a command that is not saved yet, with its fixes as buttons."""
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
                better = {f"{key}-{name}": value for name, value in values.items() if value}
                st.button(
                    plain(fix.label),
                    key=f"{key}-fix-{number}",
                    on_click=st.session_state.update,
                    args=(better,),
                )


def _runs(key: str, start: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """What is kept of its runs, and their limits."""
    with st.expander("Runs and notifications", expanded=bool(start["record_runs"])):
        _warn_of_output(form.task)
        record = st.toggle(
            "Record runs",
            start["record_runs"],
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
            help="Once, however many runs were missed, a little after the machine is on again.",
        )
        ping = st.text_input(
            "Ping address",
            start["ping_url"],
            key=f"{key}-ping",
            placeholder="https://hc-ping.com/your-uuid",
            help="Of an outside monitor: it is called when a run starts, succeeds or fails.",
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
    rate = history.bytes_per_day(environment(), task.id) if task else 0
    if rate >= history.MUCH_OUTPUT:
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
            help="A run that takes longer is asked to end, and killed ten seconds later.",
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
    """A time in the largest unit that gives a whole number: 600 is 10 minutes."""
    if not seconds:
        return 0, "minutes"
    unit = next(unit for unit in reversed(_UNITS) if seconds % _UNITS[unit] == 0)
    return seconds // _UNITS[unit], unit


def _notify(key: str, now: list[str] | None) -> list[str] | None:
    """Which notices are sent of this task; None for the default ones."""
    as_for_all = st.toggle(
        "Use the default notifications",
        now is None,
        key=f"{key}-notify-all",
        help="Settings has the channels, and what each sends. Off: choose for this task.",
    )
    if as_for_all:
        return None
    chosen: list[str] = st.pills(
        "Notify when it …",
        [kind.value for kind in notices.TASK_NOTICES],
        selection_mode="multi",
        default=list(now or ()),
        key=f"{key}-notify",
        help="None: this task is silent.",
    )
    return chosen
