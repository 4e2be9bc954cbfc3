"""The Notifications part of the settings: channels, limits, texts and the latest notices."""

from datetime import time
from typing import Any

import pandas as pd
import streamlit as st

from pitasker_core.base import clock
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.base.text import marked
from pitasker_core.dashboard import channel_form
from pitasker_core.dashboard.cells import inert, sentence, show_table
from pitasker_core.dashboard.markdown import bold, code, plain
from pitasker_core.dashboard.messages import act, add_notice, record_write
from pitasker_core.dashboard.row_menu import show_row_menu
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.times import ago, time_text
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.database.notices import NoticeKind
from pitasker_core.notifications import channels, delivery, notice_list, rules, wording
from pitasker_core.notifications.channels import Channel
from pitasker_core.notifications.rules import MOST_REPEAT_MINUTES, Rules

_SHOWN = 100
_TIMES = ("quiet_from", "quiet_until", "digest_at")
_TEST, _REMOVE = "Send a test", "Remove"


def show() -> None:
    """Draw the part."""
    listed = channels.listing(environment())
    st.markdown("**Channels**")
    st.caption(
        "Channels get a notice when a run fails or is missed, when a task succeeds again, and when "
        "a sync needs you. Failures are noticed for tasks whose runs are recorded."
    )
    if listed:
        _table(listed)
    else:
        st.info("There are no channels yet. Add one, then send a test to it.")
    if unsent := delivery.trouble(environment()):
        st.warning(plain(unsent))
    channel_form.show()
    current = rules.read(environment())
    st.markdown("**Limits**")
    st.caption("When a notice is sent at once, and when it waits.")
    _when(current)
    st.markdown("**Words**")
    st.caption("The title and the text of a notice.")
    _words(current)
    st.markdown("**Latest notices**")
    _last()


def _table(listed: list[Channel]) -> None:
    key = f"channels-{hash(tuple(listed))}"

    def change() -> None:
        delta: Any = st.session_state[key]
        for row, cells in delta.get("edited_rows", {}).items():
            names = {"name": "new_name", "on": "enabled", "kinds": "kinds"}
            fields = {names[cell]: value for cell, value in cells.items()}
            shown = listed[int(row)]
            act(channels.change, environment(), ACTOR, shown.name, shown=shown, **fields)

    def choose() -> None:
        chosen = st.session_state.channel_menu
        take(chosen["row"], chosen["label"])

    def take(row: int, offer: str) -> None:
        (_send_test if offer == _TEST else _remove)(listed[row])

    column = st.column_config
    st.data_editor(
        inert(
            pd.DataFrame(
                {
                    "menu": [[] if environment().read_only else [_TEST, _REMOVE] for _ in listed],
                    "on": [channel.enabled for channel in listed],
                    "name": [channel.name for channel in listed],
                    "kinds": [list(map(str, channel.kinds)) for channel in listed],
                    "where": [channel.shown for channel in listed],
                }
            )
        ),
        key=key,
        hide_index=True,
        height="content",
        disabled=True if environment().read_only else ["where"],
        on_change=change,
        alt="Channels",
        column_config={
            "menu": column.ButtonColumn("Menu", key="channel_menu", on_click=choose, width=58),
            "on": column.CheckboxColumn("On", width=60),
            "name": column.TextColumn("Name", required=True, width=120),
            "kinds": column.MultiselectColumn(
                "Notices of", options=list(map(str, NoticeKind)), width=330
            ),
            "where": column.TextColumn(
                "Where", help="Its password is in a file that only you can read, and not shown."
            ),
        },
    )
    if not environment().read_only:
        offers = [[_TEST, _REMOVE]] * len(listed)
        show_row_menu("channel", [channel.name for channel in listed], offers, take)


def _send_test(channel: Channel) -> None:
    if answer := act(delivery.test, environment(), channel.name):
        add_notice("done", answer)


def _remove(channel: Channel) -> None:
    removed = act(channels.remove, environment(), ACTOR, channel.name)
    if removed:

        def put_back() -> None:
            act(channels.put_back, environment(), ACTOR, removed)

        record_write(f"Channel {channel.name} removed", None, None, put_back)


