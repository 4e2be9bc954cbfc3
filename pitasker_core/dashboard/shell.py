"""What all pages share: navigation, the banner for errors, notices, and how times read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

import streamlit as st

from pitasker_core.clock import system_zone
from pitasker_core.errors import DatabaseError, PiTaskerError
from pitasker_core.settings import Settings
from pitasker_core.tasks import Applied

ACTOR = "dashboard"

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Notice:
    """What an action has to say, shown once at the top of the next page drawn."""

    kind: str
    text: str


def run() -> None:
    """Draw the page that the address names. An error of ours becomes a banner, never a trace."""
    st.set_page_config(page_title="PiTasker", page_icon=":material/schedule:", layout="wide")
    page = st.navigation(
        [
            st.Page("pages/tasks.py", title="Tasks", icon=":material/checklist:", default=True),
            st.Page(
                "pages/import_entries.py",
                title="Import",
                icon=":material/download:",
                url_path="import",
            ),
            st.Page("pages/health.py", title="Sync health", icon=":material/monitor_heart:"),
            st.Page("pages/raw.py", title="Raw editor", icon=":material/edit_note:"),
        ]
    )
    st.html("<style>.stMainBlockContainer {padding-top: 3rem; padding-bottom: 3rem;}</style>")
    st.header(page.title)
    if settings().demo:
        st.info(
            "This is a demo on a private crontab. Nothing here touches yours, "
            "and all of it is gone when the demo ends.",
            icon=":material/toys:",
        )
    _show_notices()
    try:
        page.run()
    except PiTaskerError as problem:
        show_problem(problem)


def settings() -> Settings:
    """The settings of this process."""
    return Settings.from_environment()


def show_problem(problem: PiTaskerError) -> None:
    """The banner of an error: what happened, and what to do."""
    st.error(plain(problem.user_message), icon=":material/error:")
    if isinstance(problem, DatabaseError):
        st.caption("The crontab itself can still be seen and changed in the raw editor.")


def act(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """Call a function of the core for a callback; an error of ours becomes a notice, and None."""
    try:
        return function(*args, **kwargs)
    except PiTaskerError as problem:
        tell("error", problem.user_message)
        return None


def tell(kind: str, text: str) -> None:
    """Keep a notice for the next page drawn: `done`, `warning` or `error`."""
    st.session_state.setdefault("notices", []).append(Notice(kind, text))


def tell_applied(done: Applied | None, what: str) -> None:
    """Say what became of a change of tasks, and what the crontab does not have yet."""
    if done is None:
        return
    for task, reason in done.failures.items():
        tell("error", f"Task {task} is saved but not in the crontab: {reason}")
    conflicts = done.result.plan.conflicts if done.result else []
    if done.problem:
        tell("warning", f"{what}, but not in the crontab yet. {done.problem.user_message}")
    elif conflicts:
        tell("warning", "The crontab's entry was changed by hand too: decide under Sync health.")
    elif not done.failures:
        tell("done", f"{what}.")


def time_text(moment: datetime | None, never: str = "never") -> str:
    """A time in the machine's zone, to the second."""
    return f"{moment.astimezone(system_zone()):%Y-%m-%d %H:%M:%S}" if moment else never


def plain(text: str) -> str:
    """Text as inert Markdown: shown as it is, whatever a person wrote in it."""
    # Our own advice marks commands with backquotes; those stay, when they are in pairs.
    special = "\\*_{}[]()#+-.!|<>~$:&"
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return "".join("\\" + c if c in special + "`" else c for c in text)
    for i in range(0, len(parts), 2):
        parts[i] = "".join("\\" + c if c in special else c for c in parts[i])
    return "`".join(parts)


def _show_notices() -> None:
    draw: dict[str, Callable[..., Any]] = {"warning": st.warning, "error": st.error}
    for notice in st.session_state.pop("notices", []):
        if notice.kind == "done":
            st.toast(plain(notice.text), icon=":material/check:")
        else:
            draw[notice.kind](plain(notice.text))
