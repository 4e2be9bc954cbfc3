"""The rules about schedules and the boot: what they report, and what they do not."""

import pytest

from tests.crontab.doctor.tables import fixes, reports
from tests.helpers.sample_machine import TAG

REPORTED = [
    ("never_runs high", "0 5 31 2 *"),
    ("never_runs high", "0 22-2 * * *"),
    ("odd_schedule medium", "5~10 5 * * *"),
    ("odd_schedule medium", "*/100 5 * * *"),
    ("day_and_weekday medium", "0 5 13 * 5"),
    ("day_and_weekday medium", "0 5 1-31/2 * 1"),
    ("day_and_weekday low", "0 5 */2 * 1"),
    ("every_minute medium", "* 3 * * *"),
    ("every_minute medium", "*/1 3 * * 1-5"),
    ("every_minute medium", "* * 1 * *"),
    ("every_minute low", "* 9-17 * * *"),
    ("uneven_step low", "*/45 * * * *"),
    ("uneven_step low", "0 */5 * * *"),
    ("clock_change low", "30 1 * * *"),
    ("clock_change medium", "*/30 1 * * *"),
    ("clock_change low", "*/30 1 25 10 *"),
    ("clock_change low", "30 1 * * 0"),
]

LEFT_ALONE = [
    ("never_runs", "0 5 29 2 *"),
    ("never_runs", "@reboot"),
    ("odd_schedule", "*/5 5 * * *"),
    ("odd_schedule", "0 5 31 2 *"),
    ("day_and_weekday", "0 5 13 * *"),
    ("day_and_weekday", "0 5 * * 5"),
    ("day_and_weekday", "@weekly"),
    ("every_minute", "* * * * *"),
    ("every_minute", "0 3 * * *"),
    ("every_minute", "@hourly"),
    ("uneven_step", "*/15 */6 * * *"),
    ("uneven_step", "*/7~3 * * * *"),
    ("clock_change", "30 4 * * *"),
    ("clock_change", "30 * * * *"),
    ("clock_change", "30 1 1 6 *"),
    ("clock_change", "30 1 25 10 *"),
    ("clock_change", "@reboot"),
]


@pytest.mark.parametrize(("rule", "schedule"), REPORTED)
def test_a_schedule_is_reported(rule: str, schedule: str) -> None:
    assert rule in reports(f"{schedule} /home/pi/backup.sh")


@pytest.mark.parametrize(("rule", "schedule"), LEFT_ALONE)
def test_a_good_schedule_is_left_alone(rule: str, schedule: str) -> None:
    assert rule not in str(reports(f"{schedule} /home/pi/backup.sh"))


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        ("never_runs", "0 22-2 * * *", "0 22-23,0-2 * * *"),
        ("every_minute", "* 3 * * *", "0 3 * * *"),
        ("every_minute", "* * 1 * *", "0 0 1 * *"),
        ("every_minute", "* 9-17 * * *", "0 9-17 * * *"),
    ],
)
def test_a_fix_is_a_schedule(rule: str, before: str, after: str) -> None:
    assert fixes(f"{before} /home/pi/backup.sh", rule) == [(after, None, None)]
    assert rule not in str(reports(f"{after} /home/pi/backup.sh"))


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        ("0 5 * * * a b", "0 5 * * * a b", "duplicate medium"),
        ("0 5 * * * a b", "0  5 * * * a b", "duplicate medium"),
        ("0 5 * * * a b", "0 5 * * * a  b > /home/pi/log/x", "near_duplicate medium"),
        ("0 5 * * * a b", "*/5 * * * 1 a b", "near_duplicate medium"),
        ("@reboot a b", "@reboot a b >> /home/pi/log/x 2>&1", "near_duplicate medium"),
        ("0 5 * * * a b", "0 17 * * * a b", None),
        ("0 5 * * * a b", "0 5 * * * a c", None),
        ("0 5 1 * * a b", "0 5 2 * * a b", None),
        ("0 5 * * * a b", "@reboot a b", None),
    ],
)
def test_entries_are_compared(first: str, second: str, rule: str | None) -> None:
    twins = {report for report in reports(f"{first}\n{second}") if "duplicate" in report}
    assert twins == ({rule} if rule else set())


def test_a_paused_twin_does_not_count() -> None:
    assert "duplicate" not in str(reports(f"# 0 5 * * * a # PITASKER_ID:{TAG}\n0 5 * * * a"))


def test_five_jobs_in_one_minute_are_a_crowd() -> None:
    def jobs(count: int, schedule: str) -> str:
        return "\n".join(f"{schedule} /home/pi/backup.sh {n}" for n in range(count))

    assert "crowded_minute low" in reports(jobs(5, "@daily"))
    assert "crowded_minute" not in str(reports(jobs(4, "@daily")))
    assert "crowded_minute" not in str(reports(jobs(5, "*/5 * * * *")))
    # The same minute, but on other days.
    week = "\n".join(f"0 0 * * {day} /home/pi/backup.sh {day}" for day in range(7))
    assert "crowded_minute" not in str(reports(week))


def test_a_crowd_is_offered_different_free_minutes() -> None:
    text = "\n".join(f"{s} /home/pi/backup.sh {s[1]}" for s in ["@daily", "0 0 * * *"] * 3)
    schedules = [schedule for schedule, _, _ in fixes(text, "crowded_minute")]
    assert len(set(schedules)) == len(schedules) == 6
    assert all(str(schedule).endswith(" 0 * * *") for schedule in schedules)


@pytest.mark.parametrize(
    ("schedule", "seconds", "is_reported"),
    [
        ("* * * * *", 90.0, True),
        ("* * * * *", 30.0, False),
        ("*/5 * * * *", 301.0, True),
        ("0 5 * * *", 3600.0, False),
        ("55,5 * * * *", 601.0, True),
        ("@reboot", 1e9, False),
    ],
)
def test_runs_are_compared_with_the_interval(
    schedule: str, seconds: float, is_reported: bool
) -> None:
    line = f"{schedule} /home/pi/backup.sh # PITASKER_ID:{TAG}"
    reported = "longer_than_interval medium" in reports(line, typical_seconds={TAG: seconds})
    assert reported is is_reported


@pytest.mark.parametrize(
    "command",
    ["flock -n /tmp/lock /home/pi/slow.sh", "/home/pi/pitasker-recorder --no-overlap 7 'slow'"],
)
def test_a_job_that_does_not_overlap_may_take_long(command: str) -> None:
    assert "longer_than" not in str(reports(f"* * * * * {command} # PITASKER_ID:{TAG}"))


@pytest.mark.parametrize(
    ("rule", "command"),
    [
        ("boot_network medium", "curl -fsS https://example.org"),
        ("boot_network medium", "nice rsync -a /x pi@example.org:/y"),
        ("boot_mount medium", "/home/pi/backup.sh /media/pi/STICK"),
        ("boot_mount medium", "/home/pi/backup.sh /srv/nas/x"),
    ],
)
def test_a_job_at_the_boot_is_reported(rule: str, command: str) -> None:
    assert rule in reports(f"@reboot {command}")
    assert "boot_" not in str(reports(f"@reboot sleep 30 && {command}"))
    assert "boot_" not in str(reports(f"@daily {command}"))
