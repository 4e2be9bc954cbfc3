"""Sync health: are the tasks and the crontab in step, and if not, what to do."""

from dataclasses import replace
from uuid import UUID

import pandas as pd
import streamlit as st

from pitasker_core import clock, status, tasks
from pitasker_core.crontab.editable import shown
from pitasker_core.dashboard import charts
from pitasker_core.dashboard.shell import (
    ACTOR,
    BADGES,
    act,
    plain,
    settings,
    show_problem,
    sync_now,
    time_text,
)
from pitasker_core.status import Operation, Status
from pitasker_core.sync import service, validation
from pitasker_core.sync.merge import Change, Choice, Fields, Policy
from pitasker_core.sync.service import Comparison, Request
from pitasker_core.tasks import Listing


def main() -> None:
    """Draw the page."""
    listing = tasks.listing(settings())
    operations = status.operations(settings())
    found = status.summary(listing, operations)
    _show_status(found)
    if listing.problem:
        show_problem(listing.problem)
    _actions(listing)
    _show_guard()
    if listing.comparison:
        _show_differences(listing, listing.comparison)
        if st.session_state.get("validating"):
            _show_validation(listing.comparison)
    _show_operations(operations)


def _show_status(found: Status) -> None:
    label, color, icon = BADGES[found.health]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(label, color=color, icon=icon)
        st.caption(f"Last sync: {time_text(found.last_sync)} ({clock.system_zone().key})")
    for reason in found.reasons:
        st.markdown(f"- {plain(reason)}")
    with st.container(horizontal=True):
        for name, count, explained in (
            ("Tasks", found.tasks, "Tasks in the database that are not deleted."),
            ("Entries", found.entries, "Entries in the crontab, paused ones included."),
            ("In step", found.synced, "Tasks whose entry says what the task says."),
            ("Not in step", found.unsynced, "Tasks that a sync or you must do something about."),
            ("Database only", found.database_only, "Tasks that shall not be in the crontab."),
            ("Unmanaged", found.unmanaged, "Entries that no task manages."),
        ):
            st.metric(name, count, border=True, width=150, help=explained)


def _actions(listing: Listing) -> None:
    with st.container(horizontal=True):
        st.button(
            "Sync now",
            type="primary",
            icon=":material/sync:",
            on_click=sync_now,
            disabled=listing.problem is not None,
        )
        st.button("Validate", icon=":material/fact_check:", on_click=_validate)


def _validate() -> None:
    st.session_state.validating = True


def _show_guard() -> None:
    """A sync that stopped because a person must say what was meant."""
    guard = st.session_state.get("guard")
    if not guard:
        return
    st.error(plain(guard), icon=":material/front_hand:")
    with st.container(horizontal=True):
        st.button(
            "It was meant: take the crontab's",
            on_click=sync_now,
            args=(Request(ACTOR, confirmed=True, policy=Policy.CRONTAB),),
        )
        st.button("Put the database's back", on_click=_put_back, type="primary")
        st.button("Leave it for now", on_click=st.session_state.pop, args=("guard",))


def _put_back() -> None:
    compared = act(service.preview, settings())
    if compared:
        choices: dict[UUID, Choice] = {c.tag: Policy.DATABASE for c in compared.plan.changes}
        sync_now(Request(ACTOR, choices=choices, confirmed=True))


def _show_differences(listing: Listing, compared: Comparison) -> None:
    changes = [c for c in compared.plan.changes if c.tag in compared.known and c.ours != c.theirs]
    if not changes:
        return
    st.subheader("Not in step")
    for change in changes:
        task = compared.known[change.tag]
        with st.container(border=True):
            st.markdown(f"**{plain(task.fields.name)}**: {plain(_what(listing, task.task))}")
            _show_sides(change)
            if change.ours and change.theirs:
                _offer_mix(change)
            with st.container(horizontal=True):
                for side, policy in (
                    ("database", Policy.DATABASE),
                    ("crontab", Policy.CRONTAB),
                ):
                    st.button(
                        f"Take the {side}'s",
                        key=f"{side}-{change.tag}",
                        on_click=sync_now,
                        args=(Request(ACTOR, "resolve", {change.tag}, {change.tag: policy}),),
                    )


def _what(listing: Listing, task: int) -> str:
    return listing.details.get(task, "") or "The task was deleted; its entry is still there."


def _show_sides(change: Change) -> None:
    def told(fields: Fields | None) -> dict[str, str]:
        if fields is None:
            return {"name": "(no entry)", "schedule": "", "command": "", "on": ""}
        on = "no, paused" if fields.paused else "yes"
        return {
            "name": fields.name,
            "schedule": shown(fields.schedule),
            "command": shown(fields.command),
            "on": on,
        }

    sides = {"Last agreed": change.base, "Database": change.ours, "Crontab": change.theirs}
    table = pd.DataFrame([told(fields) for fields in sides.values()], index=list(sides))
    st.dataframe(table, key=f"sides-{change.tag}")


def _offer_mix(change: Change) -> None:
    """A mix of both sides: an explicit choice, field by field, never one that is made silently."""
    ours, theirs = change.ours, change.theirs
    if ours is None or theirs is None:
        return
    names = ("name", "schedule", "command", "paused")
    differ = [name for name in names if getattr(ours, name) != getattr(theirs, name)]
    if len(differ) < 2:
        return
    with st.expander("Take some of each"):
        mix = ours
        for name in differ:
            side = st.segmented_control(
                name.capitalize(),
                ["Database", "Crontab"],
                default="Database",
                required=True,
                key=f"mix-{name}-{change.tag}",
                help=plain(f"Database: {getattr(ours, name)}  Crontab: {getattr(theirs, name)}"),
            )
            if side == "Crontab":
                mix = replace(mix, **{name: getattr(theirs, name)})
        st.code(f"{mix.schedule} {mix.command}", language=None)
        st.button(
            "Take this mix",
            key=f"mix-{change.tag}",
            on_click=sync_now,
            args=(Request(ACTOR, "resolve", {change.tag}, {change.tag: mix}),),
        )


def _show_validation(compared: Comparison) -> None:
    report = validation.validate(compared)
    st.subheader("Validation")
    if report.is_valid:
        st.success("The tasks and the crontab are in step.", icon=":material/check_circle:")
    if report.findings:
        st.dataframe(
            pd.DataFrame(
                [
                    {
                        "line": finding.line,
                        "kind": finding.kind.value.replace("_", " "),
                        "message": finding.message,
                        "text": shown(finding.text or ""),
                    }
                    for finding in report.findings
                ]
            ),
            hide_index=True,
            height="content",
            column_config={
                "line": st.column_config.NumberColumn("Line", width=60),
                "kind": st.column_config.TextColumn("What"),
                "message": st.column_config.TextColumn("Meaning", width="large"),
                "text": st.column_config.TextColumn("Text", width="large"),
            },
        )


def _show_operations(operations: list[Operation]) -> None:
    st.subheader("Last operations")
    if not operations:
        st.info("Nothing has been done yet: what you do here and on the other pages is listed.")
        return
    st.plotly_chart(
        charts.durations(operations, clock.system_zone()),
        key="durations",
        alt="How long each operation took, by the time it began",
        config={"displayModeBar": False},
    )
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "at": time_text(o.started_at),
                    "kind": o.kind,
                    "actor": o.actor,
                    "outcome": o.outcome,
                    "to crontab": o.pushed,
                    "from crontab": o.pulled,
                    "conflicts": o.conflicts,
                    "ms": round(o.duration_ms, 1),
                    "error": o.error_message or "",
                }
                for o in operations
            ]
        ),
        hide_index=True,
    )


main()
