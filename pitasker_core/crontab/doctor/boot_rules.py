from pitasker_core.base.text import marked
from pitasker_core.crontab.doctor.finding import Fix, Problem, medium
from pitasker_core.crontab.doctor.rule import rule
from pitasker_core.crontab.doctor.safety_rules import REMOVABLE
from pitasker_core.crontab.doctor.subject import Subject

_NETWORK = frozenset(
    {"curl", "wget", "ssh", "scp", "sftp", "rsync", "rclone", "git", "ping", "apt", "apt-get"}
    | {"pip", "pip3", "docker", "podman", "mosquitto_pub", "ntpdate", "mail", "msmtp", "nc"}
    | {"ddclient", "certbot", "restic", "borg", "autossh", "mount"}
)
_WAITS = frozenset({"sleep", "nm-online", "systemd-networkd-wait-online", "wait-for-it", "timeout"})


@rule(
    "The network may not be up at the boot",
    example="@reboot curl -fsS https://example.org/started",
    better="@reboot sleep 30 && curl -fsS https://example.org/started",
)
def boot_network(subject: Subject) -> Problem | None:
    """Cron starts `@reboot` jobs as soon as it starts itself, often before the network is up. Wait
    for it, or retry."""
    if not subject.schedule.reboot or not subject.programs.isdisjoint(_WAITS):
        return None
    used = sorted(subject.programs & _NETWORK)
    if not used or "--retry" in subject.given:
        return None
    return medium(
        f"At the boot the network may not be up yet, and {used[0]} needs it.",
        used[0],
        marked("Wait first: `sleep 30 &&` before the command."),
        fix=Fix("Wait 30 seconds first", command=f"sleep 30 && {subject.command}"),
    )


@rule(
    "The disk may not be mounted at the boot",
    example="@reboot /media/pi/STICK/start.sh",
    better="@reboot sleep 60 && /media/pi/STICK/start.sh",
)
def boot_mount(subject: Subject) -> Problem | None:
    """Cron starts `@reboot` jobs as soon as it starts itself. Removable disks and network folders
    are often mounted later."""
    if not subject.schedule.reboot or not subject.programs.isdisjoint(_WAITS):
        return None
    for path in subject.absolute_paths:
        lies_late = path.startswith(REMOVABLE) or any(
            path.startswith(f"{mount}/") for mount in subject.facts.separate
        )
        if lies_late and not subject.calls.tested:
            return medium(
                f"At the boot the disk of {path} may not be mounted yet.",
                path,
                "Wait for it, or test for it first.",
            )
    return None


RULES = (boot_network, boot_mount)
