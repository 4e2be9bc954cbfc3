"""The bar at the bottom for edits of the table that are not applied yet."""

from collections.abc import Mapping

import streamlit as st

from pitasker_core import tasks
from pitasker_core.base import clock
from pitasker_core.base.errors import PiTaskerError
from pitasker_core.base.text import Code, Text, counted, visible
from pitasker_core.crontab.difference import difference
from pitasker_core.crontab.understanding import understand
from pitasker_core.dashboard import own_drafts, staging
from pitasker_core.dashboard.markdown import bold, code, plain
from pitasker_core.dashboard.messages import act, report_applied
from pitasker_core.dashboard.session import ACTOR, environment, is_phone
from pitasker_core.dashboard.staging import Collision, Staged, Staging
from pitasker_core.dashboard.write_button import write_button
from pitasker_core.tasks import Listing, Preview, Task

DRAFT = "staged"

_SHOWN = 3
"""The number of invalid tasks that the bar explains. The review has them all."""


def staged() -> Staging:
    """Return the edits that are not applied yet, including an earlier visit's."""
    if "staged" not in st.session_state:
        draft = own_drafts.load(DRAFT)
        st.session_state.staged = staging.from_json(draft.value) if draft else {}
    edits: Staging = st.session_state.staged
    return edits


def stage(edits: Staging) -> None:
    """Set the edits that are not applied yet, and save them as a draft."""
    st.session_state.staged = edits
    if edits:
        own_drafts.keep(DRAFT, staging.as_json(edits))
    else:
        own_drafts.discard(DRAFT)


def show_staged(edits: Staging, by_id: Mapping[int, Task], listing: Listing) -> None:
    """Draw the bar: the number of edits, their problems, and buttons to apply or discard them."""
    if not edits:
        return
    preview, problem = _preview(edits, by_id)
    collisions = staging.collisions(edits, by_id)
    invalid = {
        **{collision.task.id: "" for collision in collisions},
        **(preview.problems if preview else {}),
    }
    with st.bottom, st.container(border=True, key="staged", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(
                f":blue[:material/edit:] **{staging.summary(edits)}**, not applied yet",
                width="stretch",
            )
            _show_review(edits, by_id, preview)
            _show_apply(edits, by_id, invalid)
            st.button("Discard", icon=":material/close:", on_click=stage, args=({},))
        if problem:
            st.markdown(f":orange[:material/warning:] {plain(problem)}")
        for collision in collisions:
            _show_collision(edits, collision)
        for number, reason in list((preview.problems if preview else {}).items())[:_SHOWN]:
            _show_invalid(edits, by_id[number], reason, listing)


def _preview(edits: Staging, by_id: Mapping[int, Task]) -> tuple[Preview | None, str]:
    try:
        return tasks.preview(environment(), staging.edits(edits, by_id)), ""
    except PiTaskerError as problem:
        return None, Text("The edits can be saved, but: ", problem.user_message)


def _show_review(edits: Staging, by_id: Mapping[int, Task], preview: Preview | None) -> None:
    with st.popover("Review", icon=":material/difference:", width="content"):
        for number, cells in edits.items():
            with st.container(horizontal=True, vertical_alignment="center"):
                changes = ", ".join(_change(column, cell) for column, cell in cells.items())
                st.markdown(f"{bold(by_id[number].name)}: {changes}", width="stretch")
                st.button(
                    "Undo edits",
                    icon=":material/undo:",
                    key=f"undo-{number}",
                    type="tertiary",
                    on_click=stage,
                    args=(staging.without_tasks(edits, [number]),),
                )
        proof = difference(preview.before, preview.after) if preview else None
        if proof:
            st.caption(f"Your crontab: {plain(str(proof))}")
            st.code(proof.text, language="diff", wrap_lines=True)


def _change(column: str, cell: Staged) -> str:
    return f"{staging.FIELDS[column]} {_value(cell.before)} → {_value(cell.after)}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return code(str(value)) or "nothing"


def _show_apply(edits: Staging, by_id: Mapping[int, Task], invalid: Mapping[int, str]) -> None:
    valid = staging.without_tasks(edits, invalid)
    write_button(
        f"Apply {len(valid)} valid" if invalid and valid else "Apply",
        type="primary",
        icon=":material/check:",
        disabled=not valid,
        on_click=_apply,
        args=(edits, valid, by_id),
        shortcut=None if is_phone() else "Ctrl+Enter",
    )


def _apply(edits: Staging, valid: Staging, by_id: Mapping[int, Task]) -> None:
    done = act(tasks.apply, environment(), ACTOR, staging.edits(valid, by_id))
    if done:
        report_applied(done, f"Saved {counted(len(done.tasks), 'task')}")
        stage(staging.without_tasks(edits, valid))


def _show_collision(edits: Staging, collision: Collision) -> None:
    field, task = staging.FIELDS[collision.column], collision.task
    mine, now = plain(str(collision.mine)), plain(str(collision.now))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f":orange[:material/warning:] {bold(task.name)}: you changed its {field} to “{mine}”, "
            f"somebody else to “{now}”.",
            width="stretch",
        )
        key = f"{task.id}-{collision.column}"
        mine_wins = staging.rebased(edits, task, collision.column)
        theirs_wins = staging.without(edits, task.id, collision.column)
        st.button("Keep mine", key=f"mine-{key}", on_click=stage, args=(mine_wins,))
        st.button("Take theirs", key=f"theirs-{key}", on_click=stage, args=(theirs_wins,))


def _show_invalid(edits: Staging, task: Task, reason: str, listing: Listing) -> None:
    cells = edits.get(task.id, {})
    columns = ", ".join(
        staging.FIELDS[column] for column in staging.invalid_cells(cells, listing.dialect)
    )
    sentence = reason if task.name in reason else Text(f"{task.name}: ", reason)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":red[:material/error: **{columns}**] {plain(sentence)}", width="stretch")
        if "schedule" in cells:
            _offer_schedules(edits, task, cells["schedule"], listing)
        st.button(
            "Undo edits",
            icon=":material/undo:",
            key=f"undo-invalid-{task.id}",
            type="tertiary",
            on_click=stage,
            args=(staging.without_tasks(edits, [task.id]),),
        )


def _offer_schedules(edits: Staging, task: Task, cell: Staged, listing: Listing) -> None:
    read_by = listing.cron_clock(task, clock.system_zone())
    meaning = understand(cell.after, read_by, clock.now(), listing.dialect)
    offers = dict.fromkeys(
        schedule
        for schedule in (meaning.schedule, *(offer.schedule for offer in meaning.suggestions))
        if schedule and schedule != cell.after
    )
    for schedule in list(offers)[:2]:
        other = {**edits[task.id], "schedule": Staged(cell.before, schedule)}
        st.button(
            plain(Text("Use ", Code(visible(schedule)))),
            key=f"use-{task.id}-{schedule}",
            on_click=stage,
            args=({**edits, task.id: other},),
        )
