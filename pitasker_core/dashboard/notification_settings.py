"""Where notices go, when, and in which words; and what became of the last ones."""

from datetime import time
from typing import Any

import pandas as pd
import streamlit as st

from pitasker_core.base import clock
from pitasker_core.base.errors import InvalidSyntax
from pitasker_core.dashboard.cells import inert
from pitasker_core.dashboard.markdown import bold, code, plain
from pitasker_core.dashboard.messages import act, add_notice, record_write
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.times import ago, time_text
from pitasker_core.database.notices import NoticeKind
from pitasker_core.notifications import channels, delivery, rules, wording
from pitasker_core.notifications.channels import Channel
from pitasker_core.notifications.rules import MOST_REPEAT_MINUTES, Rules

_FORMS = """\
| to | for instance |
|---|---|
| mail | `mailtos://user:password@smtp.example.org?to=you@example.org` |
| ntfy | `ntfy://a-topic-nobody-guesses` or `ntfy://user:password@ntfy.example.org/topic` |
| Telegram | `tgram://BOT-TOKEN/CHAT-ID` |
| Discord | `discord://WEBHOOK-ID/WEBHOOK-TOKEN` |
| Slack | `slack://TOKEN-A/TOKEN-B/TOKEN-C/#channel` |
| a webhook | `jsons://example.org/hook`, `json://` without TLS |

In a password, write `@` as `%40`, `/` as `%2F` and `:` as `%3A`. Apprise describes the others, more
than a hundred, at [appriseit.com/services](https://appriseit.com/services/)."""

_SHOWN = 100
_TIMES = ("quiet_from", "quiet_until", "digest_at")
_TEST, _REMOVE = "Send a test", "Remove"


def show() -> None:
    """Draw the part."""
    found = channels.listing(environment())
    st.markdown("**Channels**")
    st.caption(
        "Who is told when a run failed, when it goes well again, when one was missed, and when a "
        "sync needs you. That a run failed is known of tasks whose runs are recorded."
    )
    if found:
        _table(found)
    else:
        st.info("There are no channels yet. Add one, then send a test to it.")
    if unsent := delivery.trouble(environment()):
        st.warning(plain(unsent))
    _add()
    with st.expander("What a URL looks like"):
        st.markdown(_FORMS)
    known = rules.read(environment())
    st.markdown("**When**")
    _when(known)
    st.markdown("**Words**")
    _words(known)
    st.markdown("**The last notices**")
    _last()


