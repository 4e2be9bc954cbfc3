"""The reports of actions: notices, and the last write with its undo, in the bar at the bottom.

The bar is fixed and covers nothing, so a report does not move the page.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, TypeVar

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import CrontabReverted, MassRemoval, PiTaskerError
from pitasker_core.base.text import Text, counted, listed
from pitasker_core.crontab.difference import difference
from pitasker_core.dashboard import live
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.session import ACTOR, environment
from pitasker_core.dashboard.uninterrupted import change, complete
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.sync import edit, service
from pitasker_core.sync.edit import Saved
from pitasker_core.sync.importing import ImportResult
from pitasker_core.sync.service import Request, SyncResult
from pitasker_core.sync.stop_managing import stop_managing
from pitasker_core.sync.store import OperationKind
from pitasker_core.tasks import Applied

P = ParamSpec("P")
T = TypeVar("T")

_SHOWN = 4
"""The maximum number of notices shown at the same time."""


@dataclass
class Notice:
    """A report of an action. It stays until it is dismissed or the next action reports."""

    kind: str
    text: str
    is_drawn: bool = False


@dataclass(frozen=True)
class Written:
    """This session's last write: the crontab's text before and after it, and its undo."""

    what: str
    before: str | None
    after: str | None
    undo: Callable[[], object] | None


@complete
def add_notice(kind: str, text: str) -> None:
    """Show a notice of a kind: `done`, `warning` or `error`."""
    _keep_notices(Notice(kind, text))


def _keep_notices(*new: Notice) -> None:
    """Keep the notices that are not drawn yet: the others are of an earlier action."""
    notices: list[Notice] = change(lambda: st.session_state.get("notices", []))
    waiting = [notice for notice in notices if not notice.is_drawn]
    change(partial(setattr, st.session_state, "notices", [*waiting, *new]))


def act(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """Call a core function. An error of PiTasker becomes a notice, and the result is None."""
    try:
        return function(*args, **kwargs)
    except PiTaskerError as problem:
        add_notice("error", problem.user_message)
        return None
    finally:
        live.expire(Environment.from_environment())


@complete
def report_applied(done: Applied | None, what: str) -> None:
    """Report a change of tasks, and what is not in the crontab yet."""
    if done is None:
        return
    for task, reason in done.failures.items():
        add_notice("error", Text(f"Task {task} is saved but not in the crontab: ", reason))
    _report_notes(done.notes)
    conflicts = done.result.plan.conflicts if done.result else []
    if done.problem:
        add_notice(
            "warning", Text(f"{what}, but not yet in the crontab. ", done.problem.user_message)
        )
    elif conflicts:
        sides = [change.ours or change.theirs for change in conflicts]
        names = listed([f"“{side.name}”" for side in sides if side], _SHOWN)
        add_notice("warning", f"Edited in the crontab too: {names}. Decide on the page Sync.")
    # A change without effect on the crontab has an undo too, such as deleting a task without entry.
    texts = (done.result.before, done.result.after) if done.result else (None, None)
    record_write(what, *texts, lambda: report_applied(_undone(done), "Undone"))


def _undone(done: Applied) -> Applied | None:
    return act(tasks.undo, environment(), ACTOR, done)


def sync_now(request: Request | None = None) -> bool:
    """Sync and report it. Returns False if a person must decide, on the page Sync."""
    st.session_state.pop("guard", None)
    live.expire(Environment.from_environment())
    try:
        done = service.sync(environment(), request or Request(ACTOR))
    except (MassRemoval, CrontabReverted) as problem:
        st.session_state.guard = problem.user_message
        return False
    except PiTaskerError as problem:
        add_notice("error", problem.user_message)
        return True
    report_sync(done, "Synced")
    return True


@complete
def report_sync(done: SyncResult, what: str) -> None:
    """Report a sync. Its undo restores the overwritten values of each task."""
    pushed, pulled = counted(len(done.pushed), "change"), len(done.pulled)
    nothing = not done.pushed and not done.pulled
    add_notice(
        "done",
        "In sync: no change."
        if nothing
        else f"{pushed} written to the crontab, {pulled} imported from it.",
    )
    if done.old_editor:
        add_notice("warning", done.old_editor)
    if done.plan.conflicts:
        conflicts = counted(len(done.plan.conflicts), "conflict")
        add_notice("warning", f"{conflicts} to resolve on the page Sync.")
    if done.pushed or done.pulled:

        def undo() -> None:
            report_applied(act(tasks.undo_sync, environment(), ACTOR, done), "Undone")

        record_write(what, done.before, done.after, undo)
    for task, reason in done.failures.items():
        add_notice("error", Text(f"Task {task}: ", reason))
    _report_notes(done.notes)


def _report_notes(notes: Mapping[int, str]) -> None:
    for task, note in list(notes.items())[:_SHOWN]:
        add_notice("warning", Text(f"Task {task}: ", note))
    if len(notes) > _SHOWN:
        add_notice("warning", f"Other settings reach {len(notes) - _SHOWN} more restored entries.")


@complete
def report_import(done: ImportResult) -> None:
    """Report an import. Its undo stops managing the entries."""
    if done.problem:
        add_notice(
            "warning",
            Text(
                f"{len(done.imported)} imported, but not yet tagged in the crontab. ",
                done.problem.user_message,
            ),
        )

    def undo() -> None:
        texts = act(stop_managing, environment(), ACTOR, done.imported)
        if texts:
            record_write("Undone", *texts)

    what = f"Imported {counted(len(done.imported), 'entry', 'entries')}"
    record_write(what, *done.texts, undo if done.imported else None)


@complete
def report_saved(saved: Saved | None, what: str) -> None:
    """Report a change of the crontab's text. Its undo saves the previous text."""
    if saved is None:
        return
    if saved.problem:
        add_notice(
            "warning", Text(f"{what}. The tasks are not updated yet: ", saved.problem.user_message)
        )

    def undo() -> None:
        restored = act(
            edit.save_raw,
            environment(),
            saved.before or "",
            saved.text,
            actor=ACTOR,
            confirmed=True,
            kind=OperationKind.UNDO,
        )
        report_saved(restored, "Undone")

    record_write(what, saved.before, saved.text, undo if saved.before != saved.text else None)


