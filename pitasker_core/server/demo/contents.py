"""The demo's crontab: a believable Raspberry Pi with scripts that really run. Pure."""

from dataclasses import dataclass
from typing import Any

SCRIPTS = (
    "backup-photos",
    "clean-camera",
    "dump-database",
    "offsite-copy",
    "read-sensor",
    "renew-certificates",
    "report",
    "update-map",
    "water",
)
"""The names of the scripts in `scripts/`, without `.sh`."""


@dataclass(frozen=True)
class DemoTask:
    """A task of the demo. `values` are fields to set after the import."""

    name: str
    schedule: str
    script: str
    values: tuple[tuple[str, Any], ...] = ()


_RECORDED = ("record_runs", True)

TASKS = (
    DemoTask("Backup the photos", "0 2 * * *", "backup-photos", (_RECORDED, ("catch_up", True))),
    DemoTask("Dump the database", "0 2 * * *", "dump-database", (_RECORDED,)),
    DemoTask("Off-site copy", "0 2 * * *", "offsite-copy", (_RECORDED,)),
    DemoTask("Greenhouse temperature", "*/5 * * * *", "read-sensor", (_RECORDED,)),
    DemoTask("Weather map", "15 * * * *", "update-map", (_RECORDED, ("labels", ("weather",)))),
    DemoTask("Weekly report", "0 7 * * mon", "report", (_RECORDED, ("labels", ("reports",)))),
    DemoTask("Water the tomatoes", "0 6,20 * * *", "water", (("paused", True),)),
    DemoTask("Renew certificates", "17 3 * * 1", "renew-certificates"),
)
"""Three of these tasks start at 02:00, so that the timeline shows a crowded minute."""

CONFLICT = "Weekly report"
"""The task whose schedule is changed on both sides."""
PENDING_SCHEDULE, SCHEDULE_BY_HAND = "30 7 * * mon", "0 8 * * mon"


def crontab(folder: str) -> str:
    """Return the crontab before the import. Its scripts are in `folder`."""
    lines = [
        "# Edit this file to introduce tasks to be run by cron.",
        "MAILTO=pi@example.org",
        "PATH=/usr/local/bin:/usr/bin:/bin",
        "",
    ]
    for task in TASKS:
        lines += [f"# {task.name}", f"{task.schedule} {folder}/{task.script}.sh"]
    return "\n".join([*lines, ""])


def edited_by_hand(text: str, folder: str) -> str:
    """Return the crontab as a person might leave it after `crontab -e`."""
    lines = [
        line.replace("0 7 * * mon", SCHEDULE_BY_HAND) if "/report.sh" in line else line
        for line in text.splitlines()
    ]
    lines += [
        "# Clean the camera's folder",
        f"45 1 * * * {folder}/clean-camera.sh",
        "*/10 8-18 * * 1-5 /usr/loca/bin/certbot renew",
    ]
    return "\n".join([*lines, ""])
