"""The demo's crontab: what a person's Raspberry Pi might have, written for this."""

from pitasker_core import tasks
from pitasker_core.crontab.program import write_complete
from pitasker_core.errors import ExecutionError
from pitasker_core.settings import Settings
from pitasker_core.sync import adopt, service

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


def fill(settings: Settings) -> None:
    """Make the demo's entries and tasks. Raises ExecutionError unless the crontab is empty."""
    crontab = service.program(settings)
    if crontab.read() is not None:
        raise ExecutionError("The demo found a crontab, and leaves it alone.")
    _install(settings, _CRONTAB)
    adopt.adopt(settings, ACTOR)
    reports = tasks.create(
        settings,
        ACTOR,
        "Weekly report",
        "0 7 * * mon",
        "/home/pi/bin/report.sh --weekly",
        labels=["reports"],
    )
    tasks.create(
        settings,
        ACTOR,
        "Try a new script",
        "0 12 * * *",
        "/home/pi/bin/try-me.sh",
        system_managed=False,
        notes="Not in the crontab until it works.",
    )
    tasks.create(
        settings, ACTOR, "Water the tomatoes", "0 6,20 * * *", "/home/pi/bin/water.sh", paused=True
    )
    # What somebody did with `crontab -e` in the meantime.
    text, _ = service.read_crontab(settings)
    edited = (text or "").replace("--bus 1", "--bus 2") + _BY_HAND
    _install(settings, edited)
    tasks.change(settings, ACTOR, reports.tasks[0].id, notes="Goes to the whole family.")


def _install(settings: Settings, text: str) -> None:
    settings.make_home()
    file = settings.home / "demo.crontab"
    file.unlink(missing_ok=True)
    write_complete(file, text)
    service.program(settings).install(file)
