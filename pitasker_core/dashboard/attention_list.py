"""Draw the items that need attention, with their buttons."""

from collections.abc import Callable, Sequence

import streamlit as st

from pitasker_core.crontab.doctor.finding import Finding
from pitasker_core.dashboard import doctor_list
from pitasker_core.dashboard.attention import Action, Facts, Item
from pitasker_core.dashboard.dialogs import open_dialog
from pitasker_core.dashboard.finding_fix import apply_finding, silence_finding
from pitasker_core.dashboard.markdown import bold, plain
from pitasker_core.dashboard.messages import act, add_notice, sync_now
from pitasker_core.dashboard.session import ACTOR, environment, is_phone
from pitasker_core.dashboard.task_actions import start_tasks
from pitasker_core.reports import dismissals
from pitasker_core.sync.service import Request
from pitasker_core.tasks import Task

_SHOWN = 5
"""The number of items before the fold."""

_WRITES = (
    *(Action.RUN_AGAIN, Action.RUN_NOW, Action.DISMISS),
    *(Action.ACCEPT, Action.SYNC, Action.FIX, Action.SILENCE),
)


_RUNS = (Action.RUN_AGAIN, Action.RUN_NOW)


def show_items(items: Sequence[Item], facts: Facts) -> None:
    """Draw the items in a frame. A long list is folded."""
    with st.container(border=True, gap="xsmall", key="attention"):
        for number, item in enumerate(items[:_SHOWN]):
            _show(number, item, facts)
        rest = items[_SHOWN:]
        if not rest:
            return
        fold = st.expander(f"{len(rest)} more", key="attention-more", on_change="rerun")
        if fold.open:
            with fold:
                for number, item in enumerate(rest, _SHOWN):
                    _show(number, item, facts)


def _show(number: int, item: Item, facts: Facts) -> None:
    # On a wide page a long sentence takes two lines, and its buttons stay at the edge.
    with st.container(horizontal=True, wrap=is_phone(), vertical_alignment="center", gap="small"):
        sign = f":{item.color}[:material/{item.icon}:]"
        st.markdown(f"{sign} {bold(item.subject)} {plain(item.sentence)}", width="stretch")
        with st.container(horizontal=True, width="content", gap="xsmall"):
            for place, action in enumerate(item.actions):
                # The key names the task and run: rows may change between two runs of the page.
                key = f"{action.name}-{number}-{item.tasks[:1]}-{item.runs[:1]}"
                if st.button(
                    action.value,
                    key=key,
                    type="tertiary" if place else "secondary",
                    disabled=action in _WRITES and environment().read_only,
                ):
                    _perform(action, item, facts)


def _perform(action: Action, item: Item, facts: Facts) -> None:
    """Carry out an action. On a phone a person confirms a run: a touch may be a slip."""
    if action in _RUNS and is_phone():
        open_dialog("Run now?", _confirm_run, action, item, facts)
        return
    _ACTIONS[action](item, facts)
    st.rerun()


def _confirm_run(action: Action, item: Item, facts: Facts) -> None:
    st.markdown(", ".join(bold(task.name) for task in _tasks(item, facts)))
    if st.button("Run now", type="primary", icon=":material/play_arrow:"):
        _ACTIONS[action](item, facts)
        st.rerun()


def _tasks(item: Item, facts: Facts) -> list[Task]:
    """Return the tasks of an item that still exist."""
    by_id = {task.id: task for task in facts.listing.tasks}
    return [by_id[number] for number in item.tasks if number in by_id]


def _run(item: Item, facts: Facts, by: str = "hand") -> None:
    started = start_tasks(_tasks(item, facts), by)
    if started:
        add_notice("done", f"Started {', '.join(started)}.")


def _accept(item: Item, facts: Facts) -> None:
    tags = {task.tag for task in facts.listing.tasks if task.id in item.tasks}
    if not sync_now(Request(ACTOR, only={tag for tag in tags if tag})):
        _go_to("sync")


def _sync(item: Item, facts: Facts) -> None:
    if not sync_now():
        _go_to("sync")


def _on_finding(do: Callable[[Finding, str], object]) -> Callable[[Item, Facts], object]:
    """Return an action that calls a function with the finding and the digest of the crontab."""
    return lambda item, facts: (
        do(item.finding, facts.examined.digest) if item.finding and facts.examined else None
    )


def _list(item: Item, facts: Facts) -> None:
    st.session_state[doctor_list.KEY] = True
    _go_to("tasks")


def _go_to(page: str, **params: str) -> None:
    st.switch_page(f"pages/{page}.py", query_params=params or None)


_ACTIONS: dict[Action, Callable[[Item, Facts], object]] = {
    Action.VIEW_OUTPUT: lambda item, _: _go_to("runs", run=str(item.runs[0])),
    Action.RUN_AGAIN: _run,
    Action.RUN_NOW: lambda item, facts: _run(item, facts, "catchup"),
    Action.DISMISS: lambda item, _: act(dismissals.dismiss, environment(), *item.runs),
    Action.ACCEPT: _accept,
    Action.COMPARE: lambda *_: _go_to("sync"),
    Action.RESOLVE: lambda *_: _go_to("sync"),
    Action.OPEN: lambda item, _: _go_to("tasks", task=str(item.tasks[0])),
    Action.FIX: _on_finding(apply_finding),
    Action.SILENCE: _on_finding(silence_finding),
    Action.LIST: _list,
    Action.SYNC: _sync,
    Action.EDIT: lambda *_: _go_to("crontab"),
}
