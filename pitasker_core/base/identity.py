"""The identity of this crontab: its user, its host, and the machine behind the host's name."""

import hashlib
import hmac
import os
import pwd
import socket
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import UUID

_APPLICATION = UUID("f3b0c6a1-5d1e-4b7e-9f43-2f0a8c6d7e15")
_MACHINE_ID = Path("/etc/machine-id")


@dataclass(frozen=True)
class Identity:
    """The owner of a crontab. `machine` stays the same when the host is renamed. It is None if the
    system has no machine id, as in many containers."""

    host: str
    user: str
    machine: str | None = None

    def __str__(self) -> str:
        return f"{self.user}@{self.host}"


def current(host: str | None = None) -> Identity:
    """The identity of this process. `host` replaces the system's host name."""
    return Identity(host or socket.gethostname(), user_name(), machine_id())


def user_name() -> str:
    """The account that runs this process. `crontab` edits the crontab of this account."""
    return account().pw_name


def account() -> pwd.struct_passwd:
    """The account's entry in the password file."""
    return pwd.getpwuid(os.getuid())


def has_account(user: str) -> bool:
    """Whether this machine has an account of this name."""
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


@lru_cache
def machine_id(file: Path = _MACHINE_ID) -> str | None:
    """An id of this machine that is only PiTasker's; None if the system has no machine id.

    Computed like `sd_id128_get_machine_app_specific(3)`, because the id itself "must not be
    exposed" (machine-id(5)).
    """
    try:
        machine = UUID(file.read_text().strip())
    except (OSError, ValueError):
        return None  # also "uninitialized", during the first boot
    digest = hmac.new(machine.bytes, _APPLICATION.bytes, hashlib.sha256).digest()
    return str(UUID(bytes=digest[:16], version=4))
