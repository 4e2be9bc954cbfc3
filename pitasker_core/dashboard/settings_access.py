"""The Access part of the settings: the password, sessions, and tokens for scripts."""

import streamlit as st

from pitasker_core.base import clock
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.base.text import Code, Text
from pitasker_core.dashboard.cells import show_table
from pitasker_core.dashboard.fresh_keys import begin_again, widget_key
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.messages import act, add_notice
from pitasker_core.dashboard.row_menu import show_row_menu
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.times import ago
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.database.events import EventKind
from pitasker_core.reports import audit
from pitasker_core.server import auth, tokens
from pitasker_core.server.auth import Role

_ROLES = {Role.WRITE: "Full access", Role.READ: "Read only"}


def show() -> None:
    """Draw the part."""
    st.markdown("**Signing in**")
    link = Code("./pitasker link")
    if auth.has_password(environment()):
        ways = Text("You sign in with the password, or with a link. ", link, " prints a link.")
    else:
        ways = Text(
            "You sign in with a link. PiTasker prints a link when it starts, and so does ",
            link,
            ". Set a password before PiTasker listens on the network.",
        )
    st.caption(plain(ways))
    with st.expander("Change the password", icon=":material/password:"):
        _password_form()
    write_button(
        "Sign out all sessions",
        icon=":material/logout:",
        on_click=_sign_out_everyone,
        help="Ends every session on every device, including this one.",
    )
    st.markdown("**Tokens for scripts**")
    st.caption(
        "A script needs a token to use the API. The API's documentation is at "
        "[/api/docs](/api/docs)."
    )
    if secret := st.session_state.pop("new_token", None):
        st.success("This token is shown once. Copy it now.", icon=":material/key:")
        st.code(secret, language=None)
    _show_tokens()
    _token_form()


def _password_form() -> None:
    may_not = environment().read_only
    with st.form("password", border=False):
        role = st.selectbox(
            "For", list(Role), format_func=_ROLES.__getitem__, width=300, disabled=may_not
        )
        current = ""
        if auth.has_password(environment()):
            current = _password_input("Your present password", "current-password", may_not)
        password = _password_input("New password", "new-password", may_not)
        again = _password_input("New password, again", "new-password", may_not)
        st.caption("This ends every session, including this one. Sign in with the new password.")
        is_sent = st.form_submit_button("Change the password", disabled=may_not)
    if is_sent and role:
        act(_set_password, Role(role), current, password, again)
        st.rerun()


def _password_input(label: str, autocomplete: str, may_not: bool) -> str:
    return st.text_input(
        plain(label), type="password", autocomplete=autocomplete, width=300, disabled=may_not
    )


def _set_password(role: Role, current: str, password: str, again: str) -> None:
    mine = environment()  # this session ends with the change
    if auth.has_password(mine) and auth.check_password(mine, current) is not Role.WRITE:
        raise InvalidSyntax("The present password is wrong.", "Nothing was changed.")
    if password != again:
        raise InvalidSyntax("The new passwords differ.", "Type the same password twice.")
    auth.set_password(mine, password, role)
    audit.note(mine, ACTOR, EventKind.PASSWORD_CHANGED)


def _show_tokens() -> None:
    rows = tokens.listing(environment())
    if not rows:
        return
    now = clock.now()
    st.session_state.tokens = rows
    column = st.column_config
    show_table(
        {
            "name": [token.name for token in rows],
            "may": [_ROLES[token.role] for token in rows],
            "made": [ago(token.created_at, now) for token in rows],
            "used": [ago(token.used_at, now) if token.used_at else "never" for token in rows],
            "menu": [[] if environment().read_only else ["Revoke"] for _ in rows],
        },
        "Tokens",
        {
            "name": column.TextColumn("Name"),
            "may": column.TextColumn("Access"),
            "made": column.TextColumn("Created"),
            "used": column.TextColumn("Last used"),
            "menu": column.ButtonColumn("Menu", key="token_menu", on_click=_revoke, width=58),
        },
    )
    if not environment().read_only:
        show_row_menu(
            "token",
            [token.name for token in rows],
            [["Revoke"]] * len(rows),
            lambda row, offer: act(_revoke_token, rows[row]),
        )


def _token_form() -> None:
    with (
        st.form(widget_key("new token"), border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        name = st.text_input("Name of the script or device", placeholder="phone", width=240)
        may_write = st.toggle("Full access")
        if st.form_submit_button("Create a token", disabled=environment().read_only):
            role = Role.WRITE if may_write else Role.READ
            secret = act(tokens.create, environment(), ACTOR, name, role)
            if secret:  # else the refused name stays in its field
                st.session_state.new_token = secret
                begin_again("new token")
            st.rerun()


def _revoke() -> None:
    token = st.session_state.tokens[st.session_state.token_menu["row"]]
    act(_revoke_token, token)


def _revoke_token(token: tokens.Token) -> None:
    tokens.revoke(environment(), ACTOR, token.id)
    add_notice("done", f"Token {token.name} revoked.")


def _sign_out_everyone() -> None:
    act(_end_every_session)


def _end_every_session() -> None:
    mine = environment()  # this session ends too
    auth.sign_out_everyone(mine)
    audit.note(mine, ACTOR, EventKind.EVERYBODY_SIGNED_OUT)
