"""PiTasker's errors as parts of a page: what happened, and what to do."""

from collections.abc import Callable

import streamlit as st

from pitasker_core.base.errors import DatabaseError, PiTaskerError, UnknownCrontab
from pitasker_core.base.text import Text, counted
from pitasker_core.dashboard.markdown import plain
from pitasker_core.dashboard.messages import act
from pitasker_core.dashboard.session import ACTOR, environment, login
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.database.owner import Standing
from pitasker_core.server import background, crontabs, job_states


def guarded(draw: Callable[[], None]) -> None:
    """Draw a page or a fragment. An error of PiTasker becomes a banner."""
    if login() is None:
        st.info("You are signed out.", icon=":material/lock:")
        st.html('<a href="/login" target="_self">Sign in</a>')
        return
    try:
        draw()
    except PiTaskerError as problem:
        show_problem(problem)


def show_problem(problem: PiTaskerError) -> None:
    """Draw the banner of an error."""
    if isinstance(problem, UnknownCrontab):
        _ask_which_crontab()
        return
    st.error(plain(problem.user_message), icon=":material/error:")
    if isinstance(problem, DatabaseError):
        st.caption("The crontab itself can still be seen and changed in the raw editor.")
        st.page_link("pages/crontab.py", label="Crontab", icon=":material/edit_note:")


def _ask_which_crontab() -> None:
    """Ask which crontab of the database this is, after a change of host or user name."""
    us = environment().identity
    with st.container(border=True, key="which-crontab"):
        st.markdown(f"**Which crontab is {plain(str(us))}?**")
        st.text(
            "The database has crontabs that may be this one. PiTasker reads and changes nothing "
            "until you choose. Your jobs continue to run."
        )
        for crontab in crontabs.listing(environment()):
            if crontab.standing is Standing.CANDIDATE:
                tasks = counted(crontab.tasks, "task")
                st.text(f"The crontab {crontab} has {tasks}: {crontab.why}.")
                write_button(
                    f"Continue as crontab {crontab.id}",
                    icon=":material/arrow_forward:",
                    on_click=act,
                    args=(crontabs.continue_as, environment(), ACTOR, crontab.id),
                )
        write_button(
            "It is a new crontab",
            icon=":material/add:",
            on_click=act,
            args=(crontabs.start_new, environment(), ACTOR),
        )


def show_background() -> None:
    """Draw failures of the background work, and say if it does not run."""
    for name, job in job_states.listing(environment()).items():
        if not job.ok:
            problem = Text(f"In the background, {name}: ", job.message)
            st.error(plain(problem), icon=":material/error:")
    if not environment().demo and not background.is_running(environment()):
        st.caption("No background work is running: PiTasker syncs only when you act.")
