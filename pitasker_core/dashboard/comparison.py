"""What is out of sync, side by side, and the choices that decide it."""

from dataclasses import replace
from uuid import UUID

import pandas as pd
import streamlit as st

from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import visible
from pitasker_core.dashboard.cells import inert
from pitasker_core.dashboard.markdown import bold, plain
from pitasker_core.dashboard.messages import act, sync_now
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.sync import service
from pitasker_core.sync.install import digest
from pitasker_core.sync.merge import Change, Choice, Fields, Policy
from pitasker_core.sync.service import Comparison, Request
from pitasker_core.tasks import Listing

_SIDES = (("database", Policy.DATABASE), ("crontab", Policy.CRONTAB))


def show_guard() -> None:
    """A sync that stopped because a person must say what was meant."""
    guard = st.session_state.get("guard")
    if not guard:
        return
    st.error(plain(guard), icon=":material/front_hand:")
    seen = _digest()
    look_only = environment().read_only
    with st.container(horizontal=True):
        st.button(
            "It was meant: take the crontab's",
            disabled=look_only,
            on_click=_sync,
            args=(Request(ACTOR, confirmed=True, policy=Policy.CRONTAB, shown=seen),),
        )
        st.button(
            "Put the database's back",
            on_click=_put_back,
            args=(seen,),
            type="primary",
            disabled=look_only,
        )
        st.button("Leave it for now", on_click=st.session_state.pop, args=("guard",))


def _digest() -> str | None:
    """Which crontab is shown here; None when it cannot be read, and nothing can be decided."""
    try:
        return digest(service.read_crontab(environment())[0])
    except PiTaskerError:
        return None


def _sync(request: Request) -> None:
    sync_now(request)


def _put_back(seen: str | None) -> None:
    compared = act(service.preview, environment())
    if compared:
        choices: dict[UUID, Choice] = {c.tag: Policy.DATABASE for c in compared.plan.changes}
        sync_now(Request(ACTOR, choices=choices, confirmed=True, shown=seen))


def show_both_sides(listing: Listing, compared: Comparison) -> None:
    """Each task that is out of sync: what was agreed, what each side has, and the choice."""
    changes = [c for c in compared.plan.changes if c.tag in compared.known and c.ours != c.theirs]
    if not changes:
        return
    st.subheader("Out of sync")
    if len(changes) > 1:
        with st.container(horizontal=True):
            for side, policy in _SIDES:
                st.button(
                    f"Take the {side}'s for all {len(changes)}",
                    key=f"all-{side}",
                    disabled=environment().read_only,
                    on_click=_sync,
                    args=(_decided(changes, policy),),
                )
    for change in changes:
        task = compared.known[change.tag]
        what = listing.details.get(task.task, "")
        what = what or "The task was deleted; its entry is still there."
        with st.container(border=True):
            st.markdown(f"{bold(task.fields.name)}: {plain(what)}")
            _show_sides(change)
            if change.ours and change.theirs:
                _offer_mix(change, change.ours, change.theirs)
            with st.container(horizontal=True):
                for side, policy in _SIDES:
                    st.button(
                        f"Take the {side}'s",
                        key=f"{side}-{change.tag}",
                        disabled=environment().read_only,
                        on_click=_sync,
                        args=(_decided([change], policy),),
                    )


def _decided(changes: list[Change], choice: Choice) -> Request:
    """The request that carries out a choice among what is shown, and only if it still is so."""
    tags = {change.tag for change in changes}
    return Request(ACTOR, "resolve", tags, dict.fromkeys(tags, choice), changes)


def _show_sides(change: Change) -> None:
    def told(fields: Fields | None) -> dict[str, str]:
        if fields is None:
            return {"name": "(no entry)", "schedule": "", "command": "", "on": "", "runs": ""}
        on = "no, paused" if fields.paused else "yes"
        return {
            "name": fields.name,
            "schedule": visible(fields.schedule),
            "command": visible(fields.command),
            "on": on,
            "runs": str(fields.recording),
        }

    sides = {"Last agreed": change.base, "Database": change.ours, "Crontab": change.theirs}
    table = pd.DataFrame([told(fields) for fields in sides.values()], index=list(sides))
    # What differs comes first: on a phone the rest is out of sight.
    table = table[sorted(table.columns, key=lambda name: table[name].nunique() == 1)]
    st.dataframe(inert(table.rename(columns=str.capitalize)), key=f"sides-{change.tag}")


def _offer_mix(change: Change, ours: Fields, theirs: Fields) -> None:
    """A mix of both sides: an explicit choice, field by field, never one that is made silently."""
    names = ("name", "schedule", "command", "paused", "recording")
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
            disabled=environment().read_only,
            on_click=_sync,
            args=(_decided([change], mix),),
        )
