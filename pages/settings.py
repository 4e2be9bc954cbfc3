"""Settings: what the background does and keeps, who is told, who may come in; who changed what."""

from dataclasses import asdict
from datetime import datetime

import pandas as pd
import streamlit as st

from pitasker_core.base import clock
from pitasker_core.dashboard import notification_settings
from pitasker_core.dashboard.cells import inert
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.messages import act, add_notice
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.times import ago, time_text
from pitasker_core.database import preferences
from pitasker_core.database.preferences import LIMITS, Preferences
from pitasker_core.reports import audit
from pitasker_core.server import auth, background, tokens
from pitasker_core.server.auth import Role

EXPLAINED = {
    "sync_minutes": (
        "Sync every … minutes",
        "What was changed on one side is carried to the other. What was changed on both waits for "
        "you. 0: only when you act.",
    ),
    "validate_minutes": ("Validate every … minutes", "Looks for what is not in order. 0: never."),
    "keep_operations_days": (
        "Keep the history for … days",
        "Operations, and who changed what.",
    ),
    "keep_snapshots": (
        "Keep … texts of the crontab",
        "The oldest are forgotten first; the very first one is kept for ever.",
    ),
    "keep_deleted_days": ("Keep deleted tasks for … days", "So long they can be brought back."),
    "keep_runs_days": ("Keep runs for … days", "When they ran and how they ended."),
    "keep_runs_mb": (
        "Keep … MB of what runs printed",
        "The output of the oldest is forgotten first; the runs themselves stay. "
        "Of each run at most the first and the last 64 KiB are kept.",
    ),
}
LISTED = 500


def main() -> None:
    """Draw the page."""
    part = st.segmented_control(
        "Part",
        ["Background", "Notifications", "Access", "Changes"],
        default="Background",
        required=True,
        key="settings_part",
        bind="query-params",
        label_visibility="collapsed",
    )
    {
        "Background": _background,
        "Notifications": notification_settings.show,
        "Access": _access,
        "Changes": _changes,
    }[part]()


def _background() -> None:
    found = preferences.read(environment())
    if background.is_running(environment()):
        st.caption(":green[:material/check:] The background work is being done.")
    else:
        st.warning("Nothing works in the background at the moment: a sync happens when you act.")
    for name, job in background.job_states(environment()).items():
        if job.message:
            draw = st.info if job.ok else st.error
            since = time_text(datetime.fromisoformat(job.at))
            draw(plain(f"{name.capitalize()}, since {since}: {job.message}"))
    # With its value in its key, a field that was changed elsewhere shows that at the next run.
    keys = {name: f"preference-{name}-{value}" for name, value in asdict(found).items()}
    with st.form("preferences", border=False):
        with st.container(horizontal=True):
            for name, (label, help_text) in EXPLAINED.items():
                st.number_input(
                    label,
                    *LIMITS[name],
                    getattr(found, name),
                    key=keys[name],
                    help=plain(help_text),
                    width=300,
                )
        st.toggle(
            "Import new entries automatically",
            found.import_new,
            key=keys["import_new"],
            help="Off: an entry that somebody adds to the crontab stays untagged until you choose "
            "it. On: the next sync in the background makes a task of it.",
        )
        st.form_submit_button(
            "Save",
            type="primary",
            disabled=environment().read_only,
            on_click=_save,
            args=(found, keys),
        )


def _save(shown: Preferences, keys: dict[str, str]) -> None:
    wanted = {name: st.session_state[key] for name, key in keys.items()}
    if wanted == asdict(shown):
        return
    if act(preferences.change, environment(), ACTOR, shown, **wanted):
        add_notice("done", "Saved. The background follows within a minute.")


def _access() -> None:
    has_password = auth.has_password(environment())
    st.markdown("**Signing in**")
    st.caption(
        "With a password, or with a link that `./pitasker link` prints on the machine itself."
        if has_password
        else "With a link that is printed at the start and by `./pitasker link`. `./pitasker "
        "password` sets a password, which is needed before it listens on the network."
    )
    st.button(
        "Sign everybody out",
        icon=":material/logout:",
        on_click=_sign_out_everyone,
        disabled=environment().read_only,
        help="Every session on every device ends, this one too.",
    )
    st.markdown("**Tokens for scripts**")
    st.caption("For the API, which describes itself at [/api/docs](/api/docs).")
    if secret := st.session_state.pop("new_token", None):
        st.success("This token is shown once. Copy it now.", icon=":material/key:")
        st.code(secret, language=None)
    _tokens()
    with (
        st.form("new_token_form", border=False, clear_on_submit=True),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        name = st.text_input("What uses it", placeholder="phone", width=240)
        may_write = st.toggle("May change things")
        if st.form_submit_button("Make a token", disabled=environment().read_only):
            role = Role.WRITE if may_write else Role.READ
            st.session_state.new_token = act(tokens.create, environment(), ACTOR, name, role)
            st.rerun()


def _tokens() -> None:
    found = tokens.listing(environment())
    if not found:
        return
    now = clock.now()
    st.session_state.tokens = found
    column = st.column_config
    st.dataframe(
        inert(
            pd.DataFrame(
                {
                    "name": [one.name for one in found],
                    "may": [
                        "look and change" if one.role is Role.WRITE else "look" for one in found
                    ],
                    "made": [ago(one.created_at, now) for one in found],
                    "used": [ago(one.used_at, now) if one.used_at else "never" for one in found],
                    "menu": [[] if environment().read_only else ["Revoke"] for _ in found],
                }
            )
        ),
        hide_index=True,
        height="content",
        alt="Tokens",
        column_config={
            "name": column.TextColumn("Name"),
            "may": column.TextColumn("May"),
            "made": column.TextColumn("Made"),
            "used": column.TextColumn("Last used"),
            "menu": column.ButtonColumn("", key="token_menu", on_click=_revoke, width=45),
        },
    )


def _revoke() -> None:
    token = st.session_state.tokens[st.session_state.token_menu["row"]]
    act(tokens.revoke, environment(), ACTOR, token.id)
    add_notice("done", f"{token.name} is revoked.")


def _sign_out_everyone() -> None:
    act(_end_every_session)


def _end_every_session() -> None:
    mine = environment()  # this session ends too
    auth.sign_out_everyone(mine)
    audit.note(mine, ACTOR, "everybody signed out")


def _changes() -> None:
    """The audit history."""
    found = audit.listing(environment(), LISTED)
    if not found:
        st.info("Nothing was changed yet. Who changed what is listed here, before and after.")
        return
    with st.container(horizontal=True):
        who = st.multiselect("Who", sorted({one.actor for one in found}), width=260)
        what = st.multiselect("What", sorted({one.kind for one in found}), width=260)
    now = clock.now()
    shown = [
        one for one in found if (not who or one.actor in who) and (not what or one.kind in what)
    ]
    st.dataframe(
        inert(
            pd.DataFrame(
                {
                    "When": [ago(one.at, now) for one in shown],
                    "Who": [one.actor for one in shown],
                    "What": [one.kind for one in shown],
                    "Task": [one.task for one in shown],
                    "Changes": [audit.difference(one) for one in shown],
                    f"Time ({clock.system_zone().key})": [time_text(one.at) for one in shown],
                }
            )
        ),
        hide_index=True,
        height="content" if len(shown) <= 15 else 600,
        alt="Who changed what",
        column_config={"Changes": st.column_config.TextColumn(width="large")},
    )
    if len(found) == LISTED:
        st.caption(f"The newest {LISTED}.")


main()
