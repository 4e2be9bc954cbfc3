"""Differences between PiTasker and the crontab side by side, with buttons that resolve them."""

from uuid import UUID

import pandas as pd
import streamlit as st

from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import visible
from pitasker_core.dashboard.cells import inert
from pitasker_core.dashboard.markdown import bold, code, plain
from pitasker_core.dashboard.messages import act, sync_now
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.sync import service
from pitasker_core.sync.install import digest
from pitasker_core.sync.merge import Change, Choice, Fields, Policy
from pitasker_core.sync.service import Comparison, Request
from pitasker_core.sync.store import OperationKind
from pitasker_core.tasks import Listing

_SIDES = (("PiTasker's", Policy.DATABASE), ("the crontab's", Policy.CRONTAB))

_LONGEST_VALUE = 40
"""The maximum length of a value on a button."""


def show_guard() -> None:
    """Draw the reason why the last sync stopped, and the possible decisions."""
    guard = st.session_state.get("guard")
    if not guard:
        return
    st.error(plain(guard), icon=":material/front_hand:")
    shown = _digest()
    with st.container(horizontal=True):
        write_button(
            "Accept the crontab",
            on_click=_sync,
            args=(Request(ACTOR, confirmed=True, policy=Policy.CRONTAB, shown=shown),),
        )
        write_button("Restore PiTasker's entries", on_click=_restore, args=(shown,), type="primary")
        st.button("Decide later", on_click=st.session_state.pop, args=("guard",))


def _digest() -> str | None:
    """Return the digest of the shown crontab, or None if it cannot be read."""
    try:
        return digest(service.read_crontab(environment())[0])
    except PiTaskerError:
        return None


def _sync(request: Request) -> None:
    sync_now(request)


def _restore(shown: str | None) -> None:
    compared = act(service.preview, environment())
    if compared:
        choices: dict[UUID, Choice] = {c.tag: Policy.DATABASE for c in compared.plan.changes}
        sync_now(Request(ACTOR, choices=choices, confirmed=True, shown=shown))


def show_both_sides(listing: Listing, compared: Comparison) -> None:
    """Draw each task that is out of sync: its base, both sides, and the choice."""
    changes = [
        c for c in compared.plan.changes if c.tag in compared.tasks_by_tag and c.ours != c.theirs
    ]
    if not changes:
        return
    st.header("Out of sync", anchor=False)
    if len(changes) > 1:
        with st.container(horizontal=True):
            for side, policy in _SIDES:
                write_button(
                    f"Keep {side} for all {len(changes)}",
                    key=f"all-{policy}",
                    on_click=_sync,
                    args=(_request(changes, policy),),
                )
    for change in changes:
        _show_change(listing, compared, change)


def _show_change(listing: Listing, compared: Comparison, change: Change) -> None:
    task = compared.tasks_by_tag[change.tag]
    detail = listing.details.get(task.task, "")
    detail = detail or "The task was deleted, but its entry is still there."
    with st.container(border=True):
        st.markdown(f"{bold(task.fields.name)}: {plain(detail)}")
        _show_sides(change)
        if change.ours and change.theirs:
            _offer_mix(change, change.ours, change.theirs)
        with st.container(horizontal=True):
            for (side, policy), fields in zip(_SIDES, (change.ours, change.theirs), strict=True):
                value = _difference(change, fields)
                write_button(
                    f"Keep {side}" + (f" ({code(value)})" if value else ""),
                    key=f"{policy}-{change.tag}",
                    on_click=_sync,
                    args=(_request([change], policy),),
                )


def _difference(change: Change, fields: Fields | None) -> str:
    """Return a side's value of the only field that differs, or "" if several differ."""
    if change.ours is None or change.theirs is None or fields is None:
        return ""
    names = _differing(change.ours, change.theirs)
    if names not in (["schedule"], ["command"], ["name"]):
        return ""
    value = visible(str(getattr(fields, names[0])))
    return value if len(value) <= _LONGEST_VALUE else f"{value[: _LONGEST_VALUE - 1]}…"


def _differing(ours: Fields, theirs: Fields) -> list[str]:
    names = ("name", "schedule", "command", "paused", "recording")
    return [name for name in names if getattr(ours, name) != getattr(theirs, name)]


def _request(changes: list[Change], choice: Choice) -> Request:
    """Return a request with the same choice for these changes. It fails if they changed since."""
    tags = {change.tag for change in changes}
    return Request(ACTOR, OperationKind.RESOLVE, tags, dict.fromkeys(tags, choice), changes)


def _show_sides(change: Change) -> None:
    def cells(fields: Fields | None) -> dict[str, str]:
        if fields is None:
            return {"name": "(no entry)", "schedule": "", "command": "", "on": "", "runs": ""}
        return {
            "name": fields.name,
            "schedule": visible(fields.schedule),
            "command": visible(fields.command),
            "on": "no, paused" if fields.paused else "yes",
            "runs": str(fields.recording),
        }

    sides = {"Base": change.base, "PiTasker": change.ours, "Crontab": change.theirs}
    table = pd.DataFrame([cells(fields) for fields in sides.values()], index=list(sides))
    # Columns that differ come first: a phone's screen shows only the first ones.
    table = table[sorted(table.columns, key=lambda name: table[name].nunique() == 1)]
    st.dataframe(inert(table.rename(columns=str.capitalize)), key=f"sides-{change.tag}")


def _offer_mix(change: Change, ours: Fields, theirs: Fields) -> None:
    """Let a person choose each field's side. PiTasker never mixes sides automatically."""
    names = _differing(ours, theirs)
    if len(names) < 2:
        return
    with st.expander("Choose field by field"):
        mix = ours
        for name in names:
            side = st.segmented_control(
                name.capitalize(),
                ["PiTasker", "Crontab"],
                default="PiTasker",
                required=True,
                key=f"mix-{name}-{change.tag}",
                help=plain(f"PiTasker: {getattr(ours, name)}  Crontab: {getattr(theirs, name)}"),
            )
            if side == "Crontab":
                mix = mix._replace(**{name: getattr(theirs, name)})
        st.code(f"{mix.schedule} {mix.command}", language=None, wrap_lines=True)
        write_button(
            "Keep these fields",
            key=f"mix-{change.tag}",
            on_click=_sync,
            args=(_request([change], mix),),
        )
