"""Edits in the table belong to tasks, also when rows move."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from pitasker_core import database, tasks
from pitasker_core.base.errors import InvalidSyntax, Stale
from pitasker_core.dashboard import staging
from pitasker_core.dashboard.staging import Staged
from pitasker_core.database.tables import TaskRow
from pitasker_core.tasks import Edit
from tests.helpers.examples import ME, create


@pytest.fixture
def task(environment):
    return create(environment)


def delta(**cells):
    return {"edited_rows": {0: cells}}


def test_an_edit_is_kept_with_the_value_it_replaces(task):
    staged = staging.stage({}, delta(schedule=" @daily "), [task.id], {task.id: task})
    assert staged == {task.id: {"schedule": Staged(task.schedule, "@daily")}}
    assert staging.summary(staged) == "1 change in 1 task"


def test_words_are_staged_as_the_schedule_that_they_mean(task):
    def as_schedule(text, task):
        return {"every night": "0 0 * * *"}.get(text, text)

    for text, value in (("every night", "0 0 * * *"), ("every dy", "every dy")):
        edits = staging.stage({}, delta(schedule=text), [task.id], {task.id: task}, as_schedule)
        assert edits[task.id]["schedule"].after == value


def test_an_edit_back_to_what_the_task_has_is_none(task):
    staged = staging.stage({}, delta(in_crontab=False), [task.id], {task.id: task})
    assert staging.edits(staged, {task.id: task}) == [
        Edit(task.id, task.version, {"system_managed": False})
    ]
    assert staging.stage(staged, delta(in_crontab=True), [task.id], {task.id: task}) == {}


def test_an_edit_is_new_once_and_again_after_the_table_forgot_it():
    paused = staging.edited_cells(delta(on=False), [7])
    assert staging.new_edits(paused, {}) == {(7, "on"): False}
    assert staging.new_edits(paused, paused) == {}
    forgotten = staging.edited_cells({"edited_rows": {}}, [7])
    assert staging.new_edits(paused, forgotten) == {(7, "on"): False}


def test_choosing_a_row_is_no_edit(task):
    assert staging.stage({}, delta(chosen=True), [task.id], {task.id: task}) == {}


def test_a_change_by_somebody_else_of_another_cell_is_no_collision(task):
    staged = staging.stage({}, delta(schedule="@daily"), [task.id], {task.id: task})
    now = replace(task, name="Renamed", version=task.version + 1)
    assert staging.collisions(staged, {task.id: now}) == []
    (edit,) = staging.edits(staged, {task.id: now})
    assert edit == Edit(task.id, now.version, {"schedule": "@daily"})


def test_a_change_by_somebody_else_of_the_same_cell_collides_until_it_is_decided(task):
    staged = staging.stage({}, delta(schedule="@daily"), [task.id], {task.id: task})
    now = {task.id: replace(task, schedule="@weekly", version=task.version + 1)}
    (collision,) = staging.collisions(staged, now)
    assert (collision.mine, collision.now) == ("@daily", "@weekly")
    assert staging.without(staged, task.id, "schedule") == {}
    assert staging.collisions(staging.rebased(staged, now[task.id], "schedule"), now) == []


def test_a_preview_says_what_the_crontab_would_get_and_changes_nothing(environment, crontab, task):
    before = crontab.read()
    shown = tasks.preview(environment, [Edit(task.id, task.version, {"schedule": "@daily"})])
    assert shown.after.encode() == before.replace(b"0 2 * * *", b"@daily")
    assert shown.problems == {}
    assert crontab.read() == before
    assert tasks.get(environment, task.id) == task


def test_a_preview_names_what_is_wrong_with_which_task(environment, task):
    other = create(environment, "Other")
    shown = tasks.preview(
        environment,
        [Edit(task.id, None, {"schedule": "61 * * * *"}), Edit(other.id, None, {"paused": True})],
    )
    assert shown.problems.keys() == {task.id}
    assert "Minute must be 0 to 59" in shown.problems[task.id]
    assert "\n# 0 2 * * *" in shown.after


@pytest.mark.parametrize(
    "fields",
    [
        {"schedule": "@daily", "name": "Other words"},
        {"paused": True},
        {"command": "/bin/other", "notes": "why"},
    ],
)
def test_undo_brings_the_same_bytes_back(environment, crontab, task, fields):
    before = crontab.read()
    done = tasks.change(environment, ME, task.id, **fields)
    assert fields == {"notes": "why"} or crontab.read() != before
    tasks.undo(environment, ME, done)
    assert crontab.read() == before


def test_undo_of_a_new_task_removes_it_and_of_a_deletion_brings_it_back(environment, crontab, task):
    before = crontab.read()
    made = tasks.create(environment, ME, tasks.NewTask("New", "@daily", "/bin/new"))
    tasks.undo(environment, ME, made)
    assert crontab.read() == before
    gone = tasks.delete(environment, ME, task.id)
    tasks.undo(environment, ME, gone)
    assert crontab.read() == before


def test_undo_of_what_was_changed_again_is_refused(environment, crontab, task):
    done = tasks.change(environment, ME, task.id, schedule="@daily")
    tasks.change(environment, ME, task.id, schedule="@weekly")
    with pytest.raises(Stale):
        tasks.undo(environment, ME, done)
    assert b"@weekly" in crontab.read()


def test_one_wrong_edit_keeps_all_from_being_saved(environment, crontab, task):
    other = create(environment, "Other")
    before = crontab.read()
    edits = [Edit(other.id, None, {"paused": True}), Edit(task.id, None, {"command": ""})]
    with pytest.raises(InvalidSyntax):
        tasks.apply(environment, ME, edits)
    assert crontab.read() == before


def test_a_text_with_a_character_that_a_table_cannot_show_is_not_edited_there(task):
    turned = replace(task, command="open a\u202egnp.exe")
    with pytest.raises(InvalidSyntax, match="cannot be edited here"):
        staging.stage({}, delta(command="close a⟨U+202E⟩gnp.exe"), [task.id], {task.id: turned})
    assert (
        staging.stage({}, delta(command="open a⟨U+202E⟩gnp.exe"), [task.id], {task.id: turned})
        == {}
    )


def test_the_next_run_is_what_cron_will_do_now_while_a_change_waits(environment, crontab, task):
    with database.session(environment) as session:
        waiting = {"cron_schedule": "@daily"}
        session.execute(update(TaskRow).where(TaskRow.id == task.id).values(**waiting))
    listing = tasks.listing(environment)
    assert listing.tasks[0].schedule == "@daily"
    assert listing.cron_schedule(listing.tasks[0]) == task.schedule
    crontab.write(b"")
    listing = tasks.listing(environment)
    assert listing.cron_schedule(listing.tasks[0]) is None
