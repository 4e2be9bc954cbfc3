"""The facts about this machine that the doctor's rules need.

Only looks: it starts no program, and nothing of a crontab. A file system that does not answer, such
as a network folder whose server is away, costs a second at most; what lies there is unknown then.
"""

import os
import pwd
import re
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

from pitasker_core.base.bounded_lookup import ask
from pitasker_core.base.identity import account
from pitasker_core.crontab.doctor.clock_changes import find_clock_changes
from pitasker_core.crontab.doctor.facts import FileFacts, MachineFacts
from pitasker_core.crontab.doctor.needs import Needs, list_needs
from pitasker_core.crontab.document import Document
from pitasker_core.crontab.execution import DEFAULT_PATH

_FIRST_LINE = 512
"""Bytes in which a script's first line is looked for."""
_NETWORK_TYPES = ("nfs", "cifs", "smb", "fuse.sshfs", "fuse.rclone", "autofs", "davfs", "9p")
_FURTHER = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin:/snap/bin:/usr/games"
"""Folders that login shells often search, beside those of PiTasker's own PATH."""
_MAIL_PROGRAM = "/usr/sbin/sendmail"
_OWN_ACCOUNTS = 1000
"""The first user id of people (Debian's and Red Hat's login.defs)."""


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of a table of mounts."""

    place: str
    type: str
    options: tuple[str, ...]

    @property
    def is_on_demand(self) -> bool:
        """Whether it is not mounted at the boot."""
        return not {"noauto", "x-systemd.automount"}.isdisjoint(self.options)


def gather(document: Document, zone: ZoneInfo, now: datetime | None = None) -> MachineFacts:
    """Everything that the rules need to know for this crontab."""
    return look_up(needs_of(document), zone, now or datetime.now(UTC))


def needs_of(document: Document) -> Needs:
    """What `look_up` has to look up for this crontab: the same, as long as it is not changed."""
    user = account()
    return list_needs(document, user.pw_name, user.pw_dir)


def look_up(needs: Needs, zone: ZoneInfo, now: datetime) -> MachineFacts:
    """The facts about this machine that a crontab needs."""
    facts = _about_user(zone, now)
    programs = ask(needs.programs, _find_program)
    missing = {name for (name, _), path in programs.items() if path is None}
    paths = {*needs.paths, *filter(None, programs.values())}
    files = ask(sorted(paths), look_at_file)
    looked_up = {file.looked_up for file in files.values() if file.looked_up}
    interpreters = ask(list(product(looked_up, needs.searches)), _find_program)
    return replace(
        facts,
        files=files,
        programs={**programs, **interpreters},
        elsewhere={name: path for name, path in ask(missing, _find_elsewhere).items() if path},
        shells=_shells(needs),
    )


def _about_user(zone: ZoneInfo, now: datetime) -> MachineFacts:
    user = account()
    others = ask(["accounts"], lambda _: _other_homes(user.pw_dir)).get("accounts", {})
    listed, mounted = read_mounts(Path("/etc/fstab")), read_mounts(Path("/proc/self/mounts"))
    there = {mount.place for mount in mounted}
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return MachineFacts(
        user=user.pw_name,
        home=user.pw_dir,
        is_root=user.pw_uid == 0,
        users=frozenset({user.pw_name, "root", *others.values()}),
        homes=others,
        unmounted={
            mount.place: mount.is_on_demand
            for mount in listed
            if mount.place not in there and mount.type != "swap"
        },
        permanent=frozenset(
            mount.place for mount in listed if mount.place in there and not mount.is_on_demand
        ),
        separate=frozenset(
            mount.place for mount in (*listed, *mounted) if mount.type.startswith(_NETWORK_TYPES)
        ),
        has_mail_program=Path(_MAIL_PROGRAM).exists(),
        zone=zone,
        now=now,
        clock_changes=find_clock_changes(zone, midnight),
    )


def _other_homes(own: str) -> dict[str, str]:
    """The homes of other people; those of system accounts, such as /, are nobody's."""
    return {
        account.pw_dir: account.pw_name
        for account in pwd.getpwall()
        if (account.pw_uid >= _OWN_ACCOUNTS or account.pw_uid == 0)
        and account.pw_dir.count("/") >= 1 + (account.pw_uid != 0)
        and account.pw_dir not in (own, "/nonexistent")
    }


def read_mounts(table: Path) -> list[Mount]:
    """The lines of a table such as /etc/fstab; empty where it cannot be read."""
    mounts = []
    with suppress(OSError):
        for line in table.read_text(errors="surrogateescape").splitlines():
            words = [_ESCAPED.sub(lambda code: chr(int(code[1], 8)), w) for w in line.split()]
            if len(words) >= 4 and words[0][0] != "#" and words[1].startswith("/"):
                mounts.append(Mount(words[1], words[2], tuple(words[3].split(","))))
    return mounts


_ESCAPED = re.compile(r"\\([0-7]{3})")


def _shells(needs: Needs) -> dict[str, str]:
    shells = ask(needs.shells, lambda path: str(Path(path).resolve(strict=True)))
    return {path: real for path, real in shells.items() if real}


def _find_program(lookup: tuple[str, str]) -> str | None:
    name, search = lookup
    return shutil.which(name, path=search)


def _find_elsewhere(name: str) -> str | None:
    own = os.environ.get("PATH", DEFAULT_PATH)
    home = Path(account().pw_dir)
    path = shutil.which(name, path=f"{own}:{_FURTHER}:{home / '.local/bin'}:{home / 'bin'}")
    return path if path and path.startswith("/") else None


# --- One file ------------------------------------------------------------------------------------


def look_at_file(path: str) -> FileFacts:
    """A file as this user sees it."""
    line = b""
    try:
        status = Path(path).stat()
        mode = status.st_mode
        readable = os.access(path, os.R_OK)
        if readable and stat.S_ISREG(mode):
            with Path(path).open("rb") as opened:
                line = opened.read(_FIRST_LINE).split(b"\n", 1)[0]
        folder = Path(path).parent.stat().st_mode
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or "it cannot be reached"
        return FileFacts(path, reason, executable=False)
    is_open = bool(folder & stat.S_IWOTH)
    is_folder = stat.S_ISDIR(mode)
    return FileFacts(
        path,
        "",
        is_folder,
        readable,
        os.access(path, os.X_OK),
        os.access(path, os.W_OK),
        line,
        *_interpreter(line),
        bool(mode & stat.S_IWOTH) and not is_folder,
        is_open and not folder & stat.S_ISVTX,
        is_open and bool(folder & stat.S_ISVTX),
    )


def _interpreter(first_line: bytes) -> tuple[str, str]:
    """The program that a script's first line names if it is missing, and the name for `env`."""
    words = os.fsdecode(first_line[2:]).split() if first_line.startswith(b"#!") else []
    if not words:
        return "", ""
    if shutil.which(words[0]) is None:
        return words[0], ""
    if not words[0].endswith("/env"):
        return "", ""
    return "", next((w for w in words[1:] if not w.startswith("-") and "=" not in w), "")
