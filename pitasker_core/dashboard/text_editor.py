"""A text editor with line numbers, colours, and marks at wrong and odd lines.

No maintained Streamlit component supports crontabs. The text field is the browser's own, so undo,
search, screen readers and phones' keyboards work.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent

_EDITOR = st.components.v2.component(
    "crontab_editor",
    html="""\
<div class="editor">
  <pre class="numbers" aria-hidden="true"></pre>
  <div class="sheet">
    <pre class="colours" aria-hidden="true"></pre>
    <textarea class="field" spellcheck="false" autocapitalize="off" autocomplete="off"></textarea>
  </div>
</div>
""",
    css=(_HERE / "text_editor.css").read_text(),
    js=(_HERE / "text_editor.js").read_text(),
)


def text_editor(
    label: str,
    text: str,
    marks: Mapping[int, tuple[str, str]],
    *,
    key: str,
    placeholder: str,
    is_wrapped: bool,
    on_text: Callable[[], None],
    on_save: Callable[[], None],
) -> None:
    """Draw the editor with `text`. The typed text arrives as `st.session_state[key].text`.

    `marks` maps line numbers (from 1) to `wrong` or `odd` and a message. They are valid for this
    `text`. Ctrl+S calls `on_save`, with the typed text as `st.session_state[key].save`.
    """
    _EDITOR(
        key=key,
        data={
            "label": label,
            "placeholder": placeholder,
            "wrap": is_wrapped,
            "text": text,
            "checked": text,
            "marks": {
                str(line): {"kind": kind, "message": message}
                for line, (kind, message) in marks.items()
            },
        },
        on_text_change=on_text,
        on_save_change=on_save,
    )
