"""Import: what the crontab holds, line by line, and which entries shall become tasks."""

import pandas as pd
import streamlit as st

from pitasker_core import tasks
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.dashboard import import_grid
from pitasker_core.dashboard.cells import inert
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.messages import act, report_import
from pitasker_core.dashboard.problems import show_problem
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.sync import importing
from pitasker_core.sync.importing import ImportOptions


def main() -> None:
    """Draw the page."""
    listing = tasks.listing(environment())
    compared = listing.comparison
    if listing.problem:
        show_problem(listing.problem)
    if compared is None:
        return
    if compared.text is None:
        st.info("You have no crontab yet, so there is nothing to import.")
        return
    _show_results()
    choices = import_grid.choices(compared, listing.tasks)
    if choices:
        _offer(choices, compared.document.dialect)
    else:
        st.info("Every entry of your crontab is managed already.", icon=":material/check:")
    st.subheader("Your crontab, line by line")
    lines = import_grid.lines(compared)
    st.dataframe(
        inert(pd.DataFrame(lines)),
        hide_index=True,
        height="content" if len(lines) <= 25 else 915,
        column_config={
            "line": st.column_config.NumberColumn("Line", width=60),
            "kind": st.column_config.TextColumn("What it is", width="medium"),
            "text": st.column_config.TextColumn("Text", width="large"),
        },
    )


def _offer(choices: list[import_grid.Choice], dialect: Dialect) -> None:
    st.markdown(
        "Choose the entries that PiTasker shall manage. They stay where they are, as they are; "
        "each gets a tag at its end, which the shell takes for a comment."
    )
    with st.container(horizontal=True):
        st.button("Choose all", on_click=_choose, args=(True,), icon=":material/select_all:")
        st.button("Choose none", on_click=_choose, args=(False,), icon=":material/deselect:")
        st.button("Read again", on_click=_choose, args=(None,), icon=":material/refresh:")
    table = st.data_editor(
        inert(
            import_grid.frame(
                choices,
                dialect,
                st.session_state.get("import_chosen"),
                named=st.session_state.get("import_named", True),
            )
        ),
        key=f"import-{st.session_state.get('import_generation', 0)}",
        alt="Entries to import",
        hide_index=True,
        height="content" if len(choices) <= 15 else 560,
        disabled=["line", "schedule", "words", "command", "note"],
        column_config={
            "chosen": st.column_config.CheckboxColumn("Import", width=70),
            "line": st.column_config.NumberColumn("Line", width=60),
            "name": st.column_config.TextColumn("Name", required=True, max_chars=200),
            "schedule": st.column_config.TextColumn("Schedule"),
            "words": st.column_config.TextColumn("In words"),
            "command": st.column_config.TextColumn("Command", width="large"),
            "note": st.column_config.TextColumn("To know"),
        },
    )
    with st.container(horizontal=True):
        managed = st.toggle(
            "Manage the entries themselves",
            True,
            help="Off: make copies in the database only, and leave the entries untagged.",
        )
        duplicates = st.toggle(
            "Skip duplicates",
            True,
            help="Leave out entries whose schedule and command a task has already.",
        )
        named = st.toggle(
            "Make names",
            True,
            help="On: by the comment above an entry, or its program. Off: the command is the name.",
            on_change=_choose,
            args=(st.session_state.get("import_chosen"),),
            key="import_named",
        )
    wanted = import_grid.wanted(choices, table)
    what = "entry" if len(wanted) == 1 else "entries"
    st.button(
        f"Import {len(wanted)} {what}",
        type="primary",
        icon=":material/download:",
        disabled=not wanted or environment().read_only,
        on_click=_import,
        args=(wanted, ImportOptions(duplicates, managed, named)),
    )


def _choose(chosen: bool | None) -> None:
    """Choose all, none, or what is chosen at first; the table is drawn anew."""
    st.session_state.import_chosen = chosen
    st.session_state.import_generation = st.session_state.get("import_generation", 0) + 1


def _import(wanted: list[importing.Import], options: ImportOptions) -> None:
    done = act(importing.import_entries, environment(), ACTOR, wanted, options)
    if done:
        _choose(None)
        st.session_state.import_result = done
        report_import(done)


def _show_results() -> None:
    done = st.session_state.pop("import_result", None)
    if done is None:
        return
    with st.container(horizontal=True):
        for label, count in (
            ("Imported", len(done.imported)),
            ("Updated", len(done.updated)),
            ("Skipped", len(done.skipped)),
            ("Errors", len(done.errors)),
        ):
            st.metric(label, count, border=True, width=130)
    for line, why in sorted(done.skipped.items()):
        st.warning(plain(f"Line {line} was skipped: {why}"))
    for line, why in sorted(done.errors.items()):
        st.error(plain(f"Line {line}: {why}"))
    if done.imported:
        st.page_link(
            "pages/tasks.py",
            label=f"See the {len(done.imported)} that were imported",
            icon=":material/checklist:",
            query_params={"only": ",".join(map(str, done.imported))},
        )


main()
