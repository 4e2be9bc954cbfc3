"""The form that saves a task as a template."""

import re
from collections.abc import Sequence
from functools import partial

import streamlit as st

from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import visible
from pitasker_core.crontab.shell import read_script
from pitasker_core.dashboard import template_list
from pitasker_core.dashboard.markdown import code, plain
from pitasker_core.dashboard.messages import act, add_notice, record_write
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.tasks import Task
from pitasker_core.templates import own, using
from pitasker_core.templates.from_task import can_be_parameter

_MOST_WORDS = 40


def open_save_template(task: Task) -> None:
    """Show the form for a task, from a callback or before a rerun."""
    st.query_params.clear()
    st.query_params.update({"task": str(task.id), "as": "template"})


def name_of(title: str) -> str:
    """Return a name for a template made from a title."""
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].rstrip("-")
    return name if name[:1].isalpha() else f"my-{name}"[:40].rstrip("-")


def words_of(command: str) -> list[str]:
    """Return the words of a command that can become parameters, without its program."""
    words = [word.source for word in read_script(command).words[1:]]
    values = (word.rpartition("=")[2] for word in words if not word.startswith("-") or "=" in word)
    return [word for word in dict.fromkeys(values) if can_be_parameter(word)][:_MOST_WORDS]


def parameter_name(word: str, taken: set[str]) -> str:
    """Return a name for the parameter of a word."""
    last = re.sub(r"[^a-z0-9]+", "_", word.rstrip("/").rpartition("/")[2].lower()).strip("_")[:30]
    name = last if last[:1].isalpha() else f"value_{last}".rstrip("_")
    number = 2
    while name in taken:
        name, number = f"{name.rstrip('0123456789_')}_{number}", number + 1
    return name


def show_save_template(task: Task) -> None:
    """Draw the form."""
    _way_back(task)
    st.header("Save as template", anchor=False)
    with st.container(width=760):
        _show_form(task)


def _way_back(task: Task) -> None:
    st.button(
        plain(task.name),
        icon=":material/arrow_back:",
        type="tertiary",
        key="leave-save-template",
        on_click=_leave,
    )


def _leave() -> None:
    del st.query_params["as"]


def _show_form(task: Task) -> None:
    st.caption(
        "A template has the schedule, the command and the settings of the task. Its ping address "
        "stays behind."
    )
    key = f"save-template-{task.id}"
    title = st.text_input("Title", task.name[:100], max_chars=100, key=f"{key}-title")
    name = st.text_input(
        "Name",
        name_of(task.name),
        max_chars=40,
        key=f"{key}-name",
        help="Small letters, digits and dashes: for files and the command line.",
    )
    summary = st.text_area("Summary", max_chars=1000, key=f"{key}-summary", height=80)
    st.code(visible(task.command), language="bash", wrap_lines=True)
    words = st.multiselect(
        "Words of the command that become parameters",
        words_of(task.command),
        key=f"{key}-words",
        format_func=visible,
    )
    names: list[str] = []
    for word in words:
        suggested = parameter_name(word, set(names))
        label = f"Name of the parameter for {code(word)}"
        names.append(st.text_input(label, suggested, max_chars=40, key=f"{key}-word-{word}"))
    if refusal := st.session_state.get(f"{key}-refusal"):
        st.error(plain(refusal), icon=":material/error:")
    replaces = st.toggle("Replace my template of this name", key=f"{key}-replace")
    write_button(
        "Save template",
        type="primary",
        icon=":material/check:",
        on_click=_save,
        args=(task, name, title, summary, list(zip(names, words, strict=True))),
        kwargs={"replaces": replaces},
    )


def _save(
    task: Task,
    name: str,
    title: str,
    summary: str,
    pairs: Sequence[tuple[str, str]],
    *,
    replaces: bool,
) -> None:
    refusal = f"save-template-{task.id}-refusal"
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        st.session_state[refusal] = "Each parameter needs a name of its own."
        return
    try:
        saved = using.save_as_template(
            environment(),
            ACTOR,
            task.id,
            name.strip(),
            title.strip(),
            parameters,
            summary=summary,
            replace_own=replaces,
        )
    except PiTaskerError as problem:
        st.session_state[refusal] = problem.user_message
        return
    st.session_state.pop(refusal, None)
    undo = None if replaces else partial(_take_out, saved.name)
    record_write(f"Saved the template {saved.title}", None, None, undo)
    if replaces:
        add_notice("done", f"Saved the template {saved.title}.")
    template_list.open_template(saved.name)


def _take_out(name: str) -> None:
    act(own.remove_template, environment(), ACTOR, name)
    template_list.open_list()
