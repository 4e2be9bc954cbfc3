"""Crowded minutes, and new schedules that spread them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pitasker_core.crontab import schedule as schedules
from pitasker_core.crontab.schedule import Dialect
from pitasker_core.dashboard import crowding
from pitasker_core.dashboard.staging import Staged
from pitasker_core.dashboard.timeline import Planned
from tests.helpers.examples import create

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")


@pytest.fixture
def tasks_at(environment):
    def make(*texts):
        return [
            create(environment, name=f"Task {number}", schedule=text, command=f"/bin/{number}")
            for number, text in enumerate(texts)
        ]

    return make


def crowds(tasks, hours=24):
    in_force = {task.id: Planned(task.name, task.schedule, UTC_ZONE) for task in tasks}
    end = NOW + timedelta(hours=hours)
    return crowding.crowds(in_force, tasks, NOW, end, UTC_ZONE, Dialect.DEBIAN)


def test_three_tasks_in_one_minute_are_a_crowd(tasks_at):
    made = tasks_at("0 2 * * *", "0 2 * * *", "0 2 * * *", "30 2 * * *")
    (crowd,) = crowds(made)
    assert crowd.at.astimezone(UTC) == datetime(2026, 3, 5, 2, 0, tzinfo=UTC)
    assert [task.id for task in crowd.tasks] == [task.id for task in made[:3]]


def test_two_tasks_are_no_crowd(tasks_at):
    assert crowds(tasks_at("0 2 * * *", "0 2 * * *")) == []


def test_what_runs_all_the_time_does_not_count(tasks_at):
    assert crowds(tasks_at("* * * * *", "*/5 * * * *", "0 2 * * *", "0 2 * * *")) == []


def test_spread_tasks_no_longer_start_together(tasks_at):
    made = tasks_at("0 2 * * *", "0 2 * * mon-sat", "0 2,14 * * *")
    crowd = crowds(made)[0]
    moved = crowding.spread(crowd)
    assert moved == {made[1].id: "10 2 * * mon-sat", made[2].id: "20 2,14 * * *"}
    assert all(schedules.parse(text) for text in moved.values())


def test_a_schedule_without_a_single_minute_stays(tasks_at):
    made = tasks_at("0 2 * * *", "@daily", "0 0 * * *", "0,30 0 * * *")
    crowd = crowds(made)[0]
    assert crowding.spread(crowd) == {made[2].id: "10 0 * * *"}


def test_a_zone_that_is_off_by_half_an_hour_moves_by_its_own_minutes(tasks_at):
    made = tasks_at("0 2 * * *", "0 2 * * *", "30 7 * * *")
    in_force = {
        task.id: Planned(task.name, task.schedule, ZoneInfo(zone))
        for task, zone in zip(made, ("UTC", "UTC", "Asia/Kolkata"), strict=True)
    }
    end = NOW + timedelta(hours=24)
    (crowd,) = crowding.crowds(in_force, made, NOW, end, UTC_ZONE, Dialect.DEBIAN)
    assert crowding.spread(crowd) == {made[1].id: "10 2 * * *", made[2].id: "50 7 * * *"}


def test_spread_stays_within_the_hour(tasks_at):
    made = tasks_at("55 2 * * *", "55 2 * * *", "55 2 * * *")
    moved = crowding.spread(crowds(made)[0])
    assert moved == {made[1].id: "45 2 * * *", made[2].id: "35 2 * * *"}


def test_a_spread_waits_beside_the_other_edits(tasks_at):
    made = tasks_at("0 2 * * *", "0 2 * * *", "0 2 * * *")
    edits = {made[1].id: {"name": Staged("Job", "Other")}, 99: {"name": Staged("a", "b")}}
    moved = crowding.spread(crowds(made)[0])
    waiting = crowding.stage_spread(edits, moved, made)
    assert waiting == {
        made[1].id: {
            "name": Staged("Job", "Other"),
            "schedule": Staged("0 2 * * *", "10 2 * * *"),
        },
        made[2].id: {"schedule": Staged("0 2 * * *", "20 2 * * *")},
        99: {"name": Staged("a", "b")},
    }
    assert crowding.is_staged(waiting, moved)
    assert not crowding.is_staged(edits, moved)
