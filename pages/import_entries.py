"""Import: entries of the crontab that can become tasks, and tasks from files."""

import pandas as pd
import streamlit as st

from pitasker_core import tasks
from pitasker_core.base.text import counted
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.dashboard import file_import, import_grid, import_report
from pitasker_core.dashboard.cells import inert, show_table
from pitasker_core.dashboard.choice import choose
from pitasker_core.dashboard.doctor_list import show_doctor
from pitasker_core.dashboard.execution_dialog import choose_entry, show_execution
from pitasker_core.dashboard.fresh_keys import begin_again, widget_key
from pitasker_core.dashboard.messages import act, report_import
from pitasker_core.dashboard.problems import show_problem
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.reports.doctor import examine
from pitasker_core.sync import importing
from pitasker_core.sync.importing import ImportOptions

FROM_CRONTAB, FROM_FILES = "From your crontab", "From files"


def main() -> None:
    part = choose("Import", [FROM_CRONTAB, FROM_FILES], "import_part", bind="query-params")
    if part == FROM_FILES:
        file_import.show_file_import()
    else:
        _show_crontab()


def _show_crontab() -> None:
    listing = tasks.current(environment(), 0)
    comparison = listing.comparison
    if listing.problem:
        show_problem(listing.problem)
    if comparison is None:
        return
    if comparison.text is None:
        st.info("You have no crontab yet, so there is nothing to import.")
        return
    import_report.show(listing.tasks)
    examined = examine(environment(), comparison)
    choices = import_grid.choices(comparison, listing.tasks, examined)
    if choices:
        _show_choices(choices, comparison.document.dialect)
        numbers = {choice.item.line for choice in choices}
        above = {at for line in numbers for at in examined.report.reaching.get(line, ())}
        show_doctor(examined, {}, numbers | above)
    else:
        st.info("Every entry of your crontab is managed already.", icon=":material/check:")
    st.header("Your crontab, line by line", anchor=False)
    choose_entry(comparison.document, listing.tasks)
    lines = import_grid.lines(comparison)
    show_table(
        lines,
        "The lines of your crontab",
        {
            "line": st.column_config.NumberColumn("Line", width=60),
            "kind": st.column_config.TextColumn("What it is", width="medium"),
            "text": st.column_config.TextColumn("Text", width=1000),
        },
        rows=25,
    )
    show_execution({task.id: task for task in listing.tasks})


def _show_choices(choices: list[import_grid.Choice], dialect: Dialect) -> None:
    st.markdown(
        "Choose the entries for PiTasker to manage. They stay as they are, in their places. Each "
        "gets a tag at its end, which the shell reads as a comment."
    )
    # The buttons are above the table, but need its number of chosen entries.
    buttons = st.container(horizontal=True, key="import-buttons")
    with st.expander("Options", icon=":material/tune:"):
        options = _options()
    table = _table(choices, dialect, named=options.generate_names)
    imports = import_grid.chosen_imports(choices, table)
    with buttons:
        write_button(
            f"Import {counted(len(imports), 'entry', 'entries')}",
            type="primary",
            icon=":material/download:",
            disabled=not imports,
            on_click=_import,
            args=(imports, options),
        )
        st.button("Choose all", on_click=_choose, args=(True,), icon=":material/select_all:")
        st.button("Choose none", on_click=_choose, args=(False,), icon=":material/deselect:")
        st.button("Read again", on_click=_choose, args=(None,), icon=":material/refresh:")


def _table(choices: list[import_grid.Choice], dialect: Dialect, *, named: bool) -> pd.DataFrame:
    column = st.column_config
    return st.data_editor(
        inert(
            import_grid.frame(choices, dialect, st.session_state.get("import_chosen"), named=named)
        ),
        # The ticks belong to these lines, so a changed crontab gets a new table.
        key=f"{widget_key('import')}-{import_grid.fingerprint(choices)}",
        alt="Entries to import",
        hide_index=True,
        height="content" if len(choices) <= 12 else 460,
        disabled=["line", "schedule", "words", "command", "note", "problems"],
        column_config={
            "chosen": column.CheckboxColumn("Import", width=70, pinned=True),
            "line": column.NumberColumn("Line", width=50),
            "name": column.TextColumn("Name", required=True, max_chars=200, pinned=True),
            "schedule": column.TextColumn("Schedule"),
            "words": column.TextColumn("Meaning"),
            "command": column.TextColumn("Command", width="large"),
            "note": column.TextColumn("Note"),
            "problems": column.TextColumn("Problems", help="The doctor's findings in this entry."),
        },
    )


def _options() -> ImportOptions:
    with st.container(horizontal=True):
        managed = st.toggle(
            "Manage the entries themselves",
            True,
            help="Off: create copies only in the database, and leave the entries untagged.",
        )
        duplicates = st.toggle(
            "Skip duplicates",
            True,
            help="Skips entries with the schedule and command of an existing task.",
        )
        named = st.toggle(
            "Suggest names",
            True,
            help="On: the name comes from the comment above an entry, or from its program. Off: "
            "the command is the name.",
            on_change=_choose,
            args=(st.session_state.get("import_chosen"),),
            key="import_named",
        )
    return ImportOptions(duplicates, managed, named)


def _choose(chosen: bool | None) -> None:
    """Choose all, none, or (None) the entries without a note. The table is drawn again."""
    st.session_state.import_chosen = chosen
    begin_again("import")


def _import(imports: list[importing.Import], options: ImportOptions) -> None:
    result = act(importing.import_entries, environment(), ACTOR, imports, options)
    if result:
        _choose(False)
        import_report.keep(result)
        report_import(result)


main()
