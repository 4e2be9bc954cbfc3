"""The shared view: fresh after each change, and computed once while nothing changes."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from pitasker_core import database, tasks
from pitasker_core.tasks import view
from tests.helpers.examples import ME, create
from tests.helpers.waiting import until

LONG = 3_600.0


def test_nothing_is_computed_again_while_nothing_changes(environment, crontab):
    create(environment)
    assert tasks.current(environment).tasks == tasks.listing(environment).tasks

    def is_computed_once() -> bool:
        shown, version = tasks.current(environment), tasks.version(environment)
        return tasks.current(environment, 0) is shown and tasks.version(environment) == version

    # A transaction in another database of the server, such as another test's, counts as a change.
    until(is_computed_once)


@pytest.mark.parametrize("max_age", [0, LONG])
def test_an_own_change_shows_at_once(environment, crontab, max_age):
    task = create(environment)
    before, version = tasks.current(environment, max_age), tasks.version(environment)
    tasks.change(environment, ME, task.id, schedule="9 9 * * *")
    after = tasks.current(environment, max_age)
    assert [task.schedule for task in after.tasks] == ["9 9 * * *"]
    assert after.version != before.version
    assert tasks.version(environment) != version


def test_a_change_of_the_crontab_by_hand_shows(environment, crontab):
    task = create(environment)
    before = tasks.current(environment, 0)
    crontab.write(crontab.read().replace(b"0 2 ", b"1 1 "))
    after = tasks.current(environment, 0)
    assert after.states[task.id] == tasks.State.PENDING
    assert after.version != before.version


def test_a_change_of_the_database_by_another_program_shows(environment, crontab):
    create(environment)
    before = tasks.current(environment, 0)
    with database.connect(environment).begin() as connection:
        connection.execute(text("update tasks set notes = 'New'"))
    after = tasks.current(environment, 0)
    assert after.tasks[0].notes == "New"
    assert after.version != before.version


def test_an_open_transaction_shows_when_it_is_committed(environment, crontab):
    """Unlike a counter, the snapshot does not change before the data is visible."""
    create(environment)
    with database.connect(environment).connect() as connection:
        connection.execute(text("update tasks set notes = 'Late'"))
        assert tasks.current(environment, 0).tasks[0].notes == ""
        connection.commit()
    assert tasks.current(environment, 0).tasks[0].notes == "Late"


def test_a_change_that_no_task_shows_leaves_the_listing_as_it_is(environment, crontab):
    create(environment)
    before, version = tasks.current(environment, 0), tasks.version(environment)
    with database.connect(environment).begin() as connection:
        connection.execute(text("insert into events (actor, kind) values ('test', 'test')"))
    assert tasks.current(environment, 0) is before
    assert view._view(environment).version(0) != version


def test_the_crontab_that_cannot_be_read_is_a_problem_and_not_an_error(environment, fake_crontab):
    script = "#!/bin/sh\necho broken >&2; exit 3"
    broken = replace(environment, crontab_program=str(fake_crontab(script)))
    shown = tasks.current(broken, 0)
    assert shown.problem is not None
    assert shown.comparison is None
