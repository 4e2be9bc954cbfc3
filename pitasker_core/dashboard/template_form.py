"""The form of a template: its parameters, and the task that they make before it is created.

Typed values are kept as a draft until the task is created or the values are discarded.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import visible
from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.calendar import next_runs
from pitasker_core.crontab.doctor import shell_rules
from pitasker_core.dashboard import own_drafts, template_list
from pitasker_core.dashboard.dialogs import open_dialog
from pitasker_core.dashboard.fresh_keys import begin_again, widget_key
from pitasker_core.dashboard.markdown import bold, plain
from pitasker_core.dashboard.messages import act, record_write, report_applied
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.template_summary import guard_sentences, run_sentences
from pitasker_core.dashboard.times import clock_text
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.formats.record import TaskRecord
from pitasker_core.reports import doctor
from pitasker_core.templates import own, using
from pitasker_core.templates.model import Kind, Parameter, Template
from pitasker_core.templates.own import Listed
from pitasker_core.templates.template_file import write_template
from pitasker_core.templates.values import value_problem

_NAME, _PAUSED = " name", " paused"
"""Keys of values beside the parameters, whose names have no spaces."""


def show_template(name: str) -> None:
    """Draw the form of a template."""
    st.button(
        "All templates",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=template_list.open_list,
    )
    try:
        listed = own.get_template(environment(), name)
    except PiTaskerError as problem:
        st.warning(plain(problem.user_message), icon=":material/search_off:")
        return
    template = listed.template
    _show_title(listed)
    st.caption(plain(template.summary))
    key, start = widget_key(_draft_name(name)), _values_at_start(name)
    fields, preview = st.columns([5, 6], gap="large")
    with fields:
        values, is_valid = _show_fields(template, key, start)
        task_name = st.text_input(
            "Name of the task",
            start.get(_NAME, ""),
            placeholder="The name in the preview",
            max_chars=200,
            key=f"{key}{_NAME}",
        ).strip()
        paused = st.toggle(
            "Start paused",
            start.get(_PAUSED, False),
            key=f"{key}{_PAUSED}",
            help="The entry stands in the crontab as a comment until you resume it.",
        )
        _keep_draft(template, {**values, _NAME: task_name, _PAUSED: paused})
    with preview:
        is_good = is_valid and _show_preview(template, values, task_name)
        write_button(
            "Create task",
            type="primary",
            icon=":material/add:",
            disabled=not is_good,
            on_click=_create,
            args=(template, values, task_name, paused),
        )


def _show_title(listed: Listed) -> None:
    template = listed.template
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.header(plain(template.title), anchor=False, width="content")
        st.badge(plain(template.category), color="gray")
        st.space("stretch")
        st.download_button(
            "Download",
            write_template(template),
            f"{template.name}.yaml",
            "application/yaml",
            icon=":material/download:",
            help="The template as a file, to share it.",
            on_click="ignore",
        )
        if listed.is_own and write_button(
            "Delete template", icon=":material/delete:", type="tertiary"
        ):
            open_dialog("Delete this template?", _confirm_delete, template)


# --- Draft -----------------------------------------------------------------------------------


def _values_at_start(template: str) -> dict[str, Any]:
    """Return the values with which the widgets began: those of the draft. It is read once."""
    key = widget_key(_draft_name(template))
    at_start = f"{key} at start"
    if f"{key}{_NAME}" not in st.session_state:
        draft = own_drafts.load(_draft_name(template))
        st.session_state[at_start] = draft.value if draft else {}
    values: dict[str, Any] = st.session_state[at_start]
    return values


def _keep_draft(template: Template, values: dict[str, Any]) -> None:
    """Keep the values as a draft, and offer to discard them."""
    defaults = {parameter.name: parameter.default for parameter in template.parameters}
    if values == {**defaults, _NAME: "", _PAUSED: False}:
        own_drafts.discard(_draft_name(template.name))
        return
    own_drafts.keep(_draft_name(template.name), values)
    st.button(
        "Discard these values",
        icon=":material/undo:",
        type="tertiary",
        help="They are kept as a draft until the task is created.",
        on_click=_forget,
        args=(template.name,),
    )


def _draft_name(template: str) -> str:
    return f"template:{template}"


def _forget(template: str) -> None:
    own_drafts.discard(_draft_name(template))
    begin_again(_draft_name(template))


# --- Fields ----------------------------------------------------------------------------------


def _show_fields(
    template: Template, key: str, start: Mapping[str, str]
) -> tuple[dict[str, str], bool]:
    """Draw a field for each parameter. Returns the values, and whether all are valid."""
    values: dict[str, str] = {}
    is_valid = True
    for parameter in template.parameters:
        value = _field(
            parameter, start.get(parameter.name, parameter.default), f"{key}-{parameter.name}"
        )
        values[parameter.name] = value
        if problem := value_problem(parameter, value):
            is_valid = False
            st.caption(f":red[:material/error: {plain(f'{problem[:1].upper()}{problem[1:]}.')}]")
    return values, is_valid


def _field(parameter: Parameter, start: str, key: str) -> str:
    label = plain(parameter.label)
    if parameter.kind is Kind.CHOICE:
        options = list(parameter.options)
        # The template may have changed since the draft was kept.
        at = options.index(start if start in options else parameter.default)
        return str(st.selectbox(label, options, at, key=key, format_func=visible))
    if parameter.kind is Kind.NUMBER:
        low, high = parameter.least, parameter.most
        value = min(max(int(start), low), high) if start.isdecimal() else int(parameter.default)
        return str(
            st.number_input(label, low, high, value, 1, key=key, help=plain(f"{low} to {high}"))
        )
    helps = {Kind.TIME: "HH:MM, by the 24-hour clock", Kind.PATH: "The whole path, from / or ~/"}
    return st.text_input(
        label,
        start,
        max_chars=parameter.longest,
        key=key,
        live=True,
        help=helps.get(parameter.kind),
    )


# --- Preview ---------------------------------------------------------------------------------


def _show_preview(template: Template, values: Mapping[str, str], task_name: str) -> bool:
    """Draw the task that would be created. Returns whether it can be."""
    try:
        rendered = using.render_template(environment(), template.name, values, task_name)
        line = using.crontab_line(environment(), rendered.record)
    except PiTaskerError as problem:
        st.error(plain(problem.user_message), icon=":material/error:")
        return False
    record = rendered.record
    with st.container(border=True, gap="small"):
        st.markdown(bold(record.name))
        _show_schedule(record)
        st.code(visible(record.command), language="bash", wrap_lines=True)
        sentences = [*guard_sentences(template, values), *run_sentences(record)]
        st.markdown("\n".join(f"- {plain(sentence)}" for sentence in sentences))
        _show_warnings(record, rendered.missing)
        with st.expander("Exact line in the crontab"):
            st.code(visible(line), language=None, wrap_lines=True)
            st.caption("The number of the task and its tag are 0 here. Each task has its own.")
    return True


def _show_schedule(record: TaskRecord) -> None:
    dialect, zone, now = tasks.current(environment()).dialect, clock.system_zone(), clock.now()
    schedule = schedules.parse(record.schedule, dialect)
    runs = ", ".join(clock_text(run, now, zone) for run in next_runs(schedule, now, zone, 3))
    words = schedules.describe(schedule)
    st.markdown(plain(f"{words}. Next: {runs}." if runs else f"{words}."))


def _show_warnings(record: TaskRecord, missing: tuple[str, ...]) -> None:
    """Draw what this machine lacks, and what the doctor says that is not said already."""
    findings = doctor.examine_draft(environment(), record.schedule, record.command)
    said = " ".join(missing)
    sentences = [
        finding.sentence
        for finding in findings
        if not (finding.evidence and finding.evidence in said)
        # The doctor reads the command without its recorder.
        and not (record.record_runs and finding.rule == shell_rules.output_lost.code)
    ]
    for sentence in (*missing, *sentences):
        st.caption(f":orange[:material/warning:] {plain(sentence)}")


# --- Actions ---------------------------------------------------------------------------------


def _create(template: Template, values: Mapping[str, str], task_name: str, paused: bool) -> None:
    done = act(
        using.use_template,
        environment(),
        ACTOR,
        template.name,
        values,
        task_name,
        paused=paused,
    )
    if done:
        _forget(template.name)
        [task] = done.tasks
        report_applied(done, f"Created {task.name}")
        st.query_params.clear()
        st.query_params["task"] = str(task.id)


def _confirm_delete(template: Template) -> None:
    st.markdown(f"{bold(template.title)}. Tasks that were made from it stay as they are.")
    with st.container(horizontal=True):
        if st.button(
            "Delete",
            type="primary",
            icon=":material/delete:",
            key="delete-template",
            on_click=_delete,
            args=(template,),
        ):
            st.rerun()
        if st.button("Keep", key="keep-template"):
            st.rerun()


def _delete(template: Template) -> None:
    template_list.open_list()
    act(own.remove_template, environment(), ACTOR, template.name)
    record_write(
        f"Deleted the template {template.title}", None, None, lambda: _bring_back(template)
    )


def _bring_back(template: Template) -> None:
    act(own.save_template, environment(), ACTOR, template)
