"""A text editor with line numbers, colours and marks at the lines that are wrong or odd.

Ours because no kept-up Streamlit component knows what a crontab's lines are. The text field is the
browser's own, so undo, search, screen readers and phones' keyboards work in it.
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
    """Draw the editor. It begins with `text`; what is typed comes as `st.session_state[key].text`.

    `marks` are the lines (1 is the first) that are `wrong` or `odd`, each with its message. They
    hold for `text` as it is now. Ctrl+S calls `on_save` with what was typed as `.save`.
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
