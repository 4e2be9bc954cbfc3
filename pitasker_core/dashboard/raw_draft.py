"""The text in the raw editor. It survives another page, a reload and a new sign-in.

Texts have the editor's stand-ins for control characters and foreign bytes. Only `loaded` and
`origin` are exact.
"""

import streamlit as st

from pitasker_core.base.errors import InvalidSyntax, PiTaskerError
from pitasker_core.crontab.editable import edited, shown
from pitasker_core.crontab.text_merge import merge_texts
from pitasker_core.dashboard import own_drafts
from pitasker_core.dashboard.messages import add_notice
from pitasker_core.dashboard.session import environment
from pitasker_core.dashboard.times import time_text
from pitasker_core.sync import service

_NAME = "crontab"
"""The name of the draft."""


def open_text() -> tuple[str | None, str | None]:
    """Return the text that the editor was opened with, and the installed text.

    The editor shows the installed text until a person types.
    """
    is_first = "loaded" not in st.session_state
    if is_first:
        load()
    installed, _ = service.read_crontab(environment())
    if is_first:
        _restore_draft(installed)
    elif installed != st.session_state.loaded and not is_changed():
        load()
    return st.session_state.loaded, installed


def load() -> None:
    """Show the installed text. The typed text is put aside."""
    text, _ = service.read_crontab(environment())
    if is_changed():
        st.session_state.put_aside = st.session_state.draft
    st.session_state.loaded = text
    st.session_state.origin = text or ""
    replace(shown(text or ""))
    st.session_state.pop("raw_guard", None)


def is_changed() -> bool:
    """Whether the editor has unsaved changes."""
    return "draft" in st.session_state and st.session_state.draft != shown(
        st.session_state.loaded or ""
    )


def replace(field: str) -> None:
    """Put another text into the editor."""
    st.session_state.draft = field
    st.session_state.editor = st.session_state.get("editor", 0) + 1


def editor_key() -> str:
    """Return the editor's key. A new text gets a new key."""
    return f"editor-{st.session_state.editor}"


def take_typed() -> None:
    """Store the text that was typed last. It may arrive together with a click on a button."""
    typed = st.session_state.get(editor_key(), {}).get("text")
    if typed is not None:
        st.session_state.draft = typed


def exact() -> tuple[str | None, PiTaskerError | None]:
    """Return the exact text of the draft, or the reason why it has none."""
    try:
        return edited(st.session_state.origin, st.session_state.draft), None
    except InvalidSyntax as problem:
        return None, problem


def keep() -> None:
    """Save unsaved changes as a draft for this browser's next visit, or delete the draft."""
    if is_changed():
        base = shown(st.session_state.loaded or "")
        own_drafts.keep(_NAME, {"base": base, "text": st.session_state.draft})
    else:
        own_drafts.discard(_NAME)


def _restore_draft(installed: str | None) -> None:
    draft = own_drafts.load(_NAME)
    if draft is None:
        return
    base, text = str(draft.value.get("base", "")), str(draft.value.get("text", ""))
    if text == shown(installed or ""):
        return
    if base != shown(installed or ""):
        # The installed text changed since this draft was begun.
        st.session_state.loaded = st.session_state.origin = base
    replace(text)
    st.session_state.raw_since = time_text(draft.updated_at)


def merge_mine() -> None:
    """Merge outside changes into the typed text."""
    take_typed()
    installed, _ = service.read_crontab(environment())
    base = shown(st.session_state.loaded or "")
    merged = merge_texts(base, st.session_state.draft, shown(installed or ""))
    st.session_state.put_aside = st.session_state.draft
    st.session_state.loaded = installed
    st.session_state.origin = installed or ""
    replace(merged.text)
    if merged.conflicts:
        add_notice(
            "warning",
            f"{merged.conflicts} {'place needs' if merged.conflicts == 1 else 'places need'} a "
            "decision: keep the lines that you want, and remove the lines with <<<, ||| and >>>.",
        )
    else:
        add_notice("done", "Merged. Nothing is saved yet.")
