"""The history of operations on Sync: charts, a table, and what a chosen one did."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import Text, visible
from pitasker_core.crontab.difference import difference
from pitasker_core.dashboard import charts, overview
from pitasker_core.dashboard.cells import inert
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.messages import act, report_applied, report_saved
from pitasker_core.dashboard.period import choose_since
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.times import ago, time_text
from pitasker_core.sync import edit, operation_history, service
from pitasker_core.sync.install import digest
from pitasker_core.sync.operation_history import Day, Operation, OperationDetails

LISTED = 500
"""The most operations that are listed and drawn one by one; the figures by day count all."""


def show_history() -> None:
    """Everything about what was done."""
    st.subheader("History")
    since = choose_since("period")
    found = operation_history.operations(environment(), LISTED, since)
    if not found:
        st.info("Nothing was done in this time. What you do is listed here, each with its proof.")
        return
    days = operation_history.days(environment(), since, clock.system_zone())
    _show_figures(days)
    _show_chart(found, days, since)
    _show_table(found)


def _show_figures(days: list[Day]) -> None:
    total = sum(day.success + day.partial + day.failed for day in days)
    failed = sum(day.failed for day in days)
    waiting = sum(day.partial for day in days)
    with st.container(horizontal=True):
        for name, value, explained in (
            ("Operations", total, "Syncs, imports, edits, restores and all other operations."),
            ("Success rate", f"{1 - failed / total:.1%}", "The share that did not fail."),
            ("Failed", failed, "Each operation says why."),
            ("Needs a decision", waiting, "Done, but something waits for your decision."),
        ):
            st.metric(name, value, border=True, width=150, help=explained)


def _show_chart(found: list[Operation], days: list[Day], since: Any) -> None:
    zone = clock.system_zone()
    now = clock.now()
    today = now.astimezone(zone).date()
    kinds: dict[str, tuple[str, Callable[[], Any]]] = {
        "Per day": ("Operations per day by outcome", lambda: charts.per_day(days, today)),
        "Durations": (
            "How long each operation took, with each day's median",
            lambda: charts.durations(found, days, zone),
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
    kind = st.segmented_control(
        "Chart",
        list(kinds),
        default="Per day",
        required=True,
        key="chart",
        bind="query-params",
        label_visibility="collapsed",
    )
    title, draw = kinds[kind]
    st.caption(title)
    st.plotly_chart(draw(), key=f"chart-{kind}", alt=title, config={"displayModeBar": False})


def _show_table(found: list[Operation]) -> None:
    now = clock.now()
    column = st.column_config
    table = pd.DataFrame(
        {
            "when": [ago(o.started_at, now) for o in found],
            "what": [o.kind for o in found],
            "by": [o.actor for o in found],
            "result": [o.outcome for o in found],
            "did": [o.error_message or overview.outcome(o) for o in found],
            "ms": [o.duration_ms for o in found],
            "at": [time_text(o.started_at) for o in found],
            "number": [o.id for o in found],
        }
    )
    # By number, not by row: another operation may have come on top since this was drawn.
    numbers = [o.id for o in found]
    asked = st.query_params.get("operation", "")
    row = numbers.index(int(asked)) if asked.isdecimal() and int(asked) in numbers else None
    key = f"operations-{numbers[0]}"
    st.dataframe(
        inert(table),
        key=key,
        selection_default={"selection": {"rows": [] if row is None else [row]}},
        hide_index=True,
        height="content" if len(found) <= 12 else 460,
        on_select=lambda: _choose(numbers, st.session_state[key].selection.rows),
        selection_mode="single-row",
        alt="The operations",
        column_config={
            "when": column.TextColumn("When", width=90),
            "what": column.TextColumn("What", width=90),
            "by": column.TextColumn("By", width=90),
            "result": column.TextColumn("Result", width=80),
            "did": column.TextColumn("Change", width="large"),
            "ms": column.NumberColumn("ms", format="%.0f", width=60),
            "at": column.TextColumn(f"Time ({clock.system_zone().key})", width=150),
            "number": column.NumberColumn("No.", width=60),
        },
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Choose a row to see what it did, and to go back to before it.")
        st.download_button(
            "Download as CSV",
            lambda: operation_history.as_csv(found),
            file_name="pitasker-operations.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
    if asked.isdecimal():
        try:
            _show_one(operation_history.operation(environment(), int(asked)))
        except PiTaskerError as problem:
            st.warning(plain(problem.user_message))


def _choose(numbers: list[int], rows: list[int]) -> None:
    if rows:
        st.query_params["operation"] = str(numbers[rows[0]])
    else:
        st.query_params.pop("operation", None)


def _show_one(found: OperationDetails) -> None:
    with st.container(border=True, key="operation"):
        st.markdown(
            f"**Operation {found.id}**: {plain(found.kind)} by {plain(found.actor)}, "
            f"{time_text(found.started_at)}, {found.duration_ms:.0f} ms, {plain(found.outcome)}"
        )
        if found.error_message:
            st.error(plain(found.error_message), icon=":material/error:")
        if "putBack" in found.details:
            st.warning(
                "The crontab was saved from an editor that was opened before PiTasker's last "
                "changes. They were put back, beside what was changed in the editor.",
                icon=":material/edit_note:",
            )
        for task, reason in found.details.get("failed", {}).items():
            st.error(plain(Text(f"Task {task}: ", reason)))
        rows = [
            _change_row(what, change)
            for part, what in (
                ("pushed", "to the crontab"),
                ("pulled", "from the crontab"),
                ("conflicts", "in conflict"),
            )
            for change in found.details.get(part, [])
        ]
        if rows:
            st.dataframe(
                inert(pd.DataFrame(rows)), hide_index=True, height="content", alt="What was changed"
            )
        if found.kind in ("sync", "resolve") and (found.pushed or found.pulled):
            st.button(
                "Take back what it carried over",
                disabled=environment().read_only,
                icon=":material/undo:",
                on_click=_take_back,
                args=(found,),
                help="Each task, and its entry, gets the values that were overwritten.",
            )
        _show_texts(found)


def _take_back(found: Operation) -> None:
    done = act(tasks.undo_operation, environment(), ACTOR, found)
    report_applied(done, f"Operation {found.id} is taken back")


def _change_row(what: str, change: dict[str, Any]) -> dict[str, Any]:
    def told(side: dict[str, Any] | None) -> str:
        if side is None:
            return "(no entry)"
        paused = "paused: " if side.get("paused") else ""
        return visible(f"{paused}{side['schedule']} {side['command']}")

    names = [change[s]["name"] for s in ("database", "crontab", "base") if change.get(s)]
    return {
        "Task": f"{names[0] if names else ''} ({change.get('task')})",
        "Direction": what,
        "Agreed before": told(change.get("base")),
        "Database": told(change.get("database")),
        "Crontab": told(change.get("crontab")),
    }


def _show_texts(found: Operation) -> None:
    """The crontab before and after, and the way back."""
    if found.before is None or found.after is None:
        return
    before = edit.snapshot(environment(), found.before)
    after = edit.snapshot(environment(), found.after)
    proof = difference(before.text, after.text)
    st.caption(plain(f"The crontab: {proof}."))
    if not proof:
        return
    st.code(proof.text, language="diff")
    now, _ = service.read_crontab(environment())
    if now != after.text:
        back = difference(now, before.text)
        st.caption(plain(f"It was changed since. From now to before this: {back}."))
    st.button(
        "Put the crontab back to before this",
        icon=":material/history:",
        disabled=now == before.text or environment().read_only,
        on_click=_put_back,
        args=(before.id, digest(now)),
    )


def _put_back(snapshot: int, shown: str) -> None:
    done = act(edit.restore, environment(), snapshot, actor=ACTOR, shown=shown)
    report_saved(done, "Restored")