@complete
def record_write(
    what: str, before: str | None, after: str | None, undo: Callable[[], object] | None = None
) -> None:
    """Keep the crontab's text before and after an action, and its undo."""
    if before != after or undo:
        written = Written(what, before, after, undo)
        change(partial(setattr, st.session_state, "written", written))
        _keep_notices()


# --- Drawing ---------------------------------------------------------------------------------


def show_messages() -> None:
    """Draw the last write and the notices in the bar at the bottom. `done` is a toast."""
    notices: list[Notice] = st.session_state.get("notices", [])
    for notice in notices:
        if notice.kind == "done" and not notice.is_drawn:
            st.toast(plain(notice.text), icon=":material/check:")
    lasting = [notice for notice in notices if notice.kind != "done"]
    if lasting:
        with st.bottom, st.container(border=True, key="notices", gap="xsmall"):
            for notice in lasting[:_SHOWN]:
                color, icon = _LOOKS[notice.kind]
                st.markdown(f":{color}[{icon}] {plain(notice.text)}")
            if len(lasting) > _SHOWN:
                st.caption(f"and {len(lasting) - _SHOWN} more")
            st.button("Dismiss", type="tertiary", key="dismiss-notices", on_click=_dismiss_notices)
    for notice in notices:
        notice.is_drawn = True
    _show_written()


_LOOKS = {
    "warning": ("orange", ":material/warning:"),
    "error": ("red", ":material/error:"),
}


def _dismiss_notices() -> None:
    st.session_state.notices = []


def _show_written() -> None:
    written: Written | None = st.session_state.get("written")
    if written is None:
        return
    proof = difference(written.before, written.after)
    with (
        st.bottom,
        st.container(
            horizontal=True, vertical_alignment="center", border=True, key="written", gap="small"
        ),
    ):
        lines = f"{proof}." if proof else "The crontab has not changed."
        st.markdown(f":green[:material/check:] {plain(written.what)}. {plain(lines)}")
        if written.undo:
            write_button("Undo", icon=":material/undo:", on_click=_undo, args=(written.undo,))
        if proof:
            with st.popover("Difference", icon=":material/difference:"):
                st.code(proof.text, language="diff", wrap_lines=True)
        st.button("Dismiss", type="tertiary", on_click=st.session_state.pop, args=("written", None))


@complete
def _undo(undo: Callable[[], object]) -> None:
    change(lambda: st.session_state.pop("written", None))
    undo()
