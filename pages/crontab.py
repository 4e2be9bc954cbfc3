"""Raw editor: the whole crontab as text, checked and compared before it is saved."""

import streamlit as st

from pitasker_core.base.errors import InvalidSyntax, MassRemoval, PiTaskerError
from pitasker_core.crontab.difference import difference
from pitasker_core.crontab.document import decode, encode, parse
from pitasker_core.crontab.editable import edited, shown
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.messages import add_notice, report_saved
from pitasker_core.dashboard.problems import show_problem
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.settings_table import show_settings
from pitasker_core.dashboard.snapshots import show_snapshots
from pitasker_core.dashboard.text_editor import text_editor
from pitasker_core.sync import edit, service, validation
from pitasker_core.sync.validation import Finding


def main() -> None:
    """Draw the page."""
    if "loaded" not in st.session_state:
        _load()
    loaded: str | None = st.session_state.loaded
    now, _ = service.read_crontab(environment())
    if now != loaded and not _is_changed():
        _load()
        loaded = st.session_state.loaded
    if now != loaded:
        _show_changed_outside(loaded, now)
    text, problem = _draft()
    document = parse(text or "", service.program(environment()).dialect)
    findings = validation.of_lines(document) if text is not None else []
    text_editor(
        "The whole crontab",
        st.session_state.draft,
        {f.line: (_kind(f), f.message) for f in reversed(findings) if f.line},
        key=_editor(),
        placeholder="# There is no crontab yet.",
        on_text=_typed,
        on_save=_save_by_key,
    )
    if problem:
        show_problem(problem)
    changed = text is not None and text != (loaded or "")
    _actions(changed=changed, may_save=changed and now == loaded and not environment().read_only)
    if guard := st.session_state.get("raw_guard"):
        st.error(plain(guard), icon=":material/front_hand:")
        st.button(
            "It is meant: save", on_click=_save, args=(True,), disabled=environment().read_only
        )
    if text is not None:
        _show_check(findings, text)
    if changed:
        proof = difference(loaded, text)
        st.subheader("What saving changes")
        st.caption(plain(f"{proof}."))
        st.code(proof.text, language="diff")
    what = st.segmented_control(
        "Show",
        ["Snapshots", "Settings"],
        default="Snapshots",
        required=True,
        key="raw_part",
        label_visibility="collapsed",
    )
    if what == "Settings":
        show_settings(document, lambda new: _replace(shown(str(new))))
    else:
        show_snapshots(now, after_restore=_load)


# --- The draft: what was typed, kept in the session also while another page is open ------------


def _load() -> None:
    """The installed text; what was typed is put aside."""
    text, _ = service.read_crontab(environment())
    if _is_changed():
        st.session_state.put_aside = st.session_state.draft
    st.session_state.loaded = text
    st.session_state.origin = text or ""
    _replace(shown(text or ""))
    st.session_state.pop("raw_guard", None)


def _is_changed() -> bool:
    return "draft" in st.session_state and st.session_state.draft != shown(
        st.session_state.loaded or ""
    )


def _replace(field: str) -> None:
    """Put another text into the editor: it is drawn anew."""
    st.session_state.draft = field
    st.session_state.editor = st.session_state.get("editor", 0) + 1


def _editor() -> str:
    return f"editor-{st.session_state.editor}"


def _typed() -> None:
    """Take what was typed last; a click on a button may come along with it."""
    typed = st.session_state.get(_editor(), {}).get("text")
    if typed is not None:
        st.session_state.draft = typed


def _draft() -> tuple[str | None, PiTaskerError | None]:
    """The bytes that the draft stands for, or why they cannot be read."""
    try:
        return edited(st.session_state.origin, st.session_state.draft), None
    except InvalidSyntax as problem:
        return None, problem


# --- Acts ---------------------------------------------------------------------------------------


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
            help="Ask cron's own program too. Nothing is saved.",
        )
        st.button(
            "Load again",
            icon=":material/refresh:",
            on_click=_load,
            help="The installed text. What you typed is put aside, and can be had back.",
        )
        if "put_aside" in st.session_state and not changed:
            st.button("Bring back what I typed", icon=":material/undo:", on_click=_bring_back)
        with st.popover("Upload", icon=":material/upload:", disabled=environment().read_only):
            st.file_uploader(
                "A text that takes the place of the one above. Nothing is saved yet.",
                key="upload",
                on_change=_upload,
                max_upload_size=1,
            )
        st.download_button(
            "Download",
            lambda: encode(_draft()[0] or st.session_state.draft),
            file_name="crontab.txt",
            mime="text/plain",
            icon=":material/download:",
            on_click="ignore",
        )


def _save_by_key() -> None:
    st.session_state.draft = st.session_state[_editor()].save
    _install()


def _save(confirmed: bool = False) -> None:
    _typed()
    _install(confirmed)


def _install(confirmed: bool = False) -> None:
    st.session_state.pop("raw_guard", None)
    text, problem = _draft()
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
        _load()
        st.session_state.pop("put_aside", None)
        report_saved(saved, "Saved")


def _check() -> None:
    _typed()
    text, problem = _draft()
    if text is None:
        add_notice("error", problem.user_message if problem else "")
        return
    try:
        edit.check(environment(), text)
    except PiTaskerError as refused:
        add_notice("error", refused.user_message)
    else:
        add_notice("done", "Cron's own program takes this text. Nothing was saved.")


def _bring_back() -> None:
    _replace(st.session_state.pop("put_aside"))


def _upload() -> None:
    file = st.session_state.upload
    if file is not None:
        text = decode(file.getvalue())
        st.session_state.origin = text
        _replace(shown(text))


# --- What is said about it ----------------------------------------------------------------------


def _kind(finding: Finding) -> str:
    return "wrong" if finding.kind is validation.Discrepancy.INVALID_LINE else "odd"


def _show_changed_outside(loaded: str | None, now: str | None) -> None:
    proof = difference(loaded, now)
    st.warning(
        f"The crontab was changed outside since it was loaded here: {plain(str(proof))}. Saving "
        "is refused until you load it again; what you typed is put aside then.",
        icon=":material/sync_problem:",
    )
    with st.expander("What was changed"):
        st.code(proof.text, language="diff")


def _show_check(findings: list[Finding], text: str) -> None:
    for finding in findings[:20]:
        draw = st.error if _kind(finding) == "wrong" else st.warning
        draw(plain(f"Line {finding.line}: {finding.message}"))
    if len(findings) > 20:
        st.caption(f"And {len(findings) - 20} more lines.")
    if not findings and text.strip():
        st.caption(":green[:material/check: Every line is one that cron takes.]")


main()
