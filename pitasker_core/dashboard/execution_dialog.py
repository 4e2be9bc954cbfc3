"""The dialog that shows what cron would run for an entry, managed or not."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import visible
from pitasker_core.crontab.document import Document, decode
from pitasker_core.crontab.execution import (
    Difference,
    Execution,
    compare_environments,
    missing_folders,
    terminal_command,
)
from pitasker_core.dashboard.cells import show_table
from pitasker_core.dashboard.dialogs import open_dialog
from pitasker_core.dashboard.markdown import code, plain
from pitasker_core.dashboard.session import environment
from pitasker_core.dashboard.task_actions import import_entry
from pitasker_core.dashboard.task_grid import RUN_NOW, TRY
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.reports import explanation
from pitasker_core.runs.login_environment import read_login_environment
from pitasker_core.sync.importing import importable
from pitasker_core.tasks import Task, current

_UNSET = "(not set)"


def ask_execution(task: Task | None = None, line: int = 0) -> None:
    """Ask for the dialog of a task, or of the entry in a line. The page opens it when drawn."""
    st.session_state.execution = (task.id if task else 0, line)


def choose_entry(document: Document, tasks: Iterable[Task] = ()) -> None:
    """Let a person choose an entry of the crontab, managed or not, and ask for its dialog."""
    by_tag = {task.tag: task for task in tasks if task.tag}
    entries = {index + 1: entry for index, entry in document.entries()}
    if not entries:
        return

    def ask() -> None:
        if line := st.session_state.pop("explained-line", None):
            tag = entries[line].tag
            ask_execution(by_tag.get(tag) if tag else None, line)

    st.selectbox(
        TRY,
        list(entries),
        index=None,
        format_func=lambda line: visible(
            f"Line {line}: {entries[line].schedule} {entries[line].command}"
        ),
        placeholder="Choose an entry",
        key="explained-line",
        on_change=ask,
        width=520,
    )


def show_execution(tasks: Mapping[int, Task]) -> None:
    """Open the dialog that was asked for. `tasks` may be run from it."""
    number, line = st.session_state.pop("execution", None) or (0, 0)
    task = tasks.get(number)
    if task or line:
        name = task.name if task else f"Line {line}"
        open_dialog(f"{TRY} {name}", _draw, task, line, width="large")


def _draw(task: Task | None, line: int) -> None:
    ours = environment()
    try:
        run = (
            explanation.explain_task(ours, task.id)
            if task
            else explanation.explain_line(ours, line)
        )
    except PiTaskerError as problem:
        st.info(plain(problem.user_message), icon=":material/info:")
        return
    st.markdown("**Command**, as the shell gets it")
    st.code(visible(run.command), language="bash", wrap_lines=True)
    if run.stdin:
        st.markdown("**Standard input**")
        st.code(visible(decode(run.stdin)), language=None, wrap_lines=True)
    stdin = "" if run.stdin else "**Standard input**: empty  \n"
    st.markdown(
        f"{stdin}**Shell**: {code(run.shell)} · **Folder**: {code(run.folder)}  \n"
        f"**Output**: {plain(run.output)}"
    )
    st.markdown("**Environment**: this, and nothing else")
    lines = [f"{name}={value}" for name, value in run.environment.items()]
    st.code(visible("\n".join(lines)), language=None, wrap_lines=True)
    with st.expander("Start it like cron in a terminal", icon=":material/terminal:"):
        st.code(visible(terminal_command(run)), language="bash", wrap_lines=True)
    _show_login(run)
    if task:
        _offer_run(RUN_NOW, lambda: task.id)
    else:
        _offer_import(line)


def _show_login(run: Execution) -> None:
    """Compare with the login shell. That runs the login files, so only for a press of a button."""
    login = st.session_state.get("login environment")
    write_button(
        "Compare with my terminal" if login is None else "Compare again",
        icon=":material/compare_arrows:",
        help="Runs your login shell with its login files, and shows what it sets otherwise.",
        on_click=_read_login,
    )
    if isinstance(login, str):
        st.warning(plain(login), icon=":material/warning:")
    elif login is not None:
        _show_differences(run, login)


def _show_differences(run: Execution, login: Mapping[str, str]) -> None:
    differences = compare_environments(run.environment, login)
    if not differences:
        st.success("Your login shell sets the same environment.", icon=":material/check:")
        return
    if folders := missing_folders(run.environment, login):
        st.warning(
            f"Not on cron's PATH: {plain(', '.join(folders))}. A program there is found in your "
            "terminal, but not by cron. Write its whole path, or set PATH in the crontab.",
            icon=":material/warning:",
        )
    show_table(differences_table(differences), "What a login shell sets otherwise")


def differences_table(differences: Sequence[Difference]) -> pd.DataFrame:
    """The variables that a login shell sets otherwise, in rows."""
    return pd.DataFrame(
        {
            "Variable": [item.name for item in differences],
            "cron": [_UNSET if item.cron is None else item.cron for item in differences],
            "Your terminal": [_UNSET if item.login is None else item.login for item in differences],
        }
    )


def _read_login() -> None:
    try:
        st.session_state["login environment"] = read_login_environment()
    except PiTaskerError as problem:
        st.session_state["login environment"] = problem.user_message


def _offer_import(line: int) -> None:
    comparison = current(environment()).comparison
    unmanaged = importable(comparison) if comparison else []
    entry = next((entry for entry in unmanaged if entry.line == line), None)
    if entry is None:
        st.caption("This entry seems to belong to a task, without its tag. See the page Sync.")
    else:
        st.caption(
            "PiTasker does not manage this entry. Its run and output belong to a task, so the "
            "entry is imported first: its line gets a tag."
        )
        _offer_run("Import and run now", partial(import_entry, entry))


def _offer_run(label: str, prepare: Callable[[], int | None]) -> None:
    """Offer to run a task, whose id `prepare` returns. It returns None after an error."""
    pressed = write_button(
        plain(label), type="primary", icon=":material/play_arrow:", key="run-as-explained"
    )
    if pressed:
        if number := prepare():
            st.session_state.menu = (RUN_NOW, number)
            st.switch_page("pages/tasks.py", query_params={"task": str(number)})
        st.rerun()
