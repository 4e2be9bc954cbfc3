"""Raw editor: the whole crontab as text, checked and compared before it is saved."""

from difflib import unified_diff

import streamlit as st

from pitasker_core.crontab.document import parse
from pitasker_core.crontab.editable import edited, shown
from pitasker_core.dashboard.shell import (
    ACTOR,
    act,
    plain,
    settings,
    show_problem,
    tell,
    tell_saved,
    time_text,
)
from pitasker_core.errors import DatabaseError, InvalidSyntax, MassRemoval, PiTaskerError
from pitasker_core.sync import edit, service, validation
from pitasker_core.sync.store import Snapshot


def main() -> None:
    """Draw the page."""
    if "loaded" not in st.session_state:
        _load()
    loaded: str | None = st.session_state.loaded
    now, _ = service.read_crontab(settings())
    st.html("<style>.st-key-field textarea {font-family: monospace; white-space: pre;}</style>")
    st.session_state.setdefault("field", shown(loaded or ""))
    if now != loaded:
        st.warning(
            "The crontab was changed since it was loaded here. Saving is refused until you load it "
            "again.",
            icon=":material/sync_problem:",
        )
        with st.expander("What was changed"):
            _show_difference(loaded, now)
    field = st.text_area(
        "The whole crontab", key="field", height=420, placeholder="# There is no crontab yet."
    )
    try:
        text = edited(loaded or "", field)
    except InvalidSyntax as problem:
        show_problem(problem)
        text = None
    changed = text is not None and text != (loaded or "")
    with st.container(horizontal=True):
        st.button(
            "Save",
            type="primary",
            icon=":material/save:",
            disabled=not changed or now != loaded,
            on_click=_save,
            args=(text, loaded),
        )
        st.button(
            "Load again", icon=":material/refresh:", on_click=_load, help="Drops what was typed."
        )
    if guard := st.session_state.get("raw_guard"):
        st.error(plain(guard), icon=":material/front_hand:")
        st.button("It is meant: save", on_click=_save, args=(text, loaded, True))
    if text is not None:
        _show_check(text)
    if changed:
        st.subheader("What saving changes")
        _show_difference(loaded, text)
    _show_snapshots(now)


def _load() -> None:
    text, _ = service.read_crontab(settings())
    st.session_state.loaded = text
    st.session_state.field = shown(text or "")
    st.session_state.pop("raw_guard", None)


def _save(text: str, loaded: str | None, confirmed: bool = False) -> None:
    st.session_state.pop("raw_guard", None)
    try:
        saved = edit.save_raw(settings(), text, loaded, actor=ACTOR, confirmed=confirmed)
    except MassRemoval as problem:
        st.session_state.raw_guard = problem.user_message
    except PiTaskerError as problem:
        tell("error", problem.user_message)
    else:
        _load()
        tell_saved(saved, "Saved")


def _show_check(text: str) -> None:
    findings = validation.of_lines(parse(text, service.program(settings()).dialect))
    for finding in findings:
        draw = st.error if finding.kind is validation.Discrepancy.INVALID_LINE else st.warning
        draw(plain(f"Line {finding.line}: {finding.message}"))
    if not findings and text.strip():
        st.caption(":green[:material/check: Every line is one that cron takes.]")


def _show_difference(before: str | None, after: str | None) -> None:
    lines = unified_diff(
        shown(before or "").splitlines(), shown(after or "").splitlines(), "before", "after", "", ""
    )
    difference = "\n".join(line.rstrip("\n") for line in lines)
    st.code(difference or "No difference.", language="diff", wrap_lines=False)


def _show_snapshots(now: str | None) -> None:
    st.subheader("Snapshots")
    try:
        found = edit.snapshots(settings())
    except DatabaseError as problem:
        st.warning(plain(problem.user_message))
        st.caption(f"Earlier texts are also kept as files in `{settings().backups}`.")
        return
    if not found:
        st.info("None yet: the text before each change is kept here.")
        return
    chosen = st.selectbox(
        "Text of the crontab as it was at",
        found,
        format_func=lambda s: f"{time_text(s.taken_at)}  ·  {s.entries} entries  ·  {s.reason}",
    )
    if chosen.text == now:
        st.caption("This is the crontab as it is now.")
        return
    st.caption("What restoring it changes:")
    _show_difference(now, chosen.text)
    if st.button("Restore this", icon=":material/history:"):
        _confirm_restore(chosen)


@st.dialog("Restore this text?")
def _confirm_restore(snapshot: Snapshot) -> None:
    st.markdown(
        f"The crontab becomes what it was at {time_text(snapshot.taken_at)}, and the tasks follow. "
        "The present text is kept as a snapshot, so this can be undone."
    )
    if st.button("Restore", type="primary"):
        saved = act(edit.restore, settings(), snapshot.id, actor=ACTOR)
        if saved:
            _load()
            tell_saved(saved, "Restored")
        st.rerun()


main()
