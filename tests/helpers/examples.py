"""An example crontab and an example task."""

from pitasker_core import tasks

ME = "test"

EXISTING = b"""\
# Edit this file to introduce tasks to be run by cron.
MAILTO=pi@example.org

# Nightly backup
0 2 * * * /home/pi/backup.sh --all
*/5 * * * * cat >> /tmp/log%a line of input
# 30 4 * * * switched off by a person
@reboot\t/home/pi/hello.sh
"""


def create(environment, name="Backup", schedule="0 2 * * *", command="/home/pi/backup.sh", **more):
    return tasks.create(environment, ME, tasks.NewTask(name, schedule, command, **more)).tasks[0]
