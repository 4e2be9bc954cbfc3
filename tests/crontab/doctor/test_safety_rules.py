"""The rules about access and disks: what they report, and what they do not."""

import pytest

from tests.crontab.doctor.tables import reports
from tests.helpers.sample_machine import examined

REPORTED = [
    ("sudo_password medium", "sudo apt-get update"),
    ("sudo_password medium", "cd /tmp && sudo -u root ls"),
    ("sudo_password medium", "nice sudo ls"),
    ("secret medium", "mysqldump -u pi -phunter2 shop"),
    ("secret medium", "mysqldump --password=hunter2 shop"),
    ("secret medium", "PGPASSWORD=hunter2 pg_dump shop"),
    ("secret medium", "curl -u pi:hunter2 https://example.org"),
    ("secret medium", "curl https://pi:hunter2@example.org/x"),
    ("secret medium", "curl 'https://example.org/update?token=hunter2'"),
    ("secret medium", "curl -H 'Authorization: Bearer hunter2' https://example.org"),
    ("secret medium", "sshpass -p hunter2 ssh pi@example.org ls"),
    ("secret medium", "AWS_SECRET_ACCESS_KEY=hunter2 aws s3 ls"),
    ("secret medium", "tool --api-key hunter2"),
    ("open_to_others high", "/home/pi/open.sh"),
    ("open_to_others high", "sh /home/pi/open.sh"),
    ("open_to_others high", "/home/pi/shared/open.sh"),
    ("open_to_others medium", "/tmp/job.sh"),
    ("other_home low", "/home/pi/backup.sh /home/anna/photos"),
    ("other_home low", "/home/anna/job.sh"),
    ("not_mounted high", "/home/pi/backup.sh /mnt/usb/backup"),
    ("not_mounted high", "/home/pi/backup.sh --to=/mnt/usb"),
    ("not_mounted medium", "/home/pi/backup.sh > /mnt/nas/x"),
    ("removable_disk low", "/home/pi/backup.sh /media/pi/STICK"),
]

LEFT_ALONE = [
    ("sudo_password", "sudo -n apt-get update"),
    ("sudo_password", "echo sudo apt-get update"),
    ("sudo_password", "ssh pi@example.org sudo reboot"),
    ("secret", "mysqldump --password=$PASSWORD shop"),
    ("secret", 'mysqldump --password="$(cat /home/pi/.password)" shop'),
    ("secret", "mysqldump -p shop"),
    ("secret", "mkdir -p/tmp/x"),
    ("secret", "curl --user-agent x https://example.org:8080/x"),
    ("secret", "TOKEN_FILE=/home/pi/token tool"),
    ("secret", "SECRET_NAME=backup AWS_ACCESS_KEY_ID=id tool"),
    ("secret", "rsync -a pi@example.org:/x /y"),
    ("secret", "tool --password-file /home/pi/.password"),
    ("secret", "docker run -u 1000:1000 x"),
    ("open_to_others", "/home/pi/backup.sh"),
    ("other_home", "rsync -a x pi@example.org:/home/anna/y"),
    ("other_home", "/home/pi/backup.sh /home/annabel"),
    ("not_mounted", "mountpoint -q /mnt/usb && /home/pi/backup.sh /mnt/usb/x"),
    ("not_mounted", "mount /mnt/usb && /home/pi/backup.sh /mnt/usb/x"),
    ("not_mounted", "/home/pi/backup.sh /mnt/usb2"),
    ("removable_disk", "[ -d /media/pi/STICK ] && /home/pi/backup.sh /media/pi/STICK"),
]


@pytest.mark.parametrize(("rule", "command"), REPORTED)
def test_a_command_is_reported(rule: str, command: str) -> None:
    assert rule in reports(f"7 5 * * * {command}")


@pytest.mark.parametrize(("rule", "command"), LEFT_ALONE)
def test_a_good_command_is_left_alone(rule: str, command: str) -> None:
    assert rule not in {report.split()[0] for report in reports(f"7 5 * * * {command}")}


@pytest.mark.parametrize("command", [c for rule, c in REPORTED if rule.startswith("secret")])
def test_no_finding_repeats_a_secret(command: str) -> None:
    findings = [f for f in examined(f"7 5 * * * {command}\n") if f.rule == "secret"]
    assert "hunter2" not in str(findings)


def test_a_disk_that_is_mounted_at_each_boot_is_not_removable() -> None:
    job = "7 5 * * * /home/pi/backup.sh /mnt/data/x"
    assert "removable_disk low" in reports(job)
    assert reports(job, permanent=frozenset({"/mnt/data"})) == set()


def test_root_needs_no_password_and_depends_on_others_more() -> None:
    assert "sudo_password" not in str(reports("7 5 * * * sudo ls", is_root=True))
    assert "other_home medium" in reports("7 5 * * * /home/anna/job.sh", is_root=True)