def _when(current: Rules) -> None:
    # The key has the value, so that a field shows a change made elsewhere.
    keys = {name: f"rule-{name}-{getattr(current, name)}" for name in ("repeat_minutes", *_TIMES)}
    with st.form("notification_rules", border=False):
        with st.container(horizontal=True):
            st.number_input(
                "Minutes between notices",
                0,
                MOST_REPEAT_MINUTES,
                current.repeat_minutes,
                key=keys["repeat_minutes"],
                help="At most one notice of a kind and task in this time. The next notice counts "
                "the others: “And 3 more times”. 0: no limit.",
                width=240,
            )
            for name, label, help_text in (
                ("quiet_from", "Quiet from", "Notices in quiet hours wait until their end."),
                ("quiet_until", "Quiet until", None),
                (
                    "digest_at",
                    "Send one digest a day, at",
                    "All notices since the last digest in one message. Empty: each at once.",
                ),
            ):
                _time_input(label, getattr(current, name), keys[name], help_text)
        st.caption(
            f"In the time zone of this machine ({clock.system_zone().key}). "
            "Clear a time to switch it off."
        )
        st.form_submit_button(
            "Save the limits",
            disabled=environment().read_only,
            on_click=_save_when,
            args=(current, keys),
        )


def _save_when(shown: Rules, keys: dict[str, str]) -> None:
    picked = {name: st.session_state[key] for name, key in keys.items()}
    texts = {name: _time_text(value) for name, value in picked.items() if name in _TIMES}
    _save(shown, **{**picked, **texts})


def _time_text(picked: time | None) -> str:
    return f"{picked:%H:%M}" if picked else ""


def _time_input(label: str, value: str, key: str, help_text: str | None) -> None:
    st.time_input(
        label,
        time.fromisoformat(value) if value else None,
        key=key,
        help=help_text,
        step=300,
        width=170,
    )


def _words(current: Rules) -> None:
    edit, preview = st.columns(2)
    with edit:
        title = st.text_input("Title", current.title)
        body = st.text_area("Body", current.body, height=180)
        names = wording.PLACEHOLDERS.items()
        st.caption("  \n".join(f"{code(f'{{{name}}}')} {plain(what)}" for name, what in names))
        with st.container(horizontal=True):
            write_button(
                "Save the words",
                on_click=_save,
                args=(current,),
                kwargs={"title": title, "body": body},
            )
            if (title, body) != (wording.TITLE, wording.BODY):
                write_button(
                    "Use the default words",
                    type="tertiary",
                    on_click=_save,
                    args=(current,),
                    kwargs={"title": wording.TITLE, "body": wording.BODY},
                )
    with preview:
        try:
            texts = [wording.fill(text, wording.SAMPLE) for text in (title, body)]
        except InvalidSyntax as problem:
            st.warning(plain(problem.user_message))
        else:
            st.caption("A notice of a failure")
            with st.container(border=True):
                st.markdown(bold(texts[0]))
                st.code(texts[1], language=None, wrap_lines=True)


def _save(shown: Rules, **new: Any) -> None:
    if act(rules.change, environment(), ACTOR, shown, **new):
        add_notice("done", "Saved.")


def _last() -> None:
    notices = notice_list.listing(environment(), _SHOWN)
    if not notices:
        st.caption("No notices yet.")
        return
    now = clock.now()
    show_table(
        {
            "Time": [ago(notice.at, now) for notice in notices],
            "What": [wording.WORDS[notice.kind] for notice in notices],
            "Task": [notice.task_name or "" for notice in notices],
            "Notice": [sentence(marked(notice.message)) for notice in notices],
            "Result": [notice.result for notice in notices],
            "Next try": [
                time_text(None if notice.sent_at else notice.next_try, "") for notice in notices
            ],
            "Problem": [notice.problem or "" for notice in notices],
        },
        "Latest notices",
        {
            "Notice": st.column_config.TextColumn(width="medium"),
            "Problem": st.column_config.TextColumn(width="medium"),
        },
    )
    if len(notices) == _SHOWN:
        st.caption(f"The newest {_SHOWN}.")
