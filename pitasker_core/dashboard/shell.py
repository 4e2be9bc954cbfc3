"""What all pages share: navigation, header, the banner for errors, notices, and how times read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock, cron_daemon
from pitasker_core.base.clock import system_zone
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import (
    CrontabReverted,
    DatabaseError,
    MassRemoval,
    PiTaskerError,
    UnknownCrontab,
)
from pitasker_core.base.text import Text
from pitasker_core.crontab.difference import difference
from pitasker_core.dashboard.markdown import plain
from pitasker_core.database.owner import Standing
from pitasker_core.reports.status import Health, counted
from pitasker_core.server import auth, background, crontabs
from pitasker_core.server.auth import Login, Role
from pitasker_core.sync import edit, service
from pitasker_core.sync.edit import Saved
from pitasker_core.sync.importing import ImportResult
from pitasker_core.sync.service import Request, SyncResult
from pitasker_core.sync.stop_managing import release
from pitasker_core.tasks import Applied

ACTOR = "dashboard"

_ICON = Path(__file__).with_name("icon.png")

P = ParamSpec("P")
T = TypeVar("T")


_STYLE = """<style>
.stMainBlockContainer {padding-top: 4.5rem; padding-bottom: 3rem;}
.sign-out button {font: inherit; font-size: 0.875rem; opacity: 0.7; color: inherit;
    background: none; border: 0; padding: 0; text-decoration: underline; cursor: pointer;}
