"""Which crontab this is: a user's on a host, and the machine behind the host's name."""

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
    """Whose crontab it is. `machine` outlives a change of the host's name; None where the system
    has no machine id, as in many containers."""

    host: str
    user: str
    machine: str | None = None

    def __str__(self) -> str:
        return f"{self.user}@{self.host}"


def current(host: str | None = None) -> Identity:
    """Who we are. `host` replaces the system's host name."""
    return Identity(host or socket.gethostname(), user_name(), machine_id())


def user_name() -> str:
    """The account that runs this process, and so whose crontab `crontab` edits."""
    return pwd.getpwuid(os.getuid()).pw_name


def has_account(user: str) -> bool:
    """Whether this machine has an account of this name."""
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


@lru_cache
def machine_id(file: Path = _MACHINE_ID) -> str | None:
    """The machine's id, made so that it cannot be traced back; None where there is none.

    It is computed as `sd_id128_get_machine_app_specific(3)` does, because the id itself "must not
    be exposed" (machine-id(5)).
    """
    try:
        machine = UUID(file.read_text().strip())
    except (OSError, ValueError):
        return None  # also "uninitialized", at the first boot
    digest = hmac.new(machine.bytes, _APPLICATION.bytes, hashlib.sha256).digest()
    return str(UUID(bytes=digest[:16], version=4))
