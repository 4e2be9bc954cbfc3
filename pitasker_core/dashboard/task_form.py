"""The form that makes a task or changes one, with what it means while it is typed.

What is typed is kept as a draft until it is saved or discarded. The widgets' keys end with a
generation: after saving and discarding, no widget holds what was typed before.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.dashboard import own_drafts
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.messages import report_applied
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.task_draft import Form, changed_fields, stale_fields
from pitasker_core.dashboard.task_fields import show_fields
from pitasker_core.dashboard.times import ago
from pitasker_core.database.drafts import Draft
from pitasker_core.tasks import NewTask


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
    values = show_fields(form.key, start, form)
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