/* On a phone what matters shall come first: no air above it, and small figures side by side. */
@media (max-width: 640px) {
    .stMainBlockContainer {padding-top: 3.5rem;}
    .stMainBlockContainer h2 {font-size: 1.6rem; padding: 0.5rem 0;}
    .st-key-whose {row-gap: 0.25rem;}
    .stHorizontalBlock:has(> .stElementContainer > .stMetric) {gap: 0.5rem;}
    .stElementContainer:has(> .stMetric) {width: 7.1rem; flex-basis: 7.1rem;}
    .stMetric {width: 100%;}
    .stMetric > div {padding: 0.3rem 0.4rem;}
    .stMetric label p {font-size: 0.75rem;}
    .stMetric [data-testid=stMetricValue] {font-size: 1.4rem; line-height: 1.3;}
}
</style>"""


# A form, because a link can be followed unasked; in this tab, which would stay open otherwise.
_SIGN_OUT = """<form class="sign-out" method="post" action="/logout" target="_self">
<button>Sign out</button></form>"""


@dataclass(frozen=True)
class Notice:
    """What an action has to say, shown once at the top of the next page drawn."""

    kind: str
    text: str


def run() -> None:
    """Draw the page that the address names. An error of ours becomes a banner, never a trace."""
    # Of our own: browsers would fetch the icon of a Material name from its maker.
    st.set_page_config(page_title="PiTasker", page_icon=_ICON, layout="wide")
    page = st.navigation(
        [
            st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
            st.Page("pages/tasks.py", title="Tasks", icon=":material/checklist:"),
            st.Page("pages/runs.py", title="Runs", icon=":material/history:"),
            st.Page(
                "pages/import_entries.py",
                title="Import",
                icon=":material/download:",
                url_path="import",
            ),
            st.Page("pages/health.py", title="Sync health", icon=":material/monitor_heart:"),
            st.Page("pages/raw.py", title="Raw editor", icon=":material/edit_note:"),
            st.Page("pages/settings.py", title="Settings", icon=":material/settings:"),
        ],
        position="top",  # the tables need the width
    )
    st.html(_STYLE)
    st.header(page.title)
    if login():
        _show_whose()
    if environment().demo:
        st.info(
            "This is a demo on a private crontab. Nothing here touches yours, "
            "and all of it is gone when the demo ends.",
            icon=":material/toys:",
        )
    _show_notices()
    _show_written()
    guarded(page.run)


def guarded(draw: Callable[[], None]) -> None:
    """Draw a page, or a part that refreshes by itself; an error of ours becomes its banner."""
    if login() is None:
        st.info("You are signed out.", icon=":material/lock:")
        st.html('<a href="/login" target="_self">Sign in</a>')
        return
    try:
        draw()
    except PiTaskerError as problem:
        show_problem(problem)


def login() -> Login | None:
    """Who is signed in. Asked at every run: signing out also ends tabs that are open."""
    # The gate has left the cookies of this site alone.
    return auth.session(Environment.from_environment(), st.context.cookies)


def environment() -> Environment:
    """The environment of this session: read-only unless somebody who may write is signed in."""
    who = login()
    may_write = who is not None and who.role is Role.WRITE
    return replace(Environment.from_environment(), read_only=not may_write)


def show_problem(problem: PiTaskerError) -> None:
    """The banner of an error: what happened, and what to do."""
    if isinstance(problem, UnknownCrontab):
        _ask_which_crontab()
        return
    st.error(plain(problem.user_message), icon=":material/error:")
    if isinstance(problem, DatabaseError):
        st.caption("The crontab itself can still be seen and changed in the raw editor.")
        st.page_link("pages/raw.py", label="Raw editor", icon=":material/edit_note:")


def _ask_which_crontab() -> None:
    """Ask which crontab of the database this is, after a change of its names."""
    us = environment().identity
    with st.container(border=True, key="which-crontab"):
        st.markdown(f"**Which crontab is {plain(str(us))}?**")
        st.text(
            "The database knows crontabs that may be this one. Until you say which one it is, "
            "nothing is read or changed. Your jobs run on."
        )
        for one in crontabs.listing(environment()):
            if one.standing is Standing.CANDIDATE:
                known = f"This crontab was known as {one}, with {counted(one.tasks, 'task')}"
                st.text(f"{known}: {one.why}.")
                st.button(
                    f"Continue as crontab {one.id}",
                    icon=":material/arrow_forward:",
                    on_click=act,
                    args=(crontabs.continue_as, environment(), ACTOR, one.id),
                    disabled=environment().read_only,
                )
        st.button(
            "It is a new crontab",
            icon=":material/add:",
            on_click=act,
            args=(crontabs.start_new, environment(), ACTOR),
            disabled=environment().read_only,
        )


def act(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """Call a function of the core for a callback; an error of ours becomes a notice, and None."""
    try:
        return function(*args, **kwargs)
    except PiTaskerError as problem:
        tell("error", problem.user_message)
        return None


def tell(kind: str, text: str) -> None:
    """Keep a notice for the next page drawn: `done`, `warning` or `error`."""
    st.session_state.setdefault("notices", []).append(Notice(kind, text))


def tell_applied(done: Applied | None, what: str) -> None:
    """Say what became of a change of tasks, and what the crontab does not have yet."""
    if done is None:
        return
    for task, reason in done.failures.items():
        tell("error", Text(f"Task {task} is saved but not in the crontab: ", reason))
    _tell_notes(done.notes)
    conflicts = done.result.plan.conflicts if done.result else []
    if done.problem:
        tell("warning", Text(f"{what}, but not in the crontab yet. ", done.problem.user_message))
    elif conflicts:
        tell("warning", "The crontab's entry was changed by hand too: decide under Sync health.")
    elif not done.failures:
        tell("done", f"{what}.")
    # Also what changed no line, such as the deletion of a task that had no entry, has its undo.
    texts = (done.result.before, done.result.after) if done.result else (None, None)
    tell_written(what, *texts, lambda: tell_applied(_undone(done), "Taken back"))


def _undone(done: Applied) -> Applied | None:
    return act(tasks.undo, environment(), ACTOR, done)


@dataclass(frozen=True)
class Written:
    """The last write to the crontab of this session: the proof of what it did, and its undo."""

    what: str
    before: str | None
    after: str | None
    undo: Callable[[], object] | None


BADGES = {
    Health.GREEN: ("In order", "green", ":material/check_circle:"),
    Health.YELLOW: ("Needs a look", "orange", ":material/warning:"),
    Health.RED: ("Not in order", "red", ":material/error:"),
}
"""Each health in words, with its colour and sign."""


def sync_now(request: Request | None = None) -> bool:
    """Sync, and say what it did. False when it waits for a person: Sync health asks then."""
    st.session_state.pop("guard", None)
    try:
        done = service.sync(environment(), request or Request(ACTOR))
    except (MassRemoval, CrontabReverted) as problem:
        st.session_state.guard = problem.user_message
        return False
    except PiTaskerError as problem:
        tell("error", problem.user_message)
        return True
    tell_synced(done, "Synced")
    return True


def tell_synced(done: SyncResult, what: str) -> None:
    """Say what a sync did; taken back, each task gets the values that were overwritten."""
    tell("done", f"{len(done.pushed)} to the crontab, {len(done.pulled)} from it.")
    if done.old_editor:
        tell("warning", done.old_editor)
    if done.plan.conflicts:
        tell("warning", f"{_conflicts(len(done.plan.conflicts))} for you: see Sync health.")
    if done.pushed or done.pulled:

        def undo() -> None:
            tell_applied(act(tasks.undo_sync, environment(), ACTOR, done), "Taken back")

        tell_written(what, done.before, done.after, undo)
    for task, reason in done.failures.items():
        tell("error", Text(f"Task {task}: ", reason))
    _tell_notes(done.notes)


def _tell_notes(notes: Mapping[int, str]) -> None:
    for task, note in list(notes.items())[:8]:
        tell("warning", f"Task {task}: {note}")
    if len(notes) > 8:
        tell("warning", f"Other settings reach {len(notes) - 8} more entries that came back.")


def tell_imported(done: ImportResult) -> None:
    """Say what an import did; it is taken back by giving the entries back."""
    if done.problem:
        tell(
            "warning",
            Text(
                f"{len(done.imported)} imported, but not tagged in the crontab yet. ",
                done.problem.user_message,
            ),
        )
    else:
        tell("done", f"{len(done.imported)} imported.")

    def undo() -> None:
        texts = act(release, environment(), ACTOR, done.imported)
        if texts:
            tell_written("Taken back", *texts)

    tell_written("Imported", *done.texts, undo if done.imported else None)


def _conflicts(number: int) -> str:
    return "1 conflict waits" if number == 1 else f"{number} conflicts wait"


def show_hand_edits(changes: list[str]) -> None:
    """What was changed in the crontab by hand, one sentence each."""
    count = "1 change" if len(changes) == 1 else f"{len(changes)} changes"
    lines = "\n".join(f"- {plain(text)}" for text in changes[:8])
    more = f"\n- and {len(changes) - 8} more" if len(changes) > 8 else ""
    st.warning(f"**{count} in the crontab, made outside**\n{lines}{more}", icon=":material/edit:")


def show_background() -> None:
    """What waits for a person because the background may not decide it, and if nobody works."""
    for name, job in background.job_states(environment()).items():
        if not job.ok:
            st.error(plain(f"In the background, {name}: {job.message}"), icon=":material/error:")
    if not environment().demo and not background.is_running(environment()):
        st.caption("Nothing works in the background at the moment: a sync happens when you act.")


def tell_written(
    what: str, before: str | None, after: str | None, undo: Callable[[], object] | None = None
) -> None:
    """Keep the proof of an act: what the crontab's lines were and are, and how to take it back."""
    if before != after or undo:
        st.session_state.written = Written(what, before, after, undo)


