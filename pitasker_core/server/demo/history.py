"""The demo's crontab: what a person's Raspberry Pi might have, written for this."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update

from pitasker_core import database, tasks
from pitasker_core.base import clock
from pitasker_core.base.environment import Environment
from pitasker_core.base.errors import ExecutionError
from pitasker_core.crontab.program import write_complete
from pitasker_core.database.tables import RunRow, TaskRow
from pitasker_core.sync import importing, service, store

ACTOR = "demo"

_CRONTAB = """\
# Edit this file to introduce tasks to be run by cron.
MAILTO=pi@example.org
PATH=/usr/local/bin:/usr/bin:/bin

# Backup the photos
0 2 * * * /home/pi/bin/backup-photos.sh /srv/photos
# Renew certificates
17 3 * * 1 certbot renew --quiet --deploy-hook 'systemctl reload nginx'
# Greenhouse temperature
*/5 * * * * /home/pi/sensors/read.py --bus 1 >> /home/pi/sensors/log.csv
# Off-site copy
30 4 1 * * rclone sync /srv/photos remote:photos --log-file /tmp/rclone-$(date +\\%F).log
@reboot /home/pi/bin/notify.sh "the Pi is up"
"""

_BY_HAND = """\
# Clean the camera's folder
45 1 * * * find /srv/camera -mtime +14 -delete
*/10 8-18 * * 1-5 curl -fsS https://example.org/ping > /dev/null
"""


def fill(environment: Environment) -> None:
    """Make the demo's entries and tasks. Raises ExecutionError unless the crontab is empty."""
    crontab = service.program(environment)
    if crontab.read() is not None:
        raise ExecutionError("The demo found a crontab, and leaves it alone.")
    _install(environment, _CRONTAB)
    importing.import_entries(environment, ACTOR)
    reports = tasks.create(
        environment,
        ACTOR,
        tasks.NewTask(
            "Weekly report", "0 7 * * mon", "/home/pi/bin/report.sh --weekly", labels=("reports",)
        ),
    )
    tasks.create(
        environment,
        ACTOR,
        tasks.NewTask(
            "Try a new script",
            "0 12 * * *",
            "/home/pi/bin/try-me.sh",
            system_managed=False,
            notes="Not in the crontab until it works.",
        ),
    )
    tasks.create(
        environment,
        ACTOR,
        tasks.NewTask("Water the tomatoes", "0 6,20 * * *", "/home/pi/bin/water.sh", paused=True),
    )
    _add_runs(environment)
    # What somebody did with `crontab -e` in the meantime.
    text, _ = service.read_crontab(environment)
    edited = (text or "").replace("--bus 1", "--bus 2") + _BY_HAND
    _install(environment, edited)
    tasks.change(environment, ACTOR, reports.tasks[0].id, notes="Goes to the whole family.")


_WENT_WELL = b"""\
\x1b[1mBackup of /srv/photos\x1b[0m
checking the disk ... \x1b[32mok\x1b[0m
copied: 2024/summer/IMG_2041.jpg
copied: 2024/summer/IMG_2042.jpg
  0%\r 35%\r 80%\r100%
2 new, 0 changed, 18234 as they were. \x1b[32mDone.\x1b[0m
"""

_FAILED = b"""\
\x1b[1mBackup of /srv/photos\x1b[0m
checking the disk ... \x1b[33mslow to answer\x1b[0m
copied: 2024/summer/IMG_2043.jpg
\x1b[31merror:\x1b[0m /mnt/backup/2024/summer/IMG_2044.jpg: \x1b[1;31mNo space left on device\x1b[0m
\x1b[31merror:\x1b[0m 1 new, 3 could not be copied. \x1b[7m Clean the disk. \x1b[0m
"""

_NO_SENSOR = b"""\
Traceback (most recent call last):
  File "/home/pi/sensors/read.py", line 31, in <module>
OSError: [Errno 121] Remote I/O error
"""