def _table(found: list[Channel]) -> None:
    key = f"channels-{hash(tuple(found))}"

    def change() -> None:
        delta: Any = st.session_state[key]
        for row, cells in delta.get("edited_rows", {}).items():
            names = {"name": "new_name", "on": "enabled", "kinds": "kinds"}
            wanted = {names[cell]: value for cell, value in cells.items()}
            shown = found[int(row)]
            act(channels.change, environment(), ACTOR, shown.name, shown=shown, **wanted)

    def choose() -> None:
        chosen = st.session_state.channel_menu
        channel = found[chosen["row"]]
        (_send_test if chosen["label"] == _TEST else _remove)(channel)

    column = st.column_config
    st.data_editor(
        inert(
            pd.DataFrame(
                {
                    "menu": [[] if environment().read_only else [_TEST, _REMOVE] for _ in found],
                    "on": [one.enabled for one in found],
                    "name": [one.name for one in found],
                    "kinds": [list(map(str, one.kinds)) for one in found],
                    "where": [one.shown for one in found],
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
            "menu": column.ButtonColumn("", key="channel_menu", on_click=choose, width=45),
            "on": column.CheckboxColumn("On", width=60),
            "name": column.TextColumn("Name", required=True, width=120),
            "kinds": column.MultiselectColumn(
                "ListedNotice of", options=list(map(str, NoticeKind)), width=330
            ),
            "where": column.TextColumn(
                "Where", help="Its password is in a file that only you can read, and not shown."
            ),
        },
    )


def _send_test(channel: Channel) -> None:
    if said := act(delivery.test, environment(), channel.name):
        add_notice("done", said)


def _remove(channel: Channel) -> None:
    removed = act(channels.remove, environment(), ACTOR, channel.name)
    if removed:

        def put_back() -> None:
            act(channels.put_back, environment(), ACTOR, removed)

        record_write(f"Channel {channel.name} is removed", None, None, put_back)


def _add() -> None:
    with (
        st.form("add_channel", border=False, clear_on_submit=True),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        name = st.text_input("Name of a new channel", placeholder="phone", width=180)
        url = st.text_input(
            "Its Apprise URL",
            type="password",
            autocomplete="off",
            placeholder="ntfy://…",
            width=420,
        )
        wanted = st.form_submit_button(
            "Add", icon=":material/add:", disabled=environment().read_only
        )
    if wanted:
        if act(channels.add, environment(), ACTOR, name, url):
            add_notice("done", f"{name.strip()} is added. Send a test to it from its menu.")
        st.rerun()


def _when(known: Rules) -> None:
    # With its value in its key, a field that was changed elsewhere shows that at the next run.
    keys = {name: f"rule-{name}-{getattr(known, name)}" for name in ("repeat_minutes", *_TIMES)}
    with st.form("notification_rules", border=False):
        with st.container(horizontal=True):
            st.number_input(
                "At most one every … minutes",
                0,
                MOST_REPEAT_MINUTES,
                known.repeat_minutes,
                key=keys["repeat_minutes"],
                help="Of one kind and task. Further ones are counted, and told with the next: "
                "“And 3 more times”. 0: no limit.",
                width=240,
            )
            for name, label, help_text in (
                ("quiet_from", "Quiet from", "What comes in quiet hours waits until their end."),
                ("quiet_until", "Quiet until", None),
                (
                    "digest_at",
                    "One digest a day, at",
                    "Everything since then in one message. Empty: each at once.",
                ),
            ):
                _time_input(label, getattr(known, name), keys[name], help_text)
        st.caption(
            f"By this machine's clock ({clock.system_zone().key}). Clear a time to do without."
        )
        st.form_submit_button(
            "Save these", disabled=environment().read_only, on_click=_save_when, args=(known, keys)
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


def _words(known: Rules) -> None:
    edit, preview = st.columns(2)
    with edit:
        title = st.text_input("Title", known.title)
        body = st.text_area("Body", known.body, height=180)
        names = wording.PLACEHOLDERS.items()
        st.caption("  \n".join(f"{code(f'{{{name}}}')} {plain(what)}" for name, what in names))
        with st.container(horizontal=True):
            st.button(
                "Save the words",
                disabled=environment().read_only,
                on_click=_save,
                args=(known,),
                kwargs={"title": title, "body": body},
            )
            if (title, body) != (wording.TITLE, wording.BODY):
                st.button(
                    "Back to the usual ones",
                    type="tertiary",
                    disabled=environment().read_only,
                    on_click=_save,
                    args=(known,),
                    kwargs={"title": wording.TITLE, "body": wording.BODY},
                )
    with preview:
        try:
            texts = [wording.fill(text, wording.SAMPLE) for text in (title, body)]
        except InvalidSyntax as problem:
            st.warning(plain(problem.user_message))
        else:
            st.caption("A failure would read")
            with st.container(border=True):
                st.markdown(bold(texts[0]))
                st.code(texts[1], language=None, wrap_lines=True)


def _save(shown: Rules, **wanted: Any) -> None:
    if act(rules.change, environment(), ACTOR, shown, **wanted):
        add_notice("done", "Saved.")


def _last() -> None:
    found = delivery.listing(environment(), _SHOWN)
    if not found:
        st.caption("No notices yet.")
        return
    now = clock.now()
    st.dataframe(
        inert(
            pd.DataFrame(
                {
                    "When": [ago(one.at, now) for one in found],
                    "What": [wording.WORDS[one.kind] for one in found],
                    "Task": [one.task_name or "" for one in found],
                    "Notice": [one.message for one in found],
                    "Sent": [one.result for one in found],
                    "Next try": [
                        time_text(None if one.sent_at else one.next_try, "") for one in found
                    ],
                    "What went wrong": [one.problem or "" for one in found],
                }
            )
        ),
        hide_index=True,
        height="content" if len(found) <= 12 else 460,
        alt="The last notices",
        column_config={
            "Notice": st.column_config.TextColumn(width="medium"),
            "What went wrong": st.column_config.TextColumn(width="medium"),
        },
    )
    if len(found) == _SHOWN:
        st.caption(f"The newest {_SHOWN}.")
