"""Crontab: the raw editor, which checks and compares the text before saving."""

import streamlit as st

from pitasker_core.base.errors import MassRemoval, PiTaskerError
from pitasker_core.crontab.difference import difference
from pitasker_core.crontab.document import decode, encode, parse
from pitasker_core.crontab.editable import shown, without_tags
from pitasker_core.dashboard import raw_draft
from pitasker_core.dashboard.choice import choose
from pitasker_core.dashboard.environment_table import show_environment_lines
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.messages import add_notice, report_saved
from pitasker_core.dashboard.problems import show_problem
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.snapshots import show_snapshots
from pitasker_core.dashboard.text_editor import text_editor
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.sync import edit, service, validation
from pitasker_core.sync.validation import Finding


def main() -> None:
    loaded, installed = raw_draft.open_text()
    text, problem = raw_draft.exact()
    document = parse(text or "", service.program(environment()).dialect)
    findings = validation.of_lines(document) if text is not None else []
    _show_text(findings)
    if problem:
        show_problem(problem)
    changed = text is not None and text != (loaded or "")
    is_current = installed == loaded
    _actions(changed=changed, may_save=changed and is_current and not environment().read_only)
    if not is_current:
        _show_changed_outside(loaded, installed)
    if guard := st.session_state.get("raw_guard"):
        st.error(plain(guard), icon=":material/front_hand:")
        write_button("Save anyway", on_click=_save, args=(True,))
    if text is not None:
        _show_check(findings, text)
    if changed:
        _show_changes(loaded, text)
    what = choose("Show", ["Snapshots", "Environment lines"], "raw_part")
    if what == "Environment lines":
        show_environment_lines(document, lambda new: raw_draft.replace(shown(str(new))))
    else:
        show_snapshots(installed, after_restore=raw_draft.load)
    raw_draft.keep()


def _show_text(findings: list[Finding]) -> None:
    """Draw the editor, or the text without tags for reading."""
    with st.container(horizontal=True):
        is_wrapped = st.toggle("Wrap lines", key="raw_wrap", persist_state="session")
        is_tagless = st.toggle(
            "Hide tags",
            key="raw_tagless",
            persist_state="session",
            on_change=_leave_editor,
            help="To read the text. To edit it, show the tags again.",
        )
    if is_tagless:
        st.code(
            without_tags(st.session_state.draft),
            language=None,
            line_numbers=True,
            wrap_lines=is_wrapped,
        )
        return
    text_editor(
        "The whole crontab",
        st.session_state.draft,
        {f.line: (_kind(f), f.message) for f in reversed(findings) if f.line},
        key=raw_draft.editor_key(),
        placeholder="# There is no crontab yet.",
        is_wrapped=is_wrapped,
        on_text=raw_draft.take_typed,
        on_save=_save_by_key,
    )


def _leave_editor() -> None:
    raw_draft.take_typed()
    raw_draft.replace(st.session_state.draft)


def _show_changes(loaded: str | None, text: str | None) -> None:
    proof = difference(loaded, text)
    st.header("What saving changes", anchor=False)
    since = st.session_state.get("raw_since")
    earlier = f" This is your draft of {since}." if since else ""
    st.caption(plain(f"{proof}. Not saved yet; kept as a draft.{earlier}"))
    st.code(proof.text, language="diff", wrap_lines=True)


# --- Actions ------------------------------------------------------------------------------------


def _actions(*, changed: bool, may_save: bool) -> None:
    with st.container(horizontal=True):
        st.button(
            "Save",
            type="primary",
            icon=":material/save:",
            disabled=not may_save,
            on_click=_save,
            help="Or Ctrl+S in the text.",
        )
        st.button(
            "Check only",
            icon=":material/fact_check:",
            on_click=_check,
            help="Also asks the crontab program. Nothing is saved.",
        )
        st.button(
            "Load again",
            icon=":material/refresh:",
            on_click=raw_draft.load,
            help="Shows the installed text. You can bring back what you typed.",
        )
        if "put_aside" in st.session_state and not changed:
            st.button("Bring back what I typed", icon=":material/undo:", on_click=_bring_back)
        with st.popover("Upload", icon=":material/upload:", disabled=environment().read_only):
            st.file_uploader(
                "A text that replaces the one above. Nothing is saved yet.",
                key="upload",
                on_change=_upload,
                max_upload_size=1,
            )
        st.download_button(
            "Download",
            lambda: encode(raw_draft.exact()[0] or st.session_state.draft),
            file_name="crontab.txt",
            mime="text/plain",
            icon=":material/download:",
            on_click="ignore",
        )


def _save_by_key() -> None:
    st.session_state.draft = st.session_state[raw_draft.editor_key()].save
    _install()


def _save(confirmed: bool = False) -> None:
    raw_draft.take_typed()
    _install(confirmed)


def _install(confirmed: bool = False) -> None:
    st.session_state.pop("raw_guard", None)
    text, problem = raw_draft.exact()
    if text is None:
        add_notice("error", problem.user_message if problem else "")
        return
    try:
        saved = edit.save_raw(
            environment(), text, st.session_state.loaded, actor=ACTOR, confirmed=confirmed
        )
    except MassRemoval as refused:
        st.session_state.raw_guard = refused.user_message
    except PiTaskerError as refused:
        add_notice("error", refused.user_message)
    else:
        st.session_state.draft = shown(text)
        st.session_state.loaded = text
        raw_draft.load()
        for name in ("put_aside", "raw_since"):
            st.session_state.pop(name, None)
        report_saved(saved, "Saved")


def _check() -> None:
    raw_draft.take_typed()
    text, problem = raw_draft.exact()
    if text is None:
        add_notice("error", problem.user_message if problem else "")
        return
    try:
        edit.check(environment(), text)
    except PiTaskerError as refused:
        add_notice("error", refused.user_message)
    else:
        add_notice("done", "cron accepts this text. Nothing was saved.")


def _bring_back() -> None:
    raw_draft.replace(st.session_state.pop("put_aside"))


def _upload() -> None:
    file = st.session_state.upload
    if file is not None:
        text = decode(file.getvalue())
        st.session_state.origin = text
        raw_draft.replace(shown(text))


# --- Problems -----------------------------------------------------------------------------------


def _kind(finding: Finding) -> str:
    return "wrong" if finding.kind is validation.Discrepancy.INVALID_LINE else "odd"


def _show_changed_outside(loaded: str | None, installed: str | None) -> None:
    # In the bar at the bottom, so that nothing moves while a person types.
    proof = difference(loaded, installed)
    with (
        st.bottom,
        st.container(
            horizontal=True, vertical_alignment="center", border=True, key="changed-outside"
        ),
    ):
        st.markdown(
            ":orange[:material/sync_problem:] The crontab was changed elsewhere since you opened "
            f"it: {plain(str(proof))}. Merge the change before you save.",
            width="stretch",
        )
        with st.popover("Show difference", icon=":material/difference:"):
            st.code(proof.text, language="diff", wrap_lines=True)
        st.button(
            "Merge mine",
            type="primary",
            icon=":material/merge:",
            on_click=raw_draft.merge_mine,
            help="Merges the change into your text. Nothing is saved yet.",
        )


def _show_check(findings: list[Finding], text: str) -> None:
    for finding in findings[:20]:
        draw = st.error if _kind(finding) == "wrong" else st.warning
        draw(plain(f"Line {finding.line}: {finding.message}"))
    if len(findings) > 20:
        st.caption(f"And {len(findings) - 20} more lines.")
    if not findings and text.strip():
        st.caption(":green[:material/check: Cron accepts every line.]")


main()