def _add_runs(environment: Environment) -> None:
    """A few days of runs: most went well, two failed, and last night the machine was off."""
    now = clock.now()
    with database.session(environment) as session:
        crontab_row = store.own_crontab(session)
        for task in tasks.listing(environment).tasks:
            made = sorted(_runs_of(task.name, now), key=lambda run: run["started_at"])
            session.add_all(RunRow(crontab_row=crontab_row, task=task.id, **run) for run in made)
            ended = [run for run in made if run["source"] == "recorded"]
            if ended:
                was_missed = made[-1]["source"] == "missed"
                well = ended[-1]["exit_code"] == 0
                status = "missed" if was_missed else "success" if well else "failed"
                session.execute(
                    update(TaskRow)
                    .where(TaskRow.id == task.id)
                    .values(last_run=ended[-1]["started_at"], status=status)
                    .execution_options(synchronize_session=False)
                )
        session.add_all(
            RunRow(crontab_row=crontab_row, command="/bin/run-parts /etc/nightly", **_observed(at))
            for at in (_night(now, nights, 1, 45) for nights in range(2, 6))
        )


def _runs_of(name: str, now: datetime) -> Iterator[dict[str, Any]]:
    off, on = _night(now, 1, 1, 30), _night(now, 1, 7, 40)
    if name == "Backup the photos":
        for nights in range(21, 2, -1):
            took = 380 + 37 * nights % 90
            yield _recorded(_night(now, nights, 2, 0), took, 0, _WENT_WELL)
        yield _recorded(_night(now, 2, 2, 0), 95, 2, _FAILED)
        yield _missed(_night(now, 1, 2, 0), _night(now, 1, 2, 0), 1, off, on)
    elif name == "Greenhouse temperature":
        last = now.replace(second=1, microsecond=0) - timedelta(minutes=now.minute % 5 + 5)
        for count in range(3 * 24 * 12):
            at = last - timedelta(minutes=5 * count)
            if off < at < on:
                continue
            run = _recorded(at, 2.1 + count % 7 / 10, 0, b"")
            if count == 40:
                run = {**_recorded(at, 21.4, 0, b""), "slow": True}
            elif count == 20:
                run = _recorded(at, 5.3, 1, _NO_SENSOR)
            yield run
        yield _missed(off, on - timedelta(minutes=5), 74, off, on)
    elif name == "Weekly report":
        for nights in (9, 2):
            yield _recorded(_night(now, nights, 7, 0), 12.4, 0, b"Sent to 3 people.\n")
    elif name == "Renew certificates":
        yield _observed(_night(now, 5, 3, 17))


def _night(now: datetime, nights: int, hour: int, minute: int) -> datetime:
    """A time of the last night that is over, or of one before it."""
    local = now.astimezone(clock.system_zone())
    local -= timedelta(days=nights - 1 if local.hour >= 8 else nights)
    return local.replace(hour=hour, minute=minute, second=1, microsecond=0)


def _recorded(at: datetime, seconds: float, code: int, output: bytes) -> dict[str, Any]:
    return {
        "source": "recorded",
        "started_at": at,
        "ended_at": at + timedelta(seconds=seconds),
        "exit_code": code,
        "user_seconds": seconds / 9,
        "system_seconds": seconds / 21,
        "peak_kb": 9_216,
        "output": output,
        "bytes": len(output),
    }


def _missed(
    first: datetime, last: datetime, times: int, off: datetime, on: datetime
) -> dict[str, Any]:
    return {
        "source": "missed",
        "started_at": first,
        "ended_at": last,
        "missed": times,
        "note": f"the machine was off from {off:%H:%M} to {on:%H:%M}",
    }


def _observed(at: datetime) -> dict[str, Any]:
    return {"source": "observed", "started_at": at}


def _install(environment: Environment, text: str) -> None:
    environment.make_home()
    file = environment.home / "demo.crontab"
    file.unlink(missing_ok=True)
    write_complete(file, text)
    service.program(environment).install(file)
