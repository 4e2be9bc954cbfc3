"""The templates to choose from, by purpose, and a template from a file."""

import streamlit as st

from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import counted, visible
from pitasker_core.dashboard.fresh_keys import begin_again, widget_key
from pitasker_core.dashboard.markdown import bold, code, plain
from pitasker_core.dashboard.messages import act, record_write
from pitasker_core.dashboard.problems import show_problem
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.template_summary import matching
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.templates import own
from pitasker_core.templates.model import Template
from pitasker_core.templates.own import Listed
from pitasker_core.templates.template_file import LARGEST_FILE, read_template

ADDRESS = "templates"
"""The value of `task` in the address of the list."""

_SUMMARY = 160
"""Characters of a summary that a card shows."""


def offer_templates() -> None:
    """Draw the button that opens the list."""
    write_button("From template", icon=":material/auto_awesome_motion:", on_click=open_list)


def open_list() -> None:
    """Show the list, from a callback."""
    st.query_params.clear()
    st.query_params["task"] = ADDRESS


def open_template(name: str) -> None:
    """Show the form of a template, from a callback."""
    st.query_params.clear()
    st.query_params["template"] = name


def show_templates() -> None:
    """Draw the list."""
    st.button(
        "All tasks",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=st.query_params.clear,
    )
    st.header("New task from a template", anchor=False)
    try:
        listed = own.list_templates(environment())
    except PiTaskerError as problem:
        show_problem(problem)
        return
    _show_upload()
    shown = _filter(listed)
    if not shown:
        st.info("No template matches.", icon=":material/search_off:")
    by_category: dict[str, list[Listed]] = {}
    for item in shown:
        by_category.setdefault(item.template.category, []).append(item)
    for category, members in by_category.items():
        st.markdown(bold(category))
        with st.container(horizontal=True, gap="small"):
            for item in members:
                _show_card(item)


def _filter(listed: list[Listed]) -> list[Listed]:
    categories = sorted({item.template.category for item in listed})
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        words = st.text_input(
            "Search templates",
            placeholder="backup, sensor, docker …",
            icon=":material/search:",
            label_visibility="collapsed",
            live=True,
            width=260,
            key="template-words",
        )
        category = st.pills(
            "Purpose",
            categories,
            format_func=plain,
            label_visibility="collapsed",
            key="template-category",
            wrap=True,
        )
    shown = matching(listed, words, category)
    st.caption(f"{len(shown)} of {counted(len(listed), 'template')}")
    return shown


def _show_card(item: Listed) -> None:
    template = item.template
    summary = template.summary
    short = summary if len(summary) <= _SUMMARY else f"{summary[: _SUMMARY - 1]}…"
    with st.container(border=True, width=362, height="stretch", gap="xsmall"):
        mark = " :gray-badge[own]" if item.is_own else ""
        st.markdown(f"{bold(template.title)}{mark}")
        st.caption(plain(short))
        st.space("stretch")
        st.button(
            "Use",
            key=f"use-{template.name}",
            help=plain(f"Use the template {template.title}"),
            on_click=open_template,
            args=(template.name,),
        )


# --- A template from a file ------------------------------------------------------------------


def _show_upload() -> None:
    with st.expander("Add a template from a file", icon=":material/upload_file:"):
        upload = st.file_uploader(
            "A template of PiTasker (YAML or JSON). It is shown before it is added, and nothing in "
            "it is run.",
            key=widget_key("template-upload"),
            max_upload_size=1,
            disabled=environment().read_only,
        )
        if upload is None:
            return
        if upload.size > LARGEST_FILE:
            limit = f"A template has at most {LARGEST_FILE:,} bytes."
            st.error(plain(limit), icon=":material/error:")
            return
        try:
            template = read_template(upload.getvalue())
        except PiTaskerError as problem:
            st.error(plain(problem.user_message), icon=":material/error:")
            return
        _show_uploaded(template)


def _show_uploaded(template: Template) -> None:
    st.markdown(f"{bold(template.title)} {code(template.name)}")
    st.caption(plain(template.summary))
    st.code(visible(f"{template.schedule} {template.command}"), language=None, wrap_lines=True)
    st.caption(
        ":orange[:material/warning:] Read the command of a template that somebody else made. A "
        "task made from it can do whatever you can."
    )
    replaces = st.toggle("Replace a template of this name", key="template-replace")
    write_button(
        "Add template",
        type="primary",
        icon=":material/add:",
        on_click=_add,
        args=(template, replaces),
    )


def _add(template: Template, replaces: bool) -> None:
    saved = act(own.save_template, environment(), ACTOR, template, replace=replaces)
    if saved:
        begin_again("template-upload")
        record_write(f"Added the template {saved.title}", None, None, lambda: _take_out(saved))


def _take_out(template: Template) -> None:
    act(own.remove_template, environment(), ACTOR, template.name)