def tell_saved(saved: Saved | None, what: str) -> None:
    """Say what became of a change of the whole text; it is taken back by the text before."""
    if saved is None:
        return
    if saved.problem:
        tell("warning", Text(f"{what}. The tasks do not follow yet: ", saved.problem.user_message))
    else:
        tell("done", f"{what}.")

    def undo() -> None:
        back = act(
            edit.save_raw,
            environment(),
            saved.before or "",
            saved.text,
            actor=ACTOR,
            confirmed=True,
            kind="undo",
        )
        tell_saved(back, "Taken back")

    tell_written(what, saved.before, saved.text, undo if saved.before != saved.text else None)


def _show_written() -> None:
    written: Written | None = st.session_state.get("written")
    if written is None:
        return
    proof = difference(written.before, written.after)
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="written"):
        said = f"{proof}." if proof else "The crontab is as it was."
        st.markdown(f":green[:material/check:] {plain(written.what)}. {plain(said)}")
        if proof:
            with st.popover("Difference", icon=":material/difference:"):
                st.code(proof.text, language="diff")
        if written.undo:
            st.button(
                "Undo",
                icon=":material/undo:",
                on_click=_undo,
                args=(written.undo,),
                disabled=environment().read_only,
            )
        st.button("Dismiss", type="tertiary", on_click=st.session_state.pop, args=("written", None))


def _undo(undo: Callable[[], object]) -> None:
    st.session_state.pop("written", None)
    undo()


def cron_is_alive() -> bool | None:
    """Whether cron runs; None when nobody can tell. The answer may be 20 seconds old."""
    # No cron runs the crontab of a demo.
    return None if environment().demo else _looked_for_cron()


@st.cache_data(ttl=20, show_spinner=False)
def _looked_for_cron() -> bool | None:
    return cron_daemon.is_alive()


def _show_whose() -> None:
    """Whose crontab this is, on which machine, by which clock, and whether cron is alive."""
    zone = system_zone()
    alive = cron_is_alive()
    cron = {
        True: ":green[cron is running]",
        False: ":red[**cron is not running**: no job will start. `sudo systemctl start cron`]",
        None: "cron cannot be seen from here",
    }[alive]
    if environment().demo:
        cron = "cron does not run this crontab"
    look = " · :orange-badge[:material/visibility: You may look, not change]"
    look = look if environment().read_only else ""
    user = plain(str(environment().identity))
    when = f"{clock.now().astimezone(zone):%a %d %b, %H:%M} {zone.key}"
    with st.container(horizontal=True, vertical_alignment="center", key="whose"):
        st.caption(f"{user} · {when} · {cron}{look}", width="content")
        st.html(_SIGN_OUT, width="content")


def _show_notices() -> None:
    draw: dict[str, Callable[..., Any]] = {"warning": st.warning, "error": st.error}
    for notice in st.session_state.pop("notices", []):
        if notice.kind == "done":
            st.toast(plain(notice.text), icon=":material/check:")
        else:
            draw[notice.kind](plain(notice.text))
