"""Rules about access: passwords, other people's files, disks that may not be there. Pure."""

import re
from collections.abc import Iterator
from functools import lru_cache
from shlex import quote

from pitasker_core.base.text import marked
from pitasker_core.crontab.doctor.facts import FileFacts
from pitasker_core.crontab.doctor.finding import Problem, high, low, medium
from pitasker_core.crontab.doctor.rule import rule
from pitasker_core.crontab.doctor.subject import Subject

_REMOTE = frozenset({"ssh", "scp", "sftp", "rsync", "docker", "podman", "lxc", "kubectl", "rclone"})
"""Programs whose arguments may be paths of another machine."""
REMOVABLE = ("/media/", "/run/media/", "/mnt/")
"""Where removable disks and network folders are mounted."""


@rule(
    "sudo asks for a password",
    example="0 5 * * * sudo apt-get update",
    better="0 5 * * * sudo -n apt-get update",
)
def sudo_password(subject: Subject) -> Problem | None:
    """Nobody can type a password into a cron job. `sudo` works there only if the user may run that
    command without one (`NOPASSWD` in the file sudoers). Jobs for root belong into the crontab of
    root: `sudo crontab -e`. `sudo -n` fails with a clear message instead."""
    if subject.facts.is_root:
        return None
    for call in subject.calls.calls:
        options = [w.source for w in call.arguments if w.source.startswith("-")]
        has_way = any(re.match(r"-\w*[nSA]|--(?:non-i|stdin|askp)", option) for option in options)
        if call.base == "sudo" and not has_way:
            return medium(
                "The command uses sudo, which cannot ask for a password here.",
                "sudo",
                "It works only if this user may run that command without a password; root's "
                "crontab is the usual place.",
                "sudo -l",
            )
    return None


@rule(
    "A password stands in the command",
    example="0 5 * * * mysqldump -u pi --password=hunter2 shop > /home/pi/shop.sql",
    better="0 5 * * * mysqldump --defaults-file=/home/pi/.my.cnf shop > /home/pi/shop.sql",
)
def secret(subject: Subject) -> Problem | None:
    """While a job runs, every user of the machine can read its command line (`ps aux`). Cron also
    writes the command to its log, and mails carry it in their subject. Keep the secret in a file
    that only you can read."""
    place = find_secret(subject.given, subject.programs.intersection(_OWN_OPTIONS))
    if place is None:
        return None
    return medium(
        "A password or key stands in the command, where every user of this machine can read it "
        "while the job runs. Cron's log has it too.",
        place,
        marked("Keep it in a file that only you can read (`chmod 600`)."),
    )


_SECRET = re.compile(
    r"""(?P<what>--(?:password|passwd|pass|token|api-?key|secret|http-password)[= ]
    |\b[A-Za-z0-9_]*(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_KEY)[0-9]*=
    |[?&](?:api_?key|token|access_token|password|passwd|key)=
    |\bsshpass\ +-p\ *
    |[Bb]earer\ +
    |://[^\s/:@'"]*:(?=[^\s/@'"]+@))
    (?P<value>['"]?[^\s'"$`&|;<>()-][^\s'"&|;<>()]*)""",
    re.VERBOSE,
)
_ATTACHED = re.compile(r"(?:^| )(?P<what>-p)(?P<value>[^\s'\"$`&|;<>()]+)")
_WITH_USER = re.compile(
    r"(?:^| )(?P<what>(?:-u|--user)[= ]?[\w.@-]+:)(?P<value>[^\s'\"$`&|;<>()]+)"
)
_OWN_OPTIONS = {
    **dict.fromkeys(("mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump"), _ATTACHED),
    "curl": _WITH_USER,
}
"""Options that hold a password for these programs alone."""


@lru_cache(maxsize=16384)
def find_secret(command: str, programs: frozenset[str]) -> str | None:
    """The name under which a secret stands in a command, with stars for the secret."""
    patterns = (_SECRET, *(_OWN_OPTIONS[program] for program in sorted(programs)))
    secret = next(filter(None, (pattern.search(command) for pattern in patterns)), None)
    if secret is None or secret["value"].startswith(("/", "~", "file:", "env:")):
        return None
    return f"{secret['what'].strip()}***"


