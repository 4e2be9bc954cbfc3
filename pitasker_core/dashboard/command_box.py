"""The search box over all pages: a dialog that finds tasks, entries, runs, pages and actions."""

from contextlib import suppress
from pathlib import Path

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.dashboard import commands
from pitasker_core.dashboard.commands import Act, Command
from pitasker_core.dashboard.dialogs import open_dialog
from pitasker_core.dashboard.messages import act, add_notice, sync_now
from pitasker_core.dashboard.session import environment, is_phone
from pitasker_core.dashboard.task_actions import start_tasks, switch_task
from pitasker_core.dashboard.times import ago
from pitasker_core.runs.output_search import search_output

_HERE = Path(__file__).parent

_BOX = st.components.v2.component(
    "command_box",
    html="""\
<div class="box">
  <input class="field" type="search" role="combobox" autocomplete="off" autocapitalize="off"
    spellcheck="false" aria-expanded="true" aria-controls="rows" aria-autocomplete="list"
    aria-label="Search tasks, entries, runs, pages and actions"
    placeholder="Tasks, entries, output, pages …">
  <ul class="rows" id="rows" role="listbox" aria-label="Results"></ul>
  <p class="count" role="status"></p>
</div>
""",
    css=(_HERE / "command_box.css").read_text(),
    js=(_HERE / "command_box.js").read_text(),
)


def show_search_button() -> None:
    """Draw the button that opens the search box. page.js presses it for the key `/`.

    What was chosen in the box is executed here: a dialog cannot change to another page itself.
    """
    chosen: Command | None = st.session_state.pop("chosen_command", None)
    if chosen:
        _execute(chosen)
    st.button(
        ":material/search:" if is_phone() else "Search",
        icon=None if is_phone() else ":material/search:",
        type="tertiary",
        key="search-commands",
        # Its hint has no use where there is no keyboard.
        shortcut=None if is_phone() else "Ctrl+K",
        on_click=_open,
    )
    # Other runs of the page do not close it, such as the second run of a page that was just loaded.
    if st.session_state.get("search_is_open"):
        key = f"search-{st.session_state.search_number}"
        open_dialog("Search", _draw, key, width="medium", on_dismiss=_close)


def _open() -> None:
    # A new key, so that the box is empty each time.
    st.session_state.search_number = st.session_state.get("search_number", 0) + 1
    st.session_state.search_is_open = True


def _close() -> None:
    st.session_state.search_is_open = False


def _draw(key: str) -> None:
    words = str(getattr(st.session_state.get(key), "words", None) or "")[: commands.LONGEST]
    rows = _find(words)
    chosen = _BOX(
        key=key,
        data={
            "words": words,
            "rows": [
                {
                    "id": row.id,
                    "kind": row.kind,
                    "title": row.title[:200],
                    "detail": row.detail[:200],
                    "is_code": row.is_code,
                }
                for row in rows
            ],
        },
        on_words_change=lambda: None,
        on_chosen_change=lambda: None,
    ).chosen
    command = next((row for row in rows if row.id == chosen), None)
    if command:
        st.session_state.chosen_command = command
        _close()
        st.rerun()


def _find(words: str) -> list[Command]:
    try:
        listing = tasks.current(environment())
    except PiTaskerError:
        return commands.rank_commands(commands.PAGES, [], words)
    runs: list[Command] = []
    with suppress(PiTaskerError):
        hits = search_output(environment(), words)
        now = clock.now()
        runs = commands.run_commands(hits, [ago(hit.started_at, now) for hit in hits])
    available = commands.list_commands(listing, read_only=environment().read_only)
    return commands.rank_commands(available, runs, words)


def _execute(command: Command) -> None:
    if command.act is Act.SYNC and sync_now():
        return
    if command.act is Act.WHY:
        st.session_state.why = command.task
    if command.act is Act.RUN:
        _run(command.task)
    if command.act in (Act.PAUSE, Act.RESUME):
        _switch(command)
    st.switch_page(f"pages/{command.page}.py", query_params=command.params)


def _run(number: int) -> None:
    task = act(tasks.get, environment(), number)
    if task and start_tasks([task]):
        add_notice("done", f"Started {task.name}.")


def _switch(command: Command) -> None:
    task = act(tasks.get, environment(), command.task)
    if task:
        switch_task(task, on=command.act is Act.RESUME)
