"""The form that creates or changes a task.

Typed values are kept as a draft until they are saved or discarded. The widgets' keys end with a
generation, so that no widget keeps its value after saving or discarding.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.dashboard import own_drafts
from pitasker_core.dashboard.fresh_keys import begin_again
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.messages import report_applied
from pitasker_core.dashboard.schedule_input import as_schedule, as_schedules
from pitasker_core.dashboard.session import ACTOR, environment, is_phone
from pitasker_core.dashboard.task_draft import Form, changed_fields, stale_fields
from pitasker_core.dashboard.task_fields import field_values, show_fields
from pitasker_core.dashboard.times import ago
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.database.drafts import Draft
from pitasker_core.tasks import NewTask


def show_form(form: Form, show_findings: Callable[[], None] = lambda: None) -> None:
    """Draw the form, and its bar at the bottom with the buttons.

    `show_findings` draws the findings in the saved task, above the form.
    """
    show_findings()
    draft = _draft_at_start(form)
    # The values at the beginning: the task may change elsewhere while a person types.
    based_on = draft.value.get("base") if draft else None
    base = st.session_state.setdefault(f"base-{form.key}", based_on or dict(form.base))
    start = {**form.base, **base, **(draft.value.get("values", {}) if draft else {})}
    st.session_state.update(st.session_state.pop(f"renewed-{form.key}", {}))
    typed = _Typed(form, base)
    st.session_state[_whole(form)] = True
    _show_fields(typed, start)
    if form.task and base != form.base and not typed.changed:
        _renew(form, base)
    _show_bar(typed, draft)


@dataclass
class _Typed:
    """The typed values of a form. The buttons in the bar, outside the fragment, read them here."""

    form: Form
    base: Mapping[str, Any]
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def changed(self) -> dict[str, Any]:
        return changed_fields(self.base, self.values)

    @property
    def stale(self) -> list[str]:
        form = self.form
        return stale_fields(self.base, self.values, form.base) if form.task else []

    @property
    def bar(self) -> tuple[bool, list[str]]:
        """The values that decide how the bar looks."""
        return bool(self.changed), self.stale


def _renew(form: Form, base: Mapping[str, Any]) -> None:
    """Show the values that somebody else has changed, when nothing was typed.

    Only their fields get new values: what a person types at this moment may still be in the
    browser, and new fields would lose it.
    """
    changed = changed_fields(base, form.base)
    st.session_state[f"base-{form.key}"] = dict(form.base)
    st.session_state.pop(f"draft-{form.key}", None)
    st.session_state[f"renewed-{form.key}"] = field_values(form.key, changed)
    st.rerun()


def _whole(form: Form) -> str:
    """Return the key of the mark that the whole page is being drawn."""
    return f"whole-{form.key}"


@st.fragment
def _show_fields(typed: _Typed, start: Mapping[str, Any]) -> None:
    """Draw the fields. Typing draws only these again."""
    before = typed.bar if typed.values else None
    typed.values = show_fields(typed.form.key, start, typed.form)
    if typed.changed:
        own_drafts.keep(typed.form.name, {"base": typed.base, "values": typed.values})
    else:
        own_drafts.discard(typed.form.name)
    is_whole = st.session_state.pop(_whole(typed.form), False)
    if not is_whole and typed.bar != before:
        st.rerun()


def _draft_at_start(form: Form) -> Draft | None:
    """Return the draft with which this generation's widgets began. It is read once."""
    key = f"draft-{form.key}"
    if key not in st.session_state:
        st.session_state[key] = own_drafts.load(form.name)
    draft: Draft | None = st.session_state[key]
    return draft


def _show_bar(typed: _Typed, draft: Draft | None) -> None:
    form, changed, stale = typed.form, typed.changed, typed.stale
    with st.bottom, st.container(border=True, key="form-bar", gap="xsmall"):
        refusal = st.session_state.get(f"refusal-{form.key}")
        if refusal and changed:
            st.markdown(f":red[:material/error: {plain(refusal)}]")
        if stale:
            names = ", ".join(name.replace("_", " ") for name in stale)
            st.markdown(
                f":orange[:material/warning: Changed elsewhere since you began: "
                f"{plain(names)}.] Saving replaces these values; discarding keeps them."
            )
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            write_button(
                "Save",
                type="primary",
                icon=":material/check:",
                key=f"{form.key}-save",
                help="Ctrl+Enter",
                shortcut=None if is_phone() else "Ctrl+Enter",
                disabled=not (changed or form.task is None),
                on_click=_save,
                args=(typed,),
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
    """Discard the typed values, and close the form."""
    _forget(form)
    _leave()


def _save(typed: _Typed) -> None:
    _read_fields(typed)
    form, changed, values = typed.form, typed.changed, typed.values
    try:
        if form.task is None:
            done = tasks.create_all(environment(), ACTOR, _new_tasks(values))
        else:
            task = form.task
            done = tasks.change(environment(), ACTOR, task.id, task.version, **changed)
    except PiTaskerError as problem:
        st.session_state[f"refusal-{form.key}"] = problem.user_message
        return
    is_several = len(done.tasks) > 1
    what = f"Created {len(done.tasks)} tasks" if is_several else f"Saved {values['name']}"
    report_applied(done, what)
    _forget(form)
    if form.task is None:
        st.query_params.clear()
        st.query_params["task"] = str(done.tasks[0].id)


def _new_tasks(values: Mapping[str, Any]) -> list[NewTask]:
    """Return the new tasks of a form: one for each schedule, if no single one says the words."""
    fields = {**values, "labels": tuple(values["labels"]), "notify": _tuple(values["notify"])}
    return NewTask(**fields).with_each(as_schedules(fields["schedule"]))


def _read_fields(typed: _Typed) -> None:
    """Read values that arrived with the click on Save. A schedule in words becomes five fields."""
    for name in ("name", "schedule", "command"):
        typed.values[name] = st.session_state.get(f"{typed.form.key}-{name}", typed.values[name])
    typed.values["schedule"] = as_schedule(typed.values["schedule"], typed.form.task)


def _tuple(value: Any) -> Any:
    return None if value is None else tuple(value)


def _forget(form: Form) -> None:
    st.session_state.pop(f"draft-{form.key}", None)
    own_drafts.discard(form.name)
    begin_again(form.name)


def _leave() -> None:
    st.query_params.pop("task", None)
    st.query_params.pop("like", None)