@rule(
    "Anybody may change the program",
    example="0 5 * * * /home/pi/open.sh",
    better="0 5 * * * /home/pi/backup.sh",
)
def open_to_others(subject: Subject) -> Problem | None:
    """Who may write to a script, or replace it in its folder, can run any command as you. In `/tmp`
    nobody may replace your files, but the folder is emptied at the boot, and anybody may then put a
    file of that name there."""
    for file in _own_files(subject):
        if file.world_writable:
            return high(
                f"Every user of this machine may change {file.path}, and so run commands as you.",
                file.path,
                "Let nobody else write to it.",
                f"chmod o-w {quote(file.path)}",
            )
        folder = file.path.rpartition("/")[0] or "/"
        if file.in_world_writable_folder:
            return high(
                f"Every user of this machine may replace {file.path}: its folder is open to all.",
                file.path,
                "Let nobody else write to the folder.",
                f"chmod o-w {quote(folder)}",
            )
        if file.in_temporary_folder:
            return medium(
                f"{file.path} is in a folder for temporary files, which anybody may write to.",
                file.path,
                "Put it into a folder of your own.",
            )
    return None


def _own_files(subject: Subject) -> Iterator[FileFacts]:
    """The programs and scripts of a command that are there."""
    files = subject.facts.files
    paths = [subject.find_program(call) for call in subject.calls.calls]
    for path in (*paths, *(named.path for named in subject.calls.scripts)):
        file = files.get(path) if path else None
        if file and not file.is_missing and not file.is_folder:
            yield file


@rule(
    "A path lies in another user's home",
    example="0 5 * * * /home/pi/backup.sh /home/anna/photos",
    better="0 5 * * * /home/pi/backup.sh /home/pi/photos",
)
def other_home(subject: Subject) -> Problem | None:
    """The job depends on the files of another user, who may change or lock them. A job of root that
    runs a program from there gives that user the rights of root."""
    if not subject.facts.homes or not subject.programs.isdisjoint(_REMOTE):
        return None
    for path in subject.absolute_paths:
        for home, user in subject.facts.homes.items():
            if path == home or path.startswith(f"{home}/"):
                report = medium if subject.facts.is_root else low
                return report(
                    f"{path} lies in the home of {user}.",
                    path,
                    f"Check that this is meant, and that {user} will leave it there.",
                )
    return None


@rule(
    "A disk is not mounted",
    example="0 5 * * * /home/pi/backup.sh /mnt/usb/backup",
    better="0 5 * * * mountpoint -q /mnt/usb && /home/pi/backup.sh /mnt/usb/backup",
)
def not_mounted(subject: Subject) -> Problem | None:
    """The path lies on a disk that `/etc/fstab` names and that is not mounted now. The job fails,
    or fills the disk of the system instead. Test for the disk first: `mountpoint -q /mnt/usb &&`
    before the command."""
    if not subject.facts.unmounted or "mount" in subject.programs:
        return None
    for path in (*subject.absolute_paths, subject.variables.get("HOME", "")):
        for mount, on_demand in subject.facts.unmounted.items():
            if _lies_on(path, mount) and mount not in subject.calls.tested:
                report = medium if on_demand else high
                return report(
                    f"{path} lies on {mount}, which /etc/fstab names and which is not mounted.",
                    path,
                    "Mount it.",
                    f"sudo mount {quote(mount)}",
                )
    return None


@rule(
    "A disk may not be there",
    example="0 5 * * * /home/pi/backup.sh /media/pi/STICK",
    better="0 5 * * * mountpoint -q /media/pi/STICK && /home/pi/backup.sh /media/pi/STICK",
)
def removable_disk(subject: Subject) -> Problem | None:
    """The path lies where removable disks and network folders are mounted. When the disk is away,
    the job fails, or fills the disk of the system instead."""
    if subject.calls.tested or "mount" in subject.programs:
        return None
    facts = subject.facts
    listed = (*facts.unmounted, *facts.permanent)  # there another rule says more, or all is well
    for path in subject.absolute_paths:
        if path.startswith(REMOVABLE) and not any(_lies_on(path, mount) for mount in listed):
            return low(
                f"{path} lies on a disk that may not be there.",
                path,
                marked("Test for it first: `mountpoint -q FOLDER &&`."),
            )
    return None


def _lies_on(path: str, mount: str) -> bool:
    return path == mount or path.startswith(f"{mount.rstrip('/')}/")


RULES = (sudo_password, secret, open_to_others, other_home, not_mounted, removable_disk)
