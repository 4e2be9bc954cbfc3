"""The snapshots of the crontab: compare any two, and restore a snapshot."""

from collections.abc import Callable

import streamlit as st

from pitasker_core.base import clock
from pitasker_core.base.errors import DatabaseError
from pitasker_core.crontab.difference import difference
from pitasker_core.crontab.document import encode
from pitasker_core.dashboard.cells import show_choices
from pitasker_core.dashboard.markdown import code, plain
from pitasker_core.dashboard.messages import act, report_saved
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.times import ago, time_text
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.sync import edit
from pitasker_core.sync.install import digest
from pitasker_core.sync.store import BY_OTHERS, Snapshot

NOW = "the crontab now"


def show_snapshots(now: str | None, after_restore: Callable[[], None]) -> None:
    """Draw the snapshots. `now` is the installed text."""
    try:
        snapshots = edit.snapshots(environment())
    except DatabaseError as problem:
        st.warning(plain(problem.user_message))
        st.caption(f"Earlier texts are also in files, in {code(str(environment().backups))}.")
        return
    if not snapshots:
        st.info("No snapshots yet. The text before each change is kept here.")
        return
    picked = _show_list(snapshots, now)
    if picked is None:
        st.caption("Choose a snapshot to compare or restore it.")
        return
    picked_text = edit.snapshot(environment(), picked.id).text
    others = {_named(snapshot): snapshot.id for snapshot in snapshots if snapshot is not picked}
    with st.container(border=True, key="snapshot"):
        other = st.selectbox(f"{_named(picked)}, compared with", [NOW, *others], key="compare_with")
        text = now if other == NOW else edit.snapshot(environment(), others[other]).text
        proof = difference(text, picked_text)
        st.caption(plain(f"From {other} to this snapshot: {proof}."))
        if proof:
            st.code(proof.text, language="diff", wrap_lines=True)
        with st.container(horizontal=True):
            off = picked_text == now or environment().read_only
            if st.button("Restore this", icon=":material/history:", disabled=off):
                _confirm_restore(picked, digest(now), after_restore)
            st.download_button(
                "Download",
                encode(picked_text or ""),
                file_name=f"crontab-{picked.id}.txt",
                mime="text/plain",
                icon=":material/download:",
                on_click="ignore",
            )


def _show_list(snapshots: list[Snapshot], now: str | None) -> Snapshot | None:
    moment = clock.now()
    column = st.column_config
    # Rows are selected by number: a new snapshot may have moved them since this was drawn.
    numbers = [snapshot.id for snapshot in snapshots]
    chosen = st.session_state.get("snapshot")
    row = numbers.index(chosen) if chosen in numbers else None
    show_choices(
        {
            "when": [ago(snapshot.taken_at, moment) for snapshot in snapshots],
            "why": [_why(snapshot, digest(now)) for snapshot in snapshots],
            "entries": [snapshot.entries for snapshot in snapshots],
            "bytes": [snapshot.size for snapshot in snapshots],
            "at": [time_text(snapshot.taken_at) for snapshot in snapshots],
            "number": numbers,
        },
        "Snapshots of the crontab, newest first",
        {
            "when": column.TextColumn("When", width=90),
            "why": column.TextColumn("Reason", width="medium"),
            "entries": column.NumberColumn("Entries", width=70),
            "bytes": column.NumberColumn("Bytes", width=70),
            "at": column.TextColumn(f"Time ({clock.system_zone().key})", width=150),
            "number": column.NumberColumn("No.", width=60),
        },
        key=f"snapshots-{numbers[0]}",
        chosen=row,
        choose=lambda row: _choose(None if row is None else numbers[row]),
        rows=10,
    )
    return None if row is None else snapshots[row]


def _choose(number: int | None) -> None:
    st.session_state.snapshot = number


def _why(snapshot: Snapshot, now: str) -> str:
    """Return the reason of a snapshot. `now` is the digest of the installed text."""
    why = "edited outside PiTasker" if snapshot.reason == BY_OTHERS else snapshot.reason
    return f"{why} (the crontab now)" if snapshot.sha256 == now else why


def _named(snapshot: Snapshot) -> str:
    return f"No. {snapshot.id} of {time_text(snapshot.taken_at)}"


@st.dialog("Restore this text?")
def _confirm_restore(picked: Snapshot, shown: str, after_restore: Callable[[], None]) -> None:
    st.markdown(
        f"This restores the crontab of {time_text(picked.taken_at)}, and updates the tasks. "
        "The present text is kept as a snapshot, so you can undo this."
    )
    if write_button("Restore", type="primary"):
        saved = act(edit.restore, environment(), picked.id, actor=ACTOR, shown=shown)
        if saved:
            after_restore()
            report_saved(saved, "Restored")
        st.rerun()
