"""The history of operations on the page Sync: charts, a table, and the chosen operation."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import Text, visible
from pitasker_core.crontab.difference import difference
from pitasker_core.dashboard import charts, overview
from pitasker_core.dashboard.cells import sentence, show_choices, show_table
from pitasker_core.dashboard.choice import choose, choose_since
from pitasker_core.dashboard.figures import percent
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.messages import act, report_applied, report_saved
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.times import ago, time_text
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.sync import edit, operation_history, service
from pitasker_core.sync.install import digest
from pitasker_core.sync.operation_history import Day, Operation, OperationDetails
from pitasker_core.sync.store import OperationKind

LISTED = 500
"""The maximum number of operations in the table and charts. The figures by day count all."""


def show_history() -> None:
    """Draw the history of a period."""
    st.header("History", anchor=False)
    since = choose_since("period")
    operations = operation_history.operations(environment(), LISTED, since)
    if not operations:
        st.info("Nothing was done in this time. What you do is listed here, each with its proof.")
        return
    days = operation_history.days(environment(), since, clock.system_zone())
    _show_figures(days)
    _show_chart(operations, days, since)
    _show_table(operations)


def _show_figures(days: list[Day]) -> None:
    total = sum(day.success + day.partial + day.failed for day in days)
    failed = sum(day.failed for day in days)
    waiting = sum(day.partial for day in days)
    with st.container(horizontal=True, key="figures-operations"):
        for name, value, explained in (
            ("Operations", total, "Syncs, imports, edits, restores and all other operations."),
            ("Success rate", percent(1 - failed / total), "The share that did not fail."),
            ("Failed", failed, "Each operation shows its reason."),
            ("Needs a decision", waiting, "Done, but you have to decide something."),
        ):
            st.metric(name, value, border=True, width=150, help=explained)


def _show_chart(operations: list[Operation], days: list[Day], since: Any) -> None:
    zone = clock.system_zone()
    now = clock.now()
    today = now.astimezone(zone).date()
    kinds: dict[str, tuple[str, Callable[[], Any]]] = {
        "Per day": ("Operations per day by outcome", lambda: charts.per_day(days, today)),
        "Durations": (
            "How long each operation took, with each day's median",
            lambda: charts.durations(operations, days, zone),
        ),
        "Tasks": (
            "Tasks by state over time",
            lambda: charts.states(operation_history.counts(environment(), since), now, zone),
        ),
        "Success": (
            "The share that did not fail, per day",
            lambda: charts.success_rate(days, today),
        ),
        "Managed entries": (
            "Managed and unmanaged entries of the crontab over time",
            lambda: charts.managed_entries(
                operation_history.counts(environment(), since), now, zone
            ),
        ),
    }
    # One chart at a time: each costs the browser a tenth of a second on a small machine.
    kind = choose("Chart", kinds, "chart", bind="query-params")
    title, draw = kinds[kind]
    st.caption(title)
    st.plotly_chart(draw(), key=f"chart-{kind}", alt=title, config={"displayModeBar": False})


def _show_table(operations: list[Operation]) -> None:
    now = clock.now()
    column = st.column_config
    # Rows are selected by number: a new operation may have moved them since this was drawn.
    numbers = [o.id for o in operations]
    number = st.query_params.get("operation", "")
    row = numbers.index(int(number)) if number.isdecimal() and int(number) in numbers else None
    show_choices(
        {
            "when": [ago(o.started_at, now) for o in operations],
            "what": [o.kind for o in operations],
            "by": [o.actor for o in operations],
            "result": [o.outcome for o in operations],
            "did": [sentence(o.error_message or overview.outcome(o)) for o in operations],
            "ms": [o.duration_ms for o in operations],
            "at": [time_text(o.started_at) for o in operations],
            "number": numbers,
        },
        "Operations, newest first",
        {
            "when": column.TextColumn("When", width=90),
            "what": column.TextColumn("What", width=90),
            "by": column.TextColumn("By", width=90),
            "result": column.TextColumn("Result", width=80),
            "did": column.TextColumn("Change", width="large"),
            "ms": column.NumberColumn("ms", format="%.0f", width=60),
            "at": column.TextColumn(f"Time ({clock.system_zone().key})", width=150),
            "number": column.NumberColumn("No.", width=60),
        },
        key=f"operations-{numbers[0]}",
        chosen=row,
        choose=lambda row: _choose(None if row is None else numbers[row]),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Choose an operation to see what it did, and to undo it.")
        st.download_button(
            "Download as CSV",
            lambda: operation_history.as_csv(operations),
            file_name="pitasker-operations.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
    if number.isdecimal():
        try:
            _show_operation(operation_history.operation(environment(), int(number)))
        except PiTaskerError as problem:
            st.warning(plain(problem.user_message))


def _choose(number: int | None) -> None:
    if number is not None:
        st.query_params["operation"] = str(number)
    else:
        st.query_params.pop("operation", None)


def _show_operation(operation: OperationDetails) -> None:
    with st.container(border=True, key="operation"):
        st.markdown(
            f"**Operation {operation.id}**: {plain(operation.kind)} by {plain(operation.actor)}, "
            f"{time_text(operation.started_at)}, {operation.duration_ms:.0f} ms, "
            f"{plain(operation.outcome)}"
        )
        if operation.error_message:
            st.error(plain(operation.error_message), icon=":material/error:")
        if "putBack" in operation.details:
            st.warning(
                "The crontab was saved from an editor that was opened before PiTasker's last "
                "changes. PiTasker restored its changes, and kept those made in the editor.",
                icon=":material/edit_note:",
            )
        for task, reason in operation.details.get("failed", {}).items():
            st.error(plain(Text(f"Task {task}: ", reason)))
        rows = [
            _change_row(direction, change)
            for part, direction in (
                ("pushed", "to the crontab"),
                ("pulled", "from the crontab"),
                ("conflicts", "in conflict"),
            )
            for change in operation.details.get(part, [])
        ]
        if rows:
            show_table(rows, "What was changed")
        if operation.kind in (OperationKind.SYNC, OperationKind.RESOLVE) and (
            operation.pushed or operation.pulled
        ):
            write_button(
                "Undo this operation",
                icon=":material/undo:",
                on_click=_undo,
                args=(operation,),
                help="Restores the overwritten values of each task and its entry.",
            )
        _show_texts(operation)


def _undo(operation: Operation) -> None:
    done = act(tasks.undo_operation, environment(), ACTOR, operation)
    report_applied(done, f"Operation {operation.id} is undone")


def _change_row(direction: str, change: dict[str, Any]) -> dict[str, Any]:
    def entry(side: dict[str, Any] | None) -> str:
        if side is None:
            return "(no entry)"
        paused = "paused: " if side.get("paused") else ""
        return visible(f"{paused}{side['schedule']} {side['command']}")

    names = [change[s]["name"] for s in ("database", "crontab", "base") if change.get(s)]
    return {
        "Task": f"{names[0] if names else ''} ({change.get('task')})",
        "Direction": direction,
        "Base": entry(change.get("base")),
        "Database": entry(change.get("database")),
        "Crontab": entry(change.get("crontab")),
    }


def _show_texts(operation: Operation) -> None:
    """Draw the difference that an operation made to the crontab, and a button to restore it."""
    if operation.before is None or operation.after is None:
        return
    before = edit.snapshot(environment(), operation.before)
    after = edit.snapshot(environment(), operation.after)
    proof = difference(before.text, after.text)
    st.caption(plain(f"The crontab: {proof}."))
    if not proof:
        return
    st.code(proof.text, language="diff", wrap_lines=True)
    now, _ = service.read_crontab(environment())
    if now != after.text:
        restoring = difference(now, before.text)
        st.caption(plain(f"It was changed since. Restoring the text before this: {restoring}."))
    write_button(
        "Restore the crontab before this",
        icon=":material/history:",
        disabled=now == before.text,
        on_click=_restore,
        args=(before.id, digest(now)),
    )


def _restore(snapshot: int, shown: str) -> None:
    done = act(edit.restore, environment(), snapshot, actor=ACTOR, shown=shown)
    report_saved(done, "Restored")
