"""Notices about problems: sent once, again after a change, and at the end."""

import logging
from contextlib import contextmanager

import pytest
from sqlalchemy import select

from pitasker_core import database
from pitasker_core.base.actor import Actor
from pitasker_core.base.errors import DatabaseError
from pitasker_core.database.tables import NoticeRow
from pitasker_core.notifications import finding_notices
from pitasker_core.server import background, job_states
from pitasker_core.server.background import Background
from pitasker_core.sync import service, validation
from pitasker_core.sync.service import Request
from tests.helpers.examples import create
from tests.helpers.waiting import until

QUICK = 0.02


@contextmanager
def logged(name):
    """Collect the warnings that a module logs."""
    lines = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: lines.append(record.getMessage())
    logger = logging.getLogger(f"pitasker_core.{name}")
    logger.addHandler(handler)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)


def test_a_database_that_is_away_is_said_once_again_when_the_reason_changes_and_when_it_is_back(
    environment, monkeypatch
):
    connect, reasons = database.connect, ["The disk is full.", "It is too old."]
    tries = []

    def fail(*arguments):
        tries.append(reasons[0] if reasons else "")
        if reasons:
            raise DatabaseError(reasons[0])
        return connect(*arguments)

    monkeypatch.setattr(background.database, "connect", fail)
    work = Background(environment, QUICK)
    with logged("server.background") as lines:
        work.start()
        try:
            until(lambda: tries.count("The disk is full.") > 2)
            del reasons[0]
            until(lambda: tries.count("It is too old.") > 2)
            del reasons[0]
            until(lambda: work.leads)
        finally:
            work.stop()
    assert [line.removeprefix("The background work waits for the database: ") for line in lines][
        :3
    ] == ["The disk is full.", "It is too old.", "The database can be used again."]


def test_a_job_whose_outcome_cannot_be_kept_says_so_once(environment, monkeypatch):
    def fail(*_):
        raise RuntimeError("no room")

    monkeypatch.setattr(job_states, "save", fail)
    work = Background(environment)
    with logged("server.background") as lines:
        for _ in range(3):
            work._try("validate", lambda: "")
    assert lines == ["The result of validate cannot be saved: RuntimeError: no room"]


def notices(environment):
    with database.session(environment) as session:
        query = select(NoticeRow.message).where(NoticeRow.kind == "finding")
        return list(session.scalars(query.order_by(NoticeRow.id)))


def validate(environment):
    finding_notices.notify(environment, validation.validate(service.preview(environment)))


def test_a_finding_is_told_once_and_when_it_is_gone(environment, crontab):
    create(environment)
    good = crontab.read()
    crontab.force(good + b"61 * * * * /bin/x\n")
    with logged("notifications.finding_notices") as lines:
        validate(environment)
        crontab.force(b"# one line more\n" + good + b"61 * * * * /bin/x\n")
        validate(environment)
    assert len(lines) == 1
    (message,) = notices(environment)
    assert message.startswith("Needs attention: Line 3: Cron would not take this line")
    crontab.force(good)
    validate(environment)
    validate(environment)
    assert len(notices(environment)) == 2
    assert notices(environment)[1].startswith("Resolved: Line 3:")


def test_what_the_next_sync_does_is_told_only_when_it_was_not_done(environment, crontab):
    create(environment)
    crontab.write(crontab.read().replace(b"0 2", b"0 3"))
    validate(environment)
    assert notices(environment) == []
    validate(environment)
    assert "was changed in the crontab" in notices(environment)[0]
    service.sync(environment, Request(Actor.BACKGROUND))
    validate(environment)
    assert notices(environment)[1].startswith("Resolved: ")


def test_an_entry_that_no_task_manages_is_no_news(environment, crontab):
    crontab.write(b"0 22-6 * * * /bin/x\n")
    validate(environment)
    assert notices(environment) == []


@pytest.mark.parametrize("count", [5, 300])
def test_a_notice_names_a_few_findings_and_counts_the_others(environment, crontab, count):
    crontab.force(b"".join(b"61 %d * * * /bin/x\n" % number for number in range(count)))
    validate(environment)
    (message,) = notices(environment)
    assert message.count("would not take") == 5
    assert ("more." in message) is (count > 5)
