"""Drafts are stored by browser, and deleted after some time."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from pitasker_core import database
from pitasker_core.base import clock
from pitasker_core.base.errors import InvalidSyntax, PiTaskerError
from pitasker_core.database import drafts
from pitasker_core.database.drafts import discard_draft, prune_drafts, read_drafts, save_draft
from pitasker_core.database.tables import StateRow


def names(environment, browser="phone", prefix=""):
    return [draft.name for draft in read_drafts(environment, browser, prefix)]


def test_a_draft_belongs_to_one_browser(environment):
    save_draft(environment, "phone", "task:1", {"values": {"name": "Mine"}})
    assert read_drafts(environment, "phone")[0].value == {"values": {"name": "Mine"}}
    assert names(environment, "laptop") == []


def test_a_draft_is_replaced_and_discarded(environment):
    for name in ("One", "Two"):
        save_draft(environment, "phone", "task:1", {"name": name})
    assert [draft.value for draft in read_drafts(environment, "phone")] == [{"name": "Two"}]
    discard_draft(environment, "phone", "task:1")
    assert names(environment) == []


def test_drafts_are_read_by_the_beginning_of_their_names(environment):
    for name in ("task:1", "staged", "task_2"):
        save_draft(environment, "phone", name, {})
    assert names(environment, prefix="task:") == ["task:1"]


def test_the_oldest_of_too_many_drafts_gives_way(environment, monkeypatch):
    monkeypatch.setattr(drafts, "_MOST", 2)
    for number in range(3):
        save_draft(environment, "phone", f"task:{number}", {})
    assert names(environment) == ["task:2", "task:1"]


def test_a_draft_that_is_too_long_is_refused(environment):
    with pytest.raises(InvalidSyntax, match="too long"):
        save_draft(environment, "phone", "crontab", {"text": "x" * 400_000})


def test_who_may_only_look_keeps_no_drafts(environment):
    with pytest.raises(PiTaskerError):
        save_draft(replace(environment, read_only=True), "phone", "task:1", {})


def test_a_draft_that_nobody_touches_is_forgotten(environment):
    for browser in ("phone", "laptop"):
        save_draft(environment, browser, "task:1", {})
    old = clock.now() - drafts.KEPT - timedelta(days=1)
    with database.session(environment) as session:
        session.execute(
            update(StateRow).where(StateRow.key == "draft:phone:task:1").values(updated_at=old)
        )
    prune_drafts(environment)
    assert names(environment) == []
    assert names(environment, "laptop") == ["task:1"]
